"""Sums of arrays are exact, whatever is in them, and however they are cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prodml._core import exact_arrays
from prodml._core.exact_arrays import (
    UNIT,
    UNIT_EXPONENT,
    exact_square_sum,
    exact_sum,
    exact_sums_by_code,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ARRAYS = hnp.arrays(np.float64, st.integers(0, 40), elements=FINITE)


def sample(kind, n=40_000):
    """Return floats of a kind, more than a block of them."""
    rng = np.random.default_rng(7)
    return {
        "normal": lambda: rng.normal(size=n) * 50 + 30,
        "uniform": lambda: rng.random(n),
        "whole": lambda: rng.integers(-1000, 1000, n).astype(float),
        "every size": lambda: np.ldexp(rng.uniform(-1, 1, n), rng.integers(-1073, 1024, n)),
        "large": lambda: rng.uniform(-1, 1, n) * 1.7e308,
        "denormal": lambda: rng.integers(-(2**52), 2**52, n).astype(float) * 5e-324,
        "cancelling": lambda: (
            np.repeat(rng.normal(size=n // 2) * 1e200, 2) * np.tile([1, -1], n // 2)
        ),
        "one far away": lambda: np.where(np.arange(n) == n // 2, 1e300, rng.random(n)),
        "zeros": lambda: np.where(rng.random(n) < 0.5, -0.0, 0.0),
        "largest limbs": lambda: np.full(n, np.nextafter(2.0**32, 0)),
    }[kind]()


KINDS = [
    "normal",
    "uniform",
    "whole",
    "every size",
    "large",
    "denormal",
    "cancelling",
    "one far away",
    "zeros",
    "largest limbs",
]


@given(values=ARRAYS)
def test_a_sum_is_that_of_fractions(values):
    """Any finite floats at all; of squares too, though none of them is a float."""
    exact = [Fraction(value) for value in values.tolist()]

    assert exact_sum(values) * UNIT == sum(exact, Fraction(0))
    assert exact_square_sum(values) * UNIT**2 == sum((one**2 for one in exact), Fraction(0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_of_many_is_that_of_fractions(kind):
    """More values than a block has, of every size and sparseness."""
    values = sample(kind)
    exact = [Fraction(value) for value in values.tolist()]

    assert exact_sum(values) * UNIT == sum(exact)
    assert exact_square_sum(values) * UNIT**2 == sum(one**2 for one in exact)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_codes", [1, 7, 20_000])
def test_sums_by_code_are_those_of_fractions(kind, n_codes):
    """Few groups and many; a group without rows sums to 0."""
    values = sample(kind)
    codes = np.random.default_rng(3).integers(0, max(n_codes - 1, 1), len(values))
    exact = [0] * n_codes
    for code, value in zip(codes.tolist(), values.tolist(), strict=True):
        exact[code] += int(Fraction(value) / UNIT)

    assert exact_sums_by_code(values, codes, n_codes=n_codes) == exact


@given(values=ARRAYS, data=st.data())
def test_any_cut_gives_the_same(values, data):
    """Sums of parts add up to the sum of all."""
    cut = data.draw(st.integers(0, len(values)))
    parts = values[:cut], values[cut:]

    assert sum(map(exact_sum, parts)) == exact_sum(values)
    assert sum(map(exact_square_sum, parts)) == exact_square_sum(values)


def test_long_arrays_are_summed_in_pieces(monkeypatch):
    """So that no sum of limbs leaves int64."""
    values = sample("normal", 1000)
    codes = np.arange(1000) % 3
    whole = exact_sums_by_code(values, codes, n_codes=3)

    monkeypatch.setattr(exact_arrays, "_MOST_ROWS", 100)
    assert exact_sums_by_code(values, codes, n_codes=3) == whole


def test_limbs_of_the_largest_block_are_added_exactly(monkeypatch):
    """A block of the most rows, each with the largest limb there is and one bit less below it."""
    monkeypatch.setattr(exact_arrays, "_BLOCK_ROWS", exact_arrays._MOST_BLOCK_ROWS)
    value = np.nextafter(2.0**32, 0)
    n = exact_arrays._MOST_BLOCK_ROWS + 1
    values = np.full(n, value)

    total = int(Fraction(value) / UNIT) * n
    assert exact_sum(values) == total
    assert exact_sums_by_code(values, np.zeros(n, dtype=np.int64), n_codes=1) == [total]


def test_values_are_not_changed():
    """They belong to the caller, and may be read-only."""
    values = sample("every size", 1000)
    before = values.copy()
    values.flags.writeable = False
    exact_sum(values)
    exact_square_sum(values)
    exact_sums_by_code(values, np.zeros(1000, dtype=np.int64), n_codes=1)

    assert np.array_equal(values, before)


def test_the_unit_is_the_least_float():
    """Which every float is a multiple of."""
    assert float(UNIT) == 5e-324
    assert Fraction(2) ** UNIT_EXPONENT == UNIT
