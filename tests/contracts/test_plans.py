"""Who judges a field, and that whatever is not understood is left to pydantic."""

from __future__ import annotations

import enum
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PastDate,
    PlainValidator,
    RootModel,
    StringConstraints,
    ValidationInfo,
    WrapValidator,
    create_model,
    model_validator,
)
from pydantic_core import core_schema

from prodml.contracts import Contract, _schema
from prodml.contracts._field_reading import _choose_path, read_field
from prodml.contracts._schema import _model_fault
from prodml.contracts._schema_nodes import unknown_keys, walk

Kind = TypeVar("Kind")


class Shade(enum.Enum):
    """Two members, and a hook that finds others."""

    DARK = "d"
    LIGHT = "l"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls.DARK if value == "black" else None


class Size(str, enum.Enum):
    """Two members."""

    SMALL = "s"
    LARGE = "l"


def _same(value: Any) -> Any:
    return value


def _with_info(value: Any, _info: ValidationInfo) -> Any:
    return value


def _wrap(value: Any, handler: Any) -> Any:
    return handler(value)


@pytest.mark.parametrize(
    ("field", "path", "why"),
    [
        (int, "vectorised", "int bounds are compared as a column"),
        (Optional[Annotated[float, Field(ge=0)]], "vectorised", "float bounds"),
        (bool, "vectorised", "bool"),
        (str, "vectorised", "lengths are counted"),
        (Annotated[str, Field(pattern="^a+$")], "vectorised", "what Arrow's engine matches"),
        (Annotated[str, Field(pattern=r"\bword")], "column", "something else to Arrow's engine"),
        (datetime, "vectorised", "datetime"),
        (AwareDatetime, "vectorised", "datetime"),
        (date, "vectorised", "date"),
        (timedelta, "vectorised", "timedelta"),
        (Literal["a", "b"], "vectorised", "each distinct value of the literal"),
        (Size, "vectorised", "each distinct value of the enum"),
        (Shade, "vectorised", "each distinct value of the enum"),
        (Decimal, "column", "decimal values are judged by pydantic-core"),
        (int | str, "column", "union"),
        (list[int], "column", "list"),
        (Annotated[int, Field(multiple_of=3)], "column", "multiple_of of int"),
        (Annotated[date, Field(ge=date(2024, 1, 1))], "column", "ge of date"),
        (PastDate, "column", "of date is judged by pydantic-core"),
        (Annotated[str, StringConstraints(to_lower=True)], "column", "to_lower of str"),
        (Annotated[int, AfterValidator(_same)], "column", "each distinct value is judged once"),
        (Annotated[int, BeforeValidator(_same)], "column", "each distinct value is judged once"),
        (Annotated[int, WrapValidator(_wrap)], "column", "each distinct value is judged once"),
        (Annotated[int, PlainValidator(_same)], "column", "each distinct value is judged once"),
        (list[Annotated[int, AfterValidator(_same)]], "column", "each distinct value"),
    ],
)  # fmt: skip
def test_a_field_goes_as_fast_as_is_safe(field: Any, path: str, why: str) -> None:
    """Each answer comes with its reason."""
    contract = Contract(create_model("Row", value=(field, ...)))

    found = contract.explain()["value"]

    assert (found.path, contract.explain().whole_rows) == (path, None)
    assert why in found.why


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (Annotated[int, AfterValidator(_with_info)], "asks for its context (info)"),
        (list[Annotated[int, AfterValidator(_with_info)]], "asks for its context (info)"),
        (Annotated[int, Field(validation_alias=AliasPath("a", 0))], "alias is a path"),
        (
            Annotated[int, Field(validation_alias=AliasChoices("a", AliasPath("b", "c")))],
            "alias is a path",
        ),
        (Annotated[int, Field(default=1, validate_default=True)], "default is validated"),
        (Annotated[int, Field(default_factory=lambda _data: 1)], "computed from other fields"),
    ],
)
def test_a_field_that_needs_its_row_sends_rows_to_pydantic_whole(field: Any, why: str) -> None:
    """And the reason names the field."""
    contract = Contract(create_model("Row", value=(field, ...) if "default" not in why and
                                     "computed" not in why else field))  # fmt: skip

    whole = contract.explain().whole_rows

    assert whole is not None
    assert whole.startswith("field 'value': ")
    assert why in whole
    assert contract.explain()["value"].path == "row"


@pytest.mark.parametrize(
    ("node", "path", "why"),
    [
        ({"type": "int", "ref": "somewhere"}, "vectorised", "int bounds"),
        ({"type": "int", "frobnicate": True}, "column", "frobnicate of int is judged by pydantic"),
        ({"type": "frobnicate"}, "column", "frobnicate values are judged by pydantic"),
    ],
)
def test_a_key_that_nobody_knows_is_left_to_pydantic(node: Any, path: str, why: str) -> None:
    """A rule that is overlooked is a rule that is not applied."""
    found = _choose_path(node, node, {})

    assert found[0] == path
    assert why in found[1]


@pytest.mark.parametrize(
    ("node", "config", "why"),
    [
        ({}, {}, None),
        ({"custom_init": False, "root_model": False}, {"strict": True}, None),
        ({"frobnicate": True}, {}, "model has frobnicate, which prodml does not know"),
        ({}, {"frobnicate": True}, "model_config has frobnicate, which prodml does not know"),
        ({"strict": True}, {}, "strict is set on the model's schema"),
    ],
)
def test_a_setting_that_nobody_knows_is_left_to_pydantic(node: Any, config: Any, why: Any) -> None:
    """It may be about validation."""
    assert _model_fault({"type": "model", "schema": {}, "cls": int, **node}, config) == why


@pytest.mark.parametrize(
    ("node", "known", "fault"),
    [
        ({"type": "model", "cls": int, "ref": "x"}, set(), None),
        ({"type": "model", "schema": {}}, {"schema"}, None),
        (
            {"type": "model", "schema": {}, "b": 1, "a": 2},
            {"schema"},
            "model has a, b, which prodml does not know",
        ),
    ],
)
def test_unknown_keys_are_named(node: Any, known: set[str], fault: str | None) -> None:
    """All of them, whatever their values."""
    assert unknown_keys(node, frozenset(known)) == fault


def test_nodes_are_walked_once() -> None:
    """Definitions that refer to each other end, and values are not taken for nodes."""
    definitions = {
        "a": {"type": "list", "items_schema": {"type": "definition-ref", "schema_ref": "b"}},
        "b": {"type": "nullable", "schema": {"type": "definition-ref", "schema_ref": "a"}},
    }
    node = {
        "type": "union",
        "choices": [{"type": "definition-ref", "schema_ref": "a"}, ({"type": "int"}, "label")],
        "metadata": {"type": "str"},
        "default": {"type": "float"},
    }

    assert sorted(one["type"] for one in walk(node, definitions)) == [
        "int", "list", "nullable", "union",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ({"frobnicate": 1}, "model-field has frobnicate, which prodml does not know"),
        ({"schema": {"frobnicate": 1}}, "default has frobnicate, which prodml does not know"),
        ({"schema": {"on_error": "omit"}}, "its default also replaces values that fail"),
        ({"schema": {"on_error": "raise"}}, None),
    ],
)
def test_a_field_that_nobody_knows_is_left_to_pydantic(node: Any, why: str | None) -> None:
    """Its node, and that of its default."""
    default = {"type": "default", "schema": {"type": "int"}, "default": 1, **node.get("schema", {})}
    found = read_field("a", {"type": "model-field", **node, "schema": default}, {}, {})

    assert (found if isinstance(found, str) else None) == why


def test_a_validator_of_the_model_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key beside its function sends rows whole."""
    fields = {"type": "model-fields", "fields": {}}
    model = {"type": "model", "cls": BaseModel, "schema": fields, "config": {}}
    function = {"type": "no-info", "function": _same}
    schema = {"type": "function-after", "function": function, "schema": model, "frobnicate": 1}
    monkeypatch.setattr(_schema, "TypeAdapter", lambda _model: SimpleNamespace(core_schema=schema))

    plan = _schema.read_model(BaseModel)

    assert plan.whole_rows == "function-after has frobnicate, which prodml does not know"


class TestModels:
    """Settings and validators of a model as a whole."""

    @pytest.mark.parametrize(
        ("config", "why"),
        [
            ({"strict": True}, None),
            ({"str_strip_whitespace": True, "str_max_length": 5}, None),
            ({"extra": "allow"}, None),
            ({"extra": "forbid", "frozen": True}, None),
            ({"populate_by_name": True, "loc_by_alias": False}, None),
            ({"use_enum_values": True, "validate_assignment": True}, None),
            ({"json_schema_extra": {"a": 1}, "title": "x"}, None),
        ],
    )
    def test_common_settings_stay_fast(self, config: Any, why: str | None) -> None:
        """None of them leaves the fast path."""
        model = create_model("Row", __config__=ConfigDict(**config), a=(int, ...), b=(str, "x"))
        explanation = Contract(model).explain()

        assert explanation.whole_rows is why
        assert {one.path for one in explanation.fields} == {"vectorised"}

    @pytest.mark.parametrize(
        ("config", "why"),
        [
            ({"str_to_lower": True}, "to_lower of str is judged by pydantic-core"),
            ({"str_to_upper": True}, "to_upper of str is judged by pydantic-core"),
            ({"regex_engine": "python-re"}, "the pattern needs Python's own engine"),
        ],
    )
    def test_settings_that_a_kernel_cannot_follow(self, config: Any, why: str) -> None:
        """The column goes to pydantic, the rows don't."""
        field: Any = (Annotated[str, Field(pattern="^a$")], ...)
        explanation = Contract(create_model("Row", __config__=config, a=field)).explain()

        assert (explanation["a"].path, explanation["a"].why) == ("column", why)
        assert explanation.whole_rows is None

    def test_a_generic_model_is_like_any_other(self) -> None:
        """Its parameters are filled in when it is used."""

        class Box(BaseModel, Generic[Kind]):
            content: Kind

        assert Contract(Box[int]).explain()["content"].path == "vectorised"

    def test_a_root_model_has_no_fields_to_judge(self) -> None:
        """Its rows go whole."""
        assert Contract(RootModel[dict[str, int]]).explain().whole_rows == (
            "the model is a RootModel"
        )

    def test_validators_of_the_model_see_what_the_fields_accept(self) -> None:
        """The fields are judged as columns first, and explain() says what follows."""

        class Row(BaseModel):
            a: int

            @model_validator(mode="after")
            def _look(self) -> Any:
                return self

        explanation = Contract(Row).explain()

        assert explanation.whole_rows == "model_validator '_look' sees whole rows"
        assert explanation["a"].path == "vectorised"
        assert explanation["a"].why.endswith("; then whole rows, because " + explanation.whole_rows)

    def test_a_model_validator_that_asks_for_its_context(self) -> None:
        """Whole rows from the beginning."""

        class Row(BaseModel):
            a: int

            @model_validator(mode="after")
            def _look(self, _info: ValidationInfo) -> Any:
                return self

        assert Contract(Row).explain().whole_rows == "a model validator asks for its context"

    def test_what_stands_before_the_fields_sees_whole_rows(self) -> None:
        """Validators before and around, and schemas of one's own."""

        class Before(BaseModel):
            a: int

            @model_validator(mode="before")
            @classmethod
            def _look(cls, content: Any) -> Any:
                return content

        class Own(BaseModel):
            a: int

            @classmethod
            def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
                return core_schema.chain_schema([handler(source)])

        found = {model: Contract(model).explain().whole_rows for model in (Before, Own)}

        assert found == {
            Before: "a model_validator (function-before) sees whole rows",
            Own: "a chain stands before the fields",
        }
