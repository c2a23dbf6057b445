"""Tables that are not quite tables: no column hides another, and no row is dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodml.batch._tabular import count_records, join_outputs, slice_records, to_frame, to_rows


@pytest.mark.parametrize("turn", [to_rows, to_frame])
def test_columns_of_unequal_length_are_refused(turn):
    """With the lengths."""
    with pytest.raises(ValueError, match=r"\{'a': 3, 'b': 2\}"):
        turn({"a": np.arange(3), "b": np.arange(2)})


@pytest.mark.parametrize(
    ("turn", "data"),
    [
        (to_rows, pd.DataFrame([[1, 2]], columns=["a", "a"])),
        (to_rows, {1: np.arange(2), "1": np.arange(2)}),
        (to_rows, [{1: 5, "1": 6}]),
        (to_frame, [{1: 5, "1": 6}]),
    ],
    ids=["frame", "columns", "records", "records as frame"],
)
def test_two_columns_of_one_name_are_refused(turn, data):
    """One would take the place of the other."""
    with pytest.raises(ValueError, match="More than one column is called"):
        turn(data)


@pytest.mark.parametrize("order", [1, -1])
def test_outputs_with_different_columns_are_not_joined(order):
    """A column that only some of them have would be lost."""
    parts = [{"a": np.arange(2)}, {"a": np.arange(1), "b": np.arange(1)}][::order]
    with pytest.raises(ValueError, match=r"not all have \['b'\]"):
        join_outputs(parts)


def test_columns_with_labels_are_cut_by_position():
    """Also where the labels are numbers."""
    column = pd.Series([1, 2, 3], index=[0.5, 1.5, 9.0])

    assert slice_records({"a": column}, 1, 3)["a"].tolist() == [2, 3]


def test_a_series_is_one_record_wherever_it_is_counted():
    """So nothing of it may be cut off; by itself it could as well be a column."""
    row = pd.Series({"a": 1, "b": "x"})

    assert count_records(row) == 1
    assert slice_records(row, 0, 1) is row
    assert to_rows([row, row]) == (["a", "b"], [(1, "x")] * 2)
    with pytest.raises(TypeError, match="to_frame"):
        to_rows(row)


def test_text_without_utf8_is_text_in_a_frame_as_well():
    """A lone surrogate is no reason to lose a row."""
    frame = pd.DataFrame({"a": pd.Series(["\ud800", None, "b"], dtype=object)})

    assert to_rows(frame) == (["a"], [("\ud800",), (None,), ("b",)])
