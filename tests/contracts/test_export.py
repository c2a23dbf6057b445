"""Contracts for others: JSON Schema and the Open Data Contract Standard."""

from __future__ import annotations

import enum
import json
import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NaiveDatetime,
    RootModel,
    StringConstraints,
    ValidationError,
    create_model,
    model_validator,
)

from prodml.contracts import (
    Compare,
    Contract,
    FieldDescription,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)
from prodml.contracts._rebuilding import acceptor_of
from prodml.contracts._samples import candidates

from . import golden_contract
from .corpus import FIELDS, Colour, Point, Size

DRAFT = jsonschema.Draft202012Validator


def contract(**fields: Any) -> Contract[Any]:
    """Return a contract with some fields."""
    definitions = {
        name: given if isinstance(given, tuple) else (given, ...) for name, given in fields.items()
    }
    model: Any = create_model("Row", **definitions)
    return Contract(model)


# --------------------------------------------------------------------------------- JSON Schema


def test_a_schema_says_what_it_is():
    """The dialect, the title, and what prodml adds under a name of its own."""
    schema = golden_contract.CONTRACT.to_json_schema()
    added = schema["x-prodml"]

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Golden"
    assert added["fingerprint"] == golden_contract.CONTRACT.fingerprint
    assert (added["name"], added["version"], added["key"]) == ("Golden", "7", "id")
    assert [one["rule"] for one in added["checks"]] == [
        "unique",
        "unique",
        "compare",
        "foreign_key",
        "row_count",
        "null_fraction",
        "freshness",
    ]
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_a_schema(name):
    """It is JSON, and a schema of the dialect that it names."""
    schema = contract(x=FIELDS[name]).to_json_schema()

    json.dumps(schema, allow_nan=False)
    DRAFT.check_schema(schema)


def test_what_has_no_schema_takes_anything_and_says_so():
    """Pydantic gives up on such a model as a whole; its other fields are still worth telling."""

    class Odd:
        pass

    settings = ConfigDict(arbitrary_types_allowed=True)
    model: Any = create_model(
        "Row",
        __config__=settings,
        a=(Odd, ...),
        b=(Callable[[int], int], ...),
        c=(int, ...),
        d=(Any, Odd()),
    )
    schema = Contract(model).to_json_schema()

    json.dumps(schema)
    assert "x-prodml-opaque" in schema["properties"]["a"]
    assert schema["properties"]["c"]["type"] == "integer"
    assert set(schema["x-prodml"]["not_said"]) == {"a", "b"}


def refuse(value: int) -> int:
    """Refuse odd numbers."""
    assert value % 2 == 0
    return value


class Ordered(BaseModel):
    a: int

    @model_validator(mode="after")
    def _checked(self) -> Any:
        return self


NOT_SAID: dict[str, tuple[Any, list[str]]] = {
    "int": (int, []),
    "str": (Annotated[str, Field(min_length=1, pattern="^a")], []),
    "validator": (Annotated[int, AfterValidator(refuse)], ["after validator refuse"]),
    "time zone": (AwareDatetime, ["says whether a time zone must be there"]),
    "spaces": (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)],
        ["strips spaces before lengths and patterns are judged"],
    ),
    "digits": (Annotated[Decimal, Field(max_digits=3, decimal_places=1)], ["counts digits"]),
    "names": (
        (int, Field(validation_alias=AliasChoices("x", "y"))),
        ["is read under several names, or from within another column"],
    ),
    "path": (
        (int, Field(validation_alias=AliasPath("x", "y"))),
        ["is read under several names, or from within another column"],
    ),
}


@pytest.mark.parametrize("name", NOT_SAID)
def test_what_a_schema_does_not_say_is_listed(name):
    """Nobody is to take the schema for the whole contract."""
    annotation, expected = NOT_SAID[name]
    not_said = contract(x=annotation).to_json_schema()["x-prodml"]["not_said"]

    assert not_said == ({"x": expected} if expected else {})


def test_what_is_not_said_is_listed_by_its_path():
    """Also of what is nested, and of the row itself."""
    inner = create_model("Inner", n=(Annotated[int, AfterValidator(refuse)], ...))
    nested = contract(x=list[inner], y=inner)  # type: ignore[valid-type]

    assert nested.to_json_schema()["x-prodml"]["not_said"] == {
        "x[].n": ["after validator refuse"],
        "y.n": ["after validator refuse"],
    }
    assert list(Contract(Ordered).to_json_schema()["x-prodml"]["not_said"]) == [""]


def test_a_type_within_itself_has_a_schema():
    """What is not said about it is said once."""

    class Tree(BaseModel):
        value: Annotated[int, AfterValidator(refuse)]
        children: list[Tree] = []

    schema = Contract(Tree).to_json_schema()

    DRAFT.check_schema(schema)
    assert schema["x-prodml"]["not_said"] == {"value": ["after validator refuse"]}


def test_formats_are_checked_by_those_who_ask_for_it():
    """Dates are text with a format."""
    schema = contract(x=date, y=datetime | None).to_json_schema()
    checker = DRAFT(schema, format_checker=DRAFT.FORMAT_CHECKER)

    assert checker.is_valid({"x": "2024-05-17", "y": None})
    assert not checker.is_valid({"x": "2024-05-32", "y": None})


@st.composite
def portable_types(draw: Any, *, depth: int = 1) -> Any:
    """Draw a type that JSON Schema and pydantic understand alike."""
    kind = draw(st.sampled_from(["int", "float", "str", "bool", "literal", "list", "dict", "none"]))
    numbers = st.integers(-3, 3)
    if kind in {"int", "float"}:
        names = st.sampled_from(["ge", "gt", "le", "lt"])
        limits = draw(st.dictionaries(names, numbers, max_size=2))
        return Annotated[int if kind == "int" else float, Field(**limits)]
    if kind == "str":
        names = st.sampled_from(["min_length", "max_length"])
        limits = draw(st.dictionaries(names, st.integers(0, 3), max_size=2))
        if draw(st.integers(0, 3)) == 0:
            limits["pattern"] = draw(st.sampled_from(["^a", "b$", "^[ab]+$"]))
        return Annotated[str, Field(**limits)]
    if kind == "bool":
        return bool
    if kind == "literal" or depth == 0:
        return Literal[tuple(draw(st.sets(st.sampled_from("abc"), min_size=1)))]  # type: ignore[misc]
    inner = draw(portable_types(depth=depth - 1))
    if kind == "none":
        return inner | None
    return list[inner] if kind == "list" else dict[str, inner]  # type: ignore[valid-type]


@st.composite
def portable_models(draw: Any) -> Any:
    """Draw a model with up to three fields, some of them optional, one perhaps a model itself."""
    fields: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from("abc"), min_size=1)):
        default = draw(st.sampled_from([..., None]))
        fields[name] = (draw(portable_types()), default)
    if draw(st.booleans()):
        fields["inner"] = (create_model("Inner", a=(draw(portable_types()), ...)), ...)
    behaviour = draw(st.sampled_from(["ignore", "forbid"]))
    return create_model("Row", __config__=ConfigDict(extra=behaviour), **fields)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-4, 4)
    | st.sampled_from([0.5, -3.5, 1.0, 1e300])
    | st.text("ab", max_size=4)
    | st.sampled_from(["c", "1", "true"])
)
VALUES = (
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text("ab"), SCALARS, max_size=2)
)
RECORDS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), VALUES | st.fixed_dictionaries({"a": VALUES})
)


@given(portable_models(), st.data())
def test_schema_and_contract_agree(model, data):
    """A record that the schema takes is accepted; one that is accepted as it is, it takes.

    "As it is": pydantic would not have to convert anything, which is its strict mode.
    """
    described = Contract(model)
    schema = described.to_json_schema()
    validator = DRAFT(schema)
    fitting = st.fixed_dictionaries({one.name: _of(one) for one in described.describe().fields})
    record = data.draw(RECORDS | fitting)
    taken = validator.is_valid(record)
    event(f"taken: {taken}")

    assert schema["x-prodml"]["not_said"] == {}
    if taken:
        described.validate_record(record)
    try:
        model.model_validate_json(json.dumps(record), strict=True)
    except ValidationError:
        return
    assert taken


def _of(field: FieldDescription) -> st.SearchStrategy[Any]:
    """Draw values that JSON has: those that fit a field, and now and then any."""
    acceptor = acceptor_of(field.type, upper=False)
    assert acceptor is not None
    fitting = [one for one in candidates(field.type) if acceptor.accepts(one) and _is_json(one)]
    return st.sampled_from([*fitting, *fitting, "other"]) if fitting else VALUES


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
    finite = not isinstance(value, float) or math.isfinite(value)
    return value is None or (isinstance(value, bool | int | float | str) and finite)


# ---------------------------------------------------------------------------------------- ODCS

ELEMENT = {"name", "description", "logicalType", "physicalType", "quality", "customProperties"}
PROPERTY = {"logicalTypeOptions", "required", "unique", "primaryKey", "primaryKeyPosition"}
NESTED = {"properties", "items"}
LOGICAL_TYPES = {
    "string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean",
}  # fmt: skip
BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
OPTIONS = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": BOUNDS | {"multipleOf", "format"},
    "number": BOUNDS | {"multipleOf", "format"},
    "date": BOUNDS | {"format"},
    "timestamp": BOUNDS | {"format", "timezone", "defaultTimezone"},
    "time": BOUNDS | {"format", "timezone", "defaultTimezone"},
    "array": {"minItems", "maxItems", "uniqueItems"},
    "object": {"minProperties", "maxProperties", "required"},
    "boolean": set(),
}
METRICS = {"nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"}
OPERATORS = {
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan",
    "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween",
}  # fmt: skip


def assert_is_odcs(document: dict[str, Any]) -> None:
    """Hold a document against what version 3.1.0 of the standard says of the parts in use."""
    assert {"apiVersion", "kind", "id", "version", "status"} <= set(document)
    assert set(document) <= {
        "apiVersion", "kind", "id", "name", "version", "status", "description", "schema",
        "slaProperties", "customProperties",
    }  # fmt: skip
    assert (document["apiVersion"], document["kind"]) == ("v3.1.0", "DataContract")
    for table in document["schema"]:
        assert set(table) <= ELEMENT | {"properties"}
        assert table["logicalType"] == "object"
        for rule in table.get("quality", []):
            assert_is_rule(rule)
        for one in table["properties"]:
            assert "name" in one
            assert_is_property(one)
    for promise in document.get("slaProperties", []):
        assert {"property", "value"} <= set(promise) <= {"property", "value", "unit", "element"}
    for one in document["customProperties"]:
        assert set(one) == {"property", "value"}
    assert yaml.safe_load(yaml.safe_dump(document, sort_keys=False)) == document
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def assert_is_property(one: dict[str, Any]) -> None:
    """Hold a property of a table, and those inside it, against the standard."""
    assert set(one) <= ELEMENT | PROPERTY | NESTED
    assert one["logicalType"] in LOGICAL_TYPES
    assert set(one.get("logicalTypeOptions", {})) <= OPTIONS[one["logicalType"]]
    assert "properties" not in one or one["logicalType"] == "object"
    assert "items" not in one or one["logicalType"] == "array"
    for rule in one.get("quality", []):
        assert_is_rule(rule)
    for inner in one.get("properties", []):
        assert_is_property(inner)
    if "items" in one:
        assert_is_property(one["items"])


def assert_is_rule(rule: dict[str, Any]) -> None:
    """Hold a rule of quality against the standard: one metric and one operator, or an engine."""
    if rule.get("type") == "custom":
        assert {"engine", "implementation"} <= set(rule)
        return
    assert rule["metric"] in METRICS
    assert len(OPERATORS & set(rule)) == 1
    assert set(rule) - OPERATORS <= {"metric", "arguments", "unit"}


def column_of(annotation: Any, **settings: Any) -> dict[str, Any]:
    """Return what the standard says of one field."""
    definition = annotation if isinstance(annotation, tuple) else (annotation, ...)
    document = Contract(create_model("Row", x=definition), **settings).to_odcs()  # type: ignore[call-overload]
    assert_is_odcs(document)
    found: dict[str, Any] = document["schema"][0]["properties"][0]
    return found


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_in_the_standard(name):
    """No type is left out, and what is said of it the standard knows."""
    assert column_of(FIELDS[name])["name"] == "x"


COLUMNS: dict[str, tuple[Any, dict[str, Any]]] = {
    "int": (
        Annotated[int, Field(ge=1, lt=9, multiple_of=2)],
        {
            "logicalType": "integer",
            "logicalTypeOptions": {"minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
            "required": True,
        },
    ),
    "decimal": (
        Annotated[Decimal, Field(gt=Decimal("0.5"))],
        {
            "logicalType": "number",
            "logicalTypeOptions": {"exclusiveMinimum": 0.5},
            "required": True,
        },
    ),
    "text": (
        Annotated[str, Field(min_length=1, max_length=3, pattern="^a")] | None,
        {
            "logicalType": "string",
            "logicalTypeOptions": {"minLength": 1, "maxLength": 3, "pattern": "^a"},
            "required": False,
        },
    ),
    "optional": ((bool, False), {"logicalType": "boolean", "required": False}),
    "date": (
        Annotated[date, Field(ge=date(2024, 1, 1))],
        {
            "logicalType": "date",
            "logicalTypeOptions": {"minimum": "2024-01-01"},
            "required": True,
        },
    ),
    "aware": (
        AwareDatetime,
        {"logicalType": "timestamp", "logicalTypeOptions": {"timezone": True}, "required": True},
    ),
    "naive": (
        NaiveDatetime,
        {"logicalType": "timestamp", "logicalTypeOptions": {"timezone": False}, "required": True},
    ),
    "identifier": (
        UUID,
        {"logicalType": "string", "logicalTypeOptions": {"format": "uuid"}, "required": True},
    ),
    "duration": (
        timedelta,
        {"logicalType": "string", "logicalTypeOptions": {"format": "duration"}, "required": True},
    ),
    "values": (
        Size | None,
        {
            "logicalType": "string",
            "required": False,
            "quality": [
                {"metric": "invalidValues", "arguments": {"validValues": ["s", "l"]}, "mustBe": 0}
            ],
        },
    ),
    "values or none": (
        Literal[1, 2, None],
        {
            "logicalType": "integer",
            "required": False,
            "quality": [
                {"metric": "invalidValues", "arguments": {"validValues": [1, 2]}, "mustBe": 0}
            ],
        },
    ),
    "mixed values": (
        Colour,
        {
            "logicalType": "string",
            "customProperties": [{"property": "prodmlType", "value": "Colour['red', 2]"}],
            "required": True,
            "quality": [
                {"metric": "invalidValues", "arguments": {"validValues": ["red", 2]}, "mustBe": 0}
            ],
        },
    ),
    "list": (
        Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=5)],
        {
            "logicalType": "array",
            "logicalTypeOptions": {"maxItems": 5},
            "items": {"logicalType": "integer", "logicalTypeOptions": {"minimum": 0}},
            "required": True,
        },
    ),
    "model": (
        Point,
        {
            "logicalType": "object",
            "properties": [
                {
                    "name": "x",
                    "logicalType": "integer",
                    "logicalTypeOptions": {"minimum": 0},
                    "required": True,
                },
                {"name": "y", "logicalType": "number", "required": False},
            ],
            "required": True,
        },
    ),
    "union": (
        int | str,
        {
            "logicalType": "string",
            "customProperties": [{"property": "prodmlType", "value": "int | str"}],
            "required": True,
        },
    ),
    "values that YAML has not": (
        Literal[b"a"],
        {
            "logicalType": "string",
            "customProperties": [{"property": "prodmlType", "value": "Literal[b'a']"}],
            "required": True,
        },
    ),
    "a bound at infinity": (
        Annotated[float, Field(ge=0, le=float("inf"))],
        {"logicalType": "number", "logicalTypeOptions": {"minimum": 0.0}, "required": True},
    ),
    "described": (
        (int, Field(description="How many?")),
        {"logicalType": "integer", "description": "How many?", "required": True},
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(name):
    """Types, constraints and values in the words of the standard."""
    annotation, expected = COLUMNS[name]

    assert column_of(annotation) == {"name": "x", **expected}


def test_values_that_a_validator_adds_to_are_not_limited():
    """The standard would turn away what the contract lets in."""

    class Loose(enum.Enum):
        A = "a"

        @classmethod
        def _missing_(cls, value: object) -> Any:
            return cls.A if value == "b" else None

    before = Annotated[Literal["a"], BeforeValidator(str.lower)]

    assert "quality" not in column_of(Loose)
    assert "quality" not in column_of(before)


def test_a_column_has_the_name_under_which_it_arrives():
    """An alias is the name of the column."""
    assert column_of((int, Field(alias="Order no.")))["name"] == "Order no."


@pytest.mark.parametrize(
    ("checks", "key", "expected"),
    [
        ([], "x", {}),
        ([Unique("x")], None, {"unique": True}),
        ([Unique("x")], "x", {"unique": True, "primaryKey": True, "primaryKeyPosition": 1}),
    ],
)
def test_a_primary_key_is_one_that_is_unique(checks, key, expected):
    """The key of a contract only names rows, and need not differ from row to row."""
    column = column_of(int, checks=checks, key=key)
    said = {
        name: column[name] for name in column if name not in {"name", "logicalType", "required"}
    }

    assert said == expected


class Order(BaseModel):
    """What a shop sold."""

    id: int = Field(alias="Order no.")
    store: str
    paid: float
    due: float
    at: datetime


def test_checks():
    """Counts become metrics, comparisons rules of prodml, freshness a promise."""
    checks = [
        Unique("id", "store"),
        RowCount(minimum=2, maximum=9),
        NullFraction("store", 0.25),
        Compare("paid", "<=", "due"),
        ForeignKey("store", ["a"], name="stores"),
        Freshness("at", timedelta(hours=6)),
    ]
    document = Contract(Order, name="orders", version="3", key="id", checks=checks).to_odcs()
    (table,) = document["schema"]
    columns = {one["name"]: one for one in table["properties"]}

    assert_is_odcs(document)
    assert table["name"] == "orders"
    assert table["quality"] == [
        {
            "metric": "duplicateValues",
            "arguments": {"properties": ["Order no.", "store"]},
            "mustBe": 0,
        },
        {"metric": "rowCount", "mustBeBetween": [2, 9]},
        {
            "type": "custom",
            "engine": "prodml",
            "description": "paid <= due",
            "implementation": {
                "rule": "compare",
                "left": "paid",
                "operator": "<=",
                "right": "due",
            },
        },
        {
            "type": "custom",
            "engine": "prodml",
            "description": "store is one of stores",
            "implementation": {"rule": "foreign_key", "column": "store", "reference": "stores"},
        },
    ]
    assert columns["store"]["quality"] == [
        {"metric": "nullValues", "mustBeLessOrEqualTo": 25.0, "unit": "percent"}
    ]
    assert document["slaProperties"] == [
        {"property": "freshness", "value": 21600, "unit": "s", "element": "orders.at"}
    ]


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (RowCount(minimum=2), {"mustBeGreaterOrEqualTo": 2}),
        (RowCount(minimum=2, maximum=2), {"mustBe": 2}),
    ],
)
def test_numbers_of_rows(check, expected):
    """A number of rows, at least or exactly."""
    document = Contract(Order, checks=[check]).to_odcs()

    assert_is_odcs(document)
    assert document["schema"][0]["quality"] == [{"metric": "rowCount", **expected}]


def test_a_document_says_what_it_is():
    """The same identifier in every version, unless another is given."""
    first, second = Contract(Order, version="1"), Contract(Order, version="2")
    document = first.to_odcs()
    given_id = second.to_odcs(contract_id="abc", status="active")

    assert document["id"] == second.to_odcs()["id"] != Contract(Order, name="other").to_odcs()["id"]
    assert str(UUID(document["id"])) == document["id"]
    assert document["description"] == {"purpose": "What a shop sold."}
    assert (given_id["id"], given_id["status"], given_id["version"]) == ("abc", "active", "2")
    assert {"property": "prodmlFingerprint", "value": first.fingerprint} in document[
        "customProperties"
    ]
    assert "description" not in Contract(Point).to_odcs()


def test_a_contract_with_something_of_everything():
    """All of it at once, and a model of a single value."""
    assert_is_odcs(golden_contract.CONTRACT.to_odcs())
    assert_is_odcs(Contract(RootModel[list[int]]).to_odcs())
