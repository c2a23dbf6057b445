"""Online feature stores: the newest row of each entity, and whether it may be used.

A store keeps one row per entity and view: the one with the latest event, and of equal events the
one that was created last. Rows may arrive late, twice and in any order, from any number of
writers: the outcome is the same.

Whether a row may be used is decided when it is read, at a moment that the caller names, by the
rule of the point-in-time join: its event and its creation lie at or before that moment, and its
event is no older than the view's time to live, to the microsecond. What may not be used is not
handed out: its values are None, as they are missing in training.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self, runtime_checkable

from prodml._core.stored_values import from_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from prodml.evidence import Evidence
    from prodml.features.online_view import OnlineView

__all__ = ["OnlineRow", "OnlineRows", "OnlineStore", "PutReport", "RowStatus"]

#: What became of an entity that was asked for; see :class:`OnlineRow`.
RowStatus = Literal["fresh", "expired", "future", "missing"]

_STATUSES: tuple[RowStatus, ...] = ("fresh", "expired", "future", "missing")


class OnlineRow(NamedTuple):
    """What a store knows of one entity at one moment.

    Attributes
    ----------
    key : object
        The key that was asked for: a value, or a tuple for keys of several parts.
    status : {"fresh", "expired", "future", "missing"}
        ``"fresh"``: the values may be used. ``"expired"``: the event is older than the time to
        live. ``"future"``: the newest row became true or known only after the moment that was
        asked about; what was known before it is not kept. ``"missing"``: there is no row.
    features : dict
        By the name of the feature. None where a value is missing, and None throughout unless the
        row is fresh. Times are aware, in UTC.
    event_us, created_us : int or None
        When the values became true and known, in microseconds since 1970, UTC; None where there
        is no row.
    """

    key: Any
    status: RowStatus
    features: dict[str, Any]
    event_us: int | None
    created_us: int | None

    @property
    def event(self) -> datetime | None:
        """Return when the values became true."""
        return None if self.event_us is None else from_microseconds(self.event_us)

    @property
    def created(self) -> datetime | None:
        """Return when the values became known."""
        return None if self.created_us is None else from_microseconds(self.created_us)


class OnlineRows(tuple[OnlineRow, ...]):  # noqa: SLOT001 - a tuple cannot have slots
    """What a store knows of the entities that it was asked for, in the order of the question.

    A tuple of :class:`OnlineRow`, with what was asked. Picklable. A tuple, since a dataclass
    around a list takes as long to make as the row of a memory store takes to find.

    Parameters
    ----------
    rows : iterable of OnlineRow
        One for each key.
    view : OnlineView
        What was asked for.
    names : sequence of str
        The features.
    at : datetime.datetime
        The moment.
    """

    view: OnlineView
    names: Sequence[str]
    at: datetime

    def __new__(
        cls, rows: Iterable[OnlineRow], view: OnlineView, names: Sequence[str], at: datetime
    ) -> Self:
        """Make one of its rows and the question."""
        made = tuple.__new__(cls, rows)
        made.view = view
        made.names = names
        made.at = at
        return made

    def __reduce__(self) -> tuple[type[OnlineRows], tuple[Any, ...]]:
        return OnlineRows, (tuple(self), self.view, self.names, self.at)

    def n_with(self, status: RowStatus, /) -> int:
        """Return how many rows have a status.

        Parameters
        ----------
        status : {"fresh", "expired", "future", "missing"}
            See :class:`OnlineRow`.
        """
        return sum(row.status == status for row in self)

    def to_frame(self) -> pd.DataFrame:
        """Return a frame with keys, status, times and features, one row for each key.

        A feature whose name is taken by one of the other columns is left to the end, and both
        stand there under their name.
        """
        import pandas as pd

        parts = len(self.view.keys)
        keys = [row.key if parts > 1 else (row.key,) for row in self]
        columns: list[tuple[str, list[Any]]] = [
            (name, [key[place] for key in keys]) for place, name in enumerate(self.view.keys)
        ]
        columns.append(("status", [row.status for row in self]))
        columns.append(("event_time", [row.event for row in self]))
        columns.append(("created_time", [row.created for row in self]))
        columns += [(name, [row.features[name] for row in self]) for name in self.names]
        frame = pd.concat([pd.Series(cells) for _, cells in columns], axis=1)
        frame.columns = pd.Index([name for name, _ in columns])
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return the view, the moment and the rows as plain values."""
        return {
            "view": self.view.name,
            "at": self.at.isoformat(),
            "rows": [
                {
                    "key": row.key,
                    "status": row.status,
                    "event": None if row.event is None else row.event.isoformat(),
                    "created": None if row.created is None else row.created.isoformat(),
                    "features": dict(row.features),
                }
                for row in self
            ],
        }

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the share of keys in each status."""
        from prodml.evidence import Evidence

        counts, n = Counter(row.status for row in self), len(self)
        return tuple(
            Evidence(
                kind="features",
                metric=f"online_{status}_fraction",
                value=counts[status] / n if n else None,
                status="ok" if n else "insufficient_data",
                n=n,
                labels={"view": self.view.name},
                at=self.at,
                reason="" if n else "no keys were asked for",
            )
            for status in _STATUSES
        )

    def _repr_html_(self) -> str:
        from prodml._core.render import html_table

        header = ["key", "status", "event time", *self.names]
        shown = [
            [row.key, row.status, row.event or "", *[row.features[name] for name in self.names]]
            for row in self[:_MOST_SHOWN]
        ]
        return html_table(header, shown, caption=repr(self))

    def __repr__(self) -> str:
        counts = Counter(row.status for row in self)
        told = ", ".join(f"{counts[status]} {status}" for status in _STATUSES if counts[status])
        return f"OnlineRows({self.view.name!r}, {len(self)} keys: {told or 'none'})"


#: Rows that a notebook shows.
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PutReport:
    """What became of rows that were put into a store.

    Attributes
    ----------
    view : str
        The name of the view.
    n_rows : int
        How many rows came.
    n_written : int
        Entities that have a new row now.
    n_stale : int
        Rows that were not newer than what was known, or than another row that came with them.
    """

    view: str
    n_rows: int
    n_written: int

    @property
    def n_stale(self) -> int:
        """Return how many rows were not newer than what was known."""
        return self.n_rows - self.n_written

    def to_dict(self) -> dict[str, Any]:
        """Return the counts by name."""
        return {
            "view": self.view,
            "n_rows": self.n_rows,
            "n_written": self.n_written,
            "n_stale": self.n_stale,
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a frame of one row."""
        import pandas as pd

        return pd.DataFrame([self.to_dict()])

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the share of rows that were stale."""
        from prodml.evidence import Evidence

        return (
            Evidence(
                kind="features",
                metric="online_stale_fraction",
                value=self.n_stale / self.n_rows if self.n_rows else None,
                status="ok" if self.n_rows else "insufficient_data",
                n=self.n_rows,
                labels={"view": self.view},
                reason="" if self.n_rows else "no rows came",
            ),
        )

    def _repr_html_(self) -> str:
        from prodml._core.render import html_table

        content = self.to_dict()
        return html_table(list(content), [list(content.values())])

    def __repr__(self) -> str:
        return (
            f"PutReport({self.view!r}, {self.n_rows} rows: {self.n_written} written, "
            f"{self.n_stale} stale)"
        )


@runtime_checkable
class OnlineStore(Protocol):
    """The newest row of each entity. Safe between threads.

    ``prodml.features.online_rows`` reads keys and rows for a store and answers for it, so that
    all stores understand the same; :func:`prodml.testing.check_online_store` holds one to its
    promises.
    """

    def get(
        self,
        view: OnlineView,
        keys: Iterable[Any],
        names: Sequence[str] | None = None,
        *,
        at: datetime,
    ) -> OnlineRows:
        """Return what is known of entities at a moment, in one round trip.

        Keys may repeat; a missing key (None, NaN) is an entity without a row. A view that was
        never stored has no rows. Nothing is written. A store keeps the newest row only: for
        moments before it, the answer is ``"future"``.

        Raises :class:`~prodml.errors.ViewChangedError` where the view is stored with other keys
        or features, :class:`~prodml.errors.UnknownInputError` for names that it does not have,
        :class:`~prodml.errors.InputTypeError` for keys of another type than text, integers,
        booleans, bytes, dates and UUIDs, and :class:`~prodml.errors.StorageError`.
        """
        ...

    def put(
        self, view: OnlineView, rows: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]]
    ) -> PutReport:
        """Keep the rows that are newer than what is known of their entities.

        Newer is a later (event, created). Of rows that agree in both, one is kept by its content,
        whichever came first. Idempotent, and free of order: rows may come late and twice.

        Raises as :meth:`get`, and :class:`~prodml.errors.MissingInputError` for columns, keys or
        times that are absent and :class:`~prodml.errors.InputTypeError` for values that are no
        float, int, text, boolean or aware time; then nothing is stored.
        """
        ...

    def delete(self, view: OnlineView, keys: Iterable[Any]) -> int:
        """Forget entities, and return how many were known. A later put brings them back."""
        ...

    def purge(self, view: OnlineView, *, older_than: datetime) -> int:
        """Forget the rows whose event lies before a moment, and return how many they were."""
        ...

    def drop(self, name: str) -> int:
        """Forget a view with all of its rows, and return how many they were.

        What still writes under the old definition is refused, or starts the view anew.
        """
        ...
