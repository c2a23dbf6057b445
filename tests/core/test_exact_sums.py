"""Sums in parts, in any order, are the sum of all."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml._core.exact_sums import add_exactly

NUMBERS = st.lists(st.floats(-1e300, 1e300), max_size=20)


@given(parts=st.lists(NUMBERS, max_size=5))
def test_nothing_is_lost(parts):
    """The exact sum of what is kept is that of all numbers, as fractions know it."""
    kept = ()
    for part in parts:
        kept = add_exactly(kept, part)

    exact = sum((Fraction(one) for part in parts for one in part), Fraction(0))
    assert sum(map(Fraction, kept), Fraction(0)) == exact
    assert math.fsum(kept) == math.fsum(one for part in parts for one in part)


@given(numbers=NUMBERS)
def test_little_is_kept(numbers):
    """Floats that do not overlap: forty of them span the whole range."""
    assert len(add_exactly((), numbers)) <= 41


def test_a_sum_beyond_all_floats_is_an_error():
    """And not infinity, from which no number comes back."""
    with pytest.raises(OverflowError, match="beyond the range"):
        add_exactly((1.7e308,), [1.7e308])
