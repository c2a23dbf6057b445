"""Single values: the one place that knows what pandas and numpy call a value or its absence."""

from __future__ import annotations

import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

__all__ = ["PLAIN_TYPES", "OutOfRange", "normalise"]

#: Types whose every value stands for itself. Floats are not among them, because of NaN.
PLAIN_TYPES: Final[frozenset[type]] = frozenset(
    {bool, bytes, date, datetime, int, str, time, timedelta, type(None), UUID}
)

#: Units of numpy below the microsecond, of which datetime holds no more than that.
_FINER_UNITS: Final = frozenset({"ns", "ps", "fs", "as"})


def normalise(value: Any, /) -> Any:
    """Return the plain Python value that a cell stands for.

    Everything that pandas counts as missing (NaN, NaT, NA, None, a Decimal NaN) becomes None;
    numpy and pandas scalars become the builtin of the same value; arrays become lists. Containers
    are searched. Both doors of a contract pass every value through here, which is why a row of a
    frame and a record with the same content get the same verdict.

    Parameters
    ----------
    value : object
        A cell of a frame or a value of a record.

    Returns
    -------
    object
        The same object where nothing had to change.

    Notes
    -----
    Nanoseconds are cut off, since :class:`datetime.datetime` holds microseconds. Moments that it
    cannot hold at all (the year 10000) come back as ``OutOfRange``, which pydantic rejects.

    Examples
    --------
    >>> import numpy as np
    >>> normalise(np.int64(3)), normalise(float("nan")), normalise({"a": [np.nan, 1.0]})
    (3, None, {'a': [None, 1.0]})
    """
    kind = type(value)
    if kind in PLAIN_TYPES:
        return value
    if kind is float:
        return None if value != value else value  # noqa: PLR0124 - NaN differs from itself
    if kind is dict:
        return _same_or_new(value, {key: normalise(item) for key, item in value.items()})
    if kind is list:
        return _same_or_new(value, [normalise(item) for item in value])
    if kind is tuple:
        return _same_or_new(value, tuple([normalise(item) for item in value]))
    if kind is Decimal:
        return None if value.is_nan() else value
    return _foreign(value)


def _same_or_new(old: Any, new: Any) -> Any:
    old_items = old.values() if isinstance(old, dict) else old
    new_items = new.values() if isinstance(new, dict) else new
    return old if all(a is b for a, b in zip(old_items, new_items, strict=True)) else new


def _foreign(value: Any) -> Any:
    # A value of a library can only exist where that library has been imported.
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, pandas.Timestamp):
            return _within_range(value, lambda: value.to_pydatetime(warn=False))
        if isinstance(value, pandas.Timedelta):
            return _within_range(value, value.to_pytimedelta)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(value, numpy.datetime64 | numpy.timedelta64):
            return _numpy_time(value, numpy)
        if isinstance(value, numpy.longdouble):
            return normalise(float(value))
        if isinstance(value, numpy.generic):
            item = value.item()
            return value if isinstance(item, numpy.generic) else normalise(item)
        if isinstance(value, numpy.ndarray):
            return normalise(value.tolist())
    return value


class OutOfRange:
    """A moment or a duration that Python's own types cannot hold.

    The bare value would not do: a pandas Timestamp is a datetime to pydantic, which reads it wrong
    beyond the year 9999, and numpy's is an int to it.

    Attributes
    ----------
    value : object
        The value as it came.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"OutOfRange({self.value!r})"


def _within_range(value: Any, convert: Any) -> Any:
    try:
        return convert()
    except (ValueError, OverflowError):
        return OutOfRange(value)


def _numpy_time(value: Any, numpy: Any) -> Any:
    if numpy.isnat(value):
        return None
    try:
        fine = value.astype(f"{value.dtype.kind}8[us]")
        # before numpy 2.5 a coarser unit overflows unnoticed
        exact = fine.astype(value.dtype) == value
    except OverflowError:
        return OutOfRange(value)
    if not exact and numpy.datetime_data(value.dtype)[0] not in _FINER_UNITS:
        return OutOfRange(value)
    # item() of nanoseconds is an int, which pydantic would read as a UNIX time
    item = fine.item()
    return item if isinstance(item, datetime | timedelta) else OutOfRange(value)
