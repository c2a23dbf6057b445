"""Parts of moments, against datetime, calendar and zoneinfo."""

from __future__ import annotations

import calendar
import math
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prodml.errors import FeatureDefinitionError
from prodml.features import FeatureSet, Field, ops

MOMENT = "timestamp[us, UTC]"
PARTS = ("year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "is_weekend")
#: First value and length of what begins again.
CYCLES = {
    "month": (1, 12),
    "day_of_week": (0, 7),
    "day_of_year": (1, 365.25),
    "hour": (0, 24),
    "minute": (0, 60),
}
ZONES = ("Europe/Rome", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe")

#: The whole calendar, and what a nullable field can hold of it.
moments = st.datetimes(timezones=st.just(UTC))
near = st.datetimes(datetime(1686, 1, 1), datetime(2254, 1, 1), timezones=st.just(UTC))


def part_of(moment, part):
    """Return a part as the standard library has it."""
    if part == "day_of_week":
        return moment.weekday()
    if part == "day_of_year":
        return moment.timetuple().tm_yday
    if part == "is_weekend":
        return moment.weekday() in {calendar.SATURDAY, calendar.SUNDAY}
    return getattr(moment, part)


def parts(tz="UTC"):
    """Return all parts in a zone."""
    return [ops.date_part("x", part, tz=tz, called=f"{part}_in_zone") for part in PARTS]


def cycles(tz="UTC"):
    """Return all cycles in a zone."""
    return [ops.cyclic_date_part("x", part, tz=tz) for part in CYCLES]


def days():
    """Return the days between two columns."""
    return [ops.days_between("x", "other")]


@cache
def fitted_set(make, *arguments, nullable=False, names=("x",)):
    """Return features, fitted once; they learn nothing."""
    fields = [Field(one, MOMENT, nullable=nullable) for one in names]
    fs = FeatureSet("dates", version="1", inputs=fields)
    fs.add(*make(*arguments))
    return fs.fit(pd.DataFrame({name: pd.to_datetime([], utc=True) for name in names}))


def computed(fitted, moments, **columns):
    """Return a row of features for each moment, from columns; they are those of records, too."""
    cells = {"x": moments, **columns}
    frame = pd.DataFrame({name: pd.Series(one, dtype=object) for name, one in cells.items()})
    matrix = fitted.transform(frame)
    for at in range(len(frame)):
        record = {name: one[at] for name, one in cells.items()}
        np.testing.assert_array_equal(fitted.transform_one(record), matrix[at])
    return matrix


@given(found=st.lists(moments, min_size=1, max_size=20))
@example(
    found=[
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        *(datetime(year, 2, 28, 23, 59, tzinfo=UTC) for year in (1600, 1700, 1900, 2000, 2023)),
        *(datetime(year, 3, 1, tzinfo=UTC) for year in (4, 100, 400, 1900, 2000, 2024, 2100)),
        *(datetime(year, 2, 29, tzinfo=UTC) for year in (4, 400, 1600, 2000, 2024, 9996)),
        *(datetime(year, 12, 31, tzinfo=UTC) for year in (4, 1900, 1969, 2000, 2023, 2024)),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
    ]
)
def test_parts_are_those_of_the_standard_library(found):
    """From the year 1 to 9999, before and after 1970, in leap years and in none."""
    got = computed(fitted_set(parts), found)
    assert got.tolist() == [[float(part_of(one, part)) for part in PARTS] for one in found]


def test_every_day_of_four_centuries():
    """The Gregorian calendar repeats itself from then on."""
    days = [datetime(1700, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(0, 146_097, 7)]
    days += [datetime(1999, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(800)]
    column = (
        np.array([(one - datetime(1970, 1, 1, tzinfo=UTC)).days for one in days]) * 86_400_000_000
    )
    for part in PARTS:
        expected = [part_of(one, part) for one in days]
        assert ops.date_part("x", part)(column).tolist() == expected
        assert ops.date_part("x", part)(column.astype(float)).tolist() == expected


@given(found=st.lists(st.none() | near, min_size=1, max_size=10))
def test_missing_moments_stay_missing(found):
    """Those that may be missing are floats, and exact."""
    for tz in ("UTC", "Asia/Tokyo"):
        got = computed(fitted_set(parts, tz, nullable=True), found)
        circles = computed(fitted_set(cycles, tz, nullable=True), found)
        for one, row, circle in zip(found, got, circles, strict=True):
            if one is None:
                assert np.isnan(row).all()
                assert np.isnan(circle).all()
                continue
            local = one.astimezone(ZoneInfo(tz))
            assert row.tolist() == [part_of(local, part) for part in PARTS]
            assert not np.isnan(circle).any()


@given(found=st.lists(moments.filter(lambda m: 1 < m.year < 9999), min_size=1, max_size=10))
@example(
    found=[
        datetime(2024, 3, 31, 0, 59, tzinfo=UTC),
        datetime(2024, 3, 31, 1, 0, tzinfo=UTC),
        datetime(2024, 10, 27, 0, 59, tzinfo=UTC),
        datetime(2024, 10, 27, 1, 0, tzinfo=UTC),
        datetime(2011, 12, 30, 9, 59, tzinfo=UTC),  # the day before the one that Apia left out
        datetime(2011, 12, 30, 10, 0, tzinfo=UTC),
        datetime(1850, 1, 1, tzinfo=UTC),
    ]
)
@pytest.mark.parametrize("tz", ZONES)
def test_parts_of_a_zone_are_those_of_zoneinfo(tz, found):
    """Over changes of the clocks, of half an hour and of a whole day."""
    got = computed(fitted_set(parts, tz), found)
    local = [one.astimezone(ZoneInfo(tz)) for one in found]
    assert got.tolist() == [[float(part_of(one, part)) for part in PARTS] for one in local]


@pytest.mark.parametrize("tz", ["Europe/Rome", "America/New_York"])
def test_the_ends_of_the_calendar_are_read_in_utc(tz):
    """Where a zone would lead beyond the years that a datetime has, there is an answer, too."""
    ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
    got = computed(fitted_set(parts, tz), ends)
    assert got[:, 0].tolist() == [1.0, 9999.0]


@given(found=st.lists(moments.filter(lambda m: 1 < m.year < 9999), min_size=1, max_size=10))
@pytest.mark.parametrize("tz", ["UTC", "Asia/Kolkata"])
def test_cycles_are_points_on_a_circle(tz, found):
    """The sine and the cosine of the part's share of its cycle."""
    got = computed(fitted_set(cycles, tz), found)
    for one, row in zip(found, got.tolist(), strict=True):
        local, expected = one.astimezone(ZoneInfo(tz)), []
        for part, (first, period) in CYCLES.items():
            angle = 2 * math.pi * (part_of(local, part) - first) / period
            expected += [math.sin(angle), math.cos(angle)]
        # numpy and the C library round the last digits in their own way
        np.testing.assert_allclose(row, expected, rtol=0, atol=4e-15)


def test_the_names_of_cycles():
    """A column each for the sine and the cosine."""
    fs = FeatureSet("dates", version="1", inputs=[Field("x", MOMENT)])
    fs.add(ops.cyclic_date_part("x", "hour"), ops.cyclic_date_part("x", "hour", called="h"))
    fitted = fs.fit(pd.DataFrame({"x": pd.to_datetime([0], utc=True)}))
    assert fitted.columns == ("x_hour_sin", "x_hour_cos", "h_sin", "h_cos")


@given(pairs=st.lists(st.tuples(moments, moments), min_size=1, max_size=10))
def test_days_between_are_microseconds_over_those_of_a_day(pairs):
    """These are exact integers, and become floats."""
    later, earlier = map(list, zip(*pairs, strict=True))
    got = computed(fitted_set(days, names=("x", "other")), later, other=earlier)
    expected = [float((a - b) // timedelta(microseconds=1)) / 86_400_000_000 for a, b in pairs]
    assert got[:, 0].tolist() == expected


def test_days_are_missing_where_a_moment_is():
    """Either of them."""
    now = datetime(2024, 1, 1, tzinfo=UTC)
    fitted = fitted_set(days, nullable=True, names=("x", "other"))
    got = computed(fitted, [now, None, now], other=[None, now, now])
    np.testing.assert_array_equal(got[:, 0], [math.nan, math.nan, 0.0])


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: ops.date_part("x", "second"), "part"),
        (lambda: ops.date_part("x", ["hour"]), "part"),
        (lambda: ops.date_part("x", None), "part"),
        (lambda: ops.cyclic_date_part("x", "year"), "part"),
        (lambda: ops.cyclic_date_part("x", "is_weekend"), "part"),
        (lambda: ops.cyclic_date_part("x", ["hour"]), "part"),
        (lambda: ops.date_part("x", "hour", tz="Mars"), "tz"),
        (lambda: ops.date_part("x", "hour", tz="Europe"), "tz"),
        (lambda: ops.date_part("x", "hour", tz=""), "tz"),
        (lambda: ops.date_part("x", "hour", tz=None), "tz"),
        (lambda: ops.date_part("x", "hour", tz="../zone"), "tz"),
        (lambda: ops.cyclic_date_part("x", "hour", tz=5), "tz"),
        (lambda: ops.date_part("x", "hour", called="an hour"), "name"),
        (lambda: ops.days_between("x", "y", called="state"), "name"),
    ],
)
def test_bad_options_are_refused_when_they_are_given(make, option):
    """The message names the option."""
    with pytest.raises(FeatureDefinitionError, match=f"^`{option}` must be ") as caught:
        make()
    assert caught.value.faults == (str(caught.value),)
