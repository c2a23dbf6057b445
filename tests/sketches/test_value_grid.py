"""Value grids: exact for few values, bounded for many, and the same however they are cut."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import FormatError, MergeError, SummaryError
from prodml.sketches import ValueGrid
from prodml.sketches._grid_cells import floats_of, keys_of
from prodml.testing import check_mergeable
from tests.laws import subsets
from tests.sketches.columns import AWKWARD, FLOATS, pieces

METHODS = ["linear", "lower", "higher", "inverted_cdf"]
SHARES = st.floats(0, 1)
LISTS = st.lists(FLOATS, max_size=40)
MOST = st.one_of(st.integers(2, 12), st.just(65_536))

#: Beyond them, numpy's interpolation overflows.
MODERATE = st.floats(-1e300, 1e300)


def key(value):
    """Return the bits of a float as a signed integer, in the order of floats."""
    bits = int(np.float64(abs(value)).view(np.int64))
    return -bits if value < 0 else bits


def grid_of(values, most):
    """Return shift and counts by the definition: try every shift."""
    keys = [key(value) for value in values if math.isfinite(value)]
    for shift in range(64):
        cells = Counter(one >> shift for one in keys)
        if len(cells) <= most:
            return shift, sorted(cells.items())
    raise AssertionError


def kinds(n):
    """Return long columns of every kind, by name."""
    rng = np.random.default_rng(11)
    normal = rng.normal(size=n)
    return {
        "normal": normal * 50 + 30,
        "uniform": rng.random(n),
        "lognormal": np.exp(normal * 2),
        "whole": rng.integers(-500, 500, n).astype(float),
        "large whole": rng.integers(0, 10**9, n).astype(float),
        "prices": np.round(np.exp(normal * 2), 2),
        "zeros": np.where(rng.random(n) < 0.3, 0.0, normal),
        "every size": np.ldexp(rng.uniform(-1, 1, n), rng.integers(-1073, 1024, n)),
        "one value": np.full(n, 0.1),
        "powers": np.ldexp(1.0, rng.integers(-1000, 1000, n)),
        "sorted": np.sort(normal),
    }


KINDS = list(kinds(1))


@given(values=LISTS, most=MOST)
def test_the_shift_is_the_least_with_few_enough_cells(values, most):
    """The oracle tries every shift, and counts in a loop."""
    grid = ValueGrid.of(values, max_cells=most)
    shift, cells = grid_of(values, most)

    assert grid.shift == shift
    assert list(zip(grid.cells.tolist(), grid.counts.tolist(), strict=True)) == cells
    finite = [value for value in values if math.isfinite(value)]
    assert (grid.minimum, grid.maximum) == (min(finite, default=None), max(finite, default=None))
    assert grid.n == len(values)
    assert grid.n_missing == sum(map(math.isnan, values))
    assert grid.n_positive_infinite == values.count(math.inf)
    assert grid.n_negative_infinite == values.count(-math.inf)
    assert grid.n_finite == len(finite)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most", [2, 50, 5_000])
def test_the_shift_of_many_values_is_that_of_the_definition(kind, most):
    """Long columns are counted in other ways: from a sample, in a table, or by sorting."""
    values = kinds(30_000)[kind]
    grid = ValueGrid.of(values, max_cells=most)

    shift, cells = grid_of(values.tolist(), most)
    assert grid.shift == shift
    assert list(zip(grid.cells.tolist(), grid.counts.tolist(), strict=True)) == cells


@given(data=st.data(), values=LISTS, most=MOST)
def test_parts_add_up_bit_for_bit(data, values, most):
    """Grids of any parts, merged in any order, are that of one pass."""
    parts = data.draw(subsets(len(values)))

    check_mergeable(
        [ValueGrid.of(part, max_cells=most) for part in pieces(values, parts)],
        whole=ValueGrid.of(values, max_cells=most),
        foreign=[ValueGrid.of(values, max_cells=most + 1)],
        n_orders=3,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_many_add_up_bit_for_bit(kind):
    """Small parts are exact, and large ones are not."""
    values = kinds(60_000)[kind]
    cuts = [100, 9_000, 9_001, 40_000]
    parts = [ValueGrid.of(part, max_cells=1_000) for part in np.split(values, cuts)]

    check_mergeable(parts, whole=ValueGrid.of(values, max_cells=1_000), n_orders=2)


@given(values=st.lists(MODERATE, min_size=1, max_size=30), q=SHARES)
@pytest.mark.parametrize("method", METHODS)
def test_exact_quantiles_are_those_of_numpy(method, values, q):
    """Bit for bit, but for the sign of zero."""
    got = ValueGrid.of(values).quantile(q, method=method)

    assert got == np.quantile(np.array(values), q, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 999, 1000, 4097])
def test_exact_quantiles_of_many_are_those_of_numpy(method, n):
    """At all shares, those that fall on a value among them."""
    values = np.random.default_rng(n).normal(size=n)
    shares = np.concatenate([np.linspace(0, 1, 101), np.random.default_rng(0).random(100)])
    got = ValueGrid.of(values).quantiles(shares, method=method)

    assert list(got) == np.quantile(values, shares, method=method).tolist()


@given(values=st.lists(MODERATE, min_size=1), q=SHARES, most=st.integers(2, 12))
@pytest.mark.parametrize("method", ["lower", "higher", "inverted_cdf"])
def test_an_order_statistic_is_within_the_stated_error(method, values, q, most):
    """Of its own size; below the normal floats, within the least of those."""
    grid = ValueGrid.of(values, max_cells=most)
    exact = float(np.quantile(np.array(values), q, method=method))

    if math.isfinite(grid.relative_error):
        error = abs(Fraction(grid.quantile(q, method=method)) - Fraction(exact))
        allowed = Fraction(grid.relative_error) * abs(Fraction(exact))
        assert error <= max(allowed, Fraction(2) ** -1022 if grid.shift else 0)
    assert grid.minimum <= grid.quantile(q, method=method) <= grid.maximum


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_quantiles_of_many_are_within_the_stated_error(kind, method):
    """Interpolated between two that are; they rise, and the ends are exact."""
    values = kinds(60_000)[kind]
    grid = ValueGrid.of(values, max_cells=5_000)
    shares = np.linspace(0, 1, 501)
    got = np.array(grid.quantiles(shares, method=method))
    around = [np.quantile(values, shares, method=side) for side in ("lower", "higher")]
    exact = np.quantile(values, shares, method=method)

    allowed = grid.relative_error * np.max(np.abs(around), axis=0) * (1 + 1e-12) + 2.0**-1022
    assert grid.relative_error <= 0.5
    assert (np.abs(got - exact) <= allowed).all()
    assert (np.diff(got) >= 0).all()
    assert (got[0], got[-1]) == (values.min(), values.max())


def test_normal_values_are_known_to_a_quarter_of_a_thousandth():
    """What the docstring promises for a million of them."""
    values = np.random.default_rng(0).normal(size=1_000_000)

    assert ValueGrid.of(values).relative_error <= 0.000_25


@given(values=LISTS)
def test_4096_cells_give_a_finite_error(values):
    """There are fewer binades than that, of both signs."""
    grid = ValueGrid.of(values, max_cells=4096)

    assert grid.relative_error <= 0.5


def test_every_binade_fits_in_4096_cells():
    """All powers of two, of both signs, and values between."""
    powers = np.ldexp(1.0, np.arange(-1074, 1024))
    values = np.concatenate([powers * scale for scale in (1, 1.5, -1, -1.25)])
    values = values[np.isfinite(values)]
    grid = ValueGrid.of(values, max_cells=4096)

    assert 0 < grid.shift <= 52
    assert grid.relative_error <= 0.5


def test_zero_stays_zero():
    """In columns of which many are: the cell of zero has no other normal float."""
    rng = np.random.default_rng(4)
    values = np.where(rng.random(20_000) < 0.4, 0.0, rng.normal(size=20_000))
    grid = ValueGrid.of(values, max_cells=100)

    assert not grid.is_exact
    assert grid.median == 0.0


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([-math.inf, 1.0, 2.0], 0.0, -math.inf),
        ([-math.inf, 1.0, 2.0], 0.1, -math.inf),
        ([-math.inf, 1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, math.inf], 0.9, math.inf),
        ([1.0, 2.0, math.inf], 1.0, math.inf),
        ([-math.inf, math.inf], 0.5, None),
        ([-math.inf, math.inf], 1.0, math.inf),
        ([math.inf, math.inf], 0.5, math.inf),
        ([math.nan, 3.0, None], 0.5, 3.0),
        ([math.nan], 0.5, None),
        ([], 0.5, None),
        ([-1.7e308, 1.7e308], 0.5, 0.0),
        ([-1e308, 1e308], 0.25, -0.5e308),
    ],
)
def test_quantiles_beside_infinities(values, q, expected):
    """Where numpy says NaN, or overflows."""
    assert ValueGrid.of(values).quantile(q) == expected


@pytest.mark.parametrize("q", [-0.1, 1.1, 50, math.nan])
def test_a_share_is_between_0_and_1(q):
    """A percentage is a mistake."""
    with pytest.raises(SummaryError, match="`q` must be between 0 and 1") as caught:
        ValueGrid.of([1.0]).quantiles([0.5, q])
    assert (caught.value.argument, caught.value.position) == ("q", 1)


def test_a_method_is_one_of_four():
    """And is spelled as numpy spells it."""
    with pytest.raises(SummaryError, match="`method` must be one of") as caught:
        ValueGrid.of([1.0]).quantile(0.5, method="nearest")
    assert (caught.value.argument, caught.value.value) == ("method", "nearest")


@pytest.mark.parametrize("most", [1, 0, -5, 2.0, "9", True])
def test_the_number_of_cells_is_a_whole_number(most):
    """At least two, since no shift makes one of two signs."""
    with pytest.raises(SummaryError, match="`max_cells` must be an integer >= 2") as caught:
        ValueGrid.of([1.0], max_cells=most)
    assert (caught.value.argument, caught.value.value) == ("max_cells", most)


def test_no_quantiles_are_none_of_them():
    """An empty list asks for nothing."""
    assert ValueGrid.of([1.0]).quantiles([]) == ()
    assert ValueGrid.of([]).quantiles([0.5, 0.9]) == (None, None)


@given(values=st.lists(st.floats(allow_nan=False), max_size=20))
def test_keys_are_in_the_order_of_floats(values):
    """And are told back; -0.0 and 0.0 are one."""
    array = np.array(values, dtype=np.float64)
    keys = keys_of(array)

    assert floats_of(keys).tolist() == values
    assert keys.tolist() == [key(value) for value in values]
    order = np.argsort(array, kind="stable")
    assert (np.argsort(keys, kind="stable") == order).all()


def test_zero_has_no_sign():
    """-0.0 equals 0.0, so that the order of values would decide which is kept."""
    grid = ValueGrid.of([-0.0, 0.0])

    assert grid == ValueGrid.of([0.0, -0.0])
    assert grid.counts.tolist() == [2]
    for value in (grid.minimum, grid.maximum, grid.median, grid.cell_values[0]):
        assert math.copysign(1, value) == 1.0


def test_values_and_counts_are_shown():
    """The values themselves where each has a cell."""
    grid = ValueGrid.of([2.0, -1.0, 2.0])

    assert grid.cell_values.tolist() == [-1.0, 2.0]
    pd.testing.assert_frame_equal(
        grid.to_frame(), pd.DataFrame({"value": [-1.0, 2.0], "count": [1, 2]})
    )


def test_different_sizes_are_not_merged():
    """The result would depend on the order."""
    with pytest.raises(MergeError, match="`max_cells` 65536 and 3") as caught:
        ValueGrid.of([1.0]).merge(ValueGrid.of([1.0], max_cells=3))
    assert (caught.value.left, caught.value.right) == (65_536, 3)


def test_the_sum_of_summaries_is_their_merge():
    """`sum` starts from 0; nothing else can be added or is equal."""
    assert sum([ValueGrid.of([1]), ValueGrid.of([2])]) == ValueGrid.of([2, 1])
    assert ValueGrid() != 0
    for wrong in (1, None, "x"):
        with pytest.raises(TypeError):
            ValueGrid() + wrong
        with pytest.raises(TypeError):
            wrong + ValueGrid()


@pytest.mark.parametrize(
    "carry",
    [lambda one: one, copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
)
def test_grids_are_immutable_hashable_and_picklable(carry):
    """Their arrays too, wherever they come from."""
    grid = carry(ValueGrid.of(AWKWARD))

    with pytest.raises(AttributeError):
        grid.n = 3
    for array in (grid.cells, grid.counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert {grid: 1}[ValueGrid.of(AWKWARD[::-1])] == 1
    assert grid.empty() == ValueGrid.of([]) == ValueGrid()


def test_the_arrays_of_a_caller_are_not_kept():
    """Whoever changes them changes no grid."""
    cells, counts = np.array([0]), np.array([2])
    grid = ValueGrid(n=2, cells=cells, counts=counts, minimum=0.0, maximum=0.0)
    counts[0] = 99
    values = np.array([3.0, 1.0, 2.0])
    ValueGrid.of(values)

    assert grid.counts.tolist() == [2]
    assert values.tolist() == [3.0, 1.0, 2.0]


def test_bytes_are_canonical_and_stable():
    """They are stored, and must be read by later versions."""
    head, _, arrays = ValueGrid.of([1.0, -2.0, 1.0, None]).to_bytes().partition(b"\n")

    assert head == (
        b'{"format":"prodml-value-grid/1","max_cells":65536,"n":4,"n_missing":1,'
        b'"n_negative_infinite":0,"n_positive_infinite":0,'
        b'"range":["-0x1.0000000000000p+1","0x1.0000000000000p+0"],"shift":0}'
    )
    expected = np.array([-0x4000000000000000, 0x3FF0000000000000, 1, 2], dtype="<i8")
    assert arrays == expected.tobytes()


def written(**changes):
    """Return the bytes of a grid of 1.0, 2.0 and 2.0, with some fields changed."""
    head = {
        "format": "prodml-value-grid/1",
        "max_cells": 65_536,
        "n": 3,
        "n_missing": 0,
        "n_negative_infinite": 0,
        "n_positive_infinite": 0,
        "range": [(1.0).hex(), (2.0).hex()],
        "shift": 0,
    }
    arrays = (
        np.array([key(1.0), key(2.0), 1, 2]) if "arrays" not in changes else changes.pop("arrays")
    )
    text = json.dumps({**head, **changes}, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n" + np.asarray(arrays, dtype="<i8").tobytes()


def test_the_bytes_that_are_damaged_below_are_good():
    """Or the next test would show nothing."""
    assert ValueGrid.from_bytes(written()) == ValueGrid.of([2.0, 1.0, 2.0])


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "prodml-value-grid/2"},
        {"n": 4},
        {"n": 3.0},
        {"n": -3},
        {"n": None},
        {"n_missing": 1},
        {"max_cells": 1},
        {"max_cells": 0},
        {"max_cells": True},
        {"shift": 1},
        {"shift": 64},
        {"shift": -1},
        {"range": [None, None]},
        {"range": [(1.0).hex(), None]},
        {"range": [(1.0).hex(), (3.0).hex()]},
        {"range": [(1.5).hex(), (2.0).hex()]},
        {"range": [(1.0).hex(), "inf"]},
        {"range": ["1", (2.0).hex()]},
        {"range": ["x", (2.0).hex()]},
        {"range": [(1.0).hex()]},
        {"range": 7},
        {"other": 7},
        {"arrays": [key(2.0), key(1.0), 1, 2]},
        {"arrays": [key(1.0), key(1.0), 1, 2]},
        {"arrays": [key(1.0), key(2.0), 1, 1]},
        {"arrays": [key(1.0), key(2.0), 3, 0]},
        {"arrays": [key(1.0), key(2.0), 4, -1]},
        {"arrays": [key(1.0), 1, 2]},
        {"arrays": []},
    ],
)
def test_damaged_bytes_are_refused(changes):
    """Also where they would still mean something: there is one way to write a grid."""
    with pytest.raises(FormatError, match="prodml-value-grid/1"):
        ValueGrid.from_bytes(written(**changes))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", written()[:-1], written() + b"\0"])
def test_other_bytes_are_refused(data):
    """Whatever they are."""
    with pytest.raises(FormatError, match="prodml-value-grid/1"):
        ValueGrid.from_bytes(data)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": -1}, "whole numbers >= 0"),
        ({"n": 1}, "add up to the 1 finite"),
        ({"cells": [[1]], "counts": [[1]], "n": 1}, "of shape"),
        ({"cells": [1], "n": 1}, "of shape"),
        ({"max_cells": 1}, "of 1 allowed"),
        ({"shift": 3}, "`shift` is 3"),
        ({"minimum": 1.0}, "minimum of no values"),
    ],
)
def test_contradictions_are_refused(fields, message):
    """What no values have as their grid is a mistake of whoever made it."""
    with pytest.raises(SummaryError, match=message):
        ValueGrid(**fields)


def test_results_are_shown():
    """In one line, in a notebook and as JSON values."""
    grid = ValueGrid.of([1.0, 3.0, np.nan, np.inf])

    assert repr(grid) == ("ValueGrid(n=4, n_missing=1, n_cells=2, median=3.0, relative_error=0.0)")
    assert "<td" in grid._repr_html_()
    assert json.loads(json.dumps(grid.to_dict()))["lower_quartile"] == 2.0
