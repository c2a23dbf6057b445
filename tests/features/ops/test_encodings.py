"""Means and shares of categories, against plain loops; and out of fold."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

from prodml.errors import FeatureDefinitionError, FitError
from prodml.features import FeatureSet, Field, ops

VALUES = {"string": ["", "Oslo", "Rome", "ß"], "int64": [-2, 0, 1, 7], "bool": [False, True]}
UNSEEN = {"string": "never", "int64": 99, "bool": None}


def set_of(feature, dtype="string"):
    """Return a set of one feature of one column that may be missing."""
    fs = FeatureSet("encodings", version="1", inputs=[Field("x", dtype, nullable=True)])
    fs.add(feature)
    return fs


def frame_of(values):
    """Return a frame of one column, the cells as they are."""
    return pd.DataFrame({"x": pd.Series(list(values), dtype=object)})


def smoothed(x, y, value, smoothing):
    """Return the smoothed mean of a category by exact fractions, and by a float at the end."""
    overall = float(sum(map(Fraction, y)) / len(y))
    own = [Fraction(one) for category, one in zip(x, y, strict=True) if category == value]
    if value is None or not own:
        return overall
    return (float(sum(own)) + smoothing * overall) / (len(own) + smoothing)


@st.composite
def rows(draw, dtype, n_rows=(1, 20)):
    """Draw a column with gaps, and a target."""
    least, most = n_rows
    one = st.none() | st.sampled_from(VALUES[dtype])
    x = draw(st.lists(one, min_size=least, max_size=most))
    y = draw(st.lists(st.floats(-1e6, 1e6), min_size=len(x), max_size=len(x)))
    return x, y


@given(data=st.data(), smoothing=st.sampled_from([0, 0.5, 10, 1e6]))
@pytest.mark.parametrize("dtype", VALUES)
def test_target_mean_is_the_formula(dtype, data, smoothing):
    """To the bit, since sums are exact; the overall mean for what is unknown or missing."""
    x, y = data.draw(rows(dtype))
    fitted = set_of(ops.target_mean("x", smoothing=smoothing), dtype).fit(frame_of(x), y)
    served = [*x, None, UNSEEN[dtype]]
    expected = [smoothed(x, y, one, float(smoothing)) for one in served]
    assert fitted.transform(frame_of(served))[:, 0].tolist() == expected
    assert [fitted.transform_one({"x": one}).item() for one in served] == expected


def test_target_mean_is_that_of_scikit_learn():
    """TargetEncoder with a number for `smooth` has the same formula."""
    rng = np.random.default_rng(0)
    x = rng.choice(["a", "b", "c"], 200).astype(object)
    y = rng.normal(size=200)
    encoder = TargetEncoder(smooth=4.0, target_type="continuous").fit(x[:, None], y)
    fitted = set_of(ops.target_mean("x", smoothing=4)).fit(frame_of(x), y)
    served = np.array(["a", "b", "c", "d"], dtype=object)
    np.testing.assert_allclose(
        fitted.transform(frame_of(served))[:, 0],
        encoder.transform(served[:, None])[:, 0],
        rtol=1e-12,
    )


def learned_from(n_rows, n_folds, seed):
    """Return, for each row, the rows that its training value was learned from.

    Powers of 32 as the target tell: the mean of some of them is that of no others, up to 31.
    """
    fs = set_of(ops.target_mean("x", smoothing=0, crossfit=n_folds))
    y = [32.0**row for row in range(n_rows)]
    _, matrix = fs.fit_transform(frame_of(["a"] * n_rows), y, rng=seed)
    learned = []
    for mean in matrix[:, 0].tolist():
        digits = [[round(mean * n) // 32**at % 32 for at in range(n_rows)] for n in range(n_rows)]
        (own,) = [one for n, one in enumerate(digits) if n and set(one) == {0, 1} and sum(one) == n]
        learned.append([row for row in range(n_rows) if own[row]])
    return learned


@given(n_rows=st.integers(4, 10), n_folds=st.integers(2, 4), seed=st.integers(0, 5))
def test_folds_are_of_equal_size_and_leave_each_row_out_once(n_rows, n_folds, seed):
    """A row is in one fold, and is not learned from by those of its fold."""
    learned = learned_from(n_rows, n_folds, seed)
    everyone = set(range(n_rows))
    folds = {frozenset(everyone.difference(others)) for others in learned}
    assert sorted(row for fold in folds for row in fold) == sorted(everyone)
    assert all(row not in others for row, others in enumerate(learned))
    sizes = sorted(map(len, folds))
    assert len(sizes) == n_folds
    assert sizes[-1] - sizes[0] <= 1


@given(data=st.data(), n_folds=st.integers(2, 4), seed=st.integers(0, 5))
@pytest.mark.parametrize("dtype", VALUES)
def test_training_values_are_learned_without_their_own_fold(dtype, data, n_folds, seed):
    """Every row by the rows of the other folds, and by them alone; what is served, by all rows."""
    x, y = data.draw(rows(dtype, (4, 10)))
    feature = ops.target_mean("x", smoothing=2, crossfit=n_folds)
    fitted, matrix = set_of(feature, dtype).fit_transform(frame_of(x), y, rng=seed)
    expected = [
        smoothed([x[at] for at in others], [y[at] for at in others], x[row], 2.0)
        for row, others in enumerate(learned_from(len(x), n_folds, seed))
    ]
    assert matrix[:, 0].tolist() == expected
    whole = [smoothed(x, y, value, 2.0) for value in x]
    assert fitted.transform(frame_of(x))[:, 0].tolist() == whole


def test_without_folds_training_values_are_those_that_are_served():
    """As one asks for with None."""
    x, y = ["a", "b", "a"], [1.0, 2.0, 5.0]
    fs = set_of(ops.target_mean("x", crossfit=None))
    fitted, matrix = fs.fit_transform(frame_of(x), y)
    assert matrix.tolist() == fitted.transform(frame_of(x)).tolist()


@given(data=st.data())
@pytest.mark.parametrize("dtype", VALUES)
def test_frequency_is_a_share_of_all_rows(dtype, data):
    """The missing ones among them; zero for what is unknown or missing."""
    x, _ = data.draw(rows(dtype))
    counts = Counter(one for one in x if one is not None)
    fitted = set_of(ops.frequency("x"), dtype).fit(frame_of(x))
    served = [*x, None, UNSEEN[dtype]]
    expected = [counts[one] / len(x) if one is not None else 0.0 for one in served]
    assert fitted.transform(frame_of(served))[:, 0].tolist() == expected


def test_a_column_without_values_has_the_overall_mean():
    """Nothing is known of it but that it is missing."""
    fs = set_of(ops.target_mean("x"))
    fs.add(ops.frequency("x"))
    fitted = fs.fit(frame_of([None, None]), [1.0, 2.0])
    assert fitted.transform_one({"x": "new"}).tolist() == [1.5, 0.0]


@pytest.mark.parametrize("y", [[True, False], np.array([1, 0]), pd.Series([1, 0], dtype="Int8")])
def test_a_target_may_be_of_any_type_of_numbers(y):
    """Booleans are 0 and 1."""
    fitted = set_of(ops.target_mean("x", smoothing=0)).fit(frame_of(["a", "b"]), y)
    assert fitted.transform(frame_of(["a", "b"]))[:, 0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (None, "learned with the target"),
        ([1.0], "one value for each of 2 rows"),
        ([1.0, math.nan], "missing or infinite in 1 rows, such as 1"),
        (["a", "b"], "must be numbers or booleans"),
    ],
)
def test_a_target_must_be_there_and_be_finite(y, told):
    """The error says what is wrong with it."""
    with pytest.raises(FitError, match=told):
        set_of(ops.target_mean("x")).fit(frame_of(["a", "b"]), y)


@pytest.mark.parametrize("feature", [ops.target_mean("x"), ops.frequency("x")])
def test_nothing_is_learned_of_no_rows(feature):
    """Neither of a frame, nor of chunks."""
    with pytest.raises(FitError, match="must be learned") as caught:
        set_of(feature).fit(frame_of([]), [])
    assert caught.value.feature == feature.name
    with pytest.raises(FitError, match="there is no row") as caught:
        set_of(feature).fit_chunks([(frame_of([]), [])])
    assert caught.value.feature == feature.name


def test_the_features_can_be_called_by_hand():
    """As the plain functions that they are."""
    fitted = set_of(feature := ops.frequency("x")).fit(frame_of(["a", "a", "b", None]))
    assert feature("a", state=fitted.state("x_frequency")) == 0.5
    assert feature("new", state=fitted.state("x_frequency")) == 0.0
    fitted = set_of(feature := ops.target_mean("x", smoothing=0)).fit(frame_of(["a"]), [2.0])
    assert feature("a", state=fitted.state("x_target_mean")) == 2.0
    assert feature(None, state=fitted.state("x_target_mean")) == 2.0


def test_fewer_rows_than_folds_are_refused():
    """Every fold must have a row."""
    with pytest.raises(FitError, match="2 rows do not fill the 5 folds of 'x_target_mean'"):
        set_of(ops.target_mean("x")).fit_transform(frame_of(["a", "b"]), [1.0, 2.0])


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"smoothing": -1}, "smoothing"),
        ({"smoothing": math.nan}, "smoothing"),
        ({"smoothing": math.inf}, "smoothing"),
        ({"smoothing": "1"}, "smoothing"),
        ({"smoothing": True}, "smoothing"),
        ({"crossfit": 1}, "crossfit"),
        ({"crossfit": 2.5}, "crossfit"),
        ({"crossfit": True}, "crossfit"),
        ({"called": "a b"}, "name"),
    ],
)
def test_bad_options_are_refused_when_they_are_given(options, option):
    """The message names the option."""
    with pytest.raises(FeatureDefinitionError, match=f"^`{option}` must be ") as caught:
        ops.target_mean("x", **options)
    assert caught.value.faults == (str(caught.value),)
