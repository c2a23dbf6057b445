"""What features ask of a contract: which fields its rows have, and of what type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RecordContract"]


class TypeLike(Protocol):
    """The type of a field."""

    @property
    def kind(self) -> str:
        """Its name, such as ``"int"``; ``"nullable"`` for one that may be missing."""
        ...

    @property
    def rules(self) -> Mapping[str, Any]:
        """What a value must obey; literals keep theirs under ``"values"``."""
        ...

    @property
    def parts(self) -> Mapping[str, TypeLike]:
        """The types it is made of; ``"inner"`` where it may be missing."""
        ...


class FieldLike(Protocol):
    """A field of a row."""

    @property
    def name(self) -> str:
        """Its name in the contract."""
        ...

    @property
    def inputs(self) -> Sequence[Sequence[str | int]]:
        """Where a row has it: names to try in order, each a path into nested values."""
        ...

    @property
    def type(self) -> TypeLike:
        """The type of its values."""
        ...


class DescriptionLike(Protocol):
    """A contract as plain data."""

    @property
    def fields(self) -> Sequence[FieldLike]:
        """The fields of a row, in order."""
        ...


@runtime_checkable
class RecordContract(Protocol):
    """Something that says what a row looks like, as :class:`prodml.contracts.Contract` does."""

    def describe(self) -> DescriptionLike:
        """Return what a row looks like. Pure."""
        ...
