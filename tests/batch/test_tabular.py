"""Records in whatever they are held: counted, cut, joined, and turned into rows and frames."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from prodml.batch._tabular import (
    count_records,
    join_outputs,
    slice_records,
    take_records,
    to_frame,
    to_rows,
)


@dataclass
class Point:
    x: int
    y: str | None


class Model(BaseModel):
    x: int
    y: str | None


Pair = namedtuple("Pair", ["x", "y"])  # noqa: PYI024 - of the kind that has no types

NUMBERS = st.lists(st.integers(-99, 99), max_size=9)


def held_as(kind, numbers):
    """Return numbers in a container."""
    if kind == "frame":
        return pd.DataFrame({"n": np.array(numbers, dtype=np.int64)})
    if kind == "columns":
        return {"n": np.array(numbers, dtype=np.int64)}
    if kind == "nullable":
        return {"n": pd.array(numbers, dtype="Int64")}
    if kind == "array":
        return np.array(numbers, dtype=np.int64)
    if kind == "matrix":
        return np.array(numbers, dtype=np.int64)[:, None] * [1, 2]
    return [{"n": one} for one in numbers]


def numbers_in(data):
    """Return the numbers that a container holds."""
    return [] if data is None else [row[0] for row in to_rows(data)[1]]


@pytest.mark.parametrize("kind", ["frame", "columns", "nullable", "list", "array", "matrix"])
@given(numbers=NUMBERS, data=st.data())
def test_containers_behave_as_lists(kind, numbers, data):
    """Counting, cutting, taking and joining give what they give of a list."""
    held = held_as(kind, numbers)
    cut = data.draw(st.integers(0, len(numbers)))
    at = data.draw(
        st.lists(st.integers(0, len(numbers) - 1), max_size=5) if numbers else st.just([])
    )

    assert count_records(held) == len(numbers)
    assert numbers_in(slice_records(held, 0, cut)) == numbers[:cut]
    assert numbers_in(take_records(held, np.array(at, dtype=np.int64))) == [numbers[n] for n in at]
    parts = [slice_records(held, 0, cut), None, slice_records(held, cut, len(numbers))]
    assert numbers_in(join_outputs(parts)) == numbers
    assert to_frame(held).iloc[:, 0].tolist() == numbers if numbers else True


@pytest.mark.parametrize(
    ("data", "n"),
    [
        (None, 0), ([], 0), ({}, 1), ("text", 1), (5, 1), (5.0, 1), ({"a": 1}, 1),
        ({"a": [1, 2]}, 1), ({"a": np.array([1, 2])}, 2), ((1, 2, 3), 3), (pd.DataFrame(), 0),
        (pd.DataFrame(index=range(4)), 4), (object(), 1),
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_container_is_one_record(data, n):
    """A dict of lists is one as well: only arrays are columns."""
    assert count_records(data) == n


@pytest.mark.parametrize(
    "records",
    [
        [{"x": 1, "y": None}, {"x": 2, "y": "b"}],
        [Point(1, None), Point(2, "b")],
        [Model(x=1, y=None), Model(x=2, y="b")],
        [Pair(1, None), Pair(2, "b")],
        pd.DataFrame({"x": [1, 2], "y": ["", "b"]}).replace({"y": {"": None}}),
    ],
    ids=["dict", "dataclass", "model", "named tuple", "frame"],
)
def test_records_of_every_kind_are_rows(records):
    """With the names of their fields."""
    assert to_rows(records) == (["x", "y"], [(1, None), (2, "b")])
    frame = to_frame(records)
    assert frame["x"].tolist() == [1, 2]
    assert frame["y"].isna().tolist() == [True, False]


def test_records_may_differ_in_their_fields():
    """What one does not have is missing."""
    assert to_rows([{"a": 1}, {"b": np.float64(2)}]) == (["a", "b"], [(1, None), (None, 2.0)])
    assert to_rows([(1, "x")]) == (["column_0", "column_1"], [(1, "x")])
    assert to_rows(7) == (["value"], [(7,)])
    assert to_rows(None) == ([], [])


def test_what_a_model_returns_is_rows():
    """Arrays of predictions, and of probabilities by class."""
    assert to_rows(np.array([0.5, np.nan])) == (["value"], [(0.5,), (None,)])
    both = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert to_rows(both) == (["value_0", "value_1"], [(0.25, 0.75), (0.5, 0.5)])


def test_missing_values_are_none():
    """NaN, NaT and NA."""
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan],
            "t": pd.to_datetime(["2026-01-01", None]).tz_localize("UTC"),
            "n": pd.array([1, None], dtype="Int64"),
        }
    )
    assert to_rows(frame)[1] == [
        (1.5, datetime(2026, 1, 1, tzinfo=UTC), 1), (None, None, None),
    ]  # fmt: skip


def test_frames_of_records_have_dtypes_that_suit():
    """A gap makes no floats of integers."""
    frame = to_frame(
        [
            {
                "i": 2**60 + 1,
                "f": 0.5,
                "b": True,
                "t": timedelta(1),
                "m": datetime(2026, 1, 1),
                "o": [1],
            },
            {"i": None, "f": None, "b": None, "t": None, "m": None, "o": 1},
        ]
    )
    assert frame["i"].tolist()[0] == 2**60 + 1
    assert [str(dtype)[:5] for dtype in frame.dtypes] == [
        "Int64", "float", "boole", "timed", "datet", "objec",
    ]  # fmt: skip


def test_outputs_of_different_kinds_are_not_joined():
    """A function must give the same kind for each part."""
    with pytest.raises(TypeError, match=r"\['DataFrame', 'list'\]"):
        join_outputs([[1], pd.DataFrame({"a": [1]})])
    assert join_outputs([]) is None
    assert join_outputs([None, [1]]) == [1]
