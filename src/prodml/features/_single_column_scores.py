"""How well one column alone tells what a label is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Label", "score_categories", "score_missing", "score_numbers"]

#: Fewer rows than this on either side separate by chance: 10 and 10 do so once in 92,378 columns.
_FEWEST: Final = 10


class Label(NamedTuple):
    """What is to be told.

    Attributes
    ----------
    outcomes : numpy.ndarray
        The class of each row as a code, or the number itself.
    n_classes : int
        How many classes there are; 0 where the label is a number.
    """

    outcomes: npt.NDArray[Any]
    n_classes: int


def score_numbers(values: npt.NDArray[Any], label: Label, /) -> float | None:
    """Return how well the order of a column tells the label, whichever way round.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Numbers, none of them missing.
    label : Label
        Of the same rows.

    Returns
    -------
    float or None
        For classes the greatest area under the ROC curve of one class against the others, 0.5 to
        1, by the rank sum of Mann and Whitney. For numbers the absolute rank correlation of
        Spearman, 0 to 1. None where there are too few rows to tell.
    """
    if label.n_classes == 0:
        return _rank_correlation(values, label.outcomes)
    twice = _twice_ranks(values)
    sums = np.zeros(label.n_classes, dtype=np.int64)
    np.add.at(sums, label.outcomes, twice)
    sizes = np.bincount(label.outcomes, minlength=label.n_classes)
    others = len(values) - sizes
    enough = (sizes >= _FEWEST) & (others >= _FEWEST)
    if not enough.any():
        return None
    # whole numbers up to here, so that ties and order of rows make no difference
    above = sums - sizes * (sizes + 1)
    areas = above[enough] / (2 * sizes[enough] * others[enough])
    return float(np.maximum(areas, 1 - areas).max())


def score_missing(missing: Flags, label: Label, /) -> float | None:
    """Return how well the absence of a value tells the label, as :func:`score_numbers` does."""
    return score_numbers(missing, label)


def score_categories(codes: Integers, label: Label, /) -> float | None:
    """Return how well categories tell the label of rows that had no say in it.

    Each half of the rows is ranked by the mean label that its categories have in the other half.
    A category that occurs once tells nothing by itself, so that identifiers do not score.

    Parameters
    ----------
    codes : numpy.ndarray of int64, shape (n,)
        A code for each category, from 0.
    label : Label
        Of the same rows.

    Returns
    -------
    float or None
        The mean of both halves, and over classes the greatest.
    """
    half = _halves(label)
    if label.n_classes == 0:
        return _cross_score(codes, label.outcomes.astype(np.float64), label, half)
    # of two classes, one says all about the other
    classes = range(1 if label.n_classes == 2 else label.n_classes)  # noqa: PLR2004 - two
    scores = []
    for one in classes:
        is_one = (label.outcomes == one).astype(np.int64)
        scores.append(_cross_score(codes, is_one, Label(is_one, 2), half))
    return max((score for score in scores if score is not None), default=None)


def _halves(label: Label) -> Flags:
    """Deal out the rows of each class, or of each stretch of numbers, in turn."""
    turn = np.argsort(label.outcomes, kind="stable")
    half = np.zeros(len(turn), dtype=bool)
    half[turn[1::2]] = True
    return half


def _cross_score(
    codes: Integers, outcome: npt.NDArray[Any], label: Label, half: Flags
) -> float | None:
    scores = []
    n_codes = int(codes.max(initial=-1)) + 1
    for held in (half, ~half):
        rest = ~held
        counts = np.bincount(codes[rest], minlength=n_codes)
        sums = np.bincount(codes[rest], weights=outcome[rest], minlength=n_codes)
        overall = outcome[rest].mean() if rest.any() else 0.0
        means = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
        score = score_numbers(means[codes[held]], Label(label.outcomes[held], label.n_classes))
        if score is None:
            return None
        scores.append(score)
    return float(np.mean(scores))


def _rank_correlation(values: npt.NDArray[Any], other: npt.NDArray[Any]) -> float | None:
    if len(values) < 2 * _FEWEST:
        return None
    one = _twice_ranks(values) - (len(values) + 1.0)
    two = _twice_ranks(other) - (len(values) + 1.0)
    spread = float(np.sqrt(np.sum(one * one) * np.sum(two * two)))
    return None if spread == 0 else abs(float(np.sum(one * two))) / spread


def _twice_ranks(values: npt.NDArray[Any]) -> Integers:
    """Return twice the mean rank of each value, which is whole even where values tie."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    twice: Integers = (2 * np.cumsum(counts) - counts + 1)[place]
    return twice
