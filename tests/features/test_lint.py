"""What in the code of a feature makes training and serving differ."""

from __future__ import annotations

import linecache
import math
import os
import pickle
import random
import time
import uuid
from datetime import date, datetime, timezone
from math import log1p
from pathlib import Path
from random import random as draw
from time import time as seconds

import numpy as np
import pandas as pd
import pytest
from numpy.random import rand

from prodml.features._lint_rules import RULES
from prodml.features.lint import LintFinding, lint_function

#: What the functions below have around them.
NAMES = {
    "CITIES": frozenset({"paris", "rome"}),
    "GENERATOR": np.random.default_rng(0),
    "Path": Path,
    "date": date,
    "datetime": datetime,
    "draw": draw,
    "log1p": log1p,
    "math": math,
    "mean": np.mean,
    "np": np,
    "os": os,
    "pd": pd,
    "rand": rand,
    "random": random,
    "seconds": seconds,
    "time": time,
    "timezone": timezone,
    "uuid": uuid,
}


def function(text):
    """Return a function of text."""
    source = f"def f(x, y=None, state=None):\n    {text}\n"
    name = f"<lint {text}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    scope = dict(NAMES)
    exec(compile(source, name, "exec"), scope)  # noqa: S102 - the table below is text
    return scope["f"]


FAULTS = [
    ("return hash(x) % 10", "builtin_hash"),
    ("return [hash(one) for one in x]", "builtin_hash"),
    ("return random.random()", "random"),
    ("return draw()", "random"),
    ("return np.random.normal(size=3)", "random"),
    ("return np.random.default_rng(0).normal()", "random"),
    ("return rand(3)", "random"),
    ("return GENERATOR.normal()", "random"),
    ("return uuid.uuid4()", "random"),
    ("return os.urandom(3)", "random"),
    ("import random as r; return r.choice(x)", "random"),
    ("return datetime.now(timezone.utc)", "current_time"),
    ("return datetime.utcnow()", "current_time"),
    ("return date.today()", "current_time"),
    ("return time.time()", "current_time"),
    ("return seconds()", "current_time"),
    ("return pd.Timestamp.now('UTC')", "current_time"),
    ("return (lambda: time.time())()", "current_time"),
    ("return os.environ['A']", "environment"),
    ("return os.environ.get('A')", "environment"),
    ("return os.getenv('A')", "environment"),
    ("return open('a').read()", "outside_read"),
    ("return Path.read_text('a')", "outside_read"),
    ("return pd.read_csv('a')", "outside_read"),
    ("return np.load('a')", "outside_read"),
    ("import requests; return requests.get('a')", "outside_read"),
    ("return [x == one for one in {'a', 'b'}]", "set_order"),
    ("return list(set(x))", "set_order"),
    ("return ','.join({'a', 'b'})", "set_order"),
    ("return [x == one for one in CITIES]", "set_order"),
    ("return tuple(frozenset(x))", "set_order"),
    ("return x - x.mean()", "batch_statistic"),
    ("return x / x.std(ddof=1)", "batch_statistic"),
    ("return x.rank()", "batch_statistic"),
    ("return x.cumsum()", "batch_statistic"),
    ("return x.shift(1)", "batch_statistic"),
    ("return np.mean(x)", "batch_statistic"),
    ("return mean(x)", "batch_statistic"),
    ("return np.mean(x + 1)", "batch_statistic"),
    ("return np.median(a=x) if False else np.median(x)", "batch_statistic"),
    ("return x - np.nanmax(x)", "batch_statistic"),
    ("return np.diff(x)", "batch_statistic"),
    ("return np.unique(x)", "batch_statistic"),
    ("return pd.get_dummies(x)", "batch_statistic"),
    ("return pd.factorize(x)[0]", "batch_statistic"),
    ("return max(x)", "batch_statistic"),
    ("return sum(x)", "batch_statistic"),
    ("z = x * 2; return z - z.mean()", "batch_statistic"),
    ("return (x + y).sum()", "batch_statistic"),
    ("z, w = x, 1; return z.max()", "batch_statistic"),
    ("return (z := x + 1) - z.min()", "batch_statistic"),
    ("import numpy; return numpy.var(x)", "batch_statistic"),
    ("return x - x[0]", "row_position"),
    ("return x - x[-1]", "row_position"),
    ("return math.log1p(x)", "math_function"),
    ("return log1p(x)", "math_function"),
    ("return np.array([math.tanh(one) for one in x])", "math_function"),
    ("from math import exp; return exp(x)", "math_function"),
    ("return datetime.fromtimestamp(x[0:1])", "local_time"),
    ("return date.fromtimestamp(3)", "local_time"),
    ("return time.localtime(3)", "local_time"),
    ("return datetime(2026, 1, 1)", "naive_datetime"),
    ("return datetime.strptime('a', 'b')", "naive_datetime"),
    ("return datetime.utcfromtimestamp(1)", "naive_datetime"),
    ("global TOTAL; TOTAL = 1", "global_state"),
]


@pytest.mark.parametrize(("text", "rule"), FAULTS)
def test_each_hazard_is_found(text, rule):
    """With its line, and a message that says what to do."""
    found = lint_function(function(text))

    assert rule in {one.rule for one in found}
    assert {one.line for one in found} == {2}
    for one in found:
        assert one.severity == RULES[one.rule].severity
        assert one.message.startswith("`")
        assert one.message.endswith(RULES[one.rule].repair)


def test_every_rule_has_a_case():
    """No rule stands in the table alone."""
    assert {rule for _, rule in FAULTS} | {"no_source"} == RULES.keys()


@pytest.mark.parametrize(
    "text",
    [
        "return np.log1p(x)",
        "return np.maximum(x, 0) - np.minimum(x, y)",
        "return max(3, 4) + min(x.size, 5) + sum([1, 2])",
        "return np.zeros(len(x)) + x.shape[0] + max([1, 2])",
        "return (x - state.mean) / state.std",
        "return state.mean() + np.mean(state)",
        "return x * math.log(2) + math.pi",
        "return datetime(2026, 1, 1, tzinfo=timezone.utc)",
        "return datetime.fromtimestamp(3, tz=timezone.utc)",
        "return datetime.fromtimestamp(3, timezone.utc)",
        "return [one in CITIES for one in x]",
        "return sorted({'a', 'b'})",
        "return [x == one for one in sorted(CITIES)]",
        "hash = len; return hash(x)",
        "return x.astype(float)[:, None] if x.ndim else x",
        "return x[x > 0]",
        "return max(x, 3)",
        "return [1, 2][0]",
        "return [one[0] for one in x]",
        "random = x; return random",
    ],
)
def test_what_is_sound_is_left_alone(text):
    """Other functions of the same libraries, state, and names that are the function's own."""
    assert lint_function(function(text)) == ()


@pytest.mark.parametrize(
    "text", ["return math.log1p(x)", "return max(x)", "return x[0]", "return x.max()"]
)
def test_an_elementwise_function_has_one_row(text):
    """It gets a value and not a column; what depends on the process is found all the same."""
    assert lint_function(function(text), elementwise=True) == ()
    assert lint_function(function("return hash(x)"), elementwise=True)


def test_parameters_that_are_no_inputs_are_named():
    """What is learned may have a mean."""
    both = lint_function(function("return state.mean() + y.mean()"), without=())

    assert len(both) == 2
    assert lint_function(function("return y.mean()"), without=("y", "state")) == ()


def test_findings_come_in_the_order_of_lines():
    """The line is that of the file, whatever stands above the function."""

    def feature(x):
        first = x.mean()

        return first + hash("a")

    start = feature.__code__.co_firstlineno
    assert [(one.line - start, one.rule) for one in lint_function(feature)] == [
        (1, "batch_statistic"),
        (3, "builtin_hash"),
    ]


def test_lambdas_methods_and_closures_are_read():
    """Wherever the code stands."""
    numbers = np

    class Holder:
        def method(self, x):
            return numbers.mean(x)

    for one in (lambda x: x.max() + 1, Holder().method, lambda x: 1 + numbers.mean(x)):
        found = lint_function(one)
        assert [finding.rule for finding in found] == ["batch_statistic"]
        assert found[0].line >= one.__code__.co_firstlineno


def test_what_has_no_source_is_told():
    """And what is no Python has nothing to be looked at."""
    scope = {}
    exec("def f(x): return x.mean()", scope)  # noqa: S102 - that is the case under test

    (found,) = lint_function(scope["f"])

    assert (found.rule, found.severity) == ("no_source", "warning")
    assert lint_function(np.log1p) == ()
    assert lint_function(len) == ()


def test_what_is_not_set_yet_has_no_name():
    """A function may be looked at before what it reads is there."""

    def feature(x):
        return later(x)

    assert lint_function(feature) == ()
    later = np.mean
    assert len(lint_function(feature)) == 1


def test_a_finding_is_plain_data():
    """It pickles, and has a dict."""
    (found,) = lint_function(function("return x.mean()"))

    assert pickle.loads(pickle.dumps(found)) == found
    assert LintFinding(**found.to_dict()) == found
