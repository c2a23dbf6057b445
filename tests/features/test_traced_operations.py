"""Traced lines give the bits of numpy, for every operation that has lines, or there are none."""

from __future__ import annotations

import itertools
import operator
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.features._program import Untraceable, literal, wrapped
from prodml.features._traced_operations import _OPERATIONS
from tests.features.traced_lines import (
    BOOLEANS,
    DTYPES,
    FLOATS,
    GRID,
    INTEGERS,
    TEXTS,
    assert_same,
    bits,
    column,
    is_traced,
    over_columns,
    traced,
)

KINDS = "fib"
CONSTANTS = {
    "f": [0.0, -0.0, 1.0, -2.5, 0.1, float("nan"), float("inf"), -float("inf"), 5e-324, 2.0**53],
    "i": [0, 1, -1, 3, 70_000, 2**53 + 1, 2**63 - 1, -(2**63)],
    "b": [True, False],
}


def rows_of(kinds, *, seed=0, at_least=300):
    """Return every combination of odd values, in an order in which lanes and left-overs mix."""
    rows = list(itertools.product(*[GRID[kind] for kind in kinds]))
    random.Random(seed).shuffle(rows)
    while len(rows) < at_least:
        rows = [*rows, *rows]
    return rows


def ufuncs(nin):
    """Return the elementwise ufuncs of numpy with one result, by their own names."""
    found = {
        one.__name__: one
        for name in dir(np)
        if isinstance(one := getattr(np, name), np.ufunc)
        if one.nin == nin and one.nout == 1 and one.signature is None
    }
    return [found[name] for name in sorted(found)]


#: Ufuncs that must have lines for floats: without them the kernel would be right and slow.
TRACED_UNARY = {
    *("absolute", "negative", "positive", "square", "sqrt", "cbrt", "reciprocal", "sign"),
    *("log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "fabs", "degrees", "radians"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
    *("floor", "ceil", "rint", "trunc", "isnan", "isfinite", "isinf", "logical_not"),
}
TRACED_BINARY = {
    *("add", "subtract", "multiply", "divide", "maximum", "minimum", "arctan2", "hypot"),
    *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    *("logical_and", "logical_or", "copysign", "logaddexp", "fmod"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ufunc", ufuncs(1), ids=lambda one: one.__name__)
def test_unary_ufuncs(ufunc, kind):
    """A ufunc of one column gives the same bits traced, alone and in a batch."""
    was = assert_same(ufunc, kind, rows_of(kind))

    if kind == "f" and ufunc.__name__ in TRACED_UNARY:
        assert was


@pytest.mark.parametrize("ufunc", ufuncs(2), ids=lambda one: one.__name__)
def test_binary_ufuncs_of_two_columns(ufunc):
    """A ufunc of two columns gives the same bits traced and in a batch, whatever their kinds."""
    for kinds in itertools.product(KINDS, repeat=2):
        was = assert_same(ufunc, kinds, rows_of(kinds), singles=False)
        if kinds == ("f", "f") and ufunc.__name__ in TRACED_BINARY:
            assert was


@pytest.mark.parametrize("ufunc", ufuncs(2), ids=lambda one: one.__name__)
def test_binary_ufuncs_beside_a_constant(ufunc):
    """A constant on either side, of any type, is read as numpy reads it."""
    for kind, constant_kind in itertools.product(KINDS, repeat=2):
        for value in CONSTANTS[constant_kind]:
            for function in (lambda x: ufunc(x, value), lambda x: ufunc(value, x)):  # noqa: B023
                assert_same(function, kind, [(one,) for one in GRID[kind]], singles=False)


def length_one_agrees(function, kinds, rows):
    """Check that columns of length one give the bits of whole ones."""
    columns = [column([row[at] for row in rows], kind) for at, kind in enumerate(kinds)]
    whole = over_columns(function, columns).tolist()
    for at in range(len(rows)):
        alone = over_columns(function, [one[at : at + 1].copy() for one in columns]).item()
        assert bits(alone) == bits(whole[at]), rows[at]


@pytest.mark.parametrize("name", sorted(TRACED_BINARY | {"power", "float_power"}))
def test_columns_of_length_one_are_safe(name):
    """What cannot be traced is called with columns of length one, which give the same bits."""
    rows = rows_of("ff")[::3]

    length_one_agrees(getattr(np, name), "ff", rows)


OPERATORS = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv),
    *(operator.mod, operator.eq, operator.ne, operator.lt, operator.le, operator.gt),
    *(operator.ge, operator.and_, operator.or_, operator.xor, operator.pow),
]


@pytest.mark.parametrize("operate", OPERATORS, ids=lambda one: one.__name__)
def test_operators(operate):
    """Operators are what they are between columns, and beside constants on either side."""
    for kinds in itertools.product(KINDS, repeat=2):
        assert_same(operate, kinds, rows_of(kinds), singles=False)
    for kind, constant_kind in itertools.product(KINDS, repeat=2):
        for value in [*CONSTANTS[constant_kind], *map(DTYPES[constant_kind], [0, 1, 3])]:
            for function in (lambda x: operate(x, value), lambda x: operate(value, x)):  # noqa: B023
                assert_same(function, kind, [(one,) for one in GRID[kind]], singles=False)


@pytest.mark.parametrize("operate", [operator.neg, abs, operator.invert, operator.pos])
def test_unary_operators(operate):
    """As for operators of two columns."""
    for kind in KINDS:
        assert_same(operate, kind, rows_of(kind))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 86_400_000_000, 0.5, 2.5, 0.1, 5e-324, 1e300])
@pytest.mark.parametrize("operate", [operator.floordiv, operator.mod, np.floor_divide, np.mod])
def test_whole_division_by_a_positive_constant_is_traced(operate, step):
    """Days, weeks and buckets by // and % have lines, with the sign and zero of numpy."""
    for kind in "fi":
        assert assert_same(lambda x: operate(x, step), kind, [(one,) for one in GRID[kind]])


@pytest.mark.parametrize("step", [0, -1, 0.0, -0.5, float("inf"), float("nan"), True])
def test_other_whole_division_is_not(step):
    """By zero, a negative, an infinity: there numpy and Python part."""
    assert not is_traced(lambda x: x // step, "f")
    assert not is_traced(lambda x: x % step, "i")


FUNCTIONS = {
    "sign_of_integers": ("i", np.sign),
    "sign_of_booleans_as_integers": ("b", lambda x: np.sign(x * 3 - 1)),
    "where": ("bff", np.where),
    "where_floats_decide": ("fff", np.where),
    "where_integers_decide": ("iii", np.where),
    "where_mixed": ("bif", np.where),
    "where_booleans_and_integers": ("bbi", np.where),
    "where_booleans": ("bbb", np.where),
    "where_constant": ("bf", lambda c, x: np.where(c, x, 0)),
    "where_integer_constant": ("bi", lambda c, x: np.where(c, x, -1)),
    "where_boolean_and_constant": ("bb", lambda c, x: np.where(c, x, 3)),
    "where_constants": ("f", lambda x: np.where(x > 0, 1.0, -0.0)),
    "where_of_constants_mixed": ("f", lambda x: np.where(x > 0, 1, 0.5)),
    "where_nan": ("f", lambda x: np.where(np.isnan(x), 0.0, x)),
    "where_missing_text": ("s", lambda s: np.where(s == None, 0.0, 1.0)),  # noqa: E711
    "select": ("ff", lambda x, y: np.select([x > 0, y > x, np.isnan(x)], [x, 1.5, y], default=-1)),
    "select_integers": ("ii", lambda x, y: np.select([x > 0, y > x], [x, y])),
    "select_booleans": ("bb", lambda x, y: np.select([x, y], [y, x], default=False)),
    "select_one_condition_twice": ("f", lambda x: np.select([x > 0, x > 0], [x, -x], -0.0)),
    "digitize": ("f", lambda x: np.digitize(x, [-1.0, 0.0, 0.1, 2.5])),
    "digitize_right": ("f", lambda x: np.digitize(x, [-1.0, 0.0, 0.1, 2.5], right=True)),
    "digitize_integers": ("i", lambda x: np.digitize(x, [0, 2**31, 2**53 - 1])),
    "searchsorted": ("f", lambda x: np.searchsorted([0.0, 0.1, 0.1, 2.5], x)),
    "searchsorted_right": ("f", lambda x: np.searchsorted((0, 1, 3), x, side="right")),
    "searchsorted_integers": ("i", lambda x: np.searchsorted([-3, 0, 2**53 - 1], x)),
    "searchsorted_booleans": ("b", lambda x: np.searchsorted([0.5], x)),
    "searchsorted_no_edges": ("f", lambda x: np.searchsorted([], x)),
    "astype_float": ("i", lambda x: x.astype(float)),
    "astype_float_of_booleans": ("b", lambda x: x.astype("float64")),
    "astype_int": ("f", lambda x: x.astype(np.int64)),
    "astype_int_of_booleans": ("b", lambda x: x.astype(int)),
    "astype_bool": ("f", lambda x: x.astype(bool)),
    "astype_bool_of_integers": ("i", lambda x: x.astype(bool)),
    "round": ("f", np.round),
    "around": ("f", np.around),
    "round_method": ("f", lambda x: x.round()),
    "copy": ("f", lambda x: x.copy() + x),
    "isin": ("s", lambda s: np.isin(s, ["a", "ß", "None"])),
    "isin_tuple": ("s", lambda s: np.isin(s, ("", "nan"))),
    "isin_array": ("s", lambda s: np.isin(s, np.array(["a", "b"]))),
    "isin_nothing": ("s", lambda s: np.isin(s, [])),
    "text_equal": ("s", lambda s: s == "a"),
    "text_not_equal": ("s", lambda s: "a" != s),  # noqa: SIM300 - the constant on the left
    "text_missing": ("s", lambda s: s == None),  # noqa: E711
    "text_there": ("s", lambda s: s != None),  # noqa: E711
    "text_both": ("ss", lambda s, t: (s == t) | (t != "b")),
    "number_is_none": ("f", lambda x: x == None),  # noqa: E711
    "number_is_not_none": ("i", lambda x: x != None),  # noqa: E711
    "sum_of_tests": ("fff", lambda x, y, z: sum([x > 0, y > 0, z > 0])),
    "or_of_tests": ("ff", lambda x, y: (x > 0) + (y > 0)),
    "and_of_tests": ("ff", lambda x, y: (x > 0) * (y > 0)),
    "square_operator": ("f", lambda x: x**2),
    "square_operator_float": ("f", lambda x: x**2.0),
    "square_of_integers": ("i", lambda x: x**2),
    "root_operator": ("f", lambda x: x**0.5),
    "text_chosen": ("bs", lambda c, s: np.where(c, s, "other")),
    "text_chosen_missing": ("bs", lambda c, s: np.where(c, None, s)),
    "clip": ("f", lambda x: np.clip(x, -1.0, 2.5)),
    "clip_zero": ("f", lambda x: np.clip(x, 0.0, 1.0)),
    "clip_minus_zero": ("f", lambda x: np.clip(x, -0.0, 1.0)),
    "clip_low": ("f", lambda x: np.clip(x, 0.5, None)),
    "clip_high": ("f", lambda x: np.clip(x, None, 0.5)),
    "clip_method": ("f", lambda x: x.clip(0, 2)),
    "clip_method_names": ("f", lambda x: x.clip(min=0.0, max=2.0)),
    "clip_crossed": ("f", lambda x: np.clip(x, 2.0, -2.0)),
    "clip_nan": ("f", lambda x: np.clip(x, float("nan"), 1.0)),
    "clip_integers": ("i", lambda x: np.clip(x, -3, 70_000)),
    "clip_integers_to_floats": ("i", lambda x: np.clip(x, -0.5, 2.5)),
    "clip_booleans": ("b", lambda x: np.clip(x, 0, 3)),
    "clip_far_beyond": ("f", lambda x: np.clip(np.digitize(x, [0.0]), 2**40, 2**41) * 2**40),
    "wrap_of_a_sum": ("f", lambda x: np.where(x > 0, 2**62, 1) + np.where(x > 1, 2**62, 2)),
    "wrap_of_a_product": ("i", lambda x: (x % 2**40) * 2**40),
    "wrap_of_a_quotient": ("i", lambda x: (x // 2 + 2**62) * 3 - 1),
    "wrap_of_the_negative": ("i", lambda x: -x - abs(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    """Each of these has lines, and they give the bits of numpy."""
    kinds, function = FUNCTIONS[name]
    rows = rows_of(kinds)
    rows = rows if len(rows) <= 4000 else random.Random(1).sample(rows, 4000)

    assert assert_same(function, kinds, rows, singles=len(rows) < 2500)


def test_every_operation_is_tested():
    """A new operation needs a row in these tables."""
    by_ufunc = {one.__name__ for nin in (1, 2) for one in ufuncs(nin)}
    aliases = {name for name in _OPERATIONS if isinstance(getattr(np, name, None), np.ufunc)}
    by_function = {name.partition("_")[0] for name in FUNCTIONS}

    rest = set(_OPERATIONS) - by_ufunc - aliases - by_function
    assert rest - {"bitwise_invert"} == {"power_operator"}  # older numpy calls it invert alone


def test_maximum_of_zeros_is_that_of_every_lane():
    """Which zero is larger depends on the order of arguments alone, in every place of a batch."""
    zeros = np.tile([0.0, -0.0], 70)

    for size in (1, 2, 3, 7, 8, 9, 16, 33, 140):
        for function in (
            *(lambda x: np.maximum(x, 0.0), lambda x: np.maximum(0.0, x)),
            *(lambda x: np.minimum(x, -0.0), lambda x: np.minimum(-0.0, x)),
            *(lambda x: np.maximum(x, -0.0), lambda x: np.clip(x, 0.0, 1.0)),
            *(lambda x: np.clip(x, -1.0, -0.0), lambda x: np.clip(x, -0.0, 0.0)),
        ):
            assert assert_same(function, "f", [(one,) for one in zeros[:size].tolist()])


@pytest.mark.parametrize("seed", range(4))
def test_a_million_bits(seed):
    """Sums, quotients and transcendental functions of random bit patterns are the same."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 2**64, size=(2, 2000), dtype=np.uint64).view(np.float64)
    rows = list(zip(*patterns.tolist(), strict=True))

    for function in (
        lambda x, y: (x + y) * 0.1 - x / y,
        lambda x, y: np.log1p(np.maximum(x, y)) // 0.25,
        lambda x, y: np.exp(np.clip(x, -50, 50)) % 0.7 + np.tanh(y),
        lambda x, y: np.where(np.abs(x) > np.abs(y), np.sqrt(x), np.cbrt(y)) ** 2,
    ):
        assert assert_same(function, "ff", rows, singles=False)


# --------------------------------------------------------------------------- no lines


def _swallowing(x):
    try:
        return x * float(sum(x))
    except Exception:  # noqa: BLE001 - as careless code does
        return x * 0.0


def _in_place(x):
    y = x * 2
    z = y
    y += 1
    return y + z


def _in_place_of_a_copy(x):
    y = x.copy()
    y -= 1.0
    return y + x


NO_LINES = {
    "if": ("f", lambda x: x if x > 0 else -x),
    "and": ("f", lambda x: (x > 0) and (x < 1)),
    "iteration": ("f", lambda x: np.array([one + 1 for one in x])),
    "builtin_max": ("f", lambda x: max(x, 0.0)),
    "builtin_sum": ("f", lambda x: x - sum(x)),
    "len": ("f", lambda x: x / len(x)),
    "size": ("f", lambda x: x / x.size),
    "shape": ("f", lambda x: x / x.shape[0]),
    "index": ("f", lambda x: x - x[0]),
    "mask": ("f", lambda x: x[x > 0]),
    "mean": ("f", lambda x: x - x.mean()),
    "np_mean": ("f", lambda x: x - np.mean(x)),
    "np_max": ("f", lambda x: x / np.max(x)),
    "cumsum": ("f", np.cumsum),
    "argsort": ("f", np.argsort),
    "any": ("f", lambda x: np.any(x > 0) * x),
    "reduce": ("f", lambda x: x - np.add.reduce(x)),
    "accumulate": ("f", np.maximum.accumulate),
    "outer": ("f", lambda x: np.add.outer(x, [1.0])),
    "out": ("f", lambda x: np.add(x, 1.0, out=np.empty(1))),
    "ufunc_where": ("f", lambda x: np.log(x, where=x > 0)),
    "pd_isna": ("f", pd.isna),
    "pd_series": ("f", lambda x: pd.Series(x).fillna(0.0)),
    "to_list": ("f", lambda x: x.tolist()),
    "np_asarray": ("f", np.asarray),
    "dict_lookup": ("s", lambda s: {"a": 1.0}[s]),
    "dict_get": ("s", lambda s: {"a": 1.0}.get(s, 0.0)),
    "in_list": ("s", lambda s: s in ["a", "b"]),
    "cube": ("f", lambda x: x**3),
    "inverse": ("f", lambda x: x**-1),
    "power_of_columns": ("ff", operator.pow),
    "np_power_of_columns": ("ff", np.power),
    "power_of_two": ("f", lambda x: 2**x),
    "float_square_of_integers": ("i", lambda x: x**2.0),
    "root_of_integers": ("i", lambda x: x**0.5),
    "numpy_exponent": ("f", lambda x: x ** np.float64(2)),
    "round_decimals": ("f", lambda x: np.round(x, 2)),
    "round_decimals_method": ("f", lambda x: x.round(1)),
    "builtin_round": ("f", round),
    "builtin_float": ("f", float),
    "float32": ("f", lambda x: x.astype(np.float32)),
    "int32": ("i", lambda x: x.astype(np.int32) * 70_000),
    "float32_constant": ("f", lambda x: x * np.float32(0.1)),
    "int32_constant": ("i", lambda x: x * np.int32(3)),
    "array_constant": ("f", lambda x: x + np.array([1.0])),
    "list_constant": ("f", lambda x: x * [1.0]),
    "complex_constant": ("f", lambda x: x * 1j),
    "huge_constant": ("i", lambda x: x + 2**63),
    "nul_constant": ("s", lambda s: s == "a\0"),
    "text_in_order": ("s", lambda s: s < "b"),
    "text_joined": ("s", lambda s: s + "!"),
    "text_and_number": ("s", lambda s: s == 1),
    "text_truth": ("s", lambda s: np.where(s, 1.0, 0.0)),
    "isin_set": ("s", lambda s: np.isin(s, {"a"})),
    "isin_numbers": ("f", lambda x: np.isin(x, [1.0])),
    "isin_inverted": ("s", lambda s: np.isin(s, ["a"], invert=True)),
    "isin_missing": ("s", lambda s: np.isin(s, ["a", None])),
    "falling_edges": ("f", lambda x: np.digitize(x, [2.0, 1.0])),
    "falling_unsigned_edges": ("f", lambda x: np.digitize(x, np.array([2, 1], dtype=np.uint8))),
    "unsorted_edges": ("f", lambda x: np.searchsorted([0.0, 2.0, 1.0], x)),
    "edges_of_nan": ("f", lambda x: np.searchsorted([0.0, np.nan], x)),
    "edges_beyond_exact": ("i", lambda x: np.searchsorted([2**53], x)),
    "search_in_a_column": ("f", lambda x: np.searchsorted(x, 0.5)),
    "search_with_a_sorter": ("f", lambda x: np.searchsorted([1.0, 0.0], x, sorter=[1, 0])),
    "where_alone": ("f", lambda x: np.where(x > 0)),
    "where_of_constant_texts": ("f", lambda x: np.where(x > 0, "a", "b")),
    "where_of_text_and_number": ("bs", lambda c, s: np.where(c, s, 1.0)),
    "clip_to_a_column": ("ff", lambda x, y: np.clip(x, y, 1.0)),
    "full_like": ("f", lambda x: np.full_like(x, 3.0)),
    "constant": ("f", lambda x: 3.0 if x is not None else x),
    "none": ("f", lambda x: None if x is not None else x),
    "nan_to_num": ("f", np.nan_to_num),
    "logical_xor": ("ff", np.logical_xor),
    "fmax": ("ff", np.fmax),
    "float16_of_booleans": ("b", np.exp),
    "float16_of_a_test": ("f", lambda x: np.log1p(x > 1e6) * 1.0),
    "float16_root": ("b", np.sqrt),
    "reciprocal_of_integers": ("i", np.reciprocal),
    "integer_power": ("i", lambda x: np.power(x, 2) * 0.5),
    "integer_fmod": ("i", lambda x: np.fmod(x, 3)),
    "swallowed": ("f", _swallowing),
    "in_place": ("f", _in_place),
    "in_place_of_a_copy": ("f", _in_place_of_a_copy),
    "emath": ("f", np.emath.sqrt),
    "vectorize": ("f", np.vectorize(abs)),
    "frompyfunc": ("f", np.frompyfunc(abs, 1, 1)),
}


@pytest.mark.parametrize("name", NO_LINES)
def test_what_looks_at_values_has_no_lines(name):
    """What numpy decides by values, by other rows or otherwise than Python is never traced."""
    kinds, function = NO_LINES[name]

    assert not is_traced(function, kinds)


def test_functions_of_other_libraries_have_no_lines():
    """A ufunc of scipy that is called as one of numpy is another function."""
    special = pytest.importorskip("scipy.special")

    for name in ("log1p", "expm1", "cbrt", "exp2", "expit"):
        assert not is_traced(getattr(special, name), "f")


def test_a_signal_that_is_caught_is_no_answer():
    """A feature that catches every Exception does not turn into its own rescue."""
    with pytest.raises(Untraceable, match="iteration over rows"):
        traced(_swallowing, "f")


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        *((1, "1", "i"), (-1, "(-1)", "i"), (True, "True", "b"), (None, "None", "s")),
        *((1.5, "1.5", "f"), (-0.0, "(-0.0)", "f"), (float("nan"), "nan", "f")),
        *((float("inf"), "inf", "f"), (-float("inf"), "(-inf)", "f"), ("a'\n", '"a\'\\n"', "s")),
        *((np.float64(0.1), "0.1", "f"), (np.int64(-3), "(-3)", "i"), (np.True_, "True", "b")),
        *(
            (np.array(2.5), "2.5", "f"),
            (-(2**63), f"({-(2**63)})", "i"),
            (np.str_("x"), "'x'", "s"),
        ),
    ],
)
def test_literals(value, text, kind):
    """A constant is written so that Python reads the same value, whatever stands beside it."""
    assert literal(value) == (text, kind)


@pytest.mark.parametrize(
    "value",
    [
        *(2**63, -(2**63) - 1, np.float32(1), np.int8(1), np.uint64(1), 1j, [1], np.array([1])),
        *("a\0", np.longdouble(1), b"a", {}, np.datetime64("2020-01-01"), float),
    ],
    ids=repr,
)
def test_other_constants_are_refused(value):
    """What would change the type of a result, or has no literal, is not written down."""
    with pytest.raises(Untraceable):
        literal(value)


@given(st.integers(-(2**130), 2**130))
def test_wrapping(value):
    """Integers wrap as 64 bits do."""
    assert wrapped(value) == int(np.array(value % 2**64, dtype=np.uint64).view(np.int64))


# ------------------------------------------------------------------- random expressions

_LEAVES = {
    "f": st.sampled_from(["x", "y", "0.5", "-2.0", "0.0", "1e300", "np.float64(3.5)"]),
    "i": st.sampled_from(["i", "j", "2", "-3", "70000", "2**62", "np.int64(5)"]),
    "b": st.sampled_from(["b", "(x > y)", "(i < j)", "(x == 0)", "np.isnan(y)", "(i % 2 == 0)"]),
}


def _number(inner):
    mixed = st.one_of(inner["f"], inner["i"])
    return st.one_of(
        st.builds("({} {} {})".format, inner["f"], st.sampled_from("+-*/"), mixed),
        st.builds("({} / {})".format, mixed, mixed),
        st.builds("({} {} {})".format, inner["f"], st.sampled_from(["//", "%"]), st.just("0.75")),
        st.builds("np.{}({})".format, st.sampled_from(sorted(TRACED_UNARY & _REAL)), inner["f"]),
        st.builds("np.{}({}, {})".format, st.sampled_from(_PAIRS), inner["f"], mixed),
        st.builds("np.where({}, {}, {})".format, inner["b"], inner["f"], mixed),
        st.builds("np.clip({}, -1.5, {})".format, inner["f"], st.sampled_from(["3", "1e9"])),
        st.builds("np.select([{}, {}], [{}, {}], 0.25)".format, *(inner[one] for one in "bbff")),
        st.builds("({} ** {})".format, inner["f"], st.sampled_from(["2", "0.5", "3", "-1"])),
        st.builds("(-{})".format, inner["f"]),
    )


_REAL = TRACED_UNARY - {"isnan", "isfinite", "isinf", "logical_not"}
_PAIRS = ["maximum", "minimum", "arctan2", "hypot", "copysign", "add", "subtract", "multiply"]


def _whole(inner):
    either = st.one_of(inner["i"], inner["b"])
    return st.one_of(
        st.builds("({} {} {})".format, inner["i"], st.sampled_from("+-*"), either),
        st.builds("({} {} {})".format, inner["i"], st.sampled_from(["//", "%"]), st.just("7")),
        st.builds("({} {} {})".format, inner["i"], st.sampled_from("&|^"), inner["i"]),
        st.builds("np.searchsorted([-1.0, 0.0, 2.5], {})".format, inner["f"]),
        st.builds("np.digitize({}, [0, 5, 2**40])".format, inner["i"]),
        st.builds("np.where({}, {}, {})".format, inner["b"], inner["i"], either),
        st.builds("np.{}({}, {})".format, st.sampled_from(_PAIRS[:2]), inner["i"], either),
        st.builds("np.clip({}, -5, 2**50)".format, inner["i"]),
        st.builds("abs({})".format, inner["i"]),
        st.builds("(-{})".format, inner["i"]),
        st.builds("(~{})".format, inner["i"]),
        st.builds("({} ** 2)".format, inner["i"]),
    )


def _test(inner):
    mixed = st.one_of(inner["f"], inner["i"], inner["b"])
    return st.one_of(
        st.builds("({} {} {})".format, mixed, st.sampled_from(["<", "<=", "==", "!=", ">"]), mixed),
        st.builds("({} {} {})".format, inner["b"], st.sampled_from("&|^+*"), inner["b"]),
        st.builds("(~{})".format, inner["b"]),
        st.builds("np.logical_{}({}, {})".format, st.sampled_from(["and", "or"]), mixed, mixed),
        st.builds("np.logical_not({})".format, mixed),
        st.builds("np.{}({})".format, st.sampled_from(["isfinite", "isinf"]), inner["f"]),
    )


def _expressions(depth):
    inner = _LEAVES
    for _ in range(depth):
        inner = {
            "f": st.one_of(_LEAVES["f"], _number(inner)),
            "i": st.one_of(_LEAVES["i"], _whole(inner)),
            "b": st.one_of(_LEAVES["b"], _test(inner)),
        }
    return st.one_of(_number(inner), _whole(inner), _test(inner))


def _random_rows(seed, n_rows):
    """Return rows of x, y, i, j and b: odd values, and ordinary ones beside them."""
    rng = random.Random(seed)

    def number():
        return rng.choice([rng.choice(FLOATS), rng.gauss(0, 3), float(rng.randrange(-3, 4))])

    def whole():
        return rng.choice([rng.choice(INTEGERS), rng.randrange(-9, 10)])

    return [(number(), number(), whole(), whole(), rng.choice(BOOLEANS)) for _ in range(n_rows)]


@given(st.integers(0, 3).flatmap(_expressions), st.integers(0, 2**32))
def test_random_expressions(expression, seed):
    """Any tree of operations is the same on 1,000 rows, bit by bit, or has no lines."""
    function = eval(f"lambda x, y, i, j, b: {expression}", {"np": np})  # noqa: S307 - made above

    assert_same(function, "ffiib", _random_rows(seed, 1000), singles=False)


def test_most_random_expressions_have_lines():
    """The test of random expressions compares lines, and not only their absence."""
    expressions = [
        "np.log1p(np.maximum(x, i)) * (x > y)",
        "(i * 70000 + j) // 7 % 7",
        "~b & (x < i)",
    ]

    for expression in expressions:
        function = eval(f"lambda x, y, i, j, b: {expression}", {"np": np})  # noqa: S307
        assert assert_same(function, "ffiib", _random_rows(0, 1000), singles=False)


def test_texts_of_the_grid_include_missing():
    """The grid would prove little without a missing text, and one that looks missing."""
    assert None in TEXTS
    assert "None" in TEXTS
