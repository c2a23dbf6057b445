"""Exact sums of arrays of floats, and of their squares, at the speed of numpy.

A sum here is a whole number of units: of :data:`UNIT`, the least positive float, for values, and
of its square for squares. Every finite float is a whole number of units, so nothing is rounded,
and sums of parts add up to the sum of all in any order.

Each value is cut into limbs that lie on one fixed grid, ``2 ** (32 * level)``. A limb is what
``(value + offset) - offset`` leaves of a value, for an offset at which the last bit of a float is
worth one step of the grid. Limbs of one level have at most 32 bits, so that float64 adds a million
of them without rounding, whatever order numpy adds them in.

References
----------
.. [1] Rump, S. M., Ogita, T. and Oishi, S. (2008). Accurate Floating-Point Summation Part I:
   Faithful Rounding. SIAM Journal on Scientific Computing 31(1), 189-224. Algorithm 3.2
   (ExtractVector), here with offsets that do not depend on the data.
.. [2] Dekker, T. J. (1971). A Floating-Point Technique for Extending the Available Precision.
   Numerische Mathematik 18, 224-242. Section 5 (exact products).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int64]

__all__ = ["UNIT", "UNIT_EXPONENT", "exact_square_sum", "exact_sum", "exact_sums_by_code"]

#: The units are 2 ** UNIT_EXPONENT; squares come in units of the square of that.
UNIT_EXPONENT: Final = -1074
UNIT: Final = Fraction(1, 2**-UNIT_EXPONENT)

_LIMB_BITS: Final = 32
_MANTISSA_BITS: Final = 52

#: Blocks fit in the cache. A block has so few rows that sums of limbs stay below 2 ** 53.
_BLOCK_ROWS: Final = 2**15
_MOST_BLOCK_ROWS: Final = 2**20

#: Sums of limbs stay below 2 ** 63 for so many rows.
_MOST_ROWS: Final = 2**30

#: Beyond these, values are scaled, so that neither products nor offsets leave the normal floats.
_LARGE: Final = 2.0**400
_SMALL: Final = 2.0**-400
_SCALE_BITS: Final = 600

#: Where fewer than one in so many values have something left, only these are carried on.
_SPARSE: Final = 4

#: Splits a float into halves of 26 bits by rounding at the 27th.
_HALF_BIT: Final = np.int64(1 << 26)
_HALF_MASK: Final = np.int64(-1 << 27)


def exact_sum(values: Floats, /) -> int:
    """Return the sum of finite floats in units of 2 ** -1074, exactly.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Finite, contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> exact_sum(np.array([1e300, 1.0, -1e300])) == 2**1074
    True
    """
    total = 0
    for block in _blocks(values, _BLOCK_ROWS):
        for scaled, bits in _scaled_classes(block):
            total += _sum_of_limbs(scaled, -UNIT_EXPONENT - bits)
    return total


def exact_square_sum(values: Floats, /) -> int:
    """Return the sum of the squares of finite floats in units of 2 ** -2148, exactly.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Finite, contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> exact_square_sum(np.array([1e300])) == int(1e300) ** 2 * 2**2148
    True
    """
    total = 0
    for block in _blocks(values, _BLOCK_ROWS):
        for scaled, bits in _scaled_classes(block):
            squares, errors = _exact_squares(scaled)
            shift = 2 * (-UNIT_EXPONENT - bits)
            total += _sum_of_limbs(squares, shift)
            total += _sum_of_limbs(errors, shift)
    return total


def exact_sums_by_code(values: Floats, codes: Codes, /, *, n_codes: int) -> list[int]:
    """Return the sum of the values of each code in units of 2 ** -1074, exactly.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Finite, contiguous.
    codes : ndarray of int64, shape (n,)
        From 0 to ``n_codes - 1``.
    n_codes : int
        How many sums to return.

    Examples
    --------
    >>> import numpy as np
    >>> sums = exact_sums_by_code(np.array([1.0, 0.5, 2.0]), np.array([0, 1, 0]), n_codes=2)
    >>> [one * UNIT for one in sums]
    [Fraction(3, 1), Fraction(1, 2)]
    """
    totals = [0] * n_codes
    block_rows = min(max(_BLOCK_ROWS, 4 * n_codes), _MOST_BLOCK_ROWS)
    for start in range(0, len(values), _MOST_ROWS):
        rows = slice(start, start + _MOST_ROWS)
        for shift, sums in _grouped_limbs(values[rows], codes[rows], n_codes, block_rows).items():
            for code in np.flatnonzero(sums).tolist():
                totals[code] += _shifted(int(sums[code]), shift)
    return totals


def _blocks(values: Floats, n_rows: int) -> Iterator[Floats]:
    return (values[start : start + n_rows] for start in range(0, len(values), n_rows))


def _grouped_limbs(
    values: Floats, codes: Codes, n_codes: int, block_rows: int
) -> dict[int, npt.NDArray[np.int64]]:
    """Return the sums of limbs by code, under the power of two that makes units of them."""
    found: dict[int, npt.NDArray[np.int64]] = {}
    for start in range(0, len(values), block_rows):
        some, some_codes = values[start : start + block_rows], codes[start : start + block_rows]
        for kept, bits in _classes_by_size(some):
            scaled = np.ldexp(some[kept], bits) if bits else some[kept]
            own = some_codes[kept]
            for level, limbs, places in _limbs(scaled):
                at = own if places is None else own[places]
                sums = np.bincount(at, weights=limbs, minlength=n_codes)
                whole = np.ldexp(sums, -_LIMB_BITS * level).astype(np.int64)
                shift = _LIMB_BITS * level - UNIT_EXPONENT - bits
                found[shift] = found[shift] + whole if shift in found else whole
    return found


def _scaled_classes(values: Floats) -> Iterator[tuple[Floats, int]]:
    for kept, bits in _classes_by_size(values):
        yield (np.ldexp(values[kept], bits), bits) if bits else (values[kept], bits)


def _classes_by_size(values: Floats) -> list[tuple[npt.NDArray[np.bool_] | slice, int]]:
    """Return which values to scale by which power of two; nearly always, all by none."""
    sizes = np.abs(values)
    large = sizes >= _LARGE if sizes.max(initial=0.0) >= _LARGE else None
    small = sizes < _SMALL if sizes.min(initial=1.0) < _SMALL else None
    if small is not None:
        small &= sizes > 0
        small = small if small.any() else None
    if large is None and small is None:
        return [(slice(None), 0)]
    nowhere = np.zeros(len(values), dtype=bool)
    large, small = nowhere if large is None else large, nowhere if small is None else small
    classes = [(~(large | small), 0), (large, -_SCALE_BITS), (small, _SCALE_BITS)]
    return [(kept, bits) for kept, bits in classes if kept.any()]


def _exact_squares(values: Floats) -> tuple[Floats, Floats]:
    """Return the squares, rounded, and what rounding took from them; exactly, where scaled."""
    high = ((values.view(np.int64) + _HALF_BIT) & _HALF_MASK).view(np.float64)
    low = values - high
    squares = values * values
    errors = high * high
    errors -= squares
    high *= low
    high *= 2.0
    errors += high
    low *= low
    errors += low
    return squares, errors


def _limbs(values: Floats) -> Iterator[tuple[int, Floats, npt.NDArray[np.intp] | None]]:
    """Yield the limbs of each level from the top, and of which values they are (None: of all)."""
    rest, places = values, None
    while True:
        largest = max(float(rest.max(initial=0.0)), -float(rest.min(initial=0.0)))
        if largest == 0.0:
            return
        level = (math.frexp(largest)[1] - 1) // _LIMB_BITS
        offset = math.ldexp(1.5, _MANTISSA_BITS + _LIMB_BITS * level)
        limbs = rest + offset
        limbs -= offset
        yield level, limbs, places
        rest = rest - limbs
        n_left = int(np.count_nonzero(rest))
        if n_left < len(rest) // _SPARSE:
            left = np.flatnonzero(rest)
            rest = rest[left]
            places = left if places is None else places[left]


def _sum_of_limbs(values: Floats, shift: int) -> int:
    """Return the sum of a block of floats times ``2 ** shift``, which is a whole number."""
    total = 0
    for level, limbs, _ in _limbs(values):
        whole = int(math.ldexp(float(limbs.sum()), -_LIMB_BITS * level))
        total += _shifted(whole, shift + _LIMB_BITS * level)
    return total


def _shifted(number: int, bits: int) -> int:
    # to the right only zeros go: values are whole numbers of units, wherever the grid lies
    return number << bits if bits >= 0 else number >> -bits
