"""Rows taken out of a column, with a gap where there is none to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prodml._core.columns import numpy_dtype

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["take_rows"]


def take_rows(column: Any, rows: npt.NDArray[np.int64], /) -> Any:
    """Return a column with the values of some rows.

    Parameters
    ----------
    column : pandas array
        Of any dtype.
    rows : numpy.ndarray of int64
        Positions; -1 for a missing value.

    Returns
    -------
    pandas array or numpy.ndarray
        Of the same dtype. Where values are missing, integers and booleans become pandas' nullable
        ones, which keep every digit, and objects get None.
    """
    missing = rows < 0
    plain = numpy_dtype(column)
    if not missing.any():
        return np.asarray(column)[rows] if plain is not None else column.take(rows)
    if plain is None:
        return column.take(rows, allow_fill=True)
    values = np.asarray(column)
    if plain.kind in "iub":
        return _nullable(values, rows, missing)
    from pandas.api.extensions import take

    taken = take(values, rows, allow_fill=True)
    if plain.kind == "O":
        taken[missing] = None
    return taken


def _nullable(
    values: npt.NDArray[Any], rows: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_]
) -> Any:
    import pandas as pd

    taken = np.zeros(len(rows), dtype=values.dtype.newbyteorder("="))
    if len(values):
        np.take(values, rows, out=taken, mode="clip")
    kind = pd.arrays.BooleanArray if values.dtype.kind == "b" else pd.arrays.IntegerArray
    return kind(taken, missing)
