"""Features come back as they were, from JSON and from pickles, or not at all."""

from __future__ import annotations

import copy
import importlib
import json
import math
import pickle
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from prodml.errors import FingerprintError, FitError, FormatError, SkewError
from prodml.features import FeatureSet, Field, _traced_operations, ops
from prodml.features._tracer import Operand, as_operand
from tests.features.agreement import assert_agrees, records_of, words

INPUTS = [Field("x", "float64", nullable=True), Field("city", "string", nullable=True)]
FRAME = pd.DataFrame(
    {"x": [1.0, np.nan, 3.5, -0.0], "city": pd.Series(["a", None, "b", "a"], dtype=object)}
)


@dataclass(frozen=True)
class Inner:
    low: float
    names: tuple[str, ...] = ()


@dataclass
class Centre:
    mean: float
    inner: Inner
    by_city: dict[str, float] = field(default_factory=dict)


class Model(BaseModel):
    mean: float
    edges: list[float]
    note: str | None = None


def with_state(state, annotation=None, function=None):
    """Return a set whose one feature learns a given state."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)

    def plus(x, state):
        return x + 1 if state is None else x + 2

    if annotation is not None:
        plus.__annotations__["state"] = annotation
    made = fs.feature(name="plus")(function or plus)
    # what is learned is no part of the code, or it would change the fingerprint of it
    made.fit(Learn(state))
    return fs


class Learn:
    """Learns what it is told, whatever the rows are."""

    def __init__(self, state):
        self.state = state

    def __fingerprint__(self):
        """Return what stands for it."""
        return "learn"

    def __call__(self, x):
        """Return what is to be learned."""
        return self.state


STATES = {
    "float": (0.1, None),
    "minus_zero": (-0.0, None),
    "nan": (math.nan, None),
    "infinity": (-math.inf, None),
    "int": (2**70, None),
    "bool": (True, None),
    "text": ("ß\ud7ff\0", None),
    "tuple": ((1, 2.5, ("a", None)), None),
    "list": ([1, [2.0]], None),
    "dict": ({"a": 1.0, "b": {"c": [None]}, 3: "x"}, None),
    "numpy_float": (np.float64(0.1), None),
    "numpy_int": (np.int64(3), None),
    "numpy_bool": (np.bool_(True), None),
    "numpy_text": (np.str_("a"), None),
    "float32": (np.float32(0.1), None),
    "array": (np.array([0.1, np.nan, -0.0]), None),
    "dataclass": (Centre(0.1, Inner(-0.0, ("a", "b")), {"Rome": 1.5}), Centre),
    "dataclass_of_numpy": (Centre(np.float64(0.1), Inner(np.float64(2.0))), Centre),
    "dataclass_of_nan": (Centre(math.nan, Inner(math.inf)), Centre),
    "pydantic": (Model(mean=0.1, edges=[1.0, 2.5], note=None), Model),
    "optional": (Inner(1.0), Inner | None),
    "annotated_float": (0.5, float),
    "annotated_dict": ({"a": 1.5}, dict[str, float]),
}


def same_value(one, other):
    """Return whether two states are alike to the bit."""
    if isinstance(one, np.ndarray):
        return other.dtype == one.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return float(one).hex() == float(other).hex()
    return repr(one) == repr(other) or one == other


@pytest.mark.parametrize("name", STATES)
def test_states_come_back(name):
    """A state of any plain kind is what it was, and so is the fingerprint."""
    state, annotation = STATES[name]
    fs = with_state(state, annotation)
    fitted = fs.fit(FRAME)

    text = fitted.to_json()
    back = fs.restore(text)

    assert same_value(fitted.state("plus"), back.state("plus"))
    if annotation is not None:
        assert type(back.state("plus")) is type(state)
    assert back.fingerprint == fitted.fingerprint
    assert back.to_json() == text
    assert fs.restore(text.encode()).columns == fitted.columns
    json.loads(text)


class Odd:
    pass


def of_a_local_class():
    """Return a state whose class no other process could find."""

    @dataclass
    class Local:
        mean: float

    return Local(1.0)


@pytest.mark.parametrize("state", [object(), Odd(), {"a": Odd()}, [lambda: 1], {1.0: {2, Odd}}])
def test_states_that_cannot_be_stored(state):
    """What has no form in JSON is refused at fit, not at the first restart."""
    with pytest.raises(
        FingerprintError, match="state of 'plus' holds what cannot be stored"
    ) as one:
        with_state(state).fit(FRAME)
    assert one.value.feature == "plus"


@pytest.mark.parametrize(
    ("state", "annotation"),
    [
        (Inner(1.0), None),
        (of_a_local_class(), None),
    ],
)
def test_states_that_would_come_back_otherwise(state, annotation):
    """A class that is not known is told in time."""
    fitted = with_state(state, annotation).fit(FRAME)

    with pytest.raises(FingerprintError, match=r"'plus'.*would not come back as it is") as caught:
        fitted.to_json()
    assert caught.value.feature == "plus"


@pytest.mark.parametrize(
    ("state", "annotation", "settled"),
    [
        (Inner(1), Inner, Inner(1.0)),
        (Inner(np.float32(0.5)), Inner, Inner(0.5)),
        (Inner(np.float64(0.1)), Inner, Inner(0.1)),
        (Inner(1.0, ["a"]), Inner, Inner(1.0, ("a",))),
        ({"low": 1.0, "names": ()}, Inner, Inner(1.0)),
        ((1, 2), list[int], [1, 2]),
        (np.float64(0.1), None, 0.1),
        ({"a": np.int64(3)}, None, {"a": 3}),
    ],
)
def test_a_state_is_settled_at_fit(state, annotation, settled):
    """What is proven and served is what will be restored, to the type of each number."""
    fitted = with_state(state, annotation).fit(FRAME)
    restored = with_state(state, annotation).restore(fitted.to_json())
    for one in (fitted, restored):
        assert repr(one.state("plus")) == repr(settled)
        assert one.fingerprint == fitted.fingerprint


def test_a_state_of_another_class_than_annotated_is_refused_at_fit():
    """It would come back as something else."""
    with pytest.raises(FitError, match="annotated as <class 'object'>, which is not its class"):
        with_state(Inner(1.0), object).fit(FRAME)


def test_nobody_changes_a_state_from_outside():
    """What was returned by fit, and what is handed out, are copies."""
    mine = {"low": [1.0]}
    fitted = with_state(mine, None).fit(FRAME)
    mine["low"][0] = 5.0
    fitted.state("plus")["low"][0] = 7.0
    assert fitted.state("plus") == {"low": [1.0]}
    array = with_state(np.ones(2), None).fit(FRAME)
    assert not array._states["plus"].flags.writeable


def test_the_class_may_be_named_by_the_fit():
    """`-> MeanStd` of what learns will do, where the parameter `state` has no annotation."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)

    @fs.feature
    def minus(x, state):
        return x - state.low

    @minus.fit
    def _(x) -> Inner:
        return Inner(float(np.nanmin(x)))

    fitted = fs.fit(FRAME)
    back = fs.restore(fitted.to_json())

    assert back.state("minus") == Inner(-0.0)
    assert_agrees(back, FRAME)


def test_one_annotation_that_is_not_found_hides_no_other():
    """Names for type checkers alone are common beside those that count."""
    fs = FeatureSet("shop", version="1", inputs=INPUTS)

    @fs.feature(elementwise=True)
    def length(city: NowhereToBeFound) -> int:  # noqa: F821 - that is the point
        return len(city or "")

    @fs.feature
    def minus(x: AlsoNowhere, state: Inner):  # noqa: F821
        return x - state.low

    minus.fit(lambda x: Inner(float(np.nanmin(x))))
    fitted = fs.fit(FRAME)

    assert fitted._by_name["length"].kinds == ("i",)
    assert fs.restore(fitted.to_json()).state("minus") == Inner(-0.0)


# ---------------------------------------------------------------------- whole sets


def lower(city: str) -> str | None:
    """Return text that a later feature reads."""
    return None if city is None else city.lower()


def is_a(lower):
    """Return a test of text."""
    return lower == "a"


def cube(x):
    """Return what is not traced."""
    return x**3


def minus(x, state: Inner):
    """Return what is learned, against what is given."""
    return x - state.low


def learn_minus(x):
    """Return the least."""
    return Inner(float(np.nanmin(x)))


def shop(version="1", inputs=INPUTS, name="shop"):
    """Return a set with a feature of every kind."""
    fs = FeatureSet(name, version=version, inputs=inputs)
    fs.feature(elementwise=True)(lower)
    fs.feature(is_a)
    fs.feature(cube)
    fs.feature(minus).fit(learn_minus)
    fs.add(ops.scale("x"), ops.one_hot("city", ["a", "b"]), ops.frequency("city"))
    return fs


FITTED = shop().fit(FRAME)


def other_ways(fitted):
    """Return the features after JSON, pickles and copies."""
    return [
        shop().restore(fitted.to_json()),
        *(pickle.loads(pickle.dumps(fitted, protocol)) for protocol in (2, 4, 5)),
        copy.copy(fitted),
        copy.deepcopy(fitted),
    ]


def test_sets_come_back():
    """After JSON, pickles of every protocol, and copies: the same columns, ways and bits."""
    expected = assert_agrees(FITTED, FRAME)
    ways = [one.single_record for one in FITTED.explain().features]

    for back in other_ways(FITTED):
        assert back.fingerprint == FITTED.fingerprint
        assert back.columns == FITTED.columns
        assert (back.name, back.version, back.fields) == ("shop", "1", FITTED.fields)
        assert [one.single_record for one in back.explain().features] == ways
        np.testing.assert_array_equal(words(assert_agrees(back, FRAME)), words(expected))


def test_a_line_that_was_not_used_is_not_used_after_a_restart(monkeypatch):
    """What the proof found is kept: the feature is called as it is, with the right bits."""

    def wrong(program, left, right):
        del right
        return Operand(program.set(f"{as_operand(left).text} + 1.0"), "f")

    monkeypatch.setitem(_traced_operations._OPERATIONS, "maximum", wrong)
    fs = FeatureSet("shop", version="1", inputs=INPUTS)
    fs.feature(name="cut")(lambda x: np.maximum(x, 0.5))
    fitted = fs.fit(FRAME)

    back = fs.restore(fitted.to_json())

    assert back.explain("cut").single_record == "columns of length 1"
    assert back.explain("cut").reason == fitted.explain("cut").reason != ""
    assert_agrees(back, FRAME)


def test_an_unfitted_set_pickles():
    """Where its functions do."""
    back = pickle.loads(pickle.dumps(shop()))

    assert back.fit(FRAME).fingerprint == FITTED.fingerprint


def test_fingerprints_tell_what_differs():
    """Code, options, inputs and states count; name, version and the rest of the frame do not."""
    fs = shop()
    assert fs.fit(FRAME.iloc[::-1]).fingerprint == FITTED.fingerprint
    assert shop(version="2", name="x").fit(FRAME).fingerprint == FITTED.fingerprint
    assert fs.fit(FRAME[:3]).fingerprint != FITTED.fingerprint
    assert fs.fit(FRAME[:3]).definition_fingerprint == FITTED.definition_fingerprint
    nullable = [Field("x", "float64"), INPUTS[1]]
    strict = shop(inputs=nullable).fit(FRAME.dropna())
    assert strict.definition_fingerprint != FITTED.definition_fingerprint


def test_json_holds_no_code_to_run():
    """The source is there to be read; what runs comes from the set."""
    content = json.loads(FITTED.to_json())
    for one in content["features"]:
        one["source"] = "raise SystemExit"

    back = shop().restore(json.dumps(content))

    np.testing.assert_array_equal(words(back.transform(FRAME)), words(FITTED.transform(FRAME)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.update(format="prodml-features/99"),
        lambda content: content.update(name="other"),
        lambda content: content.pop("features"),
        lambda content: content.pop("fingerprint"),
        lambda content: content["features"][0].pop("fingerprint"),
        lambda content: content["features"][0].pop("kinds"),
        lambda content: content["features"][3].update(state={"$": "nonsense", "v": 1}),
        lambda content: content["features"][3].update(state=[1]),
        lambda content: content["features"][0].update(kinds=["x"]),
        lambda content: content["features"][0].update(kinds=3),
        lambda content: content["features"].append("text"),
        lambda content: content.update(features=3),
    ],
)
def test_text_that_is_something_else(spoil):
    """What was spoiled is refused as such, whatever is missing."""
    content = json.loads(FITTED.to_json())
    spoil(content)

    with pytest.raises(FormatError):
        shop().restore(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"text"', b"\xff", "{}"])
def test_what_is_no_such_text(text):
    """Anything else is refused, and not read."""
    with pytest.raises(FormatError, match="not what 'shop' was stored as"):
        shop().restore(text)


def test_states_and_inputs_that_were_changed():
    """A state that was edited does not fit its fingerprint."""
    content = json.loads(FITTED.to_json())
    state = content["features"][3]["state"]
    content["features"][3]["state"] = json.loads(json.dumps(state).replace("-0.0", "7.0"))
    assert content["features"][3]["state"] != state

    with pytest.raises(SkewError, match="does not come back as it was"):
        shop().restore(json.dumps(content))
    with pytest.raises(SkewError, match="does not come back as it was"):
        shop(inputs=[Field("x", "float64"), INPUTS[1]]).restore(FITTED.to_json())


def test_code_that_was_changed():
    """The features that differ are named, also those that came or went."""
    other = FeatureSet("shop", version="1", inputs=INPUTS)
    other.feature(elementwise=True)(lower)
    other.feature(is_a)
    other.feature(name="cube")(lambda x: x**4)
    other.feature(minus).fit(learn_minus)
    other.add(ops.scale("x", "robust"), ops.one_hot("city", ["a", "b"]))
    other.feature(name="extra")(lambda x: x)

    with pytest.raises(SkewError, match="not the code that was fitted") as caught:
        other.restore(FITTED.to_json())
    assert set(caught.value.differences) == {"cube", "x_scaled", "city_frequency", "extra"}


# ------------------------------------------------------------------ other processes

MODULE = """
from dataclasses import dataclass
import numpy as np
import pandas as pd
from prodml.features import FeatureSet, Field, ops

fs = FeatureSet("shop", version="1", inputs=[Field("x", "float64", nullable=True)])
RATE = 0.25

@dataclass
class Centre:
    mean: float

@fs.feature
def fee(x):
    return np.where(np.isnan(x), 0.0, x) * RATE

@fs.feature
def centred(fee, state: Centre):
    return fee - state.mean

@centred.fit
def _(fee):
    return Centre(float(np.mean(fee)))

@fs.feature(elementwise=True)
def rounded(x) -> float:
    return round(x, 2)

fs.add(ops.scale("x"))
FRAME = pd.DataFrame({"x": [1.0, None, 2.675, 1e9]})
"""

SAVE = """
import pickle, pathlib, shop_module as m
fitted = m.fs.fit(m.FRAME)
pathlib.Path("fitted.pickle").write_bytes(pickle.dumps(fitted))
pathlib.Path("fitted.json").write_text(fitted.to_json())
pathlib.Path("rows.hex").write_bytes(fitted.transform(m.FRAME).tobytes())
"""

LOAD = """
import pickle, pathlib, shop_module as m
expected = pathlib.Path("rows.hex").read_bytes()
for fitted in (
    pickle.loads(pathlib.Path("fitted.pickle").read_bytes()),
    m.fs.restore(pathlib.Path("fitted.json").read_text()),
):
    assert fitted.transform(m.FRAME).tobytes() == expected
    assert fitted.transform_one({"x": 2.675}).tobytes() == fitted.transform(m.FRAME)[2].tobytes()
    print(fitted.fingerprint)
"""

REFUSED = """
import pickle, pathlib, shop_module as m
from prodml.errors import SkewError
for load in (
    lambda: pickle.loads(pathlib.Path("fitted.pickle").read_bytes()),
    lambda: m.fs.restore(pathlib.Path("fitted.json").read_text()),
):
    try:
        load()
    except SkewError as error:
        print(error.differences)
"""


def run(folder, code):
    """Run code in a process of its own, in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def test_other_processes(tmp_path):
    """Another process gets the same bits, and refuses what was fitted by other code."""
    module = tmp_path / "shop_module.py"
    module.write_text(MODULE)
    run(tmp_path, SAVE)
    first, second, *_ = run(tmp_path, LOAD)
    assert first == second != ""

    module.write_text(MODULE.replace("RATE = 0.25", "RATE = 0.26"))
    assert run(tmp_path, REFUSED)[:2] == ["('fee',)", "('fee',)"]


def test_records_after_a_restart():
    """What is restored serves records as it did, those with a missing key as well."""
    back = shop().restore(FITTED.to_json())

    for record in [*records_of(FRAME), {}, {"x": 1}, {"city": "unknown"}]:
        assert words(back.transform_one(record)).tolist() == (
            words(FITTED.transform_one(record)).tolist()
        )


def test_a_feature_that_is_no_longer_there_is_named(tmp_path, monkeypatch):
    """A pickle names the module and the feature; where they are gone, the error says so."""
    module = tmp_path / "gone_features.py"
    text = (
        "from prodml.features import FeatureSet, Field\n"
        "FS = FeatureSet('gone', version='1', inputs=[Field('x', 'float64')])\n"
        "@FS.feature\n"
        "def doubled(x):\n"
        "    return x * 2\n"
    )
    module.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    stored = pickle.dumps(importlib.import_module("gone_features").FS.fit(FRAME.fillna({"x": 0.0})))
    monkeypatch.delattr(sys.modules["gone_features"], "doubled")
    with pytest.raises(SkewError, match="'doubled' is not in module 'gone_features' any more"):
        pickle.loads(stored)


def test_a_fitted_set_is_immutable():
    """Nothing of it can be set, so that no path is changed without the others."""
    fitted = with_state(1.0).fit(FRAME)
    for name in ("columns", "fingerprint", "_run", "more"):
        with pytest.raises(AttributeError, match=f"immutable; '{name}' cannot be set"):
            setattr(fitted, name, ())
