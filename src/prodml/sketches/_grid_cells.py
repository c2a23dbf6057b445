"""Cells of a value grid: floats by the order of their bits, counted at the finest scale that fits.

The key of a float is its bit pattern as a signed integer: ``+-`` the 63 bits of its magnitude. Keys
are in the order of the floats, neighbouring floats have neighbouring keys, and -0.0 has the key of
0.0. A cell at a shift s is ``key >> s``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

__all__ = ["MANTISSA_BITS", "count_cells", "floats_of", "keys_of", "merged"]

MANTISSA_BITS: Final = 52

_MAGNITUDE: Final = np.int64(2**63 - 1)
_SIGN_PLACE: Final = 63

#: Fewer values than this many cells are sorted at once; of more, so many tell a scale.
_SAMPLE: Final = 2
#: Counting in a table pays while it has fewer places than this many times the values.
_SPARSEST: Final = 4


def keys_of(values: Floats, /) -> Integers:
    """Return the keys of floats that are not NaN."""
    bits = values.view(np.int64)
    signs = bits >> _SIGN_PLACE  # 0 or -1
    keys = bits & _MAGNITUDE
    keys ^= signs
    keys -= signs
    return keys


def floats_of(keys: Integers, /) -> Floats:
    """Return the floats that have these keys."""
    signs = keys >> _SIGN_PLACE
    magnitudes = (keys ^ signs) - signs
    floats: Floats = (magnitudes | (signs << _SIGN_PLACE)).view(np.float64)
    return floats


def count_cells(values: Floats, max_cells: int, /) -> tuple[int, Integers, Integers]:
    """Return the least shift at which at most `max_cells` cells are occupied, these, and counts.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Finite, contiguous, at least one.
    max_cells : int
        At least 2, as there are two signs.

    Notes
    -----
    The values of a sample occupy no more cells than all values do, so that its shift is never
    above theirs, and the rest can be counted at that shift to begin with.
    """
    keys = keys_of(values)
    n_sample = _SAMPLE * max_cells
    shift = 0
    if len(keys) > 2 * n_sample:
        sampled = np.sort(keys[:n_sample])
        shift = _extra_shift(_distinct(sampled), max_cells)
    cells, counts = _count(keys, shift)
    more = _extra_shift(cells, max_cells)
    return shift + more, *_coarsened(cells, counts, more)


def merged(
    *grids: tuple[int, Integers, Integers], max_cells: int
) -> tuple[int, Integers, Integers]:
    """Return the shift, the cells and the counts of all values of some grids."""
    shift = max(own for own, _, _ in grids)
    cells = np.concatenate([cells >> (shift - own) for own, cells, _ in grids])
    order = np.argsort(cells, kind="stable")  # it finds that these are sorted runs
    counts = np.concatenate([counts for _, _, counts in grids])[order]
    cells, counts = _coarsened(cells[order], counts, 0)
    more = _extra_shift(cells, max_cells)
    return shift + more, *_coarsened(cells, counts, more)


def _extra_shift(cells: Integers, max_cells: int, /) -> int:
    """Return the least shift at which so many distinct, sorted cells become few enough.

    Notes
    -----
    Two neighbours share a cell at s if their exclusive or is below ``2 ** s``, so that all shifts
    can be tried on these alone, by halving: fewer are apart the larger s is.
    """
    if len(cells) <= max_cells:
        return 0
    differing = (cells[1:] ^ cells[:-1]).view(np.uint64)
    too_small, enough = 0, _SIGN_PLACE
    while enough - too_small > 1:
        tried = (too_small + enough) // 2
        if np.count_nonzero(differing >> np.uint64(tried)) < max_cells:
            enough = tried
        else:
            too_small = tried
    return enough


def _coarsened(cells: Integers, counts: Integers, shift: int, /) -> tuple[Integers, Integers]:
    """Return sorted cells, which may repeat, and their counts at a shift, each cell once."""
    wider = cells >> shift
    if not len(wider):
        return wider, counts
    starts = _starts(wider)
    return wider[starts], np.add.reduceat(counts, starts)


def _starts(ordered: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return where in a sorted array, which is not empty, each distinct value begins."""
    return np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))


def _distinct(ordered: Integers) -> Integers:
    return ordered[_starts(ordered)]


def _count(keys: Integers, shift: int) -> tuple[Integers, Integers]:
    """Return the occupied cells at a shift, in order, and their counts."""
    # whole numbers end in zeros, and lose nothing by being told apart without them
    ending = int(np.bitwise_or.reduce(keys))
    n_zeros = (ending & -ending).bit_length() - 1 if ending else MANTISSA_BITS
    scale = min(max(shift, n_zeros), MANTISSA_BITS)
    if scale >= shift and (found := _count_in_table(keys, scale)) is not None:
        cells, counts = found
        return _coarsened(cells << (scale - shift), counts, 0)
    cells = keys >> shift
    narrow = cells.astype(np.int32) if shift >= np.iinfo(np.int32).bits else cells
    ordered = np.sort(narrow)
    starts = _starts(ordered)
    counts = np.diff(starts, append=len(ordered)).astype(np.int64)
    return ordered[starts].astype(np.int64), counts


def _count_in_table(keys: Integers, shift: int) -> tuple[Integers, Integers] | None:
    """Count without sorting, in a table of the binades that occur; None where it is too large."""
    bits = MANTISSA_BITS - shift
    binades = keys >> MANTISSA_BITS
    first = int(binades.min())
    binades -= first
    occupied = np.flatnonzero(np.bincount(binades))
    if len(occupied) << bits > _SPARSEST * len(keys):
        return None
    ranks = np.zeros(int(occupied[-1]) + 1, dtype=np.int64)
    ranks[occupied] = np.arange(len(occupied), dtype=np.int64) << bits
    places = ranks[binades]
    within = keys >> shift
    within &= (1 << bits) - 1
    places += within
    counts = np.bincount(places, minlength=len(occupied) << bits)
    found = np.flatnonzero(counts)
    cells = ((occupied[found >> bits] + first) << bits) | (found & ((1 << bits) - 1))
    return cells, counts[found].astype(np.int64, copy=False)
