"""Ready-made features of one or two numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml.features.ops._making import finite_of, made_of, refuse_option, whole_of
from prodml.features.ops.scaling import known, summarise_grid, too_wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml.features.feature import Feature

__all__ = ["bucketize", "interaction", "log1p", "missing_indicator", "ratio"]


@dataclass(frozen=True, slots=True)
class Edges:
    """Where buckets begin."""

    edges: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Log1p:
    def __call__(self, x: Any) -> Any:
        # of booleans, numpy makes a float of 16 bits
        return np.log1p(x * 1.0 if x.dtype == np.bool_ else x)


def log1p(name: str, /, *, called: str | None = None) -> Feature:
    """Return the natural logarithm of one plus a number.

    Parameters
    ----------
    name : str
        A number; below -1 the result is missing, at -1 it is -inf.
    called : str, optional
        By default ``<name>_log1p``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> import numpy as np
    >>> log1p("amount")(np.array([0.0])).tolist()
    [0.0]
    """
    return made_of(_Log1p(), (name,), called or f"{name}_log1p")


@dataclass(frozen=True, slots=True)
class _Bucket:
    edges: tuple[float, ...]

    def __call__(self, x: Any) -> Any:
        return np.where(np.isnan(x), np.nan, np.searchsorted(self.edges, x, side="right"))


@dataclass(frozen=True, slots=True)
class _BucketLearned:
    def __call__(self, x: Any, state: Edges) -> Any:
        return np.where(np.isnan(x), np.nan, np.searchsorted(state.edges, x, side="right"))


@dataclass(frozen=True, slots=True)
class _LearnEdges:
    n_buckets: int
    feature: str

    def __call__(self, grid: Any) -> Edges:
        inner = [at / self.n_buckets for at in range(1, self.n_buckets)]
        found = {known(grid.quantile(q), self.feature) for q in inner}
        edges = tuple(sorted(filter(math.isfinite, found)))
        if not edges:
            raise too_wide(self.feature)
        return Edges(edges)


def bucketize(name: str, edges: Sequence[float] | int, /, *, called: str | None = None) -> Feature:
    """Return the number of the bucket that a number falls into, from 0.

    Parameters
    ----------
    name : str
        A number. Missing values stay missing.
    edges : sequence of float, or int
        Rising inner edges; a bucket begins with its edge, which is its least value. An int is
        the number of buckets, with edges at quantiles of the training rows; equal edges are one.
    called : str, optional
        By default ``<name>_bucket``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        If the edges do not rise, are not finite, or there are fewer than two buckets.

    Examples
    --------
    >>> import numpy as np
    >>> bucketize("age", [25, 50])(np.array([24.0, 25.0, 99.0, np.nan])).tolist()
    [0.0, 1.0, 2.0, nan]
    """
    called = called or f"{name}_bucket"
    if isinstance(edges, int | np.integer):
        n_buckets = whole_of(edges, least=2)
        if n_buckets is None:
            raise refuse_option(edges, "edges", "rising numbers, or a number of buckets >= 2")
        learn = (summarise_grid, _LearnEdges(n_buckets, called))
        return made_of(_BucketLearned(), (name,), called, learn=learn)
    listed = _finite_numbers(edges)
    if not listed or not all(one < other for one, other in pairwise(listed)):
        raise refuse_option(edges, "edges", "finite numbers that rise")
    return made_of(_Bucket(listed), (name,), called)


def _finite_numbers(edges: Any) -> tuple[float, ...]:
    """Return edges as floats, or none of them if one is no finite number."""
    try:
        numbers = [] if isinstance(edges, bytes) else [finite_of(one) for one in edges]
    except TypeError:
        return ()
    kept = tuple(float(one) for one in numbers if one is not None)
    return kept if len(kept) == len(numbers) else ()


@dataclass(frozen=True, slots=True)
class _Missing:
    def __call__(self, x: Any) -> Any:
        # text that is missing is None, a missing number differs from itself
        return x == None if x.dtype.kind == "O" else x != x  # noqa: E711, PLR0124


def missing_indicator(name: str, /, *, called: str | None = None) -> Feature:
    """Return 1 where a number or text is missing, and 0 where it is not.

    Parameters
    ----------
    name : str
        Any input or feature.
    called : str, optional
        By default ``<name>_missing``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> import numpy as np
    >>> missing_indicator("age")(np.array([1.0, np.nan])).tolist()
    [False, True]
    """
    return made_of(_Missing(), (name,), called or f"{name}_missing")


@dataclass(frozen=True, slots=True)
class _Product:
    def __call__(self, x: Any, other: Any) -> Any:
        # as a float, since the product of two integers may not fit into 64 bits
        return x * other if "f" in x.dtype.kind + other.dtype.kind else x * 1.0 * other


def interaction(name: str, other: str, /, *, called: str | None = None) -> Feature:
    """Return the product of two numbers.

    Parameters
    ----------
    name, other : str
        Numbers; where one is missing, so is the product.
    called : str, optional
        By default ``<name>_by_<other>``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> interaction("hours", "rate").name
    'hours_by_rate'
    """
    return made_of(_Product(), (name, other), called or f"{name}_by_{other}")


@dataclass(frozen=True, slots=True)
class _Ratio:
    def __call__(self, x: Any, other: Any) -> Any:
        return np.where(other == 0, np.nan, x / other)


def ratio(name: str, other: str, /, *, called: str | None = None) -> Feature:
    """Return one number over another; missing where the other is zero.

    Parameters
    ----------
    name, other : str
        Numbers; where one is missing, so is the ratio.
    called : str, optional
        By default ``<name>_per_<other>``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> import numpy as np
    >>> ratio("amount", "n_items")(np.array([6.0]), np.array([3.0])).tolist()
    [2.0]
    """
    return made_of(_Ratio(), (name, other), called or f"{name}_per_{other}")
