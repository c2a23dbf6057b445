"""Replay: what was rejected is judged again, mended or not, and accepted once."""

from __future__ import annotations

import math
import threading
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from prodml.contracts import Contract, Unique
from prodml.quarantine import QuarantineQueue, ReplayReport, SqliteQuarantine
from prodml.testing import MemoryQuarantine


class Order(BaseModel):
    id: int
    quantity: int = Field(ge=1)
    note: str | None = None


class LenientOrder(BaseModel):
    id: int
    quantity: int = Field(ge=-5)
    note: str | None = None


CONTRACT = Contract(Order, name="order", key="id")
LENIENT = Contract(LenientOrder, name="order", key="id")


@pytest.fixture
def queue():
    """Yield an empty queue."""
    with QuarantineQueue(":memory:") as queue:
        yield queue


def put(queue, *quantities, **options):
    """Put a frame of orders into the queue."""
    frame = pd.DataFrame(
        {"id": range(1, len(quantities) + 1), "quantity": pd.Series(quantities, dtype=object)}
    )
    return queue.put(CONTRACT.validate_frame(frame), **{"source": "s", **options})


def flip(row):
    """Mend an order whose quantity has the wrong sign."""
    return row | {"quantity": -row["quantity"]}


def test_the_current_contract_decides(queue):
    """A rule that was mended lets its rows through, with the values that the contract gives."""
    put(queue, "-3", -9, "x", 4)
    ids = queue.pending().ids
    report = queue.replay(LENIENT)

    assert report.accepted["quantity"].tolist() == [-3]
    assert report.accepted["quantity"].dtype == "int64"
    assert list(report.accepted.index) == [ids[0]]
    assert report.violations[["id", "row", "key", "column", "rule"]].to_numpy().tolist() == [
        [ids[1], 1, "2", "quantity", "greater_than_equal"],
        [ids[2], 2, "3", "quantity", "int_parsing"],
    ]
    assert report.still_rejected["quantity"].tolist() == [-9, "x"]
    assert list(report.still_rejected.index) == list(ids[1:])
    assert (report.n_entries, report.n_accepted, report.n_still_rejected, report.n_left) == (
        3,
        1,
        2,
        0,
    )


def test_a_repair_is_one_line(queue):
    """Rows are mended on their way to the contract; what arrived stays in the queue."""
    put(queue, -3, -4)
    report = queue.replay(CONTRACT, repair=lambda row: row | {"quantity": abs(row["quantity"])})

    assert report.accepted["quantity"].tolist() == [3, 4]
    assert [entry.record["quantity"] for entry in queue.entries()] == [-3, -4]
    assert {entry.state for entry in queue.entries()} == {"replayed"}


def test_replaying_again_accepts_nothing_twice(queue):
    """What was accepted no longer waits, and the same batch put again does not bring it back."""
    receipt = put(queue, -3, -4, batch="b")
    first = queue.replay(CONTRACT, repair=flip)
    put(queue, -3, -4, batch=receipt.batch)
    second = queue.replay(CONTRACT, repair=flip)

    assert (first.n_accepted, second.n_accepted, second.n_entries) == (2, 0, 0)
    assert second.accepted.empty
    assert queue.depth() == 0


def test_a_named_replay_gives_the_same_rows_again(queue):
    """After a crash behind the replay, its name brings the rows back, once more and no more."""
    put(queue, -3, "x", -4)
    first = queue.replay(CONTRACT, repair=_flip_numbers, run="r1", by="eve")
    again = queue.replay(CONTRACT, repair=_flip_numbers, run="r1")
    other = queue.replay(CONTRACT, repair=_flip_numbers, run="r2")

    pd.testing.assert_frame_equal(first.accepted, again.accepted)
    assert other.accepted.empty
    assert {entry.run for entry in queue.entries(state="replayed")} == {"r1"}
    assert {entry.decided_by for entry in queue.entries(run="r1")} == {"eve"}
    assert queue.pending()[0].attempts == 4


def _flip_numbers(row):
    return row if isinstance(row["quantity"], str) else flip(row)


def test_rows_are_delivered_before_they_are_marked(queue):
    """If the delivery fails, nothing is marked, and the rows come again."""
    put(queue, -3, -4)

    def fail(rows):
        assert queue.depth() == 2
        raise OSError("disk full")  # noqa: EM101, TRY003 - a fault from outside

    with pytest.raises(OSError, match="disk full"):
        queue.replay(CONTRACT, repair=flip, deliver=fail)
    assert queue.depth() == 2

    delivered = []
    report = queue.replay(CONTRACT, repair=flip, deliver=delivered.append)
    assert queue.depth() == 0
    pd.testing.assert_frame_equal(pd.concat(delivered), report.accepted)


def test_a_row_that_the_repair_leaves_keeps_waiting(queue):
    """None means: not mine. No attempt is counted."""
    put(queue, -3, "x")
    report = queue.replay(
        CONTRACT, repair=lambda row: flip(row) if isinstance(row["quantity"], int) else None
    )

    assert (report.n_accepted, report.n_left, report.n_still_rejected) == (1, 1, 0)
    assert queue.pending()[0].attempts == 1


def test_a_row_on_which_the_repair_crashes_keeps_waiting(queue):
    """It stays with the reason, and the other rows go on."""
    put(queue, -3, "x")
    report = queue.replay(CONTRACT, repair=flip)

    assert report.n_accepted == 1
    assert report.violations["rule"].tolist() == ["repair_failed"]
    assert "raised TypeError" in report.violations["message"][0]
    (entry,) = queue.pending(reason="repair_failed")
    assert (entry.attempts, entry.record["quantity"]) == (2, "x")


def test_a_repair_that_always_crashes_loses_nothing(queue):
    """Every row keeps waiting."""
    put(queue, -3, "x")
    report = queue.replay(CONTRACT, repair=lambda row: row["nothing"])

    assert (report.n_entries, report.n_accepted, report.n_still_rejected) == (2, 0, 2)
    assert len(queue.pending(reason="repair_failed")) == 2


def test_a_repair_may_add_and_drop_columns(queue):
    """Rows may come back with other columns, each with its own."""
    frame = pd.DataFrame({"id": [1, 2], "amount": [5, 6]})
    queue.put(CONTRACT.validate_frame(frame), source="s")

    def rename(row):
        note = {"note": "second"} if row["id"] == 2 else {}
        return {"id": row["id"], "quantity": row["amount"]} | note

    report = queue.replay(CONTRACT, repair=rename)

    assert report.accepted["quantity"].tolist() == [5, 6]
    assert report.accepted["note"].tolist()[1] == "second"
    assert pd.isna(report.accepted["note"].tolist()[0])


def test_a_repair_sees_plain_values():
    """None where one is missing, Python's numbers and moments, whatever the dtype was."""

    class Row(BaseModel):
        a: int

    seen = []
    frame = pd.DataFrame(
        {
            "a": ["x"],
            "float": [math.nan],
            "int": np.array([3], dtype="int8"),
            "moment": np.array(["2024-05-17"], dtype="M8[ns]"),
            "text": pd.Series([None], dtype="str" if pd.__version__ >= "3" else object),
        }
    )
    with QuarantineQueue(":memory:") as queue:
        queue.put(Contract(Row).validate_frame(frame), source="s")
        queue.replay(Contract(Row), repair=seen.append)

    assert seen == [
        {"a": "x", "float": None, "int": 3, "moment": datetime(2024, 5, 17), "text": None}
    ]
    assert type(seen[0]["int"]) is int


def test_columns_that_no_repair_touched_keep_their_dtype(queue):
    """So that repaired rows look like those that were accepted at once."""
    frame = pd.DataFrame(
        {
            "id": np.array([1, 2], dtype="int16"),
            "quantity": [-1, -2],
            "note": pd.Series(["a", None], dtype="category"),
        }
    )
    queue.put(CONTRACT.validate_frame(frame), source="s")
    report = queue.replay(CONTRACT, repair=flip)

    at_once = CONTRACT.validate_frame(frame.assign(quantity=[1, 2])).accepted
    assert dict(report.accepted.dtypes.astype(str)) == dict(at_once.dtypes.astype(str))


def test_redacted_rows_are_replayed_only_with_a_repair():
    """What was taken out of a row cannot be judged; the repair can fetch it."""
    with QuarantineQueue(":memory:", redact=lambda rows: rows.assign(quantity=1)) as queue:
        put(queue, -3)
        without = queue.replay(CONTRACT)
        assert (without.n_accepted, without.n_left, queue.depth()) == (0, 1, 1)

        report = queue.replay(CONTRACT, repair=lambda row: row | {"quantity": 3})
        assert report.accepted["quantity"].tolist() == [3]


def test_only_what_is_asked_for_is_replayed(queue):
    """By source, by reason, by column, and by how often it was tried."""
    put(queue, -3, "x", source="a")
    put(queue, -4, source="b")

    assert queue.replay(CONTRACT, repair=flip, source="b").n_entries == 1
    assert queue.replay(CONTRACT, reason="int_parsing").n_entries == 1
    assert queue.replay(CONTRACT, column="id").n_entries == 0
    assert queue.replay(CONTRACT, max_attempts=1).n_entries == 1
    assert queue.replay(CONTRACT, max_attempts=1).n_entries == 0


def test_unique_rows_stay_unique_within_a_replay(queue):
    """Two rows of one key are not both let through, on whichever pages they stand."""
    contract = Contract(Order, name="order", checks=[Unique("id")])
    frame = pd.DataFrame({"id": [1, 1, 2], "quantity": [-1, -2, -3]})
    queue.put(contract.validate_frame(frame), source="s")
    report = queue.replay(contract, repair=flip)

    assert report.accepted["quantity"].tolist() == [1, 3]
    assert report.violations["rule"].tolist() == ["unique"]


def test_rows_of_other_layouts_are_replayed_together(queue):
    """Chunks whose columns or dtypes differ end up in one report."""
    queue.put(CONTRACT.validate_frame(pd.DataFrame({"id": [1], "quantity": [-1]})), source="s")
    wide = pd.DataFrame({"id": [2], "quantity": [-2.0], "note": ["n"]})
    queue.put(CONTRACT.validate_frame(wide), source="s")
    report = queue.replay(CONTRACT, repair=flip)

    assert report.accepted["quantity"].tolist() == [1, 2]
    assert report.n_entries == 2


def test_two_replays_at_once_share_the_rows():
    """Each row is accepted by one of them."""
    store = SqliteQuarantine(":memory:")
    queue = QuarantineQueue(store)
    put(queue, *range(-200, 0))
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(queue.replay(CONTRACT, repair=flip)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    accepted = pd.concat([report.accepted for report in reports])
    assert sorted(accepted["quantity"]) == list(range(1, 201))
    assert accepted.index.is_unique
    store.close()


def test_a_report_says_what_happened(queue):
    """In a line, in a table, as counts and as evidence."""
    put(queue, -3, "<b>x</b>")
    report = queue.replay(CONTRACT, repair=_flip_numbers, run="r1")
    empty = queue.replay(CONTRACT, source="nowhere", run="r2")

    assert repr(report) == (
        "ReplayReport('r1': 2 entries = 1 accepted + 1 still rejected + 0 left)"
    )
    assert "int_parsing" in report._repr_html_()
    assert report.to_dict()["n_accepted"] == 1
    (share,) = report.to_evidence()
    assert (share.value, share.n, share.status) == (0.5, 2, "ok")
    (nothing,) = empty.to_evidence()
    assert (nothing.value, nothing.status) == (None, "insufficient_data")
    assert isinstance(empty, ReplayReport)
    assert list(empty.accepted.columns) == []


@given(
    st.lists(st.sampled_from([-2, -1, 0, 1, 2, "x", None, "3", 2.5, True]), max_size=30),
    st.integers(1, 7),
)
def test_every_row_ends_in_one_place(quantities, chunk):
    """Over any stream: accepted at once, accepted by the replay, or still waiting."""
    frame = pd.DataFrame(
        {"id": range(len(quantities)), "quantity": pd.Series(quantities, dtype=object)}
    )
    queue = QuarantineQueue(MemoryQuarantine())
    chunks = [frame.iloc[at : at + chunk] for at in range(0, len(frame), chunk)]
    at_once = []
    for result in CONTRACT.validate_chunks(chunks):
        receipt = queue.put(result, source="s", batch="b")
        at_once += result.accepted["id"].tolist()
        assert receipt.batch_rejected == queue.depth()
    report = queue.replay(CONTRACT, repair=_flip_numbers)
    later = report.accepted["id"].tolist() if len(report.accepted) else []
    waiting = [entry.record["id"] for entry in queue.pending()]

    assert sorted(at_once + later + waiting) == list(range(len(quantities)))
    assert report.n_entries == report.n_accepted + report.n_still_rejected + report.n_left
