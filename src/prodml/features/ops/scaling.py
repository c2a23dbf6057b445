"""Ready-made features that fill, clip and scale numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from prodml.errors import FitError
from prodml.features.ops._making import finite_of, made_of, number_of, refuse_option
from prodml.sketches import Moments, ValueGrid

if TYPE_CHECKING:
    from prodml.features.feature import Feature

__all__ = ["clip", "fill", "known", "scale", "summarise_grid", "too_wide"]

Scaling = Literal["standard", "minmax", "robust"]


@dataclass(frozen=True, slots=True)
class Span:
    """What a feature is scaled by: ``(x - center) / width``."""

    center: float
    width: float


@dataclass(frozen=True, slots=True)
class Filling:
    """What a missing number is filled with."""

    value: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which numbers are kept."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Scale:
    def __call__(self, x: Any, state: Span) -> Any:
        return (x - state.center) / state.width


@dataclass(frozen=True, slots=True)
class _LearnSpan:
    how: Scaling
    feature: str

    def __call__(self, summary: Any) -> Span:
        if self.how == "standard":
            center = known(summary.mean, self.feature)
            width = known(summary.std(), self.feature)
        elif self.how == "minmax":
            center = known(summary.minimum, self.feature)
            width = known(summary.maximum, self.feature) - center
        else:
            center = known(summary.median, self.feature)
            low, high = (known(summary.quantile(q), self.feature) for q in (0.25, 0.75))
            width = high - low
        if not math.isfinite(center) or not math.isfinite(width):
            raise too_wide(self.feature)
        return Span(center, width if width > 0 else 1.0)


def known(value: float | None, feature: str, /) -> float:
    """Return what was learned; an error where there was nothing to learn from."""
    if value is None:
        message = f"{feature!r} cannot be learned: no row has a finite value. Give rows that have."
        raise FitError(message, feature=feature)
    return float(value)


def too_wide(feature: str, /) -> FitError:
    """Return the error for rows of which nothing finite can be learned."""
    message = (
        f"{feature!r} cannot be learned: too many rows are infinite, or they lie further apart "
        "than a float can say. Clip them first."
    )
    return FitError(message, feature=feature)


def scale(name: str, how: Scaling = "standard", /, *, called: str | None = None) -> Feature:
    """Return a feature that is centred and scaled: ``(x - center) / width``.

    Parameters
    ----------
    name : str
        A number.
    how : {"standard", "minmax", "robust"}, default "standard"
        Mean and standard deviation; minimum and range; or median and interquartile range. A
        width of zero counts as one. Missing values have no part in it, and stay missing. Infinite
        ones have none in moments and range, and are the ends of the order for quantiles.
    called : str, optional
        By default ``<name>_scaled``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For another `how`.

    Examples
    --------
    >>> scale("amount").name
    'amount_scaled'
    """
    if how not in get_args(Scaling):
        raise refuse_option(how, "how", "'standard', 'minmax' or 'robust'")
    called = called or f"{name}_scaled"
    summarise = summarise_grid if how == "robust" else summarise_moments
    return made_of(_Scale(), (name,), called, learn=(summarise, _LearnSpan(how, called)))


def summarise_moments(x: Any) -> Moments:
    """Return what means and spreads are made of."""
    return Moments.of(x)


def summarise_grid(x: Any) -> ValueGrid:
    """Return what quantiles are made of."""
    return ValueGrid.of(x)


@dataclass(frozen=True, slots=True)
class _Fill:
    def __call__(self, x: Any, state: Filling) -> Any:
        return np.where(np.isnan(x), state.value, x)


@dataclass(frozen=True, slots=True)
class _FillConstant:
    value: float

    def __call__(self, x: Any) -> Any:
        return np.where(np.isnan(x), self.value, x)


@dataclass(frozen=True, slots=True)
class _LearnFilling:
    how: str
    feature: str

    def __call__(self, summary: Any) -> Filling:
        value = known(summary.mean if self.how == "mean" else summary.median, self.feature)
        if not math.isfinite(value):
            raise too_wide(self.feature)
        return Filling(value)


def fill(
    name: str, how: float | Literal["mean", "median"] = "median", /, *, called: str | None = None
) -> Feature:
    """Return a number with its missing values filled.

    Parameters
    ----------
    name : str
        A number.
    how : {"median", "mean"} or float, default "median"
        What to fill with: learned, or a constant.
    called : str, optional
        By default ``<name>_filled``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For another `how`.

    Examples
    --------
    >>> import numpy as np
    >>> fill("amount", 0.0)(np.array([1.0, np.nan])).tolist()
    [1.0, 0.0]
    """
    called = called or f"{name}_filled"
    if isinstance(how, str) and how in {"mean", "median"}:
        summarise = summarise_moments if how == "mean" else summarise_grid
        return made_of(_Fill(), (name,), called, learn=(summarise, _LearnFilling(how, called)))
    constant = finite_of(how)
    if constant is None:
        raise refuse_option(how, "how", "'mean', 'median' or a finite number")
    return made_of(_FillConstant(float(constant)), (name,), called)


@dataclass(frozen=True, slots=True)
class _Clip:
    low: float | None
    high: float | None

    def __call__(self, x: Any) -> Any:
        return np.clip(x, self.low, self.high)


@dataclass(frozen=True, slots=True)
class _ClipLearned:
    def __call__(self, x: Any, state: Limits) -> Any:
        return np.clip(x, state.low, state.high)


@dataclass(frozen=True, slots=True)
class _LearnLimits:
    quantiles: tuple[float, float]
    feature: str

    def __call__(self, grid: Any) -> Limits:
        low, high = (known(grid.quantile(q), self.feature) for q in self.quantiles)
        if low == math.inf or high == -math.inf:
            raise too_wide(self.feature)
        return Limits(low, high)


def clip(
    name: str,
    /,
    *,
    low: float | None = None,
    high: float | None = None,
    quantiles: tuple[float, float] | None = None,
    called: str | None = None,
) -> Feature:
    """Return a number that is kept between limits; missing values stay missing.

    Parameters
    ----------
    name : str
        A number.
    low, high : float, optional
        The limits; at least one of them, unless they are learned.
    quantiles : tuple of two floats in 0 to 1, optional
        Learn the limits as these quantiles of the training rows.
    called : str, optional
        By default ``<name>_clipped``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        Without limits, with limits in the wrong order, or with both kinds.

    Examples
    --------
    >>> import numpy as np
    >>> clip("age", high=100)(np.array([20.0, 999.0])).tolist()
    [20.0, 100.0]
    """
    called = called or f"{name}_clipped"
    if quantiles is not None:
        if low is not None or high is not None:
            raise refuse_option(quantiles, "quantiles", "given without `low` and `high`")
        learn = (summarise_grid, _LearnLimits(_two_shares(quantiles), called))
        return made_of(_ClipLearned(), (name,), called, learn=learn)
    given = [number_of(one) for one in (low, high) if one is not None]
    numbers = [one for one in given if one is not None]
    if not numbers or len(numbers) < len(given) or numbers != sorted(numbers):
        raise refuse_option((low, high), "low, high", "one limit, or two in rising order")
    return made_of(_Clip(number_of(low), number_of(high)), (name,), called)


def _two_shares(quantiles: Any) -> tuple[float, float]:
    try:
        low, high = map(number_of, quantiles)
    except (TypeError, ValueError):
        low = high = None
    if low is None or high is None or not 0 <= low < high <= 1:
        raise refuse_option(quantiles, "quantiles", "two rising numbers in 0 to 1")
    return float(low), float(high)
