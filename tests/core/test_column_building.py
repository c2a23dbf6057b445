"""Building columns: the dtype suits the kind, and every value comes back as it went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core.column_building import (
    column_from_values,
    concat_columns,
    filler_of,
    repeated_value,
    series_of,
    text_dtype,
)
from prodml._core.columns import python_values

EAST = timezone(timedelta(hours=5))
VALUES = {
    "int": st.integers(),
    "float": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "str": st.text(st.characters(exclude_categories=()), max_size=4),
    "datetime": st.datetimes() | st.datetimes(timezones=st.just(EAST)),
    "timedelta": st.timedeltas(),
    "object": st.none()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(), st.none()),
}


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_values_come_back(kind, data):
    """Huge ints, far moments, lone surrogates and all."""
    values = data.draw(st.lists(VALUES[kind] | st.none(), max_size=5))

    column = column_from_values(list(values), kind, nullable=data.draw(st.booleans()))

    found = python_values(column)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("values", "kind", "nullable", "dtype"),
    [
        ([1], "int", False, "int64"),
        ([1], "int", True, "Int64"),
        ([1, None], "int", False, "Int64"),
        ([2**63], "int", False, "object"),
        ([2**63, None], "int", True, "object"),
        ([], "int", False, "int64"),
        ([True], "int", False, "object"),
        ([1.5], "float", True, "float64"),
        ([1.5, None], "float", False, "float64"),
        ([1], "float", False, "object"),
        ([True], "bool", False, "bool"),
        ([True, None], "bool", False, "boolean"),
        ([True], "bool", True, "boolean"),
        ([datetime(2026, 1, 1)], "datetime", False, "datetime64[us]"),
        ([datetime(2026, 1, 1, tzinfo=EAST), None], "datetime", False, "datetime64[us, UTC]"),
        ([datetime(1, 1, 1), datetime(9999, 12, 31)], "datetime", False, "datetime64[us]"),
        ([datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)], "datetime", False, "object"),
        ([datetime(1, 1, 1, tzinfo=EAST)], "datetime", False, "object"),
        ([None], "datetime", False, "datetime64[us]"),
        ([timedelta(1), None], "timedelta", False, "timedelta64[us]"),
        ([timedelta.max], "timedelta", False, "object"),
        ([timedelta(microseconds=-(2**63))], "timedelta", False, "object"),
        ([[1], [2]], "list", False, "object"),
        ([1, 2], "object", False, "object"),
    ],
)
def test_the_dtype_suits_the_kind(values, kind, nullable, dtype):
    """And does not depend on whether a value is missing, where that is asked for."""
    assert str(column_from_values(values, kind, nullable=nullable).dtype) == dtype


def test_text_has_the_dtype_that_pandas_gives_it():
    """Which changed with pandas 3."""
    assert str(column_from_values(["a", None], "str").dtype) == str(pd.Series(["a"]).dtype)
    assert str(column_from_values(["a", 1], "str").dtype) == "object"
    assert column_from_values(["\ud800"], "str").tolist() == ["\ud800"]
    assert pd.Series(["a"]).dtype == text_dtype()


def test_lists_stay_lists():
    """Numpy would make a matrix of them."""
    column = column_from_values([[1, 2], [3, 4]], "list")

    assert column.tolist() == [[1, 2], [3, 4]]
    assert column.shape == (2,)


@pytest.mark.parametrize("kind", ["int", "float", "bool", "str", "datetime", "timedelta"])
def test_a_filler_keeps_the_dtype(kind):
    """It stands where nothing is known."""
    filler = filler_of(kind)

    assert column_from_values([filler], kind).dtype == column_from_values([], kind).dtype
    assert filler_of("list") is None


@pytest.mark.parametrize(("value", "kind"), [(7, "int"), (None, "int"), ("a", "str"), (None, "x")])
def test_one_value_throughout(value, kind):
    """As if it had been written out."""
    column = repeated_value(value, 3, kind)

    assert python_values(column) == [value] * 3
    assert column.dtype == column_from_values([value] * 3, kind).dtype
    assert len(repeated_value(value, 0, kind)) == 0


def test_columns_are_put_below_each_other():
    """A single one is left as it is."""
    one, two = pd.array([1, 2], dtype="Int64"), pd.Series(np.array([3])).array

    assert concat_columns([one]) is one
    assert concat_columns([one, two]).tolist() == [1, 2, 3]
    texts = [pd.Series(["a"], dtype=object).array, pd.Series([1], dtype=object).array]
    assert concat_columns(texts).tolist() == ["a", 1]


@pytest.mark.parametrize("dtype", [object, "int64", "Int64", "category", "M8[ns]"])
def test_a_series_keeps_the_dtype_of_its_column(dtype):
    """Pandas 3 would make text of objects."""
    values = ["a", "b"] if dtype in {object, "category"} else [1, 2]
    column = pd.Series(values, dtype=dtype).array

    series = series_of(column, index=pd.Index([5, 6]))

    assert series.dtype == dtype
    assert series.index.tolist() == [5, 6]
