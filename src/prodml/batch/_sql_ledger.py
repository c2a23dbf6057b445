"""A ledger over a database: the same statements for SQLite and PostgreSQL."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from prodml._core.sql import MOST_PARAMETERS, DuplicateRowError, in_pieces, placeholders
from prodml._core.stored_values import storable, storable_name, to_microseconds
from prodml.batch._ledger_view import LedgerView, lock_rows
from prodml.batch._records import insert_records, known_records
from prodml.batch._statements import COMMIT, FAIL, RENEW, claim_statement
from prodml.batch.ledger import Claim, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from prodml._core.sql import Session
    from prodml.batch._statements import Change
    from prodml.batch.key import RecordKeys, WorkKey
    from prodml.batch.ledger import WorkFailure, WorkResult, WriteOutput

__all__ = ["SqlLedger"]

_ROWS_AT_ONCE: Final = 400
_LONGEST_ERROR: Final = 2000
_DAY: Final = 86_400_000_000


class SqlLedger(LedgerView):
    """A :class:`~prodml.batch.Ledger` over a database whose tables are in place.

    Safe between threads and processes, and after a fork.

    Parameters
    ----------
    database : Database
        SQLite or PostgreSQL, behind a small protocol.
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
        """Claim what is free; see :class:`~prodml.batch.Ledger`."""
        at = to_microseconds(now)
        head = (storable_name(namespace), storable_name(owner), to_microseconds(until), at)
        tail = (max_attempts, max_attempts, at, at, *map(storable_name, gone))
        claims: list[Claim] = []
        with self._database.transaction(write=True) as session:
            # in one order, so that two workers never wait for each other
            for piece in in_pieces(sorted(work), _ROWS_AT_ONCE):
                given = (*head, *chain.from_iterable(piece), *tail)
                rows = session.execute(claim_statement(len(piece), len(gone)), given)
                claims += [Claim(*row) for row in rows]
        return claims

    def heartbeat(
        self, namespace: str, claims: Sequence[Claim], /, *, until: datetime
    ) -> frozenset[bytes]:
        """Renew leases; see :class:`~prodml.batch.Ledger`."""
        held = [claim[:2] for claim in claims]
        with self._database.transaction(write=True) as session:
            return _change(session, RENEW, namespace, held, to_microseconds(until))

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
        with self._database.transaction(write=True) as session:
            # The marks come first: a stale owner must be turned away before it touches the output.
            lost = _change(session, COMMIT, namespace, results, to_microseconds(now))
            if write is not None and len(lost) < len(results):
                write(session, lost)
        return lost

    def fail(
        self, namespace: str, failures: Sequence[WorkFailure], /, *, now: datetime
    ) -> frozenset[bytes]:
        """Write down what was not finished; see :class:`~prodml.batch.Ledger`."""
        rows = [
            (*one[:4], storable(one.error[:_LONGEST_ERROR]), int(one.state == "pending"))
            for one in failures
        ]
        with self._database.transaction(write=True) as session:
            return _change(session, FAIL, namespace, rows, to_microseconds(now))

    def get_many(self, namespace: str, keys: Sequence[bytes], /) -> Mapping[bytes, Entry]:
        """Return what is known about keys; see :class:`~prodml.batch.Ledger`."""
        found: dict[bytes, Entry] = {}
        name, made = storable_name(namespace), Entry._make
        with self._database.transaction(write=False) as session:
            for piece in in_pieces(keys, MOST_PARAMETERS - 1):
                statement = (
                    "SELECT key, state, payload_hash, attempt, result, owner FROM work "  # noqa: S608
                    f"WHERE namespace = ? AND key IN ({placeholders(len(piece))})"
                )
                rows = session.execute(statement, (name, *piece))
                found.update((row[0], made(row[1:])) for row in rows)
        return found

    def known_records(
        self, namespace: str, keys: RecordKeys, /
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which records are known; see :class:`~prodml.batch.RecordLedger`."""
        with self._database.transaction(write=False) as session:
            return known_records(session, storable_name(namespace), keys)

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
        name, at = storable_name(namespace), to_microseconds(now)
        row = (name, b"", "done", 1, "", 0, at, *result)
        try:
            with self._database.transaction(write=True) as session:
                _insert_or_give_way(session, name, keys, day=at // _DAY)
                session.insert_many("work", _RESULT_COLUMNS, [row])
                if write is not None:
                    write(session, frozenset())
        except _TakenError:
            return False
        return True


_RESULT_COLUMNS: Final = (
    *("namespace", "payload_hash", "state", "attempt", "owner", "lease_until", "updated_at"),
    *("key", "fence", "number", "n_records", "n_done", "n_quarantined", "n_output"),
    *("tallies", "result", "expires_at"),
)


class _TakenError(Exception):
    """Somebody else has committed one of the records; takes the transaction back."""


def _insert_or_give_way(session: Session, namespace: str, keys: RecordKeys, *, day: int) -> None:
    try:
        insert_records(session, namespace, keys, day=day)
    except DuplicateRowError as error:
        raise _TakenError from error


def _change(
    session: Session, change: Change, namespace: str, rows: Sequence[Any], first: int
) -> frozenset[bytes]:
    """Change claimed work, and return the keys of claims that are no longer held."""
    name = storable_name(namespace)
    if session.dialect == "sqlite":
        one_row = change.one_row()
        return frozenset(
            key
            for key, fence, *fields in rows
            if not session.change(one_row, (first, *fields, name, key, fence))
        )
    lock_rows(session, name, [row[0] for row in rows])
    changed: set[bytes] = set()
    for piece in in_pieces(rows, _ROWS_AT_ONCE):
        given = (first, *chain.from_iterable(piece), name)
        changed.update(
            bytes(key) for (key,) in session.execute(change.many_rows(len(piece)), given)
        )
    return frozenset(row[0] for row in rows) - changed
