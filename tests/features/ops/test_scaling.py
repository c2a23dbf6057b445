"""Scaling, filling and clipping, against scikit-learn and numpy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from prodml.errors import FeatureDefinitionError, FeatureOutputError, FitError
from prodml.features import FeatureSet, Field, ops
from prodml.features._cast_columns import cast_frame

SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}
NUMBER = Field("x", "float64", nullable=True)

numbers = st.lists(
    st.none() | st.floats(-1e6, 1e6).map(lambda one: round(one, 3)), min_size=1, max_size=30
)


def fit(feature, values, field=NUMBER):
    """Fit one feature on one column."""
    fs = FeatureSet("scaling", version="1", inputs=[field])
    fs.add(feature)
    return fs.fit(pd.DataFrame({"x": values}))


def computed(feature, values, field=NUMBER):
    """Return the column of a feature that was fitted on it."""
    fitted = fit(feature, values, field)
    return fitted.transform(pd.DataFrame({"x": values}))[:, 0]


@given(values=numbers)
@pytest.mark.parametrize("how", SCALERS)
def test_scale_is_that_of_scikit_learn(how, values):
    """As its scalers, which leave out missing values and take a width of zero as one.

    To 1e-9, since our sums are exact and theirs are not. What is nearly constant is left out: they
    take it for constant.
    """
    column = np.array([np.nan if one is None else one for one in values])
    known = column[~np.isnan(column)]
    if not known.size:
        with pytest.raises(FitError, match="no row has a finite value"):
            computed(ops.scale("x", how), column)
        return
    got = computed(ops.scale("x", how), column)
    assume(not 0 < np.ptp(known) < 1e-6 * np.abs(known).max())
    expected = SCALERS[how]().fit(column[:, None]).transform(column[:, None])[:, 0]
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("how", SCALERS)
@pytest.mark.parametrize("constant", [0.0, 0.1, -1e300])
def test_a_constant_is_scaled_to_zero(how, constant):
    """The width of zero counts as one, and sums leave no remainder."""
    assert computed(ops.scale("x", how), [constant] * 7 + [None]).tolist()[:7] == [0.0] * 7


def test_infinite_values_have_no_part_in_moments_and_range():
    """One infinite amount does not decide the scale of all others."""
    values = [1.0, 2.0, 3.0, math.inf, -math.inf, None]
    assert fit(ops.scale("x", "minmax"), values).state("x_scaled").width == 2.0
    assert fit(ops.scale("x"), values).state("x_scaled").center == 2.0
    assert fit(ops.fill("x", "mean"), values).state("x_filled").value == 2.0
    assert computed(ops.scale("x", "minmax"), values).tolist()[:5] == [
        0,
        0.5,
        1,
        math.inf,
        -math.inf,
    ]


@pytest.mark.parametrize(
    ("feature", "values"),
    [
        (ops.scale("x", "robust"), [1.0, math.inf, math.inf]),
        (ops.scale("x", "robust"), [-math.inf, -math.inf, 1.0, 2.0]),
        (ops.scale("x", "robust"), [1.0, 2.0, 3.0, math.inf, math.inf]),
        (ops.scale("x", "minmax"), [-1.7e308, 1.7e308]),
        (ops.fill("x"), [1.0, math.inf, math.inf]),
        (ops.clip("x", quantiles=(0.4, 0.6)), [1.0, math.inf, math.inf]),
        (ops.clip("x", quantiles=(0.4, 0.6)), [1.0, -math.inf, -math.inf]),
        (ops.bucketize("x", 3), [1.0, math.inf, math.inf, math.inf]),
    ],
)
def test_what_cannot_be_said_in_floats_is_not_learned(feature, values):
    """A centre or a width that is infinite would make every value missing when it is served."""
    with pytest.raises(FitError, match="too many rows are infinite") as caught:
        fit(feature, values)
    assert caught.value.feature == feature.name


@pytest.mark.parametrize("values", [[None, None], [math.inf, -math.inf, None]])
@pytest.mark.parametrize(
    "feature",
    [
        *(ops.scale("x", how) for how in SCALERS),
        *(ops.fill("x", "mean"), ops.fill("x", "median"), ops.clip("x", quantiles=(0.1, 0.9))),
        ops.bucketize("x", 4),
    ],
)
def test_nothing_is_learned_of_no_finite_value(feature, values):
    """The error names the feature."""
    with pytest.raises(FitError, match="no row has a finite value") as caught:
        fit(feature, values)
    assert caught.value.feature == feature.name


@given(values=numbers)
def test_fill_puts_the_statistic_of_numpy_in_gaps(values):
    """The median to the bit, the mean to an ulp or so, a constant as it is."""
    column = np.array([np.nan if one is None else one for one in values])
    gap = np.isnan(column)
    constant = computed(ops.fill("x", -7), column)
    assert constant.tolist() == np.where(gap, -7.0, column).tolist()
    if gap.all():
        return
    median = computed(ops.fill("x"), column)
    assert median.tolist() == np.where(gap, np.quantile(column[~gap], 0.5), column).tolist()
    mean = computed(ops.fill("x", "mean"), column)
    expected = np.where(gap, math.fsum(column[~gap]) / np.sum(~gap), column)
    np.testing.assert_allclose(mean, expected, rtol=1e-15)


@given(values=numbers, low=st.floats(-5, 5), width=st.floats(0, 5))
def test_clip_is_that_of_numpy(values, low, width):
    """Between limits, or on one side; what is missing stays missing."""
    column = np.array([np.nan if one is None else one for one in values])
    high = low + width
    for options in ({"low": low, "high": high}, {"low": low}, {"high": high}):
        got = computed(ops.clip("x", **options), column)
        expected = np.clip(column, options.get("low"), options.get("high"))
        np.testing.assert_array_equal(got, expected)


@given(
    values=numbers, shares=st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda p: p[0] < p[1])
)
def test_learned_limits_are_quantiles_of_numpy(values, shares):
    """To the bit, for the values that are not missing."""
    column = np.array([np.nan if one is None else one for one in values])
    known = column[~np.isnan(column)]
    if not known.size:
        return
    state = fit(ops.clip("x", quantiles=shares), column).state("x_clipped")
    assert [state.low, state.high] == np.quantile(known, shares).tolist()


def test_integers_stay_exact_under_integer_limits():
    """Limits of whole numbers do not make floats of integers, as an int64 cannot be one."""
    field = Field("x", "int64")
    assert computed(ops.clip("x", low=0), [-5, 2**53], field).tolist() == [0.0, 2.0**53]
    column = cast_frame(pd.DataFrame({"x": [1]}), [field])["x"]
    assert ops.clip("x", low=np.int64(2))(column).dtype == np.int64


@pytest.mark.parametrize("feature", [ops.scale("x"), ops.clip("x", low=0), ops.fill("x")])
def test_text_is_no_number(feature):
    """Refused when it is fitted, and not when it is served."""
    with pytest.raises((FitError, FeatureOutputError)) as caught:
        fit(feature, ["1", "2"], Field("x", "string"))
    assert caught.value.feature == feature.name


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: ops.scale("x", "max"), "how"),
        (lambda: ops.scale("x", ["robust"]), "how"),
        (lambda: ops.fill("x", "mode"), "how"),
        (lambda: ops.fill("x", [0]), "how"),
        (lambda: ops.fill("x", None), "how"),
        (lambda: ops.fill("x", True), "how"),
        (lambda: ops.fill("x", math.nan), "how"),
        (lambda: ops.fill("x", math.inf), "how"),
        (lambda: ops.clip("x"), "low, high"),
        (lambda: ops.clip("x", low=2, high=1), "low, high"),
        (lambda: ops.clip("x", low=math.nan), "low, high"),
        (lambda: ops.clip("x", low="0"), "low, high"),
        (lambda: ops.clip("x", high=True), "low, high"),
        (lambda: ops.clip("x", low=0, high="1"), "low, high"),
        (lambda: ops.clip("x", low=0, quantiles=(0, 1)), "quantiles"),
        (lambda: ops.clip("x", quantiles=(0.5, 0.5)), "quantiles"),
        (lambda: ops.clip("x", quantiles=(-0.1, 0.5)), "quantiles"),
        (lambda: ops.clip("x", quantiles=(0.1, 1.5)), "quantiles"),
        (lambda: ops.clip("x", quantiles=0.5), "quantiles"),
        (lambda: ops.clip("x", quantiles=(0.5,)), "quantiles"),
        (lambda: ops.clip("x", quantiles=(0.1, 0.5, 0.9)), "quantiles"),
        (lambda: ops.clip("x", quantiles="ab"), "quantiles"),
        (lambda: ops.clip("x", quantiles=(math.nan, 1)), "quantiles"),
        (lambda: ops.scale("x", called="no name"), "name"),
        (lambda: ops.scale("x", called="state"), "name"),
        (lambda: ops.fill("x", called=5), "name"),
        (lambda: ops.fill("two words"), "name"),
    ],
)
def test_bad_options_are_refused_when_they_are_given(make, option):
    """The message names the option, and is the one fault."""
    with pytest.raises(FeatureDefinitionError, match=f"^`{option}` must be ") as caught:
        make()
    assert caught.value.faults == (str(caught.value),)


def test_numbers_of_numpy_are_options_like_any_other():
    """They become plain numbers, which do not decide the type of a result."""
    given = ops.clip("x", low=np.float32(0.5), high=np.int8(2)), ops.fill("x", np.int64(3))
    plain = ops.clip("x", low=0.5, high=2), ops.fill("x", 3)
    assert [one.function for one in given] == [one.function for one in plain]
    assert type(given[0].function.low) is float
    assert type(given[0].function.high) is int
