"""What people ask a ledger, and what they tell it: states, totals, releases, retention."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, get_args

from prodml._core.log import get_logger
from prodml._core.sql import in_pieces, placeholders
from prodml._core.stored_values import from_microseconds, storable, to_microseconds
from prodml.batch.key import key_from_text, key_text
from prodml.batch.ledger import State
from prodml.batch.totals import Totals
from prodml.batch.work import LedgerStatus, WorkRecord, WorkRecords
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import BatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prodml._core.sql import Database, Session
    from prodml.protocols import Clock

__all__ = ["LedgerView", "lock_rows"]

_DAY: Final = 86_400_000_000
_RELEASABLE: Final = ("failed", "quarantined")
_WORK_COLUMNS: Final = (
    "key, state, attempt, owner, lease_until, updated_at, number, n_records, n_done, "
    "n_quarantined, n_output, error"
)


class LedgerView:
    """The side of a ledger that is turned to people.

    Parameters
    ----------
    database : Database
        SQLite or PostgreSQL, behind a small protocol.
    clock : Clock, optional
        Tells how old work is when it is purged.
    """

    def __init__(self, database: Database, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = database
        self._clock = clock

    def namespaces(self) -> tuple[str, ...]:
        """Return the namespaces in which anything is known, in alphabetical order."""
        with self._database.transaction(write=False) as session:
            rows = session.execute("SELECT namespace FROM work UNION SELECT namespace FROM purged")
        return tuple(sorted(name for (name,) in rows))

    def status(self, namespace: str, /) -> LedgerStatus:
        """Return how much work is in which state.

        Parameters
        ----------
        namespace : str
            Whose work.
        """
        now = self._clock.now()
        with self._database.transaction(write=False) as session:
            rows = session.execute(
                "SELECT state, COUNT(*), SUM(n_records), MIN(updated_at), "
                "SUM(CASE WHEN lease_until < ? THEN 1 ELSE 0 END) "
                "FROM work WHERE namespace = ? GROUP BY state",
                (to_microseconds(now), storable(namespace)),
            )
        found = {state: rest for state, *rest in rows}
        states = get_args(State)
        none = (0, 0, None, 0)
        oldest = [from_microseconds(row[2]) for state, row in found.items() if state == "running"]
        return LedgerStatus(
            namespace=namespace,
            n_work={state: int(found.get(state, none)[0]) for state in states},
            n_records={state: int(found.get(state, none)[1]) for state in states},
            n_expired=int(found.get("running", none)[3]),
            oldest_claim=min(oldest, default=None),
            at=now,
        )

    def work(self, namespace: str, /, *, state: State | None = None) -> WorkRecords:
        """Return what is known of each piece of work, in the order of its runs.

        Parameters
        ----------
        namespace : str
            Whose work.
        state : {"pending", "running", "done", "failed", "quarantined"}, optional
            Only work in this state.
        """
        condition, given = ("", ()) if state is None else (" AND state = ?", (state,))
        with self._database.transaction(write=False) as session:
            rows = session.execute(
                f"SELECT {_WORK_COLUMNS} FROM work "  # noqa: S608 - our own words
                f"WHERE namespace = ?{condition} ORDER BY number, key",
                (storable(namespace), *given),
            )
        return WorkRecords(_work_record(namespace, row) for row in rows)

    def quarantined(self, namespace: str, /) -> WorkRecords:
        """Return the work that failed too often and waits for a release.

        Parameters
        ----------
        namespace : str
            Whose work.
        """
        return self.work(namespace, state="quarantined")

    def done_keys(self, namespace: str, /) -> tuple[bytes, ...]:
        """Return the keys of what is done, in the order of the batches in their run.

        It is these, not the files of a folder, that say which output counts.

        Parameters
        ----------
        namespace : str
            Whose work.
        """
        with self._database.transaction(write=False) as session:
            rows = session.execute(
                "SELECT key FROM work WHERE namespace = ? AND state = 'done' ORDER BY number, key",
                (storable(namespace),),
            )
        return tuple(key for (key,) in rows)

    def totals(self, namespace: str, /) -> Totals:
        """Return the sums over all that is done, what was purged included; nothing counts twice.

        Parameters
        ----------
        namespace : str
            Whose work.

        Raises
        ------
        OverflowError
            If a sum of tallies is beyond the range of a float.
        """
        with self._database.transaction(write=False) as session:
            return _purged_totals(session, namespace) + _done_totals(session, namespace, "", ())

    def release(self, namespace: str, keys: str | bytes | Iterable[str | bytes], /) -> int:
        """Let work that failed be tried again, with all its attempts; the next run takes it.

        Parameters
        ----------
        namespace : str
            Whose work.
        keys : str, bytes or iterable of these
            The keys, as they are or as text: all of them or none.

        Returns
        -------
        int
            How many were released.

        Raises
        ------
        BatchError
            If a key is unknown, or is neither failed nor quarantined. Nothing is changed then.
        """
        given = (keys,) if isinstance(keys, str | bytes) else keys
        wanted = {key_from_text(one) if isinstance(one, str) else one for one in given}
        name, at = storable(namespace), to_microseconds(self._clock.now())
        with self._database.transaction(write=True) as session:
            lock_rows(session, name, list(wanted))
            _check_releasable(session, namespace, wanted)
            for piece in in_pieces(sorted(wanted)):
                session.change(
                    "UPDATE work SET state = 'pending', attempt = 0, updated_at = ? "  # noqa: S608
                    f"WHERE namespace = ? AND key IN ({placeholders(len(piece))})",
                    (at, name, *piece),
                )
        get_logger(__name__).info("work_released", namespace=namespace, n_work=len(wanted))
        return len(wanted)

    def purge(self, *, older_than: datetime | timedelta, namespace: str | None = None) -> int:
        """Forget work that was done long ago, and records that were; their totals are kept.

        What is forgotten is done again if it comes again: keep it for longer than a retry may be
        late. Work in any other state is never forgotten. Workers wait until it is over.

        Parameters
        ----------
        older_than : datetime or timedelta
            Done before this moment (aware), or longer ago than this. Records are remembered by
            day.
        namespace : str, optional
            Only this one.

        Returns
        -------
        int
            How many pieces of work were forgotten.

        Raises
        ------
        ValueError
            If a datetime has no time zone.
        """
        if isinstance(older_than, timedelta):
            older_than = self._clock.now() - older_than
        elif older_than.tzinfo is None:
            message = f"`older_than` must have a time zone, got {older_than!r}."
            raise ValueError(message)
        cutoff = to_microseconds(older_than)
        names = self.namespaces() if namespace is None else (namespace,)
        with self._database.transaction(write=True) as session:
            _keep_writers_out(session)
            n = sum(_purge_work(session, name, cutoff) for name in names)
            for name in names:
                session.change(
                    "DELETE FROM record WHERE seen_on < ? AND namespace_id IN "
                    "(SELECT id FROM record_namespace WHERE name = ?)",
                    (cutoff // _DAY, storable(name)),
                )
        get_logger(__name__).info("work_purged", n_work=n)
        return n

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.location!r})"


def lock_rows(session: Session, namespace: str, keys: list[bytes]) -> None:
    """Lock rows in the order of their keys, so that two workers never wait for each other."""
    if session.dialect == "postgres":
        session.execute(
            "SELECT 1 FROM work WHERE namespace = ? AND key = ANY(?) ORDER BY key FOR UPDATE",
            (namespace, keys),
        )


def _keep_writers_out(session: Session) -> None:
    """Let nothing change between a sum over rows and their end."""
    if session.dialect == "postgres":  # SQLite has one writer
        session.change("LOCK TABLE work IN SHARE ROW EXCLUSIVE MODE")


def _work_record(namespace: str, row: Sequence[Any]) -> WorkRecord:
    key, state, attempt, owner, lease_until, updated_at, *counts, error = row
    number, n_records, n_done, n_quarantined, n_output = counts
    return WorkRecord(
        namespace=namespace,
        key=key_text(key),
        state=state,
        attempt=attempt,
        owner=owner,
        lease_until=from_microseconds(lease_until) if state == "running" else None,
        updated_at=from_microseconds(updated_at),
        number=number,
        n_records=n_records,
        n_done=n_done,
        n_quarantined=n_quarantined,
        n_output=n_output,
        error=error,
    )


def _check_releasable(session: Session, namespace: str, wanted: set[bytes]) -> None:
    states: dict[bytes, str] = {}
    for piece in in_pieces(sorted(wanted)):
        rows = session.execute(
            "SELECT key, state FROM work "  # noqa: S608 - marks for parameters
            f"WHERE namespace = ? AND key IN ({placeholders(len(piece))})",
            (storable(namespace), *piece),
        )
        states.update(rows)
    faults = {
        key_text(key): states.get(key, "unknown")
        for key in sorted(wanted)
        if states.get(key) not in _RELEASABLE
    }
    if faults:
        shown = ", ".join(f"{key} is {state}" for key, state in list(faults.items())[:5])
        message = (
            f"Only failed or quarantined work can be released; in {namespace!r} {shown}. "
            f"Nothing was changed."
        )
        raise BatchError(message, namespace=namespace, keys=list(faults))


def _done_totals(session: Session, namespace: str, more: str, given: tuple[int, ...]) -> Totals:
    """Return the sums over the rows that are done and fulfil one more condition."""
    where = f"FROM work WHERE namespace = ? AND state = 'done'{more}"
    parameters = (storable(namespace), *given)
    (sums,) = session.execute(
        "SELECT COUNT(*), SUM(n_records), SUM(n_done), SUM(n_quarantined), SUM(n_output) " + where,
        parameters,
    )
    n_work, n_records, n_done, n_quarantined, n_output = (int(one or 0) for one in sums)
    tallies = session.execute(f"SELECT tallies {where} AND tallies <> ''", parameters)
    return Totals(
        namespace=namespace,
        n_work=n_work,
        n_records=n_records,
        n_done=n_done,
        n_quarantined=n_quarantined,
        n_output=n_output,
    ).with_tallies(json.loads(text) for (text,) in tallies)


def _purged_totals(session: Session, namespace: str) -> Totals:
    rows = session.execute("SELECT content FROM purged WHERE namespace = ?", (storable(namespace),))
    if not rows:
        return Totals(namespace=namespace)
    # the name may have been stored by its escaped form
    return replace(Totals.from_json(rows[0][0]), namespace=namespace)


def _purge_work(session: Session, namespace: str, cutoff: int) -> int:
    more = " AND updated_at < ?"
    forgotten = _done_totals(session, namespace, more, (cutoff,))
    if not forgotten.n_work:
        return 0
    name = storable(namespace)
    both = _purged_totals(session, namespace) + forgotten
    session.change("DELETE FROM purged WHERE namespace = ?", (name,))
    session.insert_many("purged", ("namespace", "content"), [(name, both.to_json())])
    statement = f"DELETE FROM work WHERE namespace = ? AND state = 'done'{more}"  # noqa: S608 - ours
    session.change(statement, (name, cutoff))
    return forgotten.n_work
