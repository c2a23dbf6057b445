"""Contracts as the inputs of features."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pandas as pd
import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict
from pydantic import Field as Of

from prodml.contracts import Contract
from prodml.errors import (
    FeatureDefinitionError,
    InputTypeError,
    MissingInputError,
    UnknownInputError,
)
from prodml.features import FeatureSet, Field, ops

MOMENT = "timestamp[us, UTC]"


class Colour(str, enum.Enum):
    RED = "red"


class Plain(enum.Enum):
    RED = "red"
    NONE = None


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Ratio(enum.Enum):
    HALF = 0.5


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Inner(BaseModel):
    x: int


def fields_of(annotation, **options):
    """Return the inputs that a contract of one field gives."""
    body = {"__annotations__": {"x": annotation}, "__module__": __name__}
    if options:
        body["x"] = Of(**options)
    row = type("Row", (BaseModel,), body)
    return FeatureSet("set", version="1", inputs=Contract(row, version="1")).fields


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (float, Field("x", "float64")),
        (int, Field("x", "int64")),
        (bool, Field("x", "bool")),
        (str, Field("x", "string")),
        (datetime, Field("x", MOMENT)),
        (float | None, Field("x", "float64", nullable=True)),
        (int | None, Field("x", "int64", nullable=True)),
        (bool | None, Field("x", "bool", nullable=True)),
        (str | None, Field("x", "string", nullable=True)),
        (datetime | None, Field("x", MOMENT, nullable=True)),
        (Annotated[int, Of(ge=0)], Field("x", "int64")),
        (Annotated[str, Of(min_length=1)] | None, Field("x", "string", nullable=True)),
        (Literal["a", "b"], Field("x", "string")),
        (Literal["a"] | None, Field("x", "string", nullable=True)),
        (Literal["a", None], Field("x", "string", nullable=True)),
        (Literal[1, 2], Field("x", "int64")),
        (Literal[True], Field("x", "bool")),
        (Colour, Field("x", "string")),
        (Plain, Field("x", "string", nullable=True)),
        (Level, Field("x", "int64")),
        (Level | None, Field("x", "int64", nullable=True)),
        (Ratio, Field("x", "float64")),
    ],
)
def test_types_of_a_contract_are_types_of_inputs(annotation, expected):
    """With constraints or without; what may be None may be missing."""
    assert fields_of(annotation) == (expected,)


@pytest.mark.parametrize(
    "annotation",
    [
        *(date, Decimal, UUID, bytes, Any, int | str, list[int], dict[str, int], Inner, Mixed),
        *(Literal["a", 1], Literal[1, True], tuple[int, int], type(None)),
    ],
)
def test_other_types_are_no_inputs(annotation):
    """They are passed over, and named when a feature reads one."""

    class Row(BaseModel):
        amount: float
        odd: annotation

    fs = FeatureSet("set", version="1", inputs=Contract(Row, version="1"))
    assert fs.fields == (Field("amount", "float64"),)
    fs.add(ops.missing_indicator("odd"))
    with pytest.raises(UnknownInputError, match="'odd', whose type in the contract") as caught:
        fs.fit(pd.DataFrame({"amount": [1.0], "odd": [None]}))
    assert caught.value.names == ("odd",)


class Order(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    amount: float = Of(validation_alias="total")
    city: str | None = Of(default=None, alias="town")
    size: int = Of(validation_alias=AliasChoices("n", "count"))
    zip_code: str = Of(validation_alias=AliasPath("address", "zip"))


def test_an_alias_is_the_name_of_the_column():
    """Features read rows, which have the names that the contract looks for."""
    contract = Contract(Order, version="1")
    fs = FeatureSet("set", version="1", inputs=contract)
    assert fs.fields == (
        Field("total", "float64"),
        Field("town", "string", nullable=True),
        Field("n", "int64"),
    )
    row = {"total": 2.0, "town": "Rome", "n": 3, "address": {"zip": "00100"}}
    assert contract.validate_record(row).amount == 2.0
    fs.add(ops.scale("total"), ops.text_length("town"), ops.fill("n", 0))
    fitted = fs.fit(pd.DataFrame([row]))
    assert fitted.transform_one(row).tolist() == [0.0, 4.0, 3.0]
    fs.add(ops.text_length("zip_code"))
    with pytest.raises(UnknownInputError, match="'zip_code', whose type in the contract"):
        fs.fit(pd.DataFrame([row]))


def test_two_fields_of_one_column_are_refused():
    """It cannot be two inputs."""

    class Row(BaseModel):
        one: int = Of(validation_alias="x")
        other: float = Of(validation_alias="x")

    with pytest.raises(FeatureDefinitionError, match="name \\['x'\\] more than once"):
        FeatureSet("set", version="1", inputs=Contract(Row, version="1"))


class Trip(BaseModel):
    at: datetime
    km: float | None
    kind: Literal["car", "bus"]


def test_what_a_contract_accepts_can_be_computed():
    """A frame that passed gives the features of its rows as records."""
    contract = Contract(Trip, version="1")
    fs = FeatureSet("trips", version="1", inputs=contract)
    fs.add(ops.date_part("at", "hour"), ops.fill("km", "mean"), ops.one_hot("kind"))
    rows = [
        {"at": datetime(2024, 1, 1, 6, tzinfo=UTC), "km": 1.0, "kind": "car"},
        {"at": datetime(2024, 1, 1, 7, tzinfo=UTC), "km": None, "kind": "bus"},
        {"at": datetime(2024, 1, 1, 8, tzinfo=UTC), "km": 3.0, "kind": "boat"},
    ]
    accepted = contract.validate_frame(pd.DataFrame(rows)).accepted
    fitted = fs.fit(accepted)
    expected = [[6.0, 1.0, 0.0, 1.0], [7.0, 1.0, 1.0, 0.0]]
    assert fitted.transform(accepted).tolist() == expected
    assert fitted.transform_many(rows[:2]).tolist() == expected


def test_a_row_without_a_required_field_lacks_it_for_features_too():
    """As for the contract, in which it has no default."""
    fs = FeatureSet("trips", version="1", inputs=Contract(Trip, version="1"))
    fs.add(ops.date_part("at", "hour"), ops.fill("km", 0))
    fitted = fs.fit(pd.DataFrame({"at": [datetime(2024, 1, 1, tzinfo=UTC)], "km": [1.0]}))
    with pytest.raises(MissingInputError) as caught:
        fitted.transform_one({"km": 1.0})
    assert caught.value.fields == ("at",)


def test_what_a_contract_has_may_come():
    """With extra="forbid", too, though no feature can read it."""

    class Order(BaseModel):
        amount: float
        day: date

    fs = FeatureSet("orders", version="1", inputs=Contract(Order), extra="forbid")
    fs.feature(name="twice")(lambda amount: amount * 2)
    rows = pd.DataFrame({"amount": [1.0], "day": [date(2026, 1, 1)]})
    fitted = fs.fit(rows)
    assert fitted.transform(rows).tolist() == [[2.0]]
    with pytest.raises(InputTypeError, match="'more' is not an input"):
        fitted.transform(rows.assign(more=1))
