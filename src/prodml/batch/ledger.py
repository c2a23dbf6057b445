"""What a ledger must do: know which work is claimed, done, failed or given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from prodml._core.sql import Session
    from prodml.batch.key import RecordKeys, WorkKey

__all__ = [
    "Claim",
    "Entry",
    "Ledger",
    "RecordLedger",
    "State",
    "WorkFailure",
    "WorkResult",
    "WriteOutput",
]

#: What has become of some work.
State = Literal["pending", "running", "done", "failed", "quarantined"]


class Entry(NamedTuple):
    """What a ledger knows about a key.

    Attributes
    ----------
    state : {"pending", "running", "done", "failed", "quarantined"}
        ``pending`` waits to be claimed again, ``failed`` may be claimed again, ``quarantined``
        waits until somebody releases it.
    payload_hash : bytes
        What the key came with.
    attempt : int
        How often it was claimed.
    result : str
        What was stored with it, as JSON; empty for nothing.
    owner : str
        Who claimed it last.
    """

    state: State
    payload_hash: bytes
    attempt: int
    result: str
    owner: str


class Claim(NamedTuple):
    """The right to finish some work, until somebody else takes it over.

    Attributes
    ----------
    key : bytes
        The work.
    fence : int
        Rises with every claim of the key. What is committed under an older fence is refused.
    attempt : int
        Which try it is, from 1.
    state : {"running", "quarantined"}
        Quarantined where the key had used up its attempts: nothing is to be done then.
    """

    key: bytes
    fence: int
    attempt: int
    state: State


class WorkResult(NamedTuple):
    """Finished work.

    Attributes
    ----------
    key, fence : bytes, int
        Of the claim.
    number : int
        Which batch of its run it was; gives the order in which outputs are read back.
    n_records, n_done, n_quarantined : int
        Records that came in, that were worked on, and that were put into quarantine.
    n_output : int
        Records that came out.
    tallies : str
        Sums over the output, as a JSON object of numbers; empty for none.
    result : str
        What a later call gets instead of the work, as JSON; empty for nothing.
    expires_at : int
        When to forget it, in microseconds since 1970; 0 for never.
    """

    key: bytes
    fence: int
    number: int
    n_records: int
    n_done: int
    n_quarantined: int
    n_output: int
    tallies: str = ""
    result: str = ""
    expires_at: int = 0


class WorkFailure(NamedTuple):
    """Work that was not finished.

    Attributes
    ----------
    key, fence : bytes, int
        Of the claim.
    state : {"pending", "failed", "quarantined"}
        Pending for work that was given up without a fault of its own: the attempt does not count.
    n_records : int
        Records that came in.
    error : str
        What was wrong.
    """

    key: bytes
    fence: int
    state: State
    n_records: int
    error: str


#: Stores output within the transaction of a commit; gets the keys that were lost.
WriteOutput = Callable[["Session", frozenset[bytes]], object]


@runtime_checkable
class Ledger(Protocol):
    """Remembers claims and results, in namespaces that know nothing of each other.

    Each method is one transaction: on an error nothing of it is stored. Safe between threads,
    processes, and machines where the store is. Times come from the caller's clock; who may
    commit is decided by fences alone, so that a clock that is wrong costs work, never a row.
    All methods raise :class:`~prodml.errors.StorageError` where the store fails.
    """

    def claim(
        self,
        namespace: str,
        work: Sequence[WorkKey],
        /,
        *,
        owner: str,
        now: datetime,
        until: datetime,
        max_attempts: int,
        gone: Sequence[str] = (),
    ) -> list[Claim]:
        """Claim what is free, and return the claims, in no order.

        Free is a key that is new; pending or failed; running with a lease that ran out before
        `now`, or for an owner that is known to be gone; or done with a result that expired before
        `now`, which starts anew. Keys that came with another payload are never free. A free key
        that was claimed `max_attempts` times already becomes quarantined instead. No key may
        stand twice in `work`.
        """
        ...

    def heartbeat(
        self, namespace: str, claims: Sequence[Claim], /, *, until: datetime
    ) -> frozenset[bytes]:
        """Renew leases, and return the keys of claims that are no longer held."""
        ...

    def commit(
        self,
        namespace: str,
        results: Sequence[WorkResult],
        /,
        *,
        now: datetime,
        write: WriteOutput | None = None,
    ) -> frozenset[bytes]:
        """Mark work as done, and return the keys of claims that are no longer held.

        The marks come first; then `write` is called, if any mark was made, with the open
        transaction and the keys that were lost. What it raises undoes the marks.
        """
        ...

    def fail(
        self, namespace: str, failures: Sequence[WorkFailure], /, *, now: datetime
    ) -> frozenset[bytes]:
        """Write down what was not finished; return the keys of claims no longer held."""
        ...

    def get_many(self, namespace: str, keys: Sequence[bytes], /) -> Mapping[bytes, Entry]:
        """Return what is known about keys; unknown ones are left out."""
        ...


@runtime_checkable
class RecordLedger(Protocol):
    """Remembers single records, so that each is worked on once. Kept by ledgers that can."""

    def known_records(
        self, namespace: str, keys: RecordKeys, /
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which records are known, and which of these came with another payload then."""
        ...

    def commit_records(
        self,
        namespace: str,
        keys: RecordKeys,
        result: WorkResult,
        /,
        *,
        now: datetime,
        write: WriteOutput | None = None,
    ) -> bool:
        """Remember records and their result, and write their output, in one transaction.

        No key may stand twice in `keys`. Returns False, and stores nothing, if somebody else has
        committed one of them by now.
        """
        ...
