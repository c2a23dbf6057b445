from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.features._ulps import (
    NO_DISTANCE,
    column_scales,
    differing_cells,
    ulps_between,
    whole_columns,
)

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
NAN, INF, TINY = math.nan, math.inf, 5e-324


def rank(value):
    """Return an integer one higher than that of the float below, -0.0 being below 0.0."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return bits if bits >= 0 else -(bits & (2**63 - 1)) - 1


def steps(one, other):
    """Return the distance of two floats in plain integers."""
    if math.isnan(one) and math.isnan(other):
        return 0
    if not (math.isfinite(one) and math.isfinite(other)):
        return 0 if one == other else NO_DISTANCE
    return abs(rank(one) - rank(other))


@given(pairs=st.lists(st.tuples(FLOATS, FLOATS), max_size=20))
def test_it_is_the_difference_of_ranks(pairs):
    """The distance is that of the integers in the order of the floats, up to the whole range."""
    one, other = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    expected = [steps(*pair) for pair in pairs]

    assert ulps_between(one, other).tolist() == expected
    assert ulps_between(other, one).tolist() == expected


@given(start=st.floats(allow_nan=False, allow_infinity=False, width=32), n=st.integers(0, 50))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_it_counts_neighbours(dtype, start, n):
    """So many neighbours on are so many steps, for each width of floats."""
    with np.errstate(over="ignore"):
        first = last = dtype(start)
        for _ in range(n):
            last = np.nextafter(last, dtype(INF))
    if not (np.isfinite(first) and np.isfinite(last)):
        return
    crosses = bool(first <= 0) and bool(last >= 0) and not (first == 0 and not np.signbit(first))
    # nextafter steps over one of the two zeros
    expected = n + (crosses and n > 0 and not (last == 0 and np.signbit(last)))

    assert ulps_between(np.array([first]), np.array([last])).tolist() == [expected]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NAN, NAN, 0),
        (NAN, 0.0, NO_DISTANCE),
        (NAN, INF, NO_DISTANCE),
        (INF, INF, 0),
        (INF, -INF, NO_DISTANCE),
        (INF, 1.7976931348623157e308, NO_DISTANCE),
        (-0.0, 0.0, 1),
        (-TINY, TINY, 3),
        (1.0, 1.0 + 2**-52, 1),
        (1.0, 1.0 - 2**-53, 1),
    ],
)
def test_what_has_no_neighbours(one, other, expected):
    """NaN is NaN; a NaN or an infinity has no distance to a number; the zeros are neighbours."""
    assert ulps_between(np.array([one]), np.array([other])).tolist() == [expected]


def test_another_nan_is_nan():
    """Sign and payload of a NaN do not count."""
    odd = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)

    assert ulps_between(odd, np.array([NAN])).tolist() == [0]


def test_the_layout_does_not_matter():
    """Columns of Fortran order, strided and read-only ones give what plain ones give."""
    one = np.arange(12.0).reshape(3, 4)
    other = one + np.spacing(one)
    expected = ulps_between(one, other).tolist()
    frozen = one[::1].copy()
    frozen.flags.writeable = False

    assert expected == np.ones((3, 4), dtype=int).tolist()
    assert ulps_between(np.asfortranarray(one), other).tolist() == expected
    assert ulps_between(one[:, ::-1], other[:, ::-1])[:, ::-1].tolist() == expected
    assert ulps_between(frozen, other).tolist() == expected


def test_whole_columns():
    """Gaps and infinities are no fractions; one fraction is."""
    matrix = np.array([[1.0, NAN, INF, 0.5, NAN], [0.0, 2.0, -3.0, 1.0, NAN]])

    assert whole_columns(matrix).tolist() == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("expected", "got", "whole", "exact", "elsewhere"),
    [
        (1.5, 1.5, False, False, False),
        (NAN, NAN, False, False, False),
        (1.5, 1.5 + 4 * 2**-52, False, True, False),
        (1.5, 1.5 + 5 * 2**-52, False, True, True),
        (2.0, 2.0 + 2**-51, True, True, True),
        (0.0, -0.0, True, True, False),
        (0.0, TINY, True, True, True),
        (NAN, 0.0, False, True, True),
        (NAN, 0.0, True, True, True),
        (INF, 1e308, False, True, True),
    ],
)
def test_what_is_allowed(expected, got, whole, exact, elsewhere):
    """In one place every bit counts; elsewhere 4 ulp are let pass, but not in whole numbers."""
    one, other = np.array([[expected]]), np.array([[got]])

    for most_ulps, told in ((0, exact), (4, elsewhere)):
        found = differing_cells(
            one, other, most_ulps=most_ulps, whole=np.array([whole]), scales=np.zeros(1)
        )
        assert found.tolist() == [[told]]


def test_what_is_near_zero_is_held_against_its_column():
    """After a subtraction one ulp of the terms is many of the result: the column says how large
    they were. With every bit asked for it does not count.
    """
    before = np.log1p(np.array([[8.0], [2.0]]))
    expected = before - before[0] * 1.001
    got = np.nextafter(before, 9) - before[0] * 1.001
    options = {"whole": np.array([False]), "scales": column_scales(expected)}

    assert ulps_between(expected, got)[0, 0] > 100
    assert differing_cells(expected, got, most_ulps=4, **options).tolist() == [[False], [False]]
    assert differing_cells(expected, got, most_ulps=0, **options).tolist() == [[True], [True]]
    assert differing_cells(expected, got + 1e-14, most_ulps=4, **options).all()


def test_the_scale_of_a_column():
    """Its greatest finite magnitude; gaps and infinities have none."""
    matrix = np.array([[1.0, NAN, INF], [-3.0, NAN, 2.0]])

    assert column_scales(matrix).tolist() == [3.0, 0.0, 2.0]
    assert column_scales(np.empty((0, 2))).tolist() == [0.0, 0.0]
