"""Columns of any container in the one form that canonical bytes are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prodml._core.canonical_arrow import plain_arrow
from prodml._core.canonical_objects import object_array, plain_objects
from prodml._core.canonical_plain import NO_VALUES, PlainColumn, plain_numpy, plain_times, scattered
from prodml._core.canonical_scalars import (
    MOMENT,
    NANOSECONDS,
    TEXT,
    Unreadable,
    unmasked,
    unreadable_value,
)
from prodml._core.columns import (
    is_arrow_backed,
    is_categorical,
    is_masked,
    numpy_dtype,
    python_objects,
)
from prodml.errors import UnkeyableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["as_column", "plain_column", "read_column", "row_count", "text_objects"]


def read_column(values: Any, label: Any, /) -> PlainColumn:
    """Return a column in its plain form.

    Parameters
    ----------
    values : array_like
        An array, a Series, an extension array of pandas, or a list.
    label : object
        Its name, for messages.

    Raises
    ------
    UnkeyableError
        If it holds values of several types, times without a time zone, or what has no canonical
        bytes, such as a list.
    """
    try:
        return plain_column(as_column(values))
    except Unreadable as fault:
        raise fault.of_column(label) from None


def row_count(columns: Sequence[tuple[Any, Any]], n_rows: int | None, /) -> int:
    """Return the length that columns have in common; 0 where nothing tells it.

    Raises
    ------
    UnkeyableError
        If they differ in length, from each other or from `n_rows`.
    """
    for label, values in columns:
        own = len(values) if _has_length(values) else n_rows
        if n_rows is not None and own != n_rows:
            message = (
                f"No key can be made: column {label!r} has {own} rows, another {n_rows}. "
                "Give columns of one length."
            )
            raise UnkeyableError(message, column=str(label))
        n_rows = own
    return n_rows or 0


def _has_length(values: Any) -> bool:
    return hasattr(values, "__len__") and getattr(values, "ndim", 1) > 0


def as_column(values: Any, /) -> Any:
    """Return an array, Series or list as a column: one-dimensional, with a dtype and a length.

    Raises
    ------
    Unreadable
        If it is none of them, or has more than one dimension.
    """
    if type(values) is np.ndarray and values.ndim == 1:
        return values
    if isinstance(values, list | tuple):
        return object_array(values, len(values))
    if isinstance(values, np.ma.MaskedArray):
        values = unmasked(values)
    column = getattr(values, "array", values)  # of a Series or an Index
    if not hasattr(column, "dtype") or not hasattr(column, "ndim"):
        raise unreadable_value(values)
    if column.ndim != 1:
        reason = f"an array of {column.ndim} dimensions"
        raise Unreadable(reason, "Give each of its columns under a name of its own.")
    return column


def plain_column(column: Any, /) -> PlainColumn:
    """Return what :func:`as_column` gave in its plain form.

    Raises
    ------
    Unreadable
        If its values have no canonical bytes as a column.
    """
    if type(column) is np.ndarray or numpy_dtype(column) is not None:
        return _of_numpy(np.asarray(column))
    if is_categorical(column):
        return _of_categories(column)
    if type(column.dtype).__name__ == "DatetimeTZDtype":
        return plain_times(MOMENT, column.asi8, NANOSECONDS[column.dtype.unit])
    if is_arrow_backed(column):
        return plain_arrow(column)
    if is_masked(column):
        filled = column.to_numpy(dtype=column.dtype.numpy_dtype, na_value=0)
        return plain_numpy(filled, np.asarray(column.isna(), dtype=bool))
    objects = python_objects(column)
    return _of_numpy(np.asarray(column) if objects is None else objects)


def text_objects(column: PlainColumn, /) -> npt.NDArray[np.object_]:
    """Return the values of a column of text as an array of str."""
    values = column.values
    objects: npt.NDArray[np.object_]
    objects = values if isinstance(values, np.ndarray) else values.to_numpy()
    return objects


def _of_numpy(values: npt.NDArray[Any]) -> PlainColumn:
    return plain_objects(values.tolist()) if values.dtype.kind in "OUS" else plain_numpy(values)


def _of_categories(column: Any) -> PlainColumn:
    codes = np.asarray(column.codes, dtype=np.int64)
    missing = codes < 0
    if missing.all():
        return NO_VALUES
    # what no row uses must not decide how the others are read
    used = np.flatnonzero(np.bincount(codes[~missing], minlength=len(column.categories)))
    categories = plain_column(column.categories.array.take(used))
    values = text_objects(categories) if categories.tag == TEXT else categories.values
    places = np.zeros(len(column.categories), dtype=np.int64)
    places[used] = np.arange(len(used))
    known = PlainColumn(categories.tag, values[places[codes[~missing]]], None)
    return scattered(known, missing) if missing.any() else known
