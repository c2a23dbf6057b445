"""Building columns from plain Python values, in the dtype that suits them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.columns import numpy_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "column_from_values",
    "concat_columns",
    "filler_of",
    "repeated_value",
    "series_of",
    "text_dtype",
]

_MICROSECOND: Final = timedelta(microseconds=1)
#: The integer that stands for a missing moment or duration.
_NEVER: Final = -(2**63)
#: What can stand where nothing is known, without changing the dtype that a kind is given.
_FILLERS: Final = {
    "int": 0,
    "float": 0.0,
    "bool": False,
    "str": "",
    "datetime": datetime(1970, 1, 1),  # noqa: DTZ001 - as most are
    "timedelta": timedelta(0),
}


def concat_columns(columns: Sequence[Any]) -> Any:
    """Return columns one below the other, in a dtype that holds them all."""
    if len(columns) == 1:
        return columns[0]
    import pandas as pd

    return pd.concat([series_of(column) for column in columns], ignore_index=True).array


def series_of(column: Any, index: Any = None) -> Any:
    """Return a column as a Series of the same dtype, sharing its memory.

    Left to itself, pandas 3 makes text of objects that are all str.
    """
    import pandas as pd

    dtype = numpy_dtype(column)
    # the bare array: pandas 2 looks for missing values in its own, and stumbles over some
    held = column if dtype is None else np.asarray(column)
    return pd.Series(held, index=index, dtype=dtype or column.dtype, copy=False)


def filler_of(kind: str) -> Any:
    """Return a value that can stand in a column of a kind where none is known."""
    return _FILLERS.get(kind)


def repeated_value(value: Any, n_rows: int, kind: str, *, nullable: bool = False) -> Any:
    """Build a column that holds one value throughout; see :func:`column_from_values`."""
    once = column_from_values([value], kind, nullable=nullable)
    return once.take(np.zeros(n_rows, dtype=np.int64))


def column_from_values(values: list[Any], kind: str, *, nullable: bool = False) -> Any:
    """Build a column from plain Python values, in the dtype that suits them.

    Parameters
    ----------
    values : list
        Plain values; None where missing.
    kind : str
        ``"int"``, ``"float"``, ``"bool"``, ``"str"``, ``"datetime"``, ``"timedelta"``;
        anything else keeps objects.
    nullable : bool, default False
        Use pandas' nullable dtypes for ints and booleans even if nothing is missing here, so that
        the dtype does not differ from chunk to chunk.

    Returns
    -------
    pandas array
        int64 (Int64 with missing values), float64, bool (boolean), pandas' default for text,
        datetime64[us] (in UTC if aware), timedelta64[us]. Objects where `values` are of another
        type, as what a validator returns may be, or beyond what the dtype holds.
    """
    expected, builder = _BUILDERS.get(kind, (object, _objects))
    kinds = set(map(type, values))
    if expected is object or not kinds <= {expected, type(None)}:
        return _objects(values)
    try:
        if kind in _MASKED and (nullable or type(None) in kinds):
            return _masked(values, kind)
        return builder(values)
    except (TypeError, ValueError, OverflowError):
        return _objects(values)


def _objects(values: list[Any]) -> Any:
    import pandas as pd

    # from an iterator: numpy would make a matrix of a list of lists
    out = np.fromiter(values, dtype=object, count=len(values))
    return pd.Series(out, dtype=object).array


def _masked(values: list[Any], kind: str) -> Any:
    import pandas as pd

    absent = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    # through numpy, since pandas would take whole numbers beside None for floats
    known = [_FILLERS[kind] if value is None else value for value in values]
    if kind == "bool":
        return pd.arrays.BooleanArray(np.array(known, dtype=bool), absent)
    return pd.arrays.IntegerArray(np.array(known, dtype=np.int64), absent)


def _integers(values: list[Any]) -> Any:
    import pandas as pd

    return pd.Series(np.array(values, dtype=np.int64)).array


def _floats(values: list[Any]) -> Any:
    import pandas as pd

    return pd.Series(np.array(values, dtype=np.float64)).array


def _booleans(values: list[Any]) -> Any:
    import pandas as pd

    return pd.Series(np.array(values, dtype=bool)).array


def _text(values: list[Any]) -> Any:
    import pandas as pd

    return pd.Series(values, dtype=text_dtype()).array


@cache
def text_dtype() -> Any:
    """Return the dtype that this pandas gives to text."""
    import pandas as pd

    return "str" if pd.Series(["a"]).dtype != object else object


def _datetimes(values: list[Any]) -> Any:
    import pandas as pd

    offsets = {value.utcoffset() for value in values if value is not None}
    if None in offsets and len(offsets) > 1:
        return _objects(values)  # naive and aware: no dtype holds both
    if offsets and None not in offsets:
        in_utc = [v if v is None else v.astimezone(UTC).replace(tzinfo=None) for v in values]
        return pd.Series(np.array(in_utc, dtype="M8[us]")).dt.tz_localize("UTC").array
    return pd.Series(np.array(values, dtype="M8[us]")).array


def _timedeltas(values: list[Any]) -> Any:
    import pandas as pd

    # as integers, since numpy before 2 does not notice what is too long for it
    micros = [None if value is None else value // _MICROSECOND for value in values]
    if _NEVER in micros:
        return _objects(values)
    micros = [_NEVER if value is None else value for value in micros]
    return pd.Series(np.array(micros, dtype=np.int64).view("m8[us]")).array


_MASKED: Final = frozenset({"int", "bool"})
_BUILDERS: Final[dict[str, tuple[type, Any]]] = {
    "int": (int, _integers),
    "float": (float, _floats),
    "bool": (bool, _booleans),
    "str": (str, _text),
    "datetime": (datetime, _datetimes),
    "timedelta": (timedelta, _timedeltas),
}
