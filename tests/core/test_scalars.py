"""Single values: what pandas and numpy call them, and the builtin that they stand for."""

from __future__ import annotations

import copy
import enum
import math
import sys
import uuid
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core.scalars import OutOfRange, normalise
from tests.contracts.corpus import _ODD
from tests.contracts.oracle import Unheld, plain_cell, same

MISSING = [
    None, math.nan, -math.nan, pd.NA, pd.NaT, np.nan, np.float32("nan"), np.longdouble("nan"),
    Decimal("NaN"), Decimal("sNaN"), Decimal("-NaN"), np.datetime64("NaT", "us"),
    np.timedelta64("NaT", "us"),
    np.datetime64("NaT", "ns"),
]  # fmt: skip


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_everything_missing_is_none(value):
    """Alone, and inside of containers."""
    assert normalise(value) is None
    assert normalise([1, value]) == [1, None]
    assert normalise({"a": (value,)}) == {"a": (None,)}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int8(3), 3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float32(0.1), 0.10000000149011612),
        (np.longdouble(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.bytes_(b"a"), b"a"),
        (np.complex64(1j), 1j),
        (np.datetime64("2026-01-01"), datetime(2026, 1, 1)),
        (np.datetime64("2026-01-01T00:00:00.123456789"), datetime(2026, 1, 1, 0, 0, 0, 123456)),
        (np.datetime64(-1, "ns"), datetime(1969, 12, 31, 23, 59, 59, 999999)),
        (np.timedelta64(1, "D"), timedelta(1)),
        (np.timedelta64(1500, "ns"), timedelta(microseconds=1)),
        (pd.Timestamp("2026-01-01 00:00:00.000000999"), datetime(2026, 1, 1)),
        (pd.Timedelta("1D 1ns"), timedelta(1)),
        (np.array([1, 2]), [1, 2]),
        (np.array([[1.0, np.nan]]), [[1.0, None]]),
        (np.array(5), 5),
        ({"a": np.int64(1), "b": [np.float64("nan")]}, {"a": 1, "b": [None]}),
        ((np.int64(1), "a"), (1, "a")),
    ],
    ids=repr,
)
def test_the_builtin_of_the_same_value(value, plain):
    """Of the same type as well."""
    found = normalise(value)

    assert found == plain
    assert type(found) is type(plain)


def test_time_zones_stay():
    """A moment keeps its zone."""
    moment = pd.Timestamp("2026-01-01", tz="Asia/Tokyo")

    assert normalise(moment) == datetime(2025, 12, 31, 15, tzinfo=UTC)
    assert normalise(moment).utcoffset() == timedelta(hours=9)


class Shade(enum.Enum):
    """Members are values of their own."""

    DARK = 1


class Text(str):
    """A text of another type may mean something else."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        True, 0, -0.0, "", "a", b"", date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), time(1),
        timedelta(1), uuid.UUID(int=1), Decimal("1.50"), Decimal("Infinity"), math.inf, 1j,
        Shade.DARK, Text("a"), {1, 2}, frozenset(), object(), len, OrderedDict(a=math.nan),
        pd.Period("2026-01"), pd.Interval(0, 1), [1, [2.0, {"a": "b"}]], {"a": None}, (1, (2,)), [],
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_plain_stays_the_same_object(value):
    """Nothing is copied that need not change."""
    assert normalise(value) is value


@pytest.mark.parametrize("value", [[1, math.nan], {"a": [np.int64(1)]}, (pd.NA,)], ids=repr)
def test_containers_are_not_changed(value):
    """What changes is new."""
    before = copy.deepcopy(value)

    assert normalise(value) is not value
    assert repr(value) == repr(before)


@pytest.mark.parametrize(
    "value",
    [
        np.datetime64("10000-01-01", "s"),
        np.datetime64("-0001-01-01", "s"),
        np.timedelta64(2**60, "s"),
        pd.Timestamp(np.datetime64("10000-01-01", "s")),
        pd.Timedelta(np.timedelta64(2**62 // 10**3, "s")),
    ],
    ids=repr,
)
def test_what_python_cannot_hold_is_said_to_be_out_of_range(value):
    """The bare value would be read wrong."""
    found = normalise(value)

    assert isinstance(found, OutOfRange)
    assert found.value is value
    assert repr(found) == f"OutOfRange({value!r})"


@given(st.recursive(st.sampled_from(_ODD), lambda some: st.lists(some, max_size=3), max_leaves=6))
def test_it_agrees_with_a_plain_search(value):
    """Written a second time, cell by cell."""
    found, wanted = normalise(value), plain_cell(value)

    def alike(left, right):
        if isinstance(left, OutOfRange):
            return isinstance(right, Unheld)
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(alike, left, right))
        return same(left, right) or left is right or repr(left) == repr(right)

    assert alike(found, wanted)


@given(st.sampled_from(_ODD))
def test_once_is_enough(value):
    """A plain value is plain."""
    once = normalise(value)

    assert normalise(once) is once


def test_libraries_that_are_not_there_have_no_values(monkeypatch):
    """Nothing is imported to ask."""
    for name in ("pandas", "numpy"):
        monkeypatch.delitem(sys.modules, name)
    stranger = timezone(timedelta(0))

    assert normalise(stranger) is stranger
    assert {"pandas", "numpy"} & sys.modules.keys() == set()
