"""The online store that lives in the memory of a process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from prodml.features.online_intake import rows_to_store
from prodml.features.online_rows import (
    answer,
    entities_of,
    entity_of,
    judge,
    moment_of,
    restore,
    text_of_values,
)
from prodml.features.online_store import OnlineRows, PutReport
from prodml.features.online_view import stored_definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from prodml.features.online_rows import StoredRow
    from prodml.features.online_view import OnlineView

__all__ = ["MemoryOnlineStore"]

#: Event, created and values of one entity.
_Row = tuple[int, int, dict[str, Any]]


class MemoryOnlineStore:
    """An online store in the memory of this process, for services that load their features.

    The fastest of the stores, and gone when the process ends. Safe between threads: a `put` is
    seen whole or not at all. A forked child has a copy. Pickles with its content.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> from prodml.features.online_view import OnlineView
    >>> view = OnlineView(
    ...     name="spending",
    ...     keys=["customer"],
    ...     features=["mean_7d"],
    ...     event_time="at",
    ...     ttl=timedelta(days=7),
    ... )
    >>> store = MemoryOnlineStore()
    >>> store.put(view, [{"customer": 1, "mean_7d": 9.5, "at": datetime(2026, 1, 1, tzinfo=UTC)}])
    PutReport('spending', 1 rows: 1 written, 0 stale)
    >>> rows = store.get(view, [1, 2], at=datetime(2026, 1, 8, tzinfo=UTC))
    >>> [(row.status, row.features) for row in rows]
    [('fresh', {'mean_7d': 9.5}), ('missing', {'mean_7d': None})]
    >>> store.get(view, [1], at=datetime(2026, 1, 9, tzinfo=UTC))[0].status
    'expired'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._definitions: dict[str, str] = {}
        self._rows: dict[str, dict[bytes, _Row]] = {}

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
            entity = entity_of(view, keys[0])
            with self._lock:
                row = self._known(view).get(entity)
            answered = judge(view, keys[0], row, chosen, moment_of(at, "at"))
            return OnlineRows((answered,), view, chosen, at)
        listed, entities = entities_of(view, keys)
        with self._lock:
            rows = self._known(view)
            found = [rows.get(entity) for entity in entities]
        return answer(view, listed, found, chosen, at)

    def put(
        self,
        view: OnlineView,
        rows: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    ) -> PutReport:
        """Keep what is newer; see :class:`~prodml.features.online_store.OnlineStore`.

        Parameters
        ----------
        view : OnlineView
            What the rows belong to.
        rows : pandas.DataFrame, mapping or iterable of mappings
            A frame, a mapping of columns, a record, or records.
        """
        newest, n_rows = rows_to_store(view, rows)
        n_written = 0
        with self._lock:
            self._known(view)
            self._definitions[view.name] = view.definition
            kept = self._rows.setdefault(view.name, {})
            for entity, row in newest.items():
                if _is_newer(view, row, kept.get(entity)):
                    kept[entity] = (row.event, row.created, restore(view, row.content))
                    n_written += 1
        return PutReport(view=view.name, n_rows=n_rows, n_written=n_written)

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
        with self._lock:
            rows = self._known(view)
            return sum(rows.pop(one, None) is not None for one in entities if one is not None)

    def purge(self, view: OnlineView, *, older_than: datetime) -> int:
        """Forget rows whose event lies before a moment, and return how many they were.

        Parameters
        ----------
        view : OnlineView
            Where to forget them.
        older_than : datetime.datetime
            The moment; aware.
        """
        oldest = moment_of(older_than, "older_than")
        with self._lock:
            rows = self._known(view)
            old = [entity for entity, row in rows.items() if row[0] < oldest]
            for entity in old:
                del rows[entity]
        return len(old)

    def drop(self, name: str) -> int:
        """Forget a view with all of its rows, and return how many they were.

        Parameters
        ----------
        name : str
            The name of the view.
        """
        with self._lock:
            self._definitions.pop(name, None)
            return len(self._rows.pop(name, ()))

    def _known(self, view: OnlineView) -> dict[Any, _Row]:
        """Return the rows of a view, and refuse one that is stored otherwise."""
        definition = self._definitions.get(view.name)
        if definition is None:
            return {}
        if definition is not view.definition:
            stored_definition(view, definition)
        return self._rows[view.name]

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            rows = {name: dict(kept) for name, kept in self._rows.items()}
            return {"_definitions": dict(self._definitions), "_rows": rows}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        counts = ", ".join(f"{name!r}: {len(rows)}" for name, rows in self._rows.items())
        return f"MemoryOnlineStore({{{counts}}})"


def _is_newer(view: OnlineView, row: StoredRow, known: _Row | None) -> bool:
    if known is None:
        return True
    if row[:2] != known[:2]:
        return row[:2] > known[:2]
    # rare, so that the text is made anew instead of kept for all
    return row.content > text_of_values([known[2][name] for name in view.stored_features])
