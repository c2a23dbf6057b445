"""What callers give, as the plain arrays that the kernels trust."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_scalars import unmasked
from prodml._core.columns import (
    booleans_of,
    integers_of,
    is_arrow_backed,
    is_masked,
    missing_mask,
    numbers_of,
)
from prodml._core.scalars import normalise
from prodml.errors import SummaryError, SummaryTypeError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "FiniteValues",
    "as_column",
    "checked_codes",
    "finite_part",
    "float64_values",
    "refuse_length",
    "whole_number",
]

#: Integers up to here are all held by float64.
_EXACT_INTEGER: Final = 2**53
_NUMBERS: Final = frozenset({float, int, bool, type(None)})


def as_column(values: Any, /, *, argument: str) -> Any:
    """Return a numpy or extension array of one dimension.

    Lists become arrays of objects, unless they hold nothing but floats.
    """
    values = getattr(values, "array", values)  # of a Series
    if getattr(values, "ndim", 1) != 1:
        shape = getattr(values, "shape", None)
        message = f"`{argument}` must have one dimension, got shape {shape}. Give one column."
        raise SummaryError(message, argument=argument, value=shape)
    if isinstance(values, np.ma.MaskedArray):
        return unmasked(values)
    if hasattr(values, "dtype"):
        return values
    if isinstance(values, str | bytes | dict) or not hasattr(values, "__iter__"):
        kind = type(values).__name__
        message = f"`{argument}` must be an array or a list of values, got {kind}."
        raise SummaryTypeError(message, argument=argument, value=values)
    return _objects(list(values))


def _objects(values: list[Any]) -> npt.NDArray[Any]:
    if set(map(type, values)) <= {float}:
        return np.array(values, dtype=np.float64)
    return np.fromiter(values, dtype=object, count=len(values))


def float64_values(values: Any, /, *, argument: str) -> npt.NDArray[np.float64]:
    """Return contiguous float64, NaN where a value is missing.

    Raises
    ------
    SummaryTypeError
        If `values` are no real numbers.
    SummaryError
        If float64 does not hold an integer, or there are two dimensions.
    """
    if type(values) is np.ndarray and values.dtype == np.float64 and values.ndim == 1:
        return np.ascontiguousarray(values, dtype=np.float64)
    column = as_column(values, argument=argument)
    if (floats := numbers_of(column)) is not None:
        return np.ascontiguousarray(floats, dtype=np.float64)
    if (integers := integers_of(column)) is not None:
        return _with_missing(_exact(integers, argument), column)
    if (booleans := booleans_of(column)) is not None:
        return _with_missing(booleans.astype(np.float64), column)
    if column.dtype.kind == "O":
        return _from_objects(column, argument)
    message = (
        f"`{argument}` must be real numbers, got dtype {column.dtype}. Convert the values, "
        "or leave them out."
    )
    raise SummaryTypeError(message, argument=argument, value=str(column.dtype))


@dataclass(frozen=True, slots=True)
class FiniteValues:
    """The finite ones of some values, and how many others there are.

    Attributes
    ----------
    finite : ndarray of float64
        In the order they came in.
    minimum, maximum : float or None
        Of these; never -0.0, which equals 0.0, so that the order would decide between them.
    counts : dict of str to int
        Fields of a summary: ``n`` in all, and, where there are some, those that are not finite.
    """

    finite: npt.NDArray[np.float64]
    minimum: float | None
    maximum: float | None
    counts: dict[str, Any]


def finite_part(values: npt.NDArray[np.float64], /) -> FiniteValues:
    """Return the finite values, with the others counted."""
    counts: dict[str, Any] = {"n": len(values)}
    # a NaN wins both, so that two passes tell that there is none
    low = float(np.minimum.reduce(values, initial=np.inf))
    high = float(np.maximum.reduce(values, initial=-np.inf))
    if not (math.isfinite(low) and math.isfinite(high)):
        counts["n_missing"] = int(np.count_nonzero(np.isnan(values)))
        counts["n_negative_infinite"] = int(np.count_nonzero(values == -np.inf))
        counts["n_positive_infinite"] = int(np.count_nonzero(values == np.inf))
        values = values[np.isfinite(values)]
        if not len(values):
            return FiniteValues(values, None, None, counts)
        low, high = float(values.min()), float(values.max())
    return FiniteValues(values, low + 0.0, high + 0.0, counts)


def _exact(integers: npt.NDArray[Any], argument: str) -> npt.NDArray[np.float64]:
    floats = integers.astype(np.float64)
    if len(integers) and max(-int(integers.min()), int(integers.max())) > _EXACT_INTEGER:
        # as Python's integers: 2 ** 63 rounds to what is no int64
        for position in np.flatnonzero(np.abs(floats) >= _EXACT_INTEGER).tolist():
            if int(floats[position]) != int(integers[position]):
                raise _inexact(int(integers[position]), position, argument)
    return floats


def _inexact(value: int, position: int, argument: str) -> SummaryError:
    message = (
        f"`{argument}` holds {value} at position {position}, which float64 does not hold exactly. "
        "Round it on purpose, with astype(float)."
    )
    return SummaryError(message, argument=argument, position=position, value=value)


def _with_missing(floats: npt.NDArray[np.float64], column: Any) -> npt.NDArray[np.float64]:
    if is_masked(column) or is_arrow_backed(column):
        floats[missing_mask(column)] = np.nan
    return floats


def _from_objects(column: Any, argument: str) -> npt.NDArray[np.float64]:
    cells = np.asarray(column, dtype=object).tolist()
    kinds = set(map(type, cells))
    if not kinds <= _NUMBERS:
        cells = [cell if type(cell) in _NUMBERS else normalise(cell) for cell in cells]
        for position, cell in enumerate(cells):
            if type(cell) not in _NUMBERS:
                kind = type(cell).__name__
                message = (
                    f"`{argument}` must be real numbers, got {kind} at position {position}. "
                    "Convert the values, or leave them out."
                )
                raise SummaryTypeError(message, argument=argument, position=position, value=cell)
    if int in set(map(type, cells)):
        for position, cell in enumerate(cells):
            if type(cell) is int and not _is_exact(cell):
                raise _inexact(cell, position, argument)
    return np.array(cells, dtype=np.float64)


def _is_exact(number: int) -> bool:
    try:
        return int(float(number)) == number
    except OverflowError:
        return False


def refuse_length(argument: str, got: int, other: str, expected: int) -> None:
    """Raise where two arguments must be of one length and are not."""
    if got != expected:
        message = (
            f"`{argument}` must have one value for each of `{other}`, got {got} for {expected}."
        )
        raise SummaryError(message, argument=argument, value=got)


def whole_number(value: Any, /, *, argument: str, least: int) -> int:
    """Return an integer argument that is at least `least`."""
    if isinstance(value, np.integer):
        value = int(value)
    if type(value) is not int:
        kind = type(value).__name__
        message = f"`{argument}` must be an integer >= {least}, got {value!r} of type {kind}."
        raise SummaryTypeError(message, argument=argument, value=value)
    if value < least:
        message = f"`{argument}` must be an integer >= {least}, got {value}."
        raise SummaryError(message, argument=argument, value=value)
    return value


def checked_codes(codes: Any, /, *, n_uniques: int) -> npt.NDArray[np.int64]:
    """Return codes as int64, of which -1 stands for a missing value."""
    column = np.asarray(codes)
    if column.ndim != 1 or (column.dtype.kind not in "iu" and len(column)):
        message = (
            "`codes` must be integers in one dimension, got "
            f"dtype {column.dtype} and shape {column.shape}."
        )
        raise SummaryTypeError(message, argument="codes", value=str(column.dtype))
    if not len(column):
        return np.empty(0, dtype=np.int64)
    if int(column.min()) < -1 or int(column.max()) >= n_uniques:
        position = int(np.flatnonzero((column < -1) | (column >= n_uniques))[0])
        value = int(column[position])
        message = (
            f"`codes` must lie between -1 and {n_uniques - 1}, got {value} at position {position}. "
            "A code is a position in `uniques`, or -1 for a missing value."
        )
        raise SummaryError(message, argument="codes", position=position, value=value)
    return column.astype(np.int64, copy=False)
