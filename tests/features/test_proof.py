"""The proof at fit: what depends on other rows is refused, and a wrong line is not used."""

# ruff: noqa: PLW0108 - the functions hide behind lambdas from the reader of the code

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from prodml.errors import FeatureDefinitionError, FeatureOutputError, RowDependentFeatureError
from prodml.features import Feature, FeatureSet, Field
from prodml.features import _traced_operations as operations
from prodml.features._cast_columns import cast_frame
from prodml.features._proof import differing
from prodml.features._proof_rows import choose_rows, extreme_rows, odd_rows, record_at
from tests.features.agreement import assert_agrees

FIELDS = [Field("x", "float64", nullable=True), Field("n", "int64")]


def frame_of(n_rows=40):
    """Return rows without a pattern."""
    rng = np.random.default_rng(7)
    return pd.DataFrame({"x": rng.normal(size=n_rows), "n": rng.integers(0, 50, n_rows)})


def make(function, **options):
    """Return a set of one feature beside two innocent ones."""
    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.feature(name="before")(lambda x: x + 1)
    fs.feature(**{"name": "odd"} | options)(function)
    fs.feature(name="after")(lambda odd, n: odd + n)
    return fs


# What follows hides from a reader of the code, who does not look into what is called.


def _mean(x):
    return np.nanmean(x)


def _cumsum(x):
    return np.nancumsum(x)


def _shift(x):
    return np.roll(x, 1)


def _argsort(x):
    return np.argsort(x)


def _rank(x):
    return pd.Series(x).rank().to_numpy()


def _length(x):
    return len(x)


def _first(x):
    return x[0]


def _diff(x):
    return np.diff(x, prepend=0.0)


def _codes(n):
    return pd.factorize(n)[0]


def _ffill(x):
    return pd.Series(x).ffill().fillna(0.0).to_numpy()


def _scaled(x):
    return (x - np.nanmin(x)) / (np.nanmax(x) - np.nanmin(x))


def _any(x):
    return x * 0.0 + bool(np.isnan(x).any())


def _unique_only(x):
    return x * 0.0 + len(set(x.tolist()))


def _at_infinity(x):
    return np.where(np.isposinf(x), float(len(x)), x)


DEPENDENT = {
    "mean": lambda x: x - _mean(x),
    "mean_of_a_square": lambda x: x - _mean(x * x),
    "cumsum": lambda x: _cumsum(x),
    "shift": lambda x: _shift(x),
    "argsort": lambda x: _argsort(x),
    "rank": lambda x: _rank(x),
    "length": lambda x: x / _length(x),
    "first": lambda x: x - _first(x),
    "diff": lambda x: _diff(x),
    "codes": lambda n: _codes(n),
    "fill_forward": lambda x: _ffill(x),
    "scaled": lambda x: _scaled(x),
    "any_missing": lambda x: _any(x),
    "unique": lambda x: _unique_only(x),
    "reversed": lambda x: np.flip(x),
}


@pytest.mark.parametrize("n_rows", [1, 2, 40])
@pytest.mark.parametrize("name", DEPENDENT)
def test_what_depends_on_other_rows_is_refused(name, n_rows):
    """Statistics, ranks, shifts and lengths of the batch are found, even where one row is given."""
    with pytest.raises(RowDependentFeatureError, match="'odd' depends on other rows") as caught:
        make(DEPENDENT[name]).fit(frame_of(n_rows))

    error = caught.value
    assert error.feature == "odd"
    assert type(error.batch_value) in {float, int}
    assert str(error.single_value) in str(error)
    assert np.array(error.batch_value).tobytes() != np.array(error.single_value).tobytes()


def test_the_values_and_the_row_of_the_error_are_those_of_the_frame():
    """Who looks up the row sees the value of the batch, and recomputes that of the row alone."""
    frame = pd.DataFrame({"x": [1.0, 2.0, 4.0], "n": [1, 2, 3]})

    with pytest.raises(RowDependentFeatureError) as caught:
        make(lambda x: _cumsum(x)).fit(frame)

    error = caught.value
    assert (error.row, error.batch_value, error.single_value) == (1, 3.0, 2.0)
    assert "it is 3.0 in row 1 of a batch, and 2.0 for the row alone" in str(error)


def test_a_row_far_down_is_named_by_its_place_in_the_frame():
    """Of a long frame some rows are compared; an error names the place in the whole frame."""
    frame = pd.DataFrame({"x": np.zeros(20_000), "n": 0})
    frame.loc[15_001:, "x"] = 1.0

    with pytest.raises(RowDependentFeatureError) as caught:
        make(lambda x: _cumsum(x)).fit(frame)

    row = caught.value.row
    assert row > 15_001
    assert (frame.iloc[:row]["x"] == 1.0).any()


def test_made_up_rows_are_named_as_such():
    """Where only a made-up row shows it, no row of the frame is blamed."""
    with pytest.raises(RowDependentFeatureError, match=r"made-up row \(x=inf, n=") as caught:
        make(lambda x: _at_infinity(x)).fit(frame_of(3))

    assert caught.value.row is None
    assert caught.value.single_value == 1.0


@pytest.mark.parametrize("way", ["function", "elementwise"])
def test_what_keeps_something_between_calls_is_refused(way):
    """A counter gives another value for each call, and hence at serving."""
    count = itertools.count()

    class Counting:
        __name__ = "odd"

        def __fingerprint__(self):
            return "counting"

        def __call__(self, x):
            return x * 0 + next(count)

    feature = Feature(
        name="odd", function=Counting(), inputs=("n",), elementwise=way == "elementwise"
    )
    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.add(feature)

    with pytest.raises(RowDependentFeatureError) as caught:
        fs.fit(frame_of())
    assert caught.value.feature == "odd"


def test_random_features_are_refused():
    """Random numbers, behind a function that hides them, are no features."""
    rng = np.random.default_rng(0)

    class Noise:
        __name__ = "odd"

        def __fingerprint__(self):
            return "noise"

        def __call__(self, x):
            return x + rng.random(len(x))

    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.add(Feature(name="odd", function=Noise(), inputs=("x",)))

    # by whoever comes first: a reader of the code, or the proof
    with pytest.raises((FeatureDefinitionError, RowDependentFeatureError), match="'odd'"):
        fs.fit(frame_of())


def test_one_column_of_several_is_enough():
    """The feature is named, and not its column."""
    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.add(
        Feature(
            name="pair",
            function=lambda x: (x + 1, _cumsum(x)),
            inputs=("x",),
            columns=lambda _: ("one", "two"),
        )
    )
    for fit in (fs.fit, fs.fit_transform):
        with pytest.raises(RowDependentFeatureError) as caught:
            fit(frame_of())
        assert caught.value.feature == "pair"


def test_what_reads_a_dependent_feature_is_not_blamed():
    """The first in order is named."""
    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.feature(name="reader")(lambda source: source + 1)
    fs.feature(name="source")(lambda x: _cumsum(x))

    with pytest.raises(RowDependentFeatureError) as caught:
        fs.fit(frame_of())
    assert caught.value.feature == "source"


def test_a_batch_of_all_rows_counts_as_well():
    """What differs only among very many rows is seen where training computes them all."""

    def many(x):
        return len(x) > 10_000

    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.feature(name="odd")(lambda x: x + many(x))

    with pytest.raises(RowDependentFeatureError) as caught:
        fs.fit_transform(frame_of(10_001))
    assert caught.value.feature == "odd"
    assert caught.value.batch_value == caught.value.single_value + 1


INDEPENDENT = {
    "plain": lambda x: x * 2 + 1,
    "missing": lambda x: np.where(np.isnan(x), -1.0, x),
    "looped": lambda x: np.array([round(one, 3) if one == one else 0 for one in x.tolist()]),  # noqa: PLR0124
    "series": lambda x: pd.Series(x).fillna(0.0).clip(-1, 1).to_numpy(),
}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_what_depends_on_its_row_alone_is_taken(name):
    """Loops, pandas and matrices are fine where rows stay apart."""
    frame = frame_of().assign(x=lambda one: one["x"].where(one["n"] % 5 > 0))

    assert_agrees(make(INDEPENDENT[name]).fit(frame), frame)


# ------------------------------------------------------------------------- wrong lines


def wrong_line(expression):
    """Return an operation that adds a line of its own."""

    def operate(program, *values):
        texts = [operations.as_operand(one).text for one in values]
        return operations.Operand(program.set(expression.format(*texts)), "f")

    return operate


WRONG = {
    "always": ("maximum", "({0} + 1.0)"),
    "for_nan": ("maximum", "({0} if {0} > {1} else {1})"),
    "for_minus_zero": ("maximum", "({0} if {0} > {1} or {0} != {0} else {1} + 0.0)"),
    "raises": ("maximum", "({0} / 0.0)"),
    "raises_for_infinity": ("maximum", "(float(int({0})) if {0} == {0} else {0})"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_is_not_used_and_said(name, monkeypatch):
    """A traced feature that gives other bits, or fails, is called as it is, and told so."""
    operation, expression = WRONG[name]
    monkeypatch.setitem(operations._OPERATIONS, operation, wrong_line(expression))
    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.feature(name="text", elementwise=True)(lambda n: float(n))
    fs.feature(name="before")(lambda x: x - 1)
    fs.feature(name="odd")(lambda x: np.maximum(x, -0.0))
    fs.feature(name="after")(lambda odd, text: odd + text)
    frame = frame_of().assign(x=lambda one: one["x"].where(one["n"] % 5 > 0))
    fitted = fs.fit(frame)

    ways = {one.name: one.single_record for one in fitted.explain().features}
    assert ways == {
        "text": "elementwise",
        "before": "traced",
        "odd": "columns of length 1",
        "after": "traced",
    }
    assert "differs from whole columns" in fitted.explain("odd").reason
    assert_agrees(fitted, frame)
    report = fitted.check(frame)
    assert report.passed
    assert list(report.length_one) == ["odd"]


def test_several_wrong_lines_are_all_found(monkeypatch):
    """After one is taken out, the others are looked for."""
    monkeypatch.setitem(operations._OPERATIONS, "maximum", wrong_line("({0} + 1.0)"))
    monkeypatch.setitem(operations._OPERATIONS, "minimum", wrong_line("({0} + 2.0)"))
    fs = FeatureSet("shop", version="1", inputs=FIELDS)
    fs.feature(name="a")(lambda x: np.maximum(x, 0.5))
    fs.feature(name="b")(lambda a: np.minimum(a, 0.7))
    fs.feature(name="c")(lambda b: b * 2)
    fitted = fs.fit(frame_of())

    ways = {one.name: one.single_record for one in fitted.explain().features}
    assert ways == {"a": "columns of length 1", "b": "columns of length 1", "c": "traced"}
    assert_agrees(fitted, frame_of())


def test_a_check_finds_a_line_that_went_wrong_later(monkeypatch):
    """Features that were proven are compared anew with what the installed numpy gives."""
    fitted = make(lambda x: np.maximum(x, 0.5)).fit(frame_of())
    monkeypatch.setitem(operations._OPERATIONS, "maximum", wrong_line("({0} + 1.0)"))

    report = fitted.check(frame_of())

    assert not report.passed
    assert [one.feature for one in report.faults] == ["odd"]
    assert report.to_evidence()[0].verdict == "fail"


# ------------------------------------------------------------------------------ rows


def test_features_that_fail_on_made_up_rows_are_taken():
    """A function may refuse what no training row has; the same rows fail in every way."""

    def strict(x) -> float:
        if x in (float("inf"), float("-inf")):
            message = "infinite"
            raise ValueError(message)
        return x + 1.0

    fitted = make(strict, elementwise=True).fit(frame_of())
    assert_agrees(fitted, frame_of())
    for call in (
        lambda: fitted.transform_one({"x": float("inf"), "n": 1}),
        lambda: fitted.transform(pd.DataFrame({"x": [float("inf")], "n": [1]})),
    ):
        with pytest.raises(FeatureOutputError, match="infinite"):
            call()


def test_features_that_fail_on_real_rows_are_refused():
    """A row of the frame on which a feature fails is an error at fit."""
    with pytest.raises(FeatureOutputError, match="failed: ZeroDivisionError") as caught:
        make(lambda n: 1 / (n - n), elementwise=True).fit(frame_of())
    assert caught.value.feature == "odd"


ALL_FIELDS = [
    Field("a", "float64", nullable=True),
    Field("b", "float64"),
    Field("c", "int64"),
    Field("d", "int64", nullable=True),
    Field("e", "bool"),
    Field("f", "bool", nullable=True),
    Field("g", "string", nullable=True),
    Field("h", "string"),
    Field("i", "timestamp[us, UTC]"),
    Field("j", "timestamp[us, UTC]", nullable=True),
]


def all_kinds(n_rows):
    """Return rows of every type."""
    at = np.arange(n_rows)
    moments = pd.to_datetime("2024-02-29", utc=True) + pd.to_timedelta(at * 3601, unit="s")
    return pd.DataFrame(
        {
            "a": np.where(at % 3 == 0, np.nan, at * 0.5),
            "b": at * 0.25,
            "c": at,
            "d": np.where(at % 4 == 0, np.nan, at * 1.0),
            "e": at % 2 == 0,
            "f": pd.Series([None, True, False] * n_rows, dtype="boolean")[:n_rows],
            "g": pd.Series(["x", None] * n_rows, dtype=object)[:n_rows],
            "h": pd.Series(["y", "ß"] * n_rows, dtype=object)[:n_rows],
            "i": moments,
            "j": pd.Series(moments).where(at % 5 > 0),
        }
    )


@pytest.mark.parametrize("n_rows", [0, 1, 13])
def test_made_up_rows_hold_what_is_odd(n_rows):
    """Infinities, both zeros, the ends of each type, every gap, and text that no row has."""
    columns = cast_frame(all_kinds(n_rows), ALL_FIELDS)

    made_up = odd_rows(ALL_FIELDS, columns)
    odd, n_odd = made_up.columns, made_up.n_rows

    for field in ALL_FIELDS:
        column = odd[field.name]
        assert column.dtype == columns[field.name].dtype
        assert len(column) == n_odd
        if field.kind == "s":
            assert (None in column.tolist()) == field.nullable
            assert set(column.tolist()) > {"", " ", "ß"}
        elif field.dtype == "float64":
            hexes = {one.hex() for one in column.tolist()}
            assert {"inf", "-inf", "0x0.0p+0", "-0x0.0p+0"} <= hexes
            assert ("nan" in hexes) == field.nullable
        elif field.dtype == "int64" and not field.nullable:
            assert {2**63 - 1, -(2**63), 2**53} <= set(column.tolist())
    assert any(
        set(made_up.missing_in(row)) == {one.name for one in ALL_FIELDS if one.nullable}
        for row in range(n_odd)
    )


def test_a_row_survives_as_a_record():
    """Cast columns become records that cast to the same bits."""
    columns = cast_frame(all_kinds(13), ALL_FIELDS)
    made_up = odd_rows(ALL_FIELDS, columns)
    odd, n_odd = made_up.columns, made_up.n_rows
    records = [record_at(ALL_FIELDS, odd, row) for row in range(n_odd)]
    frame = pd.DataFrame(records, columns=[one.name for one in ALL_FIELDS], dtype=object)

    back = cast_frame(frame, ALL_FIELDS)

    for name, column in odd.items():
        assert differing(back[name], column).size == 0, name


def test_chosen_rows_have_every_extreme_and_pattern_of_gaps():
    """However long the frame is, its least and greatest numbers and its gaps are among them."""
    rng = np.random.default_rng(0)
    columns = {
        "x": rng.normal(size=9000),
        "n": rng.integers(-5, 5, 9000),
        "t": np.array(["a"] * 9000, dtype=object),
    }
    columns["x"][[17, 4441]] = np.nan
    columns["t"][[4441, 8765]] = None
    columns["n"][5003], columns["n"][6007] = 99, -99
    positions = set(choose_rows(columns, 9000).tolist())

    assert {
        5003,
        6007,
        int(np.nanargmax(columns["x"])),
        int(np.nanargmin(columns["x"])),
    } <= positions
    patterns = {(np.isnan(columns["x"][at]), columns["t"][at] is None) for at in positions}
    assert len(patterns) == 4
    assert len(positions) <= 256
    assert set(extreme_rows({"x": columns["x"]}).tolist()) <= positions | {17, 4441}


@pytest.mark.parametrize(
    ("one", "other", "rows"),
    [
        ([0.0, 1.0], [-0.0, 1.0], [0]),
        ([np.nan, 1.0], [-np.nan, 1.0], []),
        ([1.0, np.nan], [np.nan, 1.0], [0, 1]),
        ([5e-324], [0.0], [0]),
        ([1, 2], [1, 3], [1]),
        ([True, False], [True, True], [1]),
        (np.array(["a", None], dtype=object), np.array(["a", "None"], dtype=object), [1]),
    ],
)
def test_differing(one, other, rows):
    """Zeros of two signs differ, NaN is NaN, and text is compared with what is missing."""
    assert differing(np.asarray(one), np.asarray(other)).tolist() == rows


# ------------------------------------------------- what a review of the proof has found


def only(function, *fields, **options):
    """Return a set of one feature."""
    fs = FeatureSet("one", version="1", inputs=fields)
    fs.feature(**options)(function)
    return fs


X = Field("x", "float64")
TEXT = Field("s", "string", nullable=True)


def test_the_first_row_must_not_decide_the_type():
    """np.vectorize takes the type of its first result; rows are compared in several orders."""

    def tier(x):
        return np.vectorize(lambda v: 0 if v < 10 else v / 3)(x)

    frame = pd.DataFrame({"x": [20.0, 5.0, 31.0] * 20})
    with pytest.raises((RowDependentFeatureError, FeatureDefinitionError)):
        only(tier, X).fit(frame)


def test_the_number_of_rows_must_not_decide():
    """More rows than those that are compared are computed together, too."""

    def doubled(x):
        return x * 2 if x.size > 600 else x

    with pytest.raises(RowDependentFeatureError, match="'doubled' depends on other rows"):
        only(doubled, X).fit(pd.DataFrame({"x": np.arange(20_000.0)}))


def test_text_that_may_be_missing_must_be_borne():
    """Training rows had no gap; the first one would come in production."""
    frame = pd.DataFrame({"s": ["a", "bc"] * 5})
    fs = only(lambda s: len(s), TEXT, name="size", elementwise=True)
    with pytest.raises(FeatureOutputError, match="fails where 's' is missing, which its Field"):
        fs.fit(frame)
    fs = only(lambda s: len(s), Field("s", "string"), name="size", elementwise=True)
    assert fs.fit(frame).transform_one({"s": "abc"}).tolist() == [3.0]


def test_kinds_are_those_of_all_rows():
    """Integers where nothing is missing, floats where something is: floats."""

    def size(s):
        return np.array([len(one) if one is not None else np.nan for one in s])

    fitted = only(size, TEXT).fit(pd.DataFrame({"s": ["a", "bc"] * 5}))
    assert fitted.transform_one({"s": "abc"}).tolist() == [3.0]
    assert np.isnan(fitted.transform_one({})).all()
    mixed = only(lambda s: s or 1.0, TEXT, name="mixed", elementwise=True)
    with pytest.raises(FeatureOutputError, match="'mixed'"):
        mixed.fit(pd.DataFrame({"s": ["a", "bc"] * 5}))


def test_where_a_feature_fails_is_told():
    """On made-up rows it may; `check` says on which."""
    fs = only(lambda x: {1.0: 2.0}[x], X, name="known", elementwise=True)
    report = fs.fit(pd.DataFrame({"x": [1.0, 1.0]})).check(pd.DataFrame({"x": [1.0]}))
    assert report.passed
    assert ("x=inf", "known") in {(one.where, one.feature) for one in report.failing}
    assert "fails" in set(report.to_frame()["about"])


RATE = {"now": 2.0}


def test_a_value_that_changes_after_the_fit_is_found(monkeypatch):
    """Whole columns follow it and the compiled kernel does not: the one in service is compared."""

    def rated(x):
        return x * RATE["now"]

    frame = pd.DataFrame({"x": [1.0, 2.0]})
    fitted = only(rated, X).fit(frame)
    assert fitted.check(frame).passed
    monkeypatch.setitem(RATE, "now", 3.0)
    report = fitted.check(frame)
    reasons = [one.reason for one in report.faults if one.feature == "rated"]
    assert any("no longer what was fitted" in one for one in reasons)
    assert any("a record is served 2.0 where a batch now gives 3.0" in one for one in reasons)


def test_any_two_zeros_meet_in_both_orders():
    """Which one is the larger may depend on the place in a batch."""
    fields = [Field(name, "float64") for name in "abcdefg"]
    empty = {one.name: np.empty(0) for one in fields}
    columns = odd_rows(fields, empty).columns
    for one, other in itertools.permutations("abcdefg", 2):
        signs = np.signbit(columns[one]).astype(int) - np.signbit(columns[other])
        zeros = (columns[one] == 0) & (columns[other] == 0)
        assert {1, -1} <= set(signs[zeros].tolist())


def test_many_fields_do_not_make_many_rows():
    """Odd values are spread over a number of rows that does not grow; each of them is there."""
    fields = [Field(f"x{at}", "float64", nullable=True) for at in range(150)]
    made_up = odd_rows(fields, {one.name: np.ones(3) for one in fields})
    assert made_up.n_rows < 300
    for one in fields:
        column = made_up.columns[one.name]
        assert np.isnan(column).any()
        assert {np.inf, -np.inf, 1e16, 5e-324} <= set(column.tolist())
