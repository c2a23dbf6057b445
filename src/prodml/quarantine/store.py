"""What the queue asks of a store, in plain data: SQLite, PostgreSQL, or one of your own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from prodml.rejections import Reason

__all__ = [
    "DECIDED",
    "Delivery",
    "EntryFilter",
    "PutOutcome",
    "QuarantineStore",
    "ReasonCount",
    "Settlement",
    "State",
    "StateCount",
    "StoredEntry",
]

#: What has become of an entry.
State = Literal["pending", "replayed", "released", "discarded"]

#: The states in which an entry no longer waits.
DECIDED: tuple[State, ...] = ("replayed", "released", "discarded")

Reasons = tuple["Reason", ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery:
    """The rejected rows of one stretch of a batch, encoded.

    Attributes
    ----------
    source, contract, fingerprint, batch : str
        Where the rows come from, what rejected them, and which delivery they belong to.
    first_row, n_rows : int
        The stretch of the batch that was judged, accepted rows included.
    rows : sequence of int, length n
        Position of each rejected row in the batch; ascending, within the stretch.
    digests : sequence of bytes, length n
        16 bytes that name the origin and content of each row.
    layout : str
        JSON that all payloads share.
    payloads : sequence of str, length n
        JSON of each row.
    keys : sequence of str or None, length n, or None
        The business key of each row.
    reason_sets : sequence of tuple of Reason
        Distinct combinations of reasons.
    reasons : sequence of int, length n
        Which combination each row has.
    redacted : bool
        Whether something was taken out of the payloads.
    at : datetime
        When; aware.
    max_pending : int or None
        How many entries may wait.
    """

    source: str
    contract: str
    fingerprint: str
    batch: str
    first_row: int
    n_rows: int
    rows: Sequence[int]
    digests: Sequence[bytes]
    layout: str
    payloads: Sequence[str]
    keys: Sequence[str | None] | None
    reason_sets: Sequence[Reasons]
    reasons: Sequence[int]
    redacted: bool
    at: datetime
    max_pending: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOutcome:
    """What a store did with a delivery.

    Attributes
    ----------
    n_new : int
        Entries that were not there before.
    n_known : int
        Rows of other batches that came again; their attempts went up.
    n_repeated : int
        Rows of this batch that had been put before: a retried job.
    n_reopened : int
        Known rows that had been replayed or released, and wait again.
    n_withdrawn : int
        Entries of this stretch that no longer belong there: the same batch, put again, now has
        an accepted row in their place, or another row.
    depth : int
        Entries that wait, in the whole store.
    batch_rows, batch_rejected : int
        Rows of the batch that have been judged so far, and rejected.
    """

    n_new: int
    n_known: int
    n_repeated: int
    n_reopened: int
    n_withdrawn: int
    depth: int
    batch_rows: int
    batch_rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries are meant; every condition that is given must hold.

    Attributes
    ----------
    ids : tuple of str or None
        Exactly these.
    states : tuple of State or None
        In one of these.
    source, contract, batch, run : str or None
        Of this source, contract, delivery or replay.
    rule, column : str or None
        With a reason of this rule, or about this column.
    max_attempts : int or None
        Rejected at most so often.
    limit : int or None
        At most so many, the oldest first.
    """

    ids: tuple[str, ...] | None = None
    states: tuple[State, ...] | None = None
    source: str | None = None
    contract: str | None = None
    batch: str | None = None
    run: str | None = None
    rule: str | None = None
    column: str | None = None
    max_attempts: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry as a store returns it; see :class:`~prodml.quarantine.QuarantineEntry`."""

    id: str
    state: State
    source: str
    contract: str
    fingerprint: str
    batch: str
    row: int
    key: str | None
    reasons: Reasons
    attempts: int
    first_seen: datetime
    last_seen: datetime
    layout: str
    payload: str
    redacted: bool
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
    run: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The outcome of a replay, to be stored at once.

    Attributes
    ----------
    accepted : sequence of str
        Ids of entries that now fit.
    rejected : mapping of str to tuple of Reason
        Ids of entries that still do not, with their new reasons.
    run : str
        Name of the replay.
    by : str or None
        Who asked for it.
    at : datetime
        When.
    """

    accepted: Sequence[str]
    rejected: Mapping[str, Reasons]
    run: str
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many entries of one source and contract are in one state."""

    source: str
    contract: str
    state: State
    n: int
    oldest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many pending entries have one reason."""

    source: str
    contract: str
    column: str
    rule: str
    message: str
    n: int


@runtime_checkable
class QuarantineStore(Protocol):
    """Keeps rejected rows. :func:`prodml.testing.check_quarantine_store` tests an implementation.

    Every method is one transaction: it happens as a whole or not at all, and is durable when it
    returns. Safe between threads and processes. Raises
    :class:`~prodml.errors.StorageError` when the storage fails.
    """

    def put(self, delivery: Delivery, /) -> PutOutcome:
        """Store rejected rows; the same stretch of the same batch may be put again and again.

        Raises :class:`~prodml.errors.QuarantineFullError` when more than ``max_pending`` entries
        would wait.
        """
        ...

    def entries(self, which: EntryFilter, /) -> Iterator[StoredEntry]:
        """Yield entries, the oldest first. Others may change the store meanwhile."""
        ...

    def decide(
        self,
        ids: Sequence[str],
        state: State,
        /,
        *,
        by: str | None,
        note: str | None,
        at: datetime,
    ) -> None:
        """Take pending entries out of the queue: all of them or none.

        Raises :class:`~prodml.errors.EntryNotFoundError` or
        :class:`~prodml.errors.EntryStateError`.
        """
        ...

    def settle(self, settlement: Settlement, /) -> frozenset[str]:
        """Store the outcome of a replay, for entries that are still pending.

        Returns the accepted ids that this call took: of two replays at once, one gets each.
        """
        ...

    def counts(self) -> tuple[tuple[StateCount, ...], tuple[ReasonCount, ...]]:
        """Return how many entries there are, and for which reasons the pending ones wait."""
        ...

    def purge(self, *, decided_before: datetime, states: Sequence[State]) -> int:
        """Delete entries that were decided before a moment; return how many."""
        ...

    def close(self) -> None:
        """Release what the store holds open."""
        ...
