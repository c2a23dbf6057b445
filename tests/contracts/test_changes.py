"""Schema changes on arrival: what a person is told before any row is judged."""

from __future__ import annotations

import json
import pickle
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
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
    create_model,
    model_validator,
)

from prodml._core.arrow_text import has_arrow
from prodml._core.columns import columns_of
from prodml.contracts import Contract, SchemaChange
from prodml.contracts._families import family_of
from prodml.contracts._renames import likely_renames
from prodml.errors import MultiIndexColumnsError

from .corpus import Size, columns
from .oracle import cells_of


def contract(**fields: Any) -> Contract[Any]:
    """Return a contract with some fields."""
    definitions = {
        name: given if isinstance(given, tuple) else (given, ...) for name, given in fields.items()
    }
    model: Any = create_model("Row", **definitions)
    return Contract(model)


def changes(annotation: Any, column: Any) -> list[SchemaChange]:
    """Return what changed about one column."""
    frame = pd.DataFrame({"x": column})
    return list(contract(x=annotation).schema_changes(frame))


def kinds(annotation: Any, column: Any) -> list[tuple[str, str]]:
    """Return kind and verdict of what changed about one column."""
    return [(one.kind, one.verdict) for one in changes(annotation, column)]


# ------------------------------------------------------------------------------------- columns


def test_nothing_changed():
    """What arrives as expected is worth no word."""
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    found = contract(x=int, y=str).schema_changes(frame)

    assert not found
    assert found.verdict == "pass"
    assert found.changes == ()
    assert repr(found) == "SchemaChanges('Row': 0 in 2 rows, pass)"


def test_columns_that_are_missing_or_were_added():
    """A required column costs all rows; a new one costs none."""
    frame = pd.DataFrame({"x": [1], "extra": [2]})
    found = contract(x=int, zip=str, country=(str, "DE")).schema_changes(frame)

    assert [(one.kind, one.column, one.verdict) for one in found] == [
        ("missing", "zip", "fail"),
        ("missing", "country", "warn"),
        ("added", "extra", "warn"),
    ]
    assert found.verdict == "fail"
    assert str(found.changes[1]) == "column 'country': is missing, and its default stands in"


def test_a_likely_rename_is_told_on_both_sides():
    """The name is close, so it is probably the same column."""
    frame = pd.DataFrame({"Customer ID": [1], "amount_eur": [2.0], "zzz": [3]})
    found = contract(customer_id=int, amount=float).schema_changes(frame)

    assert [(one.kind, one.column, one.similar) for one in found] == [
        ("missing", "customer_id", "Customer ID"),
        ("missing", "amount", "amount_eur"),
        ("added", "Customer ID", "customer_id"),
        ("added", "amount_eur", "amount"),
        ("added", "zzz", None),
    ]
    assert "'Customer ID' has a name like it" in found.changes[0].message


@pytest.mark.parametrize(
    ("gone", "come", "expected"),
    [
        (["customer_id"], ["customerId"], {"customer_id": "customerId"}),
        (["a"], ["b"], {}),
        (["amount", "amounts"], ["amount "], {"amount": "amount "}),
        (["___"], ["---"], {}),
        (["straße"], ["STRASSE"], {"straße": "STRASSE"}),
        ([], ["x"], {}),
    ],
)
def test_names_are_paired_by_likeness(gone, come, expected):
    """Case and separators count least; no name is used twice."""
    assert likely_renames(gone, come) == expected


@given(st.lists(st.text(max_size=6), unique=True), st.lists(st.text(max_size=6), unique=True))
def test_names_are_paired_once(gone, come):
    """However odd the names are, the pairs are one to one and do not depend on the order."""
    found = likely_renames(gone, come)

    assert len(set(found.values())) == len(found)
    assert set(found) <= set(gone)
    assert set(found.values()) <= set(come)
    assert found == likely_renames(gone[::-1], come[::-1])


def test_a_column_under_one_of_its_other_names_is_there():
    """Aliases are names like any other."""
    model: Any = create_model(
        "Row",
        x=(int, Field(validation_alias=AliasChoices("a", "b"))),
        y=(int, Field(validation_alias=AliasPath("deep", "y"))),
    )
    expected = Contract(model)

    assert not expected.schema_changes(pd.DataFrame({"b": [1], "deep": [{"y": 2}]}))
    (change,) = expected.schema_changes(pd.DataFrame({"deep": [{"y": 2}]}))
    assert str(change) == "column 'a': is missing, also under 'b'"


def test_columns_that_are_forbidden():
    """Where others are forbidden, one more costs all rows."""
    model: Any = create_model("Row", __config__=ConfigDict(extra="forbid"), x=(int, ...))
    (change,) = Contract(model).schema_changes(pd.DataFrame({"x": [1], "y": [2]}))

    assert (change.kind, change.verdict) == ("added", "fail")
    assert "which forbids others" in change.message


def test_a_column_that_is_there_twice():
    """Which one is meant is not clear; one that nobody reads may be there as often as it likes."""
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["x", "x", "y", "y"])
    found = contract(x=int).schema_changes(frame)

    assert [(one.kind, one.column, one.verdict) for one in found] == [
        ("duplicate", "x", "fail"),
        ("added", "y", "warn"),
    ]
    assert found.changes[0].found == "2 columns"


def test_names_that_are_no_text_are_columns_that_nobody_named():
    """A frame without a header is told, not stumbled over."""
    found = contract(x=int).schema_changes(pd.DataFrame({0: [1], 1: [2]}))

    assert [(one.kind, one.column) for one in found] == [
        ("missing", "x"),
        ("added", "0"),
        ("added", "1"),
    ]


def test_columns_of_several_levels_are_refused():
    """The message says how to flatten them."""
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))

    with pytest.raises(MultiIndexColumnsError, match="Flatten"):
        contract(x=int).schema_changes(frame)


def test_what_is_no_frame_is_refused():
    """The message names what was given."""
    with pytest.raises(TypeError, match="takes a pandas DataFrame, got list"):
        contract(x=int).schema_changes([{"x": 1}])  # type: ignore[arg-type]


@pytest.mark.parametrize("by_row", [False, True])
def test_a_validation_counts_the_columns_that_changed(by_row):
    """Its summary has them by name, also where rows are judged one by one."""

    class Row(BaseModel):
        a: int = Field(alias="A")
        b: int = 0

        if by_row:

            @model_validator(mode="before")
            @classmethod
            def _first(cls, given: Any) -> Any:
                return given

    summary = Contract(Row).validate_frame(pd.DataFrame({"A": [1, 2], "c": [1, 2]})).summary

    assert summary.changes == {("missing", "b"): 2, ("added", "c"): 2}


# --------------------------------------------------------------------------------------- types


def _as_object(*values: Any) -> pd.Series:
    return pd.Series(list(values), dtype=object)


MOMENT = datetime(2024, 5, 17, 12, 30)

TYPES: dict[str, tuple[Any, Any, list[tuple[str, str]]]] = {
    "whole numbers as text": (int, ["1", "2"], [("type", "warn")]),
    "text for numbers": (int, ["1", "x"], [("type", "fail")]),
    "floats that are whole": (int, [1.0, 2.0], [("type", "warn")]),
    "floats that are not": (int, [1.0, 2.5], [("type", "fail")]),
    "whole numbers with gaps": (int | None, [1.0, None], []),
    "floats with gaps": (int | None, [1.5, None], [("type", "fail")]),
    "ints for floats": (float, [1, 2], []),
    "booleans for ints": (int, [True, False], [("type", "warn")]),
    "ints for booleans": (bool, [1, 0], [("type", "warn")]),
    "numbers for text": (str, [1, 2], [("type", "fail")]),
    "bytes for text": (str, _as_object(b"a", b"b"), [("type", "warn")]),
    "several types for text": (str, _as_object("a", 1), [("type", "fail")]),
    "days as moments": (date, pd.to_datetime(["2024-01-01", "2024-01-02"]), []),
    "moments for days": (date, [MOMENT], [("type", "fail")]),
    "days for moments": (datetime, _as_object(date(2024, 1, 1)), [("type", "warn")]),
    "text for moments": (datetime, ["2024-01-01T00:00:00"], [("type", "warn")]),
    "decimals": (Decimal, _as_object(Decimal("1.5")), []),
    "floats for decimals": (Decimal, [1.5], [("type", "warn")]),
    "times": (time, _as_object(time(1, 2)), []),
    "durations": (timedelta, [timedelta(days=1)], []),
    "identifiers as text": (UUID, ["12345678-1234-4678-9234-567812345678"], []),
    "identifiers": (UUID, _as_object(UUID(int=1)), []),
    "lists": (list[int], [[1], [2]], []),
    "text for lists": (list[int], ["[1]"], [("type", "fail")]),
    "records": (dict[str, int], [{"a": 1}], []),
    "records for a model": (create_model("P", a=(int, ...)), [{"a": 1}], []),
    "anything": (Any, _as_object("a", 1), []),
    "one of two types": (int | str, ["a", "b"], []),
    "none of two types": (int | str, [1.5, 2.5], [("type", "fail")]),
    "nothing at all": (int | None, [None, None], []),
    "a validator decides": (
        Annotated[int, BeforeValidator(str.strip)],
        [" 1"],
        [("type", "inconclusive")],
    ),
    "a validator sees to the rest": (
        Annotated[int, AfterValidator(abs)],
        ["1"],
        [("type", "inconclusive")],
    ),
    "numbers for values": (Literal["1", "2"], [1, 2], [("type", "fail")]),
}


@pytest.mark.parametrize("name", TYPES)
def test_types(name):
    """Whether another type can be read all the same is tried out, and decides on the verdict."""
    annotation, column, expected = TYPES[name]

    assert kinds(annotation, column) == expected


def test_a_change_of_type_says_what_came():
    """How many cannot be read, and which."""
    (change,) = changes(int, ["1", "2", "x", "x"])

    assert (
        change.message == "text instead of int; 1 of 3 distinct values cannot be read, such as 'x'"
    )
    assert change.expected == "int"
    assert change.found is not None
    assert change.found.startswith("str (")


def test_many_values_are_tried_in_part():
    """The message says that not all were looked at."""
    (change,) = changes(int, [str(number) for number in range(10_500)])

    assert "all of the first 10,000 distinct values can be read" in change.message


def test_a_time_zone_is_part_of_the_type():
    """Moments without one where one is expected cannot be read."""
    (change,) = changes(AwareDatetime, _as_object("x"))

    assert change.verdict == "fail"
    assert kinds(AwareDatetime, pd.to_datetime(["2024-01-01T00:00Z"])) == []


# ---------------------------------------------------------------------------------- categories


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["s", "l", "xl"]),
        pd.Series(["s", "l", "xl"], dtype=object),
        pd.Series(["s", "l", "xl"], dtype="category"),
        pd.Series(["s", "l", "xl"], dtype="string"),
    ],
    ids=lambda column: str(column.dtype),
)
@pytest.mark.parametrize("kind", [Size, Literal["s", "l"], Optional[Size]], ids=str)
def test_a_new_category(column, kind):
    """A value that no one has heard of is named, whatever dtype it comes in."""
    (change,) = changes(kind, column)

    assert (change.kind, change.verdict, change.found) == ("category", "fail", "'xl'")
    assert change.message == "1 of 3 distinct values are not expected: 'xl'"


def test_a_category_that_is_declared_and_does_not_occur():
    """It costs no row yet."""
    column = pd.Series(pd.Categorical(["s"], categories=["s", "xl"]))
    (change,) = changes(Size, column)

    assert (change.kind, change.verdict, change.found) == ("category", "warn", "'xl'")


def test_only_categories_that_occur_are_read():
    """What is declared and does not occur costs nothing, whatever is expected."""
    column = pd.Series(pd.Categorical(["1"], categories=["1", "x"]))

    assert kinds(int, column) == [("type", "warn")]


def test_categories_behind_a_validator_are_its_affair():
    """It may map any value to one of them."""
    assert kinds(Annotated[Literal["a"], BeforeValidator(str.lower)], ["A"]) == []


def test_many_new_categories_are_counted():
    """A message stays short."""
    (change,) = changes(Literal["a"], list("abcdefghij"))

    assert change.found == "'b', 'c', 'd', 'e', 'f', ..."


# ----------------------------------------------------------------------------------------- gaps


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        (float, [1.0, None], [("nullability", "fail")]),
        (float | None, [1.0, None], []),
        (Any, [1.0, None], []),
        (Literal["a", None], ["a", None], []),
        (str, [None, None], [("nullability", "fail")]),
        (Annotated[float, BeforeValidator(abs)], [1.0, None], [("nullability", "inconclusive")]),
        (Annotated[float, AfterValidator(abs)], [1.0, None], [("nullability", "fail")]),
        ((float, 0.0), [1.0, None], [("nullability", "fail")]),
    ],
)
def test_gaps(kind, column, expected):
    """A missing value where none may be costs its row; a default does not stand in for it."""
    frame = pd.DataFrame({"x": column})
    found = contract(x=kind).schema_changes(frame)

    assert [(one.kind, one.verdict) for one in found] == expected


def test_gaps_are_counted():
    """The message has the figures."""
    (change,) = changes(float, [1.0, None, None, 2.0])

    assert change.message == "2 of 4 values are missing, and none may be"


# --------------------------------------------------------------------------------------- dtypes

#: Equal values in all the dtypes that they come in.
DTYPES: dict[str, list[pd.Series]] = {
    "int": [
        pd.Series([1, 2], dtype=dtype) for dtype in ("int8", "int64", "uint16", "Int64", object)
    ],
    "float": [pd.Series([1.5, 2.0], dtype=dtype) for dtype in ("float32", "Float64", object)],
    "bool": [pd.Series([True, False], dtype=dtype) for dtype in (bool, "boolean", object)],
    "str": [pd.Series(["a", "b"], dtype=dtype) for dtype in (object, "category", "string", None)],
    "datetime": [
        pd.Series([MOMENT, MOMENT]),
        pd.Series([MOMENT, MOMENT], dtype="datetime64[s]"),
        pd.Series([MOMENT.replace(tzinfo=UTC)]),
        _as_object(MOMENT),
    ],
    "timedelta": [pd.Series([timedelta(1)]), _as_object(timedelta(1))],
    "date": [_as_object(date(2024, 1, 1))],
    "time": [_as_object(time(1))],
    "decimal": [_as_object(Decimal(1))],
    "bytes": [_as_object(b"a")],
    "complex": [pd.Series([1j]), _as_object(1j)],
    "list": [_as_object([1], [2])],
    "dict": [_as_object({"a": 1})],
    "mixed": [_as_object("a", 1), _as_object([1], {"a": 1})],
    "other": [
        pd.Series(pd.period_range("2024-01", periods=2, freq="M")),
        pd.Series(pd.interval_range(0, 2)),
    ],
    "nothing": [
        _as_object(None, None),
        _as_object(),
        pd.Series([np.nan]),
        pd.Series([], dtype="category"),
    ],
}


@pytest.mark.parametrize("family", DTYPES)
def test_what_values_are_does_not_depend_on_the_dtype(family):
    """A column of text is text in every dtype that holds text."""
    found = {str(one.dtype): family_of(one.array) for one in DTYPES[family]}

    assert set(found.values()) == {family}, found


@pytest.mark.needs_arrow
def test_what_values_are_in_arrow():
    """Columns that lie in Arrow are told by the type of their values."""
    import pyarrow as pa

    kinds = {
        "int": pa.array([1]),
        "float": pa.array([1.5]),
        "bool": pa.array([True]),
        "str": pa.array(["a"]),
        "bytes": pa.array([b"a"]),
        "decimal": pa.array([Decimal("1.5")]),
        "date": pa.array([date(2024, 1, 1)]),
        "datetime": pa.array([MOMENT.replace(tzinfo=UTC)]),
        "time": pa.array([time(1)]),
        "timedelta": pa.array([timedelta(1)]),
        "list": pa.array([[1]]),
        "dict": pa.array([{"a": 1}]),
        "nothing": pa.array([None], pa.int64()),
    }
    found = {name: family_of(pd.arrays.ArrowExtensionArray(kinds[name])) for name in kinds}

    assert found == {name: name for name in kinds}


def test_every_column_can_be_looked_at():
    """No column of any dtype is stumbled over, whatever is expected of it."""
    for _, column in columns(arrow=has_arrow()):
        frame = pd.DataFrame({"x": column})
        before = cells_of(frame)
        for kind in (int, float | None, str, bool, datetime, date, Decimal, Size, list[int], Any):
            found = contract(x=kind).schema_changes(frame)
            assert {one.kind for one in found} <= {"type", "category", "nullability"}
        assert cells_of(frame) == before


def test_ordinary_columns_are_not_walked_through():
    """The number of calls does not grow with the rows."""
    expected = contract(a=int, b=float, c=str, d=datetime, e=Literal["u", "v"], f=bool | None)

    def calls(n_rows: int) -> int:
        frame = pd.DataFrame(
            {
                "a": np.arange(n_rows),
                "b": np.linspace(0, 1, n_rows),
                "c": np.where(np.arange(n_rows) % 2, "x", "y"),
                "d": pd.date_range("2024", periods=n_rows, freq="s"),
                "e": pd.Categorical(np.where(np.arange(n_rows) % 2, "u", "v")),
                "f": pd.array([True] * n_rows, dtype="boolean"),
            }
        )
        expected.schema_changes(frame)
        counted = 0

        def count(*_: Any) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            assert not expected.schema_changes(frame)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(20_000) <= calls(200) + 100


# --------------------------------------------------------------------------------------- result


@pytest.fixture
def found():
    """Return the changes of a frame with something of everything."""

    class Order(BaseModel):
        id: int
        size: Literal["s", "l"]
        price: float
        zip: str

    frame = pd.DataFrame({"id": ["1", "x"], "size": ["s", "<xl>"], "price": [1.5, None], "Zip": 1})
    return Contract(Order, version="3").schema_changes(frame)


def test_changes_are_a_sequence(found):
    """They have a length, can be looped over, and are true if there is one."""
    assert len(found) == 5
    assert [one.kind for one in found] == ["type", "category", "nullability", "missing", "added"]
    assert bool(found) is True


def test_changes_as_data(found):
    """As JSON, as a frame, in a notebook, and through a pickle."""
    content = json.loads(json.dumps(found.to_dict()))
    frame = found.to_frame()

    assert content["verdict"] == "fail"
    assert [one["column"] for one in content["changes"]] == ["id", "size", "price", "zip", "Zip"]
    assert frame["kind"].tolist() == [one.kind for one in found]
    assert contract().schema_changes(pd.DataFrame()).to_frame().columns[0] == "kind"
    assert "<xl>" not in found._repr_html_()
    assert "&lt;xl&gt;" in found._repr_html_()
    assert pickle.loads(pickle.dumps(found)) == found


def test_changes_as_evidence(found):
    """Their number with the verdict, and each of them with its own."""
    total, *single = found.to_evidence()

    assert total.series == 'data_quality_schema_changes{contract="Order"}'
    assert (total.value, total.verdict, total.n) == (5, "fail", 2)
    assert total.subject == found.fingerprint
    assert [(dict(one.labels)["change"], one.verdict) for one in single] == [
        ("type", "fail"),
        ("category", "fail"),
        ("nullability", "fail"),
        ("missing", "fail"),
        ("added", "warn"),
    ]


def test_evidence_of_nothing():
    """No change is a pass."""
    (evidence,) = contract(x=int).schema_changes(pd.DataFrame({"x": [1]})).to_evidence()

    assert (evidence.value, evidence.verdict) == (0, "pass")


def test_an_empty_frame_is_no_change():
    """No rows say nothing about values."""
    frame = pd.DataFrame({"x": pd.Series([], dtype=object), "y": pd.Series([], dtype="float64")})

    assert kinds(int, pd.Series([], dtype=object)) == []
    assert contract(x=str, y=float).schema_changes(frame).verdict == "pass"
    assert columns_of(frame)[0].shape == (0,)
