"""Ready-made features of moments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from prodml.features.ops._making import made_of, refuse_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features.feature import Feature

__all__ = ["DatePart", "cyclic_date_part", "date_part", "days_between"]

DatePart = Literal[
    "year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "is_weekend"
]

_HOUR: Final = 3_600_000_000
_DAY: Final = 24 * _HOUR
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - to count local time from
#: How many values a part takes before it begins again, and its first value.
_CYCLES: Final[dict[str, tuple[float, int]]] = {
    "month": (12, 1),
    "day_of_week": (7, 0),
    "day_of_year": (365.25, 1),
    "hour": (24, 0),
    "minute": (60, 0),
}


def _civil(x: Any) -> tuple[Any, Any, Any]:
    """Return year, month and day of microseconds since 1970.

    Hinnant, H. (2013), chrono-compatible low-level date algorithms, ``civil_from_days``; with
    years that begin in March, and without its branch for negative eras, which floors here.
    """
    days = x // _DAY + 719_468
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = np.where(month_from_march < 10, month_from_march + 3, month_from_march - 9)  # noqa: PLR2004
    year = year_of_era + era * 400 + np.where(month <= 2, 1, 0)  # noqa: PLR2004 - January, February
    return year, month, day


def _day_of_year(x: Any) -> Any:
    year, month, day = _civil(x)
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    # days before a month, from the lengths of months that alternate from March on
    before = (153 * ((month + 9) % 12) + 2) // 5
    after_february = before + 59 + np.where(leap, 1, 0)
    return np.where(month > 2, after_february, before - 306) + day  # noqa: PLR2004


_PARTS: Final[dict[str, Callable[[Any], Any]]] = {
    "year": lambda x: _civil(x)[0],
    "month": lambda x: _civil(x)[1],
    "day": lambda x: _civil(x)[2],
    "day_of_week": lambda x: (x // _DAY + 3) % 7,
    "day_of_year": _day_of_year,
    "hour": lambda x: x // _HOUR % 24,
    "minute": lambda x: x // 60_000_000 % 60,
    "is_weekend": lambda x: (x // _DAY + 3) % 7 >= 5,  # noqa: PLR2004 - Saturday and Sunday
}


def _part_in_utc(part: str, x: Any) -> Any:
    value = _PARTS[part](x)
    # a comparison with NaN is false, which would not be missing
    return np.where(x == x, value, np.nan) if part == "is_weekend" else value  # noqa: PLR0124


@dataclass(frozen=True, slots=True)
class _Part:
    part: str

    def __call__(self, x: Any) -> Any:
        return _part_in_utc(self.part, x)


def _shift_at(tz: str, moment: int) -> int:
    """Return by how many microseconds local time is ahead of UTC."""
    try:
        offset = (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(tz)).utcoffset()
    except OverflowError:  # the first or last day of all
        offset = None
    return 0 if offset is None else offset // timedelta(microseconds=1)


@lru_cache(maxsize=100_000)
def _shift_of_hour(tz: str, hour: int) -> int | None:
    """Return the shift of a whole hour; None where clocks are set in it."""
    first, last = _shift_at(tz, hour * _HOUR), _shift_at(tz, hour * _HOUR + _HOUR - 1)
    return first if first == last else None


_LOCAL_PARTS: Final[dict[str, Callable[[datetime], float]]] = {
    "year": lambda moment: float(moment.year),
    "month": lambda moment: float(moment.month),
    "day": lambda moment: float(moment.day),
    "day_of_week": lambda moment: float(moment.weekday()),
    "day_of_year": lambda moment: float(moment.timetuple().tm_yday),
    "hour": lambda moment: float(moment.hour),
    "minute": lambda moment: float(moment.minute),
    "is_weekend": lambda moment: float(moment.weekday() >= 5),  # noqa: PLR2004 - Saturday, Sunday
}


@dataclass(frozen=True, slots=True)
class _LocalPart:
    part: str
    tz: str

    def __call__(self, x: Any) -> float:
        if x != x:  # noqa: PLR0124 - NaN
            return math.nan
        moment = int(x)
        shift = _shift_of_hour(self.tz, moment // _HOUR)
        local = moment + (_shift_at(self.tz, moment) if shift is None else shift)
        try:
            return _LOCAL_PARTS[self.part](_NAIVE_EPOCH + timedelta(microseconds=local))
        except OverflowError:  # a local time before the year 1 or after 9999
            return float(np.asarray(_part_in_utc(self.part, local)))


@dataclass(frozen=True, slots=True)
class _Cyclic:
    part: str
    period: float
    first: int

    def __call__(self, x: Any) -> Any:
        angle = (_part_in_utc(self.part, x) - self.first) * (2 * math.pi / self.period)
        return np.sin(angle), np.cos(angle)


@dataclass(frozen=True, slots=True)
class _LocalCyclic:
    part: str
    period: float
    first: int
    tz: str

    def __call__(self, x: Any) -> tuple[float, float]:
        angle = (_LocalPart(self.part, self.tz)(x) - self.first) * (2 * math.pi / self.period)
        return float(np.sin(angle)), float(np.cos(angle))


@dataclass(frozen=True, slots=True)
class _SinCos:
    called: str

    def __call__(self, _state: Any) -> tuple[str, ...]:
        return f"{self.called}_sin", f"{self.called}_cos"


@dataclass(frozen=True, slots=True)
class _Days:
    def __call__(self, x: Any, other: Any) -> Any:
        return (x - other) / float(_DAY)


def date_part(
    name: str, part: DatePart, /, *, tz: str = "UTC", called: str | None = None
) -> Feature:
    """Return a part of a moment: its year, hour, day of the week ...

    Parameters
    ----------
    name : str
        A timestamp; missing ones stay missing.
    part : str
        ``"year"``, ``"month"`` (1 to 12), ``"day"`` (1 to 31), ``"day_of_week"`` (Monday is 0),
        ``"day_of_year"`` (from 1), ``"hour"``, ``"minute"`` or ``"is_weekend"``.
    tz : str, default "UTC"
        The time zone in which it is read, as an IANA name. Others than UTC take each value by
        itself, and are slower.
    called : str, optional
        By default ``<name>_<part>``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For another part, or an unknown time zone.

    Examples
    --------
    >>> import numpy as np
    >>> moments = np.array(["2024-02-29T13:05"], dtype="M8[us]").view(np.int64)
    >>> date_part("at", "month")(moments).tolist(), date_part("at", "hour")(moments).tolist()
    ([2], [13])
    """
    if part not in get_args(DatePart):
        raise refuse_option(part, "part", f"one of {', '.join(get_args(DatePart))}")
    called = called or f"{name}_{part}"
    if _zone(tz) == "UTC":
        return made_of(_Part(part), (name,), called)
    return made_of(_LocalPart(part, tz), (name,), called, elementwise=True)


def _zone(tz: str) -> str:
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):  # of a folder, as "Asia"
        raise refuse_option(tz, "tz", "an IANA name") from None
    return "UTC" if tz in {"UTC", "Etc/UTC"} else tz


def cyclic_date_part(
    name: str, part: DatePart, /, *, tz: str = "UTC", called: str | None = None
) -> Feature:
    """Return a part of a moment as a point on a circle, so that 23 h is near 0 h.

    Two columns, the sine and the cosine, named ``<name>_<part>_sin`` and ``_cos``.

    Parameters
    ----------
    name : str
        A timestamp; missing ones stay missing.
    part : str
        ``"month"``, ``"day_of_week"``, ``"day_of_year"``, ``"hour"`` or ``"minute"``.
    tz : str, default "UTC"
        The time zone in which it is read, as an IANA name.
    called : str, optional
        Instead of ``<name>_<part>``.

    Returns
    -------
    Feature
        To be added to a set.

    Raises
    ------
    FeatureDefinitionError
        For a part that does not begin again, or an unknown time zone.

    Examples
    --------
    >>> import numpy as np
    >>> moments = np.array(["2024-01-01T06:00"], dtype="M8[us]").view(np.int64)
    >>> cyclic_date_part("at", "hour")(moments)[0].tolist()
    [1.0]
    """
    if part not in tuple(_CYCLES):  # a list has no hash
        raise refuse_option(part, "part", f"one of {', '.join(_CYCLES)}")
    period, first = _CYCLES[part]
    called = called or f"{name}_{part}"
    columns = _SinCos(called)
    if _zone(tz) == "UTC":
        return made_of(_Cyclic(part, period, first), (name,), called, columns=columns)
    local = _LocalCyclic(part, period, first, tz)
    return made_of(local, (name,), called, columns=columns, elementwise=True)


def days_between(later: str, earlier: str, /, *, called: str | None = None) -> Feature:
    """Return the days from one moment to another, with fractions.

    Parameters
    ----------
    later, earlier : str
        Timestamps; where one is missing, so are the days.
    called : str, optional
        By default ``<later>_days_since_<earlier>``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> import numpy as np
    >>> days_between("now", "signup")(np.array([129_600_000_000]), np.array([0])).tolist()
    [1.5]
    """
    return made_of(_Days(), (later, earlier), called or f"{later}_days_since_{earlier}")
