"""Whole models with their settings give the verdict of pydantic, whoever judges them."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import SchemaError

from prodml.contracts import Contract

from .corpus import FIELDS, Point, Size
from .oracle import assert_same_verdict


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    a: int
    b: float
    c: str


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, str_max_length=3, str_min_length=1)
    a: str
    b: str | None = None
    c: Annotated[str, Field(pattern="^[a-z]+$", max_length=8)] = "x"


class Lowered(BaseModel):
    model_config = ConfigDict(str_to_lower=True)
    a: str
    c: Annotated[str, Field(pattern="^[a-z]+$")] = "x"


class NoInfinity(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)
    a: float
    b: float | None = None


class PythonRegex(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    a: Annotated[str, Field(pattern=r"^(?=a).b$")]


class NumbersToText(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)
    a: str


class Forbidding(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


class Allowing(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class Aliased(BaseModel):
    a: int = Field(alias="The A")
    b: int = Field(default=3, validation_alias="b.b")


class AliasedByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True, loc_by_alias=False)
    a: int = Field(alias="A")
    b: int | None = Field(default=None, validation_alias=AliasChoices("B", "bb"))


class AliasedByPath(BaseModel):
    a: int = Field(validation_alias=AliasPath("c", 0))


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, title="Ice", validate_assignment=True)
    a: int
    size: Size = Size.SMALL


class EnumValues(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    a: Size


class Private(BaseModel):
    a: int
    _seen: int = PrivateAttr(default=0)


class PostInit(BaseModel):
    a: int

    def model_post_init(self, context: Any, /) -> None:
        """Refuse what the fields allow."""
        if self.a == 2:
            message = "two is refused"
            raise ValueError(message)


class After(BaseModel):
    a: int
    b: int = 0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.a < self.b:
            message = "a is below b"
            raise ValueError(message)
        return self


class Before(BaseModel):
    a: int

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, content: Any) -> Any:
        return {"a": content.get("b", content.get("a"))} if isinstance(content, dict) else content


class Wrapped(BaseModel):
    a: int

    @model_validator(mode="wrap")
    @classmethod
    def _wrap(cls, content: Any, handler: Any) -> Any:
        return handler(content)


class OwnInit(BaseModel):
    a: int

    def __init__(self, **content: Any) -> None:
        super().__init__(**{"a": 1, **content})


class Contextual(BaseModel):
    a: int
    b: int = 0

    @field_validator("b")
    @classmethod
    def _above(cls, b: int, info: ValidationInfo) -> int:
        if b < info.data.get("a", 0):
            message = "below a"
            raise ValueError(message)
        return b


class FieldValidators(BaseModel):
    a: int
    c: str = "x"

    @field_validator("a", mode="before")
    @classmethod
    def _question(cls, a: Any) -> Any:
        return 0 if a == "?" else a

    @field_validator("c")
    @classmethod
    def _no_b(cls, c: str) -> str:
        assert c != "b", "b is out"
        return c * 2


class Defaults(BaseModel):
    a: int
    d: list[int] = Field(default_factory=lambda: [1])
    e: int = 7
    f: datetime | None = None
    g: str = "g"
    h: float = math.inf
    i: Size = Size.LARGE


class ValidatedDefault(BaseModel):
    a: int
    d: int = Field(default="4", validate_default=True)


class DefaultFromData(BaseModel):
    a: int
    d: int = Field(default_factory=lambda data: data.get("a", 0) + 1)


class Nested(BaseModel):
    a: int
    p: Point | None = None
    q: list[Point] = Field(default_factory=list)


class Recursive(BaseModel):
    a: int
    children: list["Recursive"] = Field(default_factory=list)


class Inherited(After):
    c: str | None = None


@dataclasses.dataclass
class Pair:
    left: int
    right: int = 0


class WithDataclass(BaseModel):
    a: int
    pair: Pair = Field(default_factory=lambda: Pair(1))


class Root(RootModel[dict[str, int | None]]):
    pass


MODELS = [
    Strict, Stripped, Lowered, NoInfinity, PythonRegex, NumbersToText, Forbidding, Allowing,
    Aliased, AliasedByName, AliasedByPath, Frozen, EnumValues, Private, PostInit, After, Before,
    Wrapped, OwnInit, Contextual, FieldValidators, Defaults, ValidatedDefault, DefaultFromData,
    Nested, Recursive, Inherited, WithDataclass, Root,
]  # fmt: skip

_A = [1, 2, 3, -1, 0]


def _frames() -> list[pd.DataFrame]:
    text = ["a", " b ", "abcd", "", "B"]
    objects = pd.Series([1, "2", None, "?", math.nan], dtype=object)
    return [
        pd.DataFrame({"a": _A}),
        pd.DataFrame({"a": _A, "b": [0, 5, 2, -2, 0]}),
        pd.DataFrame({"a": ["1", " 2", "x", None, "?"], "b": [1.0, 2.5, math.nan, math.inf, 0.0]}),
        pd.DataFrame({"a": text, "b": text[::-1], "c": text}),
        pd.DataFrame({"a": objects, "c": text, "b": [True, False, True, False, True]}),
        pd.DataFrame({"a": [1.0, 2.5, math.nan, math.inf, -0.0], "c": [1, 2, 3, 4, 5]}),
        pd.DataFrame({"The A": _A, "b.b": ["1", "x", "2", None, "3"]}),
        pd.DataFrame({"A": _A, "a": _A[::-1], "B": _A}),
        pd.DataFrame({"a": _A, "bb": _A[::-1]}),
        pd.DataFrame({"c": [[1], ["x"], [], None, [2.0, 3]], "a": _A}),
        pd.DataFrame({"a": ["s", "l", "x", None, "s"], "size": ["s", "l", "m", None, "s"]}),
        pd.DataFrame({"a": _A, "p": [{"x": 1}, {"x": -1}, None, {"y": 2}, {"x": 1, "y": "z"}]}),
        pd.DataFrame({"a": _A, "q": [[{"x": 1}], [], None, [{"x": -1}, {"x": 2}], "no"]}),
        pd.DataFrame({"a": _A, "children": [[], [{"a": 1}], [{"a": "x"}], None, [{}]]}),
        pd.DataFrame({"a": _A, "pair": [{"left": 1}, {"left": "x"}, None, {}, {"left": 2}]}),
        pd.DataFrame({"z": _A, 7: _A}),
        pd.DataFrame({"a": _A, 7: _A}),
        pd.DataFrame({"a": _A, "d": ["1", 2, None, "x", []]}),
        pd.DataFrame({"a": pd.Series([], dtype="int64")}),
        pd.DataFrame(index=range(3)),
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_models_with_settings_and_validators(model: type[BaseModel]) -> None:
    """Every setting and every kind of validator, over frames that fit and frames that don't."""
    contract = Contract(model)
    for frame in _frames():
        if contract.explain().whole_rows and not all(isinstance(c, str) for c in frame.columns):
            continue  # a record of such names is no record to a model's own __init__
        assert_same_verdict(contract, frame)


_ROW_PATHS = {
    PostInit, After, Inherited, Before, Wrapped, OwnInit, Contextual, ValidatedDefault,
    DefaultFromData, AliasedByPath, Root,
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_only_rules_over_whole_rows_leave_the_fast_path(model: type[BaseModel]) -> None:
    """Common settings keep their contract fast; what needs whole rows says so in explain()."""
    explanation = Contract(model).explain()
    assert (explanation.whole_rows is not None) == (model in _ROW_PATHS)


_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 6),
    st.floats(),
    st.sampled_from([0.1, 1.0, 2.0, 1e19, "a", "b", " a", "ab ", "1", "1.0", "٣", "K", "x@y.de"]),
    st.text(max_size=5),
    st.text(alphabet="ab1 @.\n\u00a0", max_size=6),
    st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1)),
    st.dates(date(1960, 1, 1), date(2100, 1, 1)),
    st.decimals(allow_nan=True, places=2),
    st.binary(max_size=3),
)
_CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "strict": st.booleans(),
        "str_strip_whitespace": st.booleans(),
        "str_max_length": st.integers(1, 4),
        "str_min_length": st.integers(0, 2),
        "str_to_lower": st.booleans(),
        "allow_inf_nan": st.booleans(),
        "extra": st.sampled_from(["ignore", "forbid", "allow"]),
        "coerce_numbers_to_str": st.booleans(),
    },
)
_NAMES = ("p", "q", "r")


@st.composite
def _cases(draw: st.DrawFn) -> tuple[type[BaseModel], pd.DataFrame]:
    n_rows = draw(st.integers(1, 6))
    chosen = draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3))
    fields: dict[str, Any] = {}
    for name, kind in zip(_NAMES, chosen, strict=False):
        default = draw(st.sampled_from([..., None, 1]))
        alias = draw(st.sampled_from([None, name.upper()]))
        fields[name] = (FIELDS[kind], Field(default, alias=alias))
    config = ConfigDict(**draw(_CONFIGS))
    try:
        model = create_model("Row", __config__=config, **fields)
    except SchemaError:
        reject()  # settings that pydantic does not take together
    labels = draw(st.permutations([*_NAMES, *map(str.upper, _NAMES), "other"]))
    columns: dict[str, Any] = {}
    for label in labels[: draw(st.integers(1, 5))]:
        columns[label] = _column(draw, n_rows)
    return model, pd.DataFrame(columns)


def _column(draw: st.DrawFn, n_rows: int) -> pd.Series:
    kind = draw(st.sampled_from(["mixed", "text", "float", "int", "float32", "category"]))
    if kind == "mixed":
        cells = draw(st.lists(_CELLS, min_size=n_rows, max_size=n_rows))
        values = np.empty(n_rows, dtype=object)
        values[:] = cells
        return pd.Series(values, dtype=object)
    if kind == "float":
        return pd.Series(draw(st.lists(st.floats(), min_size=n_rows, max_size=n_rows)))
    if kind == "float32":
        some = st.lists(st.floats(width=32), min_size=n_rows, max_size=n_rows)
        return pd.Series(np.array(draw(some), dtype="float32"))
    if kind == "int":
        some_ints = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n_rows, max_size=n_rows)
        return pd.Series(draw(some_ints))
    alphabet = st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["a", "b", " a ", "1"]))
    texts = draw(st.lists(alphabet, min_size=n_rows, max_size=n_rows))
    return pd.Series(texts, dtype="category" if kind == "category" else pd.Series(["a"]).dtype)


@given(_cases())
def test_any_model_over_any_frame(case: tuple[type[BaseModel], pd.DataFrame]) -> None:
    """Models made at random, of any fields and settings, over frames made at random."""
    model, frame = case
    assert_same_verdict(Contract(model), frame)


@given(
    st.sampled_from(
        [
            r"^[a-z]+$", r"^\d+$", r"\w", r"^\W+$", r"\bab", r"^[^@]+@[^@]+$", r"^.{2}$", r"(?i)k",
            r"^a\sb$", r"^[^\d]+$", r"a|b", r"^(ab)+$", r"[\w.-]+@", r"^\S+$", r"\D",
            r"[[:alpha:]]", r"^[ -~]*$", r"a{2,3}", r"^$", r"(?m)^a$", r"\x41", r"[a-z&&[^b]]",
            r"\p{L}",
        ]
    ),
    st.lists(
        st.text(alphabet="abkK1@. \n\u00a0\u0131\u212a٣éß", max_size=4), min_size=1, max_size=8
    ),
)  # fmt: skip
def test_patterns_mean_what_they_mean_to_pydantic(pattern: str, texts: list[str]) -> None:
    """Portable patterns and others, over text on which the engines differ."""
    model: Any = create_model("Row", value=(Annotated[str, Field(pattern=pattern)], ...))
    assert_same_verdict(Contract(model), pd.DataFrame({"value": texts}))


def test_validators_are_asked_once_for_each_distinct_value() -> None:
    """A pure validator over a million rows costs as many calls as there are distinct values."""
    asked: list[str] = []

    def note(text: str) -> str:
        asked.append(text)
        return text

    model: Any = create_model("Row", value=(Annotated[str, AfterValidator(note)], ...))
    Contract(model).validate_frame(pd.DataFrame({"value": ["a", "b"] * 500}))
    assert sorted(asked) == ["a", "b"]


def test_a_validator_that_crashes_rejects_its_row_and_no_other() -> None:
    """An exception that is no ValueError is a reason like any other, at both doors."""

    def invert(value: Any) -> Any:
        return 1 / int(value)

    model: Any
    model = create_model(
        "Row", value=(Annotated[float, BeforeValidator(invert)], ...), b=(int, ...)
    )
    contract = Contract(model)
    result = contract.validate_frame(pd.DataFrame({"value": [1, 0, 2], "b": [1, 2, 3]}))
    assert result.accepted["value"].tolist() == [1.0, 0.5]
    (found,) = result.iter_violations()
    assert (found.row, found.column, found.rule) == (1, "value", "validator_crashed")
    assert found.message == "the validator raised ZeroDivisionError: division by zero"
    with pytest.raises(ValueError, match="ZeroDivisionError") as caught:
        contract.validate_record({"value": 0, "b": 1})
    assert caught.value.violations[0].column == "value"  # type: ignore[attr-defined]


def test_a_crash_in_a_model_validator_rejects_its_row() -> None:
    """A rule over whole rows that crashes rejects the row as a whole."""

    class Crashing(BaseModel):
        a: int

        @model_validator(mode="after")
        def _crash(self) -> Self:
            return [self][self.a]

    contract = Contract(Crashing)
    result = contract.validate_frame(pd.DataFrame({"a": [0, 1]}))
    (found,) = result.iter_violations()
    assert (found.row, found.column, found.rule) == (1, "", "validator_crashed")
    with pytest.raises(ValueError, match="IndexError"):
        contract.validate_record({"a": 1})
