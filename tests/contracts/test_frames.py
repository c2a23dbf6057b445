"""Frames as they are met in the wild, and results as a person uses them."""

from __future__ import annotations

import json
import pickle
import threading
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict, Field

from prodml.contracts import (
    Compare,
    Contract,
    ForeignKey,
    RowCount,
    Unique,
    ValidationSummary,
    _frames,
)
from prodml.errors import (
    ContractError,
    DuplicateColumnError,
    FormatError,
    FrameRejectedError,
    MultiIndexColumnsError,
    RecordRejectedError,
)
from prodml.testing import FakeClock

from .oracle import cells_of


class Order(BaseModel):
    id: int
    quantity: int = Field(ge=1)
    country: str | None = None


CLOCK = FakeClock(datetime(2026, 1, 2, tzinfo=UTC))
CONTRACT = Contract(Order, name="order", key="id", checks=[Unique("id")], clock=CLOCK)


def orders(**columns):
    """Return a frame of four orders, one of which is rejected."""
    usual = {"id": [1, 2, 3, 4], "quantity": [5, 0, 1, 2], "country": ["DE", None, "FR", "DE"]}
    return pd.DataFrame(usual | columns)


def test_index_labels_that_repeat_do_no_harm():
    """Rows are counted by position: the good row beside a bad one of the same label stays."""
    frame = orders().set_index(pd.Index(["a", "a", "a", "b"]))
    result = CONTRACT.validate_frame(frame)

    assert result.accepted["id"].tolist() == [1, 3, 4]
    assert result.accepted.index.tolist() == ["a", "a", "b"]
    assert result.rejected["id"].tolist() == [2]
    assert result.violations["row"].tolist() == [1]


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_tuples([(0, "a"), (0, "b"), (1, "a"), (1, "b")]),
        pd.date_range("2024-01-01", periods=4),
        pd.Index([None, 1.5, "x", 1.5], dtype=object),
    ],
    ids=["levels", "dates", "mixed"],
)
def test_any_index_comes_through(index):
    """Accepted and rejected rows keep their labels."""
    result = CONTRACT.validate_frame(orders().set_index(index))

    assert list(result.accepted.index) == [index[0], index[2], index[3]]
    assert list(result.rejected.index) == [index[1]]


def test_a_column_that_is_not_read_may_repeat():
    """Only what the contract reads must be clear."""
    frame = orders()
    frame.insert(0, "note", "x")
    frame.insert(0, "note", "y", allow_duplicates=True)
    result = CONTRACT.validate_frame(frame)

    assert len(result.accepted) == 3
    assert list(result.rejected.columns) == ["note", "note", "id", "quantity", "country"]


def test_a_column_that_is_read_must_not_repeat():
    """The error names contract and column, and what to do."""
    frame = orders()
    frame.insert(0, "id", 7, allow_duplicates=True)

    with pytest.raises(
        DuplicateColumnError, match=r"'order': the columns \['id'\].*Drop"
    ) as caught:
        CONTRACT.validate_frame(frame)
    assert (caught.value.contract, caught.value.columns) == ("order", ("id",))


def test_columns_of_several_levels_are_refused_by_name():
    """With the levels, and the line that flattens them."""
    frame = orders()
    frame.columns = pd.MultiIndex.from_product([["x"], frame.columns], names=["group", "field"])

    with pytest.raises(MultiIndexColumnsError, match=r"'order'.*\['group', 'field'\]. Flatten"):
        CONTRACT.validate_frame(frame)


@pytest.mark.parametrize("frame", [None, [{"id": 1}], {"id": [1]}, np.zeros((2, 2)), "x"])
def test_what_is_no_frame_is_refused(frame):
    """With the type that came."""
    with pytest.raises(TypeError, match=f"takes a pandas DataFrame, got {type(frame).__name__}"):
        CONTRACT.validate_frame(frame)


def test_another_kind_of_frame_is_told_how_to_become_one():
    """By its own method."""

    class Frame:
        def to_pandas(self):
            return orders()

    with pytest.raises(TypeError, match=r"Call its to_pandas\(\) first"):
        CONTRACT.validate_frame(Frame())


@pytest.mark.parametrize(
    ("frame", "n_accepted"),
    [
        (orders().iloc[:0], 0),
        (orders().iloc[:1], 1),
        (orders(quantity=None), 0),
        (pd.DataFrame(), 0),
        (pd.DataFrame(index=range(3)), 0),
        (orders(quantity=["1", "2", "3", "4"]), 4),
    ],
    ids=["empty", "one row", "all missing", "nothing", "no columns", "text"],
)
def test_small_and_strange_frames(frame, n_accepted):
    """Every row ends in one place, and the fields of the contract are there."""
    result = CONTRACT.validate_frame(frame)

    assert (len(result.accepted), len(result.rejected)) == (n_accepted, len(frame) - n_accepted)
    assert result.summary.n_rows == len(frame)
    assert set(result.violations.columns) == {"row", "column", "rule", "message", "key", "value"}


@pytest.mark.parametrize("quantity", [[5, 4, 1, 2], [5, 0, 1, 2], ["5", "0", "1", "x"]])
def test_neither_side_sees_the_changes_of_the_other(quantity):
    """The frame that came in is not changed, then or later, and changes nothing later."""
    frame = orders(quantity=quantity)
    before = cells_of(frame)
    result = CONTRACT.validate_frame(frame)
    accepted = cells_of(result.accepted)
    for part in (result.accepted, result.rejected):
        part.iloc[:, 0] = 99
        part["new"] = 1
        part.columns = [f"{name}_" for name in part.columns]
    assert cells_of(frame) == before

    again = CONTRACT.validate_frame(frame)
    frame.iloc[:, 0] = 77
    frame["new"] = 1
    assert cells_of(again.accepted) == accepted


def test_without_copy_on_write_the_sides_are_apart_too(monkeypatch):
    """As with pandas 2, on any pandas."""
    monkeypatch.setattr(_frames, "pandas_major", lambda: 2)
    frame = orders(quantity=1)
    result = CONTRACT.validate_frame(frame)
    result.accepted["quantity"].array[0] = 99

    assert frame["quantity"].tolist() == [1, 1, 1, 1]


def test_a_message_names_contract_column_row_rule_and_value():
    """The first few violations are in the message, and all of them in attributes."""
    frame = pd.DataFrame({"id": range(6), "quantity": [0, -1, -2, -3, -4, "x"]})
    result = CONTRACT.validate_frame(frame)

    with pytest.raises(FrameRejectedError) as caught:
        result.raise_if_rejected()
    message = str(caught.value)
    assert "Contract 'order' (version 1) rejects: row 0, column 'quantity'" in message
    assert "[greater_than_equal], got 0" in message
    assert "and 3 more, all in `.violations`" in message
    assert "row 3" not in message
    assert [one.row for one in caught.value.violations] == list(range(6))
    assert caught.value.violations[5].value == "x"
    assert pickle.loads(pickle.dumps(caught.value)).violations[5].rule == "int_parsing"
    CONTRACT.validate_frame(orders(quantity=1)).raise_if_rejected()


@pytest.mark.parametrize(
    "record",
    [
        {"id": np.int64(1), "quantity": np.float64(2), "country": pd.NA},
        pd.Series({"id": 1, "quantity": 2, "country": float("nan")}),
        {"id": "1", "quantity": 2.0},
    ],
    ids=["numpy", "series", "text"],
)
def test_a_record_may_come_from_pandas(record):
    """Scalars of numpy count as Python's, and missing ones as None."""
    assert CONTRACT.validate_record(record) == Order(id=1, quantity=2)


@pytest.mark.parametrize("record", [None, 3, "x", [1], object()])
def test_what_is_no_record_is_rejected_not_raised_as_something_else(record):
    """The same error as for any bad record."""
    with pytest.raises(RecordRejectedError, match="'order'"):
        CONTRACT.validate_record(record)


def test_a_record_is_held_against_the_checks_of_single_rows():
    """Compare and ForeignKey speak of one row."""

    class Trip(BaseModel):
        start: int
        end: int
        country: str

    contract = Contract(
        Trip, checks=[Compare("start", "<=", "end"), ForeignKey("country", {"DE"}, name="known")]
    )
    with pytest.raises(RecordRejectedError) as caught:
        contract.validate_record({"start": 2, "end": 1, "country": "XX"})

    assert [one.rule for one in caught.value.violations] == ["compare", "foreign_key"]
    assert contract.validate_record({"start": 1, "end": 1, "country": "DE"}).end == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"key": "idd"}, "key names 'idd', which is no field. Did you mean 'id'?"),
        ({"checks": [Unique("x")]}, "Unique names 'x', which is no field."),
        ({"checks": [Compare("id", "<", "q")]}, "Compare names 'q'"),
    ],
)
def test_a_contract_that_names_no_field_is_refused(options, fault):
    """When it is made, with all faults at once."""
    with pytest.raises(ContractError) as caught:
        Contract(Order, **options)
    assert any(fault in one for one in caught.value.faults)
    assert fault in str(caught.value)


@pytest.mark.parametrize("model", [dict, Order(id=1, quantity=1), None, int])
def test_a_contract_needs_a_model(model):
    """A pydantic class, and not one of its instances."""
    with pytest.raises(ContractError, match="needs a pydantic model class"):
        Contract(model)


def test_a_result_is_shown_without_running_it():
    """What looks like HTML in data is text."""
    hostile = "<script>alert(1)</script>"

    class Row(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: int

    result = Contract(Row, name=hostile).validate_frame(pd.DataFrame({"a": [1], hostile: [1]}))
    pages = [result._repr_html_(), result.quality._repr_html_()]

    assert all("<script>" not in page for page in pages)
    assert "&lt;script&gt;" in pages[0]


def test_results_and_contracts_pickle():
    """They go to workers and come back."""
    result = CONTRACT.validate_frame(orders())
    back = pickle.loads(pickle.dumps(result))
    contract = pickle.loads(pickle.dumps(CONTRACT))

    pd.testing.assert_frame_equal(back.violations, result.violations)
    assert back.summary == result.summary
    assert contract.fingerprint == CONTRACT.fingerprint
    assert contract.validate_frame(orders()).summary == result.summary


def test_a_contract_serves_several_threads():
    """It is immutable: each thread gets the result it would get alone."""
    frames = [orders(quantity=[n, 0, 1, "x"]) for n in range(8)]
    alone = [CONTRACT.validate_frame(frame).violations.to_dict() for frame in frames]
    found = [None] * len(frames)

    def work(number):
        found[number] = CONTRACT.validate_frame(frames[number]).violations.to_dict()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(frames))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


@pytest.mark.parametrize("threads", [1, 3])
def test_frames_of_several_blocks_are_judged_as_one(threads):
    """Where one block ends and the next begins makes no difference."""
    n_rows = 300_000
    rng = np.random.default_rng(5)
    quantity = rng.integers(-1, 50, n_rows)
    frame = pd.DataFrame(
        {"id": np.arange(n_rows), "quantity": quantity, "country": rng.choice(["DE", "x"], n_rows)}
    )
    contract = Contract(Order, checks=[ForeignKey("country", ["DE"])], threads=threads)
    result = contract.validate_frame(frame)

    good = (quantity >= 1) & (frame["country"] == "DE").to_numpy()
    assert result.accepted_positions.tolist() == np.flatnonzero(good).tolist()
    assert result.accepted["quantity"].tolist() == quantity[good].tolist()
    low = np.flatnonzero(quantity < 1)
    broken = result.violations
    assert broken.loc[broken["rule"] == "greater_than_equal", "row"].tolist() == low.tolist()


def test_a_stream_takes_the_memory_of_a_chunk():
    """Ten times the rows do not take ten times the memory."""
    contract = Contract(Order)

    def peak(n_chunks):
        chunks = (pd.DataFrame({"id": np.arange(20_000), "quantity": 0}) for _ in range(n_chunks))
        tracemalloc.start()
        n_rejected = sum(len(result.rejected) for result in contract.validate_chunks(chunks))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert n_rejected == 20_000 * n_chunks
        return highest

    peak(1)
    assert peak(20) < 2 * peak(2)


def test_a_summary_is_read_back_or_refused():
    """From its own bytes, and from no others."""
    summary = CONTRACT.validate_frame(orders()).summary

    assert ValidationSummary.from_bytes(summary.to_bytes()) == summary
    for damaged in (b"", b"[]", b"{}", summary.to_bytes()[:-5], b'{"format":"other"}'):
        with pytest.raises(FormatError):
            ValidationSummary.from_bytes(damaged)


def test_quality_is_plain_shares():
    """Cells that are there, rows that fit, rows that are the first of their key."""
    result = CONTRACT.validate_frame(orders(id=[1, 2, 3, 3]))
    quality = result.quality

    assert quality.overall == 0.5
    assert (quality["country"].completeness, quality["quantity"].validity) == (0.75, 0.75)
    assert (quality["id"].uniqueness, quality["country"].uniqueness) == (0.75, None)
    assert quality.to_frame().loc["id", "validity"] == 0.75
    assert json.loads(json.dumps(quality.to_dict()))["n_rows"] == 4
    with pytest.raises(KeyError):
        quality["nothing"]
    assert CONTRACT.empty_summary.quality.overall is None


def test_evidence_carries_the_time_of_the_contract():
    """Every piece has the moment, the contract, and what it was about."""
    contract = Contract(Order, name="order", checks=[RowCount(minimum=9)], clock=CLOCK)
    evidence = contract.validate_frame(orders(extra=1)).to_evidence()
    found = {one.metric: one for one in evidence}

    assert {one.at for one in evidence} == {CLOCK.now()}
    assert {one.subject for one in evidence} == {contract.fingerprint}
    assert (found["rejected_fraction"].value, found["rejected_fraction"].n) == (0.25, 4)
    assert (found["row_count"].verdict, found["row_count"].threshold) == ("fail", 9)
    assert found["schema_change_rows"].labels["column"] == "extra"
    assert found["violations"].labels["rule"] == "greater_than_equal"


def test_an_explanation_is_looked_up_and_shown():
    """By field, as text, as data, and as a table."""
    explanation = CONTRACT.explain()

    assert explanation["quantity"].path == "vectorised"
    assert str(explanation).splitlines()[1].startswith("quantity")
    assert explanation.to_dict()["fields"]["id"]["column"] == "id"
    assert explanation.to_frame()["field"].tolist() == ["id", "quantity", "country"]
    assert "vectorised" in explanation._repr_html_()
    with pytest.raises(KeyError):
        explanation["nothing"]
