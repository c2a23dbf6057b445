"""Ready-made features of categories."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.scalars import normalise
from prodml.errors import FitError
from prodml.features.ops._making import made_of, number_of, refuse_option, whole_of
from prodml.sketches import CategoryCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml.features.feature import Feature

__all__ = ["Category", "CountCategories", "one_hot", "ordinal"]

Category = str | int | bool | float


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories that were seen, in order."""

    values: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """The number of each category."""

    codes: dict[Category, float]


@dataclass(frozen=True, slots=True)
class CountCategories:
    """Summarises how often each category is there."""

    def __call__(self, x: Any) -> CategoryCounts:
        """Return the counts of a column."""
        return CategoryCounts.of(x)

    def of_codes(self, codes: Any, values: Any) -> CategoryCounts:
        """Do the same for a column that is coded already."""
        return CategoryCounts.from_codes(codes, values)


def _chosen(counts: CategoryCounts, min_count: int, feature: str) -> tuple[Category, ...]:
    kept = {value for value, n in counts.top() if n >= min_count}
    if not kept:
        message = f"{feature!r} cannot be learned: no category is there {min_count} times or more."
        raise FitError(message, feature=feature)
    # in order of their types, then of themselves
    return tuple(one for one in counts.categories if one in kept)


@dataclass(frozen=True, slots=True)
class _OneHot:
    values: tuple[Category, ...]

    def __call__(self, x: Any) -> Any:
        return tuple(x == one for one in self.values)

    def knows(self, value: Any, _state: Any) -> bool:
        return value in self.values


@dataclass(frozen=True, slots=True)
class _OneHotLearned:
    def __call__(self, x: Any, state: Categories) -> Any:
        return tuple(x == one for one in state.values)

    def knows(self, value: Any, state: Categories) -> bool:
        return value in state.values


@dataclass(frozen=True, slots=True)
class _Names:
    prefix: str
    values: tuple[Category, ...] | None

    def __call__(self, state: Categories | None) -> tuple[str, ...]:
        values = self.values if self.values is not None or state is None else state.values
        return tuple(f"{self.prefix}_{one}" for one in values or ())


@dataclass(frozen=True, slots=True)
class _LearnCategories:
    min_count: int
    feature: str

    def __call__(self, counts: CategoryCounts) -> Categories:
        return Categories(_chosen(counts, self.min_count, self.feature))


def one_hot(
    name: str,
    categories: Sequence[Category] | None = None,
    /,
    *,
    min_count: int = 1,
    called: str | None = None,
) -> Feature:
    """Return a column of 0 and 1 for each category, named ``<name>_<category>``.

    A category that is not among them, or a missing one, has 0 in every column. The booleans of a
    field that may be missing are the numbers 0 and 1.

    Parameters
    ----------
    name : str
        Text, an integer or a boolean.
    categories : sequence of str, int or bool, optional
        In the order of the columns. By default learned, in sorted order.
    min_count : int, default 1
        A category that is learned must be there in so many rows.
    called : str, optional
        Instead of `name`, in the names of the columns.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For an empty or repeated list of categories, or a `min_count` below 1.

    Examples
    --------
    >>> import numpy as np
    >>> device = one_hot("device", ["android", "ios"])
    >>> [one.tolist() for one in device(np.array(["ios", None], dtype=object))]
    [[False, False], [True, False]]
    """
    called = called or f"{name}_one_hot"
    prefix = name if called == f"{name}_one_hot" else called
    least = _at_least_one(min_count)
    if categories is None:
        learn = (CountCategories(), _LearnCategories(least, called))
        columns = _Names(prefix, None)
        return made_of(_OneHotLearned(), (name,), called, learn=learn, columns=columns)
    listed = _listed(categories)
    return made_of(_OneHot(listed), (name,), called, columns=_Names(prefix, listed))


def _at_least_one(min_count: int) -> int:
    least = whole_of(min_count, least=1)
    if least is None:
        raise refuse_option(min_count, "min_count", "an integer >= 1")
    return least


def _listed(categories: Sequence[Category]) -> tuple[Category, ...]:
    try:
        listed = () if isinstance(categories, str) else tuple(map(_plain_category, categories))
    except TypeError:
        listed = ()
    if not listed or len(set(listed)) < len(listed):
        raise refuse_option(categories, "categories", "different texts, integers or booleans")
    return listed


def _plain_category(value: object) -> Category:
    if isinstance(value, str):
        return str.__str__(value)
    plain = normalise(value)
    if isinstance(plain, int):
        return plain if isinstance(plain, bool) else int(plain)
    raise TypeError


@dataclass(frozen=True, slots=True)
class _Ordinal:
    unknown: float

    def __call__(self, x: Any, state: Codes) -> float:
        if x is None or x != x:  # noqa: PLR0124 - NaN
            return math.nan
        return state.codes.get(x, self.unknown)

    def knows(self, value: Any, state: Codes) -> bool:
        return value in state.codes


@dataclass(frozen=True, slots=True)
class _OrdinalListed:
    codes: dict[Category, float]
    unknown: float

    def __call__(self, x: Any) -> float:
        if x is None or x != x:  # noqa: PLR0124 - NaN
            return math.nan
        return self.codes.get(x, self.unknown)

    def knows(self, value: Any, _state: Any) -> bool:
        return value in self.codes


@dataclass(frozen=True, slots=True)
class _LearnCodes:
    min_count: int
    feature: str

    def __call__(self, counts: CategoryCounts) -> Codes:
        values = _chosen(counts, self.min_count, self.feature)
        return Codes({value: float(code) for code, value in enumerate(values)})


def ordinal(
    name: str,
    categories: Sequence[Category] | None = None,
    /,
    *,
    unknown: float = -1.0,
    min_count: int = 1,
    called: str | None = None,
) -> Feature:
    """Return the number of a category, from 0; missing ones stay missing.

    Parameters
    ----------
    name : str
        Text, an integer or a boolean.
    categories : sequence of str, int or bool, optional
        In order. By default learned, in sorted order.
    unknown : float, default -1.0
        What any other category gets; NaN makes it missing.
    min_count : int, default 1
        A category that is learned must be there in so many rows.
    called : str, optional
        By default ``<name>_ordinal``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For an empty or repeated list of categories, an `unknown` that is no number, or a
        `min_count` below 1.

    Examples
    --------
    >>> size = ordinal("size", ["S", "M", "L"])
    >>> size("M"), size("XXL")
    (1.0, -1.0)
    """
    called = called or f"{name}_ordinal"
    other = math.nan if unknown != unknown else number_of(unknown)  # noqa: PLR0124 - NaN
    if other is None:
        raise refuse_option(unknown, "unknown", "a number, or NaN")
    least = _at_least_one(min_count)
    if categories is None:
        learn = (CountCategories(), _LearnCodes(least, called))
        return made_of(_Ordinal(float(other)), (name,), called, learn=learn, elementwise=True)
    codes = {value: float(code) for code, value in enumerate(_listed(categories))}
    return made_of(_OrdinalListed(codes, float(other)), (name,), called, elementwise=True)
