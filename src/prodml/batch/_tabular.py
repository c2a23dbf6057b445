"""Records in whatever they are held: a frame, columns, a list, or a single thing."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.column_building import column_from_values, concat_columns, series_of
from prodml._core.columns import python_values
from prodml._core.labelled_columns import labelled_columns
from prodml._core.scalars import PLAIN_TYPES, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from prodml._core.labelled_columns import LabelledColumns

__all__ = [
    "check_names",
    "count_records",
    "join_outputs",
    "slice_records",
    "take_records",
    "to_frame",
    "to_rows",
]

#: Types that have a dtype of their own.
_KINDS: Final = {
    bool: "bool",
    datetime: "datetime",
    float: "float",
    int: "int",
    str: "str",
    timedelta: "timedelta",
}
#: What the one column of records without fields is called.
_VALUE = "value"


def count_records(data: Any, /) -> int:
    """Return how many records there are; anything that is no container is one."""
    kind = type(data)
    if kind is list:
        return len(data)
    if kind in PLAIN_TYPES or kind is float:
        return 0 if data is None else 1
    if isinstance(data, list | tuple):
        return len(data)
    if _is_array(data):
        return len(data)
    table = labelled_columns(data)
    return 1 if table is None else table.n_rows


def slice_records(data: Any, start: int, stop: int, /) -> Any:
    """Return some neighbouring records, in a container of the same kind."""
    if isinstance(data, list | tuple) or _is_array(data):
        return data[start:stop]
    if isinstance(data, Mapping) and labelled_columns(data) is not None:
        return {name: _cut(column, start, stop) for name, column in data.items()}
    return data.iloc[start:stop] if labelled_columns(data) is not None else data


def _cut(column: Any, start: int, stop: int) -> Any:
    # labels of floats would be looked up, not counted
    return column.iloc[start:stop] if hasattr(column, "iloc") else column[start:stop]


def take_records(data: Any, at: npt.NDArray[np.int64], /) -> Any:
    """Return the records at some positions, in a container of the same kind."""
    if isinstance(data, list | tuple):
        return [data[one] for one in at.tolist()]
    if _is_array(data):
        return data[at]
    if isinstance(data, Mapping) and labelled_columns(data) is not None:
        return {name: _take(column, at) for name, column in data.items()}
    return data.iloc[at] if labelled_columns(data) is not None else data


def _take(column: Any, at: npt.NDArray[np.int64]) -> Any:
    return column.iloc[at] if hasattr(column, "iloc") else column[at]


def join_outputs(parts: Sequence[Any], /) -> Any:
    """Return the outputs of parts of a batch as one, in their order; None for none.

    Raises
    ------
    TypeError
        If they are of different kinds.
    ValueError
        If they are mappings with different columns.
    """
    given = [part for part in parts if part is not None]
    if len(given) <= 1:
        return given[0] if given else None
    if all(isinstance(part, list | tuple) for part in given):
        return [record for part in given for record in part]
    if all(map(_is_array, given)):
        return np.concatenate(given)
    if all(isinstance(part, Mapping) and labelled_columns(part) is not None for part in given):
        names = list(given[0])
        if odd := sorted({str(one) for part in given for one in part.keys() ^ set(names)}):
            message = f"The outputs for parts of a batch cannot be joined: not all have {odd}."
            raise ValueError(message)
        return {name: _concatenated([part[name] for part in given]) for name in names}
    if all(hasattr(part, "iloc") for part in given):
        import pandas as pd

        # what is empty has dtypes that it could not know better
        filled = [part for part in given if len(part)] or given[:1]
        return pd.concat(filled)
    kinds = sorted({type(part).__name__ for part in given})
    message = f"The outputs for parts of a batch cannot be joined: they are of types {kinds}."
    raise TypeError(message)


def _concatenated(columns: Sequence[Any]) -> Any:
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns)
    import pandas as pd

    return concat_columns([pd.Series(column).array for column in columns])


def to_frame(data: Any, /) -> pd.DataFrame:
    """Return records as a frame, one row each; raises as :func:`to_rows` where it makes one."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    table = labelled_columns(data)
    if table is not None:
        _check_lengths(table)
        return pd.DataFrame({name: pd.Series(values).array for name, values in data.items()})
    names, rows = to_rows(data)
    columns: Any = zip(*rows, strict=True) if rows else [()] * len(names)
    series = {
        name: series_of(_column_of(list(cells))) for name, cells in zip(names, columns, strict=True)
    }
    return pd.DataFrame(series, index=range(len(rows)))


def _column_of(cells: list[Any]) -> Any:
    """Return a column in the dtype that suits its cells: nullable, where an integer is missing."""
    kinds = set(map(type, cells))
    present = kinds - {type(None)}
    kind = _KINDS.get(present.pop(), "object") if len(present) == 1 else "object"
    return column_from_values(cells, kind, nullable=type(None) in kinds)


def to_rows(data: Any, /) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of columns, and records as tuples of plain Python values.

    Missing values are None. Records may be mappings, dataclasses, pydantic models or named
    tuples, also with differing fields; other values stand in one column ``value``. So does an
    array, as a model's ``predict`` gives; those of its rows, if it has two dimensions, stand in
    ``value_0``, ``value_1`` and so on.

    Raises
    ------
    ValueError
        If two columns have one name as text, so that one would hide the other; or if the columns
        of a mapping differ in length.
    TypeError
        If it is a Series by itself.
    """
    if data is None:
        return [], []
    table = None if type(data) is list else labelled_columns(data)
    if table is not None:
        _check_lengths(table)
        names = check_names([label for label, _ in table.columns])
        columns = [_plain_values(column) for _, column in table.columns]
        return names, list(zip(*columns, strict=True))
    if _is_array(data):
        if data.ndim == 1:
            return [_VALUE], [(cell,) for cell in _plain_values(data)]
        columns = [_plain_values(column) for column in data.T]
        return [f"{_VALUE}_{at}" for at in range(len(columns))], list(zip(*columns, strict=True))
    if hasattr(data, "iloc"):
        message = "A Series is a row or a column. Say which: `series.to_frame()`, or a list of it."
        raise TypeError(message)
    records = [_fields_of(one) for one in (data if isinstance(data, list | tuple) else [data])]
    labels = list(dict.fromkeys(label for record in records for label in record))
    rows = [tuple(map(_plain_value, map(record.get, labels))) for record in records]
    return check_names(labels), rows


def check_names(labels: Sequence[Any], /) -> list[str]:
    """Return labels of columns as text, each of them another one."""
    names = [str(label) for label in labels]
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        message = f"More than one column is called {repeated}. Give each a name of its own."
        raise ValueError(message)
    return names


def _check_lengths(table: LabelledColumns) -> None:
    lengths = {str(label): len(column) for label, column in table.columns}
    if len(set(lengths.values())) > 1:
        message = f"The columns of a table must be of one length, got {lengths}."
        raise ValueError(message)


def _plain_values(column: Any) -> list[Any]:
    if isinstance(column, np.ndarray):
        if column.dtype.kind in "iub":
            plain: list[Any] = column.tolist()
            return plain
        if column.dtype.kind == "f":
            plain = column.tolist()
            if np.isnan(column).any():
                return [None if cell != cell else cell for cell in plain]  # noqa: PLR0124 - NaN
            return plain
        return python_values(column)
    import pandas as pd

    array = column.array if isinstance(column, pd.Series | pd.Index) else column
    if not isinstance(array, pd.api.extensions.ExtensionArray):
        array = pd.Series(array).array
    return python_values(array)


def _is_array(data: Any) -> bool:
    return isinstance(data, np.ndarray) and data.ndim in {1, 2}


def _plain_value(cell: Any) -> Any:
    return cell if type(cell) in PLAIN_TYPES else normalise(cell)


def _fields_of(record: Any) -> Mapping[Any, Any]:
    """Return the fields of a record by name."""
    if isinstance(record, Mapping):
        return record
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {one.name: getattr(record, one.name) for one in dataclasses.fields(record)}
    names = getattr(record, "_fields", None)
    if isinstance(record, tuple) and names is not None:
        return dict(zip(names, record, strict=True))
    # an object of a library can only exist where that library has been imported
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(record, pandas.Series):
        return dict(record.items())
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(record, pydantic.BaseModel):
        return {name: getattr(record, name) for name in type(record).model_fields}
    if isinstance(record, tuple):
        return {f"column_{at}": cell for at, cell in enumerate(record)}
    return {_VALUE: record}
