"""Frames and records as the rows of an online store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_columns import as_column
from prodml._core.columns import python_values
from prodml._core.labelled_columns import labelled_columns
from prodml._core.scalars import normalise
from prodml.errors import FeatureError, InputTypeError, MissingInputError
from prodml.features.online_rows import StoredRow, entity_of, moment_of, text_of_values

if TYPE_CHECKING:
    import pandas as pd

    from prodml.features.online_view import OnlineView

__all__ = ["rows_to_store"]

_VALUES: Final = "float, int, text, boolean, an aware time or missing"
_PLAIN: Final = frozenset({bool, str, type(None)})
_INT64: Final = 2**63
_FIRST: Final = 10


def rows_to_store(
    view: OnlineView,
    rows: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    /,
) -> tuple[dict[bytes, StoredRow], int]:
    """Return the newest row of each entity, and how many rows there were.

    Parameters
    ----------
    view : OnlineView
        Its columns must be there; others are left out.
    rows : pandas.DataFrame, mapping or iterable of mappings
        A frame, a mapping of columns, a record, or records.

    Returns
    -------
    newest : dict of bytes to StoredRow
        By entity, in the order of their bytes: writers that lock rows in this order never wait
        for each other in a circle.
    n_rows : int
        How many rows came.

    Raises
    ------
    MissingInputError
        If columns are absent, or keys or times have no value; all of the columns at once.
    InputTypeError
        If a value, key or time is of another type; ``.field`` and ``.row`` name it.
    FeatureError
        If a column that is needed stands in the frame more than once.

    Notes
    -----
    Values keep their type: 1 stays an int, 1.0 a float, and inf is kept. NaN, NA, NaT and None
    are the same missing value. Event times that are finer than a microsecond count as the next
    one, so that no row is used before it was true; in other columns what is finer is cut off.
    """
    columns, n_rows = _columns_of(view, rows)
    events = _moments(columns[view.event_time], view.event_time)
    created = events
    if view.created_time is not None:
        created = _moments(columns[view.created_time], view.created_time)
    keys = [_cells(columns[name]) for name in view.keys]
    entities = _entities(view, keys, n_rows)
    times = {view.event_time: events, view.created_time or view.event_time: created}
    _refuse_missing(view, keys, times)  # from here on, no time is None
    values = [_values(columns[name], name) for name in view.stored_features]
    newest: dict[bytes, StoredRow] = {}
    lines = zip(entities, events, created, zip(*values, strict=True), strict=True)
    for entity, event, known, cells in lines:
        row = StoredRow(event or 0, known or 0, text_of_values(cells))
        # a feature that is a time of the view as well is stored like any other
        if entity not in newest or row > newest[entity]:
            newest[entity] = row
    return dict(sorted(newest.items())), n_rows


def _columns_of(view: OnlineView, rows: Any) -> tuple[dict[str, Any], int]:
    """Return the columns that are needed: containers of a frame, or lists of cells."""
    table = labelled_columns(rows)
    if table is not None:
        labels = Counter([label for label, _ in table.columns])
        _refuse_absent(view, [name for name in view.columns if name not in labels], ())
        if twice := [name for name in view.columns if labels[name] > 1]:
            message = f"Columns that stand in the frame more than once: {twice}. Rename them."
            raise FeatureError(message)
        columns = {label: as_column(column) for label, column in table.columns}
        lengths = {name: len(columns[name]) for name in view.columns}
        if len(set(lengths.values())) > 1:
            message = f"Columns must be of one length, got {lengths}."
            raise FeatureError(message)
        return columns, table.n_rows
    records: list[Any] = [rows] if isinstance(rows, Mapping) else _listed(rows)
    absent: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        if not isinstance(record, Mapping):
            message = f"Row {place} must be a mapping of names to values, got {record!r:.100}."
            raise InputTypeError(message, field="", got=record, expected="a mapping", row=place)
        for name in view.columns:
            if name not in record:
                absent.setdefault(name, []).append(place)
    if absent:
        _refuse_absent(
            view, list(absent), sorted({row for rows in absent.values() for row in rows})
        )
    return {name: [record[name] for record in records] for name in view.columns}, len(records)


def _listed(rows: Any) -> list[Any]:
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes):
        return list(rows)
    message = f"`rows` must be a DataFrame, columns or records, got {type(rows).__name__}."
    raise InputTypeError(message, field="rows", got=rows, expected="a DataFrame or records")


def _refuse_absent(view: OnlineView, names: list[str], rows: Iterable[int]) -> None:
    if not names:
        return
    first = tuple(rows)[:_FIRST]
    where = f" in rows {list(first)}" if first else ""
    message = (
        f"The online view {view.name!r} needs {', '.join(map(repr, names))}, which is absent"
        f"{where}. A value that is not known is given as None."
    )
    raise MissingInputError(message, fields=names, rows=first)


def _refuse_missing(
    view: OnlineView, keys: list[list[Any]], times: Mapping[str, list[int | None]]
) -> None:
    columns: dict[str, list[Any]] = dict(zip(view.keys, keys, strict=True)) | dict(times)
    faults = {
        name: [row for row, cell in enumerate(cells) if cell is None]
        for name, cells in columns.items()
        if None in cells
    }
    if not faults:
        return
    told = "; ".join(f"{name!r} in rows {rows[:_FIRST]}" for name, rows in faults.items())
    message = f"Rows of an online view need a key and a time, and have none: {told}."
    first = sorted({row for rows in faults.values() for row in rows})[:_FIRST]
    raise MissingInputError(message, fields=list(faults), rows=first)


def _cells(column: Any) -> list[Any]:
    """Return plain values; None where missing."""
    return [normalise(cell) for cell in column] if type(column) is list else python_values(column)


def _entities(view: OnlineView, keys: list[list[Any]], n_rows: int) -> list[bytes]:
    parts = keys[0] if len(keys) == 1 else list(zip(*keys, strict=True))
    entities: list[bytes] = []
    for row in range(n_rows):
        try:
            entity = entity_of(view, parts[row])
        except InputTypeError as error:
            raise _in_row(error, row) from None
        entities.append(entity or b"")  # what is missing is refused with its row, later
    return entities


def _in_row(error: InputTypeError, row: int) -> InputTypeError:
    message = f"Row {row}: {error}"
    return InputTypeError(
        message, field=error.field, got=error.got, expected=error.expected, row=row
    )


def _moments(column: Any, name: str) -> list[int | None]:
    """Return microseconds since 1970; what is finer counts as the next one."""
    zone = getattr(getattr(column, "dtype", None), "tz", None)
    if type(column).__name__ == "DatetimeArray" and zone is not None:
        moments = np.asarray(column.tz_convert(None))
        if np.datetime_data(moments.dtype)[0] in {"us", "ns"}:
            step = 1000 if np.datetime_data(moments.dtype)[0] == "ns" else 1
            # rounds towards later: -(-7 // 2) is 4; of missing ones the result is not looked at
            counts: list[int | None] = (-(-moments.view(np.int64) // step)).tolist()
            for row in np.flatnonzero(np.isnat(moments)).tolist():
                counts[row] = None
            return counts
    return [_moment(cell, name, row) for row, cell in enumerate(column)]


def _moment(cell: Any, name: str, row: int) -> int | None:
    if normalise(cell) is None:
        return None
    try:
        count = moment_of(cell, name)
    except InputTypeError as error:
        raise _in_row(error, row) from None
    return count + (getattr(cell, "nanosecond", 0) > 0)


def _values(column: Any, name: str) -> list[Any]:
    cells = _cells(column)
    kinds = set(map(type, cells))
    if kinds <= _PLAIN or (kinds <= {*_PLAIN, float}):
        return cells
    return [
        cell if type(cell) in _PLAIN else _value(cell, name, row) for row, cell in enumerate(cells)
    ]


def _value(cell: Any, name: str, row: int) -> Any:
    """Return a value as it is stored, without what a subclass adds to it."""
    if isinstance(cell, int):
        if -_INT64 <= cell < _INT64:
            return bool(cell) if isinstance(cell, bool) else int(cell)
        why = "is beyond 64 bits"
    elif isinstance(cell, float):
        return float(cell)
    elif isinstance(cell, str):
        return str.__str__(cell)
    elif isinstance(cell, datetime):
        if cell.tzinfo is not None:
            return cell.astimezone(UTC)
        why = "has no time zone"
    else:
        why = f"is a {type(cell).__name__}"
    message = f"Row {row}: the feature {name!r} must be {_VALUES}, got {cell!r:.100}, which {why}."
    raise InputTypeError(message, field=name, got=cell, expected=_VALUES, row=row)
