"""Sums of floats that are exact, so that parts can be added in any order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["add_exactly"]


def add_exactly(partials: Sequence[float], values: Iterable[float], /) -> tuple[float, ...]:
    """Return floats whose exact sum is that of `partials` and `values`.

    ``math.fsum`` of them is the sum, rounded once. They do not overlap, and rise in magnitude.

    Parameters
    ----------
    partials : sequence of float
        From an earlier call; empty to begin with.
    values : iterable of float
        Finite numbers.

    Raises
    ------
    OverflowError
        If the sum is beyond the range of a float.

    References
    ----------
    .. [1] Shewchuk, J. R. (1997). Adaptive Precision Floating-Point Arithmetic and Fast Robust
       Geometric Predicates. Discrete & Computational Geometry 18, 305-363. Theorem 10
       (GROW-EXPANSION).

    Examples
    --------
    >>> import math
    >>> math.fsum(add_exactly(add_exactly((), [1e16, 1.0]), [-1e16]))
    1.0
    """
    kept = list(partials)
    for value in values:
        left, new = value, []
        for part in kept:
            large, small = (left, part) if abs(left) >= abs(part) else (part, left)
            total = large + small
            rest = small - (total - large)
            if rest:
                new.append(rest)
            left = total
        if math.isinf(left):
            message = "The sum of finite numbers is beyond the range of a float."
            raise OverflowError(message)
        kept = [*new, left]
    return tuple(kept)
