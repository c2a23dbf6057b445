"""A ledger in plain Python: nothing outlives it, and everything in it can be read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from prodml._core.stored_values import to_microseconds
from prodml.batch.ledger import Claim, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy.typing as npt

    from prodml.batch.key import RecordKeys, WorkKey
    from prodml.batch.ledger import State, WorkFailure, WorkResult, WriteOutput

__all__ = ["MemoryLedger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    payload_hash: bytes
    state: State = "running"
    attempt: int = 1
    fence: int = 1
    owner: str = ""
    until: datetime
    result: str = ""
    #: in microseconds since 1970; 0 for never
    expires_at: int = 0

    def is_free(self, now: datetime, gone: Sequence[str]) -> bool:
        if self.state == "running":
            return self.until < now or self.owner in gone
        if self.state == "done":
            return 0 < self.expires_at < to_microseconds(now)
        return self.state in {"pending", "failed"}


class MemoryLedger:
    """A :class:`~prodml.batch.Ledger` for tests, written to be plain, not fast.

    It has no database, so that output is written without a session: atomic sinks need another
    ledger. Thread-safe; of use to one process only.

    Examples
    --------
    >>> from prodml.batch import BatchProcessor
    >>> print(BatchProcessor(sum, ledger=MemoryLedger(), namespace="sums").run([[1, 2], [3]]))
    'sums': 2 batches = 2 done; 3 records in = 3 done
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._work: dict[tuple[str, bytes], _Work] = {}
        #: key of a record -> its payload
        self._records: dict[tuple[str, int, int], int] = {}

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
        """Claim what is free; see :class:`~prodml.batch.Ledger`."""
        claims = []
        with self._lock:
            for key, payload_hash in work:
                known = self._work.get((namespace, key))
                if known is None:
                    mine = _Work(payload_hash=payload_hash, owner=owner, until=until)
                elif known.payload_hash != payload_hash or not known.is_free(now, gone):
                    continue
                else:
                    mine = replace(known, fence=known.fence + 1, owner=owner, until=until)
                    if known.state == "done":
                        mine = replace(mine, state="running", attempt=1)
                    elif known.attempt >= max_attempts:
                        mine = replace(mine, state="quarantined")
                    else:
                        mine = replace(mine, state="running", attempt=known.attempt + 1)
                self._work[namespace, key] = mine
                claims.append(Claim(key, mine.fence, mine.attempt, mine.state))
        return claims

    def heartbeat(
        self, namespace: str, claims: Sequence[Claim], /, *, until: datetime
    ) -> frozenset[bytes]:
        """Renew leases; see :class:`~prodml.batch.Ledger`."""
        with self._lock:
            return frozenset(
                claim.key
                for claim in claims
                if not self._change(namespace, claim.key, claim.fence, until=until)
            )

    def commit(
        self,
        namespace: str,
        results: Sequence[WorkResult],
        /,
        *,
        now: datetime,
        write: WriteOutput | None = None,
    ) -> frozenset[bytes]:
        """Mark work as done; see :class:`~prodml.batch.Ledger`."""
        del now
        with self._lock:
            before = dict(self._work)
            lost = frozenset(
                one.key
                for one in results
                if not self._change(
                    namespace,
                    one.key,
                    one.fence,
                    state="done",
                    result=one.result,
                    expires_at=one.expires_at,
                )
            )
            self._write(write, lost, before, len(lost) < len(results))
        return lost

    def fail(
        self, namespace: str, failures: Sequence[WorkFailure], /, *, now: datetime
    ) -> frozenset[bytes]:
        """Write down what was not finished; see :class:`~prodml.batch.Ledger`."""
        del now
        lost = set()
        with self._lock:
            for one in failures:
                known = self._work.get((namespace, one.key))
                given_back = one.state == "pending"
                attempt = 0 if known is None else known.attempt - given_back
                if not self._change(
                    namespace, one.key, one.fence, state=one.state, attempt=attempt
                ):
                    lost.add(one.key)
        return frozenset(lost)

    def get_many(self, namespace: str, keys: Sequence[bytes], /) -> Mapping[bytes, Entry]:
        """Return what is known about keys; see :class:`~prodml.batch.Ledger`."""
        with self._lock:
            known = {key: self._work.get((namespace, key)) for key in keys}
        return {
            key: Entry(one.state, one.payload_hash, one.attempt, one.result, one.owner)
            for key, one in known.items()
            if one is not None
        }

    def known_records(
        self, namespace: str, keys: RecordKeys, /
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which records are known; see :class:`~prodml.batch.RecordLedger`."""
        with self._lock:
            then = [self._records.get(name) for name, _ in _named(namespace, keys)]
        payloads = keys.payloads.tolist()
        known = np.array([one is not None for one in then], dtype=bool)
        same = [one == now for one, now in zip(then, payloads, strict=True)]
        return known, known & ~np.array(same, dtype=bool)

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
        """Remember records with their output; see :class:`~prodml.batch.RecordLedger`."""
        named = dict(_named(namespace, keys))
        with self._lock:
            if not self._records.keys().isdisjoint(named):
                return False
            before = dict(self._work)
            self._work[namespace, result.key] = _Work(
                payload_hash=b"",
                state="done",
                fence=result.fence,
                until=now,
                result=result.result,
                expires_at=result.expires_at,
            )
            self._write(write, frozenset(), before, wanted=True)
            self._records.update(named)
        return True

    def _change(self, namespace: str, key: bytes, fence: int, **new: Any) -> bool:
        """Change claimed work, if the claim is still held."""
        known = self._work.get((namespace, key))
        if known is None or known.fence != fence or known.state != "running":
            return False
        self._work[namespace, key] = replace(known, **new)
        return True

    def _write(
        self,
        write: WriteOutput | None,
        lost: frozenset[bytes],
        before: dict[tuple[str, bytes], _Work],
        wanted: bool,  # noqa: FBT001 - private
    ) -> None:
        if write is None or not wanted:
            return
        try:
            write(cast("Any", None), lost)
        except BaseException:
            self._work = before
            raise


def _named(namespace: str, keys: RecordKeys) -> list[tuple[tuple[str, int, int], int]]:
    return [
        ((namespace, high, low), payload)
        for high, low, payload in zip(*(part.tolist() for part in keys), strict=True)
    ]
