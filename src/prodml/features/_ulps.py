"""How far two floats are apart, in steps between neighbours (units in the last place)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "MOST_ULPS",
    "NO_DISTANCE",
    "column_scales",
    "differing_cells",
    "ulps_between",
    "whole_columns",
]

#: How far the same features may be apart on another CPU or with another numpy. Measured with the
#: vector units of one CPU switched off: log1p, exp and pow move by 1 ulp in about 5 % of values,
#: tanh by up to 3; float32 exp and log by up to 3. Four leaves one to spare.
MOST_ULPS: Final = 4
#: Between NaN and a number, or infinity and another value, there is no distance.
NO_DISTANCE: Final = 2**64 - 1

_BITS: Final = {2: np.uint16, 4: np.uint32, 8: np.uint64}


def ulps_between(
    expected: npt.NDArray[np.floating[Any]], got: npt.NDArray[np.floating[Any]], /
) -> npt.NDArray[np.uint64]:
    """Return the number of steps from each float to the other.

    Parameters
    ----------
    expected, got : numpy.ndarray of float16, float32 or float64
        Of one dtype and shape.

    Returns
    -------
    numpy.ndarray of uint64
        0 for the same bits and for two NaNs; 1 between -0.0 and 0.0; ``NO_DISTANCE`` where one of
        them alone is NaN, or infinite.
    """
    one, other = _ranks(expected), _ranks(got)
    steps = np.maximum(one, other) - np.minimum(one, other)
    finite = np.isfinite(expected) & np.isfinite(got)
    same = (one == other) | (np.isnan(expected) & np.isnan(got))
    steps[~finite] = NO_DISTANCE
    steps[same] = 0
    return steps


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return integers in the order of the floats, one apart for neighbours."""
    kind = _BITS[values.dtype.itemsize]
    bits = np.ascontiguousarray(values).view(kind)
    sign = kind(1 << (8 * values.dtype.itemsize - 1))
    # negative floats run backwards
    return np.where(bits & sign, ~bits, bits | sign).astype(np.uint64)


def whole_columns(matrix: npt.NDArray[np.float64], /) -> npt.NDArray[np.bool_]:
    """Return which columns hold nothing but whole numbers, NaN and infinities.

    Flags, counts, buckets, categories and hashes: what does not come out alike there is another
    category, not another rounding.
    """
    # NaN and infinity are what their floor is, NaN by another name
    whole: npt.NDArray[np.bool_] = ((np.floor(matrix) == matrix) | np.isnan(matrix)).all(axis=0)
    return whole


def column_scales(matrix: npt.NDArray[np.float64], /) -> npt.NDArray[np.float64]:
    """Return the greatest finite magnitude in each column, 0 where there is none."""
    sizes = np.abs(matrix)
    scales: npt.NDArray[np.float64] = sizes.max(axis=0, initial=0.0, where=np.isfinite(sizes))
    return scales


def differing_cells(
    expected: npt.NDArray[np.float64],
    got: npt.NDArray[np.float64],
    /,
    *,
    most_ulps: int,
    whole: npt.NDArray[np.bool_],
    scales: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Return the cells that differ by more than is allowed.

    Parameters
    ----------
    expected, got : numpy.ndarray of float64, shape (n_rows, n_columns)
        Two ways to the same features.
    most_ulps : int
        What is allowed; with 0 every bit counts.
    whole : numpy.ndarray of bool, shape (n_columns,)
        Columns in which nothing is allowed but another sign of zero, of which minimum and maximum
        are free to return either.
    scales : numpy.ndarray of float64, shape (n_columns,)
        The size of the values of each column; `most_ulps` of it are allowed as well. One ulp in
        ``log1p(x)`` is many in ``log1p(x) - mean`` where that is near 0 (16 were measured), and
        still nothing beside its other values.
    """
    steps = ulps_between(expected, got)
    if not most_ulps:
        return steps > 0
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(got - expected) <= most_ulps * np.spacing(scales)
    beyond = (steps > most_ulps) & ~near
    beyond[:, whole] = (steps[:, whole] > 0) & (expected[:, whole] != got[:, whole])
    return beyond
