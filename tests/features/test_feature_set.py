"""What makes a set of features, and what is refused before anything is computed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from prodml.contracts import Contract
from prodml.errors import (
    FeatureCycleError,
    FeatureDefinitionError,
    FeatureOutputError,
    UnknownInputError,
)
from prodml.features import Feature, FeatureSet, Field, ops
from prodml.features._plan import plan_features
from prodml.features.feature import feature_of
from tests.features.agreement import assert_agrees

AMOUNT = Field("amount", "float64", nullable=True)
N_ITEMS = Field("n_items", "int64")
FRAME = pd.DataFrame({"amount": [1.0, None, 3.5], "n_items": [1, 2, 3]})


def make(*functions, inputs=(AMOUNT, N_ITEMS), **named):
    """Return a set of plain functions, or of functions under a name."""
    fs = FeatureSet("shop", version="1", inputs=inputs)
    for one in functions:
        fs.feature(one)
    for name, one in named.items():
        fs.feature(name=name)(one)
    return fs


# ------------------------------------------------------------------------- the set


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"name": ""}, "`name` must be text, got ''"),
        ({"name": 3}, "`name` must be text, got 3"),
        ({"version": None}, "`version` must be text, got None"),
        ({"version": " "}, "`version` must be text"),
        ({"extra": "allow"}, "`extra` must be 'ignore' or 'forbid', got 'allow'"),
        ({"inputs": ["amount"]}, "`inputs` must be Fields or a contract, got 'amount'"),
        ({"inputs": [AMOUNT, AMOUNT]}, r"`inputs` name \['amount'\] more than once"),
        ({"inputs": 3}, "`inputs` must be Fields or a contract, got 3"),
    ],
)
def test_bad_sets(options, match):
    """A set has a name, a version, and inputs of a declared type."""
    given = {"name": "shop", "version": "1", "inputs": [AMOUNT]} | options
    name = given.pop("name")

    with pytest.raises(FeatureDefinitionError, match=match) as caught:
        FeatureSet(name, **given)
    assert len(caught.value.faults) == 1


def test_all_faults_of_a_set_are_told_at_once():
    """Name, version and options are not corrected one by one."""
    with pytest.raises(FeatureDefinitionError) as caught:
        FeatureSet("", version="", inputs=[AMOUNT], extra="some")
    assert len(caught.value.faults) == 3


def test_a_set_tells_what_it_is():
    """Fields and features in the order of definition, and a line for people."""
    fs = make()
    fs.feature(name="second")(lambda first: first * 2)
    fs.feature(name="first", output=False)(lambda amount: amount + 1)

    assert [one.name for one in fs.features] == ["second", "first"]
    assert fs.fields == (AMOUNT, N_ITEMS)
    assert repr(fs) == "<FeatureSet shop 1: 2 inputs, 2 features, 0 of them learn>"
    assert fs.fit(FRAME).columns == ("second",)
    assert fs.fit(FRAME).fields == (AMOUNT,)


# --------------------------------------------------------------------- definitions


def _star(*amount):
    return amount


def _keywords(**amount):
    return amount


def _nothing():
    return 1.0


def _only_state(state):
    return state


def _only_defaults(amount=1.0):
    return amount


@pytest.mark.parametrize(
    ("function", "options", "match"),
    [
        (_star, {}, r"'_star' takes \*amount; name what it reads"),
        (_keywords, {}, r"'_keywords' takes \*\*amount; name what it reads"),
        (_nothing, {}, "'_nothing' reads nothing"),
        (_only_state, {}, "'_only_state' reads nothing"),
        (_only_defaults, {}, "'_only_defaults' reads nothing"),
        (lambda amount: amount, {}, "got '<lambda>'"),
        (lambda amount: amount, {"name": "state"}, "other than 'state' and 'y', got 'state'"),
        (lambda amount: amount, {"name": "y"}, "got 'y'"),
        (lambda amount: amount, {"name": "two words"}, "got 'two words'"),
        (lambda amount: amount, {"name": "class"}, "got 'class'"),
        (lambda amount: amount, {"name": "a", "crossfit": 1}, "must be an integer >= 2, got 1"),
        (lambda amount: amount, {"name": "a", "crossfit": 2.0}, "must be an integer >= 2, got 2.0"),
        (lambda amount: amount, {"name": "a", "crossfit": True}, "must be an integer >= 2"),
        (lambda amount: amount, {"name": "a", "kind": "other"}, "`kind` of 'a' must be one of"),
        (3, {"name": "a"}, "A feature is a function, got 3"),
    ],
)
def test_bad_features(function, options, match):
    """A feature is a function with plain named parameters."""
    with pytest.raises(FeatureDefinitionError, match=match) as caught:
        make().feature(**options)(function)
    assert caught.value.faults


def test_what_is_no_feature_is_not_added():
    """`add` is for features that are made already."""
    with pytest.raises(FeatureDefinitionError, match=r"Decorate functions with @fs\.feature"):
        make().add(lambda amount: amount)


def test_a_feature_is_still_its_function():
    """What is decorated can be called, and tested, as it was."""

    def double(amount):
        return amount * 2

    feature = make().feature(double)

    assert feature(np.array([1.5])).tolist() == [3.0]
    assert feature(amount=2) == 4
    assert (feature.name, feature.inputs, feature.kind) == (
        "double",
        ("amount",),
        "model_independent",
    )


@pytest.mark.parametrize(
    ("features", "names", "match"),
    [
        ({"a": lambda amont: amont}, ("amont",), "Did you mean 'amount'"),
        (
            {"a": lambda nothing_like: nothing_like},
            ("nothing_like",),
            "Known are a, amount, n_items",
        ),
        ({"a": lambda b: b, "c": lambda d: d}, ("b", "d"), "'a' reads 'b'.*'c' reads 'd'"),
        ({"first": lambda amount: amount, "b": lambda frist: frist}, ("frist",), "mean 'first'"),
        ({"a": lambda y: y}, ("y",), "neither input nor feature"),
    ],
)
def test_unknown_names(features, names, match):
    """A name that is neither input nor feature is refused, with what was likely meant."""
    with pytest.raises(UnknownInputError, match=match) as caught:
        make(**features).fit(FRAME)
    assert caught.value.names == names
    assert len(caught.value.faults) == len(names)
    assert isinstance(caught.value, KeyError)


@pytest.mark.parametrize(
    ("features", "cycle"),
    [
        ({"a": lambda a: a}, ("a",)),
        ({"a": lambda b: b, "b": lambda a: a}, ("a", "b")),
        ({"z": lambda a: a, "a": lambda b: b, "b": lambda c: c, "c": lambda a: a}, ("a", "b", "c")),
    ],
)
def test_cycles(features, cycle):
    """Features that need each other are named in their order."""
    with pytest.raises(FeatureCycleError, match=" -> ".join([*cycle, cycle[0]])) as caught:
        make(**features).fit(FRAME)
    assert caught.value.cycle == cycle


def test_names_that_are_taken():
    """An input, and a feature before, keep their names; all clashes are told."""
    fs = make(amount=lambda n_items: n_items, a=lambda amount: amount)
    fs.feature(name="a")(lambda n_items: n_items)

    with pytest.raises(FeatureDefinitionError, match="'amount' is the name of another") as caught:
        fs.fit(FRAME)
    assert len(caught.value.faults) == 2


def test_a_set_without_features():
    """There must be one."""
    with pytest.raises(FeatureDefinitionError, match="There is no feature"):
        make().fit(FRAME)


def pair(name, *columns):
    """Return a feature of two columns."""
    return Feature(
        name=name, function=lambda x: (x, x), inputs=("amount",), columns=lambda _: columns
    )


@pytest.mark.parametrize(
    ("others", "repeated"),
    [
        ([pair("p", "one", "one")], "one"),
        ([pair("p", "one", "two"), pair("q", "two", "three")], "two"),
        ([pair("p", "one", "n_items"), feature_of(lambda n_items: n_items, name="n")], "n_items"),
        ([feature_of(lambda amount: amount, name="one"), pair("p", "one", "two")], "one"),
        (
            [feature_of(lambda amount: amount, name="one", output=False), pair("p", "one", "b")],
            "one",
        ),
    ],
)
def test_columns_that_hide_others(others, repeated):
    """A feature of several columns hides no input and no other feature, output or not."""
    fs = make()
    fs.add(*others)

    with pytest.raises(FeatureDefinitionError, match=f"Column '{repeated}'"):
        fs.fit(FRAME)


def test_a_feature_of_several_columns_is_not_read():
    """It has no one column to read, and the message says what to do."""
    fs = make(reader=lambda parts: parts)
    fs.add(pair("parts", "one", "two"))

    with pytest.raises(UnknownInputError, match="'parts', which has several columns"):
        fs.fit(FRAME)


def test_learning_faults_are_told_at_once():
    """State without a fit, a fit without state, strangers, and folds without a target."""
    fs = make()
    fs.feature(name="a")(lambda amount, state: amount * state)
    fs.feature(name="b")(lambda amount: amount).fit(lambda amount: amount)
    fs.feature(name="c")(lambda amount, state: amount * state).fit(lambda n_items: n_items)
    fs.feature(name="d", crossfit=3)(lambda amount, state: amount * state).fit(
        lambda amount: amount
    )
    fs.feature(name="e")(lambda amount, state: amount * state).summarise(lambda amount: amount)

    with pytest.raises(FeatureDefinitionError) as caught:
        fs.fit(FRAME)
    told = " ".join(caught.value.faults)
    for part in (
        "'a' has a parameter `state`, and nothing learns it",
        "'b' has a fit, and no parameter `state`",
        "fit of 'c' reads n_items; it may read what the feature reads (amount) and y",
        "'d' has `crossfit`, and does not learn with y",
        "'e' has a summary, and no fit",
    ):
        assert part in told


def test_a_default_of_a_fit_is_a_constant():
    """What learns may have constants as well."""
    fs = make()

    @fs.feature
    def scaled(amount, state):
        return amount / state

    @scaled.fit
    def _(amount, floor=2.0):
        return max(float(np.nanmax(amount)), floor)

    assert fs.fit(FRAME).state("scaled") == 3.5


@pytest.mark.parametrize(
    ("function", "rule"),
    [
        (lambda n_items: n_items + hash("a"), "hash"),
        (lambda amount: amount * np.random.rand(), "rand"),  # noqa: NPY002 - what is refused
        (lambda amount: amount + datetime.now(UTC).year, "now"),
    ],
)
def test_code_that_cannot_be_the_same_twice(function, rule):
    """What a reader of the code sees is refused before anything runs."""
    with pytest.raises(FeatureDefinitionError, match=rule):
        make(odd=function).fit(FRAME)


# ---------------------------------------------------------------------------- order


def test_the_order_of_definition_is_free():
    """A feature may stand before what it reads; columns keep the order of definition."""
    fs = make(c=lambda a, b: a + b, b=lambda a: a * 2, a=lambda n_items: n_items + 1)
    fitted = fs.fit(FRAME)

    assert fitted.columns == ("c", "b", "a")
    assert assert_agrees(fitted, FRAME).tolist() == [
        [6.0, 4.0, 2.0],
        [9.0, 6.0, 3.0],
        [12.0, 8.0, 4.0],
    ]


def test_a_long_chain():
    """The plan does not depend on the depth of Python's stack."""
    features = [Feature(name=f"f{at}", function=abs, inputs=(f"f{at + 1}",)) for at in range(1500)]

    plan = plan_features(features, [Field("f1500", "float64")])

    assert [one.name for one in plan.features] == [f"f{at}" for at in reversed(range(1500))]


def test_upstream_is_what_is_needed():
    """Of a plan only what some features need is kept."""
    fs = make(a=lambda amount: amount, b=lambda n_items: n_items, c=lambda a: a)
    plan = plan_features(fs.features, fs.fields)

    part = plan.upstream(["c"])

    assert [one.name for one in part.features] == ["a", "c"]
    assert [one.name for one in part.fields] == ["amount"]
    assert plan.upstream([]).features == ()


def test_lineage():
    """Each column knows what it is made of, down to the inputs."""
    fs = make(a=lambda amount: amount, b=lambda a, n_items: a + n_items, c=lambda n_items: n_items)
    lineage = fs.fit(FRAME).lineage()

    assert lineage.inputs == {"a": ("amount",), "b": ("amount", "n_items"), "c": ("n_items",)}
    assert lineage.features["b"] == ("a", "b")
    assert lineage.columns_of("amount") == ("a", "b")
    assert lineage.to_frame()["column"].tolist() == ["a", "b", "b", "c"]
    assert "n_items" in lineage._repr_html_()
    assert repr(lineage) == "<Lineage: 3 columns of 2 inputs>"


def test_explain():
    """How a feature is computed is told, and unknown names are refused."""
    fs = make(a=lambda amount: np.log1p(amount), b=lambda a: a**3)  # noqa: PLW0108
    fitted = fs.fit(FRAME)
    told = fitted.explain("b")

    assert (told.single_record, told.reason) == ("columns of length 1", "** 3")
    assert told.inputs == ("a",)
    assert "a**3" in told.source
    assert "columns of length 1 (** 3)" in str(fitted.explain())
    assert list(fitted.explain().to_frame()["name"]) == ["a", "b"]
    with pytest.raises(ValueError, match=r"no feature 'z'\. There are a, b"):
        fitted.explain("z")
    with pytest.raises(ValueError, match="no feature 'z'"):
        fitted.state("z")


def test_text_that_nobody_reads():
    """Text is no column of a matrix, and must be read by another feature."""
    fs = FeatureSet("t", version="1", inputs=[Field("city", "string")])
    fs.feature(name="upper", elementwise=True)(lambda city: city.upper())
    frame = pd.DataFrame({"city": ["a"]})

    with pytest.raises(FeatureOutputError, match="'upper' is text, and no other feature reads it"):
        fs.fit(frame)
    fs.feature(name="is_a")(lambda upper: upper == "A")
    assert fs.fit(frame).columns == ("is_a",)


# ------------------------------------------------------------------ contracts as inputs


class Order(BaseModel):
    amount: float | None
    n_items: int
    paid: bool
    city: str | None
    channel: Literal["web", "shop"]
    at: datetime
    tags: list[str]
    mixed: Literal["a", 1]


def test_a_contract_declares_the_inputs():
    """Types are declared once; fields of types that no feature can take are left out."""
    fs = FeatureSet("shop", version="1", inputs=Contract(Order))

    assert fs.fields == (
        Field("amount", "float64", nullable=True),
        Field("n_items", "int64"),
        Field("paid", "bool"),
        Field("city", "string", nullable=True),
        Field("channel", "string"),
        Field("at", "timestamp[us, UTC]"),
    )
    fs.feature(name="web")(lambda channel: channel == "web")
    fs.feature(name="total")(lambda amount, n_items, paid: amount * n_items * paid)
    frame = FRAME.assign(paid=True, channel=["web", "shop", "web"])
    assert_agrees(fs.fit(frame), frame)


def test_a_field_of_a_contract_that_is_no_input():
    """The message says why, and not that it is unknown."""
    fs = FeatureSet("shop", version="1", inputs=Contract(Order))
    fs.feature(name="n_tags", elementwise=True)(lambda tags: len(tags))  # noqa: PLW0108

    with pytest.raises(
        UnknownInputError, match="whose type in the contract or name cannot be an input"
    ):
        fs.fit(FRAME)
    with pytest.raises(
        UnknownInputError, match="whose type in the contract or name cannot be an input"
    ):
        fs.definition()


def test_an_own_contract_will_do():
    """Whatever describes its fields is a contract."""

    class Kind:
        kind, rules = "nullable", {}

        @property
        def parts(self):
            return {"inner": type("Inner", (), {"kind": "float", "rules": {}, "parts": {}})()}

    class Own:
        def describe(self):
            described = type(
                "One", (), {"name": "amount", "inputs": [["amount"]], "type": Kind()}
            )()
            return type("All", (), {"fields": [described]})()

    assert FeatureSet("own", version="1", inputs=Own()).fields == (AMOUNT,)


def test_a_cell_that_is_run_again():
    """The same definition takes the place of the first, in its place in the order."""
    fs = make()
    for factor in (1, 2):

        @fs.feature
        def scaled(amount):
            return amount * factor  # noqa: B023 - fitted after the loop

        fs.add(ops.log1p("amount"))
    assert [one.name for one in fs.features] == ["scaled", "amount_log1p"]
    assert fs.fit(FRAME).transform_one({"amount": 1.0, "n_items": 1})[0] == 2.0


@pytest.mark.parametrize("copied", [ops.clip("amount", low=1), ops.fill("amount", called="scaled")])
def test_another_definition_of_the_same_name(copied):
    """It does not take the place of the first unnoticed."""
    fs = make()

    @fs.feature
    def scaled(amount):
        return amount

    fs.add(ops.clip("amount", low=2), copied)
    with pytest.raises(FeatureDefinitionError, match="is the name of another input or feature"):
        fs.fit(FRAME)


def test_a_default_does_not_hide_an_input():
    """A parameter with a default is a constant, and must not look like an input."""
    fs = make()

    @fs.feature
    def scaled(amount, n_items=3):
        return amount * n_items

    with pytest.raises(FeatureDefinitionError, match="has a default for 'n_items', which is an"):
        fs.fit(FRAME)
