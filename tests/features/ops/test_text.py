"""Features of text, against the standard library."""

from __future__ import annotations

import math
import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import FeatureDefinitionError, FeatureOutputError
from prodml.features import FeatureSet, Field, ops

#: Lone surrogates are text, too.
texts = st.text(st.characters() | st.sampled_from("\ud800\udfff"), max_size=8)


def fit(*features, dtype="string", nullable=True, values=("a",)):
    """Fit features of one column."""
    fs = FeatureSet("text", version="1", inputs=[Field("x", dtype, nullable)])
    fs.add(*features)
    return fs.fit(frame_of(values))


def frame_of(values):
    """Return a frame of one column, the cells as they are."""
    return pd.DataFrame({"x": pd.Series(list(values), dtype=object)})


@given(
    values=st.lists(st.none() | texts, min_size=1),
    n_buckets=st.integers(2, 2**32),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_bucket_is_the_crc_of_utf8(values, n_buckets, seed):
    """The same in any process and on any machine; missing text stays missing."""
    got = fit(ops.hash_bucket("x", n_buckets, seed=seed)).transform(frame_of(values))[:, 0]
    expected = [
        math.nan
        if one is None
        else zlib.crc32(one.encode("utf-8", "surrogatepass"), seed) % n_buckets
        for one in values
    ]
    np.testing.assert_array_equal(got, expected)


def test_known_buckets():
    """The check value of CRC-32/ISO-HDLC for the digits 1 to 9 is 0xCBF43926."""
    bucket = ops.hash_bucket("x", 2**32)
    assert bucket("123456789") == 0xCBF43926
    assert bucket("\ud800") == zlib.crc32(b"\xed\xa0\x80")


@given(values=st.lists(st.none() | texts, min_size=1))
def test_length_is_the_number_of_code_points(values):
    """Not of bytes; missing text has none."""
    got = fit(ops.text_length("x")).transform(frame_of(values))[:, 0]
    np.testing.assert_array_equal(got, [math.nan if one is None else len(one) for one in values])


@given(values=st.lists(st.none() | texts, min_size=1))
def test_normalized_text_is_without_case_and_with_single_spaces(values):
    """It is read by other features, and is no column; to do it twice changes nothing."""
    features = (
        ops.normalize_text("x"),
        ops.normalize_text("x_normalized", called="again"),
        ops.hash_bucket("x_normalized", 2**32, called="once"),
        ops.hash_bucket("again", 2**32, called="twice"),
    )
    fitted = fit(*features)
    assert fitted.columns == ("once", "twice")
    got = fitted.transform(frame_of(values))
    plain = [None if one is None else " ".join(one.casefold().split()) for one in values]
    bucket = ops.hash_bucket("x", 2**32)
    np.testing.assert_array_equal(got[:, 0], list(map(bucket, plain)))
    assert [fitted.transform_one({"x": one}).tolist() for one in values if one is not None] == [
        row.tolist() for one, row in zip(values, got, strict=True) if one is not None
    ]
    written_once = [" ".join(one.casefold().split()) for one in plain if one is not None]
    np.testing.assert_array_equal(
        got[:, 1][[one is not None for one in plain]], list(map(bucket, written_once))
    )


@pytest.mark.parametrize("feature", [ops.hash_bucket("x"), ops.text_length("x")])
@pytest.mark.parametrize(("dtype", "value"), [("int64", 5), ("float64", 0.5), ("bool", True)])
def test_numbers_are_no_text(feature, dtype, value):
    """Refused when it is fitted, and not when it is served."""
    with pytest.raises(FeatureOutputError) as caught:
        fit(feature, dtype=dtype, values=[value])
    assert caught.value.feature == feature.name


def test_text_that_nobody_reads_is_refused():
    """It could not be a column."""
    with pytest.raises(FeatureOutputError, match="no other feature reads it"):
        fit(ops.normalize_text("x"))


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: ops.hash_bucket("x", 1), "n_buckets"),
        (lambda: ops.hash_bucket("x", 2**32 + 1), "n_buckets"),
        (lambda: ops.hash_bucket("x", 2.0), "n_buckets"),
        (lambda: ops.hash_bucket("x", True), "n_buckets"),
        (lambda: ops.hash_bucket("x", "8"), "n_buckets"),
        (lambda: ops.hash_bucket("x", 8, seed=-1), "seed"),
        (lambda: ops.hash_bucket("x", 8, seed=2**32), "seed"),
        (lambda: ops.hash_bucket("x", 8, seed=None), "seed"),
        (lambda: ops.text_length("x", called="a-b"), "name"),
        (lambda: ops.normalize_text("a b"), "name"),
    ],
)
def test_bad_options_are_refused_when_they_are_given(make, option):
    """The message names the option."""
    with pytest.raises(FeatureDefinitionError, match=f"^`{option}` must be ") as caught:
        make()
    assert caught.value.faults == (str(caught.value),)


def test_integers_of_numpy_are_options_like_any_other():
    """They become plain integers."""
    made = ops.hash_bucket("x", np.int64(8), seed=np.uint8(3))
    assert made.function == ops.hash_bucket("x", 8, seed=3).function
    assert type(made.function.n_buckets) is int
