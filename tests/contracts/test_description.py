"""A contract as plain data: what is in it, what its fingerprint sees, and that it can be kept."""

from __future__ import annotations

import collections
import dataclasses
import functools
import importlib.util
import itertools
import json
import operator
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, Optional

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    Json,
    PastDate,
    PlainValidator,
    PrivateAttr,
    RootModel,
    SecretStr,
    StringConstraints,
    Tag,
    create_model,
    field_validator,
)
from pydantic_core import core_schema
from typing_extensions import TypedDict

from prodml.contracts import (
    Compare,
    Contract,
    ContractDescription,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)
from prodml.contracts._rebuilding import acceptor_of
from prodml.contracts._samples import candidates
from prodml.contracts._tagged import _WORDS, UNKNOWN, canonical_json, from_tagged, to_tagged
from prodml.errors import ContractError, FormatError

from . import golden_contract
from .corpus import FIELDS, Point

#: What `golden_contract.py` has had as its fingerprint since the format of 2026. If it changes, so
#: do all fingerprints that anyone has stored: raise the number of the format then.
GOLDEN = "sha256:e79f5ef58e9eee1d346c4e72d651e44f71b73e0202fbb7f0ea7f787b889bd1d3"


def contract_of(annotation: Any, default: Any = ..., **settings: Any) -> Contract[Any]:
    """Return the contract of a model with one field."""
    model = create_model("Row", x=(annotation, default))
    return Contract(model, **settings)


def fingerprint_of(annotation: Any, default: Any = ...) -> str:
    """Return the fingerprint of a model with one field."""
    return contract_of(annotation, default).fingerprint


# ------------------------------------------------------------------------------- fingerprint


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_the_fingerprint_is_the_same_in_every_process(seed):
    """Hash seed, being run as a script or imported, and the version of Python make no odds."""
    command = [sys.executable, str(Path(golden_contract.__file__))]
    environ = os.environ | {"PYTHONHASHSEED": seed}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == golden_contract.CONTRACT.fingerprint == GOLDEN


def test_no_address_gets_into_a_description():
    """Addresses, which pydantic's own schema is full of, change from run to run."""
    text = golden_contract.CONTRACT.describe().to_json()

    assert re.search(r"0x[0-9a-f]{6}|[A-Za-z_]:\d{8,}|<function|<bound", text) is None


def test_words_do_not_count():
    """Names of the contract, of classes, and descriptions decide nothing."""

    class Before(BaseModel):
        """Old words."""

        x: int = Field(description="old", title="Old", examples=[1])
        y: Point

    class PointUnderAnotherName(BaseModel):
        x: int = Field(ge=0)
        y: float = 0.0

    class After(BaseModel):
        """New words."""

        model_config = ConfigDict(title="T", json_schema_extra={"a": 1}, frozen=True)
        y: PointUnderAnotherName
        x: int = Field(description="new")

    first = Contract(Before, name="a", version="1")
    second = Contract(After, name="b", version="2")

    assert first.fingerprint == second.fingerprint
    assert first.describe() != second.describe()


CHANGES: dict[str, tuple[Any, Any]] = {
    "type": (int, float),
    "nullable": (int, int | None),
    "bound": (Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]),
    "openness of a bound": (Annotated[int, Field(ge=0)], Annotated[int, Field(gt=0)]),
    "length": (Annotated[str, Field(max_length=3)], Annotated[str, Field(max_length=4)]),
    "pattern": (Annotated[str, Field(pattern="a")], Annotated[str, Field(pattern="b")]),
    "values": (Literal["a"], Literal["b"]),
    "type of a value": (Literal[1], Literal[True]),
    "strictness": (int, Annotated[int, Field(strict=True)]),
    "spaces": (str, Annotated[str, StringConstraints(strip_whitespace=True)]),
    "items": (list[int], list[str]),
    "values of a dict": (dict[str, int], dict[str, float]),
    "nested": (Point, create_model("Point", x=(int, ...), y=(float, 0.0))),
    "digits": (
        Annotated[Decimal, Field(max_digits=3)],
        Annotated[Decimal, Field(max_digits=4)],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_decides_counts(what):
    """Another type, constraint or setting is another fingerprint."""
    old, new = CHANGES[what]

    assert fingerprint_of(old) != fingerprint_of(new)


def test_a_default_counts():
    """A default is what checks and model validators see in place of a missing value."""
    prints = {fingerprint_of(int, default) for default in (..., 1, 2)}

    assert len(prints) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"extra": "forbid"},
        {"strict": True},
        {"str_strip_whitespace": True},
        {"str_max_length": 3},
        {"allow_inf_nan": False},
        {"coerce_numbers_to_str": True},
    ],
    ids=str,
)
def test_settings_of_the_model_count(settings):
    """A setting acts on every field."""

    def model(**config: Any) -> type[BaseModel]:
        return create_model("Row", __config__=ConfigDict(**config), a=(str, ...), b=(float, ...))

    assert Contract(model(**settings)).fingerprint != Contract(model()).fingerprint


def test_two_ways_of_saying_the_same_are_one_description():
    """A setting of the model is the same as the setting of each of its fields."""

    class ByModel(BaseModel):
        model_config = ConfigDict(strict=True, str_strip_whitespace=True)
        a: int
        b: Optional[str]

    class ByField(BaseModel):
        a: Annotated[int, Field(strict=True)]
        b: Annotated[str, StringConstraints(strict=True, strip_whitespace=True)] | None

    assert Contract(ByModel).fingerprint == Contract(ByField).fingerprint


def test_an_alias_counts_and_populate_by_name_too():
    """Under which names a value may arrive decides what is accepted."""

    def model(by_name: bool, **field: Any) -> type[BaseModel]:
        config = ConfigDict(populate_by_name=by_name)
        return create_model("Row", __config__=config, x=(int, Field(**field)))

    models = [
        model(False),
        model(False, alias="y"),
        model(True, alias="y"),
        model(False, validation_alias=AliasChoices("x", "y")),
    ]

    assert len({Contract(one).fingerprint for one in models}) == 4
    assert Contract(models[2]).describe().field("x").inputs == (("y",), ("x",))
    assert Contract(models[3]).describe().field("x").inputs == (("x",), ("y",))


# --------------------------------------------------------------------------------- functions


def at_most(limit):
    """Return a validator that refuses more than `limit`."""

    def check(value):
        if value > limit:
            message = "too much"
            raise ValueError(message)
        return value

    return check


def with_default(value, limit=3):
    """Cut off at a default."""
    return min(value, limit)


def other_default(value, limit=4):
    """Cut off at another default."""
    return min(value, limit)


class Above:
    """A validator that is an object."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, value: int) -> int:  # noqa: D102 - a validator
        return max(value, self.limit)


def times(value, factor):
    """Multiply."""
    return value * factor


def wrapped(function):
    """Return a function that another one stands in."""

    @functools.wraps(function)
    def inner(value):
        return function(value)

    return inner


def counting(value):
    """Call itself."""
    return 0 if value <= 0 else counting(value - 1)


# fmt: off
def one_line(value): """Said at once."""; return value  # noqa: E702 - the docstring does not count
# fmt: on


def local_function(value):
    """Define what it calls."""

    def inner(limit):
        return limit

    return inner(value)


FUNCTIONS = {
    "closure 5": at_most(5),
    "closure 6": at_most(6),
    "default 3": with_default,
    "default 4": other_default,
    "object 5": Above(5),
    "object 6": Above(6),
    "method 5": Above(5).__call__,
    "partial 2": functools.partial(times, factor=2),
    "partial 3": functools.partial(times, factor=3),
    "lambda": lambda value: value + 1,
    "other lambda": lambda value: value + 2, "lambda in the same line": lambda value: value + 3,
    "wrapped 5": wrapped(at_most(5)),
    "wrapped 6": wrapped(at_most(6)),
    "cached": functools.lru_cache(at_most(7)),
    "recursive": counting,
    "builtin": abs,
    "other builtin": len,
    "bound builtin": {1: 2}.get,
    "other bound builtin": {1: 3}.get,
    "class": Above,
    "closure over a class": at_most(Above),
    "default of a keyword": lambda value, *, limit=8: value + limit,
    "one line": one_line,
    "local function": local_function,
}  # fmt: skip


#: All pairs but one that says the same in two words.
PAIRS = sorted({*itertools.combinations(FUNCTIONS, 2)} - {("object 5", "method 5")})


@pytest.mark.parametrize("pair", PAIRS, ids=" / ".join)
def test_validators_are_told_apart_by_what_they_do(pair):
    """Source, closure, defaults, arguments and fields of a validator count."""
    first, second = (Annotated[Any, AfterValidator(FUNCTIONS[name])] for name in pair)

    assert fingerprint_of(first) != fingerprint_of(second)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_validator_is_the_same_as_itself(name):
    """All of these can be seen in full, and describing them twice gives the same."""
    first = contract_of(Annotated[Any, AfterValidator(FUNCTIONS[name])])
    second = contract_of(Annotated[Any, AfterValidator(FUNCTIONS[name])])

    assert first.fingerprint == second.fingerprint
    assert first.describe().field("x").type.functions[0].unseen == ()


def module_of(tmp_path: Path, name: str, source: str) -> Any:
    """Write a module and import it."""
    path = tmp_path / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLAIN = """
LIMIT = 3
ALLOWED = {"a", "b"}

def helper(value):
    return value in ALLOWED

def check(value):
    if not helper(value) or len(value) > LIMIT:
        raise ValueError(f"bad {value!r}")
    return value.strip('x')
"""
SAME = '''
import functools

LIMIT = 3
ALLOWED = {"b", "a"}


def helper(value):
    """Say so."""
    return value in ALLOWED  # whatever


def decorate(function):
    return function


@decorate
def check(value):
    """Check it.

    At length.
    """
    # of no importance
    if not helper(value) or len(value) > LIMIT:
        raise ValueError(
            f"bad {value!r}"
        )

    return value.strip("x")
'''


def test_layout_comments_quotes_and_docstrings_do_not_count(tmp_path):
    """A formatter, or a better docstring, does not make another contract."""
    plain, same = module_of(tmp_path, "plain", PLAIN), module_of(tmp_path, "same", SAME)
    first, second = (
        fingerprint_of(Annotated[str, AfterValidator(one.check)]) for one in (plain, same)
    )

    assert first == second


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ('{"a", "b"}', '{"a", "c"}'),
        ("value in ALLOWED", "value not in ALLOWED"),
        ("strip('x')", "strip('y')"),
        ("bad {", "worse {"),
    ],
)
def test_what_a_validator_reads_counts(tmp_path, old, new):
    """Constants and functions of its module decide as much as its own lines."""
    first = module_of(tmp_path, "first", PLAIN)
    second = module_of(tmp_path, "second", PLAIN.replace(old, new))
    prints = {fingerprint_of(Annotated[str, AfterValidator(one.check)]) for one in (first, second)}

    assert len(prints) == 2


def test_a_function_without_source_says_so():
    """Nothing is guessed: what cannot be seen is named."""
    namespace: dict[str, Any] = {"__name__": "nowhere"}
    exec("def check(value): return value\nclass Kind(int): pass", namespace)  # noqa: S102 - to have no source
    functions = (
        namespace["check"],
        namespace["Kind"],
        operator.itemgetter(0),
        at_most(object()),
    )
    seen = [
        contract_of(Annotated[int, AfterValidator(function)]).describe().field("x").type
        for function in functions
    ]

    assert [one.functions[0].unseen for one in seen] == [
        ("source of check",),
        ("source of Kind",),
        ("what operator.itemgetter holds",),
        ("a value of type builtins.object",),
    ]
    assert seen[0].functions[0].code is None


def test_functions_stand_in_the_order_in_which_they_act():
    """The outermost comes first; a plain validator leaves no type behind it."""
    described = contract_of(
        Annotated[int, AfterValidator(at_most(1)), BeforeValidator(counting)]
    ).describe()
    plain = contract_of(Annotated[int, PlainValidator(counting)]).describe()

    assert [one.mode for one in described.field("x").type.functions] == ["before", "after"]
    assert described.field("x").type.kind == "int"
    assert plain.field("x").type.kind == "any"
    assert plain.field("x").type.functions[0].mode == "plain"


def test_hooks_of_a_model_count():
    """`__init__` and `model_post_init` can refuse a row; setting up private attributes cannot."""

    class Hooked(BaseModel):
        x: int

        def model_post_init(self, context: Any, /) -> None:
            assert self.x

    class OwnInit(BaseModel):
        x: int

        def __init__(self, **data: Any) -> None:
            super().__init__(**data)

    class Private(BaseModel):
        x: int
        _cache: dict[str, int] = PrivateAttr(default_factory=dict)

    class Plain(BaseModel):
        x: int

    def modes(model: Any) -> list[str]:
        return [one.mode for one in Contract(model).describe().model.functions]

    assert modes(Hooked) == ["post_init"]
    assert modes(OwnInit) == ["init"]
    assert modes(Private) == []
    assert Contract(Private).fingerprint == Contract(Plain).fingerprint


# ------------------------------------------------------------------------------------ checks


def test_checks_count_whatever_their_order():
    """A set of rules has no order; each of its arguments decides."""
    rules = [
        Unique("a", "b"),
        Compare("a", "<", "b"),
        ForeignKey("a", [1, 2]),
        RowCount(minimum=2),
        NullFraction("a", 0.5),
        Freshness("c", timedelta(days=1)),
    ]
    others = [
        Unique("a"),
        Compare("a", "<=", "b"),
        ForeignKey("a", [1, 3]),
        RowCount(minimum=3),
        NullFraction("a", 0.4),
        Freshness("c", timedelta(days=2)),
    ]

    class Row(BaseModel):
        a: int
        b: int
        c: datetime

    def fingerprint(checks: Any) -> str:
        return Contract(Row, checks=checks).fingerprint

    assert fingerprint(rules) == fingerprint(rules[::-1]) == fingerprint([*rules, *rules])
    for place, other in enumerate(others):
        assert fingerprint(rules) != fingerprint([*rules[:place], other, *rules[place + 1 :]])


def test_one_comparison_said_from_either_side_is_one_check():
    """`a < b` is `b > a`."""

    class Row(BaseModel):
        a: int
        b: int

    def fingerprint(*check: Any) -> str:
        return Contract(Row, checks=[Compare(*check)]).fingerprint

    assert fingerprint("a", "<", "b") == fingerprint("b", ">", "a")
    assert fingerprint("a", "==", "b") == fingerprint("b", "==", "a")
    assert fingerprint("a", "<", "b") != fingerprint("b", "<", "a")


@given(st.lists(st.text() | st.integers() | st.none() | st.dates(), max_size=8), st.randoms())
def test_a_reference_has_no_order(values, random):
    """A set comes in another order in each process; only its size and a digest are kept."""
    shuffled = values[:]
    random.shuffle(shuffled)

    class Row(BaseModel):
        a: Any

    first, second = (
        Contract(Row, checks=[ForeignKey("a", one)]) for one in (values, [*shuffled, *values])
    )

    assert first.fingerprint == second.fingerprint
    (check,) = first.describe().checks
    assert check.arguments["reference"]["count"] == len(set(values) - {None})
    assert set(check.arguments["reference"]) == {"count", "digest"}


# ------------------------------------------------------------------- what cannot be described


def test_all_that_is_called_wrongly_is_told_at_once():
    """Key, checks, name and version: one sentence each, with the name that was meant."""

    class Row(BaseModel):
        amount: int

    with pytest.raises(ContractError) as caught:
        Contract(Row, name=3, version=2, key="amuont", checks=[Unique("zzz")])  # type: ignore[arg-type]

    assert caught.value.faults == (
        "`name` must be text, got 3.",
        "`version` must be text, got 2.",
        "key names 'amuont', which is no field. Did you mean 'amount'?",
        "Unique names 'zzz', which is no field.",
    )


def test_a_model_that_is_not_finished_is_refused():
    """It names a type that does not exist yet; pydantic's advice is passed on."""

    class Row(BaseModel):
        later: NotYet  # type: ignore[name-defined] # noqa: F821 - that is the point

    with pytest.raises(ContractError, match="not fully defined"):
        Contract(Row)


def test_what_is_no_model_is_refused():
    """An instance, or another class, has no rows."""
    for wrong in (int, Point(x=1), None):
        with pytest.raises(ContractError, match="needs a pydantic model class"):
            Contract(wrong)  # type: ignore[type-var]


@given(st.text() | st.integers())
def test_a_reference_is_written_like_any_value(value):
    """The fast way for text and whole numbers gives what the slow way gives."""
    assert _WORDS[type(value)](value) == canonical_json(to_tagged(value))


# -------------------------------------------------------------------------------- being kept


def test_json_brings_back_the_same():
    """What was written comes back equal, byte for byte the next time."""
    described = golden_contract.CONTRACT.describe()
    again = ContractDescription.from_json(described.to_json())

    assert again == described
    assert hash(again) == hash(described)
    assert again.to_json() == described.to_json()
    assert again.fingerprint == described.fingerprint
    assert ContractDescription.from_dict(json.loads(described.to_json())) == described
    assert pickle.loads(pickle.dumps(described)) == described


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_can_be_kept(name):
    """No type is left out."""
    described = contract_of(FIELDS[name]).describe()

    assert ContractDescription.from_json(described.to_json()) == described


@pytest.mark.parametrize("name", FIELDS)
def test_a_description_holds_all_that_decides(name):
    """pydantic-core, asked by way of the description, says what it says of the model itself."""
    contract = contract_of(FIELDS[name])
    described = contract.describe().field("x").type
    acceptor = acceptor_of(described, upper=False)
    if described.functions:
        assert acceptor is None
        return
    assert acceptor is not None
    adapter = contract.model.__pydantic_validator__
    for value in candidates(described):
        try:
            adapter.validate_python({"x": value})
        except ValueError:
            accepted = False
        else:
            accepted = True
        assert acceptor.accepts(value) is accepted, repr(value)


def test_it_is_frozen():
    """A description that is compared later does not change in between."""
    described = golden_contract.CONTRACT.describe()

    with pytest.raises(FrozenInstanceError):
        described.version = "8"


def test_it_is_found_by_name():
    """A field is asked for by its name, and none is made up."""
    described = golden_contract.CONTRACT.describe()

    assert described.field("id").type.rules == {"ge": 1, "le": 2**70}
    assert described.field("name").description == "Who?"
    assert repr(described) == "ContractDescription('Golden', version='7': 19 fields, 7 checks)"
    with pytest.raises(KeyError, match="nobody"):
        described.field("nobody")


def damaged(**changes: Any) -> dict[str, Any]:
    """Return the description of a small contract with something wrong in it."""
    content = contract_of(int).describe().to_dict()
    del content["fingerprint"]
    return json.loads(json.dumps(content | changes))


def damaged_field(**changes: Any) -> dict[str, Any]:
    """Return the description of a small contract with something wrong in its field."""
    content = damaged()
    content["model"]["fields"][0] |= changes
    return content


def damaged_type(described: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a small contract with something wrong in the type of its field."""
    return damaged_field(type=described)


def damaged_check(rule: str, columns: list[str], **arguments: Any) -> dict[str, Any]:
    """Return the description of a small contract with something wrong in a check."""
    return damaged(checks=[{"rule": rule, "columns": columns, "arguments": arguments}])


GARBAGE: dict[str, Any] = {
    "not JSON": "{",
    "no object": "[]",
    "another object": {"a": 1},
    "another format": damaged(format="prodml-contract/99"),
    "a name that is none": damaged(name=1),
    "a version that is none": damaged(version=None),
    "no model": damaged(model=None),
    "a model that is a list": damaged(model=[]),
    "a model with unknown parts": damaged(model={"kind": "int", "colour": "red"}),
    "a kind that is none": damaged(model={"kind": 1}),
    "checks that are none": damaged(checks={}),
    "a check that is none": damaged(checks=[1]),
    "a key that is none": damaged(key=3),
    "a field that reads nothing": damaged_field(inputs=[]),
    "a field that reads text": damaged_field(inputs=["x"]),
    "required that is no flag": damaged_field(required="yes"),
    "a default that is none": damaged_field(default=3),
    "a factory that is none": damaged_field(default={"factory": 3}),
    "rules that are a list": damaged_field(rules=[1]),
    "another fingerprint": damaged(fingerprint="sha256:0"),
    "what JSON does not hold": damaged() | {"key": {1, 2}},
    "a length that is none": damaged_type({"kind": "str", "rules": {"max_length": "many"}}),
    "values that are none": damaged_type({"kind": "literal", "rules": {"values": "ab"}}),
    "an Enum of nothing": damaged_type({"kind": "enum"}),
    "nothing that may be None": damaged_type({"kind": "nullable"}),
    "recursion from nowhere": damaged_type({"kind": "recursive", "rules": {"up": 2}}),
    "recursion to itself": damaged_type({"kind": "recursive", "rules": {"up": 0}}),
    "recursion downwards": damaged_type({"kind": "recursive", "rules": {"up": -1}}),
    "unique in nothing": damaged_check("unique", []),
    "a comparison of three": damaged_check("compare", ["a", "b", "c"], operator="<"),
    "a comparison by nothing": damaged_check("compare", ["a", "b"], operator="~"),
    "a reference without a digest": damaged_check("foreign_key", ["a"], reference={"count": 1}),
    "rows that are none": damaged_check("row_count", [], minimum="few"),
    "rows that are no number": damaged_check("row_count", [], minimum=True),
    "a share that is none": damaged_check("null_fraction", ["a"], maximum="half"),
    "an age that is none": damaged_check("freshness", ["a"], max_age=None),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_refused(what):
    """What is not a description is an error of its own kind, which says so."""
    content = GARBAGE[what]
    read = (
        ContractDescription.from_json
        if isinstance(content, str)
        else (ContractDescription.from_dict)
    )

    with pytest.raises(FormatError):
        read(content)


def test_garbage_without_an_end_is_refused():
    """A description nested beyond reason is no crash."""
    text = '{"format": "prodml-contract/1", "model": ' + "[" * 100_000 + "]" * 100_000 + "}"

    with pytest.raises(FormatError):
        ContractDescription.from_json(text)


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5))
def test_no_json_gets_through_by_accident(content):
    """Any JSON value is either a description or refused."""
    with pytest.raises(FormatError):
        ContractDescription.from_json(json.dumps(content))


@pytest.mark.parametrize("part", ["kind", "inputs", "required", "ge"])
def test_a_description_that_was_changed_by_hand_is_noticed(part):
    """It no longer has the fingerprint that stands in it."""
    text = contract_of(Annotated[int, Field(ge=3)]).describe().to_json()
    changed = {
        "kind": text.replace('"kind":"int"', '"kind":"float"'),
        "inputs": text.replace('[["x"]]', '[["y"]]'),
        "required": text.replace('"required":true', '"required":false'),
        "ge": text.replace('"ge":3', '"ge":4'),
    }[part]

    assert changed != text
    with pytest.raises(FormatError, match="changed since"):
        ContractDescription.from_json(changed)


# ------------------------------------------------------------------------------ odd structures


class Tree(BaseModel):
    value: int = 0
    children: list[Tree] = []


class Pair(TypedDict, total=False):
    left: int
    right: str


def test_a_type_that_contains_itself_ends():
    """Recursion is told by how far up it goes, in no more words than it needs."""

    class Row(BaseModel):
        tree: Tree
        other: Tree

    described = Contract(Row).describe()
    tree = described.field("tree").type

    assert tree.deciding() == described.field("other").type.deciding()
    (_, children) = tree.fields
    assert children.type.parts["items"].kind == "recursive"
    assert children.type.parts["items"].rules == {"up": 2}
    assert ContractDescription.from_json(described.to_json()) == described


def test_a_root_model_and_a_typed_dict_are_described():
    """Whatever pydantic makes a model of has a description."""

    class Row(BaseModel):
        pair: Pair

    root = Contract(RootModel[list[int]]).describe().model
    pair = Contract(Row).describe().field("pair").type

    assert (root.kind, root.parts["inner"].kind) == ("root", "list")
    assert [(one.name, one.required) for one in pair.fields] == [("left", False), ("right", False)]


def test_an_unknown_type_is_named_and_no_more():
    """A class that pydantic only checks instances of is told by its name, never by its address."""

    class Odd:
        pass

    model = create_model("Row", __config__=ConfigDict(arbitrary_types_allowed=True), x=(Odd, ...))
    described = Contract(model).describe().field("x").type

    assert described.kind == "is-instance"
    assert described.rules["cls"].endswith("Odd")
    assert "0x" not in json.dumps(described.to_dict())


def test_a_validator_of_one_field_is_no_change_of_another():
    """Decorators do not count, since they say where a function is used and not what it does."""

    class One(BaseModel):
        a: int
        b: int

        @field_validator("a")
        @classmethod
        def _positive(cls, value: int) -> int:
            assert value > 0
            return value

    class Two(BaseModel):
        a: int
        b: int

        @field_validator("a", "b")
        @classmethod
        def _positive(cls, value: int) -> int:
            assert value > 0
            return value

    one, two = Contract(One).describe(), Contract(Two).describe()

    assert one.field("a").deciding() == two.field("a").deciding()
    assert one.field("b").deciding() != two.field("b").deciding()


class Standalone:
    """A type that brings a schema of its own, in one of the forms that pydantic has for it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        number = core_schema.int_schema()
        return core_schema.definitions_schema(
            core_schema.definition_reference_schema("number"),
            [core_schema.with_default_schema(number, default=3, ref="number")],
        )


@dataclasses.dataclass
class Place:
    street: str
    number: int = 1

    def __post_init__(self) -> None:
        """Refuse what is on no map."""
        assert self.number


class Spot(NamedTuple):
    x: int
    y: int = 0


class Exotic(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    standalone: Standalone
    again: Standalone
    place: Place
    spot: Spot
    file: Path
    address: IPv4Address
    pattern: re.Pattern[str]
    numbers: Sequence[int]
    word: SecretStr
    page: HttpUrl
    text: Json[list[int]]
    call: Callable[[int], int]
    kind: type[int]
    queue: collections.deque[int]
    ratio: Fraction
    size: ByteSize
    past: PastDate
    member: Literal[golden_contract.Colour.RED]
    strict: Annotated[golden_contract.Colour, Field(strict=True)]
    nested: Annotated[Point, Field(strict=True)]
    lenient: Annotated[str | int, Field(union_mode="left_to_right")]
    tagged: Annotated[
        Annotated[str, Tag("str")] | Annotated[int, Tag("int")],
        Discriminator(lambda value: type(value).__name__),
    ]


def test_exotic_types_are_described():
    """Whatever a model is made of, its description has no address and can be kept."""
    described = Contract(Exotic).describe()
    again = Contract(Exotic).describe()
    text = described.to_json()

    assert described == again
    assert ContractDescription.from_json(text) == described
    assert re.search(r"0x[0-9a-f]{6}|[A-Za-z_]:\d{8,}|<function|<bound", text) is None
    assert described.field("standalone").default == {"value": 3}
    assert [one.name for one in described.field("place").type.fields] == ["street", "number"]
    assert [one.mode for one in described.field("place").type.functions] == ["post_init"]
    assert described.field("strict").type.rules["strict"] is True
    assert described.field("nested").type.rules == {"strict": True}
    assert described.field("lenient").type.rules == {"mode": "left_to_right"}
    assert described.field("tagged").type.functions[0].mode == "discriminator"
    assert str(Contract(Exotic).compatibility(described).verdict) in {"pass", "inconclusive"}


# ------------------------------------------------------------------------------------ values

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.fractions()
    | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.frozensets(st.text() | st.integers(), max_size=3)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_values_keep_type_and_content(value):
    """A value comes back from JSON as what it was, and an int stays apart from a float."""
    written = json.loads(json.dumps(to_tagged(value)))
    again = from_tagged(written)

    assert again == value
    assert type(again) is type(value)
    assert to_tagged(again) == written


@pytest.mark.parametrize(
    "content",
    [
        {"opaque": "a.B"},
        {"date": "yesterday"},
        {"date": 3},
        {"timedelta": ["a"]},
        {"decimal": "x"},
        {"pattern": ["(", 0]},
        {"set": [{"opaque": "a.B"}]},
        {"a": 1, "b": 2},
        [1, {"opaque": "a.B"}],
    ],
    ids=str,
)
def test_a_value_that_was_not_kept_is_not_made_up(content):
    """What is only named, or damaged, is unknown."""
    assert from_tagged(content) is UNKNOWN


def test_a_value_that_holds_itself_is_named():
    """Describing it ends."""
    endless: list[Any] = []
    endless.append(endless)

    assert to_tagged(endless) == {"opaque": "builtins.list"}


class Word(str):
    """Text of a user's own kind."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.int64(3), 3),
        (np.float64("nan"), None),
        (pd.Timestamp(2024, 5, 17), {"datetime": "2024-05-17T00:00:00"}),
        (Word("a"), "a"),
        (PurePosixPath("a/b"), {"path": "a/b"}),
        (Point(x=1), {"model": [["x", 1], ["y", 0.0]]}),
        (golden_contract.Colour.TWO, {"enum": 2}),
        (bytearray(b"a"), {"bytes": "61"}),
        (float("nan"), {"float": "nan"}),
        (re.compile("a", re.IGNORECASE), {"pattern": ["a", 34]}),
        (object(), {"opaque": "builtins.object"}),
        ({1: object()}, {"dict": [[1, {"opaque": "builtins.object"}]]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_of_other_kinds_are_written_by_their_content(value, written):
    """Scalars of other libraries are what they stand for; what is not known is named."""
    assert to_tagged(value) == written
    assert repr(UNKNOWN) == "UNKNOWN"


def test_bounds_are_the_same_in_every_version_of_pydantic():
    """Some keep a bound as it was written, and some as the number that it bounds."""
    written = fingerprint_of(Annotated[float, Field(ge=0)])

    assert written == fingerprint_of(Annotated[float, Field(ge=0.0)])
    assert fingerprint_of(Annotated[int, Field(ge=1)]) == fingerprint_of(
        Annotated[int, Field(ge=1.0)]
    )


def test_dates_and_decimals_in_rules_stay_exact():
    """A bound that JSON has no type for is kept with its type."""
    described = contract_of(Annotated[Decimal, Field(ge=Decimal("0.10"))]).describe()
    again = ContractDescription.from_json(described.to_json()).field("x").type.rules

    assert from_tagged(again["ge"]) == Decimal("0.10")
    assert from_tagged(to_tagged(date(2024, 5, 17))) == date(2024, 5, 17)
