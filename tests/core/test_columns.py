"""Columns: whatever dtype holds it, a value is read as what it is."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core import columns
from prodml._core.arrow_text import has_arrow
from prodml._core.scalars import OutOfRange
from tests.contracts.corpus import columns as corpus
from tests.contracts.oracle import Unheld, plain_cell, same

SERIES = dict(corpus(arrow=has_arrow()))
ARRAYS = {name: series.array for name, series in SERIES.items()}


def alike(left, right):
    """Say whether two plain values are the same, moments that Python cannot hold included."""
    if isinstance(left, OutOfRange):
        return isinstance(right, OutOfRange | Unheld)
    return same(left, right) or left is right or repr(left) == repr(right)


@pytest.mark.parametrize("name", ARRAYS)
class TestEveryDtype:
    """Over columns of every dtype, with the values at its edges."""

    def test_python_values_are_those_of_the_cells(self, name):
        """Read at once or one by one."""
        values = columns.python_values(ARRAYS[name])

        cells = [plain_cell(cell) for cell in ARRAYS[name]]
        assert len(values) == len(cells)
        assert [pair for pair in zip(values, cells, strict=True) if not alike(*pair)] == []

    def test_missing_means_none(self, name):
        """The mask, the count and the values agree."""
        absent = [value is None for value in columns.python_values(ARRAYS[name])]

        assert columns.missing_mask(ARRAYS[name]).tolist() == absent
        assert columns.count_missing(ARRAYS[name]) == sum(absent)

    def test_distinct_values_are_the_values(self, name):
        """Each cell finds its own by its code, and no two that differ share one."""
        found = columns.distinct_values(ARRAYS[name])
        if found is None:
            return
        codes, values = found

        read = [None if code < 0 else values[code] for code in codes.tolist()]
        pairs = zip(read, columns.python_values(ARRAYS[name]), strict=True)
        assert [pair for pair in pairs if not alike(*pair)] == []
        assert {type(value) for value in values} != {bool, int}

    def test_a_piece_is_read_like_the_whole(self, name):
        """Blocks are slices."""
        whole = columns.python_values(ARRAYS[name])

        for piece in (slice(0, 0), slice(1, 3), slice(2, None)):
            part = columns.python_values(ARRAYS[name][piece])
            assert len(part) == len(whole[piece])
            assert [pair for pair in zip(part, whole[piece], strict=True) if not alike(*pair)] == []

    def test_kernels_read_numbers_exactly_or_not_at_all(self, name):
        """What they give is what the cells are."""
        values = columns.python_values(ARRAYS[name])
        for read, absent in (
            (columns.integers_of, 0),
            (columns.booleans_of, False),
            (columns.numbers_of, math.nan),
        ):
            if (numbers := read(ARRAYS[name])) is not None:
                wanted = [absent if value is None else value for value in values]
                assert [n for n in zip(numbers.tolist(), wanted, strict=True) if not same(*n)] == []


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2], "int64"), ([1.5], "float32"), ([True], "bool"), (["a"], object),
        (["2026-01-01"], "M8[s]"), ([5], "m8[ns]"), ([1 + 2j], "complex128"),
    ],
)  # fmt: skip
def test_plain_numpy_columns_are_known(values, dtype):
    """Pandas wraps the dtype of some, and the wrapping differs between versions."""
    column = pd.Series(np.array(values, dtype=dtype), dtype=dtype).array

    assert columns.numpy_dtype(column) == np.dtype(dtype)


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "Float64", "category", "string[python]"])
def test_other_columns_have_no_numpy_dtype(dtype):
    """Though some have an attribute of that name."""
    values = {"boolean": [True], "category": ["a"], "string[python]": ["a"]}.get(dtype, [1])

    assert columns.numpy_dtype(pd.Series(values, dtype=dtype).array) is None


def test_columns_come_by_position():
    """Labels that occur twice are two columns."""
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"])

    assert [list(column) for column in columns.columns_of(frame)] == [[1, 3], [2, 4]]


def test_nan_beside_na_is_missing_too():
    """A nullable float column can hold both."""
    values = pd.array([1.0, None, 0.0], dtype="Float64")
    quotient = values / pd.array([1.0, 1.0, 0.0], dtype="Float64")

    assert columns.missing_mask(quotient).tolist() == [False, True, True]


def test_a_decimal_that_signals_is_missing_without_a_word():
    """Pandas cannot even ask it."""
    values = np.array([Decimal("sNaN"), Decimal(1)], dtype=object)

    assert columns.missing_mask(pd.Series(values, dtype=object).array).tolist() == [True, False]


class TestMoments:
    """Moments and durations in microseconds, or not at all."""

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_in_every_unit(self, unit):
        """The least integer stands for a missing one."""
        moments = np.array(["1970-01-01T00:00:01", "NaT", "1969-12-31"], dtype=f"M8[{unit}]")

        found = columns.moments_of(pd.Series(moments).array)

        assert found.tolist() == [1_000_000, -(2**63), -86_400_000_000]

    def test_zones_are_taken_to_utc(self):
        """The instant counts."""
        column = pd.Series(pd.to_datetime(["1970-01-01"])).dt.tz_localize("Asia/Tokyo").array

        assert columns.moments_of(column).tolist() == [-9 * 3_600_000_000]

    @pytest.mark.parametrize("unit", ["s", "ms"])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_what_does_not_fit_into_microseconds_is_left(self, unit, sign):
        """Numpy would wrap it around."""
        far = np.array([sign * 2**62, 0], dtype=f"M8[{unit}]")

        assert columns.moments_of(pd.Series(far).array) is None
        assert columns.durations_of(pd.Series(far.view(f"m8[{unit}]")).array) is None

    @pytest.mark.parametrize("column", [pd.array([1], dtype="Int64"), pd.Series([1]).array])
    def test_other_columns_hold_none(self, column):
        """Not even as integers."""
        assert columns.moments_of(column) is None
        assert columns.durations_of(column) is None

    @pytest.mark.parametrize(
        ("moment", "inside"),
        [
            (datetime(1, 1, 1), True),
            (datetime(9999, 12, 31, 23, 59, 59, 999999), True),
            ("-0001-12-31T23:59:59.999999", False),
            ("10000-01-01", False),
        ],
    )
    def test_what_a_datetime_can_hold(self, moment, inside):
        """The years 1 to 9999."""
        micros = np.array([moment], dtype="M8[us]").view(np.int64)

        assert columns.within_python_range(micros).tolist() == [inside]


class TestDistinct:
    """Values are told apart as pydantic would, or left to be looked at one by one."""

    @pytest.mark.parametrize(
        "cells",
        [[1, True], [1, 1.0], ["1", 1], [b"a"], [(1,)], [[1]], [Decimal(1)], [1.5], [None], []],
    )
    def test_objects_of_mixed_types_are_left(self, cells):
        """Python calls some of them equal."""
        objects = np.fromiter(cells, dtype=object, count=len(cells))

        assert columns.distinct_values(pd.Series(objects, dtype=object).array) is None

    @given(st.lists(st.sampled_from(["a", "a\x00", "a\x00b", "b", "", None, math.nan])))
    def test_text_is_told_apart_to_its_end(self, cells):
        """Pandas 2 stops at a NUL."""
        objects = pd.Series(np.fromiter(cells, dtype=object, count=len(cells)), dtype=object).array
        found = columns.distinct_values(objects)

        if found is not None:
            codes, values = found
            wanted = [cell if isinstance(cell, str) else None for cell in cells]
            assert [None if code < 0 else values[code] for code in codes] == wanted
            assert len(set(values)) == len(values)

    def test_zeros_are_told_apart_by_their_sign(self):
        """Though they are equal."""
        codes, values = columns.distinct_values(pd.Series([0.0, -0.0, 0.0]).array)

        assert codes.tolist() == [0, 1, 0]
        assert [math.copysign(1, value) for value in values] == [1, -1]

    def test_nan_is_missing_whatever_its_bits(self):
        """There are many."""
        bits = np.array([0x7FF8000000000000, 0x7FF8000000000001, 0], dtype=np.uint64)

        codes, _ = columns.distinct_values(pd.Series(bits.view(np.float64)).array)

        assert codes.tolist()[:2] == [-1, -1]

    def test_without_the_fast_way_text_is_told_apart_all_the_same(self, monkeypatch):
        """As with pandas 2, on any pandas."""
        monkeypatch.setattr(columns, "pandas_major", lambda: 2)
        objects = pd.Series(["a\x00b", "a", "a\x00b", None], dtype=object).array

        codes, values = columns.distinct_values(objects)

        assert codes.tolist() == [0, 1, 0, -1]
        assert values == ["a\x00b", "a"]
