"""Bounds of a type as an interval, and whether one lies within another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._tagged import from_tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Interval", "float_interval", "interval_of"]

_MICROSECOND: Final = timedelta(microseconds=1)
_AWARE_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - for naive bounds
#: Kinds whose values lie one step apart, so that ``> 0`` and ``>= 1`` are the same.
_DISCRETE: Final = frozenset({"int", "date", "datetime", "time", "timedelta"})


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers between two ends; None where an end is open to infinity.

    Attributes
    ----------
    low, high : Fraction or None
        The ends.
    low_open, high_open : bool
        Whether an end itself lies outside.
    scale : str
        What the numbers count; intervals on different scales cannot be compared.
    """

    low: Fraction | None
    high: Fraction | None
    low_open: bool
    high_open: bool
    scale: str

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite."""
        return self.low is not None and self.high is not None

    def lies_within(self, other: Interval) -> bool:
        """Say whether each of its numbers is one of the other's."""
        if self.is_empty:
            return True
        return _above(self, other) and _below(self, other)


def _above(inner: Interval, outer: Interval) -> bool:
    if outer.low is None:
        return True
    if inner.low is None or inner.low < outer.low:
        return False
    return inner.low > outer.low or inner.low_open or not outer.low_open


def _below(inner: Interval, outer: Interval) -> bool:
    if outer.high is None:
        return True
    if inner.high is None or inner.high > outer.high:
        return False
    return inner.high < outer.high or inner.high_open or not outer.high_open


def interval_of(kind: str, rules: Mapping[str, Any], /) -> Interval | None:
    """Return the interval that the bounds of a type leave, or None if they are no numbers.

    Parameters
    ----------
    kind : str
        Kind of the type.
    rules : mapping
        Its rules; ``ge``, ``gt``, ``le`` and ``lt`` are read.
    """
    found: dict[str, Fraction] = {}
    scales = set()
    for name in ("ge", "gt", "le", "lt"):
        if name not in rules:
            continue
        measured = _measured(kind, from_tagged(rules[name]))
        if measured is None:
            return None
        number, scale = measured
        scales.add(scale)
        if number is not None:
            found[name] = number
        elif name in {"gt", "lt"} or (rules[name] == {"float": "inf"}) == (name == "ge"):
            return None  # a bound at infinity that shuts something out
    if len(scales) > 1:
        return None
    low, low_open = _end(found.get("ge"), found.get("gt"), max)
    high, high_open = _end(found.get("le"), found.get("lt"), min)
    if kind in _DISCRETE:
        low = None if low is None else Fraction(math.floor(low) + 1 if low_open else math.ceil(low))
        high = (
            None
            if high is None
            else Fraction(math.ceil(high) - 1 if high_open else math.floor(high))
        )
        low_open = high_open = False
    return Interval(low, high, low_open, high_open, scales.pop() if scales else "")


def _end(
    closed: Fraction | None, opened: Fraction | None, tighter: Any
) -> tuple[Fraction | None, bool]:
    if opened is None or closed is None:
        return (closed, False) if opened is None else (opened, True)
    return (opened, True) if tighter(closed, opened) == opened else (closed, False)


def _measured(kind: str, bound: Any) -> tuple[Fraction | None, str] | None:
    """Return a bound as an exact number (None for infinity) and what it counts."""
    if isinstance(bound, date | time | timedelta):
        return _measured_time(bound)
    if isinstance(bound, bool) or not isinstance(bound, int | float | Decimal):
        return None
    if isinstance(bound, float) and math.isinf(bound):
        return None, "number"
    try:
        # pydantic-core holds the bounds of a float as floats
        return Fraction(float(bound) if kind == "float" else bound), "number"
    except (OverflowError, ValueError):  # NaN, or an infinite Decimal
        return None


def _measured_time(bound: date | time | timedelta) -> tuple[Fraction, str] | None:
    if isinstance(bound, datetime) and bound.utcoffset() is not None:
        return Fraction((bound - _AWARE_EPOCH) // _MICROSECOND), "aware moment"
    if isinstance(bound, datetime):
        return Fraction((bound - _NAIVE_EPOCH) // _MICROSECOND), "naive moment"
    if isinstance(bound, date):
        return Fraction(bound.toordinal()), "day"
    if isinstance(bound, timedelta):
        return Fraction(bound // _MICROSECOND), "duration"
    if bound.tzinfo is not None:
        return None
    seconds = (bound.hour * 60 + bound.minute) * 60 + bound.second
    return Fraction(seconds * 10**6 + bound.microsecond), "time of day"


def float_interval(exact: Interval, /) -> Interval | None:
    """Return the interval of the floats to which the numbers of another are rounded.

    Rounding keeps the order, so the ends go to the rounded ends; an open end may be reached.
    None if an end is beyond all floats.
    """
    ends = []
    for end in (exact.low, exact.high):
        try:
            ends.append(None if end is None else Fraction(float(end)))
        except OverflowError:
            return None
    return Interval(ends[0], ends[1], False, False, exact.scale)  # noqa: FBT003 - two closed ends
