"""Ready-made features that put a number in the place of a category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml.errors import FitError
from prodml.features.ops._making import finite_of, made_of, refuse_option, whole_of
from prodml.features.ops.categories import Category, CountCategories
from prodml.sketches import CategoryCounts, GroupSums

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features.feature import Feature

__all__ = ["frequency", "target_mean"]


@dataclass(frozen=True, slots=True)
class Means:
    """The smoothed mean of the target for each category, and over all."""

    means: dict[Category, float]
    overall: float


@dataclass(frozen=True, slots=True)
class Shares:
    """The share of each category among all rows."""

    shares: dict[Category, float]


class _Lookup(dict[Any, float]):
    """Values of categories, and one for all others."""

    def __init__(self, values: dict[Any, float], other: float) -> None:
        super().__init__(values)
        self._other = other

    def __missing__(self, category: Any) -> float:
        return self._other


@dataclass(frozen=True, slots=True)
class SumTarget:
    """Summarises what the target sums to in each category."""

    def __call__(self, x: Any, y: Any) -> GroupSums:
        """Return the sums of a column and its target."""
        return GroupSums.of(x, y)

    def of_codes(self, codes: Any, values: Any, y: Any) -> GroupSums:
        """Do the same for a column that is coded already."""
        return GroupSums.from_codes(codes, values, y)


@dataclass(frozen=True, slots=True)
class _TargetMean:
    def __call__(self, x: Any, state: Means) -> float:
        return state.means.get(x, state.overall)

    def bind(self, state: Means) -> Callable[[Any], float]:
        return _Lookup(state.means, state.overall).__getitem__

    def knows(self, value: Any, state: Means) -> bool:
        return value in state.means


@dataclass(frozen=True, slots=True)
class _LearnMeans:
    smoothing: float
    feature: str

    def __call__(self, sums: GroupSums) -> Means:
        overall = sums.mean_of_all
        if overall is None:
            message = f"{self.feature!r} cannot be learned: there is no row. Give some."
            raise FitError(message, feature=self.feature)
        weight = self.smoothing
        means = {
            value: (total + weight * overall) / (n + weight)
            for value, n, total in sums.items()
            if value is not None
        }
        return Means(means, overall)


def target_mean(
    name: str,
    /,
    *,
    smoothing: float = 10.0,
    crossfit: int | None = 5,
    called: str | None = None,
) -> Feature:
    """Return the mean target of a category, drawn towards the overall mean.

    ``(sum + smoothing * overall) / (n + smoothing)`` [1]_; the overall mean for categories that
    were not seen, and for missing ones.

    Parameters
    ----------
    name : str
        Text, an integer or a boolean.
    smoothing : float, default 10.0
        How many rows the overall mean counts for; >= 0.
    crossfit : int or None, default 5
        Folds of the training values in :meth:`~prodml.features.FeatureSet.fit_transform`. With
        None a training row sees its own target, and a model will trust the feature too much.
    called : str, optional
        By default ``<name>_target_mean``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For a negative `smoothing`, or fewer than two folds.

    References
    ----------
    .. [1] Micci-Barreca, D. (2001). A preprocessing scheme for high-cardinality categorical
       attributes in classification and prediction problems. SIGKDD Explorations 3(1), 27-32.
       Equation 3, with the weight n / (n + m) of equation 7.

    Examples
    --------
    >>> target_mean("city").crossfit
    5
    """
    called = called or f"{name}_target_mean"
    weight = finite_of(smoothing)
    if weight is None or weight < 0:
        raise refuse_option(smoothing, "smoothing", "a number >= 0")
    folds = whole_of(crossfit, least=2)
    if crossfit is not None and folds is None:
        raise refuse_option(crossfit, "crossfit", "None or an integer >= 2")
    learn = (SumTarget(), _LearnMeans(float(weight), called))
    return made_of(_TargetMean(), (name,), called, learn=learn, elementwise=True, crossfit=folds)


@dataclass(frozen=True, slots=True)
class _Frequency:
    def __call__(self, x: Any, state: Shares) -> float:
        return state.shares.get(x, 0.0)

    def bind(self, state: Shares) -> Callable[[Any], float]:
        return _Lookup(state.shares, 0.0).__getitem__

    def knows(self, value: Any, state: Shares) -> bool:
        return value in state.shares


@dataclass(frozen=True, slots=True)
class _LearnShares:
    feature: str

    def __call__(self, counts: CategoryCounts) -> Shares:
        if not counts.n:
            message = f"{self.feature!r} cannot be learned: there is no row. Give some."
            raise FitError(message, feature=self.feature)
        return Shares({value: n / counts.n for value, n in counts.top()})


def frequency(name: str, /, *, called: str | None = None) -> Feature:
    """Return the share of training rows that have the same category.

    Parameters
    ----------
    name : str
        Text, an integer or a boolean. Categories that were not seen, and missing ones, have 0.
    called : str, optional
        By default ``<name>_frequency``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> frequency("city").name
    'city_frequency'
    """
    called = called or f"{name}_frequency"
    learn = (CountCategories(), _LearnShares(called))
    return made_of(_Frequency(), (name,), called, learn=learn, elementwise=True)
