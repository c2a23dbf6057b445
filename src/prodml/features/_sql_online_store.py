"""An online store over a database: the same statements for SQLite and PostgreSQL."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from prodml._core.sql import MOST_PARAMETERS, in_pieces, placeholders
from prodml.features.online_intake import rows_to_store
from prodml.features.online_rows import answer, entities_of, entity_of, judge, moment_of
from prodml.features.online_store import OnlineRows, PutReport
from prodml.features.online_view import stored_definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from prodml._core.sql import Database, Session
    from prodml.features.online_rows import Known
    from prodml.features.online_view import OnlineView

__all__ = ["SqlOnlineStore"]

_FIND_VIEW: Final = "SELECT id, definition FROM online_view WHERE name = ?"
_ADD_VIEW: Final = (
    "INSERT INTO online_view (name, definition) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
)
_FIND_ROW: Final = "SELECT event, created, content FROM online_row WHERE view_id = ? AND entity = ?"
_PER_ROW: Final = 5
_ROWS_AT_ONCE: Final = MOST_PARAMETERS // _PER_ROW


class SqlOnlineStore:
    """An :class:`~prodml.features.online_store.OnlineStore` over a database.

    Safe between threads and processes, and after a fork.

    Parameters
    ----------
    database : Database
        SQLite or PostgreSQL, behind a small protocol.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        #: The numbers of views that were seen, by their definition. They may have been dropped.
        self._numbers: dict[str, int] = {}

    def get(
        self,
        view: OnlineView,
        keys: Iterable[Any],
        names: Sequence[str] | None = None,
        *,
        at: datetime,
    ) -> OnlineRows:
        """Return what is known of entities; see :class:`~prodml.features.online_store.OnlineStore`.

        Parameters
        ----------
        view : OnlineView
            What to look into.
        keys : iterable
            Values, or tuples for keys of several parts.
        names : sequence of str, optional
            Features of the view; all by default.
        at : datetime.datetime
            The moment at which the values are to be used; aware.
        """
        chosen = view.features if names is None else view.choose(names)
        if type(keys) is list and len(keys) == 1:  # the common question, in half the time
            (key,) = keys
            entity = entity_of(view, key)
            number = self._numbers.get(view.definition)
            if number is not None and (row := self._database.read(_FIND_ROW, (number, entity))):
                answered = judge(view, key, row[0], chosen, moment_of(at, "at"))
                return OnlineRows((answered,), view, chosen, at)
        listed, entities = entities_of(view, keys)
        found = self._find(view, entities)
        return answer(view, listed, [found.get(one) for one in entities], chosen, at)

    def _find(self, view: OnlineView, entities: Sequence[bytes | None]) -> dict[Any, Known]:
        """Return the rows that are stored, by entity."""
        wanted = list({entity for entity in entities if entity is not None})
        if not wanted:
            return {}
        known = self._numbers.get(view.definition)
        found = {} if known is None else self._rows_of(known, wanted)
        if len(found) == len(wanted):
            return found
        # What is missing may stand under another number: the view was dropped and made anew.
        number = self._number_of(view, self._database.read(_FIND_VIEW, (_word(view.name),)))
        if number is None:
            return {}
        return found if number == known else self._rows_of(number, wanted)

    def _number_of(self, view: OnlineView, rows: list[Any]) -> int | None:
        """Return the number of a view that was looked up, and refuse one stored otherwise."""
        if not rows:
            self._numbers.pop(view.definition, None)
            return None
        number, definition = rows[0]
        stored_definition(view, definition)
        self._numbers[view.definition] = number
        return int(number)

    def _rows_of(self, number: int, entities: list[bytes]) -> dict[Any, Known]:
        if len(entities) < MOST_PARAMETERS:
            rows = self._database.read(_find_rows(len(entities)), (number, *entities))
        else:  # one transaction, so that all are of one moment
            with self._database.transaction(write=False) as session:
                rows = [
                    row
                    for piece in in_pieces(entities, MOST_PARAMETERS - 1)
                    for row in session.execute(_find_rows(len(piece)), (number, *piece))
                ]
        return {entity: (event, created, content) for entity, event, created, content in rows}

    def put(
        self,
        view: OnlineView,
        rows: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    ) -> PutReport:
        """Keep what is newer; see :class:`~prodml.features.online_store.OnlineStore`.

        All rows or none are stored.

        Parameters
        ----------
        view : OnlineView
            What the rows belong to.
        rows : pandas.DataFrame, mapping or iterable of mappings
            A frame, a mapping of columns, a record, or records.
        """
        newest, n_rows = rows_to_store(view, rows)
        n_written = 0
        with self._database.transaction(write=True) as session:
            while (number := self._hold(session, view)) is None:
                session.change(_ADD_VIEW, (_word(view.name), view.definition))
            for piece in in_pieces(list(newest.items()), _ROWS_AT_ONCE):
                given = chain.from_iterable((number, one, *row) for one, row in piece)
                n_written += session.change(_upsert(len(piece)), tuple(given))
        return PutReport(view=view.name, n_rows=n_rows, n_written=n_written)

    def _hold(self, session: Session, view: OnlineView) -> int | None:
        """Return the number of a view, which nobody can drop until the transaction has ended."""
        # of SQLite, every writing transaction keeps the others out
        hold = " FOR SHARE" if session.dialect == "postgres" else ""
        return self._number_of(view, session.execute(_FIND_VIEW + hold, (_word(view.name),)))

    def delete(self, view: OnlineView, keys: Iterable[Any]) -> int:
        """Forget entities, and return how many were known.

        Parameters
        ----------
        view : OnlineView
            Where to forget them.
        keys : iterable
            As in :meth:`get`.
        """
        _, entities = entities_of(view, keys)
        wanted = sorted({entity for entity in entities if entity is not None})
        n_deleted = 0
        with self._database.transaction(write=True) as session:
            number = self._hold(session, view)
            if number is None:
                return 0
            for piece in in_pieces(wanted, MOST_PARAMETERS - 1):
                where = f"view_id = ? AND entity IN ({placeholders(len(piece))})"
                n_deleted += _delete(session, where, (number, *piece))
        return n_deleted

    def purge(self, view: OnlineView, *, older_than: datetime) -> int:
        """Forget rows whose event lies before a moment, and return how many they were.

        It looks at every row of the view, in one transaction.

        Parameters
        ----------
        view : OnlineView
            Where to forget them.
        older_than : datetime.datetime
            The moment; aware.
        """
        oldest = moment_of(older_than, "older_than")
        with self._database.transaction(write=True) as session:
            number = self._hold(session, view)
            if number is None:
                return 0
            return _delete(session, "view_id = ? AND event < ?", (number, oldest))

    def drop(self, name: str) -> int:
        """Forget a view with all of its rows, and return how many they were.

        Parameters
        ----------
        name : str
            The name of the view.
        """
        with self._database.transaction(write=True) as session:
            hold = " FOR UPDATE" if session.dialect == "postgres" else ""
            for number, _ in session.execute(_FIND_VIEW + hold, (_word(name),)):
                session.change("DELETE FROM online_view WHERE id = ?", (number,))
                return session.change("DELETE FROM online_row WHERE view_id = ?", (number,))
        return 0

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        message = f"A {type(self).__name__} does not pickle; open one where it is needed."
        raise TypeError(message)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.location!r})"


@lru_cache(maxsize=256)
def _word(name: str) -> str:
    """Return a name as ASCII that every database takes, different for different names."""
    return json.dumps(name)


@lru_cache(maxsize=1024)
def _find_rows(count: int) -> str:
    return (
        "SELECT entity, event, created, content FROM online_row "  # noqa: S608 - marks alone
        f"WHERE view_id = ? AND entity IN ({placeholders(count)})"
    )


@lru_cache(maxsize=_ROWS_AT_ONCE)
def _upsert(count: int) -> str:
    """Return the statement that writes rows where they are newer than what is there."""
    row = f"({placeholders(_PER_ROW)})"
    return (
        "INSERT INTO online_row (view_id, entity, event, created, content) "  # noqa: S608 - marks
        f"VALUES {','.join([row] * count)} "
        "ON CONFLICT (view_id, entity) DO UPDATE SET "
        "event = excluded.event, created = excluded.created, content = excluded.content "
        "WHERE (excluded.event, excluded.created, excluded.content) > "
        "(online_row.event, online_row.created, online_row.content)"
    )


def _delete(session: Session, where: str, parameters: Sequence[Any]) -> int:
    """Delete rows, and return how many."""
    if session.dialect == "postgres":
        # locked in the order in which they are written, so that nobody waits in a circle
        locked = f"SELECT entity FROM online_row WHERE {where} ORDER BY entity FOR UPDATE"  # noqa: S608 - see below
        session.execute(locked, parameters)
    # the condition is our own; what stands in it is bound
    return session.change(f"DELETE FROM online_row WHERE {where}", parameters)  # noqa: S608
