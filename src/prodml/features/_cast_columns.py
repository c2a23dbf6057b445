"""The boundary cast of columns: frames and lists of records as the arrays that features see."""

from __future__ import annotations

from datetime import UTC
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.columns import is_categorical, numpy_dtype, python_objects, python_values
from prodml._core.scalars import OutOfRange
from prodml.errors import DuplicateColumnError, FeatureError, InputTypeError, MissingInputError
from prodml.features._cast_values import (
    EPOCH,
    MICROSECOND,
    MissingValue,
    caster_of,
)
from prodml.features._typed_columns import (
    DTYPES,
    READY,
    AbsentValues,
    array_of,
    cast_typed,
    gaps_of,
    refuse_missing,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from prodml.features.field import Field

    Columns = dict[str, npt.NDArray[Any]]

__all__ = ["DTYPES", "cast_frame", "cast_records", "empty_column", "gaps_of"]

_MOST_ROWS_TOLD: Final = 5
#: From this likeness on, a column is taken for a field under another name.
_CLOSE_NAMES: Final = 0.8


def cast_frame(
    frame: pd.DataFrame, fields: Sequence[Field], /, *, absent: str = "missing"
) -> Columns:
    """Return the fields of a frame as read-only columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        Other columns are left alone.
    fields : sequence of Field
        What to read.
    absent : {"missing", "refuse"}
        Whether a nullable field may lack its column, as a record may lack a key. It never may
        where a column of nearly that name is there, or no field has its column.

    Raises
    ------
    MissingInputError
        All columns that are not there, or all fields with a missing value that must have one.
    InputTypeError
        For the first value that its declared type does not take.
    DuplicateColumnError
        If a field's column is there twice.
    """
    places = _places(frame, fields)
    lacking = [one for one in fields if one.name not in places]
    others = [str(label) for label in frame.columns if label not in places]
    refused = absent == "refuse" or _are_misnamed(lacking, fields, others)
    if bad := [one for one in lacking if refused or not one.nullable]:
        raise _no_columns(bad, others)
    columns: Columns = {one.name: empty_column(one, len(frame)) for one in lacking}
    faults: dict[str, list[int]] = {}
    for field in fields:
        if field.name not in places:
            continue
        try:
            column = _cast_column(field, frame.iloc[:, places[field.name]].array)
        except AbsentValues as signal:
            faults[field.name] = signal.rows
            continue
        # features get what the frame holds, and must not change it
        column = column.view()
        column.flags.writeable = False
        columns[field.name] = column
    if faults:
        raise _no_values(faults)
    return columns


def cast_records(records: Sequence[Mapping[str, Any]], fields: Sequence[Field], /) -> Columns:
    """Return the fields of records as columns, by the same table as :func:`cast_frame`."""
    columns: Columns = {}
    faults: dict[str, list[int]] = {}
    for field in fields:
        try:
            columns[field.name] = _cast_cells(field, _cells_of_records(records, field.name))
        except AbsentValues as signal:
            faults[field.name] = signal.rows
    if faults:
        raise _no_values(faults)
    return columns


def _cells_of_records(records: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return [record[name] for record in records]
    except KeyError:
        return [record.get(name) for record in records]


def empty_column(field: Field, n_rows: int, /) -> npt.NDArray[Any]:
    """Return a column of missing values."""
    fill = None if field.kind == "s" else np.nan
    return np.full(n_rows, fill, dtype=DTYPES[field.kind])


def _places(frame: pd.DataFrame, fields: Sequence[Field]) -> dict[str, int]:
    wanted = {one.name for one in fields}
    places: dict[str, int] = {}
    for place, label in enumerate(frame.columns):
        if label not in wanted:
            continue
        if label in places:
            message = f"Column {label!r} is in the frame more than once. Rename or drop one."
            raise DuplicateColumnError(message, contract="", columns=(label,))
        places[label] = place
    return places


def _cast_column(field: Field, column: Any) -> npt.NDArray[Any]:
    values = cast_typed(field, column)
    if values is None:
        if field.dtype == "string" and is_categorical(column):
            return _cast_categories(field, column)
        return _cast_cells(field, _cells_of(column))
    return np.ascontiguousarray(values)


def _cells_of(column: Any) -> list[Any]:
    # the objects themselves where there are some: normalised ones would hide what was refused
    objects = python_objects(column)
    if objects is not None:
        return list(objects.tolist())
    if numpy_dtype(column) is not None:
        return list(column)
    try:
        return python_values(column)
    except OverflowError:  # of Arrow, whose moments may lie beyond those of Python
        return [_cell_of(column[at : at + 1]) for at in range(len(column))]


def _cell_of(column: Any) -> Any:
    try:
        return python_values(column)[0]
    except OverflowError:
        return OutOfRange(column.dtype)


def _cast_cells(field: Field, cells: list[Any]) -> npt.NDArray[Any]:
    kinds = set(map(type, cells))
    if field.dtype == "string" and kinds == {str, float}:
        # NaN is how pandas says that text is missing
        cells = [None if cell != cell else cell for cell in cells]  # noqa: PLR0124
        kinds = set(map(type, cells))
    if kinds <= READY[field.dtype]:
        ready = _ready_cells(field, cells)
        if ready is not None:
            return ready
    cast = caster_of(field)
    out: list[Any] = []
    rows: list[int] = []
    for row, cell in enumerate(cells):
        try:
            out.append(cast(cell))
        except MissingValue:
            rows.append(row)
        except InputTypeError as error:
            raise _with_row(error, row) from None
    if rows:
        raise AbsentValues(rows)
    return array_of(out, field.kind)


def _ready_cells(field: Field, cells: list[Any]) -> npt.NDArray[Any] | None:
    if field.dtype.startswith("timestamp"):
        if field.nullable or any(cell.tzinfo is not UTC for cell in cells):
            return None
        return np.array([(cell - EPOCH) // MICROSECOND for cell in cells], dtype=np.int64)
    if field.nullable and field.dtype in {"int64", "bool"}:
        return None
    try:
        column = array_of(cells, field.kind)
    except OverflowError:
        return None  # the cast by value names the culprit
    if not field.nullable:
        refuse_missing(gaps_of(column))
    return column


def _cast_categories(field: Field, column: Any) -> npt.NDArray[Any]:
    codes = np.asarray(column.codes)
    # unused categories are no values, hence no fault
    used = np.unique(codes[codes >= 0])
    texts = np.full(len(column.categories) + 1, None, dtype=np.object_)
    cells = python_values(column.categories.array)
    try:
        texts[used] = _cast_cells(field, [cells[code] for code in used.tolist()])
    except (InputTypeError, AbsentValues):  # in the order of rows, which the categories do not have
        return _cast_cells(field, python_values(column))
    if not field.nullable:
        refuse_missing(codes < 0)
    out: npt.NDArray[Any] = texts[codes]
    return out


def _with_row(error: InputTypeError, row: int) -> InputTypeError:
    message = f"{str(error).removesuffix('.')} (row {row})."
    return InputTypeError(
        message, field=error.field, got=error.got, expected=error.expected, row=row
    )


def _are_misnamed(lacking: list[Field], fields: Sequence[Field], others: list[str]) -> bool:
    """Whether columns look renamed, so that taking them for missing would hide it."""
    if lacking and others and len(lacking) == len(fields):
        return True
    folded = [label.casefold() for label in others]
    return any(get_close_matches(one.name.casefold(), folded, 1, _CLOSE_NAMES) for one in lacking)


def _no_columns(fields: Sequence[Field], labels: list[str]) -> FeatureError:
    names = [one.name for one in fields]
    hints = [
        f"Did you mean {close[0]!r}?"
        for name in names
        if (close := get_close_matches(name, labels, 1))
    ]
    message = " ".join([f"The frame has no column {', '.join(map(repr, names))}.", *hints])
    return MissingInputError(message, fields=names)


def _no_values(faults: Mapping[str, list[int]]) -> FeatureError:
    told = [
        f"{name!r} in {len(rows)} row{'s' * (len(rows) != 1)} (such as row {rows[0]})"
        for name, rows in faults.items()
    ]
    rows = sorted({row for those in faults.values() for row in those[:_MOST_ROWS_TOLD]})
    message = f"No value for {', '.join(told)}. Fill them, or declare the Field with nullable=True."
    return MissingInputError(message, fields=tuple(faults), rows=rows[:_MOST_ROWS_TOLD])
