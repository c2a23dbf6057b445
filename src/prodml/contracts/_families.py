"""What the values of a column are, whatever the dtype they arrive in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from prodml._core.columns import (
    count_missing,
    distinct_values,
    is_arrow_backed,
    is_categorical,
    numpy_dtype,
    python_values,
)

__all__ = ["Family", "family_of", "known_values"]

#: Kinds of values that prodml tells apart; ``"nothing"`` where all are missing.
Family = Literal[
    "bool", "int", "float", "complex", "decimal", "str", "bytes", "date", "datetime", "time",
    "timedelta", "list", "dict", "mixed", "nothing", "other",
]  # fmt: skip

_OF_DTYPE_KIND: Final[dict[str, Family]] = {
    "b": "bool",
    "i": "int",
    "u": "int",
    "f": "float",
    "c": "complex",
    "M": "datetime",
    "m": "timedelta",
    "S": "bytes",
    "U": "str",
}
_OF_DTYPE_NAME: Final[dict[str, Family]] = {"StringDtype": "str", "DatetimeTZDtype": "datetime"}
#: By what pandas' own inference calls the objects of a column.
_OF_INFERENCE: Final[dict[str, Family]] = {
    "string": "str",
    "bytes": "bytes",
    "boolean": "bool",
    "integer": "int",
    "floating": "float",
    "mixed-integer-float": "float",
    "decimal": "decimal",
    "complex": "complex",
    "datetime": "datetime",
    "datetime64": "datetime",
    "date": "date",
    "time": "time",
    "timedelta": "timedelta",
    "timedelta64": "timedelta",
    "empty": "nothing",
}
#: By the Python type that an Arrow type stands for; subclasses first.
_OF_ARROW: Final[tuple[tuple[type, Family], ...]] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "str"),
    (bytes, "bytes"),
    (Decimal, "decimal"),
    (datetime, "datetime"),
    (date, "date"),
    (time, "time"),
    (timedelta, "timedelta"),
    (list, "list"),
    (dict, "dict"),
)
_OF_CONTAINERS: Final[dict[type, Family]] = {list: "list", dict: "dict"}


def family_of(column: Any, /) -> Family:
    """Return what the values of a column are.

    Parameters
    ----------
    column : array
        A column as ``Series.array`` gives it.
    """
    if is_categorical(column):
        return family_of(column.categories.array) if len(column.categories) else "nothing"
    if len(column) and count_missing(column) == len(column):
        return "nothing"
    dtype = numpy_dtype(column)
    if dtype is not None:
        if dtype.kind == "O":
            return _family_of_objects(column)
        return _OF_DTYPE_KIND.get(dtype.kind, "other")
    name = type(column.dtype).__name__
    if name in _OF_DTYPE_NAME:
        return _OF_DTYPE_NAME[name]
    if is_arrow_backed(column):
        kind = column.dtype.type
        return next((family for one, family in _OF_ARROW if issubclass(kind, one)), "other")
    # pandas' nullable columns have a kind, too
    return _OF_DTYPE_KIND.get(column.dtype.kind, "other") if hasattr(column, "_mask") else "other"


def _family_of_objects(column: Any) -> Family:
    from pandas.api.types import infer_dtype

    try:
        inferred = infer_dtype(column.to_numpy(), skipna=True)
    except ArithmeticError:  # pandas cannot bear a signalling Decimal NaN
        inferred = infer_dtype([one for one in python_values(column) if one is not None])
    if inferred in _OF_INFERENCE:
        return _OF_INFERENCE[inferred]
    if inferred.startswith("mixed"):
        kinds = {type(value) for value in python_values(column) if value is not None}
        return _OF_CONTAINERS.get(next(iter(kinds)), "mixed") if len(kinds) == 1 else "mixed"
    return "other"


def known_values(column: Any, /, *, limit: int) -> tuple[list[Any], bool]:
    """Return distinct plain values of a column, missing ones aside, and whether these are all.

    Parameters
    ----------
    column : array
        A column as ``Series.array`` gives it.
    limit : int
        How many to return at most. Of a column of mixed objects the first `limit` rows are read.
    """
    found = distinct_values(column)
    if found is None:
        values = [value for value in python_values(column[:limit]) if value is not None]
        return values, len(column) <= limit
    codes, uniques = found
    if is_categorical(column):  # categories that are declared need not occur
        used = set(codes[codes >= 0].tolist())
        uniques = [value for place, value in enumerate(uniques) if place in used]
    values = [value for value in uniques if value is not None]
    return values[:limit], len(values) <= limit
