"""The boundary cast of columns that are of the declared type already, as a whole.

What is not certain to be of it is left to the cast by value, which is slower and names the culprit.
Types are looked at before gaps, as the cast by value does.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.columns import (
    booleans_of,
    integers_of,
    is_categorical,
    missing_mask,
    moments_of,
    numbers_of,
    numpy_dtype,
    python_objects,
    python_values,
    within_python_range,
)
from prodml.features._cast_values import INT64_END, LARGEST_EXACT, refuse_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from prodml.features.field import Field

__all__ = [
    "DTYPES",
    "READY",
    "AbsentValues",
    "array_of",
    "cast_typed",
    "gaps_of",
    "refuse_missing",
]

#: How numpy stores each kind that features see.
DTYPES: Final = {"f": np.float64, "i": np.int64, "b": np.bool_, "s": np.object_}
#: Types of cells that need no cast of their own.
READY: Final[dict[str, frozenset[type]]] = {
    "float64": frozenset({float}),
    "int64": frozenset({int}),
    "bool": frozenset({bool}),
    "string": frozenset({str, type(None)}),
    "timestamp[us, UTC]": frozenset({datetime}),
}


class AbsentValues(Exception):  # noqa: N818 - a signal; callers see MissingInputError
    """Rows without a value, where the field must have one."""

    def __init__(self, rows: Iterable[int]) -> None:
        super().__init__()
        self.rows = [*rows]


def cast_typed(field: Field, column: Any, /) -> npt.NDArray[Any] | None:
    """Return a column as features see it, or None where it must be cast value by value.

    Raises
    ------
    AbsentValues
        For missing values where there must be none.
    InputTypeError
        For the first value that the declared type does not take.
    """
    return _FAST[field.dtype](field, column)


def array_of(cells: list[Any], kind: str, /) -> npt.NDArray[Any]:
    """Return cells that are cast as a column of a kind."""
    if kind != "s":
        return np.array(cells, dtype=DTYPES[kind])
    out = np.empty(len(cells), dtype=np.object_)
    out[:] = cells
    return out


def gaps_of(column: npt.NDArray[Any], /) -> npt.NDArray[np.bool_]:
    """Return where a cast column has no value."""
    if column.dtype.kind == "f":
        return np.asarray(np.isnan(column))
    if column.dtype.kind == "O":
        return np.asarray(column == np.array(None, dtype=object), dtype=bool)
    return np.zeros(len(column), dtype=bool)


def refuse_missing(absent: npt.NDArray[np.bool_], /) -> None:
    """Raise AbsentValues where there are some."""
    if absent.any():
        raise AbsentValues(np.flatnonzero(absent).tolist())


def _fast_floats(field: Field, column: Any) -> npt.NDArray[Any] | None:
    values = numbers_of(column)
    if values is None:
        if (flags := booleans_of(column)) is not None:
            numbers: npt.NDArray[Any] = flags.astype(np.float64)
        elif (integers := integers_of(column)) is not None:
            numbers = _exact_floats(field, integers)
        else:
            return None
        values = _with_gaps(column, numbers)
    if not field.nullable:
        refuse_missing(np.isnan(values))
    return values


def _with_gaps(column: Any, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if numpy_dtype(column) is not None:
        return numbers
    return np.where(missing_mask(column), np.nan, numbers)


def _exact_floats(field: Field, integers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if integers.dtype.itemsize == np.dtype(np.int64).itemsize and integers.size:
        beyond = integers > LARGEST_EXACT
        if integers.dtype.kind == "i":
            beyond |= integers < -LARGEST_EXACT
        if beyond.any():
            row = int(np.argmax(beyond))
            why = "is beyond 2**53 and would lose digits as a float"
            raise refuse_value(field, int(integers[row]), why, row=row)
    return integers.astype(np.float64)


def _fast_integers(field: Field, column: Any) -> npt.NDArray[Any] | None:
    integers = integers_of(column)
    if integers is None:
        if (flags := booleans_of(column)) is None:
            return _whole_numbers(field, column)
        integers = flags.astype(np.int64)
    if field.nullable:
        return _with_gaps(column, _exact_floats(field, integers))
    if integers.dtype.kind == "u" and integers.size and int(integers.max()) >= INT64_END:
        return None  # the cast by value names the culprit
    if numpy_dtype(column) is None:
        refuse_missing(missing_mask(column))
    return integers.astype(np.int64, copy=False)


def _whole_numbers(field: Field, column: Any) -> npt.NDArray[Any] | None:
    """Return floats without a fraction, as pandas makes of integers with a gap."""
    values = numbers_of(column)
    if values is None:
        return None
    absent = np.isnan(values)
    whole = absent | ((np.floor(values) == values) & (np.abs(values) <= LARGEST_EXACT))
    if not whole.all():
        row = int(np.argmin(whole))
        why = "is no integer of at most 2**53"
        raise refuse_value(field, float(values[row]), why, row=row)
    if not field.nullable:
        refuse_missing(absent)
    return values + 0.0 if field.nullable else values.astype(np.int64)


def _fast_booleans(field: Field, column: Any) -> npt.NDArray[Any] | None:
    flags = booleans_of(column)
    if flags is None:
        return None
    if field.nullable:
        return _with_gaps(column, flags.astype(np.float64))
    if numpy_dtype(column) is None:
        refuse_missing(missing_mask(column))
    return flags


def _fast_text(field: Field, column: Any) -> npt.NDArray[Any] | None:
    if is_categorical(column):
        return None
    objects = python_objects(column)
    if objects is None:
        if type(column.dtype).__name__ not in {"StringDtype", "ArrowDtype"}:
            return None
        objects = array_of(python_values(column), "s")
    kinds = set(map(type, objects.tolist()))
    if kinds == {str, float}:  # NaN is how pandas says that text is missing
        objects = objects.copy()
        objects[np.asarray(objects != objects, dtype=bool)] = None  # noqa: PLR0124
        kinds = set(map(type, objects.tolist()))
    if not kinds <= READY["string"]:
        return None  # other ways to say missing, or no text: value by value
    if type(None) in kinds and not field.nullable:
        refuse_missing(gaps_of(objects))
    return objects


def _fast_moments(field: Field, column: Any) -> npt.NDArray[Any] | None:
    naive = numpy_dtype(column) is not None
    if naive and field.tz not in {"UTC", "Etc/UTC"}:
        return None  # refused, or read in its zone, value by value
    moments = moments_of(column)
    if moments is None:
        return None
    absent = moments == np.iinfo(np.int64).min
    inside = absent | within_python_range(moments)
    if field.nullable:
        inside &= absent | (np.abs(moments) <= LARGEST_EXACT)
    if not inside.all():
        return None  # the cast by value names the culprit
    if not field.nullable:
        refuse_missing(absent)
    return np.where(absent, np.nan, moments) if field.nullable else moments


_FAST: Final[dict[str, Callable[[Field, Any], npt.NDArray[Any] | None]]] = {
    "float64": _fast_floats,
    "int64": _fast_integers,
    "bool": _fast_booleans,
    "string": _fast_text,
    "timestamp[us, UTC]": _fast_moments,
}
