"""What summaries take: the same numbers and categories in every form, and nothing else."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import SummaryError, SummaryTypeError
from prodml.sketches import CategoryCounts, GroupSums, Moments, ValueGrid, code_categories
from tests.core.column_forms import FORMS

EXACT = st.integers(-(2**53), 2**53)
NUMBERS = {
    "bool": st.booleans(),
    "float": st.floats(allow_nan=False),
    "int": EXACT,
    "narrow": st.integers(-128, 127),
    "unsigned": st.integers(0, 2**53),
}
CATEGORIES = {
    "bool": st.booleans(),
    "float": st.floats(allow_nan=False),
    "int": st.integers(-(2**63), 2**63 - 1),
    "narrow": st.integers(-128, 127),
    "text": st.one_of(st.text(max_size=4), st.sampled_from(["", "a", "a\0", "NaN", "None"])),
    "unsigned": st.integers(0, 2**64 - 1),
    "huge": st.integers(-(2**70), 2**70),
}


def forms(families):
    """Return the forms of some families, as parameters."""
    return [
        pytest.param(family, build, id=f"{family}-{name}")
        for family in families
        for name, build in FORMS[family]
    ]


def cells_of(values):
    """Return a strategy of lists with missing values."""
    return st.lists(st.one_of(st.none(), values), max_size=8)


@pytest.mark.parametrize(("family", "build"), forms(NUMBERS))
@given(data=st.data())
def test_numbers_are_the_same_in_every_form(family, build, data):
    """Whatever dtype, container and kind of missing value holds them."""
    cells = data.draw(cells_of(NUMBERS[family]))
    column = build(cells)
    if column is None:
        return
    floats = np.array([math.nan if cell is None else float(cell) for cell in cells])

    assert Moments.of(column) == Moments.of(floats)
    assert ValueGrid.of(column) == ValueGrid.of(floats)


@pytest.mark.parametrize(("family", "build"), forms(CATEGORIES))
@given(data=st.data())
def test_categories_are_the_same_in_every_form(family, build, data):
    """Whatever dtype, container and kind of missing value holds them."""
    cells = data.draw(cells_of(CATEGORIES[family]))
    column = build(cells)
    if column is None:
        return
    target = range(len(cells))

    assert CategoryCounts.of(column) == CategoryCounts.of(cells)
    assert GroupSums.of(column, target) == GroupSums.of(cells, target)
    codes, categories = code_categories(column)
    assert [None if code < 0 else categories[code] for code in codes.tolist()] == cells
    assert len({(type(one) is bool, one) for one in categories}) == len(categories)


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, 9.0, 2.5, 9.0])[::2],
        np.array([2.5, 1.5])[::-1],
        np.array([1.5, 2.5], dtype=np.float32),
        np.array([1.5, 2.5], dtype=np.float16),
        np.array([1.5, 2.5], dtype=">f8"),
        np.array([1.5, 2.5], dtype=object),
        pd.Series([1.5, 2.5], index=[7, 7]),
        pd.Index([1.5, 2.5]),
        pd.Series([1.5, 2.5], dtype="category"),
        (1.5, 2.5),
        iter([1.5, 2.5]),
        [np.float64(1.5), np.float32(2.5)],
    ],
)
def test_layout_and_container_make_no_difference(values):
    """Views are read as what they show."""
    assert Moments.of(values) == Moments.of([1.5, 2.5])


def test_a_masked_array_is_missing_where_it_is_masked():
    """And not what lies below the mask."""
    values = np.ma.array([1.5, 99.0], mask=[False, True])

    assert Moments.of(values) == Moments.of([1.5, None])
    assert CategoryCounts.of(values) == CategoryCounts.of([1.5, None])


@pytest.mark.parametrize("summarise", [Moments.of, ValueGrid.of])
@pytest.mark.parametrize(
    ("values", "position", "value"),
    [
        (["1"], 0, "1"),
        ([1.0, None, "x"], 2, "x"),
        ([1.0, Decimal(1)], 1, Decimal(1)),
        ([1.0, 1j], 1, 1j),
        ([[1.0], [2.0]], 0, [1.0]),
        (pd.Series(["a"], dtype="string[python]"), 0, "a"),
        (pd.Series(["a"], dtype="category"), 0, "a"),
        (np.array(["a"]), None, "<U1"),
        (np.array([1j]), None, "complex128"),
        (np.array([1], dtype="M8[s]"), None, "datetime64[s]"),
        (np.array([1], dtype=np.longdouble), None, str(np.dtype(np.longdouble))),
        ("12", None, "12"),
        (b"12", None, b"12"),
        (12, None, 12),
        (None, None, None),
        ({1: 2}, None, {1: 2}),
    ],
)
def test_what_is_no_number_is_refused(summarise, values, position, value):
    """Text that looks like a number included: whoever wrote it knows whether it is one."""
    with pytest.raises(SummaryTypeError, match="`values` must be") as caught:
        summarise(values)
    assert (caught.value.argument, caught.value.position) == ("values", position)
    assert caught.value.value == value


@pytest.mark.parametrize("summarise", [Moments.of, ValueGrid.of, CategoryCounts.of])
@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (np.zeros((2, 3)), (2, 3)),
        (np.float64(1), ()),
        (pd.DataFrame({"a": [1.0]}), (1, 1)),
        (np.ma.zeros((2, 2)), (2, 2)),
    ],
)
def test_only_columns_are_summarised(summarise, values, shape):
    """A table has several."""
    with pytest.raises(SummaryError, match="must have one dimension") as caught:
        summarise(values)
    assert caught.value.value == shape


@pytest.mark.parametrize(
    ("values", "position", "value"),
    [
        ([1, 2**53 + 1], 1, 2**53 + 1),
        ([10**400], 0, 10**400),
        (np.array([0, -(2**53) - 1]), 1, -(2**53) - 1),
        (np.array([2**63 - 1]), 0, 2**63 - 1),
        (np.array([2**64 - 1], dtype=np.uint64), 0, 2**64 - 1),
        (pd.array([None, 2**53 + 1], dtype="Int64"), 1, 2**53 + 1),
    ],
)
def test_an_integer_that_float64_does_not_hold_is_refused(values, position, value):
    """It would be rounded without a word."""
    with pytest.raises(SummaryError, match="does not hold exactly") as caught:
        Moments.of(values)
    assert (caught.value.argument, caught.value.position) == ("values", position)
    assert caught.value.value == value


@pytest.mark.parametrize("values", [[2**60, -(2**63)], np.array([2**60, -(2**63)])])
def test_a_large_integer_that_float64_holds_is_taken(values):
    """What counts is the value, not its size."""
    assert Moments.of(values).minimum == -(2.0**63)


class Colour(StrEnum):
    RED = "red"


class Old(str, Enum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        ([1, 1.0, np.int64(1), np.float32(1), Number.ONE], [1]),
        ([0.0, -0.0, 0], [0]),
        ([True, np.True_], [True]),
        (["red", Colour.RED, Old.RED, np.str_("red")], ["red"]),
        ([math.inf, -math.inf, 1e300], [-math.inf, int(1e300), math.inf]),
        ([1, True, "1", "True", 1.5], [True, 1, 1.5, "1", "True"]),
        ([None, math.nan, pd.NA, pd.NaT, np.float64("nan"), Decimal("nan")], []),
    ],
)
def test_what_is_one_category(values, categories):
    """Numbers by value, text by its characters, booleans apart."""
    counts = CategoryCounts.of(values)

    assert counts.categories == tuple(categories)
    assert list(map(type, counts.categories)) == list(map(type, categories))
    assert sum(counts.counts) + counts.n_missing == len(values)
    assert CategoryCounts.of(np.array(values, dtype=object)) == counts


@pytest.mark.parametrize("value", ["red", Colour.RED, Old.RED, np.str_("red")])
def test_text_is_asked_for_in_any_form(value):
    """As it is counted."""
    assert CategoryCounts.of(["red"]).count(value) == 1
    assert CategoryCounts.from_codes([0], [value]) == CategoryCounts.of(["red"])


@pytest.mark.parametrize("value", [1, 1.0, np.int8(1), np.float32(1), Number.ONE])
def test_numbers_are_asked_for_in_any_form(value):
    """As they are counted."""
    assert GroupSums.of([1, True], [5.0, 2.0]).sum(value) == 5.0


@pytest.mark.parametrize(
    ("values", "position"),
    [
        ([b"a"], 0),
        (["a", None, ("a",)], 2),
        (["a", ["a"]], 1),
        ([{"a": 1}], 0),
        ([Decimal("1.5")], 0),
        ([1, 2**1024], 1),
        ([1j], 0),
        (np.array(["2024-01-01"], dtype="M8[s]"), 0),
        (pd.Series([None, pd.Timestamp("2024-01-01", tz="UTC")]), 1),
        ([np.array([1, 2])], 0),
    ],
)
def test_what_is_no_category_is_refused(values, position):
    """Instead of being a category that nobody can ask for."""
    with pytest.raises(SummaryTypeError, match="must hold text, integers") as caught:
        CategoryCounts.of(values)
    assert (caught.value.argument, caught.value.position) == ("values", position)


def test_a_category_that_no_row_has_is_not_looked_at():
    """Pandas keeps the categories of a column that rows have left."""
    column = pd.Categorical.from_codes([1, -1], categories=[pd.Timestamp("2024-01-01"), "a"])

    assert CategoryCounts.of(column) == CategoryCounts.of(["a", None])


@pytest.mark.parametrize(
    ("codes", "error", "position"),
    [
        ([0, 2], SummaryError, 1),
        ([0, -2], SummaryError, 1),
        (np.array([2**63], dtype=np.uint64), SummaryError, 0),
        ([0.0], SummaryTypeError, None),
        (["a"], SummaryTypeError, None),
        ([[0]], SummaryTypeError, None),
        ([True], SummaryTypeError, None),
    ],
)
def test_codes_are_positions(codes, error, position):
    """-1 stands for a missing value; all else must be in `uniques`."""
    for make in (
        lambda: CategoryCounts.from_codes(codes, ["a", "b"]),
        lambda: GroupSums.from_codes(codes, ["a", "b"], np.zeros(len(codes))),
    ):
        with pytest.raises(error, match="`codes` must") as caught:
            make()
        assert (caught.value.argument, caught.value.position) == ("codes", position)


def test_uniques_are_categories():
    """Also those that do not occur: whoever coded them can say what they are."""
    with pytest.raises(SummaryTypeError, match="`uniques` must hold text") as caught:
        CategoryCounts.from_codes([0], ["a", b"b"])
    assert (caught.value.argument, caught.value.position) == ("uniques", 1)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint8, np.int64])
def test_uniques_may_repeat_and_be_missing(dtype):
    """As 1 and 1.0 do, which a caller has told apart."""
    codes = np.array([0, 1, 2, 3, 4, 0], dtype=dtype)
    uniques = [1, 1.0, None, "a", math.nan]

    assert CategoryCounts.from_codes(codes, uniques) == CategoryCounts.of(
        [1, 1, None, "a", None, 1]
    )
    assert GroupSums.from_codes(codes, uniques, codes) == GroupSums.of(
        [1, 1, None, "a", None, 1], [0, 1, 2, 3, 4, 0]
    )
