"""Versions of a contract: which data can still be read, by rule, by example and by brute force."""

from __future__ import annotations

import enum
import json
import pickle
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, get_args
from uuid import UUID

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AfterValidator,
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    NaiveDatetime,
    PastDate,
    PlainValidator,
    RootModel,
    StringConstraints,
    ValidationError,
    WrapValidator,
    create_model,
    model_validator,
)

from prodml.contracts import (
    Compare,
    CompatibilityMode,
    CompatibilityReport,
    Contract,
    ContractDescription,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)
from prodml.contracts._samples import candidates
from prodml.errors import RecordRejectedError

from .corpus import FIELDS, Colour, Level, Point, Size


def contract(version: str = "1", /, *, checks: Any = (), key: Any = None, **fields: Any) -> Any:
    """Return a contract with some fields; a default makes one optional."""
    definitions = {
        name: given if isinstance(given, tuple) else (given, ...) for name, given in fields.items()
    }
    model: Any = create_model("Row", **definitions)
    return Contract(model, version=version, checks=checks, key=key)


def effects(old: Any, new: Any) -> tuple[str, str]:
    """Return whether two types of a field are compatible backward and forward."""
    before, after = contract("1", x=old), contract("2", x=new)
    return (
        after.compatibility(before, mode="BACKWARD").verdict,
        after.compatibility(before, mode="FORWARD").verdict,
    )


def rules_of(report: CompatibilityReport) -> list[tuple[str, str, str, str]]:
    """Return the changes of a report, in short."""
    return [(one.field, one.what, one.backward, one.forward) for one in report.changes]


def accepts(model: Any, record: Any) -> bool:
    """Ask pydantic."""
    try:
        model.model_validate(record)
    except (ValidationError, ArithmeticError):  # pydantic 2.10 cannot divide a huge Decimal
        return False
    return True


# ------------------------------------------------------------------------------------- fields


def test_nothing_changed():
    """A contract reads its own data."""
    report = contract(x=int).compatibility(contract(x=int), mode="FULL")

    assert report.changes == ()
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": int}, {"a": int, "b": int}, ("fail", "pass"), id="add required"),
        pytest.param({"a": int}, {"a": int, "b": (int, 0)}, ("pass", "pass"), id="add optional"),
        pytest.param({"a": int, "b": int}, {"a": int}, ("pass", "fail"), id="delete required"),
        pytest.param({"a": int, "b": (int, 0)}, {"a": int}, ("pass", "pass"), id="delete optional"),
        pytest.param({"a": (int, 0)}, {"a": int}, ("fail", "pass"), id="now required"),
        pytest.param({"a": int}, {"a": (int, 0)}, ("pass", "fail"), id="no longer required"),
        pytest.param({"a": int}, {"a": int | None}, ("pass", "fail"), id="now nullable"),
        pytest.param({"a": int}, {"b": int}, ("fail", "fail"), id="renamed"),
    ],
)
def test_the_rules_of_schema_registries(before, after, expected):
    """Confluent's table: delete a field or add an optional one backward, the mirror forward."""
    old, new = contract("1", **before), contract("2", **after)
    found = tuple(new.compatibility(old, mode=mode).verdict for mode in ("BACKWARD", "FORWARD"))

    assert found == expected


@pytest.mark.parametrize(
    ("mode", "verdict", "n_changes"),
    [
        ("BACKWARD", "pass", 1),
        ("FORWARD", "fail", 1),
        ("FULL", "fail", 1),
        ("BACKWARD_TRANSITIVE", "fail", 3),
        ("FORWARD_TRANSITIVE", "fail", 3),
        ("FULL_TRANSITIVE", "fail", 3),
        ("NONE", "pass", 1),
    ],
)
def test_every_mode_asks_for_what_its_name_says(mode, verdict, n_changes):
    """Transitive modes look at all earlier versions, the others at the last one."""
    first = contract("1", a=Annotated[int, Field(le=10)])
    second = contract("2", a=Annotated[int, Field(le=5)])
    third = contract("3", a=Annotated[int, Field(le=7)])
    report = third.compatibility([contract("0", a=str), first, second], mode=mode)

    assert report.verdict == verdict
    assert len(report.changes) == n_changes
    assert report.against == (("0", "1", "2") if n_changes == 3 else ("2",))


def test_no_earlier_version_is_compatible():
    """The first version breaks nobody."""
    report = contract(a=int).compatibility([])

    assert (report.verdict, report.against, report.changes) == ("pass", (), ())
    assert repr(report) == (
        "CompatibilityReport('Row' 1 against nothing, BACKWARD: pass; 0 changes, 0 breaking)"
    )


def test_an_unknown_mode_is_refused():
    """The message lists the modes there are."""
    with pytest.raises(ValueError, match=r"BACKWARD_TRANSITIVE.*'backward'"):
        contract(a=int).compatibility(contract(a=int), mode="backward")


@pytest.mark.parametrize("older", [None, Point, ["1"], [{"name": "Row"}]])
def test_what_is_no_version_is_refused(older):
    """The message says what would be one."""
    with pytest.raises(TypeError, match="must be a Contract or a ContractDescription"):
        contract(a=int).compatibility(older)


def test_a_stored_description_is_as_good_as_a_contract():
    """The code of the earlier version may be gone."""
    old = contract("1", a=Annotated[int, Field(ge=0)])
    stored = ContractDescription.from_json(old.describe().to_json())
    new = contract("2", a=Annotated[int, Field(ge=18)])

    assert new.compatibility(stored) == new.compatibility(old)
    assert new.compatibility(stored).verdict == "fail"


# -------------------------------------------------------------------------------------- types

AFTER: Any = Annotated[int, AfterValidator(abs)]

PAIRS: dict[str, tuple[Any, Any, tuple[str, str]]] = {
    "int to float": (int, float, ("pass", "fail")),
    "decimal to float": (Decimal, float, ("pass", "fail")),
    "date to datetime": (date, datetime, ("pass", "fail")),
    "strict int to decimal": (Annotated[int, Field(strict=True)], Decimal, ("pass", "fail")),
    "int to decimal": (int, Decimal, ("fail", "fail")),
    "int to text": (int, str, ("fail", "fail")),
    "bool to int": (bool, int, ("fail", "fail")),
    "strict bool to int": (Annotated[bool, Field(strict=True)], int, ("pass", "fail")),
    "anything": (int, Any, ("pass", "fail")),
    "nullable": (int, Optional[int], ("pass", "fail")),
    "nullable and wider": (int, float | None, ("pass", "fail")),
    "nullable and narrower": (
        int,
        Annotated[int, Field(ge=0)] | None,
        ("fail", "fail"),
    ),
    "more values": (Literal["a"], Literal["a", "b"], ("pass", "fail")),
    "values in another order": (Literal["a", "b"], Literal["b", "a"], ("pass", "pass")),
    "values to their type": (Literal["a", "b"], str, ("pass", "fail")),
    "numbers to their type": (Literal[1, 2], int, ("pass", "fail")),
    "numbers to strict": (Literal[1, 2], Annotated[int, Field(strict=True)], ("fail", "fail")),
    "values within bounds": (Literal[1, 2], Annotated[int, Field(le=2)], ("pass", "fail")),
    "values out of bounds": (Literal[1, 2], Annotated[int, Field(le=1)], ("fail", "fail")),
    "values or none": (Literal["a", None], str | None, ("pass", "fail")),
    "none is a value": (str | None, Literal["a", None], ("fail", "pass")),
    "an Enum to text": (Size, str, ("pass", "fail")),
    "text values to an Enum": (Literal["s", "l"], Size, ("pass", "fail")),
    "an Enum with a member more": (
        enum.Enum("Old", {"A": "a"}),
        enum.Enum("New", {"A": "a", "B": "b"}),
        ("pass", "fail"),
    ),
    "an Enum with other names": (
        enum.Enum("Old", {"A": "a"}),
        enum.Enum("New", {"OTHER": "a"}),
        ("pass", "pass"),
    ),
    "an IntEnum to int": (Level, int, ("pass", "fail")),
    "an Enum of numbers": (
        enum.Enum("Half", {"A": 0.5, "B": 2.0}, type=float),
        float,
        ("pass", "fail"),
    ),
    "true and false": (Literal[True, False], Annotated[int, Field(ge=0, le=1)], ("pass", "fail")),
    "a mixed Enum to its values": (Colour, Literal["red", 2], ("pass", "pass")),
    "union grows": (int | str, int | str | list[int], ("pass", "fail")),
    "union in another order": (int | str, str | int, ("pass", "pass")),
    "union widens inside": (list[int] | str, list[float] | str, ("pass", "fail")),
    "one of a union": (int, str | int, ("pass", "fail")),
    "items": (list[int], list[float], ("pass", "fail")),
    "items of items": (list[list[int]], list[list[float]], ("pass", "fail")),
    "values of a dict": (dict[str, int], dict[str, float], ("pass", "fail")),
    "keys of a dict": (dict[int, int], dict[float, int], ("pass", "fail")),
    "a dict of anything": (dict[str, int], dict, ("pass", "fail")),
    "items of a set": (set[int], set[float], ("pass", "fail")),
    "tuple": (tuple[int, str], tuple[float, str], ("pass", "fail")),
    "longer tuple": (tuple[int, int], tuple[int, int, int], ("fail", "fail")),
    "list to set": (list[int], set[int], ("inconclusive", "inconclusive")),
    "aware": (datetime, AwareDatetime, ("fail", "pass")),
    "aware to naive": (AwareDatetime, NaiveDatetime, ("fail", "fail")),
    "strict": (int, Annotated[int, Field(strict=True)], ("fail", "pass")),
    "model to anything": (Point, Any, ("pass", "fail")),
    "int to int within a range": (int, Annotated[float, Field(ge=0)], ("fail", "fail")),
    "int within a range to float": (
        Annotated[int, Field(ge=0, le=9)],
        Annotated[float, Field(gt=-1, lt=10)],
        ("pass", "fail"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_types_are_ordered_by_what_pydantic_takes(name):
    """A type may take the place of another if it takes all that the other takes."""
    old, new, expected = PAIRS[name]

    assert effects(old, new) == expected
    assert effects(new, old) == expected[::-1]


BOUNDS: dict[str, tuple[Any, Any, tuple[str, str]]] = {
    "narrower": ({"ge": 0}, {"ge": 18}, ("fail", "pass")),
    "open end": ({"ge": 0}, {"gt": 0}, ("fail", "pass")),
    "a new bound": ({}, {"le": 10}, ("fail", "pass")),
    "moved": ({"ge": 0, "le": 10}, {"ge": 5, "le": 15}, ("fail", "fail")),
    "said otherwise": ({"ge": 1, "le": 5}, {"gt": 0, "lt": 6}, ("pass", "pass")),
    "multiples": ({"multiple_of": 4}, {"multiple_of": 2}, ("pass", "fail")),
    "other multiples": ({"multiple_of": 4}, {"multiple_of": 6}, ("fail", "fail")),
    "nothing fits": ({"ge": 5, "le": 3}, {"ge": 9}, ("pass", "fail")),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_of_whole_numbers(name):
    """A bound that narrows breaks backward, one that widens breaks forward."""
    old, new, expected = BOUNDS[name]

    assert effects(Annotated[int, Field(**old)], Annotated[int, Field(**new)]) == expected


CONSTRAINTS: dict[str, tuple[Any, Any, tuple[str, str]]] = {
    "float end": (
        Annotated[float, Field(ge=0, le=1)],
        Annotated[float, Field(ge=0, lt=1)],
        ("fail", "pass"),
    ),
    "float infinity": (float, Annotated[float, Field(allow_inf_nan=False)], ("fail", "pass")),
    "no infinity within bounds": (
        Annotated[float, Field(ge=0, le=1)],
        Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)],
        ("pass", "pass"),
    ),
    "decimal": (
        Annotated[Decimal, Field(gt=Decimal("0.1"))],
        Annotated[Decimal, Field(ge=Decimal("0.1"))],
        ("pass", "fail"),
    ),
    "digits": (
        Annotated[Decimal, Field(max_digits=4, decimal_places=2)],
        Annotated[Decimal, Field(max_digits=4, decimal_places=3)],
        ("fail", "fail"),
    ),
    "more digits": (
        Annotated[Decimal, Field(max_digits=4, decimal_places=2)],
        Annotated[Decimal, Field(max_digits=5, decimal_places=2)],
        ("pass", "fail"),
    ),
    "date": (
        Annotated[date, Field(ge=date(2020, 1, 1))],
        Annotated[date, Field(gt=date(2019, 12, 31))],
        ("pass", "pass"),
    ),
    "datetime": (
        Annotated[datetime, Field(ge=datetime(2020, 1, 1))],
        Annotated[datetime, Field(ge=datetime(2020, 1, 2))],
        ("fail", "pass"),
    ),
    "duration": (
        Annotated[timedelta, Field(le=timedelta(days=1))],
        Annotated[timedelta, Field(le=timedelta(days=2))],
        ("pass", "fail"),
    ),
    "longest": (
        Annotated[str, Field(max_length=5)],
        Annotated[str, Field(max_length=4)],
        ("fail", "pass"),
    ),
    "shortest": (
        Annotated[str, Field(min_length=1)],
        Annotated[str, Field(min_length=2)],
        ("fail", "pass"),
    ),
    "items": (
        Annotated[list[int], Field(max_length=5)],
        Annotated[list[int], Field(max_length=9)],
        ("pass", "fail"),
    ),
    "a pattern is added": (str, Annotated[str, Field(pattern="^a")], ("fail", "pass")),
    "spaces are stripped": (
        Annotated[str, Field(max_length=3)],
        Annotated[str, StringConstraints(max_length=3, strip_whitespace=True)],
        ("pass", "fail"),
    ),
    "spaces are stripped to nothing": (
        Annotated[str, Field(min_length=1)],
        Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)],
        ("fail", "pass"),
    ),
    "case": (str, Annotated[str, StringConstraints(to_lower=True)], ("pass", "pass")),
    "a bound at infinity shuts out what is no number": (
        float,
        Annotated[float, Field(ge=float("-inf"))],
        ("fail", "pass"),
    ),
    "an open bound at infinity": (
        Annotated[float, Field(ge=0)],
        Annotated[float, Field(ge=0, lt=float("inf"))],
        ("fail", "inconclusive"),
    ),
    "one end, given twice": (
        Annotated[float, Field(ge=1, gt=0, le=3, lt=3)],
        Annotated[float, Field(ge=1, lt=3)],
        ("pass", "pass"),
    ),
    "a bound that is no number": (
        Annotated[float, Field(ge=0)],
        Annotated[float, Field(le=float("nan"))],
        ("fail", "inconclusive"),
    ),
    "numbers beyond all floats": (
        Annotated[int, Field(ge=10**400)],
        Annotated[float, Field(ge=0)],
        ("fail", "fail"),
    ),
    "the last day of all": (
        Annotated[date, Field(le=date.max)],
        Annotated[date, Field(lt=date.max)],
        ("fail", "pass"),
    ),
    "multiples of a decimal": (
        Decimal,
        Annotated[Decimal, Field(multiple_of=Decimal("0.5"))],
        ("fail", "pass"),
    ),
    "version of an identifier": (UUID, UUID4, ("fail", "pass")),
    "time of day": (
        Annotated[time, Field(ge=time(8))],
        Annotated[time, Field(ge=time(9))],
        ("fail", "pass"),
    ),
    "aware bounds": (
        Annotated[AwareDatetime, Field(ge=datetime(2020, 1, 1, tzinfo=UTC))],
        Annotated[AwareDatetime, Field(ge=datetime(2019, 1, 1, tzinfo=UTC))],
        ("pass", "fail"),
    ),
    "a day that has passed": (date, PastDate, ("fail", "pass")),
    "numbers become text": (
        str,
        Annotated[str, Field(coerce_numbers_to_str=True)],
        ("pass", "fail"),
    ),
    "digits of any number": (
        Annotated[Decimal, Field(max_digits=3)],
        Decimal,
        ("pass", "fail"),
    ),
    "only none": (type(None), int | None, ("pass", "fail")),
    "an infinite decimal": (
        Annotated[Decimal, Field(allow_inf_nan=True)],
        Annotated[float, Field(allow_inf_nan=False)],
        ("fail", "fail"),
    ),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_of_other_types(name):
    """What holds for whole numbers holds for everything that has an order or a length."""
    old, new, expected = CONSTRAINTS[name]

    assert effects(old, new) == expected
    assert effects(new, old) == expected[::-1]


class CheckedByNobody(BaseModel):
    x: Annotated[int, Field(ge=0)]
    y: float = 0.5


UNKNOWN: dict[str, tuple[Any, Any]] = {
    "bounds of moments with and without a zone": (
        Annotated[datetime, Field(ge=datetime(2020, 1, 1))],
        Annotated[datetime, Field(ge=datetime(2020, 1, 1, tzinfo=UTC))],
    ),
    "bounds of times in a zone": (
        Annotated[time, Field(ge=time(8, tzinfo=UTC))],
        Annotated[time, Field(ge=time(7, tzinfo=UTC))],
    ),
    "a member itself": (Literal[Colour.RED], Literal["red"]),
    "a type that prodml does not know": (type[int], type[bool]),
    "lists of some kind": (Sequence[int], Sequence[float]),
    "instances of a model alone": (
        Annotated[Point, Field(strict=True)],
        Annotated[CheckedByNobody, Field(strict=True)],
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_not_compatible(name):
    """Where the rules prove nothing and no example is found, nothing is said."""
    assert effects(*UNKNOWN[name])[0] == "inconclusive"


def test_a_description_that_makes_no_sense_is_not_compatible():
    """What pydantic cannot build says nothing, and stops nothing."""
    content = contract("1", x=Annotated[str, Field(pattern="a")], y=list[int]).describe().to_dict()
    content = json.loads(json.dumps(content))
    del content["fingerprint"]
    text, numbers = content["model"]["fields"]
    text["type"]["rules"] = {"pattern": "(", "ge": "many", "colour": "red"}
    numbers["type"]["parts"] = {"items": {"kind": "spam"}}
    odd = ContractDescription.from_dict(content)
    new = contract("2", x=Annotated[str, Field(pattern="b")], y=list[int])
    report = new.compatibility(odd)

    assert {one.field for one in report.changes} == {"x", "y[]"}
    assert report.verdict == "inconclusive"


def test_a_pattern_that_became_another_is_not_compatible():
    """No one knows which texts match both; where one is found that does not, it is shown."""
    old, new = (
        Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{4}$")],
        Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{4,5}$")],
    )
    backward, forward = effects(old, new)
    known = effects(Annotated[str, Field(pattern="^a")], Annotated[str, Field(pattern="^b")])

    assert backward == forward == "inconclusive"
    assert known[0] == "fail"


def test_an_example_is_a_value_that_comes_to_mind():
    """Of all values that no longer fit, one of the type itself is shown."""
    before, after = contract("1", x=Annotated[int, Field(ge=0)]), contract("2", x=AFTER)
    report = after.compatibility(before)
    narrowed = contract("2", x=Annotated[int, Field(ge=18)]).compatibility(before, mode="FULL")
    (change,) = narrowed.changes

    assert report.changes[0].backward_example is None
    assert (change.backward, change.backward_example) == ("fail", "0")
    assert (change.forward, change.forward_example) == ("pass", None)
    assert str(change) == "range: was >= 0 and is now >= 18"


# --------------------------------------------------------------------------------- validators


def refuse_odd(value: int) -> int:
    """Refuse odd numbers."""
    assert value % 2 == 0
    return value


def refuse_even(value: int) -> int:
    """Refuse even numbers."""
    assert value % 2 == 1
    return value


def wrap(value: Any, handler: Any) -> Any:
    """Do nothing."""
    return handler(value)


def question_mark(value: Any) -> Any:
    """Take a question mark for a missing value."""
    return None if value == "?" else value


def number(*validators: Any, **limits: Any) -> Any:
    """Return a type of whole numbers with validators."""
    return Annotated[(int, Field(**limits), *validators)]


ODD, EVEN, MARK = (
    AfterValidator(refuse_odd),
    AfterValidator(refuse_even),
    BeforeValidator(question_mark),
)

VALIDATORS: dict[str, tuple[Any, Any, tuple[str, str]]] = {
    "the same": (number(ODD), number(ODD), ("pass", "pass")),
    "changed": (number(ODD), number(EVEN), ("inconclusive", "inconclusive")),
    "added": (number(), number(ODD), ("inconclusive", "pass")),
    "one more around it": (number(ODD), number(ODD, EVEN), ("inconclusive", "pass")),
    "one more inside it": (number(ODD), number(EVEN, ODD), ("inconclusive", "inconclusive")),
    "in another order": (number(ODD, EVEN), number(EVEN, ODD), ("inconclusive", "inconclusive")),
    "a before validator is added": (
        number(),
        number(MARK),
        ("inconclusive", "inconclusive"),
    ),
    "a plain validator": (
        int,
        Annotated[int, PlainValidator(refuse_odd)],
        ("inconclusive", "inconclusive"),
    ),
    "narrower before the same": (number(ODD, ge=0), number(ODD, ge=5), ("inconclusive", "pass")),
    "narrower after the same": (number(MARK, ge=0), number(MARK, ge=5), ("inconclusive", "pass")),
    "wider before the same": (number(ODD, ge=5), number(ODD, ge=0), ("pass", "inconclusive")),
    "wider within a wrap": (
        number(WrapValidator(wrap), ge=5),
        number(WrapValidator(wrap), ge=0),
        ("inconclusive", "inconclusive"),
    ),
    "another type before the same": (
        Annotated[int, ODD],
        Annotated[float, ODD],
        ("inconclusive", "inconclusive"),
    ),
    "narrower and a new one": (number(ge=0), number(ODD, ge=5), ("fail", "pass")),
    "missing values and a validator": (
        Annotated[int | None, ODD],
        Annotated[int, ODD],
        ("inconclusive", "inconclusive"),
    ),
}


@pytest.mark.parametrize("name", VALIDATORS)
def test_a_changed_validator_is_never_compatible(name):
    """Nothing is known about a function but that it is the same or not the same."""
    old, new, expected = VALIDATORS[name]

    assert effects(old, new) == expected


def test_an_unchanged_validator_that_cannot_be_seen_is_not_compatible():
    """Its source may have changed all the same."""
    namespace: dict[str, Any] = {}
    exec("def check(value): return value", namespace)  # noqa: S102 - to have no source
    hidden: Any = Annotated[int, AfterValidator(namespace["check"])]
    report = contract("2", x=hidden).compatibility(contract("1", x=hidden), mode="FULL")

    assert rules_of(report) == [("x", "validator", "inconclusive", "inconclusive")]
    assert "source of check" in report.changes[0].message


def test_nor_is_one_inside_a_union():
    """Wherever a function stands that cannot be seen, nothing is known."""
    namespace: dict[str, Any] = {}
    exec("def check(value): return value", namespace)  # noqa: S102 - to have no source
    old, new = (
        Annotated[int, Field(ge=least), AfterValidator(namespace["check"])] for least in (5, 0)
    )

    assert effects(old | str, new | str) == ("inconclusive", "inconclusive")
    assert effects(number(ODD, ge=5) | str, number(ODD, ge=0) | str)[0] == "inconclusive"


def test_a_hook_of_an_enum_only_helps():
    """An Enum that finds members for more values takes all that it took before."""

    class Old(enum.Enum):
        A = "a"

    class New(enum.Enum):
        A = "a"

        @classmethod
        def _missing_(cls, value: object) -> Any:
            return cls.A if value else None

    assert effects(Old, New) == ("pass", "inconclusive")


class Checked(BaseModel):
    a: int
    b: int = 0

    @model_validator(mode="after")
    def _ordered(self) -> Any:
        assert self.a >= self.b
        return self


class CheckedNarrower(Checked):
    a: Annotated[int, Field(ge=3)]


class CheckedOtherwise(Checked):
    a: float


class Unchecked(BaseModel):
    a: int
    b: int = 0


class CheckedDefault(Checked):
    b: int = 9


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (Checked, CheckedNarrower, ("fail", "pass")),
        (Checked, CheckedOtherwise, ("inconclusive", "fail")),
        (Checked, Unchecked, ("pass", "inconclusive")),
        (Checked, CheckedDefault, ("inconclusive", "inconclusive")),
        (Checked, Checked, ("pass", "pass")),
    ],
)
def test_validators_of_the_whole_row(old, new, expected):
    """One that stayed the same is taken to see the same, unless a field has become another."""
    before, after = Contract(old, version="1"), Contract(new, version="2")
    found = tuple(
        after.compatibility(before, mode=mode).verdict for mode in ("BACKWARD", "FORWARD")
    )

    assert found == expected


# --------------------------------------------------------------------------- names and columns


def test_a_rename_breaks_and_says_how_it_would_not():
    """The likely new name is told, and what to write so that both names are read."""
    report = contract("2", customer_id=int).compatibility(contract("1", customerId=int))
    removed, added = report.changes

    assert (removed.what, removed.backward) == ("removed", "pass")
    assert (added.what, added.backward) == ("added", "fail")
    assert "AliasChoices('customer_id', 'customerId')" in removed.message


def test_a_rename_behind_an_alias_does_not_break():
    """What counts is the name of the column, not that of the attribute."""
    old = contract("1", x=(int, Field(alias="Amount")), checks=[Unique("x")])
    new = contract("2", amount=(int, Field(alias="Amount")), checks=[Unique("amount")])
    report = new.compatibility(old, mode="FULL")

    assert rules_of(report) == [("amount", "renamed", "pass", "pass")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"alias": "a"}, {"validation_alias": AliasChoices("b", "a")}, ("pass", "fail")),
        ({"alias": "a"}, {"alias": "b"}, ("fail", "fail")),
        (
            {"validation_alias": AliasChoices("a", "b"), "default": 0},
            {"alias": "a", "default": 0},
            ("pass", "pass"),
        ),
    ],
    ids=["one more", "another", "one less, and optional"],
)
def test_aliases(before, after, expected):
    """Data arrives under one of the names; one that is no longer read is missing."""
    old, new = contract("1", x=(int, Field(**before))), contract("2", x=(int, Field(**after)))
    found = tuple(new.compatibility(old, mode=mode).verdict for mode in ("BACKWARD", "FORWARD"))

    assert found == expected


def test_a_path_into_a_column_is_compared_whole():
    """What stands elsewhere in it is not known."""
    old = contract("1", x=(int, Field(validation_alias=AliasPath("deep", "x"))))
    same = contract("2", x=(int, Field(validation_alias=AliasPath("deep", "x"))))
    wider = contract(
        "2", x=(int, Field(validation_alias=AliasChoices(AliasPath("deep", "x"), "x")))
    )
    other = contract(
        "2", x=(int, Field(validation_alias=AliasChoices(AliasPath("deep", "y"), "x")))
    )

    assert same.compatibility(old).changes == ()
    assert wider.compatibility(old).verdict == "pass"
    assert old.compatibility(wider).verdict == "fail"
    assert other.compatibility(wider).verdict == "inconclusive"


def test_names_that_change_places_are_not_compatible():
    """A column that another field reads now is judged by that field."""
    old = contract(
        "1", a=(int, Field(validation_alias=AliasChoices("x", "y"))), b=(str, Field(alias="z"))
    )
    new = contract(
        "2", a=(int, Field(alias="x")), b=(str, Field(validation_alias=AliasChoices("y", "z")))
    )

    assert new.compatibility(old, mode="BACKWARD").verdict == "inconclusive"
    assert new.compatibility(old, mode="FORWARD").verdict == "inconclusive"


def test_two_fields_that_became_one_are_not_compatible():
    """Which of the two columns is read is not known."""
    old = contract("1", a=(int, 0), b=(str, ""))
    new = contract("2", c=(int, Field(0, validation_alias=AliasChoices("a", "b"))))

    assert new.compatibility(old, mode="FULL").verdict == "inconclusive"


def extra(behaviour: str, version: str, **fields: Any) -> Any:
    """Return a contract with a setting for columns it does not name."""
    definitions = {"a": (int, ...)} | fields
    model: Any = create_model("Row", __config__=ConfigDict(extra=behaviour), **definitions)
    return Contract(model, version=version)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("ignore", "forbid", ("fail", "pass")),
        ("allow", "forbid", ("fail", "pass")),
        ("ignore", "allow", ("pass", "pass")),
    ],
)
def test_columns_that_nobody_named(before, after, expected):
    """Who forbids them no longer reads data that have some."""
    old, new = extra(before, "1"), extra(after, "2")
    found = tuple(new.compatibility(old, mode=mode).verdict for mode in ("BACKWARD", "FORWARD"))

    assert found == expected
    assert rules_of(new.compatibility(old, mode="FULL")) == [("", "extra", *expected)]


def test_deleting_a_field_where_others_are_forbidden_breaks():
    """Older data still have the column."""
    old, new = extra("forbid", "1", b=(int, 0)), extra("forbid", "2")

    assert rules_of(new.compatibility(old, mode="FULL")) == [("b", "removed", "fail", "pass")]


def test_adding_a_field_where_others_were_kept_is_not_certain():
    """A column of this name may have been kept, with anything in it."""
    old, new = extra("allow", "1"), extra("allow", "2", b=(int, 0))
    anything = extra("allow", "2", b=(Any, None))

    assert new.compatibility(old).verdict == "inconclusive"
    assert anything.compatibility(old).verdict == "pass"


def test_a_default_is_read_by_checks():
    """It takes the place of a missing value, so it decides where a check looks at it."""
    plain = contract("2", a=(int, 5), b=int).compatibility(contract("1", a=(int, 0), b=int))
    rule = [Compare("a", "<", "b")]
    seen = contract("2", a=(int, 5), b=int, checks=rule).compatibility(
        contract("1", a=(int, 0), b=int, checks=rule)
    )

    assert rules_of(plain) == [("a", "default", "pass", "pass")]
    assert seen.verdict == "inconclusive"


def test_a_default_that_is_validated():
    """A default that its own field refuses is a row that is refused."""
    good = contract("2", x=(int, 0), y=(int, Field(3, validate_default=True)))
    bad = contract("2", x=(int, 0), y=(int, Field("no", validate_default=True)))
    old = contract("1", x=(int, 0))

    assert good.compatibility(old).verdict == "pass"
    assert bad.compatibility(old).verdict == "inconclusive"


def test_a_default_that_is_validated_from_now_on():
    """The setting is harmless where the default fits, and breaks where it doesn't."""
    loose = contract("1", x=(int, "no"), y=(int, 3), z=(int, Field(default_factory=int)))
    checked_now = contract(
        "2",
        x=(int, Field("no", validate_default=True)),
        y=(int, Field(3, validate_default=True)),
        z=(int, Field(default_factory=int, validate_default=True)),
    )
    report = checked_now.compatibility(loose, mode="FULL")

    assert rules_of(report) == [
        ("x", "setting", "fail", "pass"),
        ("y", "setting", "pass", "pass"),
        ("z", "setting", "inconclusive", "pass"),
    ]


def test_a_factory_is_a_default():
    """It is told by its name."""
    report = contract("2", x=(list[int], Field(default_factory=list))).compatibility(
        contract("1", x=(list[int], []))
    )

    assert rules_of(report) == [("x", "default", "pass", "pass")]
    assert report.changes[0].message == "its default was [] and is now builtins.list()"


# --------------------------------------------------------------------------------- structures


class OldAddress(BaseModel):
    street: str
    zip: Annotated[str, Field(max_length=5)]


class NewAddress(BaseModel):
    street: str
    zip: Annotated[str, Field(max_length=4)]
    city: str | None = None


class OldTree(BaseModel):
    value: int
    children: list[OldTree] = []


class NewTree(BaseModel):
    value: float
    children: list[NewTree] = []


class NarrowTree(BaseModel):
    value: Annotated[int, Field(ge=0)]
    children: list[NarrowTree] = []


class LooseTree(BaseModel):
    value: int
    children: list[LooseTree] | None = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]


class NewCat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(le=9)] = 9


Animals = Annotated[Cat | Dog, Discriminator("kind")]
OnlyCats = Annotated[Cat | NewCat, Discriminator("kind")]


def test_a_change_deep_inside_is_named_by_its_path():
    """Nested models, lists and dicts are looked into."""
    old = contract("1", homes=list[OldAddress], by_name=dict[str, OldAddress])
    new = contract("2", homes=list[NewAddress], by_name=dict[str, NewAddress])

    assert rules_of(new.compatibility(old, mode="FULL")) == [
        ("homes[].zip", "length", "fail", "pass"),
        ("homes[].city", "added", "pass", "pass"),
        ("by_name{}.zip", "length", "fail", "pass"),
        ("by_name{}.city", "added", "pass", "pass"),
    ]


def test_a_type_within_itself_is_compared_once():
    """What differs in a tree is told for the tree, and the comparison ends."""
    wider = contract("2", x=NewTree).compatibility(contract("1", x=OldTree), mode="FULL")
    narrower = contract("2", x=NarrowTree).compatibility(contract("1", x=OldTree))
    renamed: Any = create_model("Tree", __base__=OldTree)

    assert rules_of(wider) == [("x.value", "type", "pass", "fail")]
    assert narrower.verdict == "fail"
    assert contract("2", x=renamed).compatibility(contract("1", x=OldTree)).verdict == "pass"


def test_a_type_within_itself_may_change_how_it_is_nested():
    """Where the two versions come round again at different depths, it ends all the same."""
    report = contract("2", x=LooseTree).compatibility(contract("1", x=OldTree), mode="FULL")

    assert rules_of(report) == [("x.children", "nullable", "pass", "fail")]
    assert effects(OldTree | None, LooseTree | str) == ("fail", "fail")
    assert effects(OldTree | str, LooseTree | str) == ("pass", "inconclusive")


def test_trees_in_a_union_are_compared():
    """A type within itself may stand anywhere."""
    assert effects(OldTree | None, NewTree | int | None) == ("pass", "fail")
    assert effects(OldTree | str, NarrowTree | str) == ("inconclusive", "pass")


def test_tagged_unions_are_compared_by_tag():
    """A kind that is gone is no longer read; a kind that stays is looked into."""
    fewer = contract("2", x=Cat).compatibility(contract("1", x=Animals), mode="FULL")
    more = contract("2", x=Annotated[Cat | Dog | Point, Field()]).compatibility(
        contract("1", x=Cat)
    )
    narrowed = contract("2", x=Annotated[NewCat | Dog, Discriminator("kind")])
    report = narrowed.compatibility(contract("1", x=Animals), mode="FULL")

    assert fewer.verdict == "fail"
    assert more.verdict == "pass"
    assert rules_of(report) == [("x.lives", "range", "fail", "pass")]


def test_a_tag_that_is_gone():
    """The kind is named."""

    class Bird(BaseModel):
        kind: Literal["bird"]

    old = contract("1", x=Annotated[Cat | Dog | Bird, Discriminator("kind")])
    report = contract("2", x=Animals).compatibility(old, mode="FULL")

    assert rules_of(report) == [("x", "values", "fail", "pass")]
    assert report.changes[0].message == "no longer takes the kind 'bird'"


def test_a_root_model():
    """A contract of a single value has versions too."""
    old, new = Contract(RootModel[list[int]]), Contract(RootModel[list[float]], version="2")

    assert rules_of(new.compatibility(old, mode="FULL")) == [("[]", "type", "pass", "fail")]


def test_lengths_of_a_set_are_not_certain_when_its_items_change():
    """Items that were different may be the same after they are converted."""
    old, new = (
        Annotated[set[kind], Field(min_length=2)] for kind in (int | str, int | str | float)
    )

    assert effects(set[int | str], set[int | str | float])[0] == "pass"
    assert effects(old, new)[0] == "inconclusive"


# ------------------------------------------------------------------------------------- checks


def checked(version: str, *checks: Any, **fields: Any) -> Any:
    """Return a contract of two numbers, a day and a word with checks."""
    given = {"a": int, "b": int, "c": int, "day": date, "word": str} | fields
    return contract(version, checks=checks, **given)


CHECKS: dict[str, tuple[list[Any], list[Any], tuple[str, str]]] = {
    "unique is added": ([], [Unique("a")], ("fail", "pass")),
    "unique in fewer columns": ([Unique("a", "b")], [Unique("a")], ("fail", "pass")),
    "comparison is added": ([], [Compare("a", "<", "b")], ("fail", "pass")),
    "comparison is weaker": (
        [Compare("a", "<", "b")],
        [Compare("a", "<=", "b")],
        ("pass", "fail"),
    ),
    "comparison from the other side": (
        [Compare("a", "<", "b")],
        [Compare("b", ">=", "a")],
        ("pass", "fail"),
    ),
    "comparison is turned": ([Compare("a", "<", "b")], [Compare("b", "<", "a")], ("fail", "fail")),
    "equal is at most": ([Compare("a", "==", "b")], [Compare("b", "<=", "a")], ("pass", "fail")),
    "less is unequal": ([Compare("a", "<", "b")], [Compare("b", "!=", "a")], ("pass", "fail")),
    "reference is added": ([], [ForeignKey("word", ["x"])], ("fail", "pass")),
    "reference is another": (
        [ForeignKey("word", ["x"])],
        [ForeignKey("word", ["x", "y"])],
        ("inconclusive", "inconclusive"),
    ),
    "reference of the same size": (
        [ForeignKey("word", ["x"])],
        [ForeignKey("word", ["y"])],
        ("inconclusive", "inconclusive"),
    ),
    "more of one, less of another": (
        [RowCount(minimum=2, maximum=5)],
        [RowCount(minimum=1, maximum=4)],
        ("fail", "fail"),
    ),
    "gaps elsewhere": ([NullFraction("a", 0.1)], [NullFraction("b", 0.1)], ("pass", "pass")),
    "comparison of others": (
        [Compare("a", "<", "b")],
        [Compare("a", "<", "c")],
        ("fail", "fail"),
    ),
    "comparison of what has no order": (
        [],
        [Compare("a", "<", "word")],
        ("inconclusive", "pass"),
    ),
    "reference has another name": (
        [ForeignKey("word", ["x"], name="old")],
        [ForeignKey("word", ["x"], name="new")],
        ("pass", "pass"),
    ),
    "fewer rows will do": ([RowCount(minimum=9)], [RowCount(minimum=3)], ("pass", "fail")),
    "fewer rows are allowed": (
        [RowCount(maximum=9)],
        [RowCount(maximum=3)],
        ("fail", "pass"),
    ),
    "any number of rows": ([], [RowCount(minimum=0)], ("pass", "pass")),
    "more gaps": ([NullFraction("a", 0.1)], [NullFraction("a", 0.2)], ("pass", "pass")),
    "older data": (
        [Freshness("day", timedelta(days=1))],
        [Freshness("day", timedelta(days=2))],
        ("pass", "fail"),
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_checks(name):
    """A check that asks for more breaks backward, one that asks for less breaks forward."""
    before, after, expected = CHECKS[name]
    old, new = checked("1", *before), checked("2", *after)
    back = checked("3", *before)
    report = new.compatibility(old, mode="FULL")
    found = tuple(new.compatibility(old, mode=mode).verdict for mode in ("BACKWARD", "FORWARD"))
    mirrored = tuple(back.compatibility(new, mode=mode).verdict for mode in ("BACKWARD", "FORWARD"))

    assert found == expected
    assert mirrored == expected[::-1]
    assert {one.what for one in report.changes} <= {"check"}


def test_gaps_count_where_there_can_be_some():
    """A share of missing values is nothing to a column that has none."""
    rule = NullFraction("a", 0.1)
    never = checked("2", rule).compatibility(checked("1"))
    perhaps = checked("2", rule, a=int | None).compatibility(checked("1", a=int | None))

    assert (never.verdict, perhaps.verdict) == ("pass", "fail")


def test_a_comparison_that_nothing_is_known_to_break():
    """No pair of values is found, which proves nothing."""
    small, large = Annotated[int, Field(le=5)], Annotated[int, Field(ge=6)]
    report = checked("2", Compare("a", "<", "b"), a=small, b=large).compatibility(
        checked("1", a=small, b=large)
    )

    assert report.verdict == "inconclusive"
    text = contract("2", a=AFTER, b=int, checks=[Compare("a", "<", "b")])
    assert text.compatibility(contract("1", a=AFTER, b=int)).verdict == "inconclusive"


def test_a_check_that_this_version_does_not_know():
    """A later prodml may have written it."""
    content = json.loads(checked("1").describe().to_json())
    del content["fingerprint"]
    content["checks"] = [{"rule": "entropy", "columns": ["a"]}]
    later = ContractDescription.from_dict(content)

    assert checked("2").compatibility(later, mode="BACKWARD").verdict == "pass"
    assert checked("2").compatibility(later, mode="FORWARD").verdict == "inconclusive"


def test_an_unchanged_check_on_a_changed_column():
    """What is compared has become something else."""
    report = contract("2", a=str, b=str, checks=[Compare("a", "<", "b")]).compatibility(
        contract("1", a=int, b=str, checks=[Compare("a", "<", "b")]), mode="FULL"
    )

    assert ("a", "check", "inconclusive", "inconclusive") in rules_of(report)


def test_a_reference_over_few_values_may_hold_them_all():
    """Whether all of them are in it is not known."""
    old, new = (
        contract(version, x=Literal["a", "b"], checks=rules)
        for version, rules in (("1", []), ("2", [ForeignKey("x", ["a", "b"])]))
    )

    assert new.compatibility(old).verdict == "inconclusive"


def test_another_key_breaks_nothing():
    """It only says what rows are called."""
    report = contract("2", a=int, b=int, key="b").compatibility(
        contract("1", a=int, b=int, key="a"), mode="FULL"
    )

    assert rules_of(report) == [("b", "key", "pass", "pass")]


# -------------------------------------------------------------------------------------- report


@pytest.fixture
def report() -> CompatibilityReport:
    """Return a report with one change of each effect."""
    old = contract("1", age=Annotated[int, Field(ge=0)], name=str, code=number(ODD))
    new = contract("2", age=Annotated[int, Field(ge=18)], name=str | None, code=number(EVEN))
    return new.compatibility(old)


def test_a_report_names_what_breaks(report):
    """Breaking is what the mode asks for and does not get."""
    assert [one.field for one in report.breaking] == ["age", "code"]
    assert report.verdict == "fail"
    assert repr(report) == (
        "CompatibilityReport('Row' 2 against 1, BACKWARD: fail; 3 changes, 2 breaking)"
    )


def test_a_report_as_data(report):
    """As JSON, as a frame, and in a notebook."""
    content = json.loads(json.dumps(report.to_dict()))
    frame = report.to_frame()

    assert content["verdict"] == "fail"
    assert content["changes"][0]["backward_example"] == "0"
    assert frame["field"].tolist() == ["age", "name", "code"]
    assert frame["backward"].tolist() == ["fail", "pass", "inconclusive"]
    assert contract(a=int).compatibility(contract(a=int)).to_frame().columns[0] == "version"
    assert pickle.loads(pickle.dumps(report)) == report
    assert report._repr_html_().count("<tr>") == 4


def test_a_report_in_a_notebook_is_escaped():
    """Values and names come from data."""
    hostile = "<script>alert(1)</script>"
    old = contract("1", x=Literal["a", hostile])
    shown = contract("2", x=Literal["a"]).compatibility(old)._repr_html_()

    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_report_as_evidence(report):
    """One number, its verdict, and every change as a table."""
    (evidence,) = report.to_evidence()

    assert evidence.series == (
        'data_contract_breaking_changes{against="1",contract="Row",mode="BACKWARD",version="2"}'
    )
    assert (evidence.value, evidence.n, evidence.verdict) == (2, 3, "fail")
    assert evidence.subject == report.fingerprint
    assert evidence.table is not None
    assert evidence.table.columns["field"] == ("age", "name", "code")
    assert evidence.reason is not None
    assert evidence.reason.startswith("age: range: was >= 0 and is now >= 18; code: validator")


def test_evidence_of_nothing():
    """No change is a pass, and no table."""
    (evidence,) = contract(a=int).compatibility(contract(a=int)).to_evidence()

    assert (evidence.value, evidence.verdict, evidence.table) == (0, "pass", None)


# --------------------------------------------------------------------------------- brute force


@pytest.mark.parametrize("old", FIELDS)
def test_no_verdict_is_refuted_by_an_example(old):
    """Over all pairs of types: what passes has no counter-example, and what fails has one.

    pydantic itself judges every value at the edges of both types by both models.
    """
    before = contract("1", x=FIELDS[old])
    for new, kind in FIELDS.items():
        after = contract("2", x=kind)
        report = after.compatibility(before)
        types = [one.describe().field("x").type for one in (before, after)]
        refuted = [
            value
            for value in candidates(*types)
            if _takes(before.model, value) is True and _takes(after.model, value) is False
        ]
        context = (old, new, report.verdict, refuted[:3])
        if report.verdict == "pass":
            assert refuted == [], context
        elif report.verdict == "fail":
            shown = [one.backward_example for one in report.changes if one.backward == "fail"]
            assert None not in shown, context
            # of multiples beyond 2**70 only the comparison itself thinks
            assert refuted != [] or (old, new) == ("int_multiple", "int_huge_bounds"), context
        elif not any(one.functions for one in types):
            assert refuted == [], context


def _takes(model: Any, value: Any) -> bool | None:
    try:
        model.model_validate({"x": value})
    except ValidationError:
        return False
    except (TypeError, ArithmeticError):  # of a validator that was made for something else
        return None
    return True


SMALL = st.integers(-4, 4)


@st.composite
def limits(draw: Any) -> dict[str, Any]:
    """Draw bounds of a number."""
    found = draw(st.dictionaries(st.sampled_from(["ge", "gt", "le", "lt"]), SMALL, max_size=2))
    if draw(st.integers(0, 4)) == 0:
        found["multiple_of"] = draw(st.integers(1, 4))
    return found


@st.composite
def lengths(draw: Any) -> dict[str, Any]:
    """Draw the lengths of a text or a list."""
    names = st.sampled_from(["min_length", "max_length"])
    return draw(st.dictionaries(names, st.integers(0, 3), max_size=2))


@st.composite
def scalars(draw: Any) -> Any:
    """Draw a type without parts."""
    kind = draw(st.sampled_from(["int", "float", "decimal", "str", "literal", "bool", "date"]))
    if kind == "literal":
        values = draw(st.lists(st.sampled_from(["a", "b", "", 1, 2, True]), min_size=1, max_size=3))
        return Literal[tuple(values)]  # type: ignore[misc]
    if kind == "bool":
        return Annotated[bool, Field(strict=draw(st.booleans()))]
    if kind == "date":
        days = st.dates(date(2024, 1, 1), date(2024, 1, 4))
        return Annotated[date, Field(**draw(st.dictionaries(st.sampled_from(["ge", "lt"]), days)))]
    if kind == "str":
        found = draw(lengths())
        if draw(st.integers(0, 3)) == 0:
            found["pattern"] = draw(st.sampled_from(["^a", "a$", "^[ab]*$"]))
        stripped = StringConstraints(strip_whitespace=draw(st.booleans()))
        return Annotated[str, Field(**found), stripped]
    strict = draw(st.integers(0, 3)) == 0
    base = {"int": int, "float": float, "decimal": Decimal}[kind]
    return Annotated[base, Field(**draw(limits()), strict=strict)]


@st.composite
def types(draw: Any) -> Any:
    """Draw a type, perhaps nullable, in a list, or one of two."""
    base = draw(scalars())
    shape = draw(st.sampled_from(["plain", "plain", "nullable", "list", "union"]))
    if shape == "nullable":
        return Optional[base]
    if shape == "list":
        return Annotated[list[base], Field(**draw(lengths()))]
    return base | draw(scalars()) if shape == "union" else base


@st.composite
def models(draw: Any) -> Any:
    """Draw a model with up to three fields, some of them optional or under an alias."""
    fields: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from("abc"), min_size=1)):
        options: dict[str, Any] = {}
        if draw(st.integers(0, 3)) == 0:
            options["alias"] = draw(st.sampled_from([name, name.upper()]))
        if draw(st.booleans()):
            options["default"] = None
        fields[name] = (draw(types()), Field(**options))
    behaviour = draw(st.sampled_from(["ignore", "ignore", "forbid", "allow"]))
    return create_model("Row", __config__=ConfigDict(extra=behaviour), **fields)


@st.composite
def neighbours(draw: Any) -> tuple[Any, Any]:
    """Draw a model and another one that differs from it in one field, or altogether."""
    old = draw(models())
    if draw(st.booleans()):
        return old, draw(models())
    fields = {name: (info.annotation, info) for name, info in old.model_fields.items()}
    name = draw(st.sampled_from(sorted(fields)))
    action = draw(st.sampled_from(["type", "remove", "optional"]))
    if action == "remove":
        del fields[name]
    elif action == "optional":
        fields[name] = (fields[name][0], None)
    else:
        fields[name] = (draw(types()), ...)
    new = create_model("Row", __config__=old.model_config, **fields)
    return (old, new) if draw(st.booleans()) else (new, old)


def records_for(old: Contract[Any], new: Contract[Any], draw: Any) -> list[dict[str, Any]]:
    """Return records at the edges of both contracts, one odd value at a time.

    Each has columns that the old contract names, and perhaps one that neither does.
    """
    described = old.describe()
    read = {path[0]: one.type for one in new.describe().fields for path in one.inputs}
    values: dict[Any, list[Any]] = {}
    for one in described.fields:
        column = one.inputs[0][0]
        kinds = [one.type, *([read[column]] if column in read else [])]
        values[column] = [value for value in candidates(*kinds) if _fits(old.model, column, value)]
    if not all(values[one.inputs[0][0]] for one in described.fields if one.required):
        return []
    plain = {
        one.inputs[0][0]: values[one.inputs[0][0]][0] for one in described.fields if one.required
    }
    found = [plain, plain | {"zzz": 1}]
    for column, some in values.items():
        found += [plain | {column: value} for value in some]
    return found


def _fits(model: Any, column: Any, value: Any) -> bool:
    try:
        model.model_validate({column: value})
    except ValidationError as error:
        return not any(one["loc"] and one["loc"][0] == column for one in error.errors())
    except ArithmeticError:  # pydantic 2.10 divides Decimals that are too large for it
        return False
    return True


@given(neighbours(), st.data())
def test_what_is_compatible_loses_no_record(pair, data):
    """There is no record that the old contract accepts and a compatible one rejects.

    And the mirror: forward is backward with the versions changed over.
    """
    old, new = Contract(pair[0], version="1"), Contract(pair[1], version="2")
    report = new.compatibility(old, mode="FULL")
    backward = new.compatibility(old).verdict
    event(backward)

    assert old.compatibility(new, mode="FORWARD").verdict == backward
    assert report.verdict != "pass" or backward == "pass"
    if backward == "pass":
        for record in records_for(old, new, data.draw):
            if accepts(old.model, record):
                new.validate_record(record)


@given(limits(), limits(), st.sampled_from([int, float, Decimal]))
def test_narrowing_that_fails_has_a_witness(first, second, kind):
    """A value is named that fits the one and not the other, and it is really so."""
    old, new = (Annotated[kind, Field(**one)] for one in (first, second | first))
    report = contract("2", x=new).compatibility(contract("1", x=old))
    before, after = contract("1", x=old), contract("2", x=new)
    failing = [one for one in report.changes if one.backward == "fail"]
    event(report.verdict)

    for one in failing:
        assert one.backward_example is not None
        value = eval(one.backward_example, {"Decimal": Decimal, "inf": float("inf")})  # noqa: S307 - a repr that we made
        assert before.validate_record({"x": value})
        with pytest.raises(RecordRejectedError):
            after.validate_record({"x": value})


@given(scalars(), scalars())
def test_wider_and_narrower_are_mirrors(old, new):
    """Backward one way is forward the other way."""
    assert effects(old, new) == effects(new, old)[::-1]


@given(models())
def test_every_model_reads_its_own_data(model):
    """Built twice, a contract is compatible with itself without a change."""
    again = create_model(
        "Row",
        __config__=model.model_config,
        **{name: (info.annotation, info) for name, info in model.model_fields.items()},
    )
    report = Contract(again, version="2").compatibility(Contract(model), mode="FULL")

    assert report.changes == ()


def test_the_modes_are_confluents():
    """Six that compare and one that does not."""
    assert set(get_args(CompatibilityMode)) == {
        "NONE",
        *(f"{way}{how}" for way in ("BACKWARD", "FORWARD", "FULL") for how in ("", "_TRANSITIVE")),
    }
