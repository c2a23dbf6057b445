"""Features of categories, against scikit-learn and plain loops."""

from __future__ import annotations

import enum
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from prodml.errors import FeatureDefinitionError, FeatureError, FitError
from prodml.features import FeatureSet, Field, ops

#: Values of each type that may be categories, in the order in which they are numbered.
VALUES = {"string": ["", "Oslo", "Rome", "ß"], "int64": [-2, 0, 1, 7], "bool": [False, True]}
UNSEEN = {"string": "never", "int64": 99}


class Colour(str, enum.Enum):
    RED = "red"


def fit(feature, values, dtype="string", *, nullable=True, y=None):
    """Fit one feature on one column."""
    fs = FeatureSet("categories", version="1", inputs=[Field("x", dtype, nullable)])
    fs.add(feature)
    return fs.fit(frame_of(values), y)


def frame_of(values):
    """Return a frame of one column, the cells as they are."""
    return pd.DataFrame({"x": pd.Series(list(values), dtype=object)})


def drawn(data, dtype, **options):
    """Draw a column with gaps, in which at least one value is there."""
    one = st.none() | st.sampled_from(VALUES[dtype])
    column = data.draw(st.lists(one, min_size=1, max_size=20, **options))
    return [VALUES[dtype][0], *column]


@given(data=st.data())
@pytest.mark.parametrize("dtype", VALUES)
def test_one_hot_is_that_of_scikit_learn(dtype, data):
    """A column per category in sorted order; unknown and missing ones have none."""
    train = drawn(data, dtype)
    known = sorted({one for one in train if one is not None})
    fitted = fit(ops.one_hot("x"), train, dtype)
    numbers = dtype == "bool"  # those of a nullable field are numbers
    assert fitted.columns == tuple(f"x_{int(one) if numbers else one}" for one in known)
    encoder = OneHotEncoder(categories=[known], handle_unknown="ignore", sparse_output=False)
    present = np.array([one for one in train if one is not None], dtype=object)
    encoder.fit(present[:, None])
    served = [*present, *([UNSEEN[dtype]] if dtype in UNSEEN else [])]
    expected = encoder.transform(np.array(served, dtype=object)[:, None])
    np.testing.assert_array_equal(fitted.transform(frame_of(served)), expected)
    assert fitted.transform_one({"x": None}).tolist() == [0.0] * len(known)


@given(data=st.data())
@pytest.mark.parametrize("dtype", VALUES)
def test_ordinal_is_that_of_scikit_learn(dtype, data):
    """Numbers from 0 in sorted order; unknown ones have their own, and missing ones stay so."""
    train = drawn(data, dtype)
    fitted = fit(ops.ordinal("x", unknown=-5), train, dtype)
    present = np.array([one for one in train if one is not None], dtype=object)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-5)
    encoder.fit(present[:, None])
    served = [*present, *([UNSEEN[dtype]] if dtype in UNSEEN else [])]
    expected = encoder.transform(np.array(served, dtype=object)[:, None])[:, 0].tolist()
    got = fitted.transform(frame_of([*served, None]))[:, 0].tolist()
    assert got[:-1] == expected
    assert math.isnan(got[-1])


@given(data=st.data(), min_count=st.integers(1, 4))
@pytest.mark.parametrize("dtype", VALUES)
def test_rare_categories_are_unknown(dtype, data, min_count):
    """Those that are there fewer times than asked; an error if none is left."""
    train = drawn(data, dtype)
    counts = Counter(one for one in train if one is not None)
    kept = sorted(one for one, n in counts.items() if n >= min_count)
    for make in (ops.one_hot, ops.ordinal):
        feature = make("x", min_count=min_count)
        if not kept:
            with pytest.raises(FitError, match=f"there {min_count} times or more") as caught:
                fit(feature, train, dtype)
            assert caught.value.feature == feature.name
            continue
        state = fit(feature, train, dtype).state(feature.name)
        assert list(getattr(state, "values", None) or state.codes) == kept


@pytest.mark.parametrize("dtype", VALUES)
@pytest.mark.parametrize("make", [ops.one_hot, ops.ordinal])
def test_a_column_without_values_has_no_categories(make, dtype):
    """The error says that it is for want of them."""
    with pytest.raises(FitError, match="no category is there"):
        fit(make("x"), [None, None], dtype)


@pytest.mark.parametrize(("nullable", "names"), [(False, "False True"), (True, "0 1")])
def test_columns_of_booleans(nullable, names):
    """Booleans where they cannot be missing; else features see the numbers 0 and 1."""
    fitted = fit(ops.one_hot("x"), [True, False], "bool", nullable=nullable)
    assert fitted.columns == tuple(f"x_{one}" for one in names.split())
    listed = fit(ops.one_hot("x", [True, False]), [True], "bool", nullable=nullable)
    assert listed.columns == ("x_True", "x_False")
    assert listed.transform_one({"x": True}).tolist() == [1.0, 0.0]


def test_listed_categories_keep_their_order():
    """In columns and in codes."""
    one_hot = fit(ops.one_hot("x", ["b", "a"], called="z"), ["a"])
    assert one_hot.columns == ("z_b", "z_a")
    assert one_hot.transform(frame_of(["a", "c", None])).tolist() == [[0, 1], [0, 0], [0, 0]]
    ordinal = fit(ops.ordinal("x", ["b", "a"]), ["a"])
    assert ordinal.transform(frame_of(["a", "c"]))[:, 0].tolist() == [1.0, -1.0]


def test_unknown_categories_can_be_missing():
    """With NaN for their number."""
    fitted = fit(ops.ordinal("x", unknown=math.nan), ["a", "b"])
    np.testing.assert_array_equal(fitted.transform(frame_of(["b", "c"]))[:, 0], [1.0, math.nan])


@pytest.mark.parametrize("values", [np.array([3, 1]), pd.Series([3, 1]), iter([np.int8(3), 1])])
def test_categories_of_numpy_are_categories_like_any_other(values):
    """They become plain values, so that they are traced and named alike."""
    assert ops.one_hot("x", values).function == ops.one_hot("x", [3, 1]).function
    texts = ops.ordinal("x", [np.str_("a"), Colour.RED])
    assert list(map(type, texts.function.codes)) == [str, str]
    assert list(texts.function.codes) == ["a", "red"]


@pytest.mark.parametrize("make", [ops.one_hot, ops.ordinal])
@pytest.mark.parametrize(
    "categories",
    [[], "ab", ["a", "a"], [1, True], [1.5], [None], ["a", None], [[1]], 5, [b"a"], {1.5: 2}],
)
def test_categories_must_be_different_values(make, categories):
    """Texts, integers or booleans; True is 1."""
    with pytest.raises(FeatureDefinitionError, match=r"^`categories` must be "):
        make("x", categories)


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: ops.one_hot("x", min_count=0), "min_count"),
        (lambda: ops.one_hot("x", ["a"], min_count=0), "min_count"),
        (lambda: ops.one_hot("x", min_count=True), "min_count"),
        (lambda: ops.ordinal("x", min_count=1.5), "min_count"),
        (lambda: ops.ordinal("x", ["a"], min_count="2"), "min_count"),
        (lambda: ops.ordinal("x", unknown="none"), "unknown"),
        (lambda: ops.ordinal("x", unknown=None), "unknown"),
        (lambda: ops.ordinal("x", ["a"], unknown=True), "unknown"),
        (lambda: ops.one_hot("x", called="1st"), "name"),
        (lambda: ops.ordinal("x", called="y"), "name"),
    ],
)
def test_bad_options_are_refused_when_they_are_given(make, option):
    """The message names the option."""
    with pytest.raises(FeatureDefinitionError, match=f"^`{option}` must be ") as caught:
        make()
    assert caught.value.faults == (str(caught.value),)


def test_columns_that_would_have_one_name_are_refused():
    """Text and a number that read alike."""
    fs = FeatureSet("categories", version="1", inputs=[Field("x", "string", nullable=True)])
    fs.add(ops.one_hot("x", ["1"]), ops.one_hot("x", ["2", "1"], called="x_"))
    fs.add(ops.ordinal("x", ["1"], called="x_1"))
    with pytest.raises(FeatureError, match="'x_1' comes from two features"):
        fs.fit(frame_of(["1"]))
