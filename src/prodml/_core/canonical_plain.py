"""Columns of one plain type, the form of which canonical bytes are made.

What such a column holds depends on the values alone: not on the width of the integers, the unit of
the times, or the kind of what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.canonical_scalars import (
    BOOLEAN,
    DURATION,
    FLOAT,
    INTEGER,
    NANOSECONDS,
    NULL,
    Unreadable,
    without_time_zone,
)
from prodml._core.canonical_tokens import BIG

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "NO_VALUES",
    "PlainColumn",
    "filled",
    "no_moments",
    "plain_floats",
    "plain_integers",
    "plain_numpy",
    "plain_times",
    "scattered",
]

_NEVER: Final = -(2**63)
_LARGEST: Final = 2**63 - 1
_LARGEST_ITEM: Final = 8


class PlainColumn(NamedTuple):
    """A column of one plain type.

    Attributes
    ----------
    tag : bytes
        The letter of its type: ``NULL`` where no cell holds a value.
    values : object
        For integers, dates and times an array of int64, for floats of float64, for booleans of
        bool. For text an array of str, or chunks of text in Arrow. Else an array of objects:
        bytes for bytes, Decimals and UUIDs; ints for numbers, some of which 64 bits do not hold.
        Zero, or empty, where missing.
    missing : numpy.ndarray of bool or None
        Where no value is; None if that is nowhere.
    """

    tag: bytes
    values: Any
    missing: npt.NDArray[np.bool_] | None


NO_VALUES: Final = PlainColumn(NULL, None, None)


def plain_numpy(
    values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None
) -> PlainColumn:
    """Return the numbers, booleans or durations of numpy as a plain column.

    Raises
    ------
    Unreadable
        If they are of another dtype.
    """
    kind = values.dtype.kind
    if kind == "i":
        return filled(INTEGER, values.astype("<i8", copy=False), missing)
    if kind == "f" and values.dtype.itemsize <= _LARGEST_ITEM:
        return plain_floats(values, missing)
    if kind == "u":
        return _unsigned(values, missing)
    if kind == "b":
        return filled(BOOLEAN, values, missing)
    if kind == "m":
        unit, count = np.datetime_data(values.dtype)
        if unit in NANOSECONDS:
            counts = values.astype(values.dtype.newbyteorder("="), copy=False).view(np.int64)
            return plain_times(DURATION, counts, NANOSECONDS[unit] * count)
    if kind == "M":
        return no_moments(np.isnat(values))
    reason = f"values of the dtype {values.dtype.name!r}"
    raise Unreadable(reason, "Turn them into integers, float64, durations in 'ns', or text.")


def no_moments(missing: npt.NDArray[np.bool_], /) -> PlainColumn:
    """Return a column without values where all are missing: moments of no time zone are refused."""
    if missing.all():
        return NO_VALUES
    first = int(np.argmin(missing))
    what = f"moments, first in row {first},"
    raise without_time_zone(what)


def filled(
    tag: bytes, values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None
) -> PlainColumn:
    """Return a column with zeros where values are missing."""
    if not len(values):
        return NO_VALUES
    if missing is not None:
        if missing.all():
            return NO_VALUES
        if not missing.any():
            missing = None
        elif values[missing].any():
            values = np.where(missing, np.zeros(1, dtype=values.dtype), values)
    return PlainColumn(tag, values, missing)


def plain_floats(
    values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None
) -> PlainColumn:
    """Return floats as a plain column, in which NaN is missing and -0.0 is 0.0."""
    # adding zero turns -0.0 into 0.0, and makes the array our own
    wide = values.astype("<f8", copy=False) + 0.0
    absent = np.isnan(wide)
    if absent.any():
        missing = absent if missing is None else missing | absent
        wide[absent] = 0.0
    return filled(FLOAT, wide, missing)


def _unsigned(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None) -> PlainColumn:
    column = filled(INTEGER, values, missing)
    if column.tag == NULL:
        return column
    if int(column.values.max()) <= _LARGEST:
        return column._replace(values=column.values.astype("<i8"))
    return PlainColumn(BIG[INTEGER], column.values.astype(object), column.missing)


def plain_times(tag: bytes, counts: npt.NDArray[np.int64], multiplier: int, /) -> PlainColumn:
    """Return counts of some unit as nanoseconds; the least int64 stands for a missing one."""
    absent = counts == _NEVER
    column = filled(tag, counts.astype("<i8", copy=False), absent if absent.any() else None)
    if multiplier == 1 or column.tag == NULL:
        return column
    limit = _LARGEST // multiplier
    if column.values.max() <= limit and column.values.min() >= -limit:
        return column._replace(values=column.values * multiplier)
    return PlainColumn(BIG[tag], column.values.astype(object) * multiplier, column.missing)


def plain_integers(tag: bytes, numbers: list[int], /) -> PlainColumn:
    """Return Python's ints as a plain column, none of them missing."""
    try:
        return PlainColumn(tag, np.fromiter(numbers, dtype="<i8", count=len(numbers)), None)
    except OverflowError:
        return PlainColumn(BIG[tag], np.fromiter(numbers, dtype=object, count=len(numbers)), None)


def scattered(known: PlainColumn, missing: npt.NDArray[np.bool_], /) -> PlainColumn:
    """Return the values of a column spread over the rows where none is missing."""
    first = known.values[0]
    empty = type(first)() if known.values.dtype == object else first.dtype.type(0)
    values = np.full(len(missing), empty, dtype=known.values.dtype)
    values[~missing] = known.values
    return PlainColumn(known.tag, values, missing)
