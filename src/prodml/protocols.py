"""The capabilities that one part of prodml may ask of another, or of yours.

Parts meet through these protocols and through :class:`~prodml.evidence.Evidence`, never through
each other's classes. A class of your own that has the methods works wherever a protocol is
named; nothing needs to be inherited or registered. :mod:`prodml.testing` holds a conformance
suite for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from prodml.evidence import Evidence
    from prodml.rejections import Rejections

__all__ = [
    "Clock",
    "EvidenceSource",
    "Mergeable",
    "RejectionSource",
    "ViolationLike",
]


@runtime_checkable
class Clock(Protocol):
    """A source of time. Thread-safe; never raises."""

    def now(self) -> datetime:
        """Return the time of day, aware and in UTC. It may step back."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


@runtime_checkable
class EvidenceSource(Protocol):
    """A result that can state what it measured as evidence.

    Cards, gates, alert rules, retraining policies and the audit log take these and nothing else.
    """

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the measurements, in a stable order. Pure; never raises."""
        ...


@runtime_checkable
class Mergeable(Protocol):
    """A summary of rows that can be made in parts.

    For one setting (one contract, one grid, one set of edges) summaries form a commutative
    monoid: :meth:`merge` is associative and commutative, and :meth:`empty` is its identity. The
    summaries of the parts of *any* partition of the rows, merged in *any* order, equal the
    summary of one pass **bit for bit**: ``to_bytes`` of both is the same. That is what lets one
    function serve a notebook, a stream of chunks and a thousand machines.

    Implementations keep counts as integers and floating sums exactly (as partials or fractions),
    or state an error bound as part of the result. They are immutable, hence thread-safe, and
    ``to_bytes`` is canonical: equal summaries give equal bytes, in any process.

    See :func:`prodml.testing.check_mergeable` for the laws as a check.
    """

    def merge(self, other: Self, /) -> Self:
        """Return the summary of both sets of rows; neither operand changes.

        Raises :class:`~prodml.errors.MergeError` when the settings differ.
        """
        ...

    def empty(self) -> Self:
        """Return the summary of no rows under the same setting."""
        ...

    def to_bytes(self) -> bytes:
        """Return canonical bytes, from which the class method ``from_bytes`` restores it."""
        ...

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Self:
        """Restore a summary. Raises :class:`~prodml.errors.FormatError` on other bytes."""
        ...


@runtime_checkable
class RejectionSource(Protocol):
    """A result that holds rows which were turned away, and why.

    A quarantine queue takes these: validation results, and batches with poisoned records.
    """

    def to_rejections(self) -> Rejections:
        """Return the rows as they arrived, with their reasons. Pure; never raises."""
        ...


class ViolationLike(Protocol):
    """One reason why a row does not fit."""

    @property
    def row(self) -> int | None:
        """Position of the row in its frame, or None for a single record."""
        ...

    @property
    def column(self) -> str:
        """The column at fault; dotted for nested fields, empty for the row as a whole."""
        ...

    @property
    def rule(self) -> str:
        """The rule that was broken, as a stable identifier."""
        ...

    @property
    def message(self) -> str:
        """What is wrong, for a person."""
        ...

    @property
    def value(self) -> Any:
        """The value as it arrived."""
        ...
