"""Checks that speak of single rows, over accepted columns and over single records."""

from __future__ import annotations

import operator
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.column_building import series_of
from prodml._core.columns import (
    NUL_IS_A_CHARACTER,
    distinct_values,
    durations_of,
    factorize,
    integers_of,
    is_arrow_backed,
    missing_mask,
    moments_of,
    numbers_of,
    numpy_dtype,
    object_text,
    pandas_major,
    python_objects,
    python_values,
)
from prodml._core.scalars import normalise
from prodml.contracts._plain import plain
from prodml.contracts.checks import Compare, ForeignKey, Unique

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt
    from pydantic import BaseModel

__all__ = ["SeenKeys", "breaks_compare", "record_breaks", "rows_that_break"]

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
#: float64 holds every integer up to here.
_EXACT_IN_FLOAT: Final = 2**53


class SeenKeys:
    """The keys of accepted rows, for :class:`Unique` over chunks. Not thread-safe.

    Holds one Python value a distinct key, some 100 bytes each.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], set[Any]] = {}

    def of(self, check: Unique) -> set[Any]:
        """Return the keys seen by one check, to be added to."""
        return self._seen.setdefault(check.columns, set())


def rows_that_break(
    check: Compare | Unique | ForeignKey, columns: Mapping[str, Any], seen: SeenKeys | None
) -> npt.NDArray[np.bool_]:
    """Return which accepted rows break a check."""
    if isinstance(check, Compare):
        return breaks_compare(columns[check.left], check.operator, columns[check.right])
    if isinstance(check, ForeignKey):
        return _breaks_reference(columns[check.column], check.reference)
    return _breaks_unique([columns[name] for name in check.columns], check, seen)


def record_breaks(check: Compare | ForeignKey, model: BaseModel) -> bool:
    """Say whether a validated record breaks a check."""
    # what a frame holds for the value: a default or a validator may have given NaN
    values = [normalise(plain(getattr(model, name))) for name in check.columns]
    if isinstance(check, ForeignKey):
        return _is_unknown(values[0], check.reference)
    return _breaks(values[0], _OPERATORS[check.operator], values[1])


def breaks_compare(left: Any, symbol: str, right: Any) -> npt.NDArray[np.bool_]:
    """Return where ``left <symbol> right`` does not hold; a missing value breaks nothing."""
    compare = _OPERATORS[symbol]
    pair = _comparable(left, right)
    if pair is not None:
        held = compare(*pair)
        absent = missing_mask(left) | missing_mask(right)
        broken: npt.NDArray[np.bool_] = ~np.asarray(held, dtype=bool) & ~absent
        return broken
    pairs = zip(python_values(left), python_values(right), strict=True)
    return np.fromiter((_breaks(a, compare, b) for a, b in pairs), dtype=bool, count=len(left))


def _comparable(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return two numpy arrays whose comparison means what it means in Python, or None."""
    for read in (integers_of, numbers_of, moments_of, durations_of):
        pair = read(left), read(right)
        if pair[0] is not None and pair[1] is not None:
            if read is moments_of and (numpy_dtype(left) is None) != (numpy_dtype(right) is None):
                return None  # naive and aware: Python refuses
            if read is integers_of and pair[0].dtype.kind != pair[1].dtype.kind:
                return None  # numpy compares int64 with uint64 as floats
            return pair
    whole, other = integers_of(left), numbers_of(right)
    flipped = whole is None
    if flipped:
        whole, other = integers_of(right), numbers_of(left)
    if whole is None or other is None or not _fits_float(whole):
        return None
    return (other, whole.astype(np.float64)) if flipped else (whole.astype(np.float64), other)


def _fits_float(whole: npt.NDArray[Any]) -> bool:
    return not len(whole) or (
        int(whole.max()) <= _EXACT_IN_FLOAT and int(whole.min()) >= -_EXACT_IN_FLOAT
    )


def _breaks(left: Any, compare: Callable[[Any, Any], Any], right: Any) -> bool:
    if left is None or right is None:
        return False
    try:
        return not compare(left, right)
    except TypeError:
        return True  # what cannot be compared does not hold


def _breaks_reference(column: Any, reference: frozenset[Any]) -> npt.NDArray[np.bool_]:
    found = distinct_values(column)
    if found is None:
        values = python_values(column)
        return np.fromiter((_is_unknown(v, reference) for v in values), bool, count=len(values))
    codes, values = found
    unknown = np.array([_is_unknown(value, reference) for value in values] + [False], dtype=bool)
    result: npt.NDArray[np.bool_] = unknown[codes]
    return result


def _is_unknown(value: Any, reference: frozenset[Any]) -> bool:
    if value is None:
        return False
    try:
        return value not in reference
    except TypeError:
        return True  # unhashable, so not in the reference


def _breaks_unique(
    columns: list[Any], check: Unique, seen: SeenKeys | None
) -> npt.NDArray[np.bool_]:
    import pandas as pd

    absent = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        absent |= missing_mask(column)
    repeated = np.zeros_like(absent)
    present = np.flatnonzero(~absent)
    if all(map(_has_hash, columns)):
        standing = columns if len(present) == len(absent) else [c.take(present) for c in columns]
        keys = pd.DataFrame({at: _as_key(column) for at, column in enumerate(standing)})
        repeated[present] = keys.duplicated(keep="first").to_numpy()
    else:
        repeated[_add_keys(columns, present, set())] = True
    if seen is not None:
        repeated[_add_keys(columns, np.flatnonzero(~absent & ~repeated), seen.of(check))] = True
    return repeated


def _has_hash(column: Any) -> bool:
    """Say whether pandas counts the values; without a hash it would compare each to each."""
    objects = python_objects(column)
    if objects is None:
        # Arrow does not count lists and structs
        return type(column.dtype).__name__ != "ArrowDtype" or column.dtype.kind != "O"
    kinds: set[Any] = set(map(type, objects.tolist()))
    # a tuple has a hash only if what is in it has
    return all(issubclass(kind, Hashable) and kind is not tuple for kind in kinds)


def _as_key(column: Any) -> Any:
    """Return a column without gaps in a form in which pandas tells all of its values apart."""
    if is_arrow_backed(column):
        # pandas compares Arrow's integers as floats
        numbers = integers_of(column)
        return series_of(column) if numbers is None else numbers
    objects = python_objects(column)
    if objects is None or pandas_major() >= NUL_IS_A_CHARACTER or object_text(column) is None:
        return series_of(column)
    return factorize(objects)[0]


def _add_keys(columns: list[Any], rows: npt.NDArray[np.int64], known: set[Any]) -> list[int]:
    """Add the keys of some rows to those that are known; return the rows whose key was known."""
    cells = [python_values(column.take(rows)) for column in columns]
    repeated = []
    for row, key in zip(rows.tolist(), zip(*cells, strict=True), strict=True):
        hashable = tuple(map(_hashable, key))
        if hashable in known:
            repeated.append(row)
        known.add(hashable)
    return repeated


def _hashable(value: Any) -> Any:
    """Return a stand-in with a hash for a list, a dict or a set: equal where these are equal."""
    if isinstance(value, dict):
        return "dict", frozenset((key, _hashable(one)) for key, one in value.items())
    if isinstance(value, list | tuple):
        return type(value).__name__, tuple(map(_hashable, value))
    if isinstance(value, set):
        return frozenset(value)
    return value if isinstance(value, Hashable) else repr(value)
