"""Features of one or two numbers, against numpy and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import KBinsDiscretizer

from prodml.errors import FeatureDefinitionError
from prodml.features import FeatureSet, Field, ops

floats = st.floats(allow_nan=True, allow_infinity=True)
integers = st.integers(-(2**53), 2**53)


def computed(feature, *, dtype="float64", nullable=True, **columns):
    """Return the column of a feature that was fitted on the columns that it reads."""
    inputs = [Field(name, dtype, nullable) for name in columns]
    fs = FeatureSet("numbers", version="1", inputs=inputs)
    fs.add(feature)
    frame = pd.DataFrame(columns)
    return fs.fit(frame).transform(frame)[:, 0]


def same(got, expected):
    """Compare bits, NaN being NaN."""
    expected = np.asarray(expected, dtype=np.float64)
    np.testing.assert_array_equal(got, expected)
    known = ~np.isnan(expected)
    assert np.signbit(got[known]).tolist() == np.signbit(expected[known]).tolist()


@given(x=st.lists(floats, min_size=1), edges=st.sets(st.floats(-1e9, 1e9), min_size=1, max_size=9))
def test_a_bucket_begins_with_its_edge(x, edges):
    """The number of edges that are not above the value; missing values stay missing."""
    edges = sorted(edges)
    got = computed(ops.bucketize("x", edges), x=x)
    expected = [math.nan if math.isnan(one) else sum(edge <= one for edge in edges) for one in x]
    same(got, expected)


@given(x=st.lists(st.integers(-100, 100), min_size=1), n_buckets=st.integers(2, 6))
def test_learned_edges_are_quantiles(x, n_buckets):
    """Those of numpy, each once."""
    fs = FeatureSet("numbers", version="1", inputs=[Field("x", "float64")])
    fs.add(ops.bucketize("x", n_buckets))
    state = fs.fit(pd.DataFrame({"x": x})).state("x_bucket")
    shares = [at / n_buckets for at in range(1, n_buckets)]
    assert state.edges == tuple(np.unique(np.quantile(np.array(x, dtype=float), shares)).tolist())


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_learned_buckets_are_those_of_scikit_learn():
    """KBinsDiscretizer by quantiles, where no value lies on an edge and no two edges are equal."""
    x = np.random.default_rng(3).normal(size=997)
    options = {"n_bins": 5, "encode": "ordinal", "strategy": "quantile", "subsample": None}
    try:
        binner = KBinsDiscretizer(**options, quantile_method="linear")
    except TypeError:  # before 1.7 there is no other
        binner = KBinsDiscretizer(**options)
    same(computed(ops.bucketize("x", 5), x=x), binner.fit_transform(x[:, None])[:, 0])


@given(x=st.lists(st.just(math.nan) | st.floats(min_value=-1), min_size=1))
def test_log1p_is_that_of_numpy(x):
    """To the bit, with -inf at -1."""
    with np.errstate(all="ignore"):
        same(computed(ops.log1p("x"), x=x), np.log1p(np.array(x)))


def test_the_logarithm_of_booleans_has_all_digits():
    """Numpy has but 16 bits for that of a boolean."""
    got = computed(ops.log1p("x"), dtype="bool", nullable=False, x=[True, False])
    assert got.tolist() == [math.log1p(1.0), 0.0]


@given(x=st.lists(floats, min_size=1), data=st.data())
def test_products_and_ratios_are_those_of_numpy(x, data):
    """But for a ratio over zero, which is missing."""
    other = data.draw(st.lists(floats, min_size=len(x), max_size=len(x)))
    a, b = np.array(x), np.array(other)
    with np.errstate(all="ignore"):
        same(computed(ops.interaction("x", "other"), x=x, other=other), a * b)
        over = np.where(b == 0, np.nan, a / np.where(b == 0, 1.0, b))
        same(computed(ops.ratio("x", "other"), x=x, other=other), over)


@given(pairs=st.lists(st.tuples(integers, integers), min_size=1))
def test_products_of_integers_do_not_wrap_around(pairs):
    """The product of two int64 may have 128 bits; as a float it is rounded, and not another one."""
    x, other = map(list, zip(*pairs, strict=True))
    options = {"dtype": "int64", "nullable": False}
    got = computed(ops.interaction("x", "other"), **options, x=x, other=other)
    assert got.tolist() == [float(a) * float(b) for a, b in pairs]
    got = computed(ops.ratio("x", "other"), **options, x=x, other=other)
    same(got, [float(a) / float(b) if b else math.nan for a, b in pairs])


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("float64", [1.0, None, math.inf]),
        ("int64", [1, None, 0]),
        ("bool", [True, None, False]),
        ("string", ["", None, "NaN"]),
        ("timestamp[us, UTC]", [pd.Timestamp(0, tz="UTC"), None, pd.Timestamp(1, tz="UTC")]),
    ],
)
def test_missing_is_told_for_every_type(dtype, values):
    """One where there is no value; empty text, zero and infinity are values."""
    column = pd.Series(values, dtype=object)
    assert computed(ops.missing_indicator("x"), dtype=dtype, x=column).tolist() == [0.0, 1.0, 0.0]
    known = column.dropna()
    got = computed(ops.missing_indicator("x"), dtype=dtype, nullable=False, x=known)
    assert got.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "edges",
    [
        [],
        [2, 1],
        [1, 1],
        [0, math.nan],
        [0, math.inf],
        ["1", "2"],
        "25",
        b"25",
        None,
        1,
        0,
        -3,
        True,
        2.5,
        [1, True],
        {},
        np.array([[1.0, 2.0]]),
        np.int64(1),
    ],
)
def test_edges_must_be_finite_numbers_that_rise(edges):
    """Or a number of buckets, of at least two."""
    with pytest.raises(FeatureDefinitionError, match=r"^`edges` must be ") as caught:
        ops.bucketize("x", edges)
    assert caught.value.faults == (str(caught.value),)


def test_edges_of_numpy_are_edges_like_any_other():
    """They become plain floats."""
    made = ops.bucketize("x", np.array([1, 2], dtype=np.int32))
    assert made.function == ops.bucketize("x", [1.0, 2.0]).function
    assert set(map(type, made.function.edges)) == {float}
    assert ops.bucketize("x", np.int64(3)).learner == ops.bucketize("x", 3).learner
