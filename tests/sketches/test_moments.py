"""Moments: exact, correctly rounded, and the same however the values are cut."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import FormatError, SummaryError
from prodml.sketches import Moments
from prodml.testing import check_mergeable
from tests.laws import subsets
from tests.sketches.columns import AWKWARD, FLOATS, pieces

LISTS = st.lists(FLOATS, max_size=30)


def finite_fractions(values):
    """Return the finite values as fractions."""
    return [Fraction(value) for value in values if math.isfinite(value)]


def rounded(fraction):
    """Return the float nearest to a fraction, infinite beyond the largest."""
    try:
        return fraction.numerator / fraction.denominator
    except OverflowError:
        return math.inf


def is_root(root, square):
    """Say whether a float is the root of a fraction, correctly rounded."""
    if square == 0:
        return root == 0.0
    below, above = math.nextafter(root, 0.0), math.nextafter(root, math.inf)
    low = (Fraction(below) + Fraction(root)) / 2
    high = (Fraction(root) + Fraction(above)) / 2 if math.isfinite(above) else Fraction(root) * 2
    return low**2 <= square <= high**2


@given(values=LISTS)
def test_statistics_are_those_of_fractions_rounded_once(values):
    """The oracle computes with fractions, by the definitions of mean and variance."""
    moments = Moments.of(values)
    finite = finite_fractions(values)

    assert moments.n == len(values)
    assert moments.n_missing == sum(map(math.isnan, values))
    assert moments.n_positive_infinite == values.count(math.inf)
    assert moments.n_negative_infinite == values.count(-math.inf)
    assert moments.n_infinite == sum(map(math.isinf, values))
    assert moments.n_finite == len(finite)
    assert moments.total == sum(finite)
    assert moments.total_of_squares == sum(one**2 for one in finite)
    if not finite:
        assert moments.mean is moments.minimum is moments.maximum is None
        return
    mean = sum(finite) / len(finite)
    assert moments.mean == rounded(mean)
    assert (moments.minimum, moments.maximum) == (float(min(finite)), float(max(finite)))
    for ddof in range(3):
        if len(finite) <= ddof:
            assert moments.variance(ddof=ddof) is moments.std(ddof=ddof) is None
            continue
        variance = sum((one - mean) ** 2 for one in finite) / (len(finite) - ddof)
        assert moments.variance(ddof=ddof) == rounded(variance)
        assert is_root(moments.std(ddof=ddof), variance)


@given(data=st.data(), values=LISTS)
def test_parts_add_up_bit_for_bit(data, values):
    """Moments of any parts, merged in any order, are those of one pass."""
    parts = data.draw(subsets(len(values)))

    check_mergeable(
        [Moments.of(part) for part in pieces(values, parts)], whole=Moments.of(values), n_orders=3
    )


@pytest.mark.parametrize("n_parts", [1, 2, 7])
def test_parts_of_many_add_up_bit_for_bit(n_parts):
    """More values than one block of the kernel has."""
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(size=100_000) * 20) * rng.choice([-1.0, 1.0, np.nan], 100_000)
    parts = [Moments.of(part) for part in np.array_split(rng.permutation(values), n_parts)]

    check_mergeable(parts, whole=Moments.of(values), n_orders=2)


def test_statistics_agree_with_numpy():
    """Within its rounding; a second opinion on what is computed at all."""
    values = np.random.default_rng(2).normal(size=70_001) * 3 + 7
    moments = Moments.of(values)

    assert moments.mean == pytest.approx(np.mean(values), rel=1e-14)
    assert moments.variance(ddof=1) == pytest.approx(np.var(values, ddof=1), rel=1e-12)
    assert moments.std() == pytest.approx(np.std(values), rel=1e-12)


@pytest.mark.parametrize("value", [0.1, 1e300, -5e-324, 1e16 + 2])
def test_equal_values_do_not_vary(value):
    """Exactly: floating-point formulas leave something, or a negative variance."""
    moments = Moments.of([value] * 1001)

    assert moments.mean == value
    assert moments.variance() == moments.std() == 0.0


def test_a_variance_beyond_the_floats_is_infinite_and_its_root_is_not():
    """The root is taken of the exact variance."""
    moments = Moments.of([1e300, -1e300])

    assert moments.variance() == math.inf
    assert moments.std() == 1e300


@pytest.mark.parametrize("shift", [0.0, 1e9, 1e15])
def test_published_example_of_cancellation(shift):
    """The variance of 4, 7, 13, 16 is 30 wherever they lie.

    Chan, Golub, LeVeque (1983), The American Statistician 37, show the textbook formula fail on
    shifted data; this is the example by which that is usually shown.
    """
    values = [shift + one for one in (4.0, 7.0, 13.0, 16.0)]

    assert Moments.of(values).variance(ddof=1) == 30.0


def test_zero_has_no_sign():
    """-0.0 equals 0.0, so that the order of values would decide which is the minimum."""
    moments = Moments.of([-0.0, 0.0])

    assert moments == Moments.of([0.0, -0.0])
    assert math.copysign(1, moments.minimum) == math.copysign(1, moments.maximum) == 1.0


def test_the_sum_of_summaries_is_their_merge():
    """`sum` starts from 0; nothing else can be added."""
    assert sum([Moments.of([1]), Moments.of([2])]) == Moments.of([1, 2])
    for wrong in (1, None, "x"):
        with pytest.raises(TypeError):
            Moments() + wrong
        with pytest.raises(TypeError):
            wrong + Moments()


def test_moments_are_immutable_hashable_and_picklable():
    """So that they can be shared and compared."""
    moments = Moments.of(AWKWARD)

    with pytest.raises(AttributeError):
        moments.n = 3
    assert {moments: 1}[Moments.of(AWKWARD[::-1])] == 1
    assert pickle.loads(pickle.dumps(moments)) == moments
    assert moments.empty() == Moments.of([]) == Moments()


def test_bytes_are_canonical_and_stable():
    """They are stored, and must be read by later versions."""
    assert Moments.of([0.5, -3.0, None]).to_bytes() == (
        b'{"format":"prodml-moments/1","n":3,"n_missing":1,"n_negative_infinite":0,'
        b'"n_positive_infinite":0,"range":["-0x1.8000000000000p+1","0x1.0000000000000p-1"],'
        b'"sum":["-5",1073],"sum_of_squares":["25",2146]}'
    )


GOOD = Moments.of([1.0, 2.0, None]).to_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"moments/1", b"moments/2"),
        (b'"n":3', b'"n":1'),
        (b'"n":3', b'"n":3.0'),
        (b'"n":3', b'"n":true'),
        (b'"n":3', b'"n": 3'),
        (b'"n_missing":1', b'"n_missing":-1'),
        (b'"n_missing":1', b'"missing":1'),
        (b'"sum":["3",1074]', b'"sum":["6",1073]'),
        (b'"sum":["3",1074]', b'"sum":["3",107400000]'),
        (b'"sum":["3",1074]', b'"sum":["3",-1]'),
        (b'"sum":["3",1074]', b'"sum":["3"]'),
        (b'"sum":["3",1074]', b'"sum":["z",1074]'),
        (b'"sum":["3",1074]', b'"sum":3'),
        (b'"sum":["3",1074]', b'"sum":["ff",1074]'),
        (b'"range":["0x1.0000000000000p+0"', b'"range":[null'),
        (b'"range":["0x1.0000000000000p+0"', b'"range":["inf"'),
        (b'"range":["0x1.0000000000000p+0"', b'"range":["0x1.0p+0"'),
        (b'"range":["0x1.0000000000000p+0"', b'"range":["0x1.8000000000000p+9"'),
    ],
)
def test_damaged_bytes_are_refused(old, new):
    """Also where they would still mean something: there is one way to write moments."""
    assert old in GOOD

    with pytest.raises(FormatError, match="prodml-moments/1"):
        Moments.from_bytes(GOOD.replace(old, new))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000])
def test_other_bytes_are_refused(data):
    """Whatever they are."""
    with pytest.raises(FormatError, match="prodml-moments/1"):
        Moments.from_bytes(data)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": -1}, "`n` must be a whole number"),
        ({"n": 1.0}, "`n` must be a whole number"),
        ({"n": 1, "n_missing": 2}, "`n` is 1"),
        ({"n": 1}, "are .None, None. for 1"),
        ({"minimum": 1.0}, "for 0 finite"),
        ({"maximum": 1.0}, "for 0 finite"),
        ({"units": 1}, "No value is finite"),
        ({"square_units": 1}, "No value is finite"),
        ({"n": 1, "minimum": 1.0}, "1.0, None. for 1"),
        ({"n": 1, "minimum": 2.0, "maximum": 1.0}, "span no range"),
        ({"n": 1, "minimum": -math.inf, "maximum": 1.0}, "span no range"),
        ({"n": 2, "minimum": 1.0, "maximum": 1.0, "units": 9}, "`square_units`"),
    ],
)
def test_contradictions_are_refused(fields, message):
    """What no values have as their moments is a mistake of whoever made it."""
    with pytest.raises(SummaryError, match=message):
        Moments(**fields)


@pytest.mark.parametrize("ddof", [-1, 1.0, "1", None, True])
def test_ddof_is_a_whole_number(ddof):
    """Anything else is a mistake."""
    with pytest.raises(SummaryError, match="`ddof` must be an integer >= 0") as caught:
        Moments.of([1, 2]).variance(ddof=ddof)
    assert (caught.value.argument, caught.value.value) == ("ddof", ddof)
    assert Moments.of([1, 2]).variance(ddof=np.int64(1)) == 0.5


def test_results_are_shown():
    """In one line, in a notebook, as a frame and as JSON values."""
    moments = Moments.of([1.0, 3.0, np.nan, np.inf])

    assert repr(moments) == (
        "Moments(n=4, n_missing=1, n_infinite=1, mean=2.0, std=1.0, minimum=1.0, maximum=3.0)"
    )
    assert "<td" in moments._repr_html_()
    assert moments.to_dict()["variance"] == 1.0
    pd.testing.assert_frame_equal(moments.to_frame(), pd.DataFrame([moments.to_dict()]))
