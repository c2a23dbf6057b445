"""Fingerprints of code: which edits change them, and which things they can tell."""

from __future__ import annotations

import argparse
import array
import ast
import datetime as dt
import dis
import fractions
import functools
import importlib.util
import inspect
import itertools
import json
import linecache
import logging
import math
import operator
import os
import pickle
import re
import statistics
import subprocess
import sys
import textwrap
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from scipy import special

from prodml._core.function_source import find_function
from prodml.errors import FeatureError, FingerprintError, FormatError
from prodml.features._bytecode import is_compiled_from
from prodml.features._global_reads import reads_of_function
from prodml.features._syntax_dump import constant_text, dump_function
from prodml.features.fingerprint import CodeFingerprint, fingerprint_function
from tests.features.fingerprinted import rates, zoo

#: What the functions of the zoo have had as their digests since the format "prodml.code.1". If one
#: changes, so do all fingerprints that anyone has stored: raise the number of the format then.
GOLDEN = {
    "constants": "a07457d8a490c9f72b61fa9b7aef689c6a490ce317df19ff7b2be57a96beab4d",
    "f_strings": "12ebfcde201eea673b03e0d0ef22ac7e086abb87484b87d4d3290456e4e42ab3",
    "matches": "e7059d7f244d4b3ab7232fa1213fc9de9b90bfdd2f68de48206bdae0fd8c5972",
    "expressions": "42cad61bdf0d9d985f81fc61311224587b6e1ea3c2fba09c3ac1ec9444fd2fa8",
    "statements": "d1e9557427e5a3e7a30118d84dd902f9b6f468686a09793d9a55c1bcda6cc609",
    "groups": "8c3f52f647c8a2abad7b7e2e628eb924528da0d8aeea0431769defb6eae6cc52",
    "calls": "90723a6243afc2fdba37a49694b16303c4f81329e0252e533643338354b87edd",
    "reads_values": "ea719caba298ad4b1e8e31ff4bb631ad23cd682ed0dd5ae346f22e0ffeb268d2",
    "mutual": "38652e8d1f4b7fc492bd0f53c5c3720fd895959944e39e1a6e8a2824e66d22d8",
    "other": "43ff0e8b22d582a623333d09b499ff94c52a993f0f5942f08c3cffce0d923628",
    "cached": "a506b71dd68b5bed0225ebb72339d756d2afa4665c30caeead7dcd577987b736",
    "reads_cached": "a87cf49dd94fb1c564d58a396072cc5143ed246b73a386429e5c9605bd2a0a59",
    "reads_imports": "8742f8908e9e89616770368add59c44706bbc2ed46b75e737f7e832e0925a2fe",
    "made": "8563a0f4092efc8dba28db4445c786f087ce6f4f063e05d16a0d5c2436b61728",
    "doubled": "d0ec4132b33d2e1b0e30bdf7a36de91a7ebadc4e7a7e04ac8d5e5412d698cefe",
    "shorter": "c0e67f50b2fd9f33dfddd2fd6c3c73d93520ad127daa14b6227ca2e6a129b6db",
    "by_object": "51c0c4f140e23497ce5a817f4c189142bdde195d52460a3519b2b952a0f85532",
    "by_method": "82a12aafd77f1e4cb6b8e94d2595437abe1533d98845eb55d047cf71b130ba28",
    "by_partial": "953d258b3bb218d6e824a9ddede18107a2480443de4044a8fad892c49dbc35f1",
}

MODULE = '''
import numpy as np
from math import log1p as grow

LIMIT = 10.0
LEVELS = {"low": 1, "high": 2}
UNREAD = 1


def around(factor):
    def scaled(x):
        return x * factor
    return scaled


def helper(x):
    step = x + LIMIT
    return np.where(step > 0, step, -step)


class Money:
    cents = 100

    def of(self, x):
        return x * self.cents


scaled = around(2)


def feature(amount, k=3, *, extra=(1, 2)):
    """Say what it is."""
    a = np.log1p(amount) + 1.5
    # a comment
    b = helper(a) * k + scaled(a)
    return [b * LEVELS["high"], extra, Money().of(a), grow]
'''


@pytest.fixture
def load(tmp_path):
    """Return a function that imports text as a module of its own."""
    numbers = itertools.count()
    names = []

    def load_text(text, name=None):
        name = name or f"edited_{next(numbers)}_{tmp_path.name}"
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load_text
    for name in names:
        sys.modules.pop(name, None)


def digest(function):
    """Return the digest of a function, which must not be weak."""
    found = fingerprint_function(function)
    assert found.weaknesses == ()
    return found.digest


# ------------------------------------------------------------------------------------- edits


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another comment"),
        ('    """Say what it is."""\n', '    """Say something else."""\n'),
        ('    """Say what it is."""\n', ""),
        ("a = np.log1p(amount) + 1.5", "a  =  np.log1p( amount )+1.5"),
        ("a = np.log1p(amount) + 1.5", "a = (\n        np.log1p(amount)\n        + 1.5\n    )"),
        ("def helper(x):", "def helper(x: float) -> float:"),
        ("def feature(amount, k=3", "def feature(amount: float, k: int = 3"),
        ("a = np.log1p(amount)", "a: float = np.log1p(amount)"),
        ("    # a comment", "    b: float"),
        ("def helper", "\n\n\nSHIFTED = 1\n\n\ndef helper"),
        ("def feature(", "def registered(f):\n    return f\n\n\n@registered\ndef feature("),
        ("def helper(", "def registered(f):\n    return f\n\n\n@registered\ndef helper("),
        ("UNREAD = 1", "UNREAD = 2"),
        ("LIMIT = 10.0", "LIMIT = 100.0 / 10"),
        ('["high"]', "['high']"),
        ("10.0", "1e1"),
    ],
)
def test_what_does_not_run_does_not_count(load, old, new):
    """Comments, docstrings, layout, annotations, decorators and lines leave a digest as it is."""
    assert old in MODULE

    before, after = load(MODULE), load(MODULE.replace(old, new))

    assert digest(before.feature) == digest(after.feature)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("+ 1.5", "+ 1.6", "feature"),
        ("np.log1p(amount)", "np.log(amount)", "feature"),
        ("amount, k=3", "amount, k=4", "feature: default k"),
        ("amount, k=3", "amount, k=3.0", "feature: default k"),
        ("amount, k=3", "amount, kk=3", "feature"),
        ("extra=(1, 2)", "extra=[1, 2]", "feature: default extra"),
        ("* k +", "* k -", "feature"),
        ("step > 0", "step >= 0", "helper"),
        ("step = x + LIMIT\n    return np.where(step > 0, step, -step)",
         "s = x + LIMIT\n    return np.where(s > 0, s, -s)", "helper"),
        ("LIMIT = 10.0", "LIMIT = 11.0", "helper: global LIMIT"),
        ("LIMIT = 10.0", "LIMIT = 10", "helper: global LIMIT"),
        ('"high": 2', '"high": 3', "feature: global LEVELS"),
        ('{"low": 1, "high": 2}', '{"high": 2, "low": 1}', "feature: global LEVELS"),
        ("around(2)", "around(3)", "around.scaled: around factor"),
        ("x * factor", "factor * x", "around.scaled"),
        ("cents = 100", "cents = 1000", "Money"),
        ("x * self.cents", "x / self.cents", "Money"),
        ("import log1p as", "import expm1 as", "feature: global grow"),
        ("scaled = around(2)", "scaled = around(2)\nMoney.cents = 5", "Money: has cents"),
        ("scaled = around(2)", "scaled = print", "feature: global scaled"),
        ("LIMIT = 10.0\n", "", "helper: global LIMIT"),
    ],
)  # fmt: skip
def test_what_runs_counts(load, old, new, part):
    """Bodies, defaults, closures, globals, helpers and classes change it; the part is named."""
    assert old in MODULE

    before = fingerprint_function(load(MODULE).feature)
    after = fingerprint_function(load(MODULE.replace(old, new)).feature)

    assert before.digest != after.digest
    assert part in before.changes(after)
    assert before.changes(after) == after.changes(before)
    assert before.diff(after)


def test_a_changed_constant_shows_in_the_difference(load):
    """The values that code reads stand beside its source."""
    before = fingerprint_function(load(MODULE).feature)
    after = fingerprint_function(load(MODULE.replace("LIMIT = 10.0", "LIMIT = 11.0")).feature)

    lines = before.diff(after).splitlines()

    assert "-# helper: global LIMIT = 10.0" in lines
    assert "+# helper: global LIMIT = 11.0" in lines
    assert before.diff(before) == ""
    assert before.changes(before) == ()


def test_a_difference_is_never_without_a_word():
    """Also where neither the source nor a part shows it."""
    found = fingerprint_function(rates.halve)

    told = found.diff(replace(found, digest="0"))

    assert told == "The source is alike, but these differ: what was declared about it."


def test_the_name_of_a_function_and_of_its_module_do_not_count(load):
    """A notebook and a module that say the same agree."""
    module = load(MODULE)
    renamed = load(MODULE.replace("def feature(", "def renamed("))

    assert digest(module.feature) == digest(renamed.renamed)


def run(code, **environ):
    """Return what another interpreter prints."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "COVERAGE_"))}
    command = [sys.executable, "-c", code]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        command, env=kept | environ, cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout


PRINT_ALL = """
import json
from prodml.features.fingerprint import fingerprint_function
from tests.features.fingerprinted import zoo
from tests.features.test_fingerprint import GOLDEN
print(json.dumps({name: fingerprint_function(getattr(zoo, name)).digest for name in GOLDEN}))
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_every_process_agrees(seed):
    """The seed of Python's hash does not count, nor does what was loaded before."""
    assert json.loads(run(PRINT_ALL, PYTHONHASHSEED=seed)) == GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_every_version_of_python_agrees(name):
    """The digests of everything that syntax can say are known."""
    found = fingerprint_function(getattr(zoo, name))

    assert (found.digest, found.weaknesses) == (GOLDEN[name], ())


def test_a_script_and_a_module_agree(load, tmp_path):
    """What runs as `__main__` has the digest it has when it is imported."""
    module = load(MODULE)
    script = tmp_path / "script.py"
    ask = "\nfrom prodml.features.fingerprint import fingerprint_function"
    script.write_text(MODULE + ask + "\nprint(fingerprint_function(feature).digest)")

    done = run(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')")

    assert done.strip() == digest(module.feature)


def test_a_cell_of_a_notebook_agrees(load):
    """Its source comes from where Python keeps the lines of what was typed."""
    module = load(MODULE)
    name = "<ipython-input-1-fingerprint>"
    linecache.cache[name] = (len(MODULE), None, MODULE.splitlines(keepends=True), name)
    scope = {"__name__": "__main__"}
    for statement in ast.parse(MODULE).body:  # as a notebook does
        exec(compile(ast.Module([statement], []), name, "exec"), scope)  # noqa: S102 - so do they

    assert digest(scope["feature"]) == digest(module.feature)


# ----------------------------------------------------------------------------- without source


def executed(text, **scope):
    """Return the function `f` of text of which Python keeps no lines."""
    exec(text, scope)  # noqa: S102 - that is the case under test
    return scope["f"]


def test_without_source_the_bytecode_counts():
    """And the fingerprint says that it is weak."""
    found = fingerprint_function(executed("def f(x): return x + K", K=1), name="fee")

    assert found.weak
    assert found.weaknesses == ("fee has no source: it is known by its bytecode",)
    same = fingerprint_function(executed("def f(x): return x + K", K=1))
    assert found.digest == same.digest
    for other in ("def f(x): return x + 1", "def f(x): return x - K", "def f(x): return x"):
        assert fingerprint_function(executed(other, K=1)).digest != found.digest
    assert fingerprint_function(executed("def f(x): return x + K", K=2)).digest != found.digest


def test_without_source_modules_are_followed_too():
    """Of a module, what is read by attribute counts."""
    text = "def f(x): return np.log1p(x) + rates.RATE + (lambda: rates.halve(x))()"

    found = fingerprint_function(executed(text, np=np, rates=rates))

    assert {"f: global np.log1p", "f: global rates.RATE", "halve"} <= found.parts.keys()


def test_a_class_without_source_is_known_by_its_members():
    """Methods and bases count."""
    text = "class C:\n    def m(self): return {}\ndef f(x): return C().m()"
    found = {fingerprint_function(executed(text.format(one))).digest for one in (1, 2)}

    assert len(found) == 2


def test_an_edited_file_is_no_source(load):
    """What runs is not what stands there now, so that its bytecode counts, and it is told."""
    module = load("def f(x):\n    return x + 1\n")
    before = fingerprint_function(module.f)
    Path(module.__file__).write_text("def f(x):\n    return x - 1 # edited\n", encoding="utf-8")

    after = fingerprint_function(module.f)

    assert not before.weak
    assert after.weaknesses == (
        "f runs other code than its source says: it is known by its bytecode",
    )
    assert before.digest != after.digest


def test_an_edited_class_is_no_source(load):
    """The methods that run are not those of the file."""
    text = "class C:\n    def m(self):\n        return 1\ndef f(x):\n    return C().m()\n"
    module = load(text)
    Path(module.__file__).write_text(text.replace("return 1", "return 2"), encoding="utf-8")

    assert any("C has no source" in one for one in fingerprint_function(module.f).weaknesses)


# --------------------------------------------------------------------------------- what is read


def reading(value):
    """Return a function that closes over a value."""

    def function(x):
        return x, value

    return function


class Plain:
    def __init__(self, **held):
        self.__dict__.update(held)


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


class Offering:
    def __init__(self, said):
        self.said = said

    def __fingerprint__(self):
        return self.said


@dataclass
class Point:
    x: float
    y: float = 0.0


class Model(BaseModel):
    x: float


class Other(Enum):
    RED = "r"


class Cents(int):
    pass


class ByClass:
    @classmethod
    def __fingerprint__(cls):
        return "of the class"


class Words(list):
    pass


def itself():
    """Return a list that holds itself."""
    values = [1]
    values.append(values)
    return values


#: Makers of values: no two rows alike, and each the same whenever it is made.
VALUES = [
    lambda: None, lambda: True, lambda: 1, lambda: 1.0, lambda: 1j, lambda: "1", lambda: b"1",
    lambda: 0.0, lambda: -0.0, lambda: math.nan, lambda: math.inf, lambda: ..., lambda: 10**5000,
    lambda: (1, 2), lambda: [1, 2], lambda: {1, 2}, lambda: frozenset({1, 2}), lambda: [2, 1],
    lambda: [[1], 2], lambda: {"a": 1, "b": 2}, lambda: {"b": 2, "a": 1}, lambda: {1: "a"},
    lambda: {"paris", "berlin", "rome"}, lambda: OrderedDict(a=1), lambda: Counter("aab"),
    lambda: defaultdict(int, a=1), lambda: defaultdict(list, a=1), lambda: deque([1, 2]),
    lambda: range(3), lambda: slice(1, 2), lambda: bytearray(b"1"), lambda: "", lambda: "\udc80",
    lambda: np.array([1, 2]), lambda: np.array([1.0, 2.0]), lambda: np.array([[1, 2]]),
    lambda: np.array([1, 2], dtype="int8"), lambda: np.array(["a", None], dtype=object),
    lambda: np.array([0.0]), lambda: np.array([-0.0]), lambda: np.array([np.nan]),
    lambda: np.array(["2026-01-01"], dtype="datetime64[D]"), lambda: np.array([], dtype="f8"),
    lambda: np.ma.masked_array([1, 2], mask=[0, 1]), lambda: np.float64(1), lambda: np.int64(1),
    lambda: np.dtype("f4"), lambda: np.dtype("f8"), lambda: np.array([(1, 2.0)], dtype="i8,f8"),
    lambda: zoo.Colour.RED, lambda: zoo.Colour.GREEN, lambda: "r", lambda: Other.RED,
    lambda: Point(1.0), lambda: Point(1.0, 2.0), lambda: Model(x=1), lambda: Model(x=2),
    lambda: zoo.Scale(1.0), lambda: Plain(a=1), lambda: Plain(a=2), lambda: Slotted(1),
    lambda: Words([1, 2]), lambda: SimpleNamespace(a=1), itself,
    lambda: dt.datetime(2026, 1, 1), lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    lambda: dt.datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), lambda: dt.time(1),
    lambda: dt.datetime(2026, 1, 1, fold=1), lambda: dt.date(2026, 1, 1), lambda: dt.UTC,
    lambda: dt.timedelta(1), lambda: ZoneInfo("Europe/Berlin"), lambda: Decimal("1.0"),
    lambda: Decimal("1.00"), lambda: fractions.Fraction(1, 3), lambda: UUID(int=1),
    lambda: Path("a/b"), lambda: re.compile("a"), lambda: re.compile("a", re.IGNORECASE),
    lambda: re.compile(b"a"), lambda: operator.itemgetter(1), lambda: operator.itemgetter(2),
    lambda: pd.Series([1, 2]), lambda: pd.Series([1, 3]), lambda: pd.Series([1, 2], name="a"),
    lambda: pd.Series([1, 2], index=[5, 6]), lambda: pd.DataFrame({"a": [1, 2]}),
    lambda: pd.DataFrame({"b": [1, 2]}), lambda: pd.Index([1, 2]), lambda: pd.NA, lambda: pd.NaT,
    lambda: pd.Series(["a", None]), lambda: pd.Series(["a", 1]), lambda: pd.Categorical(["a"]),
    lambda: pd.MultiIndex.from_tuples([("a", 1)]), lambda: pd.Period("2026-01", "M"),
    lambda: pd.Series([dt.datetime(2026, 1, 1)]), lambda: pd.Timestamp("2026-01-01", tz="UTC"),
    lambda: len, lambda: print, lambda: int, lambda: str.lower, lambda: "a".join, lambda: "b".join,
    lambda: np.log1p, lambda: np.log, lambda: np.mean, lambda: special.expit, lambda: math.log1p,
    lambda: np.linalg.norm, lambda: pd.Timestamp, lambda: dt.datetime.fromtimestamp,
    lambda: functools.partial(math.pow, 2), lambda: functools.partial(math.pow, 3),
    lambda: rates.halve, lambda: zoo.cached, lambda: zoo.Scale, lambda: zoo.Colour,
    lambda: zoo.made(1), lambda: zoo.made(2), lambda: zoo.by_object, lambda: zoo.by_method,
    lambda: np.vectorize(rates.halve), lambda: np, lambda: math, lambda: list[int],
    lambda: Offering("a"), lambda: Offering("b"), lambda: Offering(b"a"), lambda: Cents(1),
    lambda: Cents(2), lambda: array.array("d", [1.0]), lambda: array.array("f", [1.0]),
    lambda: np.longdouble(1), lambda: np.array([1, 2], dtype="longdouble"), lambda: ByClass,
    lambda: pd.offsets.Day(2), lambda: functools.cmp_to_key,
]  # fmt: skip


def test_no_two_values_are_alike_and_each_is_like_itself():
    """The type counts, and so does all of the content."""
    digests = [
        fingerprint_function(reading(make()), name="f").digest for make in [*VALUES, *VALUES]
    ]

    first, second = digests[: len(VALUES)], digests[len(VALUES) :]
    assert first == second
    assert len(set(first)) == len(VALUES)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (np.arange(6), np.arange(12)[::2] // 2),
        (np.arange(6), np.arange(6)[::-1][::-1]),
        (np.array([1.5], dtype=">f8"), np.array([1.5], dtype="<f8")),
        (pd.Series(["a", "b"], dtype=object), pd.Series(["a", "b"], dtype="string")),
        (pd.Series([1, 2], dtype="int8"), pd.Series([1, 2])),
        (logging.getLogger("a"), logging.getLogger("b")),
        (threading.Lock(), threading.Lock()),
    ],
)
def test_how_a_value_is_held_does_not_count(first, second):
    """Memory layout and byte order, dtypes of pandas, and what no value depends on."""
    assert digest(reading(first)) == digest(reading(second))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(st.integers() | st.text())
    ),
    max_leaves=10,
)


def exact(value):
    """Return what tells two plain values apart."""
    if isinstance(value, dict):
        return dict, tuple((exact(key), exact(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(exact, value))
    if isinstance(value, frozenset):
        return frozenset, frozenset(map(exact, value))
    return type(value), value.hex() if isinstance(value, float) else value


@given(values, values)
def test_digests_are_equal_where_values_are(first, second):
    """Down to the type of each item and the sign of a zero."""
    one, other = (fingerprint_function(reading(value)).digest for value in (first, second))

    assert (one == other) == (exact(first) == exact(second))
    assert one == fingerprint_function(reading(pickle.loads(pickle.dumps(first)))).digest


def test_values_show_as_they_are_written():
    """Short ones in full, on one line; long or foreign ones by a digest."""

    def function(x):
        return x, rates.RATE, LINES, LONG, np.log1p, EDGES

    shown = fingerprint_function(function).source

    assert " = 0.25\n" in shown
    assert " = 'a\\nb\\x85'\n" in shown
    assert " = numpy.log1p\n" in shown
    assert re.search(r"LONG = str [0-9a-f]{12}\n", shown)
    assert re.search(r"EDGES = ndarray [0-9a-f]{12}\n", shown)


LINES = "a\nb\x85"
LONG = "x" * 1000
EDGES = np.arange(3)


# ----------------------------------------------------------------------------- what cannot be told


def numbers():
    """Yield a number."""
    yield 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (numbers, "generator"),
        (lambda: iter([1]), "list_iterator"),
        (itertools.count, "count"),
        (lambda: np.random.default_rng(0), "Generator"),
        (lambda: np.frompyfunc(abs, 1, 1), "ufunc"),
        (inspect.currentframe, "frame"),
        (special.errstate, "errstate"),
        (lambda: [1, {"a": iter([1])}], "list_iterator"),
        (lambda: Plain(a=iter([1])), "list_iterator"),
        (lambda: Point(iter([1])), r"list_iterator' in a Point"),
        (lambda: rates, "module 'tests.features.fingerprinted.rates' itself"),
        (lambda: Offering(1), "__fingerprint__ gives a int"),
        (lambda: memoryview(b"a"), "memoryview"),
    ],
)
def test_what_cannot_be_told_is_refused(make, told):
    """The message names the feature, what it reads, and the repair."""
    value = make()

    def function(x):
        return x, value

    with pytest.raises(FingerprintError, match=told) as caught:
        fingerprint_function(function, name="fee")

    assert isinstance(caught.value, FeatureError | TypeError)
    assert (caught.value.feature, caught.value.name) == ("fee", "around value")
    assert "__fingerprint__" in str(caught.value)
    assert "Feature 'fee'" in str(caught.value)


def test_the_helper_that_reads_it_is_named(load):
    """So that the fault is found in code that the feature only calls."""
    text = MODULE.replace("LIMIT = 10.0", "LIMIT = iter([1])")

    with pytest.raises(FingerprintError, match=r"'global LIMIT' \(in 'helper'\) holds"):
        fingerprint_function(load(text).feature)


@pytest.mark.parametrize("given_", [5, "text", None, int, zoo.Scale, object()])
def test_only_functions_have_fingerprints(given_):
    """A class or a value is no feature."""
    with pytest.raises(FingerprintError, match="a feature is a function"):
        fingerprint_function(given_)


def test_an_offered_fingerprint_stands_for_the_object():
    """Whatever else it holds; also on a function, and for a class by a class method."""

    def function(x):
        return x

    before = fingerprint_function(function).digest
    function.__fingerprint__ = "1"
    offered = fingerprint_function(function).digest
    function.__fingerprint__ = lambda: "2"

    assert len({before, offered, fingerprint_function(function).digest}) == 3


# ------------------------------------------------------------------------------------ libraries


def test_libraries_are_known_by_name_and_their_versions_stand_apart():
    """A new release leaves a digest as it is, and is told."""

    def function(x):
        return np.log1p(x) + special.expit(x) + math.pi

    found = fingerprint_function(function)

    assert found.distributions == {"numpy": np.__version__, "scipy": scipy.__version__}


def test_code_of_prodml_is_a_library():
    """Its functions are known by their names, and by what they were made with."""
    found = fingerprint_function(dump_function)

    assert not found.weak
    assert "prodml" in found.distributions
    assert len(found.parts) == 1


def test_a_function_imported_inside_is_followed(load):
    """An import in the body is a read like any other."""
    found = fingerprint_function(zoo.reads_imports)

    assert "halve" in found.parts
    assert "reads_imports: import .rates.RATE" in found.parts
    missing = load("def f(x):\n    from nowhere_to_be_found import y\n    return y\n")
    assert not fingerprint_function(missing.f).weak


@pytest.mark.parametrize("place", ["site-packages", "src"])
@pytest.mark.parametrize("loaded", [True, False])
def test_a_library_is_what_is_installed(tmp_path, monkeypatch, load, place, loaded):
    """A package without a file of its own is one too, and need not be imported to be known."""
    folder = tmp_path / place / f"spread_{place[:3]}_{loaded}"
    folder.mkdir(parents=True)
    (folder / "inner.py").write_text("def g(x):\n    return x\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / place))
    if loaded:
        importlib.import_module(f"{folder.name}.inner")
    module = load(f"def f(x):\n    from {folder.name}.inner import g\n    return g(x)\n")

    found = fingerprint_function(module.f)

    assert ("g" in found.parts) == (place == "src")
    assert (folder.name in sys.modules) == (loaded or place == "src")
    for name in (folder.name, f"{folder.name}.inner"):
        sys.modules.pop(name, None)


def test_a_library_that_is_not_loaded_has_the_same_name_as_when_it_is(load):
    """What else a process has imported does not count."""
    text = "def f(x):\n    import xmlrpc.client\n    return xmlrpc.client.Fault\n"
    code = """
import sys
from prodml.features.fingerprint import fingerprint_function
from tests.features.fingerprinted import rates
def ask():
    import linecache
    text = {text!r}
    linecache.cache["<asked>"] = (len(text), None, text.splitlines(keepends=True), "<asked>")
    scope = {{"__name__": "__main__"}}
    exec(compile(text, "<asked>", "exec"), scope)
    return fingerprint_function(scope["f"]).digest
before = ask()
assert "xmlrpc" not in sys.modules
import xmlrpc.client
print(before, ask())
"""
    first, second = run(code.format(text=text)).split()

    assert first == second == digest(load(text).f)


def test_a_dispatching_function_is_all_its_functions(load):
    """What was registered later counts as well."""
    text = """
    from functools import singledispatch

    @singledispatch
    def f(x):
        return x

    @f.register
    def _(x: int):
        return x + 1
    """
    text = textwrap.dedent(text)
    found = {digest(load(one).f) for one in (text, text.replace("x + 1", "x + 2"))}

    assert len(found) == 2


def test_compiled_code_of_the_users_own_is_weak(monkeypatch):
    """Its name is all that can be seen."""
    monkeypatch.setattr(math.sqrt, "__module__", "own_extension")

    assert fingerprint_function(math.sqrt).weaknesses == (
        "sqrt is compiled: what it does is not seen",
    )


def test_what_a_library_made_is_its_name_and_what_it_was_made_with():
    """Two operations with other options differ, and the name of a class may have a version."""
    from prodml._core.canonical_scalars import Unreadable
    from prodml._lazy import attach

    made = [
        attach("json", submodules=one, attributes={})[0]
        for one in (["decoder"], ["encoder"], ["decoder"])
    ]
    first, second, same = (digest(one) for one in made)

    assert first == same != second
    before = digest(reading(Unreadable))
    Unreadable._fingerprint_version = 2
    try:
        assert digest(reading(Unreadable)) != before
    finally:
        del Unreadable._fingerprint_version


def test_a_cell_that_is_not_set_yet_is_undefined():
    """A function may be defined before what it reads."""

    def outer():
        def f(x):
            return x, later

        before = fingerprint_function(f).digest
        later = 1
        return before, fingerprint_function(f).digest

    before, after = outer()

    assert before != after


def test_where_code_stands_may_be_read(load):
    """Its file and module are no part of what it does."""
    text = "def f(x):\n    return x, __file__, __name__\n"

    assert digest(load(text).f) == digest(load(text).f)


def test_a_relative_import_needs_a_package(load):
    """Where there is none, what it reads is undefined, as it is for Python."""
    module = load("def f(x):\n    from .. import y\n    return y\n")

    assert fingerprint_function(module.f).source.endswith(": import .. = undefined\n")
    assert not fingerprint_function(module.f).weak


def test_a_cell_with_more_than_python_has_source():
    """A command of the notebook below a function does not hide it."""
    text = "def f(x):\n    return x\n%time f(1)\n"
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    scope = {"__name__": "__main__"}
    exec(compile(text.partition("%")[0], "<cell>", "exec"), scope)  # noqa: S102 - so do notebooks

    assert digest(scope["f"]) == digest(rates_identity)


def rates_identity(x):
    """Return it."""
    return x


def test_names_that_only_the_compiler_uses_hide_no_source():
    """Code that closes over a scope of a type parameter is compared by its file alone."""
    found = find_function(rates.halve.__code__)
    odd = rates.halve.__code__.replace(co_freevars=(".generic_base",))

    assert is_compiled_from(rates.halve.__code__, found.node, found.file_text)
    assert not is_compiled_from(odd, found.node, found.file_text)


def test_a_module_of_a_package_may_be_imported_inside(tmp_path, monkeypatch, load):
    """`from package import module` loads the module, if nobody has yet."""
    folder = tmp_path / "own_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "inner.py").write_text("def g(x):\n    return x\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = load("def f(x):\n    from own_package import inner\n    return inner.g(x)\n")

    assert "g" in fingerprint_function(module.f).parts

    for name in ("own_package", "own_package.inner"):
        sys.modules.pop(name, None)


def test_functions_of_one_name_have_parts_of_their_own():
    """The second one is numbered."""
    first, second = zoo.made(1), zoo.made(2)

    def function(x):
        return first(x), second(x)

    parts = fingerprint_function(function).parts
    assert {"made.scaled", "made.scaled (2)"} <= parts.keys()
    assert parts["made.scaled"] == parts["made.scaled (2)"]
    assert parts["made.scaled: around factor"] != parts["made.scaled (2): around factor"]


def test_nesting_without_end_is_refused():
    """Rather than a failure deep inside Python."""
    deep = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(FingerprintError, match="nested too deeply"):
        fingerprint_function(reading(deep), name="f")


def test_pieces_of_an_f_string_are_joined():
    """Versions of Python split its text otherwise."""
    whole, split = (ast.parse("def f(x): return f'ab{x}'").body[0] for _ in range(2))
    pieces = split.body[0].value.values  # noqa: PD011 - of a syntax tree
    pieces[:1] = [ast.Constant("a"), ast.Constant(""), ast.Constant("b")]
    pieces[-1].format_spec = ast.JoinedStr([ast.Constant("")])

    assert dump_function(split) == dump_function(whole)


def test_functions_may_be_joined():
    """A feature and its `fit` are one thing, in this order."""
    first, second = (fingerprint_function(one, name="f") for one in (rates.halve, zoo.other))

    both = CodeFingerprint.joined([first, second], name="f")

    assert both.digest not in {first.digest, second.digest}
    assert both.digest != CodeFingerprint.joined([second, first], name="f").digest
    assert {"f", "f [2]"} <= both.parts.keys()
    assert both.source == f"{first.source}\n{second.source}"
    assert both.distributions == {**first.distributions, **second.distributions}


def test_recursion_ends():
    """Functions that call each other have digests, and each its own."""
    first, second = digest(zoo.mutual), digest(zoo.other)

    assert first != second
    assert {"mutual", "other"} <= fingerprint_function(zoo.mutual).parts.keys()


def test_equal_copies_of_a_helper_are_one(load):
    """What counts is what helpers do, not whether two names stand for one object."""
    text = "def f(x):\n    return a(x), b(x)\ndef a(x):\n    return x\n"
    shared = load(text + "b = a\n")
    copied = load(text + "def b(x):\n    return x\n")

    assert digest(shared.f) == digest(copied.f)


def test_a_wrapped_function_is_read(load):
    """A decorator's wrapper counts, and so does what it wraps."""
    text = """
    import functools

    def twice(f):
        @functools.wraps(f)
        def wrapper(x):
            return f(x) * 2
        return wrapper

    @twice
    def f(x):
        return x + 1
    """
    text = textwrap.dedent(text)
    found = {digest(load(one).f) for one in (text, text.replace("x + 1", "x + 2"),
                                             text.replace("* 2", "* 3"))}  # fmt: skip

    assert len(found) == 3


def test_methods_with_private_names_and_super_have_source(load):
    """The compiler spells them otherwise inside a class."""
    text = """
    class Base:
        def m(self, x):
            return x
    class C(Base):
        __k = 2
        def m(self, x):
            return super().m(x) * self.__k
    f = C().m
    """
    text = textwrap.dedent(text)
    found = {digest(load(one).f) for one in (text, text.replace("return x\n", "return -x\n"))}

    assert len(found) == 2


def test_lambdas_on_one_line_differ():
    """The one that runs is found by the places of its instructions."""
    first, second, same = (lambda x: x + 1), (lambda x: x + 2), (lambda x: x + 1)

    assert digest(first) == digest(same) != digest(second)


# -------------------------------------------------------------------------------- the reading


@pytest.mark.parametrize("module", [argparse, statistics, inspect, textwrap, fractions, ast])
def test_reads_are_those_of_the_compiler(module):
    """The rules of scopes agree with what Python compiles, over modules of its own."""
    functions = [
        one
        for owner in (module, *(c for c in vars(module).values() if inspect.isclass(c)))
        for one in vars(owner).values()
        if isinstance(one, FunctionType) and one.__module__ == module.__name__
    ]
    compared = 0
    for function in functions:
        found = find_function(function.__code__)
        if found is None or found.node.name != function.__code__.co_name:
            continue
        names = set(reads_of_function(found.node).names) - {"__class__", "super"}
        own = set(function.__code__.co_freevars)
        assert names - own == compiled_reads(function.__code__) - {"super"}, function
        compared += 1
    assert compared > 5


def compiled_reads(code):
    """Return the globals that code loads, by its instructions."""
    loaded = {
        str(one.argval)
        for one in dis.get_instructions(code)
        if one.opname in {"LOAD_GLOBAL", "LOAD_NAME"}
    }
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return loaded.union(*map(compiled_reads, inner)) - {"__name__", "__module__"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(x): return (lambda K: K)(x) + K", {"K": {()}}),
        ("def f(x): return [K for K in x] + K", {"K": {()}}),
        ("def f(x): return [x for x in K]", {"K": {()}}),
        ("def f(x): return [(y := i) for i in x], y", {}),
        ("def f(x):\n def g():\n  return y\n y = 1\n return g", {}),
        ("def f(x):\n class C:\n  y = 1\n  def g(self): return y\n return C", {"y": {()}}),
        ("def f(x):\n global y\n y += 1\n return y", {"y": {()}}),
        ("def f(x: K, y=K) -> K: return x", {}),
        ("def f(x):\n y: K = x\n return y", {}),
        ("def f(x):\n try: pass\n except E as e: return e", {"E": {()}}),
        ("def f(x):\n match x:\n  case C(y) | [*y] | {**y}: return y", {"C": {()}}),
        ("def f(x):\n def g(y=K): return y\n return g", {"K": {()}}),
        ("def f(x):\n y = 1\n def g():\n  nonlocal y\n  y = K\n return g", {"K": {()}}),
        ("def f(x): return np.log(x) + np.linalg.norm(x)", {"np": {("log",), ("linalg", "norm")}}),
        ("def f(x): return f(x).np", {"f": {()}}),
        ("def f(x):\n import np\n return np.log(x)", {}),
    ],
)
def test_names_follow_the_rules_of_scopes(text, names):
    """What is the function's own in one place may be global in another."""
    assert dict(reads_of_function(ast.parse(text).body[0]).names) == names


@given(st.integers() | st.floats() | st.booleans() | st.text() | st.binary() | st.complex_numbers())
def test_literals_are_told_apart(value):
    """A literal reads as itself, whatever its type."""
    assert constant_text(value) == constant_text(value)
    assert constant_text(value).isascii()
    if isinstance(value, int) and not isinstance(value, bool):
        assert constant_text(value) != constant_text(float(min(max(value, -9), 9)))


# --------------------------------------------------------------------------------- the object


def test_it_is_kept_as_json():
    """What was written can be read again."""
    found = fingerprint_function(zoo.calls)

    again = CodeFingerprint.from_dict(json.loads(json.dumps(found.to_dict())))

    assert again == found
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    "change",
    [
        {"digest": 1},
        {"weaknesses": "abc"},
        {"weaknesses": [1]},
        {"parts": []},
        {"parts": {"a": 1}},
        {"surplus": ""},
    ],
)
def test_other_json_is_refused(change):
    """With the key that is at fault."""
    content = fingerprint_function(zoo.calls).to_dict() | change

    with pytest.raises(FormatError, match="fingerprint"):
        CodeFingerprint.from_dict(content)


def test_it_shows_itself():
    """In a line, a table and a frame."""
    found = fingerprint_function(executed("def f(x): return x"), name="<b>")

    assert repr(found) == f"<CodeFingerprint <b>: {found.digest[:12]}, 1 parts, weak>"
    assert "&lt;b&gt;" in found._repr_html_()
    assert found.to_frame()["part"].tolist() == ["<b>"]
    with pytest.raises(AttributeError):
        found.digest = "0"
