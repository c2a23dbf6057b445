"""What vectorised code may say about the rows of a column.

It never rejects. It sorts rows into three heaps: *certified* rows, which pydantic is sure to
accept; *groups* of rows that break one and the same rule, so that pydantic is asked about the
first and its answer holds for all; and *open* rows, which pydantic must judge one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Judgement", "add_group", "bounds_of", "break_bounds", "moment_bounds_of"]

#: pydantic reports the first bound that is broken; rows that break several are left to it.
_BOUNDS: Final = (
    ("le", np.greater),
    ("lt", np.greater_equal),
    ("ge", np.less),
    ("gt", np.less_equal),
)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - naive bounds are compared with naive values


@dataclass(slots=True, kw_only=True)
class Judgement:
    """The rows of one column, sorted; rows that stand nowhere are certified.

    Attributes
    ----------
    values : array or None
        The column with the values that pydantic gives, in a dtype that suits the field; None if
        the column is right as it is, dtype included.
    groups : list of numpy.ndarray of int64
        Rows that break the same single rule, a group each.
    open : numpy.ndarray of int64
        Rows that pydantic must judge.
    """

    values: Any = None
    groups: list[npt.NDArray[np.int64]] = field(default_factory=list)
    open: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def add_group(judgement: Judgement, broken: npt.NDArray[np.bool_]) -> None:
    """Add the rows of a mask as a group, if there are any."""
    rows = np.flatnonzero(broken)
    if len(rows):
        judgement.groups.append(rows)


def bounds_of(node: dict[str, Any], kind: type) -> dict[str, Any] | None:
    """Return the bounds of a node as numbers of one kind, or None if one of them is not.

    A float bound on an int, say, is compared by pydantic's own rules.
    """
    found: dict[str, Any] = {}
    for key, bound in _given_bounds(node):
        if kind is float and type(bound) in {int, float}:
            number = float(bound)
            if number != number:  # noqa: PLR0124 - NaN
                return None
            found[key] = number
        elif type(bound) is kind:
            found[key] = bound
        else:
            return None
    return found


def moment_bounds_of(node: dict[str, Any], *, aware: bool) -> dict[str, int] | None:
    """Return the bounds of a node as microseconds since 1970, in UTC if aware.

    None if one of them is naive where the column is aware, or the other way round: pydantic has
    its own rules for that.
    """
    found: dict[str, int] = {}
    for key, bound in _given_bounds(node):
        if type(bound) is not datetime or (bound.utcoffset() is not None) is not aware:
            return None
        elapsed = bound - (_EPOCH.replace(tzinfo=UTC) if aware else _EPOCH)
        found[key] = (elapsed.days * 86_400 + elapsed.seconds) * 10**6 + elapsed.microseconds
    return found


def _given_bounds(node: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(key, node[key]) for key, _ in _BOUNDS if node.get(key) is not None]


def break_bounds(
    judgement: Judgement,
    numbers: npt.NDArray[Any],
    bounds: dict[str, Any],
    excluded: npt.NDArray[np.bool_] | None,
) -> None:
    """Group the rows that break a bound; rows in `excluded` have been dealt with.

    Parameters
    ----------
    judgement : Judgement
        Receives the groups.
    numbers : numpy.ndarray of int or float64
        NaN breaks nothing.
    bounds : dict
        From :func:`bounds_of`.
    excluded : numpy.ndarray of bool or None
        Rows whose number means nothing.
    """
    if not len(numbers) or not bounds or _all_within(numbers, bounds):
        return
    masks = []
    for key, breaks in _BOUNDS:
        if key in bounds:
            broken = _compare(numbers, bounds[key], breaks)
            if excluded is not None:
                broken &= ~excluded
            masks.append(broken)
    twice = np.sum(masks, axis=0) > 1 if len(masks) > 1 else None
    if twice is not None and twice.any():
        judgement.open = np.union1d(judgement.open, np.flatnonzero(twice))
        masks = [mask & ~twice for mask in masks]
    for mask in masks:
        add_group(judgement, mask)


def _all_within(numbers: npt.NDArray[Any], bounds: dict[str, Any]) -> bool:
    low, high = numbers.min(), numbers.max()
    if low != low:  # noqa: PLR0124 - NaN
        low, high = np.fmin.reduce(numbers), np.fmax.reduce(numbers)
    # Python compares numbers of any size exactly
    low, high = low.item(), high.item()
    return not (
        ("le" in bounds and high > bounds["le"])
        or ("lt" in bounds and high >= bounds["lt"])
        or ("ge" in bounds and low < bounds["ge"])
        or ("gt" in bounds and low <= bounds["gt"])
    )


def _compare(numbers: npt.NDArray[Any], bound: float, breaks: np.ufunc) -> npt.NDArray[np.bool_]:
    if numbers.dtype.kind in "iu":
        # A bound beyond the dtype would be rounded or refused, depending on the numpy.
        limits = np.iinfo(numbers.dtype)
        if not limits.min <= bound <= limits.max:
            beyond = breaks(0.0, 1.0 if bound > 0 else -1.0)
            return np.full(len(numbers), bool(beyond))
    result: npt.NDArray[np.bool_] = breaks(numbers, bound)
    return result
