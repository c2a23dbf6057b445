"""A draft from a sample: it accepts its own sample, comes as source, and says what to look at."""

from __future__ import annotations

import ast
import math
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from prodml._core.arrow_text import has_arrow
from prodml.contracts import Contract, ContractDraft, Unique, infer_contract
from prodml.contracts._draft_names import attribute_names, is_free_name
from prodml.errors import DuplicateColumnError, FrameError, MultiIndexColumnsError

from .corpus import columns
from .oracle import cells_of

MOMENT = datetime(2024, 5, 17, 12, 30)


def objects(*values: Any) -> pd.Series:
    """Return a column of objects, which pandas leaves as they are."""
    out = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        out[place] = value
    return pd.Series(out, dtype=object)


def draft_of(column: Any, **options: Any) -> ContractDraft:
    """Draft a contract from one column."""
    return infer_contract(pd.DataFrame({"x": column}), **options)


def type_of(column: Any, **options: Any) -> str:
    """Return the type of the field for one column, as the source has it."""
    source = draft_of(column, **options).to_source()
    (line,) = [line for line in source.splitlines() if line.startswith("    x: ")]
    return line.removeprefix("    x: ")


def notes(column: Any, **options: Any) -> list[str]:
    """Return what there is to look at about one column."""
    return [note.kind for note in draft_of(column, **options).notes]


def run(source: str) -> Any:
    """Run the source of a draft as a module."""
    namespace: dict[str, Any] = {"__name__": "draft_module"}
    exec(compile(source, "draft_module.py", "exec", dont_inherit=True), namespace)  # noqa: S102 - it is what a user does
    return namespace


def assert_draft_holds(frame: pd.DataFrame, **options: Any) -> ContractDraft:
    """A draft accepts its own sample, and its source gives the same contract."""
    before = cells_of(frame)
    draft = infer_contract(frame, **options)
    result = draft.contract().validate_frame(frame)

    assert cells_of(frame) == before, "the sample was changed"
    assert result.summary.n_rejected == 0, ascii(result.iter_violations(3))
    made = run(draft.to_source())
    assert made["contract"].describe() == draft.contract().describe()
    assert made["contract"].validate_frame(frame).summary.n_rejected == 0
    return draft


# --------------------------------------------------------------------------------------- types

TYPES: dict[str, tuple[Any, str]] = {
    "int": ([1, 2], "int"),
    "int of objects": (objects(1, 2), "int"),
    "huge int": (objects(2**70, 1), "int"),
    "unsigned": (pd.Series([2**64 - 1], dtype="uint64"), "int"),
    "nullable int": (pd.array([1, None], dtype="Int64"), "int | None"),
    "float": ([0.5, 1.0], "float"),
    "float with gaps": ([0.5, None], "float | None"),
    "float and int": (objects(1, 0.5), "float"),
    "infinite": ([math.inf, 1.0], "float"),
    "bool": ([True, False], "bool"),
    "bool with gaps": (objects(True, None), "bool | None"),
    "text": (["a", "b"], "str"),
    "text with gaps": (["a", None], "str | None"),
    "bytes": (objects(b"a"), "bytes"),
    "decimal": (objects(Decimal("1.50"), None), "Decimal | None"),
    "decimal that signals": (objects(Decimal("sNaN"), Decimal(1)), "Decimal | None"),
    "date": (objects(date(2024, 1, 1)), "date"),
    "time": (objects(time(1, 2)), "time"),
    "datetime": ([MOMENT], "NaiveDatetime"),
    "datetime of objects": (objects(MOMENT), "NaiveDatetime"),
    "aware datetime": ([MOMENT.replace(tzinfo=UTC)], "AwareDatetime"),
    "datetimes with and without zone": (objects(MOMENT, MOMENT.replace(tzinfo=UTC)), "datetime"),
    "no datetime yet": (pd.Series([], dtype="datetime64[ns, UTC]"), "AwareDatetime"),
    "duration": ([timedelta(days=1)], "timedelta"),
    "ISO dates": (["2024-01-31", "2023-12-01"], "date"),
    "ISO moments": (["2024-01-31T12:00", "2023-12-01 13:14:15.5"], "NaiveDatetime"),
    "ISO moments with a zone": (["2024-01-31T12:00Z", "2023-12-01T13:14+02:00"], "AwareDatetime"),
    "ISO moments of both kinds": (["2024-01-31T12:00Z", "2023-12-01T13:14"], "str"),
    "a date that is none": (["2024-02-31"], "str"),
    "all but one a date": (["2024-01-31", "?"], "str"),
    "a number among many moments": (
        [*(f"2024-01-01T12:{m:02}:{s:02}" for m in range(3) for s in range(60)), "86400"],
        "str",
    ),
    "dates of one's own country": (["03/04/2024", "05/06/2024"], "str"),
    "several types": (objects("a", 1), "Any"),
    "lists": (objects([1], [2]), "Any"),
    "records": (objects({"a": 1}, None), "Any"),
    "nothing": (objects(None, None), "Any"),
    "nothing at all": (objects(), "Any"),
    "complex": ([1j], "Any"),
    "periods": (pd.period_range("2024-01", periods=2, freq="M"), "Any"),
    "beyond what datetime holds": (
        pd.Series(np.array(["12000-01-01"], dtype="datetime64[s]")),
        "Any",
    ),
    "lone surrogates": (objects("a", "\ud800"), "str"),
}


@pytest.mark.parametrize("name", TYPES)
def test_types_come_from_the_values(name):
    """What a column holds decides, not what its dtype is called; None only where there is one."""
    column, expected = TYPES[name]

    assert type_of(column) == expected
    assert_draft_holds(pd.DataFrame({"x": column}))


def test_few_texts_in_enough_rows_are_a_literal():
    """Both are asked for: few values, and many rows for each of them."""
    column = ["b", "a"] * 20

    assert type_of(column) == "Literal['a', 'b']"
    assert type_of([*column, None]) == "Literal['a', 'b'] | None"
    assert type_of(column[:-1]) == "str"
    assert type_of(column[:10], rows_per_category=5) == "Literal['a', 'b']"
    assert type_of(column, max_categories=1) == "str"
    assert type_of(["a"] * 100) == "str"
    assert type_of(["1", "2"] * 50) == "Literal['1', '2']"
    assert type_of([1, 2] * 50) == "int"


def test_declared_categories_are_a_literal():
    """Whoever declared them knew that there are no others."""
    column = pd.Categorical(["b"], categories=["b", "a"])

    assert type_of(column) == "Literal['a', 'b']"
    assert type_of(pd.Categorical([1], categories=[1, 2])) == "int"
    assert type_of(pd.Categorical(list("abc")), max_categories=2) == "str"
    odd = pd.Index(["a", "\ud800"], dtype=object)
    assert type_of(pd.Categorical.from_codes([0, 1], odd)) == "str"


BOUNDS: dict[str, tuple[Any, str]] = {
    "int": ([3, 1, 2], "int = Field(ge=1, le=3)"),
    "int with gaps": (pd.array([3, None], dtype="Int64"), "int | None = Field(ge=3, le=3)"),
    "float": ([0.5, -1.0], "float = Field(ge=-1.0, le=0.5)"),
    "infinite": ([math.inf, 1.0], "float"),
    "text": (["a", "abc"], "str = Field(min_length=1, max_length=3)"),
    "decimal": (
        objects(Decimal("0.5"), Decimal(2)),
        "Decimal = Field(ge=Decimal('0.5'), le=Decimal('2'))",
    ),
    "date": (
        objects(date(2024, 1, 2), date(2023, 1, 2)),
        "date = Field(ge=date(2023, 1, 2), le=date(2024, 1, 2))",
    ),
    "datetime": (
        [MOMENT, MOMENT + timedelta(microseconds=5)],
        (
            "NaiveDatetime = Field(ge=datetime(2024, 5, 17, 12, 30), "
            "le=datetime(2024, 5, 17, 12, 30, 0, 5))"
        ),
    ),
    "duration": (
        [timedelta(days=1, microseconds=3)],
        "timedelta = Field(ge=timedelta(1, 0, 3), le=timedelta(1, 0, 3))",
    ),
    "bool": ([True, False], "bool"),
    "values": (["a", "b"] * 20, "Literal['a', 'b']"),
    "text that is a date": (["2024-01-31"], "date"),
    "nothing": (objects(None), "Any"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_only_when_asked_for(name):
    """The ends of a sample are exceeded soon; who wants them says so."""
    column, expected = BOUNDS[name]

    assert type_of(column, bounds=True) == expected
    assert "ge=" not in type_of(column)
    assert_draft_holds(pd.DataFrame({"x": column}), bounds=True)


# --------------------------------------------------------------------------------------- names

NAMES = {
    "age": "age",
    "Zip code": "Zip_code",
    "class": "class_",
    "None": "None_",
    "match": "match",
    "1st": "column_1st",
    "_id": "id",
    "__dunder__": "dunder",
    "_": "column",
    "": "column_2",
    "€": "column_3",
    "model_config": "column_model_config",
    "model_x": "column_model_x",
    "copy": "copy_",
    "json": "json_",
    "date": "date_",
    "int": "int_",
    "Literal": "Literal_",
    "contract": "contract_",
    "größe": "größe",
    "ﬁle": "file",
    "a\nb": "a_b",
    "a-b": "a_b_2",
    "a b": "a_b_3",
    "x" * 200 + "!": "x" * 60,
}


def test_names_of_fields():
    """A column keeps its name where Python and pydantic let it, and no two fields share one."""
    assert dict(zip(NAMES, attribute_names([*NAMES]), strict=True)) == NAMES


def test_a_name_that_is_free_goes_to_the_column_that_has_it():
    """Whoever needs another name makes room."""
    assert attribute_names(["_id", "id", "id-"]) == ["id_2", "id", "id_3"]


HOSTILE = [
    "'''",
    '"""',
    "\\",
    "a'b\"c",
    "\n    import os",
    "\r\x00\x1b[31m",
    "\u202etxt",
    "\u2028line",
    "{}",
    "%s",
    "#",
    "): pass\nprint('x')",
    "$ref",
    "a.b",
    "[]",
    "__class__",
    "self",
    "cls",
]


def test_hostile_names_and_values_stay_what_they_are():
    """No name and no value gets out of its quotes, into code or a comment."""
    frame = pd.DataFrame({name: [*HOSTILE, *HOSTILE] for name in HOSTILE})
    draft = assert_draft_holds(frame, rows_per_category=1)
    tree = ast.parse(draft.to_source())

    assert [type(node).__name__ for node in tree.body] == [
        "Expr",
        *["ImportFrom"] * (len(tree.body) - 3),
        "ClassDef",
        "Assign",
    ]
    model = run(draft.to_source())["Draft"]
    assert [one.alias or name for name, one in model.model_fields.items()] == HOSTILE


@given(st.lists(st.text(), max_size=6, unique=True), st.lists(st.text(), min_size=1, max_size=3))
def test_any_names_and_texts(names, texts):
    """Whatever a file has in its header and its cells."""
    usable = [name for name in names if _is_encodable(name)]
    frame = pd.DataFrame({name: objects(*texts) for name in usable})

    draft = assert_draft_holds(frame, rows_per_category=1)

    assert [one.column for one in draft.fields] == usable


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("name", ["int", "date", "class", "", "a b", "contract", "_x", "copy"])
def test_a_model_that_cannot_be_called_so(name):
    """It would hide what the source needs, or is no name at all."""
    with pytest.raises(ValueError, match=r"`name` must be an identifier"):
        infer_contract(pd.DataFrame(), name=name)


def test_a_model_has_the_name_it_is_given():
    """In the model, in its contract, and in the source."""
    draft = infer_contract(pd.DataFrame({"x": [1]}), name="Order")

    assert draft.model.__name__ == draft.contract().name == "Order"
    assert "class Order(BaseModel):" in draft.to_source()
    assert not is_free_name("Contract")


# --------------------------------------------------------------------------------------- notes

NOTES: dict[str, tuple[Any, list[str]]] = {
    "nothing to say": ([1, 1, 2], []),
    "digits": (["1", "1", "20"], ["digits"]),
    "digits and a marker": (["1", "1", "?"], ["missing_marker", "digits"]),
    "numbers as text": (["1.5", "1.5", "-2e3"], ["numbers_as_text"]),
    "question mark": (["a", "a", "?"], ["missing_marker"]),
    "empty text": (["a", "a", ""], ["missing_marker"]),
    "NA": (["a", "a", "N/A"], ["missing_marker"]),
    "number for a missing value": ([1, 1, -999], ["missing_marker"]),
    "a number in the midst of others": ([1, 9999, 9999, 10_000_000], []),
    "constant": ([5, 5, 5], ["constant"]),
    "constant but for gaps": (["a", "a", None], ["constant"]),
    "key": ([1, 2, 3], ["candidate_key"]),
    "key of text": (["a", "b", "c"], ["candidate_key"]),
    "no key with gaps": (pd.array([1, 2, None], dtype="Int64"), []),
    "no key of floats": ([0.5, 1.5, 2.5], []),
    "one row is no key": ([1], []),
    "nothing": (objects(None, None), ["empty"]),
    "several types": (objects("a", 1), ["any_value"]),
    "whole numbers with gaps": ([1.0, 1.0, None], ["constant", "whole_numbers"]),
    "spaces": ([" a", " a", "b"], ["whitespace"]),
    "dates as text": (["2024-01-31", "2024-01-31", "2024-02-01"], ["dates"]),
    "dates to be read in two ways": (["3/4/2024", "3/4/2024", "1.2.23"], ["ambiguous_dates"]),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTES)
def test_what_to_look_at(name):
    """A person is told what only a person can decide, and nothing else."""
    column, expected = NOTES[name]

    assert notes(column) == expected


def test_notes_are_about_their_column_and_stand_in_the_source():
    """A note names its column and shows what was seen."""
    frame = pd.DataFrame({"Zip code": ["0100", "0200", "?"], "y": [1.0, 2.0, None]})
    draft = infer_contract(frame)
    kinds = [note.kind for note in draft.notes_on("Zip code")]
    source = draft.to_source()

    assert kinds == ["alias", "missing_marker", "digits", "candidate_key"]
    assert str(draft.notes[2]) == (
        "'Zip code': is text of digits with leading zeros but for '?': an identifier, or a number?"
    )
    assert source.count("\n# - ") == len(draft.notes) == 5
    assert draft.notes_on("nobody") == ()


def test_a_field_that_refuses_its_own_sample_takes_anything():
    """A type that only looked right is given up, and a note says so."""
    column = objects(Decimal("Infinity"), Decimal(1))
    draft = assert_draft_holds(pd.DataFrame({"x.y": column, "z": [1, 2]}))

    assert [one.type for one in draft.fields] == ["Any", "int"]
    assert "any_value" in [note.kind for note in draft.notes_on("x.y")]


# --------------------------------------------------------------------------------------- draft


def test_a_draft_becomes_a_contract():
    """With the name, key and checks that a person gives it."""
    draft = draft_of([1, 2])
    contract = draft.contract(name="numbers", version="2", key="x", checks=[Unique("x")])

    assert isinstance(contract, Contract)
    assert (contract.name, contract.version, contract.key) == ("numbers", "2", "x")
    assert contract.model is draft.model
    assert issubclass(draft.model, BaseModel)


def test_a_draft_in_a_notebook():
    """A line, a table of fields, and a frame of notes; escaped."""
    draft = infer_contract(pd.DataFrame({"<b>": ["?", "1"], "y": pd.Categorical(["a", "b"])}))
    shown = draft._repr_html_()

    assert repr(draft) == "ContractDraft('Draft' from 2 rows: 2 fields, 5 notes)"
    assert "<b>" not in shown
    assert "Literal of 2" in shown
    assert draft.to_frame()["kind"].tolist() == [note.kind for note in draft.notes]
    assert infer_contract(pd.DataFrame()).to_frame().columns.tolist() == [
        "column",
        "kind",
        "message",
    ]


def test_a_frame_without_columns_or_rows():
    """There is a draft of nothing, and it runs."""
    for frame in (pd.DataFrame(), pd.DataFrame({"x": []}), pd.DataFrame(index=[1, 2])):
        assert_draft_holds(frame)


def test_labels_of_rows_make_no_difference():
    """Rows are told by position, and their labels may repeat."""
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=[0, 0, 0])

    assert_draft_holds(frame)


def test_a_long_list_of_values_is_laid_out():
    """The source is to be read."""
    values = [f"a rather long category {number}" for number in range(8)]
    source = draft_of(values * 3, rows_per_category=1).to_source()

    assert max(map(len, source.splitlines())) <= 100
    assert "    x: Literal[\n        'a rather long category 0',\n" in source


# ----------------------------------------------------------------------------------- bad input


def test_columns_without_a_name_are_refused():
    """A field reads a column by a name that is text; the message says how to give them one."""
    with pytest.raises(FrameError, match=r"columns\.map") as caught:
        infer_contract(pd.DataFrame([[1, 2]], columns=["a", 7]))

    assert caught.value.columns == (7,)
    with pytest.raises(FrameError):
        infer_contract(pd.DataFrame([[1]], columns=pd.Index(["\ud800"], dtype=object)))


def test_a_column_that_is_there_twice_is_refused():
    """Which one the draft should be of is not clear."""
    with pytest.raises(DuplicateColumnError, match="more than once") as caught:
        infer_contract(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]))

    assert caught.value.columns == ("a",)


def test_columns_of_several_levels_are_refused():
    """The message says how to flatten them."""
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))

    with pytest.raises(MultiIndexColumnsError, match="Flatten"):
        infer_contract(frame)


def test_what_is_no_frame_is_refused():
    """The message names what was given."""
    with pytest.raises(TypeError, match="infer_contract takes a pandas DataFrame, got dict"):
        infer_contract({"x": [1]})  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["max_categories", "rows_per_category"])
def test_options_that_make_no_sense(option):
    """The message has the option, the rule and what was given."""
    with pytest.raises(ValueError, match=f"`{option}` must be >= 1, got 0"):
        infer_contract(pd.DataFrame(), **{option: 0})


# ---------------------------------------------------------------------------------- properties


def test_every_column_of_every_dtype_accepts_itself():
    """There is no column of which no draft can be made."""
    for label, column in columns(arrow=has_arrow()):
        for bounds in (False, True):
            frame = pd.DataFrame({"x": column})
            try:
                assert_draft_holds(frame, bounds=bounds, rows_per_category=1)
            except AssertionError as error:
                message = f"column {label}: {ascii(str(error))[:600]}"
                raise AssertionError(message) from None


CELLS = {
    "ints": st.integers(-(2**63), 2**63 - 1),
    "small ints": st.integers(0, 3),
    "huge ints": st.integers(),
    "floats": st.floats(),
    "booleans": st.booleans(),
    "texts": st.text(max_size=4),
    "few texts": st.sampled_from(["a", "b", "?", " c", ""]),
    "digits": st.from_regex(r"\A[0-9]{1,5}\Z"),
    "ISO dates": st.dates().map(str),
    "ISO moments": st.datetimes(timezones=st.none() | st.just(UTC)).map(str),
    "dates": st.dates(),
    "datetimes": st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1)),
    "aware": st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5)))),
    "times": st.times(),
    "durations": st.timedeltas(),
    "decimals": st.decimals(),
    "bytes": st.binary(max_size=4),
    "identifiers": st.uuids(),
    "lists": st.lists(st.integers(), max_size=2),
    "mixed": st.one_of(st.integers(), st.text(max_size=2), st.floats(), st.booleans(), st.none()),
}
DTYPES = ["object", "category", "string", None, "Int64", "Float64", "boolean", "float32", "int8"]


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    """Draw a frame of up to three columns, each with values of one kind and perhaps gaps."""
    n_rows = draw(st.integers(0, 8))
    out = {}
    for name in draw(st.lists(st.sampled_from(["a", "b c", "copy"]), max_size=3, unique=True)):
        cells = CELLS[draw(st.sampled_from(sorted(CELLS)))]
        if draw(st.booleans()):
            cells = st.none() | cells
        values = objects(*draw(st.lists(cells, min_size=n_rows, max_size=n_rows)))
        dtype = draw(st.sampled_from(DTYPES))
        out[name] = values
        # not every dtype holds every value, and numpy 1.26 only warns of it
        with suppress(TypeError, ValueError, ArithmeticError, RuntimeWarning, DeprecationWarning):
            out[name] = values.astype(dtype) if dtype else pd.Series(values.tolist())
    return pd.DataFrame(out)


@given(frames(), st.booleans(), st.integers(1, 3))
def test_every_frame_accepts_itself_under_its_draft(frame, bounds, rows_per_category):
    """Whatever the dtypes, the gaps and the values."""
    assert_draft_holds(frame, bounds=bounds, rows_per_category=rows_per_category)


@given(frames())
def test_a_draft_does_not_depend_on_the_order_of_rows(frame):
    """A sample is a set of rows."""
    first, second = infer_contract(frame), infer_contract(frame.iloc[::-1])

    assert first.contract().describe() == second.contract().describe()
