"""Group sums: exact for each category, and the same however the rows are cut."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import FormatError, SummaryError, SummaryTypeError
from prodml.sketches import GroupSums, code_categories
from prodml.sketches._category_keys import key_of
from prodml.testing import check_mergeable
from tests.laws import subsets

KEYS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["a", "b", "é"]))
TARGETS = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(allow_nan=False, allow_infinity=False))
ROWS = st.lists(st.tuples(KEYS, TARGETS), max_size=25)


def of(rows):
    """Return the sums of (key, value) pairs."""
    return GroupSums.of([key for key, _ in rows], [value for _, value in rows])


@given(rows=ROWS)
def test_sums_are_those_of_fractions_rounded_once(rows):
    """The oracle adds fractions by family and value of the key."""
    exact = {}
    for key, value in rows:
        exact.setdefault((type(key), key), []).append(Fraction(value))
    sums = of(rows)

    assert sums.n_rows == len(rows)
    assert sums.total == sum((Fraction(value) for _, value in rows), Fraction(0))
    assert len(sums.groups) == len(exact)
    for (_, key), values in exact.items():
        total = sum(values)
        assert sums.n(key) == len(values)
        assert sums.sum(key) == rounded(total)
        assert sums.mean(key) == float(total / len(values))
    assert list(sums.items()) == [(group, sums.n(group), sums.sum(group)) for group in sums.groups]
    whole = sum(Fraction(value) for _, value in rows)
    assert sums.mean_of_all == (float(whole / len(rows)) if rows else None)


def rounded(fraction):
    """Return the float nearest to a fraction, infinite beyond the largest."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


@given(data=st.data(), rows=ROWS)
def test_parts_add_up_bit_for_bit(data, rows):
    """Sums of any parts, merged in any order, are those of one pass."""
    parts = data.draw(subsets(len(rows)))

    check_mergeable([of([rows[row] for row in part]) for part in parts], whole=of(rows), n_orders=3)


def test_parts_of_many_add_up_bit_for_bit():
    """More rows than one block of the kernel has, with targets of every size."""
    rng = np.random.default_rng(5)
    keys = rng.integers(0, 300, 80_000)
    values = np.exp(rng.normal(size=80_000) * 30)
    cuts = np.array_split(rng.permutation(80_000), 5)
    parts = [GroupSums.of(keys[rows], values[rows]) for rows in cuts]

    check_mergeable(parts, whole=GroupSums.of(keys, values), n_orders=2)


def test_means_agree_with_pandas():
    """Within its rounding; a second opinion on what is computed at all."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"key": rng.choice(list("abcdef"), 5000), "y": rng.normal(size=5000)})
    sums = GroupSums.of(frame["key"], frame["y"])

    grouped = frame.groupby("key")["y"]
    assert dict(zip(sums.groups, map(sums.mean, sums.groups), strict=True)) == pytest.approx(
        grouped.mean().to_dict(), rel=1e-9
    )
    assert {group: n for group, n, _ in sums.items()} == grouped.size().to_dict()


def test_a_group_that_does_not_occur_has_no_mean():
    """And no rows, and a sum of nothing."""
    sums = GroupSums.of(["a", None], [1.0, 3.0])

    assert (sums.n("b"), sums.sum("b"), sums.mean("b")) == (0, 0.0, None)
    assert (sums.n(None), sums.sum(math.nan), sums.mean(pd.NA)) == (1, 3.0, 3.0)
    assert GroupSums.of(["a"], [1]).mean(None) is None


def test_a_sum_beyond_the_floats_is_infinite_and_its_mean_is_not():
    """The mean is taken of the exact sum."""
    sums = GroupSums.of(["a", "a", "b", "b"], [1.5e308, 1.5e308, -1.5e308, -1.5e308])
    finer = GroupSums.of(["a", "a", "a"], [1.5e308, 1.5e308, 0.1])

    assert (sums.sum("a"), sums.sum("b"), finer.sum("a")) == (math.inf, -math.inf, math.inf)
    assert (sums.mean("a"), sums.mean("b"), sums.mean_of_all) == (1.5e308, -1.5e308, 0.0)


@pytest.mark.parametrize(
    "values",
    [
        [1, 0, 1],
        [True, False, True],
        np.array([1, 0, 1], dtype=np.int8),
        pd.array([True, False, True], dtype="boolean"),
        pd.Series([1.0, 0.0, 1.0], index=[3, 3, 3]),
    ],
)
def test_a_target_may_be_of_any_numeric_type(values):
    """Labels come as booleans, small integers and floats."""
    assert GroupSums.of(["a", "b", "a"], values) == GroupSums.of(["a", "b", "a"], [1.0, 0.0, 1.0])


def test_one_pass_over_a_column_serves_several():
    """Codes and categories are what ``from_codes`` takes."""
    keys, target = ["b", None, "a", "b"], [1.0, 2.0, 3.0, 4.0]
    codes, categories = code_categories(keys)

    assert GroupSums.from_codes(codes, categories, target) == GroupSums.of(keys, target)
    assert GroupSums.from_codes(codes, [*categories, "c"], target) == GroupSums.of(keys, target)


@pytest.mark.parametrize(
    ("values", "position"),
    [([1.0, None], 1), ([math.nan, 1.0], 0), ([1.0, math.inf], 1), ([-math.inf, 1.0], 0)],
)
def test_a_target_is_finite(values, position):
    """A row without a target has no part in a mean; which rows to leave out, the caller says."""
    with pytest.raises(SummaryError, match="`values` must be finite") as caught:
        GroupSums.of(["a", "b"], values)
    assert (caught.value.argument, caught.value.position) == ("values", position)


def test_lengths_must_agree():
    """One target for each key."""
    with pytest.raises(SummaryError, match="`values` must have one value for each of `codes`"):
        GroupSums.of(["a", "b"], [1.0])


@pytest.mark.parametrize("values", [["1"], [1j], [b"1"]])
def test_a_target_is_a_number(values):
    """Text is none."""
    with pytest.raises(SummaryTypeError, match="`values` must be real numbers"):
        GroupSums.of(["a"], values)


@pytest.mark.parametrize("ask", ["n", "sum", "mean"])
@pytest.mark.parametrize("key", [b"a", [1], object()])
def test_only_categories_are_asked_for(ask, key):
    """Anything else cannot have been a key."""
    with pytest.raises(TypeError, match="A key is text, a number or a boolean"):
        getattr(GroupSums.of(["a"], [1]), ask)(key)


def test_the_sum_of_summaries_is_their_merge():
    """`sum` starts from 0; nothing else can be added."""
    assert sum([of([("a", 1.0)]), of([("b", 2.0)])]) == of([("b", 2.0), ("a", 1.0)])
    for wrong in (1, None, "x"):
        with pytest.raises(TypeError):
            GroupSums() + wrong
        with pytest.raises(TypeError):
            wrong + GroupSums()


def test_sums_are_immutable_hashable_and_picklable():
    """So that they can be shared and compared."""
    sums = of([("a", 1.0), (None, 0.1)])

    with pytest.raises(AttributeError):
        sums.exponent = 3
    assert {sums: 1}[of([(None, 0.1), ("a", 1.0)])] == 1
    assert pickle.loads(pickle.dumps(sums)) == sums
    assert sums.empty() == GroupSums.of([], []) == GroupSums()


def test_whole_targets_have_short_sums():
    """The exponent is the largest at which all sums are whole."""
    sums = GroupSums.of(["a", "a", "b"], [1, 1, 4])

    assert (sums.numerators, sums.exponent) == ((1, 2), 1)
    assert GroupSums.of(["a", "b"], [1, 0]).exponent == 0
    assert GroupSums.of(["a"], [0.0]).exponent == 0
    assert GroupSums.of(["a"], [5e-324]).exponent == -1074


def test_bytes_are_canonical_and_stable():
    """They are stored, and must be read by later versions."""
    assert of([("a", 0.5), (None, -20.0), (1, 0.0)]).to_bytes() == (
        b'{"exponent":-1,"format":"prodml-group-sums/1","groups":[null,1,"a"],'
        b'"n":[1,1,1],"sums":["-28","0","1"]}'
    )


GOOD = of([("a", 0.5), (None, -20.0), (1, 0.0)]).to_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"sums/1", b"sums/2"),
        (b'"exponent":-1', b'"exponent":-1.0'),
        (b'"exponent":-1', b'"exponent":"x"'),
        (b'"exponent":-1', b'"exponent":-100000000000'),
        (b'"exponent":-1', b'"exponent":100000000000'),
        (b'[null,1,"a"]', b'[1,null,"a"]'),
        (b'[null,1,"a"]', b"[null,1]"),
        (b'[null,1,"a"]', b'[null,"a",1]'),
        (b'[null,1,"a"]', b'[null,"a","a"]'),
        (b'"n":[1,1,1]', b'"n":[1,1,0]'),
        (b'"n":[1,1,1]', b'"n":[1,1,true]'),
        (b'"n":[1,1,1]', b'"n":[1,1]'),
        (b'"n":[1,1,1]', b'"m":[1,1,1]'),
        (b'"sums":["-28","0","1"]', b'"sums":["-28","0","2"]'),
        (b'"sums":["-28","0","1"]', b'"sums":["-28","-0","1"]'),
        (b'"sums":["-28","0","1"]', b'"sums":["-28","0"]'),
        (b'"sums":["-28","0","1"]', b'"sums":["-28","0","g"]'),
        (b'"sums":["-28","0","1"]', b'"sums":[-28,0,1]'),
    ],
)
def test_damaged_bytes_are_refused(old, new):
    """Also where they would still mean something: there is one way to write sums."""
    assert old in GOOD

    with pytest.raises(FormatError, match="prodml-group-sums/1"):
        GroupSums.from_bytes(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"counts": (1,)}, "one count and one sum for each group"),
        ({"keys": (key_of("a"),), "counts": (1.0,), "numerators": (1,)}, "whole numbers"),
        ({"keys": (key_of("a"),), "counts": (1,), "numerators": (1.0,)}, "whole numbers"),
        ({"keys": (key_of("a"),), "counts": (0,), "numerators": (1,)}, "`counts` must be > 0"),
        ({"exponent": 5000}, "`exponent`"),
        ({"exponent": -1075}, "`exponent`"),
    ],
)
def test_contradictions_are_refused(fields, message):
    """What no rows have as their sums is a mistake of whoever made it."""
    with pytest.raises(SummaryError, match=message):
        GroupSums(**fields)


def test_results_are_shown():
    """In one line, in a notebook, as a frame and as JSON values; text from data is escaped."""
    sums = GroupSums.of(["<b>", None, "<b>"], [1.0, 2.0, 2.0])

    assert repr(sums) == "GroupSums(n_rows=3, n_groups=2, mean_of_all=1.6666666666666667)"
    assert "&lt;b&gt;" in sums._repr_html_()
    assert sums.to_dict()["sum"] == [2.0, 3.0]
    expected = pd.DataFrame(
        {
            "group": pd.Series([None, "<b>"], dtype=object),
            "n": [1, 2],
            "sum": [2.0, 3.0],
            "mean": [2.0, 1.5],
        }
    )
    pd.testing.assert_frame_equal(sums.to_frame(), expected)
    assert GroupSums().to_frame().shape == (0, 4)
