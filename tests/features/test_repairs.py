"""What a feature that is refused says about how to mend it."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
import pandas as pd
import pytest

from prodml.errors import FeatureDefinitionError, FeatureOutputError
from prodml.features import FeatureSet, Field
from prodml.features._failure_advice import advice_for
from prodml.features.feature import feature_of

INPUTS = [Field("x", "float64"), Field("text", "string", nullable=True)]
FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0], "text": ["a", None, "b"]})


def refused(function, *, elementwise=False):
    """Return the message with which a feature is refused when it is fitted."""
    fs = FeatureSet("repairs", version="1", inputs=INPUTS)
    fs.feature(name="odd", elementwise=elementwise)(function)
    with pytest.raises(FeatureOutputError) as caught:
        fs.fit(FRAME)
    assert caught.value.feature == "odd"
    return str(caught.value)


def _writes(x):
    x[x > 1] = 0.0
    return x


def _adds(x):
    x += 1
    return x


FAILURES = {
    "writes": (_writes, "Inputs are read-only: use np.where, or work on x.copy()."),
    "adds": (_adds, "Inputs are read-only: use np.where, or work on x.copy()."),
    "sorts": (lambda x: x.sort() or x, "Inputs are read-only: use np.where, or work on x.copy()."),
    "fillna": (lambda x: x.fillna(0), "numpy columns, not pandas: use functions of numpy"),
    "map": (lambda text: text.map({"a": 1}), "elementwise=True to get one value at a time."),
    "str": (lambda text: text.str.len(), "numpy columns, not pandas"),
    "dt": (lambda x: x.dt.hour, "numpy columns, not pandas"),
    "lower": (lambda text: text.lower(), "elementwise=True to get one value at a time."),
    "if": (lambda x: x if x > 2 else -x, "A column has no truth: use np.where, or declare"),
    "max": (lambda x: max(x, 2), "A column has no truth: use np.where, or declare"),
    "float": (lambda x: float(x), "takes one number, and not a column"),  # noqa: PLW0108
    "add": (lambda text: text + "!", "missing text is None, so return a value for it first."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_how_to_mend_it(name):
    """After what Python says, which is kept."""
    function, repair = FAILURES[name]
    message = refused(function)

    assert message.startswith("Feature 'odd' failed: ")
    assert repair in message
    assert ".. " not in message


@pytest.mark.parametrize(
    ("function", "repair"),
    [
        (lambda text: len(text.lower()), "missing text is None, so return a value for it first."),
        (lambda x: x.fillna(0), "Here it is one plain value of Python"),
    ],
)
def test_a_failure_of_one_value_says_how_to_mend_it(function, repair):
    """An elementwise feature sees no arrays."""
    assert repair in refused(function, elementwise=True)


def _raises(x):
    message = "no idea." if x.size else ""
    raise LookupError(message)


def test_other_failures_are_told_as_they_are():
    """Without advice that may be wrong."""
    assert refused(_raises) == "Feature 'odd' failed: LookupError: no idea."
    assert advice_for(AttributeError("raised by hand")) == ""
    assert advice_for(AttributeError("odd", name="odd", obj=object())) == ""
    assert advice_for(TypeError("odd")) == ""


def _masked(x):
    return np.ma.masked_greater(x, 2.0)


RESULTS = {
    "masked": (_masked, "a masked array", "Return result.astype(float).filled(np.nan)."),
    "generator": (
        lambda x: (one for one in x),
        "a generator, which is no column",
        "Return np.array([... for ... in ...])",
    ),
    "map": (lambda x: map(abs, x), "a map, which is no column", "Return np.array("),
    "dict": (lambda x: dict.fromkeys(x), "a dict, which is no column", "Return np.array("),  # noqa: PLW0108
    "set": (lambda x: {*sorted(x)}, "a set, which is no column", "Return np.array("),
    "two columns": (
        lambda x: np.column_stack([x, x]),
        "an array of shape (3, 2) for 3 rows",
        "Return one column, as result[:, 0], and write a feature for each of the others.",
    ),
    "two rows": (
        lambda x: np.stack([x, x]),
        "an array of shape (2, 3) for 3 rows",
        "Return one column, as result[0], and write a feature for each of the others.",
    ),
    "one column": (
        lambda x: x[:, None],
        "an array of shape (3, 1) for 3 rows",
        "Return the one column of it, as result[:, 0].",
    ),
    "one row": (
        lambda x: x[None, :],
        "an array of shape (1, 3) for 3 rows",
        "Return the one column of it, as result[0].",
    ),
    "frame": (
        lambda x: pd.DataFrame({"a": x}),
        "an array of shape (3, 1) for 3 rows",
        "Return the one column of it, as result[:, 0].",
    ),
    "one value": (
        lambda x: 3.0,  # noqa: ARG005 - it names what is read
        "one value for 3 rows",
        "a constant is np.full_like(x, value).",
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_no_column_says_what_to_return(name):
    """A mask is not dropped in silence, and a generator not taken for one value."""
    function, what, repair = RESULTS[name]
    message = refused(function)

    assert f"Feature 'odd' returned {what}" in message
    assert repair in message


@pytest.mark.parametrize("result", [[1.0], np.array([1.0]), (1.0,), np.ma.masked], ids=repr)
def test_one_value_is_a_plain_one(result):
    """A list for one row is not a value."""
    message = refused(lambda x: result, elementwise=True)  # noqa: ARG005 - it names what is read

    assert "where floats are expected" in message
    assert message.endswith("An elementwise feature returns one plain value: "
                            "a number, a boolean or text.")  # fmt: skip


async def _waits(x):
    return x


async def _waits_often(x):
    yield x


def _yields(x):
    yield from x


class _WaitingObject:
    __name__ = "waiting"

    async def __call__(self, x):
        """Return it at some time."""
        return x


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (_waits, "'_waits' is an async function, .*Write it with `def`"),
        (_waits_often, "'_waits_often' is an async function"),
        (_WaitingObject(), "'waiting' is an async function"),
        (functools.partial(_waits), "'partial' is an async function"),
        (_yields, r"'_yields' is a generator: it has a `yield`. Return one column"),
        (
            feature_of(lambda x: x, name="root"),
            "'root' is a feature already. Decorate a function once",
        ),
        (lambda x: x, "got '<lambda>'. A lambda has no name: give name=."),
        (functools.partial(math.atan2, 1.0), "got ''. A partial has no name: give name=."),
    ],
)
def test_what_is_no_feature_is_refused_where_it_is_written(function, match):
    """And nothing is called, so that nothing is `never awaited`."""
    fs = FeatureSet("repairs", version="1", inputs=INPUTS)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FeatureDefinitionError, match=match) as caught:
            fs.feature(function)
    assert len(caught.value.faults) >= 1
    assert fs.features == ()


def test_a_name_that_is_given_is_kept():
    """The advice is followed."""
    assert feature_of(functools.partial(math.pow, 2.0), name="power").name == "power"


def test_a_wrapper_that_waits_is_a_function():
    """What it wraps may be async, as long as it is not itself."""

    @functools.wraps(_waits)
    def waiting(x):
        return x + 1

    assert feature_of(waiting).name == "_waits"
