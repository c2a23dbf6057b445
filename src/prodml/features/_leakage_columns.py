"""Columns and labels as checks for leakage look at them: numbers or categories, known or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.canonical_columns import as_column, plain_column, text_objects
from prodml._core.canonical_scalars import FLOAT, INTEGER, NULL, TEXT, Unreadable
from prodml._core.columns import columns_of, factorize, numpy_dtype
from prodml.errors import InputTypeError, MissingInputError
from prodml.features._frame_checks import definition_error
from prodml.features._single_column_scores import Label

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Column", "label_of", "named_columns", "read_column"]

#: Numbers with at most this many different values are classes.
_MOST_CLASSES: Final = 20
_MOST_ROWS: Final = 5
_MATRIX: Final = 2


class Column(NamedTuple):
    """A column, without its missing values.

    Attributes
    ----------
    values : numpy.ndarray
        The known values: numbers, or codes of categories from 0.
    known : numpy.ndarray of bool
        Where the column has a value.
    is_number : bool
        Whether the order of the values says anything.
    names_rows : bool
        Whether they are of a kind that may name rows: text, or whole numbers.
    """

    values: npt.NDArray[Any]
    known: npt.NDArray[np.bool_]
    is_number: bool
    names_rows: bool


def named_columns(features: Any, what: str, /) -> list[tuple[str, Any]]:
    """Return the columns of a frame or a matrix with their names.

    Raises
    ------
    InputTypeError
        If it is neither.
    """
    import pandas as pd

    if isinstance(features, pd.DataFrame):
        names = [str(label) for label in features.columns]
        return list(zip(names, columns_of(features), strict=True))
    if isinstance(features, np.ndarray) and features.ndim == _MATRIX:
        return [(str(at), features[:, at]) for at in range(features.shape[1])]
    message = (
        f"{what} must be a DataFrame or an array of two dimensions, got {type(features).__name__}."
    )
    raise InputTypeError(message, field=what, got=type(features), expected="pandas.DataFrame")


def read_column(column: Any, /) -> Column | None:
    """Return a column as numbers or categories; None if it holds neither."""
    column = as_column(column)
    dtype = numpy_dtype(column)
    if dtype is not None and dtype.kind == "M":  # without a time zone, yet in order
        moments = np.asarray(column)
        known = ~np.isnat(moments)
        return Column(moments[known].view(np.int64), known, is_number=True, names_rows=False)
    try:
        plain = plain_column(column)
    except Unreadable:
        return None
    n_rows = len(column)
    tag, values, missing = plain
    if tag == NULL:
        nothing = np.zeros(n_rows, dtype=bool)
        return Column(np.zeros(0), nothing, is_number=True, names_rows=False)
    known = np.ones(n_rows, dtype=bool) if missing is None else ~missing
    values = (text_objects(plain) if tag == TEXT else values)[known]
    if values.dtype != object:
        whole = tag == FLOAT and bool(np.all(values == np.rint(values)))
        named = tag == INTEGER or whole
        return Column(values, known, is_number=True, names_rows=named)
    return Column(factorize(values)[0], known, is_number=False, names_rows=True)


def label_of(y: Any, n_rows: int, /) -> Label:
    """Return a label as classes or numbers.

    Raises
    ------
    InputTypeError
        If it holds no plain values.
    MissingInputError
        If it lacks a value; ``.rows`` are the first such rows.
    FeatureDefinitionError
        If it has not one value for each row.
    """
    values = list(y) if not hasattr(y, "dtype") and not isinstance(y, list | tuple) else y
    if len(values) != n_rows or getattr(values, "ndim", 1) != 1:
        shape = getattr(values, "shape", (len(values),))
        raise definition_error([f"`y` must have one value a row, {n_rows:,} in all, got {shape}"])
    column = read_column(values)
    if column is None:
        message = "`y` must hold numbers, booleans or text, all of one type."
        raise InputTypeError(message, field="y", got=type(y), expected="numbers, booleans or text")
    absent = np.flatnonzero(~column.known)
    if len(absent):
        message = (
            f"`y` has no value in {len(absent):,} rows, first in row {absent[0]}. Leave out the "
            "rows whose label is not known."
        )
        raise MissingInputError(message, fields=["y"], rows=absent[:_MOST_ROWS].tolist())
    numbers, _, is_number, is_whole = column
    if not is_number:
        return Label(numbers, int(numbers.max(initial=-1)) + 1)
    distinct, codes = np.unique(numbers, return_inverse=True)
    if len(distinct) <= _MOST_CLASSES and (is_whole or distinct.dtype == bool):
        return Label(codes, len(distinct))
    return Label(numbers, 0)
