"""What in the code of a feature makes training and serving differ."""

from __future__ import annotations

import linecache
import math
import os
import pickle
import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from functools import lru_cache, partial, wraps
from math import log1p
from os import environ
from pathlib import Path
from random import random as draw
from time import time as seconds

import numpy as np
import pandas as pd
import pytest
from numpy.random import rand

from prodml.features._lint_rules import RULES
from prodml.features.feature import feature_of
from prodml.features.lint import LintFinding, lint_function

#: What the functions below have around them.
NAMES = {
    "CITIES": frozenset({"paris", "rome"}),
    "COUNTS": np.zeros(3),
    "SEEN": {},
    "SEEN_LIST": [],
    "SEEN_SET": set(),
    "UNTYPED": np.vectorize(len),
    "environ": environ,
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
    # more places where they hide
    ("return x.__hash__()", "builtin_hash"),
    ("return str(x).__hash__() % 100", "builtin_hash"),
    ("return environ['A']", "environment"),
    ("return environ.get('A')", "environment"),
    ("from os import environ as e; return e['A']", "environment"),
    ("return time.strftime('%Y')", "current_time"),
    ("return time.gmtime()", "current_time"),
    ("return time.asctime()", "current_time"),
    ("return time.ctime(3)", "local_time"),
    ("return np.datetime64('now')", "current_time"),
    ("return np.datetime64('today', 'D')", "current_time"),
    ("return pd.to_datetime('now')", "current_time"),
    ("return pd.to_datetime(['now'])", "current_time"),
    ("return pd.Timestamp('now')", "current_time"),
    ("return pd.Timestamp('Today', tz='UTC')", "current_time"),
    ("return datetime.fromtimestamp(3, timezone.utc).astimezone()", "local_time"),
    ("return datetime.fromtimestamp(3, timezone.utc).astimezone(None)", "local_time"),
    ("w = set(x); return ' '.join(w)", "set_order"),
    ("w: set = {'a', 'b'}; return [x == one for one in w]", "set_order"),
    ("w = set(x); v = w; return list(v)", "set_order"),
    ("w = set(x) | {'a'}; return list(w)", "set_order"),
    ("w = set(x).union(y); return list(w)", "set_order"),
    ("w, v = set(x), 3; return tuple(w)", "set_order"),
    ("w = CITIES - {'rome'}; return list(w)", "set_order"),
    ("w = set(x); return w.pop()", "set_order"),
    ("a, b = {'a', 'b'}; return a", "set_order"),
    ("w = set(x); return [*w]", "set_order"),
    ("w = set(x); z = ' '.join(w); w = sorted(w); return z", "set_order"),
    ("w = set(x); return max(w, key=len)", "set_order"),
    ("w = set(x); return sorted(w, key=len)", "set_order"),
    ("w = set(x); return list(zip(w, y))", "set_order"),
    ("w = set(x); w |= {'a'}; return list(w)", "set_order"),
    ("SEEN.setdefault(3, 4); return x", "global_state"),
    ("SEEN[3] = x; return x", "global_state"),
    ("del SEEN[3]; return x", "global_state"),
    ("SEEN_LIST.append(x); return x", "global_state"),
    ("SEEN_SET.add(3); return x", "global_state"),
    ("SEEN.update(a=3); return x", "global_state"),
    ("COUNTS[0] += 1; return x", "global_state"),
    ("np.setting = 3; return x", "global_state"),
    ("return np.vectorize(len)(x)", "vectorize_type"),
    ("return np.vectorize(pyfunc=len)(x)", "vectorize_type"),
    ("return UNTYPED(x)", "vectorize_type"),
    ("return (lambda make: make(len)(x))(np.vectorize)", "vectorize_type"),
    ("return np.fmax(x, 0.0)", "zero_sign"),
    ("return np.fmin(0.0, x)", "zero_sign"),
    ("return x if len(x) > 100 else -x", "row_count"),
    ("return x if x.size == 1 else -x", "row_count"),
    ("return x if x.shape[0] == 1 else -x", "row_count"),
    ("return x if x.shape == (1,) else -x", "row_count"),
    ("n = x * 2; return x if 1 < len(n) else -x", "row_count"),
    ("return np.maximum.reduce(x)", "batch_statistic"),
    ("return np.add.accumulate(x)", "batch_statistic"),
    # columns side by side, and the statistic along them all
    ("return np.max(np.stack([x, y]), axis=1)", "batch_statistic"),
    ("return np.max(np.stack([x, y], axis=1), axis=0)", "batch_statistic"),
    ("return np.mean([x, y])", "batch_statistic"),
    ("return np.mean([x, y], axis=state)", "batch_statistic"),
    ("return np.column_stack([x, y]).max(axis=0)", "batch_statistic"),
    ("return np.sort(np.column_stack([x, y]), axis=0)", "batch_statistic"),
    ("return np.max(np.concatenate([x, y]), axis=0)", "batch_statistic"),
    ("return np.max([*x], axis=0)", "batch_statistic"),
    ("return sum([one for one in x])", "batch_statistic"),
    ("return sum(one * 2 for one in x)", "batch_statistic"),
    ("m = np.column_stack([x, y]); return m[0]", "row_position"),
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
        # rows of several columns
        "return np.max(np.stack([x, y]), axis=0)",
        "return np.max(np.stack([x, y]), 0)",
        "return np.max(np.stack([x, y], axis=1), axis=1)",
        "return np.max(np.stack((x, y), -1), axis=-1)",
        "return np.mean([x, y], axis=0)",
        "return np.mean([x, y], axis=-2)",
        "return np.nanmax(np.column_stack([x, y]), axis=1)",
        "return np.column_stack([x, y]).std(axis=1, ddof=1)",
        "return np.array([x, y]).max(0)",
        "return np.array([x, y]).T.max(axis=1)",
        "return np.transpose([x, y]).max(axis=1)",
        "return np.array([x, y]).transpose().max(axis=1)",
        "return np.vstack([x, y]).min(axis=0)",
        "return np.c_[x, y].sum(axis=1)",
        "return np.isnan(np.column_stack([x, y])).sum(axis=1)",
        "return (np.stack([x, y]) > 3).astype(float).mean(axis=0)",
        "return (-np.stack([x, y]) * 2).mean(axis=0)",
        "m = np.column_stack([x, y]); return m.max(axis=1) - m.min(axis=1)",
        "parts = [x, y]; return np.median(parts, axis=0) - parts[0]",
        "m = np.sort(np.stack([x, y]), axis=0); return m[1]",
        "return np.quantile([x, y], 0.5, 0)",
        "return np.diff(np.column_stack([x, y]))[:, 0]",
        "return np.maximum.reduce([x, y])",
        "return np.average([x, y], axis=0, weights=[0.2, 0.8])",
        "return sum([x, y, x])",
        "return sum((x, y)) / 2",
        "return sum(one * 2 for one in (x, y))",
        # sets whose order doesn't matter
        "w = set('abc'); return ' '.join(sorted(w))",
        "w = set('abc'); w = sorted(w); return ' '.join(w)",
        "w = set('abc'); return len(w) + len(list(w)) + max(w)",
        "w = set('abc'); return any(one in y for one in w)",
        "w = set('abc'); return sorted(one + 'a' for one in w)",
        "w = set('abc'); return {one + 'a' for one in w} == set(list(w))",
        "w = {'a': 1}; return list(w)",
        "for w in x: pass\n    return list(w)",
        # moments that are given
        "return time.strftime('%Y', time.gmtime(3))",
        "return np.datetime64('2026-01-01') + pd.Timestamp('2026-01-01T00Z')",
        "return pd.Timestamp('2026-01-01T00Z').astimezone(timezone.utc)",
        # containers of the call's own
        "seen = {}; seen.setdefault(3, x); seen[3] = x; return seen[3]",
        "SEEN = []; SEEN.append(x); return SEEN",
        "return x * SEEN.get('a', 1)",
        "z = x.copy(); z[x > 3] = 0; return z",
        "total = 0\n    def add():\n        nonlocal total; total = 1\n    return x",
        # the kind of the column is told
        "return np.vectorize(len, otypes=[float])(x)",
        "return np.vectorize(len, [float])(x)",
        "return np.maximum(x, 0)",
        "return np.fmax(3.0, 4.0)",
        "return x if len(x) == 0 else x * 2",
        "return [len(one) > 3 for one in x]",
        "return np.zeros(len(x)) if state.size > 3 else x",
        "n = len(x); (a, b), c = [n, n], n; return max([a, b, c])",
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


def test_what_comparing_rows_shows_is_no_error():
    """A suspicion of rows is proved or cleared by running; the rest is refused."""
    shown = {"batch_statistic", "row_position", "row_count", "zero_sign", "math_function"}

    assert {rule for rule, told in RULES.items() if told.severity == "warning"} == {
        *shown,
        "naive_datetime",
        "no_source",
    }


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


def bucket(value):
    """Differ in every process."""
    return hash(value) % 100


def country():
    """Read the environment."""
    return os.environ["COUNTRY"]


def jittered(value):
    """Call itself."""
    return value + random.random() + (jittered(value) if value else 0)


def age(value):
    """Read the clock."""
    return time.time() - value


def joined(words):
    """Go through a set."""
    kept = {one for one in words if one}
    return " ".join(kept)


def deeper(value):
    """Call another one."""
    return [bucket(value)]


def sound(value, *others):
    """Statistics of what it is given say nothing of rows."""
    return max(value) + value.mean() + value[0] + math.log(value)


cached = lru_cache(bucket)


@dataclass(frozen=True)
class Rates:
    """Has a hash of its own, which nobody calls here."""

    table: dict = field(default_factory=dict)

    def __hash__(self):
        return hash(tuple(self.table))

    def of(self, value):
        """Call a method."""
        return self.place(value)

    @staticmethod
    def place(value):
        """Differ in every process."""
        return hash(value)

    @classmethod
    def today(cls):
        """Read the clock."""
        return cls({date.today(): 1})  # noqa: DTZ011 - the case under test

    @property
    def now(self):
        """Read the clock."""
        return time.time()


class Jitter:
    """Draws when it is made, and when it is called."""

    def __init__(self):
        self.first = random.random()

    def __call__(self, x):
        """Draw again."""
        return x + random.random() + x.max()


RATES = Rates()
JITTER = Jitter()
STEPS = {"place": (bucket,)}
GIVEN = partial(lambda function, value: function(value), bucket)
TYPED = np.vectorize(bucket, otypes=[float])
STATIC = Rates.place
BOUND = RATES.of
ENDLESS = [*range(90)]
ENDLESS += [ENDLESS] * 9


@pytest.mark.parametrize(
    ("feature", "rule", "called"),
    [
        (lambda x: bucket(x), "builtin_hash", "bucket"),  # noqa: PLW0108
        (lambda x: [*map(bucket, x)], "builtin_hash", "bucket"),
        (lambda x: deeper(x) * 2, "builtin_hash", "bucket"),
        (lambda x: cached(x) * 2, "builtin_hash", "bucket"),
        (lambda x: x == country(), "environment", "country"),
        (lambda x: jittered(x) * 2, "random", "jittered"),
        (lambda x: age(x) * 2, "current_time", "age"),
        (lambda x: joined(x) * 2, "set_order", "joined"),
        (lambda x, place=bucket: place(x), "builtin_hash", "bucket"),
        (lambda x: 1 + STEPS["place"][0](x), "builtin_hash", "bucket"),
        (lambda x: 1 + GIVEN(x), "builtin_hash", "bucket"),
        (lambda x: x + TYPED(x), "builtin_hash", "bucket"),
        (lambda x: x + STATIC(x), "builtin_hash", "Rates.place"),
        (lambda x: x + BOUND(x), "builtin_hash", "Rates.place"),
        (lambda x: RATES.of(x), "builtin_hash", "Rates.place"),  # noqa: PLW0108
        (lambda x: Rates.today().of(x), "current_time", "Rates.today"),
        (lambda x: x - RATES.now, "current_time", "Rates.now"),
        (lambda x: x - JITTER(x), "random", "Jitter.__call__"),
        (lambda x: x - Jitter().first, "random", "Jitter.__init__"),
        (partial(lambda scale, x: bucket(x * scale), 3), "builtin_hash", "bucket"),
    ],
)
def test_what_a_feature_calls_is_looked_at(feature, rule, called):
    """The finding names the function, and the line is where it stands."""
    (found,) = (one for one in lint_function(feature) if one.called)

    assert (found.rule, found.called) == (rule, called)
    assert found.message.startswith(f"In `{called}`: `")
    owner, _, name = called.rpartition(".")
    holder = globals()[owner].__dict__[name] if owner else globals()[name]
    plain = getattr(holder, "__func__", getattr(holder, "fget", holder))
    lines = linecache.getlines(__file__)
    start = plain.__code__.co_firstlineno
    assert start < found.line <= start + 3
    assert found.message.split("`")[3].removesuffix("(...)") in lines[found.line - 1]


def test_nothing_is_said_of_rows_in_what_is_called():
    """Which of its parameters are columns is not known; a hash nobody asks for does no harm."""

    def feature(x):
        return sound(x, x) + RATES.table.get(3, 0) + ENDLESS[3]

    assert lint_function(feature) == ()


def test_functions_around_a_feature_are_looked_at():
    """A decorator of the user runs as well, and a helper in a closure."""

    def noisy(function):
        @wraps(function)
        def wrapper(x):
            return function(x) + np.random.normal()  # noqa: NPY002 - the case under test

        return wrapper

    inner = bucket

    @noisy
    def feature(x):
        return inner(x)

    found = lint_function(feature)
    assert {(one.rule, one.called.rpartition(".")[2]) for one in found} == {
        ("builtin_hash", "bucket"),
        ("random", "wrapper"),
    }


def test_a_helper_of_another_module_is_named_with_it(tmp_path, monkeypatch):
    """Read as an attribute, imported by name, or imported when the feature runs."""
    (tmp_path / "lint_places.py").write_text("def place(value):\n    return hash(value)\n")
    monkeypatch.syspath_prepend(tmp_path)
    import lint_places
    from lint_places import place

    def imports(x):
        from lint_places import place as here

        return here(x)

    for feature in (lambda x: lint_places.place(x), lambda x: -place(x), imports):  # noqa: PLW0108
        (found,) = lint_function(feature)
        assert (found.line, found.called) == (2, "place")
        assert found.message.startswith("In `place` of lint_places: `hash(...)`")


def test_functions_that_call_each_other_end():
    """Each is looked at once."""

    def even(x):
        return x == 0 or odd(x - 1)

    def odd(x):
        return x != 0 and (even(x - 1) or hash(x))

    assert [one.called.rpartition(".")[2] for one in lint_function(even)] == ["odd"]


def test_a_default_is_one_object_for_all_calls():
    """What is kept in it stays, and a generator in it draws."""

    def counts(x, seen={}):  # noqa: B006 - the case under test
        seen[3] = x
        return x

    def draws(x, rng=NAMES["GENERATOR"]):
        return x + rng.normal()

    def renews(x, seen={}):  # noqa: B006 - as above
        seen = dict(seen)
        seen[3] = x
        return seen[3]

    assert [one.rule for one in lint_function(counts)] == ["global_state"]
    assert [one.rule for one in lint_function(draws)] == ["random"]
    assert lint_function(renews) == ()


def test_a_container_of_an_object_or_a_closure_stays():
    """Wherever it is held, as long as it is not the call's own."""
    total, cache = 0, {}

    def feature(x):
        nonlocal total
        total += 1
        cache[3] = x
        RATES.table.setdefault(3, x)
        return x

    assert [one.rule for one in lint_function(feature)] == ["global_state"] * 3


def test_itself_is_no_input_of_a_method():
    """What an object holds was learned."""

    class Holder:
        rates = np.arange(3)

        def method(self, x):
            return x - self.rates.mean()

        def __call__(self, x):
            return x - self.rates.max() + x.min()

    assert lint_function(Holder().method) == ()
    assert [one.rule for one in lint_function(Holder())] == ["batch_statistic"]


def test_what_a_partial_gives_is_no_input():
    """By position or by name."""

    def feature(scale, x, rates):
        return x / scale.max() + rates.mean() - x.min()

    found = lint_function(partial(feature, np.arange(3), rates=np.arange(3)))
    assert [one.message.partition("(")[0] for one in found] == ["`x.min"]


def test_an_object_that_stands_for_itself_is_not_read():
    """As its fingerprint is not: it says what it does."""

    class Known:
        def __fingerprint__(self):
            """Return what stands for it."""
            return "known"

        def __call__(self, x):
            """Differ in every process."""
            return hash(x)

    known = Known()
    assert lint_function(known) == ()
    assert lint_function(lambda x: x + known(3)) == ()


def test_a_feature_is_looked_at_as_its_function():
    """Also where another one calls it."""
    place = feature_of(lambda x: bucket(x), name="place")  # noqa: PLW0108

    assert [one.called for one in lint_function(place)] == ["bucket"]
    assert [one.rule for one in lint_function(lambda x: place(x))] == ["builtin_hash"]  # noqa: PLW0108


def test_a_finding_is_plain_data():
    """It pickles, and has a dict."""
    (found,) = lint_function(function("return x.mean()"))

    assert pickle.loads(pickle.dumps(found)) == found
    assert LintFinding(**found.to_dict()) == found
