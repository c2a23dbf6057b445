"""Whole numbers too long for a float: their root, rounded once, and how they are written."""

from __future__ import annotations

from math import isqrt
from typing import Final

__all__ = ["read_number", "square_root", "written_number"]

#: Bits of a root before it is rounded: two more than twice those of a float, and an odd number.
_ROOT_BITS: Final = 109

#: Sums of squares have up to 4,200 bits, and some more for their number.
_MOST_BITS: Final = 5_000


def square_root(numerator: int, denominator: int, /) -> float:
    """Return the root of a fraction >= 0, correctly rounded.

    A root of 55 bits or more whose last bit is set where something was cut off rounds as the exact
    root would ("round to odd") [1]_.

    References
    ----------
    .. [1] Boldo, S. and Melquiond, G. (2008). Emulation of FMA and Correctly Rounded Sums: Proved
       Algorithms Using Rounding to Odd. IEEE Transactions on Computers 57(4), 462-471.

    Examples
    --------
    >>> square_root(2, 1), square_root(10**600, 1)
    (1.4142135623730951, 1e+300)
    """
    shift = (numerator.bit_length() - denominator.bit_length() - _ROOT_BITS) // 2
    if shift >= 0:
        return float(_odd_root(numerator, denominator << 2 * shift) << shift)
    return _odd_root(numerator << -2 * shift, denominator) / (1 << -shift)


def _odd_root(numerator: int, denominator: int) -> int:
    root = isqrt(numerator // denominator)
    return root | (root * root * denominator != numerator)


def written_number(number: int, /) -> tuple[str, int]:
    """Return the odd part in hexadecimal digits and the power of two, in the one way there is.

    Examples
    --------
    >>> written_number(-(5 << 1074))
    ('-5', 1074)
    """
    if not number:
        return "0", 0
    n_zeros = (number & -number).bit_length() - 1
    return f"{number >> n_zeros:x}", n_zeros


def read_number(digits: str, n_zeros: int, /) -> int:
    """Return what :func:`written_number` has written.

    Raises
    ------
    ValueError
        If it has more bits than any sum of floats.
    """
    if type(n_zeros) is not int or not 0 <= n_zeros <= _MOST_BITS or len(digits) > _MOST_BITS:
        message = f"a number of {len(digits)} digits and {n_zeros} bits"
        raise ValueError(message)
    return int(digits, 16) << n_zeros
