"""One way in which a frame differs from what its contract expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from prodml.evidence import Verdict

__all__ = ["ChangeKind", "SchemaChange"]

#: In what respect a frame can differ.
ChangeKind = Literal["missing", "added", "duplicate", "type", "category", "nullability"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """One way in which a frame differs from what its contract expects.

    Attributes
    ----------
    kind : {"missing", "added", "duplicate", "type", "category", "nullability"}
        In what respect.
    column : str
        The column.
    expected, found : str or None
        What the contract says, and what arrived.
    verdict : {"warn", "fail", "inconclusive"}
        ``"fail"`` where rows will be rejected for it, ``"warn"`` where all that was seen can be
        read all the same, ``"inconclusive"`` where a validator decides.
    similar : str or None
        Of a missing column the added one that it has probably become, and the other way round.
    message : str
        The change, for a person.
    """

    kind: ChangeKind
    column: str
    expected: str | None
    found: str | None
    verdict: Verdict
    similar: str | None = None
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        return f"column {self.column!r}: {self.message}"
