"""Where a quantile lies among ordered values, and what stands between two of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from prodml.errors import SummaryError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["QuantileMethod", "between", "checked_shares", "place_of"]

#: Which value is returned between two, named as in :func:`numpy.quantile`.
QuantileMethod: TypeAlias = Literal["linear", "lower", "higher", "inverted_cdf"]


def checked_shares(q: Iterable[float], method: QuantileMethod, /) -> list[float]:
    """Return the shares as floats between 0 and 1."""
    if method not in get_args(QuantileMethod):
        message = f"`method` must be one of {get_args(QuantileMethod)}, got {method!r}."
        raise SummaryError(message, argument="method", value=method)
    shares = list(q)
    for position, share in enumerate(shares):
        if not 0 <= share <= 1:
            message = f"`q` must be between 0 and 1, got {share!r}. Divide percentages by 100."
            raise SummaryError(message, argument="q", position=position, value=share)
    return list(map(float, shares))


def place_of(share: float, n: int, method: QuantileMethod, /) -> tuple[int, float]:
    """Return the rank of a quantile of `n` values, and its way to the next rank, in [0, 1).

    References
    ----------
    .. [1] Hyndman, R. J. and Fan, Y. (1996). Sample Quantiles in Statistical Packages. The
       American Statistician 50(4), 361-365. Definitions 1 (inverted_cdf) and 7 (the others).
    """
    if method == "inverted_cdf":
        return max(math.ceil(n * share - 1), 0), 0.0
    place = (n - 1) * share
    if method == "higher":
        return math.ceil(place), 0.0
    rank = math.floor(place)
    return rank, place - rank if method == "linear" else 0.0


def between(low: float, high: float, weight: float, /) -> float | None:
    """Return the value on the way from one to the other; None from -inf to inf.

    Computed as numpy does, so that the last bit is the same, but where that would overflow.
    """
    if weight == 0 or low == high:
        return low
    if math.isinf(low):
        return None if math.isinf(high) else low
    if math.isinf(high):
        return high
    width = high - low
    if math.isinf(width):
        return low * (1 - weight) + high * weight
    return high - width * (1 - weight) if weight >= 0.5 else low + width * weight  # noqa: PLR2004
