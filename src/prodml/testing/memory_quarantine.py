"""A quarantine store in plain Python: nothing outlives it, and everything in it can be read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prodml.errors import EntryNotFoundError, EntryStateError, QuarantineFullError
from prodml.quarantine.store import (
    DECIDED,
    Delivery,
    EntryFilter,
    PutOutcome,
    ReasonCount,
    Settlement,
    State,
    StateCount,
    StoredEntry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

__all__ = ["MemoryQuarantine"]


@dataclass(slots=True)
class _Batch:
    """What one delivery has brought so far."""

    fingerprint: str = ""
    stretches: dict[int, int] = field(default_factory=dict)
    #: position of a rejected row -> its entry
    occurrences: dict[int, str] = field(default_factory=dict)


class MemoryQuarantine:
    """A :class:`~prodml.quarantine.QuarantineStore` for tests, written to be plain, not fast.

    Thread-safe; of use to one process only.

    Examples
    --------
    >>> from prodml.quarantine import QuarantineQueue
    >>> QuarantineQueue(MemoryQuarantine()).depth()
    0
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._entries: dict[str, StoredEntry] = {}  # in the order of their arrival
        self._batches: dict[tuple[str, str, str], _Batch] = {}
        #: content -> the next ordinal, as long as an entry of it is there
        self._ordinals: dict[str, int] = {}

    def put(self, delivery: Delivery, /) -> PutOutcome:
        """Store rejected rows; see :class:`~prodml.quarantine.QuarantineStore`."""
        with self._lock:
            before = dict(self._entries), self._copied_batches(), dict(self._ordinals)
            try:
                return self._put(delivery)
            except QuarantineFullError:
                self._entries, self._batches, self._ordinals = before
                raise

    def _copied_batches(self) -> dict[tuple[str, str, str], _Batch]:
        return {
            name: _Batch(one.fingerprint, dict(one.stretches), dict(one.occurrences))
            for name, one in self._batches.items()
        }

    def _put(self, delivery: Delivery) -> PutOutcome:
        name = (delivery.source, delivery.contract, delivery.batch)
        batch = self._batches.setdefault(name, _Batch())
        batch.fingerprint = delivery.fingerprint
        end = delivery.first_row + delivery.n_rows
        for first, length in list(batch.stretches.items()):
            if first < end and first + length > delivery.first_row:
                del batch.stretches[first]
        if delivery.n_rows:
            batch.stretches[delivery.first_row] = delivery.n_rows
        counts = dict.fromkeys(("new", "known", "repeated", "reopened", "withdrawn"), 0)
        left = dict(zip(delivery.rows, range(len(delivery.rows)), strict=True))
        for row in sorted(batch.occurrences):
            if delivery.first_row <= row < end:
                self._meet_same_position(delivery, batch, row, left, counts)
        for row, at in left.items():
            self._arrive(delivery, batch, row, at, counts)
        depth = sum(entry.state == "pending" for entry in self._entries.values())
        if delivery.max_pending is not None and depth > delivery.max_pending:
            message = f"{depth} entries would wait, and at most {delivery.max_pending} may."
            raise QuarantineFullError(
                message, depth=depth, max_rows=delivery.max_pending, n_rows=len(delivery.rows)
            )
        return PutOutcome(
            n_new=counts["new"],
            n_known=counts["known"],
            n_repeated=counts["repeated"],
            n_reopened=counts["reopened"],
            n_withdrawn=counts["withdrawn"],
            depth=depth,
            batch_rows=sum(batch.stretches.values()),
            batch_rejected=len(batch.occurrences),
        )

    def _meet_same_position(
        self,
        delivery: Delivery,
        batch: _Batch,
        row: int,
        left: dict[int, int],
        counts: dict[str, int],
    ) -> None:
        """Compare what the batch brought at this position before with what it brings now."""
        entry = self._entries[batch.occurrences[row]]
        at = left.get(row)
        if at is not None and delivery.payloads[at] == entry.payload:
            self._entries[entry.id] = replace(
                entry,
                attempts=entry.attempts + 1,
                last_seen=delivery.at,
                reasons=delivery.reason_sets[delivery.reasons[at]],
            )
            del left[row]
            counts["repeated"] += 1
            return
        del batch.occurrences[row]
        latest = (entry.source, entry.contract, entry.batch, entry.row)
        here = (delivery.source, delivery.contract, delivery.batch, row)
        if entry.state != "pending" or latest != here:
            return
        note = (
            "was accepted when its batch was put again"
            if at is None
            else "its batch was put again with another row in its place"
        )
        state: State = "replayed" if at is None else "discarded"
        self._entries[entry.id] = replace(entry, state=state, note=note, decided_at=delivery.at)
        counts["withdrawn"] += 1

    def _arrive(
        self, delivery: Delivery, batch: _Batch, row: int, at: int, counts: dict[str, int]
    ) -> None:
        digest = delivery.digests[at].hex()
        same = sorted(
            (entry_id for entry_id in self._entries if entry_id.partition("-")[0] == digest),
            key=_ordinal,
        )
        behind = set(batch.occurrences.values())
        free = [entry_id for entry_id in same if entry_id not in behind]
        reasons = delivery.reason_sets[delivery.reasons[at]]
        if free:
            entry = self._entries[free[0]]
            reopened = entry.state in {"replayed", "released"}
            if reopened:
                entry = replace(
                    entry, state="pending", decided_at=None, decided_by=None, note=None, run=None
                )
            self._entries[entry.id] = replace(
                entry,
                attempts=entry.attempts + 1,
                last_seen=delivery.at,
                batch=delivery.batch,
                row=row,
                reasons=reasons,
            )
            counts["known"] += 1
            counts["reopened"] += reopened
            batch.occurrences[row] = entry.id
            return
        ordinal = self._ordinals.get(digest, 0)
        self._ordinals[digest] = ordinal + 1
        new_id = f"{digest}-{ordinal}" if ordinal else digest
        self._entries[new_id] = StoredEntry(
            id=new_id,
            state="pending",
            source=delivery.source,
            contract=delivery.contract,
            fingerprint=delivery.fingerprint,
            batch=delivery.batch,
            row=row,
            key=None if delivery.keys is None else delivery.keys[at],
            reasons=reasons,
            attempts=1,
            first_seen=delivery.at,
            last_seen=delivery.at,
            layout=delivery.layout,
            payload=delivery.payloads[at],
            redacted=delivery.redacted,
            decided_at=None,
            decided_by=None,
            note=None,
            run=None,
        )
        batch.occurrences[row] = new_id
        counts["new"] += 1

    def entries(self, which: EntryFilter, /) -> Iterator[StoredEntry]:
        """Yield entries, the oldest first."""
        with self._lock:
            current = [
                replace(
                    one, fingerprint=self._batches[one.source, one.contract, one.batch].fingerprint
                )
                for one in self._entries.values()
                if _is_meant(one, which)
            ]
        yield from current[: which.limit]

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
        """Take pending entries out of the queue: all of them or none."""
        with self._lock:
            if absent := [one for one in ids if one not in self._entries]:
                message = f"No entries {absent}."
                raise EntryNotFoundError(message, ids=absent)
            if decided := [one for one in ids if self._entries[one].state != "pending"]:
                message = f"Entries {decided} are no longer pending."
                raise EntryStateError(message, ids=decided, state=self._entries[decided[0]].state)
            for one in ids:
                self._entries[one] = replace(
                    self._entries[one], state=state, decided_at=at, decided_by=by, note=note
                )

    def settle(self, settlement: Settlement, /) -> frozenset[str]:
        """Store the outcome of a replay, for entries that are still pending."""
        with self._lock:
            pending = {one.id for one in self._entries.values() if one.state == "pending"}
            won = [one for one in settlement.accepted if one in pending]
            for one in won:
                self._entries[one] = replace(
                    self._entries[one],
                    state="replayed",
                    decided_at=settlement.at,
                    decided_by=settlement.by,
                    run=settlement.run,
                )
            for one, reasons in settlement.rejected.items():
                if one in pending:
                    entry = self._entries[one]
                    self._entries[one] = replace(
                        entry,
                        attempts=entry.attempts + 1,
                        last_seen=settlement.at,
                        reasons=reasons,
                    )
        return frozenset(won)

    def counts(self) -> tuple[tuple[StateCount, ...], tuple[ReasonCount, ...]]:
        """Return how many entries there are, and for which reasons the pending ones wait."""
        states: dict[tuple[str, str, State], list[datetime]] = {}
        reasons: dict[tuple[str, str, str, str, str], int] = {}
        with self._lock:
            for one in self._entries.values():
                key = (one.source, one.contract, one.state)
                states.setdefault(key, []).append(one.first_seen)
                for why in dict.fromkeys(one.reasons) if one.state == "pending" else ():
                    reason = (one.source, one.contract, why.column, why.rule, why.message)
                    reasons[reason] = reasons.get(reason, 0) + 1
        return (
            tuple(
                StateCount(
                    source=source, contract=contract, state=state, n=len(seen), oldest=min(seen)
                )
                for (source, contract, state), seen in sorted(states.items())
            ),
            tuple(
                ReasonCount(
                    source=source, contract=contract, column=column, rule=rule, message=message, n=n
                )
                for (source, contract, column, rule, message), n in sorted(
                    reasons.items(), key=lambda item: (-item[1], item[0])
                )
            ),
        )

    def purge(self, *, decided_before: datetime, states: Sequence[State]) -> int:
        """Delete entries that were decided before a moment; return how many."""
        with self._lock:
            gone = {
                one.id
                for one in self._entries.values()
                if one.state in states
                and one.state in DECIDED
                and one.decided_at is not None
                and one.decided_at < decided_before
            }
            for one in gone:
                del self._entries[one]
            left = {one.partition("-")[0] for one in self._entries}
            self._ordinals = {one: n for one, n in self._ordinals.items() if one in left}
            for name, batch in list(self._batches.items()):
                touched = gone & set(batch.occurrences.values())
                batch.occurrences = {
                    row: one for row, one in batch.occurrences.items() if one not in gone
                }
                in_use = any(
                    (one.source, one.contract, one.batch) == name for one in self._entries.values()
                )
                if touched and not batch.occurrences and not in_use:
                    del self._batches[name]
        return len(gone)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _ordinal(entry_id: str) -> int:
    return int(entry_id.partition("-")[2] or 0)


def _is_meant(entry: StoredEntry, which: EntryFilter) -> bool:
    wanted = (
        (which.source, entry.source),
        (which.contract, entry.contract),
        (which.batch, entry.batch),
        (which.run, entry.run),
    )
    by_reason = any(
        which.rule in {None, one.rule} and which.column in {None, one.column}
        for one in entry.reasons
    )
    return (
        (which.ids is None or entry.id in which.ids)
        and (which.states is None or entry.state in which.states)
        and all(given is None or given == has for given, has in wanted)
        and (by_reason or (which.rule is None and which.column is None))
        and (which.max_attempts is None or entry.attempts <= which.max_attempts)
    )
