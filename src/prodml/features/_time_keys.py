"""Times of any column as integers that compare as the times do, to the nanosecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.canonical_scalars import NANOSECONDS
from prodml._core.columns import is_categorical, numpy_dtype, python_objects
from prodml._core.scalars import normalise
from prodml.errors import InputTypeError, PointInTimeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

__all__ = ["NS_PER_US", "Timeline", "Times", "check_one_clock", "read_times", "timeline_of"]

NS_PER_US: Final = 1000
_NEVER: Final = -(2**63)
#: How many microseconds the units of pandas have, nanoseconds apart.
_US_OF_UNIT: Final = {"s": 1_000_000, "ms": 1000, "us": 1}
_LARGEST: Final = 2**63 - 1
#: Times farther apart than this many units cannot be subtracted in 64 bits with room to spare.
_WIDEST: Final = 2**62
_MOST_ROWS: Final = 5
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Times(NamedTuple):
    """Moments, none of them missing.

    Attributes
    ----------
    label : object
        The column they come from.
    owner : str
        Whose column it is, for messages.
    us : numpy.ndarray of int64
        Whole microseconds since 1970, in UTC where the times are aware.
    ns : numpy.ndarray of int64 or None
        What is left, 0 to 999 nanoseconds; None if that is 0 everywhere.
    aware : bool or None
        Whether they have a time zone; None where there are no rows.
    """

    label: Any
    owner: str
    us: Integers
    ns: Integers | None
    aware: bool | None


class Timeline(NamedTuple):
    """Times of both sides of a join, counted from one origin in one unit.

    Attributes
    ----------
    at : numpy.ndarray of int64
        When each entity row asks, >= 0.
    event : numpy.ndarray of int64
        When each row of the view happened, >= 1.
    created : numpy.ndarray of int64 or None
        When it became known, >= 0.
    written : tuple of numpy.ndarray of int64
        The same, but whole, the finest part first: what ranks rows that happened at one time.
    end : int
        The largest of all.
    unit_ns : int
        Nanoseconds of one count: 1000, or 1 where a time is finer than a microsecond.
    """

    at: Integers
    event: Integers
    created: Integers | None
    written: tuple[Integers, ...]
    end: int
    unit_ns: int


def read_times(column: Any, label: Any, owner: str, /) -> Times:
    """Return the moments of a column.

    Parameters
    ----------
    column : pandas array
        datetime64 of any unit, naive or aware, Arrow timestamps, or objects that are datetimes.
    label : object
        Its name, for messages.
    owner : str
        Whose it is, for messages: ``"the entities"``, ``"view 'orders'"``.

    Raises
    ------
    InputTypeError
        If it holds something else.
    PointInTimeError
        If a time is missing, naive and aware times stand side by side, or one is out of range.
    """
    if is_categorical(column):
        column = column.categories.array.take(np.asarray(column.codes), allow_fill=True)
    dtype = numpy_dtype(column)
    if dtype is not None and dtype.kind == "M":
        counts = np.asarray(column).view(np.int64)
        return _of_counts(counts, np.datetime_data(dtype)[0], label, owner, aware=False)
    if type(column.dtype).__name__ == "DatetimeTZDtype":
        return _of_counts(column.asi8, column.dtype.unit, label, owner, aware=True)
    arrow = getattr(column.dtype, "pyarrow_dtype", None)
    if arrow is not None and column.dtype.kind == "M" and hasattr(arrow, "unit"):
        zone = "" if arrow.tz is None else ", UTC"
        return read_times(column.astype(f"datetime64[{arrow.unit}{zone}]"), label, owner)
    objects = python_objects(column) if dtype is not None else None
    if objects is None:
        raise _no_time(label, owner, got=column.dtype, row=None)
    return _of_objects(objects.tolist(), label, owner)


def _of_counts(counts: Integers, unit: str, label: Any, owner: str, *, aware: bool) -> Times:
    absent = counts == _NEVER
    if absent.any():
        raise _missing(label, owner, np.flatnonzero(absent))
    ns: Integers | None = None
    if unit == "ns":
        us = counts // NS_PER_US
        rest = counts - us * NS_PER_US
        ns = rest if rest.any() else None
    else:
        factor = _US_OF_UNIT[unit]
        outside = np.flatnonzero(np.abs(counts) > _LARGEST // factor) if factor > 1 else ()
        if len(outside):
            raise _out_of_range(label, owner, outside)
        us = counts * factor if factor > 1 else counts
    return Times(label, owner, us, ns, aware if len(counts) else None)


def _of_objects(cells: list[Any], label: Any, owner: str) -> Times:
    absent = [row for row, cell in enumerate(cells) if _is_missing(cell)]
    if absent:
        raise _missing(label, owner, absent)
    counts = []
    naive: list[int] = []
    aware: list[int] = []
    for row, cell in enumerate(cells):
        if not _is_moment(cell):
            raise _no_time(label, owner, got=cell, row=row)
        is_aware = isinstance(cell, datetime) and cell.utcoffset() is not None
        (aware if is_aware else naive).append(row)
        counts.append(_nanoseconds(cell, aware=is_aware))
    if naive and aware:
        message = (
            f"Column {label!r} of {owner} has times with a time zone and times without one, "
            f"as in rows {aware[0]} and {naive[0]}. Give all of them a time zone, or none."
        )
        raise PointInTimeError(message, column=str(label), rows=sorted((aware[0], naive[0])))
    outside = [row for row, count in enumerate(counts) if abs(count) > _LARGEST * NS_PER_US]
    if outside:
        raise _out_of_range(label, owner, outside)
    us = np.array([count // NS_PER_US for count in counts], dtype=np.int64)
    rest = np.array([count % NS_PER_US for count in counts], dtype=np.int64)
    return Times(label, owner, us, rest if rest.any() else None, bool(aware) if cells else None)


def _is_missing(cell: Any) -> bool:
    return cell is None or (type(cell) is not datetime and normalise(cell) is None)


def _is_moment(cell: Any) -> bool:
    if isinstance(cell, np.datetime64):  # a month or a year is none
        return np.datetime_data(cell.dtype)[0] in NANOSECONDS
    return isinstance(cell, datetime)


def _nanoseconds(cell: Any, *, aware: bool) -> int:
    """Return nanoseconds since 1970 as Python's int, which cannot overflow."""
    stamp = cell if isinstance(cell, np.datetime64) else getattr(cell, "asm8", None)
    if stamp is not None:
        unit, step = np.datetime_data(stamp.dtype)
        return int(stamp.view(np.int64)) * NANOSECONDS[unit] * step
    apart: timedelta = cell - (_EPOCH if aware else _EPOCH.replace(tzinfo=None))
    return ((apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds) * NS_PER_US


def check_one_clock(columns: Sequence[Times], /) -> None:
    """Refuse times with a time zone beside times without one.

    Raises
    ------
    PointInTimeError
        ``.column`` is the first that differs from those before it.
    """
    known = [times for times in columns if times.aware is not None]
    for times in known[1:]:
        first = known[0]
        if times.aware != first.aware:
            words = {True: "has a time zone", False: "has none"}
            message = (
                f"Column {first.label!r} of {first.owner} {words[bool(first.aware)]}, column "
                f"{times.label!r} of {times.owner} {words[bool(times.aware)]}, so that nobody can "
                "tell which is earlier. Localise what is naive to the time zone that it was "
                "written in: .dt.tz_localize('UTC')."
            )
            raise PointInTimeError(message, column=str(times.label))


def timeline_of(at: Times, event: Times, created: Times | None = None, /) -> Timeline:
    """Return the times of both sides as counts from one origin.

    What happens after the last question is never an answer, and stands at one count after it,
    however far away it is. What was known before the first event stands at the origin.

    Parameters
    ----------
    at, event : Times
        Of at least one row each.
    created : Times, optional
        As many as of `event`.

    Raises
    ------
    PointInTimeError
        If the times are too far apart to be counted in 64 bits: 146 years in nanoseconds, or
        146,000 in microseconds.
    """
    fine = any(times is not None and times.ns is not None for times in (at, event, created))
    first, last = int(event.us.min()), int(at.us.max())
    origin, beyond = first - 1, max(last, first) + 1
    unit_ns = 1 if fine else NS_PER_US
    end = (beyond - origin + 1) * (NS_PER_US if fine else 1)
    if end >= _WIDEST:
        unit = "nanoseconds" if fine else "microseconds"
        message = (
            f"Column {event.label!r} of {event.owner} begins too long before the last time in "
            f"{at.label!r} of {at.owner} to be counted in {unit}. Take out the times that stand "
            "for no time, such as the year 1, or cut all times to microseconds."
        )
        rows = np.flatnonzero(event.us == first)[:_MOST_ROWS]
        raise PointInTimeError(message, column=str(event.label), rows=rows.tolist())

    def counted(times: Times) -> Integers:
        us = np.clip(times.us, origin, beyond)
        us -= origin
        if not fine:
            return us
        us *= NS_PER_US
        return us if times.ns is None else us + times.ns

    known: Integers | None = None
    written: tuple[Integers, ...] = ()
    if created is not None:
        known = counted(created)
        written = (created.us,) if created.ns is None else (created.ns, created.us)
    return Timeline(counted(at), counted(event), known, written, end, unit_ns)


def _rows_in_words(rows: Sequence[int] | Integers) -> str:
    shown = ", ".join(str(int(row)) for row in rows[:_MOST_ROWS])
    more = f" and {len(rows) - _MOST_ROWS:,} more" if len(rows) > _MOST_ROWS else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"


def _missing(label: Any, owner: str, rows: Sequence[int] | Integers) -> PointInTimeError:
    message = (
        f"Column {label!r} of {owner} has no time in {_rows_in_words(rows)}. A row without a time "
        "stands nowhere in time; leave such rows out, or find out when they were."
    )
    found = [int(row) for row in rows[:_MOST_ROWS]]
    return PointInTimeError(message, column=str(label), rows=found)


def _out_of_range(label: Any, owner: str, rows: Sequence[int] | Integers) -> PointInTimeError:
    message = (
        f"Column {label!r} of {owner} has times that microseconds cannot count in 64 bits, in "
        f"{_rows_in_words(rows)}. Leave such rows out."
    )
    found = [int(row) for row in rows[:_MOST_ROWS]]
    return PointInTimeError(message, column=str(label), rows=found)


def _no_time(label: Any, owner: str, *, got: Any, row: int | None) -> InputTypeError:
    what = f"has the dtype {str(got)!r}"
    if row is not None:
        what = f"holds a value of type {type(got).__name__!r} in row {row}"
    message = (
        f"Column {label!r} of {owner} {what}; a time is a datetime64 or a datetime. Convert it "
        "with pandas.to_datetime(..., utc=True); numbers need their unit= as well, and a date "
        "the time of that day at which it was known."
    )
    return InputTypeError(message, field=str(label), got=got, expected="datetime64", row=row)
