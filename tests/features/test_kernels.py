"""The kernels: a frame, many records and one give the same bits, or the same error."""

from __future__ import annotations

import math
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import (
    FeatureOutputError,
    InputTypeError,
    MissingInputError,
)
from prodml.features import Feature, FeatureSet, Field
from prodml.features import _batch_kernel as batch_kernel
from prodml.features._batch_kernel import ColumnRun, schedule
from prodml.features._steps import step_of
from prodml.features.feature import feature_of
from tests.features.agreement import assert_agrees, records_of, words
from tests.features.traced_lines import FLOATS, INTEGERS, TEXTS

FIELDS = [
    Field("x", "float64", nullable=True),
    Field("y", "float64"),
    Field("n", "int64"),
    Field("flag", "bool"),
    Field("city", "string", nullable=True),
]


def make(*functions, inputs=FIELDS, extra="ignore", **options):
    """Return a set of features of some functions."""
    fs = FeatureSet("shop", version="1", inputs=inputs, extra=extra)
    for one in functions:
        if isinstance(one, Feature):
            fs.add(one)
        else:
            fs.feature(**options)(one)
    return fs


def frame_of(n_rows=120, *, seed=0):
    """Return rows with odd values in every field."""
    rng = np.random.default_rng(seed)
    floats = [one for one in FLOATS if not math.isnan(one)]
    return pd.DataFrame(
        {
            "x": rng.choice(FLOATS, n_rows),
            "y": rng.choice(floats, n_rows),
            "n": rng.choice(np.array(INTEGERS), n_rows),
            "flag": rng.integers(0, 2, n_rows).astype(bool),
            "city": pd.Series(
                [TEXTS[at] for at in rng.integers(0, len(TEXTS), n_rows)], dtype=object
            ),
        }
    )


def small_numbers(n_rows=60, *, seed=0):
    """Return rows in which nothing is odd."""
    rng = np.random.default_rng(seed)
    return frame_of(n_rows).assign(
        x=rng.normal(size=n_rows), y=rng.uniform(1, 9, n_rows), n=rng.integers(-9, 9, n_rows)
    )


# ------------------------------------------------------------------------ features


def filled(x):
    """Fill gaps."""
    return np.where(np.isnan(x), 0.0, x)


def ratio(filled, y):
    """Divide."""
    return filled / y


def bucket(ratio):
    """Put into buckets."""
    return np.digitize(ratio, [-1.0, 0.0, 1.0, 10.0])


def big(n):
    """Wrap."""
    return n * 70_000 % 1_000_003


def either(flag, x):
    """Join tests."""
    return flag | (x > 1)


def lower(city: str) -> str | None:
    """Change text."""
    return None if city is None else city.lower()


def width(lower) -> int:
    """Measure text."""
    return -1 if lower is None else len(lower)


def is_a(lower):
    """Compare text."""
    return lower == "a"


def cube(x):
    """Take a power that is not traced."""
    return x**3


def after_cube(cube, big):
    """Read what is not traced."""
    return np.maximum(cube, big) - 1


def looped(y):
    """Loop over rows."""
    return np.array([one // 1 if abs(one) < 1e9 else 0 for one in y.tolist()])


def after_loop(looped, width):
    """Read what loops."""
    return looped * 2 + width


PLAIN = [filled, ratio, bucket, big, either, is_a, cube, after_cube, looped, after_loop]


def shop():
    """Return a set with features of every kind, each of which some other reads."""
    fs = make(*PLAIN)
    fs.feature(elementwise=True)(lower)
    fs.feature(elementwise=True)(width)
    return fs


def test_every_way_agrees():
    """Traced, elementwise and called features, and chains of them, give the bits of a frame."""
    frame = frame_of(300)
    fitted = shop().fit(frame)

    assert_agrees(fitted, frame)
    ways = {one.name: one.single_record for one in fitted.explain().features}
    assert ways == {
        **dict.fromkeys(["filled", "ratio", "bucket", "big", "either", "is_a"], "traced"),
        **dict.fromkeys(["after_cube", "after_loop"], "traced"),
        **dict.fromkeys(["lower", "width"], "elementwise"),
        **dict.fromkeys(["cube", "looped"], "columns of length 1"),
    }
    assert fitted.explain("cube").reason == "** 3"
    assert "lower" not in fitted.columns


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_any_rows_agree(seed, n_rows):
    """What was fitted on some rows gives the same bits in every way on others."""
    assert_agrees(SHOP, frame_of(n_rows, seed=seed))


SHOP = shop().fit(frame_of(300))
STRICT = make(*PLAIN[:3], extra="forbid").fit(frame_of(30))


def test_batch_is_the_plain_function():
    """Columns are what the functions give when they are called by hand."""
    frame = frame_of(50)
    matrix = SHOP.transform(frame)
    x, y, n = (frame[name].to_numpy() for name in ("x", "y", "n"))
    with np.errstate(all="ignore"):
        expected = {
            "filled": filled(x),
            "ratio": ratio(filled(x), y),
            "bucket": bucket(ratio(filled(x), y)),
            "big": big(n),
            "cube": cube(x),
            "is_a": np.array([one in ("a", "A") for one in frame["city"]]),
        }
    for name, column in expected.items():
        got = matrix[:, SHOP.columns.index(name)]
        np.testing.assert_array_equal(words(got), words(column.astype(np.float64)), name)


@pytest.mark.parametrize("n_rows", [0, 1, 2, 29, 30, 31, 999, 1000, 1001])
def test_sizes(n_rows):
    """None, one, and the sizes at which another way is taken."""
    frame = frame_of(n_rows, seed=n_rows)

    assert assert_agrees(SHOP, frame).shape == (n_rows, len(SHOP.columns))


def test_no_records():
    """No record gives no row."""
    assert SHOP.transform_many([]).shape == (0, len(SHOP.columns))
    assert SHOP.transform_many(iter(records_of(frame_of(3)))).shape == (3, len(SHOP.columns))


def test_an_empty_frame_fits_what_learns_nothing():
    """The types of features are then those of made-up rows."""
    fitted = shop().fit(frame_of(0))

    assert_agrees(fitted, frame_of(40))


@pytest.mark.parametrize(
    "layout",
    ["reversed", "strided", "fortran", "c", "read_only", "index", "float32", "big_endian"],
)
def test_layouts_of_a_frame(layout):
    """How a frame lies in memory, and its index, change no bit."""
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(size=(2000, 3)) * 3)
    fs = FeatureSet("f", version="1", inputs=[Field(name, "float64") for name in "abc"])
    fs.feature(name="one")(lambda a: np.log1p(a))  # noqa: PLW0108 - a feature needs a function
    fs.feature(name="two")(lambda a, b: np.exp(-b) * np.cbrt(a))
    fs.feature(name="three")(lambda one, c: np.tanh(one) + c**3)
    fitted = fs.fit(pd.DataFrame(values, columns=list("abc")))
    if layout == "float32":
        values = values.astype(np.float32).astype(np.float64)
    expected = fitted.transform(pd.DataFrame(values.copy(), columns=list("abc")))
    laid = {
        "reversed": lambda: pd.DataFrame(values[::-1].copy()[::-1]),
        "strided": lambda: pd.DataFrame(np.repeat(values, 2, axis=0)[::2]),
        "fortran": lambda: pd.DataFrame(np.asfortranarray(values)),
        "c": lambda: pd.DataFrame(np.ascontiguousarray(values)),
        "read_only": lambda: pd.DataFrame(frozen(values)),
        "index": lambda: pd.DataFrame(values, index=[7] * len(values)),
        "float32": lambda: pd.DataFrame(values.astype(np.float32)),
        "big_endian": lambda: pd.DataFrame({at: values[:, at].astype(">f8") for at in range(3)}),
    }[layout]()
    laid.columns = list("abc")

    np.testing.assert_array_equal(words(fitted.transform(laid)), words(expected))
    assert words(fitted.transform_one(records_of(laid)[5])).tolist() == words(expected)[5].tolist()


def frozen(values):
    """Return a read-only copy."""
    values = values.copy()
    values.flags.writeable = False
    return values


# ------------------------------------------------------------------------ outputs


def test_output_order_and_out():
    """Where and how the matrix lies is the caller's choice, and changes no bit."""
    frame = frame_of(20)
    plain = SHOP.transform(frame)
    out = np.full((20, len(SHOP.columns)), 7.0)

    assert plain.flags.f_contiguous
    assert SHOP.transform(frame, order="C").flags.c_contiguous
    assert SHOP.transform(frame, out=out) is out
    for other in (SHOP.transform(frame, order="C"), out):
        np.testing.assert_array_equal(words(other), words(plain))


def test_output_pandas_keeps_the_index():
    """A frame comes back under the labels of the rows, though they repeat."""
    frame = frame_of(6).set_axis(["a", "a", "b", "b", "c", "c"])

    got = SHOP.transform(frame, output="pandas")

    assert list(got.index) == list(frame.index)
    assert list(got.columns) == list(SHOP.columns)
    np.testing.assert_array_equal(words(got.to_numpy()), words(SHOP.transform(frame)))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"output": "polars"}, "`output` must be 'numpy' or 'pandas', got 'polars'"),
        ({"order": "X"}, "`order` must be 'F' or 'C', got 'X'"),
        ({"out": np.empty((2, 2))}, r"`out` must be float64 of shape \(20, 11\)"),
        ({"out": np.empty((20, 11), dtype=np.float32)}, "got float32"),
        ({"out": [[0.0]]}, "`out` must be a numpy array"),
    ],
)
def test_bad_options(options, match):
    """An option of transform that is none is refused before anything is computed."""
    with pytest.raises(ValueError, match=match):
        SHOP.transform(frame_of(20), **options)


def test_results_share_nothing():
    """What a caller does with a result changes no other result, and not the features."""
    frame = frame_of(40)
    first, one = SHOP.transform(frame), SHOP.transform_one(records_of(frame)[0])
    kept = words(first)
    first[:] = 0.0
    one[:] = 0.0

    np.testing.assert_array_equal(words(SHOP.transform(frame)), kept)
    assert words(SHOP.transform_one(records_of(frame)[0])).tolist() == kept[0].tolist()


def test_inputs_are_not_changed():
    """Neither a frame nor a record is touched."""
    frame = frame_of(40)
    kept, records = frame.copy(deep=True), records_of(frame)
    SHOP.transform(frame)
    SHOP.transform_many(records)

    pd.testing.assert_frame_equal(frame, kept)
    assert [list(one) for one in records] == [list(frame.columns)] * 40


def test_an_input_that_is_returned_is_copied():
    """A feature that gives its input back does not tie the result to it."""
    fitted = make(lambda x, y: y, name="same").fit(frame_of(10))  # noqa: ARG005 - it names what is read
    frame = small_numbers(10)
    fitted.transform(frame)[:] = 0.0

    assert (frame["y"] != 0).all()
    assert_agrees(fitted, frame)


# ------------------------------------------------------------------- several columns


def _halves(x, y):
    return np.floor(x), y > 0, np.digitize(y, [0.0])


def _halves_slow(x, y):
    return np.array([one // 1 if abs(one) < 1e9 else 0.0 for one in x.tolist()]), y > 0, y**3


def _halves_of_one(x, y):
    return [x * 2, y > 0, 3]


@pytest.mark.parametrize(
    ("function", "elementwise", "way"),
    [
        (_halves, False, "traced"),
        (_halves_slow, False, "columns of length 1"),
        (_halves_of_one, True, "elementwise"),
    ],
)
def test_several_columns(function, elementwise, way):
    """A feature of several columns gives each of them alike in every way."""
    feature = Feature(
        name="parts",
        function=function,
        inputs=("x", "y"),
        elementwise=elementwise,
        columns=lambda _: ("low", "up", "place"),
    )
    fitted = make(feature).fit(frame_of(80))

    assert fitted.columns == ("low", "up", "place")
    assert fitted.explain("parts").single_record == way
    assert_agrees(fitted, frame_of(80, seed=2))


@pytest.mark.parametrize(
    "result", [lambda x: x, lambda x: (x,), lambda x: (x, x, x), lambda _: None, lambda _: "ab"]
)
@pytest.mark.parametrize("elementwise", [True, False])
def test_other_numbers_of_columns_are_refused(result, elementwise):
    """As many columns must come as there are names."""
    feature = Feature(
        name="parts",
        function=result,
        inputs=("x",),
        elementwise=elementwise,
        columns=lambda _: ("a", "b"),
    )
    with pytest.raises(FeatureOutputError, match="must return a tuple of 2 columns") as caught:
        make(feature).fit(frame_of(5))
    assert caught.value.feature == "parts"


# --------------------------------------------------------------------- bad results

BAD_RESULTS = {
    "none": (lambda x: None, "returned None. Does it lack a return statement"),  # noqa: ARG005 - it names what is read
    "scalar": (lambda x: 3.0, "returned one value for"),  # noqa: ARG005 - it names what is read
    "short": (lambda x: x[1:], "returned an array of shape"),
    "long": (lambda x: np.append(x, 1.0), "returned an array of shape"),
    "matrix": (lambda x: np.stack([x, x]), "returned an array of shape"),
    "column_matrix": (lambda x: x.reshape(-1, 1), "returned an array of shape"),
    "complex": (lambda x: x * 1j, "returned dtype complex128"),
    "longdouble": (lambda x: x.astype(np.longdouble), "returned dtype"),
    "time": (lambda x: x.astype("datetime64[s]"), "returned dtype datetime64"),
    "objects": (lambda x: np.array([{} for _ in x], dtype=object), "not text \\(dict\\)"),
    "numbers_as_objects": (lambda x: x.astype(object), "not text \\(float\\)"),
    "unsigned": (lambda x: np.full(len(x), 2**63, dtype=np.uint64), "do not fit into 64 bits"),
    "error": (lambda x: x.no_such_thing, "failed: AttributeError"),
    "assertion": (lambda x: (_ for _ in ()).throw(AssertionError("odd")), "failed: AssertionError"),  # noqa: ARG005 - it names what is read
    "text_unread": (lambda x: np.full(len(x), "a", dtype=object), "no other feature reads it"),
    "generator": (lambda x: (one for one in x), "returned"),
    "too_large": (lambda n: np.full(len(n), 2**60), "beyond 2\\*\\*53"),
}


@pytest.mark.parametrize("name", BAD_RESULTS)
def test_results_that_are_no_column(name):
    """What is no column of numbers is refused, at the latest when it would be served."""
    function, match = BAD_RESULTS[name]
    fs = make(function, name="odd")

    with pytest.raises(FeatureOutputError, match=match) as caught:
        fs.fit(frame_of(9)).transform(frame_of(9))
    assert caught.value.feature == "odd"
    assert "'odd'" in str(caught.value)


BAD_VALUES = {
    "none": (lambda y: None, "returned None. Return math.nan"),  # noqa: ARG005 - it names what is read
    "text": (lambda y: "a", "no other feature reads it"),  # noqa: ARG005 - it names what is read
    "mixed": (lambda y: "a" if y > 0 else 1.0, "where floats are expected"),
    "list": (lambda y: [1.0], "where floats are expected"),  # noqa: ARG005 - it names what is read
    "complex": (lambda y: 1j, "where floats are expected"),  # noqa: ARG005 - it names what is read
    "large": (lambda y: 2**53 + 1, "beyond 2\\*\\*53"),  # noqa: ARG005 - it names what is read
    "error": (lambda y: {}["a"], "failed: KeyError"),  # noqa: ARG005 - it names what is read
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_values_that_are_none(name):
    """The same of elementwise features."""
    function, match = BAD_VALUES[name]

    with pytest.raises(FeatureOutputError, match=match) as caught:
        make(function, name="odd", elementwise=True).fit(
            small_numbers(9).assign(y=[-1.0, 1.0] + [2.0] * 7)
        )
    assert caught.value.feature == "odd"


def _as_int(y) -> int:
    return 2**63 if y == 3.0 else int(y) if math.isfinite(y) and abs(y) < 1e15 else 0


def _as_bool(y) -> bool:
    return 0.5 if y == 3.0 else y > 0


def _as_float(y) -> float:
    return "text" if y == 3.0 else y


@pytest.mark.parametrize("function", [_as_int, _as_bool, _as_float])
def test_an_annotated_type_is_kept(function):
    """A value of another type than the annotated one is an error in every way, for its row."""
    fs = make(function, name="odd", elementwise=True)
    frame = small_numbers(40).assign(y=2.0)
    fitted = fs.fit(frame)
    assert_agrees(fitted, frame)
    frame.loc[3, "y"] = 3.0
    bad = records_of(frame)[3]

    for call in (
        lambda: fitted.transform(frame),
        lambda: fitted.transform_one(bad),
        lambda: fitted.transform_many([bad]),
        lambda: fitted.transform_many([bad] * 40),
    ):
        with pytest.raises(FeatureOutputError) as caught:
            call()
        assert caught.value.feature == "odd"


def test_a_boolean_text_and_number_of_numpy_is_plain():
    """Scalars of numpy are taken for what they hold."""
    fs = make(lambda y: np.float32(0.5) if y > 2 else np.int8(3), name="a", elementwise=True)
    fs.feature(name="b", elementwise=True)(lambda y: np.bool_(y > 2))
    fs.feature(name="t", elementwise=True)(lambda city: np.str_(city or ""))
    fs.feature(name="c", elementwise=True)(lambda t: len(t))  # noqa: PLW0108

    assert_agrees(fs.fit(small_numbers(40)), small_numbers(80, seed=2))


# ---------------------------------------------------------------- mutation of inputs


def _writes(x):
    x[np.isnan(x)] = 0.0
    return x


def _adds(y):
    y += 1.0
    return y


def _puts(y):
    np.put(y, 0, 1.0)
    return y


@pytest.mark.parametrize("function", [_writes, _adds, _puts])
def test_changing_an_input_is_refused_at_fit(function):
    """A feature that writes into what it is given would change what others read."""
    with pytest.raises(FeatureOutputError, match="read-only") as caught:
        make(function, name="odd").fit(frame_of(40))
    assert caught.value.feature == "odd"


def _writes_for_large(y):
    if (y > 1e12).any():
        y[:] = 0.0
    return y * 1.0


@pytest.mark.parametrize("calls", [1, 50])
def test_a_rare_change_of_an_input_is_an_error_in_every_way(calls):
    """It does not go through for a single record, where it would change what others read."""
    fs = make(_writes_for_large, lambda y: y + 1, inputs=[Field("y", "float64")], name="odd")
    fs = FeatureSet("rare", version="1", inputs=[Field("y", "float64")])
    fs.feature(_writes_for_large)
    fs.feature(name="next")(lambda y, _writes_for_large: y + _writes_for_large)
    fitted = fs.fit(pd.DataFrame({"y": [1.0, 2.0]}))

    with pytest.raises(FeatureOutputError, match="read-only"):
        fitted.transform(pd.DataFrame({"y": [2e12]}))
    with pytest.raises(FeatureOutputError, match="read-only"):
        fitted.transform_one({"y": 2e12})
    with pytest.raises(FeatureOutputError, match="read-only"):
        fitted.transform_many([{"y": 2e12}] * calls)


# --------------------------------------------------------------------- bad inputs


def every_way(fitted, frame):
    """Return calls that hand the same bad row over in every way."""
    records = records_of(frame)
    return [
        lambda: fitted.transform(frame),
        lambda: fitted.transform_one(records[-1]),
        lambda: fitted.transform_many(records[-1:]),
        lambda: fitted.transform_many(records * 40),
    ]


@pytest.mark.parametrize("missing", [None, math.nan, np.float64("nan"), pd.NA], ids=repr)
def test_missing_values_are_named_together(missing):
    """All inputs without a value are named at once, in every way and however they say it."""
    fields = ("y", "n", "flag")
    record = records_of(small_numbers(1))[0] | dict.fromkeys(fields, missing)
    frame = pd.DataFrame([record], dtype=object)

    for call in (
        lambda: SHOP.transform(frame),
        lambda: SHOP.transform_one(record),
        lambda: SHOP.transform_many([record]),
        lambda: SHOP.transform_many([record] * 40),
    ):
        with pytest.raises(MissingInputError) as caught:
            call()
        assert caught.value.fields == fields
    with pytest.raises(MissingInputError) as caught:
        SHOP.transform_one(record | {"n": 1, "flag": True})
    assert caught.value.fields == ("y",)


def test_missing_keys_are_named_together():
    """A key that is not there is a value that is not there."""
    with pytest.raises(MissingInputError) as caught:
        SHOP.transform_one({"x": 1.0, "city": "a"})
    assert caught.value.fields == ("y", "n", "flag")
    full = records_of(small_numbers(1))[0]
    without = {name: cell for name, cell in full.items() if name not in {"x", "city"}}
    given = full | {"x": None, "city": None}
    assert words(SHOP.transform_one(without)).tolist() == words(SHOP.transform_one(given)).tolist()


@pytest.mark.parametrize(
    ("field", "value"),
    [("x", "1.5"), ("n", 1.5), ("n", 2**63), ("flag", 1), ("city", 3), ("y", [1.0]), ("x", 2**60)],
)
def test_wrong_types_are_refused_in_every_way(field, value):
    """The declared type holds for frames and records alike."""
    frame = small_numbers(2).astype({field: object})
    frame[field] = pd.Series([frame[field].iloc[0], value], dtype=object)

    for call in every_way(SHOP, frame):
        with pytest.raises(InputTypeError) as caught:
            call()
        assert caught.value.field == field


def test_extra_columns_and_keys():
    """They are ignored, or refused by name where the set says so."""
    frame = frame_of(3).assign(other=1)

    assert SHOP.transform(frame).shape == (3, 11)
    assert STRICT.transform(frame_of(3)).shape == (3, 3)
    for call in every_way(STRICT, frame):
        with pytest.raises(InputTypeError, match="'other' is not an input of 'shop'") as caught:
            call()
        assert caught.value.field == "other"


def test_a_column_that_is_there_twice():
    """Which of the two is meant is not guessed; one that is no input may be there twice."""
    frame = frame_of(3)
    twice = pd.concat([frame, frame[["y"]]], axis=1)
    others = pd.concat([frame, frame[["y"]].set_axis(["z"], axis=1)], axis=1)
    others = pd.concat([others, others[["z"]]], axis=1)

    with pytest.raises(ValueError, match="'y' is in the frame more than once"):
        SHOP.transform(twice)
    assert SHOP.transform(others).shape == (3, 11)


@pytest.mark.parametrize("record", [None, 3, "text", ["x"], object()])
def test_what_is_no_record(record):
    """A record must be a mapping, and a message says so."""
    for call in (lambda: SHOP.transform_one(record), lambda: SHOP.transform_many([record])):
        with pytest.raises(InputTypeError, match="a mapping"):
            call()
    with pytest.raises(InputTypeError, match="a mapping"):
        STRICT.transform_one(record)


@pytest.mark.parametrize("frame", [None, [{"x": 1.0}], {"x": [1.0]}, np.zeros((2, 2))])
def test_what_is_no_frame(frame):
    """A frame must be one of pandas."""
    with pytest.raises(InputTypeError, match="pandas DataFrame"):
        SHOP.transform(frame)
    with pytest.raises(InputTypeError, match="pandas DataFrame"):
        shop().fit(frame)


# --------------------------------------------------------------- errors of features


def _fails_vectorised(y):
    if (y == 13.0).any():
        message = "thirteen"
        raise KeyError(message)
    return y * 1.0


def _fails_elementwise(y) -> float:
    if y == 13.0:
        message = "thirteen"
        raise KeyError(message)
    return y * 1.0


def _fails_at_text(city) -> str:
    if city == "13":
        message = "thirteen"
        raise LookupError(message)
    return city or ""


@pytest.mark.parametrize(
    ("function", "elementwise"), [(_fails_vectorised, False), (_fails_elementwise, True)]
)
def test_errors_of_a_feature_name_it_in_every_way(function, elementwise):
    """An error of a feature's own code, even a KeyError, is told with its name and its cause."""
    fs = make(lambda x: x + 1, name="innocent")
    fs.feature(name="guilty", elementwise=elementwise)(function)
    fs.feature(name="later")(lambda guilty: guilty + 1)
    fitted = fs.fit(small_numbers(30))
    frame = small_numbers(30)
    frame.loc[29, "y"] = 13.0

    for call in every_way(fitted, frame):
        with pytest.raises(FeatureOutputError, match=r"'guilty' failed: KeyError.*thirteen") as one:
            call()
        assert one.value.feature == "guilty"
        assert isinstance(one.value.__cause__, KeyError)


def test_other_records_are_not_lost_to_a_bad_one():
    """After an error the features serve as before."""
    fitted = make(_fails_elementwise, name="guilty", elementwise=True).fit(small_numbers(9))
    good = records_of(small_numbers(1))[0]
    before = fitted.transform_one(good).tolist()
    with pytest.raises(FeatureOutputError):
        fitted.transform_one(good | {"y": 13.0})

    assert fitted.transform_one(good).tolist() == before


def test_no_warning_of_numpy_comes_through():
    """Logarithms of zero and the like are values, not news, in every way."""
    fs = make(lambda y: np.log(y) / y, name="a")
    fs.feature(name="b")(lambda y: np.log(y) ** 3)
    fs.feature(name="c", elementwise=True)(lambda y: float(np.log(np.float64(y))))
    fs.feature(name="d")(lambda y, n: (y * 1e308) / (n % 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = fs.fit(frame_of(60))
        assert_agrees(fitted, frame_of(60, seed=1))


@pytest.mark.parametrize("mode", ["raise", "warn", "ignore"])
def test_how_numpy_is_told_to_treat_errors_changes_nothing(mode):
    """The state of numpy in the caller's thread has no say in values."""
    frame = frame_of(60)
    expected = SHOP.transform(frame)
    with np.errstate(all=mode):
        got = assert_agrees(SHOP, frame)

    np.testing.assert_array_equal(words(got), words(expected))


# ----------------------------------------------------------------------- text


def _tag(city) -> str | None:
    return None if city is None else city.strip().upper()


def _length(tag) -> float:
    return -1.0 if tag is None else float(len(tag))


def _starts(tag):
    return tag == "A"


@pytest.mark.parametrize("n_distinct", [1, 3, 400, 1600, 2000])
@pytest.mark.parametrize("missing", [True, False])
def test_many_rows_of_text(n_distinct, missing):
    """Above 1,000 rows functions of text are asked once per distinct value, with the same bits."""
    values = [f" t\0{at} ß" if at else "" for at in range(n_distinct)]
    cities = [values[at % n_distinct] for at in range(2500)]
    if missing:
        cities[::97] = [None] * len(cities[::97])
    frame = pd.DataFrame({"city": pd.Series(cities, dtype=object)})
    fs = make(inputs=[Field("city", "string", nullable=True)])
    fs.feature(name="tag", elementwise=True)(_tag)
    fs.feature(name="length", elementwise=True)(_length)
    fs.feature(name="starts")(_starts)
    fs.feature(name="direct", elementwise=True)(lambda city: 0.5 if city is None else len(city))
    fitted = fs.fit(frame)

    got = fitted.transform(frame)
    expected = [
        [_length(_tag(one)), _tag(one) == "A", 0.5 if one is None else len(one)] for one in cities
    ]
    assert got.tolist() == expected
    some = frame.iloc[::50]
    np.testing.assert_array_equal(words(fitted.transform(some)), words(got[::50]))
    assert_agrees(fitted, some)


def test_a_function_of_text_is_asked_once_per_value():
    """A function that is slow pays for distinct values, and its chain as well."""
    asked = []

    def slow(city) -> str:
        asked.append(city)
        return city * 2

    def slower(slow) -> int:
        asked.append(slow)
        return len(slow)

    steps = [step_of(feature_of(one, elementwise=True), None) for one in (slow, slower)]
    column = np.array(["aa", "b"] * 600, dtype=object)
    run = ColumnRun({"city": column}, 1200)
    for step in steps:
        run.compute(step)

    assert run.columns["slower"].tolist() == [4, 2] * 600
    assert sorted(asked) == ["aa", "aaaa", "b", "bb"]


def test_sorted_text_is_no_reason_to_take_it_for_few_values():
    """The sample of distinct values is taken from the whole column."""
    column = np.array(["same"] * 500 + [f"v{at}" for at in range(2000)], dtype=object)

    assert batch_kernel.ColumnRun._factorized(column) is None


# -------------------------------------------------------------------- freeing columns


def test_columns_are_freed_after_their_last_reader_and_not_before():
    """A column lives until the last feature that reads it, and no longer."""

    def step(name, *inputs):
        source = f"lambda {', '.join(inputs)}: {' + '.join(inputs)}"
        return step_of(feature_of(eval(source), name=name), None)  # noqa: S307 - made above

    steps = [step("a", "x"), step("b", "x", "a"), step("c", "a", "y"), step("d", "c", "c0")]
    fields = [Field(name, "float64") for name in ("x", "y", "c0")]
    planned = schedule(steps, fields, frozenset({"b", "d"}))
    turns = planned.blocks

    assert planned.whole == ()
    assert [set(turn.unread) for turn in turns] == [set(), {"x", "b"}, {"a", "y"}, {"c", "c0", "d"}]
    assert [turn.kept for turn in turns] == [(), ("b",), (), ("d",)]


def test_intermediate_columns_are_read_by_late_features():
    """A feature may read what was defined long before, and is no output."""
    fs = FeatureSet("late", version="1", inputs=[Field("x", "float64")])
    fs.feature(name="first", output=False)(lambda x: x * 2)
    for at in range(5):
        fs.feature(name=f"middle{at}")(lambda x: x + 1)
    fs.feature(name="last")(lambda first, x: first - x)
    frame = pd.DataFrame({"x": [1.0, -2.5, 0.0]})

    got = assert_agrees(fs.fit(frame), frame)

    assert got[:, -1].tolist() == [1.0, -2.5, 0.0]
    assert "first" not in fs.fit(frame).columns


# ----------------------------------------------------------------- compiled lines


def test_a_feature_that_falls_back_leaves_no_line_behind():
    """What was traced before the fallback is not shared with later features."""

    def half_traced(x, y):
        return np.nan_to_num(np.log1p(x) * y)

    fs = make(half_traced, name="first")
    fs.feature(name="second")(lambda x, y: np.log1p(x) * y)
    fs.feature(name="third")(lambda x, first: np.log1p(x) - first)
    fitted = fs.fit(frame_of(60))

    assert fitted.explain("first").reason == "numpy.nan_to_num"
    assert fitted.explain("second").single_record == "traced"
    assert_agrees(fitted, frame_of(80, seed=4))


def test_one_function_under_two_names():
    """Two features may share a function; neither disturbs the other."""

    def shared(city) -> int:
        return len(city or "")

    fs = make()
    fs.feature(name="one", elementwise=True)(shared)
    fs.feature(name="two", elementwise=True)(shared)
    fs.feature(name="three", elementwise=True)(lambda one, two: one * 0.5 + two)

    assert_agrees(fs.fit(frame_of(30)), frame_of(60))


def test_integers_beyond_floats_may_pass_between_features():
    """They are exact inside, and an error as a result, in every way."""
    fs = make(lambda n: n * 3, name="triple", output=False)
    fs.feature(name="last")(lambda triple: triple % 1000)
    fitted = fs.fit(frame_of(60))
    assert_agrees(fitted, frame_of(60))
    bare = make(lambda n: n * 3, name="triple").fit(small_numbers(9))
    frame = small_numbers(1).assign(n=2**60)

    for call in every_way(bare, frame):
        with pytest.raises(FeatureOutputError, match="beyond 2\\*\\*53"):
            call()


def _backwards_in_memory(x):
    return np.ascontiguousarray(x[::-1])[::-1]


def test_results_that_lie_oddly_in_memory():
    """A view with negative strides is made contiguous before it is read by another feature."""
    fs = FeatureSet("odd", version="1", inputs=[Field("x", "float64")])
    fs.feature(name="flipped")(lambda x: _backwards_in_memory(x))  # noqa: PLW0108 - hides it
    fs.feature(name="after")(lambda flipped: np.log1p(np.abs(flipped)) + np.cbrt(flipped))
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=3000) * 50})

    got = fs.fit(frame).transform(frame)

    x = frame["x"].to_numpy()
    np.testing.assert_array_equal(words(got[:, 1]), words(np.log1p(np.abs(x)) + np.cbrt(x)))
    run = ColumnRun({"x": x.copy()}, 3000)
    run.compute(step_of(fs.features[0], None))
    assert run.columns["flipped"].flags.c_contiguous
    assert not run.columns["x"].flags.writeable


def test_a_feature_that_reads_nothing_nullable_and_constants():
    """A default is a constant of the feature, and takes part in every way."""
    fs = make(lambda y, k=2.5, low=0: np.clip(y * k, low, None), name="a")
    fs.feature(name="b")(lambda y, *, k=3: y**k)
    fitted = fs.fit(frame_of(30))

    assert_agrees(fitted, frame_of(60))


def test_the_order_of_parameters_is_free():
    """`state` may stand anywhere, and inputs may be taken by keyword only."""
    fs = make()

    @fs.feature
    def first(state, x, y):
        return x * state["a"] - y

    @first.fit
    def _(x):
        return {"a": float(np.nanmax(x[np.isfinite(x)]))}

    @fs.feature
    def second(x, state, *, n):
        return np.where(n > 0, x, state["b"])

    @second.fit
    def _(n):
        return {"b": float(n.min())}

    @fs.feature
    def third(*, y):
        return y - 1

    frame = small_numbers(30)
    got = assert_agrees(fs.fit(frame), frame)

    np.testing.assert_array_equal(got[:, 0], frame["x"] * frame["x"].max() - frame["y"])


def test_threads():
    """Many threads may ask one set at the same time, in every way."""
    frame = frame_of(400)
    records = records_of(frame)
    expected = words(SHOP.transform(frame))
    barrier = threading.Barrier(6)

    def work(at):
        barrier.wait()
        for _ in range(3):
            ones = np.array([SHOP.transform_one(one) for one in records[at::6]])
            np.testing.assert_array_equal(words(ones), expected[at::6])
            np.testing.assert_array_equal(words(SHOP.transform(frame)), expected)
            np.testing.assert_array_equal(words(SHOP.transform_many(records)), expected)
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))


def test_a_million_values_agree():
    """Batch and single give the same bits over a million values of every odd kind."""
    frame = frame_of(91_000, seed=11)
    matrix = SHOP.transform(frame)
    ones = np.array([SHOP._run(record) for record in records_of(frame)], dtype=np.float64)

    assert matrix.size > 1_000_000
    np.testing.assert_array_equal(words(ones), words(matrix))
