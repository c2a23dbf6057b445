"""What makes training and serving differ elsewhere, one test for each measured hazard."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from prodml.errors import (
    FeatureDefinitionError,
    InputTypeError,
    RowDependentFeatureError,
)
from prodml.features import FeatureSet, Field, ops
from tests.features.agreement import assert_agrees, words
from tests.features.traced_lines import bits, traced

NUMBER = Field("x", "float64", nullable=True)
TEXT = Field("city", "string", nullable=True)

#: Functions whose last bit depends on how numpy computes them.
TRANSCENDENTAL = [
    *("log", "log1p", "log2", "log10", "exp", "exp2", "expm1", "sin", "cos", "tan", "arcsin"),
    *("arctan", "sinh", "cosh", "tanh", "arcsinh", "arctanh", "cbrt", "sqrt", "arccosh"),
]


def make(*inputs, **functions):
    """Return a set of functions by name."""
    fs = FeatureSet("hazard", version="1", inputs=inputs)
    for name, one in functions.items():
        fs.feature(name=name)(one)
    return fs


def numbers(n_rows=4000, seed=0):
    """Return positive and negative numbers over many magnitudes."""
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(size=n_rows) * 4) * rng.choice([1.0, -1.0], n_rows)


@pytest.mark.parametrize("name", TRANSCENDENTAL)
def test_transcendental_functions_of_strided_and_single_columns(name):
    """Contiguous, strided, offset and length-1 arrays, and a traced line, give the same bits."""
    function = getattr(np, name)
    values = numbers(2000)
    with np.errstate(all="ignore"):
        whole = function(values)
        strided = function(np.repeat(values, 3)[::3])
        offset = function(np.concatenate([[1.0], values])[1:])
        alone = np.concatenate([function(values[at : at + 1]) for at in range(len(values))])
    run, _ = traced(lambda x: function(x), "f")  # noqa: PLW0108 - as a feature calls it
    lines = np.array([run(one) for one in values.tolist()])

    for other in (strided, offset, alone, lines):
        np.testing.assert_array_equal(words(other), words(whole))


@pytest.mark.parametrize("name", ["log1p", "exp", "log10", "cbrt"])
def test_a_reversed_view(name):
    """A frame that is a view with negative strides is made contiguous before it is computed."""
    function = getattr(np, name)
    values = np.abs(numbers())
    fitted = make(Field("x", "float64"), f=lambda x: function(x)).fit(  # noqa: PLW0108
        pd.DataFrame({"x": values})
    )
    backwards = pd.DataFrame({"x": pd.Series(values[::-1], copy=False)})

    np.testing.assert_array_equal(
        words(fitted.transform(backwards)),
        words(fitted.transform(pd.DataFrame({"x": values})))[::-1],
    )
    ones = [fitted.transform_one({"x": one})[0] for one in values[::-1].tolist()]
    np.testing.assert_array_equal(words(ones), words(fitted.transform(backwards)[:, 0]))


@pytest.mark.parametrize("name", ["log1p", "exp", "tanh", "cbrt"])
def test_math_at_serving_and_numpy_at_training(name):
    """The compiled kernel asks numpy; functions of `math` in features of columns are told."""
    function = getattr(np, name)
    run, _ = traced(lambda x: function(x), "f")  # noqa: PLW0108
    for value in np.abs(numbers(3000)).clip(0, 600).tolist():
        assert bits(run(value)) == bits(function(np.array([value])).item())
    frame = pd.DataFrame({"x": numbers(300)})
    fitted = make(NUMBER, f=lambda x: np.array([math.atan(one) for one in x])).fit(frame)
    assert_agrees(fitted, frame)  # the same function in every way, so the same bits
    (finding,) = fitted.check(frame).findings["f"]
    assert (finding.rule, finding.severity) == ("math_function", "warning")


def test_powers_of_scalars():
    """A cube is that of an array, also for a single record, which has no numpy scalars."""
    frame = pd.DataFrame({"x": numbers()})
    fitted = make(NUMBER, cube=lambda x: x**3, power=lambda x: np.abs(x) ** 1.7).fit(frame)

    got = assert_agrees(fitted, frame)

    np.testing.assert_array_equal(words(got[:, 0]), words(frame["x"].to_numpy() ** 3))
    assert fitted.explain("cube").single_record == "columns of length 1"


def test_exact_operations_may_be_plain():
    """Sums, products, quotients, roots, comparisons and rint have lines with the same bits."""
    frame = pd.DataFrame({"x": numbers(), "z": numbers(seed=1)})
    fitted = make(
        NUMBER,
        Field("z", "float64"),
        sums=lambda x, z: (x + z) * (x - z) / z,
        roots=lambda x: np.sqrt(np.abs(x)) // 0.3 % 0.07,
        tests=lambda x, z: (x < z) & (x != 0),
        rint=lambda x: np.rint(x) + np.floor(x),
    ).fit(frame)

    assert_agrees(fitted, frame)
    assert {one.single_record for one in fitted.explain().features} == {"traced"}


def test_rounding_of_python_and_numpy():
    """2.675 is rounded as numpy does it, in every way; Python would say 2.67."""
    frame = pd.DataFrame({"x": [2.675, 0.5, 1.5, 2.5, -0.4, 1e300, 0.285]})
    fitted = make(
        NUMBER,
        cents=lambda x: np.round(x, 2),
        whole=lambda x: np.round(x) * 1,
        method=lambda x: x.round(1),
    ).fit(frame)

    got = assert_agrees(fitted, frame)

    assert got[0, 0] == 2.68 != round(2.675, 2)
    assert got[:, 1].tolist() == [3.0, 0.0, 2.0, 2.0, -0.0, 1e300, 0.0]


def test_short_cuts_of_the_power_operator():
    """Squares and roots take the short cuts of numpy, in every way."""
    frame = pd.DataFrame({"x": np.abs(numbers())})
    fitted = make(
        NUMBER, square=lambda x: x**2, root=lambda x: x**0.5, inverse=lambda x: x**-1
    ).fit(frame)

    got = assert_agrees(fitted, frame)

    x = frame["x"].to_numpy()
    np.testing.assert_array_equal(got[:, 0], x * x)
    np.testing.assert_array_equal(got[:, 1], np.sqrt(x))
    np.testing.assert_array_equal(got[:, 2], 1 / x)


OTHER_CPU = """
import numpy as np, pandas as pd
from tests.features import test_hazards as h
frame = pd.DataFrame({"x": h.numbers(1500)})
fs = h.make(h.NUMBER, **{
    name: (lambda f: lambda x: f(np.where(np.isnan(x), 0.5, x)))(getattr(np, name))
    for name in h.TRANSCENDENTAL
}, power=lambda x: np.abs(x) ** 1.7, zeros=lambda x: np.maximum(x, 0.0))
fitted = fs.fit(frame)
print("agrees on", len(h.assert_agrees(fitted, frame)), "rows")
"""


def cpu_features():
    """Return what numpy dispatches on here, beyond what it always needs."""
    try:
        from numpy._core import _multiarray_umath as umath
    except ImportError:
        from numpy.core import _multiarray_umath as umath
    return [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]


def test_another_processor():
    """On a processor with fewer features values differ by an ulp, and all ways still agree."""
    disabled = cpu_features()
    if not disabled:
        pytest.skip("this processor has nothing that could be switched off")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(OTHER_CPU)],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(disabled)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("agrees on 1500 rows")


def test_float32_at_training_and_float64_at_serving():
    """A column of float32 is widened before it is computed, so that log1p(23.36) is one value."""
    frame = pd.DataFrame({"x": np.array([23.36, 0.1, 1e-3], dtype=np.float32)})
    fitted = make(NUMBER, f=lambda x: np.log1p(x)).fit(frame)  # noqa: PLW0108
    got = fitted.transform(frame)[:, 0]

    expected = np.log1p(frame["x"].to_numpy().astype(np.float64))
    np.testing.assert_array_equal(words(got), words(expected))
    assert got[0] != float(np.log1p(np.float32(23.36)))
    for value, wanted in zip(frame["x"], expected, strict=True):
        assert fitted.transform_one({"x": value})[0] == wanted
        assert fitted.transform_one({"x": float(value)})[0] == wanted


def test_a_batch_statistic_inside_a_feature():
    """`x - x.mean()` is refused by the proof, also where it hides."""
    frame = pd.DataFrame({"x": [1.0, 8.0]})

    def hidden(x):
        return np.mean(x)

    for function in (lambda x: x - x.mean(), lambda x: x - hidden(x)):
        with pytest.raises(RowDependentFeatureError) as caught:
            make(NUMBER, f=function).fit(frame)
        assert (caught.value.batch_value, caught.value.single_value) == (-3.5, 0.0)


@pytest.mark.parametrize("missing", [None, math.nan, np.float64("nan"), pd.NA, pd.NaT], ids=repr)
def test_none_and_nan_as_a_category(missing):
    """Whatever says that a category is missing, its encoding is the same, in every way."""
    rows = ["Rome", None, "Oslo", None, "Rome"]
    y = [1.0, 0.0, 0.0, 1.0, 1.0]
    fs = FeatureSet("hazard", version="1", inputs=[TEXT])
    fs.add(
        ops.target_mean("city", crossfit=None), ops.frequency("city"), ops.one_hot("city", ["Rome"])
    )
    plain = fs.fit(pd.DataFrame({"city": pd.Series(rows, dtype=object)}), y)
    given = pd.DataFrame({"city": pd.Series([one or missing for one in rows], dtype=object)})
    fitted = fs.fit(given, y)

    assert fitted.fingerprint == plain.fingerprint
    np.testing.assert_array_equal(words(fitted.transform(given)), words(plain.transform(given)))
    expected = words(plain.transform_one({"city": None})).tolist()
    for record in ({"city": missing}, {}):
        assert words(fitted.transform_one(record)).tolist() == expected
        assert words(fitted.transform_many([record] * 40))[39].tolist() == expected


def test_a_single_record_with_a_missing_category():
    """A column of one missing text does not turn into a number, and nothing is raised."""
    fs = make(TEXT, known=lambda city: np.where(city == "Rome", 1.0, 0.0))
    fs.feature(name="length", elementwise=True)(lambda city: -1 if city is None else len(city))
    fitted = fs.fit(pd.DataFrame({"city": ["Rome", "Oslo"]}))

    for frame in (
        pd.DataFrame([{"city": None}]),
        pd.DataFrame([{"city": math.nan}]),
        pd.DataFrame({"city": pd.Series([None], dtype="str" if pd.__version__ >= "3" else object)}),
        pd.DataFrame({"city": pd.Categorical([None], categories=["Rome"])}),
    ):
        assert fitted.transform(frame).tolist() == [[0.0, -1.0]]
    assert fitted.transform_one({"city": None}).tolist() == [0.0, -1.0]


def test_the_builtin_hash():
    """`hash` is refused, and the hash of prodml is the same in every process."""
    fs = FeatureSet("hazard", version="1", inputs=[TEXT])
    fs.feature(name="f", elementwise=True)(lambda city: hash(city) % 1024)
    with pytest.raises(FeatureDefinitionError, match=r"`hash\(...\)`"):
        fs.fit(pd.DataFrame({"city": ["paris"]}))
    code = "from prodml.features import ops; print(ops.hash_bucket('city')('paris'))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {f"{ops.hash_bucket('city')('paris')}\n"}


def test_integers_that_wrap():
    """Integers are of 64 bits, whatever the column was, and wrap in the kernel as in numpy."""
    narrow = pd.DataFrame({"n": np.array([70_000, -70_000, 2**31 - 1], dtype=np.int32)})
    fs = make(
        Field("n", "int64"),
        square=lambda n: (n * n) % 1_000_003,
        wrapped=lambda n: (n + (2**63 - 1)) % 1009,
        negative=lambda n: -n // 7 % 1009,
    )
    fitted = fs.fit(narrow)

    got = assert_agrees(fitted, narrow)
    assert got[0, 0] == 4_900_000_000 % 1_000_003 != 605_032_704 % 1_000_003
    ends = pd.DataFrame({"n": [2**63 - 1, -(2**63), 0, 1]})
    assert_agrees(fitted, ends)
    assert fitted.transform_one({"n": 1})[1] == -(2**63) % 1009


def test_the_standard_deviation_of_pandas_and_numpy():
    """One is learned, once, and kept as state: nobody computes it again at serving."""
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    fs = FeatureSet("hazard", version="1", inputs=[NUMBER])
    fs.add(ops.scale("x"))
    fitted = fs.fit(frame)
    chunked = fs.fit_chunks([frame[2:], frame[:2]])

    assert fitted.state("x_scaled").width in {np.std([1, 2, 3]), pd.Series([1.0, 2.0, 3.0]).std()}
    assert chunked.fingerprint == fitted.fingerprint
    assert_agrees(fitted, frame)


def test_edges_of_buckets():
    """A value on an edge falls into one bucket, in every way."""
    edges = [0.0, 1.0, 2.5]
    frame = pd.DataFrame({"x": [0.0, -0.0, 1.0, 2.5, 0.5, 3.0, -1.0, np.nan, np.inf, -np.inf]})
    fs = make(NUMBER, place=lambda x: np.digitize(x, edges))
    fs.add(ops.bucketize("x", edges))

    got = assert_agrees(fs.fit(frame), frame)

    assert got[:, 0].tolist() == np.digitize(frame["x"], edges).tolist()


def test_upper_case():
    """What text becomes is decided by Python, for a batch and for one."""
    frame = pd.DataFrame({"city": ["Straße", "ß", "İ", "ǆ"] * 300})
    fs = FeatureSet("hazard", version="1", inputs=[TEXT])
    fs.feature(name="upper", elementwise=True)(lambda city: city and city.upper())
    fs.feature(name="width", elementwise=True)(lambda upper: len(upper or ""))

    got = assert_agrees(fs.fit(frame), frame)

    assert got[:4, 0].tolist() == [7.0, 2.0, 1.0, 1.0]


def test_the_hour_of_another_time_zone():
    """The hour is that of UTC whatever zone the time is in, and a time without zone is refused."""
    fs = FeatureSet("hazard", version="1", inputs=[Field("at", "timestamp[us, UTC]")])
    fs.feature(name="hour")(lambda at: at // 3_600_000_000 % 24)
    moment = datetime(2024, 7, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    frame = pd.DataFrame({"at": [moment]})
    fitted = fs.fit(frame)

    assert assert_agrees(fitted, frame).tolist() == [[4.0]]
    for same in (
        moment.astimezone(UTC),
        pd.Timestamp(moment),
        pd.Timestamp(moment).tz_convert("Asia/Tokyo"),
    ):
        assert fitted.transform_one({"at": same}).tolist() == [4.0]
        assert fitted.transform(pd.DataFrame({"at": [same]})).tolist() == [[4.0]]
    naive = datetime(2024, 7, 1, 23, 30)
    for call in (
        lambda: fitted.transform_one({"at": naive}),
        lambda: fitted.transform(pd.DataFrame({"at": [naive]})),
    ):
        with pytest.raises(InputTypeError, match="has no time zone"):
            call()


def test_nan_that_reaches_a_feature_as_none():
    """A feature sees NaN for a missing number, never None, however the record says it."""
    seen = []

    class Look:
        __name__ = "look"

        def __fingerprint__(self):
            """Return what stands for it."""
            return "look"

        def __call__(self, x):
            """Return a number, and remember what came."""
            seen.append(type(x))
            return x + 1.0

    from prodml.features import Feature

    fs = FeatureSet("hazard", version="1", inputs=[NUMBER])
    fs.add(Feature(name="look", function=Look(), inputs=("x",), elementwise=True))
    fitted = fs.fit(pd.DataFrame({"x": [1.0, None]}))
    for record in ({"x": None}, {"x": math.nan}, {"x": pd.NA}, {}):
        assert math.isnan(fitted.transform_one(record)[0])
        assert np.isnan(fitted.transform_many([record] * 40)).all()

    assert set(seen) == {float}


def test_category_codes_and_dummies_of_one_row():
    """Codes and columns are those that were learned or declared; codes of a batch are refused."""
    frame = pd.DataFrame({"city": ["Rome", "Oslo", "Bonn"]})
    fs = FeatureSet("hazard", version="1", inputs=[TEXT])
    fs.add(ops.one_hot("city"), ops.ordinal("city"))
    fitted = fs.fit(frame)

    got = assert_agrees(fitted, frame)
    assert fitted.transform(frame[2:]).tolist() == got[2:].tolist()
    assert fitted.transform(frame[2:]).shape[1] == len(fitted.columns)

    def codes(city):
        return pd.Categorical(city).codes

    with pytest.raises(RowDependentFeatureError):
        make(TEXT, f=lambda city: codes(city) * 1).fit(frame)
