"""Inputs that are missing, absent, twice there, too many, or no frames and records at all."""

from __future__ import annotations

from collections import ChainMap, OrderedDict
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from prodml.errors import (
    DuplicateColumnError,
    FeatureError,
    FeatureOutputError,
    InputTypeError,
    MissingInputError,
)
from prodml.features import FeatureSet, Field, ops


def fitted(*fields, extra="ignore"):
    """Return a set that tells which inputs are missing."""
    fs = FeatureSet("set", version="1", inputs=fields, extra=extra)
    fs.add(*(ops.missing_indicator(one.name) for one in fields))
    usual = {"float64": 1.0, "int64": 1, "bool": True, "string": "a"}
    return fs.fit(pd.DataFrame({one.name: [usual[one.dtype]] for one in fields}))


def three_fields():
    """Return a set of three inputs, of which the last may be missing."""
    return fitted(Field("age", "float64"), Field("city", "string"), Field("n", "int64", True))


def test_all_missing_inputs_are_told_at_once():
    """With the rows, by position and not by label, and what to do."""
    frame = pd.DataFrame(
        {"age": [1.0, None, 2.0, None], "city": ["a", "b", None, None], "n": [1, 2, 3, 4]},
        index=list("wxyz"),
    )
    with pytest.raises(MissingInputError) as caught:
        three_fields().transform(frame)
    assert (caught.value.fields, caught.value.rows) == (("age", "city"), (1, 2, 3))
    assert str(caught.value) == (
        "No value for 'age' in 2 rows (such as row 1), 'city' in 2 rows (such as row 2). "
        "Fill them, or declare the Field with nullable=True."
    )
    with pytest.raises(MissingInputError) as caught:
        three_fields().transform_many(frame.to_dict("records"))
    assert (caught.value.fields, caught.value.rows) == (("age", "city"), (1, 2, 3))
    with pytest.raises(MissingInputError) as caught:
        three_fields().transform_one({"city": None})
    assert (caught.value.fields, caught.value.rows) == (("age", "city"), ())
    assert str(caught.value) == (
        "No value for 'age', 'city'. Give one, or declare the Field with nullable=True."
    )
    assert isinstance(caught.value, KeyError)


def test_few_of_many_rows_are_told():
    """Not a million of them."""
    frame = pd.DataFrame({"age": [None] * 1000, "city": "a", "n": 1}, dtype=object)
    with pytest.raises(MissingInputError, match="in 1000 rows") as caught:
        three_fields().transform(frame)
    assert caught.value.rows == (0, 1, 2, 3, 4)
    frame["age"] = 1.0
    frame.iloc[[1, 3, 5, 7, 9], 0] = None
    frame.iloc[[0, 2, 4, 6], 1] = None
    with pytest.raises(MissingInputError, match="'age' in 5 rows") as caught:
        three_fields().transform(frame)
    assert caught.value.rows == (0, 1, 2, 3, 4)


def test_an_absent_column_is_missing_as_an_absent_key_is():
    """Where the field may be missing; all others are told, with names that are near."""
    frame = pd.DataFrame({"age": [1.0], "city": ["a"]})
    assert three_fields().transform(frame).tolist() == [[0.0, 0.0, 1.0]]
    assert three_fields().transform_one({"age": 1.0, "city": "a"}).tolist() == [0.0, 0.0, 1.0]
    with pytest.raises(MissingInputError) as caught:
        three_fields().transform(pd.DataFrame({"Age": [1.0], "citys": ["a"], "n": [1]}))
    assert (caught.value.fields, caught.value.rows) == (("age", "city"), ())
    assert str(caught.value) == (
        "The frame has no column 'age', 'city'. Did you mean 'Age'? Did you mean 'citys'?"
    )


def test_a_column_that_is_learned_from_must_be_there():
    """A typing error would otherwise teach that everything is missing."""
    fs = FeatureSet("set", version="1", inputs=[Field("amount", "float64", nullable=True)])
    fs.add(ops.missing_indicator("amount"))
    with pytest.raises(MissingInputError, match="Did you mean 'amout'"):
        fs.fit(pd.DataFrame({"amout": [1.0]}))


def test_a_column_that_is_there_twice_is_refused():
    """But not one that no feature reads."""
    frame = pd.DataFrame([[1.0, "a", 2, 3, 3]], columns=["age", "city", "n", "z", "z"])
    assert three_fields().transform(frame).tolist() == [[0.0, 0.0, 0.0]]
    frame.columns = ["age", "city", "n", "age", "z"]
    with pytest.raises(DuplicateColumnError, match="'age' is in the frame more than once"):
        three_fields().transform(frame)


@pytest.mark.parametrize("given", [{"age": [1.0]}, [1.0], np.ones((2, 2)), None, "age"])
def test_only_a_frame_has_columns(given):
    """The error says what it should be."""
    with pytest.raises(InputTypeError, match="must be a pandas DataFrame, got") as caught:
        three_fields().transform(given)
    assert caught.value.expected == "pandas.DataFrame"


@pytest.mark.parametrize("given", [None, 5, "age", ["age"], (1.0, "a", 3), np.array([1.0])])
def test_a_record_is_a_mapping(given):
    """Alone and among others, few or many."""
    good = {"age": 1.0, "city": "a", "n": 1}
    with pytest.raises(InputTypeError, match="must be a mapping, got ") as caught:
        three_fields().transform_one(given)
    assert isinstance(caught.value, FeatureError)
    for n_more in (0, 40):
        with pytest.raises(InputTypeError, match="must be a mapping, got "):
            three_fields().transform_many([good, given, *[good] * n_more])


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType, ChainMap, pd.Series])
def test_any_mapping_is_a_record(kind):
    """A row of a frame among them; a key more is ignored, and nothing is changed."""
    record = kind({"age": 1.0, "city": "a", "other": object})
    before = dict(record)
    assert three_fields().transform_one(record).tolist() == [0.0, 0.0, 1.0]
    assert three_fields().transform_many([record] * 40).tolist() == [[0.0, 0.0, 1.0]] * 40
    assert dict(record) == before


def test_what_is_no_input_may_be_forbidden():
    """In frames and records."""
    strict = fitted(Field("age", "float64", True), extra="forbid")
    for compute in (
        lambda: strict.transform(pd.DataFrame({"age": [1.0], "ago": [1.0]})),
        lambda: strict.transform_one({"age": 1.0, "ago": 1.0}),
        lambda: strict.transform_many([{"age": 1.0}, {"age": 1.0, "ago": 1.0}]),
    ):
        with pytest.raises(InputTypeError, match="'ago' is not an input of 'set'") as caught:
            compute()
        assert caught.value.field == "ago"


def test_a_feature_cannot_write_into_its_input():
    """It would change the frame of the caller, or what the next feature reads."""
    fs = FeatureSet("set", version="1", inputs=[Field("x", "float64")])

    @fs.feature
    def greedy(x):
        np.multiply(x, 7.0, out=x)
        return x

    frame = pd.DataFrame({"x": [1.0, 2.0]})
    with pytest.raises(FeatureOutputError, match="read-only"):
        fs.fit(frame)
    assert frame["x"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("n_rows", [0, 3])
def test_frames_without_rows_or_columns(n_rows):
    """Nothing is nothing; rows of absent columns are missing."""
    kinds = ("float64", "int64", "bool", "string")
    fields = [Field(f"x{at}", kind, nullable=True) for at, kind in enumerate(kinds)]
    matrix = fitted(*fields).transform(pd.DataFrame(index=range(n_rows)))
    assert matrix.tolist() == [[1.0] * 4] * n_rows
    assert fitted(*fields).transform_many([{}] * n_rows).tolist() == [[1.0] * 4] * n_rows
