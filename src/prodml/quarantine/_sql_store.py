"""A quarantine store over a database: the same statements for SQLite and PostgreSQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, get_args

from prodml._core.sql import in_pieces, placeholders
from prodml._core.stored_values import from_microseconds, storable, to_microseconds
from prodml.errors import EntryNotFoundError, EntryStateError
from prodml.quarantine._entry_ids import entry_id, parse_entry_id
from prodml.quarantine._intake import intern_reasons, take_in
from prodml.quarantine.store import DECIDED, ReasonCount, State, StateCount, StoredEntry
from prodml.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from prodml._core.sql import Database, Session
    from prodml.quarantine.store import Delivery, EntryFilter, PutOutcome, Settlement

__all__ = ["SqlQuarantineStore"]

_PAGE: Final = 5000
_SELECT_ENTRIES: Final = (
    "SELECT e.seq, e.digest, e.ordinal, e.state, b.source, b.contract, b.fingerprint, b.name, "
    "e.row_number, e.record_key, e.reasons_id, e.attempts, e.first_seen, e.last_seen, "
    "e.layout_id, e.payload, e.redacted, e.decided_at, e.decided_by, e.note, e.run "
    "FROM entry e JOIN batch b ON b.id = e.batch_id WHERE "
)


class SqlQuarantineStore:
    """A :class:`~prodml.quarantine.QuarantineStore` over a database whose tables are in place.

    Safe between threads and processes, and after a fork.

    Parameters
    ----------
    database : Database
        SQLite or PostgreSQL, behind a small protocol.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, delivery: Delivery, /) -> PutOutcome:
        """Store rejected rows; see :class:`~prodml.quarantine.QuarantineStore`."""
        with self._database.transaction(write=True) as session:
            return take_in(session, delivery)

    def entries(self, which: EntryFilter, /) -> Iterator[StoredEntry]:
        """Yield entries, the oldest first."""
        if which.ids is None:
            yield from self._pages(which, None, which.limit)
            return
        with self._database.transaction(write=False) as session:
            found = _find_entries(session, which.ids)
        left = which.limit
        for piece in in_pieces(sorted(seq for seq, _ in found.values())):
            for entry in self._pages(which, piece, left):
                yield entry
                left = None if left is None else left - 1

    def _pages(
        self, which: EntryFilter, seqs: Sequence[int] | None, limit: int | None
    ) -> Iterator[StoredEntry]:
        last = 0
        layouts: dict[int, str] = {}
        reasons: dict[int, tuple[Reason, ...]] = {}
        while limit is None or limit > 0:
            size = _PAGE if limit is None else min(limit, _PAGE)
            conditions, parameters = _conditions(which, seqs)
            statement = f"{_SELECT_ENTRIES} e.seq > ? {conditions} ORDER BY e.seq LIMIT ?"
            with self._database.transaction(write=False) as session:
                rows = session.execute(statement, (last, *parameters, size))
                _look_up(session, "layout", {row[14] for row in rows}, layouts)
                _look_up_reasons(session, {row[10] for row in rows}, reasons)
            for row in rows:
                yield _entry(row, layouts, reasons)
            if len(rows) < size:
                return
            last = rows[-1][0]
            limit = None if limit is None else limit - len(rows)

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
        with self._database.transaction(write=True) as session:
            found = _find_entries(session, ids)
            if absent := [one for one in ids if one not in found]:
                message = (
                    f"No entries {_some(absent)} in the quarantine; they may have been purged."
                )
                raise EntryNotFoundError(message, ids=absent)
            decided = [one for one in ids if found[one][1] != "pending"]
            if decided:
                now = found[decided[0]][1]
                message = (
                    f"Entries {_some(decided)} are no longer pending (the first one is {now}), "
                    f"so nothing was changed. Give pending entries only."
                )
                raise EntryStateError(message, ids=decided, state=now)
            session.execute_many(
                "UPDATE entry SET state = ?, decided_at = ?, decided_by = ?, note = ? "
                "WHERE seq = ?",
                [
                    (state, to_microseconds(at), _storable(by), _storable(note), seq)
                    for seq, _ in found.values()
                ],
            )

    def settle(self, settlement: Settlement, /) -> frozenset[str]:
        """Store the outcome of a replay, for entries that are still pending."""
        at, run = to_microseconds(settlement.at), storable(settlement.run)
        with self._database.transaction(write=True) as session:
            ids = [*settlement.accepted, *settlement.rejected]
            pending = {
                one: seq
                for one, (seq, state) in _find_entries(session, ids).items()
                if state == "pending"
            }
            won = [one for one in settlement.accepted if one in pending]
            session.execute_many(
                "UPDATE entry SET state = 'replayed', decided_at = ?, decided_by = ?, run = ? "
                "WHERE seq = ?",
                [(at, _storable(settlement.by), run, pending[one]) for one in won],
            )
            lost = [one for one in settlement.rejected if one in pending]
            sets = {settlement.rejected[one]: 0 for one in lost}
            numbers = dict(zip(sets, intern_reasons(session, list(sets)), strict=True))
            session.execute_many(
                "UPDATE entry SET attempts = attempts + 1, last_seen = ?, reasons_id = ? "
                "WHERE seq = ?",
                [(at, numbers[settlement.rejected[one]], pending[one]) for one in lost],
            )
        return frozenset(won)

    def counts(self) -> tuple[tuple[StateCount, ...], tuple[ReasonCount, ...]]:
        """Return how many entries there are, and for which reasons the pending ones wait."""
        with self._database.transaction(write=False) as session:
            states = session.execute(
                "SELECT b.source, b.contract, e.state, COUNT(*), MIN(e.first_seen) "
                "FROM entry e JOIN batch b ON b.id = e.batch_id "
                "GROUP BY b.source, b.contract, e.state ORDER BY b.source, b.contract, e.state"
            )
            groups = session.execute(
                "SELECT b.source, b.contract, e.reasons_id, COUNT(*) "
                "FROM entry e JOIN batch b ON b.id = e.batch_id WHERE e.state = 'pending' "
                "GROUP BY b.source, b.contract, e.reasons_id"
            )
            reasons: dict[int, tuple[Reason, ...]] = {}
            _look_up_reasons(session, {group[2] for group in groups}, reasons)
        counted: dict[tuple[str, str, Reason], int] = {}
        for source, contract, number, n in groups:
            for reason in dict.fromkeys(reasons[number]):
                key = (source, contract, reason)
                counted[key] = counted.get(key, 0) + n
        ordered = sorted(
            counted.items(),
            key=lambda item: (
                -item[1], item[0][:2], item[0][2].column, item[0][2].rule, item[0][2].message
            ),
        )  # fmt: skip
        return (
            tuple(
                StateCount(
                    source=source, contract=contract, state=state, n=n,
                    oldest=from_microseconds(oldest),
                )
                for source, contract, state, n, oldest in states
            ),
            tuple(
                ReasonCount(
                    source=source, contract=contract, column=reason.column, rule=reason.rule,
                    message=reason.message, n=n,
                )
                for (source, contract, reason), n in ordered
            ),
        )  # fmt: skip

    def purge(self, *, decided_before: datetime, states: Sequence[State]) -> int:
        """Delete entries that were decided before a moment; return how many."""
        chosen = [state for state in get_args(State) if state in states and state in DECIDED]
        if not chosen:
            return 0
        condition = (
            f"SELECT seq FROM entry WHERE state IN ({placeholders(len(chosen))}) "  # noqa: S608 - own words
            "AND decided_at < ?"
        )
        parameters = (*chosen, to_microseconds(decided_before))
        with self._database.transaction(write=True) as session:
            batches = session.execute(
                f"SELECT DISTINCT batch_id FROM occurrence WHERE seq IN ({condition})",  # noqa: S608 - own words
                parameters,
            )
            session.change(f"DELETE FROM occurrence WHERE seq IN ({condition})", parameters)  # noqa: S608 - own words
            n = session.change(f"DELETE FROM entry WHERE seq IN ({condition})", parameters)  # noqa: S608 - own words
            if n:
                _sweep(session, [number for (number,) in batches])
        return n

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        self._database.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database!r})"


def _sweep(session: Session, batches: Sequence[int]) -> None:
    """Delete what only purged entries referred to."""
    # An ordinal is kept while another entry of the same content is: ids are not given twice.
    session.change(
        "DELETE FROM identity WHERE digest NOT IN (SELECT i.digest FROM identity i "
        "JOIN entry e ON e.seq = i.seq)"
    )
    for number in batches:
        ((left,),) = session.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM occurrence WHERE batch_id = ? "
            "UNION ALL SELECT 1 FROM entry WHERE batch_id = ?) used",
            (number, number),
        )
        if not left:
            session.change("DELETE FROM stretch WHERE batch_id = ?", (number,))
            session.change("DELETE FROM batch WHERE id = ?", (number,))
    session.change("DELETE FROM reason WHERE reasons_id NOT IN (SELECT reasons_id FROM entry)")
    session.change("DELETE FROM reasons WHERE id NOT IN (SELECT reasons_id FROM entry)")
    session.change("DELETE FROM layout WHERE id NOT IN (SELECT layout_id FROM entry)")


def _find_entries(session: Session, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return number and state of each entry, by id."""
    parsed = {one: parse_entry_id(one) for one in ids}
    digests = sorted({identity[0] for identity in parsed.values() if identity is not None})
    found: dict[tuple[bytes, int], tuple[int, str]] = {}
    for piece in in_pieces(digests):
        rows = session.execute(
            "SELECT i.digest, i.ordinal, e.seq, e.state FROM identity i "  # noqa: S608 - own words
            f"JOIN entry e ON e.seq = i.seq WHERE i.digest IN ({placeholders(len(piece))})",
            piece,
        )
        found |= {(bytes(digest), ordinal): (seq, state) for digest, ordinal, seq, state in rows}
    return {
        one: found[identity]
        for one, identity in parsed.items()
        if identity is not None and identity in found
    }


def _conditions(which: EntryFilter, seqs: Sequence[int] | None) -> tuple[str, list[Any]]:
    """Return the conditions of a filter, each with its AND, and their parameters."""
    conditions: list[str] = []
    parameters: list[Any] = []
    if seqs is not None:
        conditions.append(f"e.seq IN ({placeholders(len(seqs))})")
        parameters += seqs
    if which.states is not None:
        # said in words for the one that has an index of its own
        if which.states == ("pending",):
            conditions.append("e.state = 'pending'")
        else:
            conditions.append(f"e.state IN ({placeholders(len(which.states))})")
            parameters += which.states
    for column, wanted in (
        ("b.source", which.source),
        ("b.contract", which.contract),
        ("b.name", which.batch),
        ("e.run", which.run),
    ):
        if wanted is not None:
            conditions.append(f"{column} = ?")
            parameters.append(storable(wanted))
    if which.max_attempts is not None:
        conditions.append("e.attempts <= ?")
        parameters.append(which.max_attempts)
    if which.rule is not None or which.column is not None:
        inner = "SELECT r.reasons_id FROM reason r WHERE 1 = 1"
        for column, wanted in (("r.rule", which.rule), ("r.column_name", which.column)):
            if wanted is not None:
                inner += f" AND {column} = ?"
                parameters.append(storable(wanted))
        conditions.append(f"e.reasons_id IN ({inner})")
    return "".join(f" AND {condition}" for condition in conditions), parameters


def _look_up(session: Session, table: str, numbers: set[int], known: dict[int, str]) -> None:
    for piece in in_pieces(sorted(numbers - known.keys())):
        statement = f"SELECT id, content FROM {table} WHERE id IN ({placeholders(len(piece))})"  # noqa: S608 - own words
        known.update(session.execute(statement, piece))


def _look_up_reasons(
    session: Session, numbers: set[int], known: dict[int, tuple[Reason, ...]]
) -> None:
    contents: dict[int, str] = {}
    _look_up(session, "reasons", numbers - known.keys(), contents)
    for number, content in contents.items():
        known[number] = tuple(
            Reason(column=column, rule=rule, message=message)
            for column, rule, message in json.loads(content)
        )


def _entry(
    row: Sequence[Any], layouts: dict[int, str], reasons: dict[int, tuple[Reason, ...]]
) -> StoredEntry:
    (
        _, digest, ordinal, state, source, contract, fingerprint, batch, position, key, number,
        attempts, first_seen, last_seen, layout, payload, redacted, decided_at, by, note, run,
    ) = row  # fmt: skip
    return StoredEntry(
        id=entry_id(bytes(digest), ordinal),
        state=state,
        source=source,
        contract=contract,
        fingerprint=fingerprint,
        batch=batch,
        row=position,
        key=key,
        reasons=reasons[number],
        attempts=attempts,
        first_seen=from_microseconds(first_seen),
        last_seen=from_microseconds(last_seen),
        layout=layouts[layout],
        payload=payload,
        redacted=bool(redacted),
        decided_at=None if decided_at is None else from_microseconds(decided_at),
        decided_by=by,
        note=note,
        run=run,
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _some(ids: Sequence[str]) -> str:
    """Name the first few ids."""
    shown = ", ".join(repr(one) for one in ids[:3])
    return shown if len(ids) <= 3 else f"{shown} and {len(ids) - 3} more"  # noqa: PLR2004
