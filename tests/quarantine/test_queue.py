"""The queue: what a user puts in, sees, decides, and takes out again."""

from __future__ import annotations

import json
import logging
import math
import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, Field

from prodml.contracts import Contract, Unique
from prodml.errors import (
    EntryNotFoundError,
    EntryStateError,
    QuarantineFullError,
    RecordRejectedError,
    StorageError,
    TooManyRejectedError,
)
from prodml.quarantine import (
    QuarantineEntries,
    QuarantineQueue,
    QuarantineThresholds,
    SqliteQuarantine,
    advise,
)
from prodml.rejections import Reason, Rejections
from prodml.testing import FakeClock, MemoryQuarantine


class Order(BaseModel):
    id: int
    quantity: int = Field(ge=1)
    country: str = "DE"


CONTRACT = Contract(Order, name="order", key="id")
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def clock():
    """Return a clock that stands until it is moved."""
    return FakeClock(START)


@pytest.fixture
def queue(clock):
    """Yield an empty queue."""
    with QuarantineQueue(":memory:", clock=clock) as queue:
        yield queue


def orders(*quantities, first_id=1):
    """Return a frame of orders."""
    ids = list(range(first_id, first_id + len(quantities)))
    return pd.DataFrame({"id": ids, "quantity": list(quantities)})


def test_every_row_is_accepted_or_stands_in_the_queue(queue):
    """In = accepted + quarantined, and each entry has the facts of its row."""
    frame = orders(3, 0, "x", 2)
    result = CONTRACT.validate_frame(frame)
    receipt = queue.put(result, source="orders.csv", batch="monday")

    assert len(result.accepted) + queue.depth() == len(frame)
    assert (receipt.n_new, receipt.n_rejected, receipt.batch_rows) == (2, 2, 4)
    assert str(receipt) == (
        "2 rows of 'orders.csv' in quarantine (2 new, 0 known, 0 repeated); 2 wait"
    )
    first, second = queue.pending()
    assert (first.row, first.key, first.source, first.batch) == (1, "2", "orders.csv", "monday")
    assert (first.contract, first.fingerprint) == ("order", CONTRACT.fingerprint)
    assert first.record == {"id": 2, "quantity": 0}
    assert second.record == {"id": 3, "quantity": "x"}
    (reason,) = first.reasons
    assert (reason.column, reason.rule) == ("quantity", "greater_than_equal")
    assert first.first_seen == first.last_seen == START


def test_a_chunked_stream_counts_its_batch(queue):
    """Positions and totals go on from chunk to chunk."""
    chunks = [orders(1, 0), orders(0, 2, first_id=3), orders(1, 1, first_id=5)]
    for result in CONTRACT.validate_chunks(chunks):
        receipt = queue.put(result, source="s", batch="b")

    assert [entry.row for entry in queue.pending()] == [1, 2]
    assert (receipt.batch_rows, receipt.batch_rejected, receipt.rejected_fraction) == (6, 2, 1 / 3)


def test_a_retried_job_changes_nothing(queue):
    """Putting a result again raises attempts, with and without a name for the batch."""
    result = CONTRACT.validate_frame(orders(0, 1, 0))
    for batch in (None, "named"):
        queue.put(result, source=str(batch), batch=batch)
        receipt = queue.put(result, source=str(batch), batch=batch)
        assert (receipt.n_new, receipt.n_repeated) == (0, 2)

    assert queue.depth() == 4
    assert {entry.attempts for entry in queue.pending()} == {2}


def test_two_unnamed_deliveries_with_other_rows_are_two_batches(queue):
    """Without a name, a batch is named after its rows and where they stood."""
    names = {
        queue.put(CONTRACT.validate_frame(frame, first_row=first), source="s").batch
        for frame, first in ((orders(0), 0), (orders(0), 5), (orders(-1), 0), (orders(0, 1), 0))
    }

    assert len(names) == 4


def test_a_second_try_withdraws_what_it_accepts(queue):
    """A batch that is run again under a mended contract takes its rows out of the queue."""

    class Lenient(Order):
        quantity: int = Field(ge=0)

    frame = orders(0, 1, -1)
    queue.put(CONTRACT.validate_frame(frame), source="s", batch="b")
    second = Contract(Lenient, name="order", key="id").validate_frame(frame)
    receipt = queue.put(second, source="s", batch="b")

    assert (receipt.n_withdrawn, receipt.n_repeated, receipt.batch_rejected) == (1, 1, 1)
    assert [entry.record["quantity"] for entry in queue.pending()] == [-1]
    assert len(second.accepted) + queue.depth() == len(frame)


def test_payloads_come_back_exactly(queue):
    """Floats to the bit, bytes, dates, decimals, and None apart from NaN."""

    class Anything(BaseModel):
        id: int

    cells = [0.1 + 0.2, math.nan, None, b"\x00\xff", date(2024, 1, 2), Decimal("1.50"), -0.0]
    frame = pd.DataFrame({"id": "x", "cell": pd.Series(cells, dtype=object)})
    queue.put(Contract(Anything).validate_frame(frame), source="s")
    back = [entry.record["cell"] for entry in queue.pending()]

    assert [repr(cell) for cell in back] == [repr(cell) for cell in cells]
    assert queue.pending().to_rows()["cell"].tolist()[3:6] == cells[3:6]


def test_columns_that_the_contract_does_not_read_are_kept(queue):
    """A row is kept as it arrived, not as the contract sees it; repeated labels too."""
    frame = pd.DataFrame([["x", 0, 7, 8]], columns=["id", "quantity", "extra", "extra"])
    queue.put(CONTRACT.validate_frame(frame), source="s")

    assert queue.pending()[0].record == {"id": "x", "quantity": 0, "extra": 7, "extra.1": 8}


def test_pending_is_filtered(queue):
    """By rule, column, source and number."""
    queue.put(CONTRACT.validate_frame(orders(0, "x")), source="a")
    queue.put(CONTRACT.validate_frame(orders("y")), source="b")

    assert len(queue.pending(reason="int_parsing")) == 2
    assert len(queue.pending(reason="int_parsing", source="a")) == 1
    assert len(queue.pending(column="quantity", limit=2)) == 2
    assert len(queue.pending(column="id")) == 0
    assert len(queue.entries(contract="order", batch=queue.pending(source="b")[0].batch)) == 1


def test_releasing_and_discarding_are_marks(queue, clock):
    """Who, when and why stand in the entry; nothing is deleted."""
    queue.put(CONTRACT.validate_frame(orders(0, -1, -2)), source="s")
    ids = queue.pending().ids
    clock.advance(60)

    released = queue.release(ids[0], by="eve", note="agreed with sales")
    discarded = queue.discard(ids[1:], by="eve", reason="test orders")

    assert released.to_rows()["quantity"].tolist() == [0]
    assert (released[0].state, released[0].decided_by) == ("released", "eve")
    assert (released[0].note, released[0].decided_at) == ("agreed with sales", clock.now())
    assert {entry.note for entry in discarded} == {"test orders"}
    assert queue.depth() == 0
    assert len(queue.entries()) == 3
    with pytest.raises(EntryStateError, match="no longer pending"):
        queue.release(ids[0], by="eve")
    with pytest.raises(EntryNotFoundError, match="may have been purged") as caught:
        queue.discard("0" * 32, by="eve", reason="x")
    assert isinstance(caught.value, KeyError)


def test_one_entry_is_found_by_its_id(queue):
    """Or said to be absent."""
    queue.put(CONTRACT.validate_frame(orders(0)), source="s")
    entry = queue.pending()[0]

    assert queue.entry(entry.id) == entry
    with pytest.raises(EntryNotFoundError, match="'nothing'"):
        queue.entry("nothing")


def test_purge_deletes_what_was_decided_long_ago(queue, clock):
    """Retention by age or by date; what waits stays whatever its age."""
    queue.put(CONTRACT.validate_frame(orders(0, -1, -2)), source="s")
    ids = queue.pending().ids
    queue.discard(ids[0], by="eve", reason="x")
    queue.release(ids[1], by="eve")
    clock.advance(10 * 86_400)

    assert queue.purge(older_than=timedelta(days=30)) == 0
    assert queue.purge(older_than=timedelta(days=9), states=["released"]) == 1
    assert queue.purge(older_than=datetime(2027, 1, 1, tzinfo=UTC)) == 1
    assert [entry.state for entry in queue.entries()] == ["pending"]
    with pytest.raises(ValueError, match="time zone"):
        queue.purge(older_than=datetime(2027, 1, 1))
    with pytest.raises(ValueError, match="what waits is not deleted"):
        queue.purge(older_than=timedelta(0), states=["pending"])


def test_export_writes_json_lines(queue, tmp_path):
    """One object a line, with reasons and record, for any other tool."""
    frame = orders(0, "x")
    frame["note"] = ["é", math.nan]
    queue.put(CONTRACT.validate_frame(frame), source="s")
    queue.discard(queue.pending().ids[1], by="eve", reason="x")
    path = tmp_path / "bad.jsonl"

    assert queue.export(path) == 1
    assert queue.export(path, state=None, reason="int_parsing") == 1
    assert queue.export(path, state=None, source="s") == 2
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["record"] == {"id": 2 - 1, "quantity": 0, "note": "é"}
    assert lines[0]["reasons"][0]["rule"] == "greater_than_equal"
    assert lines[1]["state"] == "discarded"
    assert lines[1]["record"]["note"] == {"$": "float", "v": "nan"}


def test_what_is_redacted_never_reaches_the_store(tmp_path):
    """The file holds the replacement, and the result is left as it was."""
    path = tmp_path / "q.db"
    with QuarantineQueue(path, redact=lambda rows: rows.assign(country="(redacted)")) as queue:
        frame = orders(0).assign(country="secret-land")
        result = CONTRACT.validate_frame(frame)
        queue.put(result, source="s")
        (entry,) = queue.pending()

    assert entry.record["country"] == "(redacted)"
    assert entry.redacted
    assert result.rejected["country"].tolist() == ["secret-land"]
    assert all(b"secret-land" not in file.read_bytes() for file in tmp_path.iterdir())


def test_a_redaction_keeps_the_number_of_rows(queue):
    """Rows are matched by position, so that a dropped one would shift the rest."""
    broken = QuarantineQueue(":memory:", redact=lambda rows: rows.iloc[1:])

    with pytest.raises(ValueError, match="as many rows as it is given, got 1 for 2"):
        broken.put(CONTRACT.validate_frame(orders(0, 0)), source="s")
    assert broken.depth() == 0
    broken.close()


def test_a_full_queue_refuses_a_delivery_as_a_whole(clock):
    """Nothing already stored is lost, and the error says what to do."""
    with QuarantineQueue(":memory:", max_rows=2, clock=clock) as queue:
        queue.put(CONTRACT.validate_frame(orders(0)), source="s")
        with pytest.raises(QuarantineFullError, match="Replay, release or discard") as caught:
            queue.put(CONTRACT.validate_frame(orders(-1, -2)), source="s")

        facts = (caught.value.depth, caught.value.max_rows, caught.value.n_rows)
        assert facts == (3, 2, 2)
        assert queue.depth() == 1
        (depth, *_) = queue.summary().to_evidence()
        assert (depth.value, depth.threshold, depth.verdict) == (1, 2, "pass")
        queue.put(CONTRACT.validate_frame(orders(-5)), source="s")
        assert queue.summary().to_evidence()[0].verdict == "fail"


@pytest.mark.parametrize(
    ("limits", "verdict", "by_share", "by_count"),
    [
        ({}, "pass", None, None),
        ({"fraction": 0.5}, "pass", "pass", None),
        ({"fraction": 0.4}, "fail", "fail", None),
        ({"fraction": 0.9, "warn_fraction": 0.1}, "warn", "warn", None),
        ({"count": 1}, "fail", None, "fail"),
        ({"count": 2, "fraction": 0.4}, "fail", "fail", "pass"),
        ({"count": 0}, "fail", None, "fail"),
    ],
)
def test_thresholds_give_a_verdict_as_evidence(limits, verdict, by_share, by_count):
    """Share and number of the rejected rows of a batch, each against its own limit."""
    with QuarantineQueue(":memory:", thresholds=QuarantineThresholds(**limits)) as queue:
        receipt = queue.put(CONTRACT.validate_frame(orders(0, 1, 0, 1)), source="s", batch="b")
    share, count = receipt.to_evidence()

    assert receipt.verdict == verdict
    assert (share.metric, share.value, share.n) == ("quarantined_fraction", 0.5, 4)
    assert (share.verdict, share.threshold) == (by_share, limits.get("fraction"))
    assert (count.value, count.verdict, count.threshold) == (2, by_count, limits.get("count"))
    assert share.labels == {"source": "s", "batch": "b", "contract": "order"}
    if verdict == "fail":
        with pytest.raises(TooManyRejectedError, match="2 of 4 rows were rejected") as caught:
            receipt.raise_if_failed()
        assert (caught.value.batch, caught.value.n_rejected, caught.value.n_rows) == ("b", 2, 4)
    else:
        receipt.raise_if_failed()


def test_without_thresholds_there_is_no_verdict(queue):
    """And without rows there is no share."""
    receipt = queue.put(CONTRACT.validate_frame(orders()), source="s")

    assert receipt.verdict is None
    assert receipt.rejected_fraction is None
    assert receipt.to_evidence()[0].status == "insufficient_data"
    assert QuarantineThresholds(fraction=0.1).judge(n_rejected=0, n_rows=0) == "inconclusive"
    assert json.loads(json.dumps(receipt.to_dict()))["verdict"] is None


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"fraction": 1.5}, "`fraction` must be between 0 and 1, got 1.5"),
        ({"warn_fraction": -0.1}, "`warn_fraction` must be between 0 and 1"),
        ({"count": -1}, "`count` must be >= 0, got -1"),
        ({"fraction": 0.1, "warn_fraction": 0.2}, "must not be above `fraction`"),
    ],
)
def test_limits_that_nothing_can_keep_are_refused(limits, message):
    """When they are declared, not when a batch arrives."""
    with pytest.raises(ValueError, match=message):
        QuarantineThresholds(**limits)


def test_the_summary_says_why_rows_wait_and_what_to_do(queue, clock):
    """Counts by reason, the most frequent first, each with advice."""
    queue.put(CONTRACT.validate_frame(orders(0, "x", -1)), source="s")
    queue.discard(queue.pending().ids[0], by="eve", reason="x")
    clock.advance(90)
    queue.put(CONTRACT.validate_frame(orders("y", -7, -8, first_id=9)), source="s")
    summary = queue.summary()

    assert (summary.depth, summary.count("discarded"), summary.oldest_age) == (5, 1, 90.0)
    assert [(one.rule, one.n) for one in summary.reasons] == [
        ("greater_than_equal", 3),
        ("int_parsing", 2),
    ]
    assert repr(summary) == "QuarantineSummary(5 pending, 0 replayed, 0 released, 1 discarded)"
    assert advise("greater_than_equal") in str(summary)
    assert summary.to_frame()["n"].tolist() == [3, 2]
    assert json.loads(json.dumps(summary.to_dict()))["depth"] == 5
    evidence = {one.series: one.value for one in summary.to_evidence()}
    assert evidence["data_quality_quarantine_depth"] == 5
    assert evidence["data_quality_quarantine_oldest_age"] == 90.0
    labels = 'column="quantity",contract="order",rule="int_parsing",source="s"'
    assert evidence[f"data_quality_quarantine_pending{{{labels}}}"] == 2


def test_an_empty_queue_says_so(queue):
    """No age is made up for entries that are not there."""
    summary = queue.summary()

    assert summary.oldest_pending is None
    assert summary.to_evidence()[1].status == "insufficient_data"
    assert len(queue.pending()) == 0
    assert queue.pending().to_rows().empty
    assert str(summary) == "0 pending, 0 replayed, 0 released, 0 discarded"


def test_a_clock_that_went_back_gives_no_negative_age(queue, clock):
    """Entries from the future have waited for no time."""
    queue.put(CONTRACT.validate_frame(orders(0)), source="s")
    clock.set(START - timedelta(days=1))

    assert queue.summary().oldest_age == 0.0


def test_what_a_notebook_shows_is_escaped(queue):
    """Data is text, whatever it looks like."""
    hostile = "<script>alert(1)</script>"
    reasons = (Reason(column=hostile, rule=hostile, message=hostile),)
    rejections = Rejections(
        contract=hostile,
        contract_fingerprint="f",
        n_rows=1,
        frame=pd.DataFrame({hostile: [hostile]}),
        first_row=0,
        positions=np.array([0]),
        keys=[hostile],
        reasons=reasons,
        reason_rows=np.array([0]),
        reason_ids=np.array([0]),
    )
    queue.put(rejections, source=hostile)
    pages = [queue.summary()._repr_html_(), queue.pending()._repr_html_()]

    assert all("<script>" not in page and "&lt;script&gt;" in page for page in pages)


def test_entries_are_a_sequence(queue):
    """Sliced, counted, compared, and shown as a frame."""
    queue.put(CONTRACT.validate_frame(orders(0, -1, -2)), source="s")
    entries = queue.pending()

    assert isinstance(entries[:2], QuarantineEntries)
    assert entries[:2].ids == entries.ids[:2]
    assert entries == queue.pending()
    assert entries != entries[:1]
    assert repr(entries) == "QuarantineEntries(3 entries)"
    assert entries.to_frame()["key"].tolist() == ["1", "2", "3"]
    assert "quantity: " in entries.to_frame()["reasons"][0]
    assert pickle.loads(pickle.dumps(entries)) == entries


def test_events_carry_counts_and_no_values(queue, caplog):
    """Logs say how much, never what."""
    with caplog.at_level(logging.INFO, logger="prodml"):
        queue.put(CONTRACT.validate_frame(orders(-12345)), source="s", batch="b")
        queue.release(queue.pending().ids, by="eve")
        queue.purge(older_than=timedelta(0))

    events = [record.getMessage() for record in caplog.records]
    assert events == ["rows_quarantined", "quarantine_decided", "quarantine_purged"]
    assert all("12345" not in str(vars(record)) for record in caplog.records)


def test_any_store_with_the_methods_works():
    """A store of one's own is passed as an object."""
    with QuarantineQueue(MemoryQuarantine()) as queue:
        queue.put(CONTRACT.validate_frame(orders(0)), source="s")
        assert queue.depth() == 1
        assert "MemoryQuarantine" in repr(queue)


@pytest.mark.parametrize("store", [None, 3, object()])
def test_what_is_no_store_is_refused(store):
    """When the queue is made."""
    with pytest.raises(TypeError, match="a path or an object with the methods"):
        QuarantineQueue(store)


def test_bad_settings_are_refused(tmp_path):
    """With the value that was given, or the file that was meant."""
    with pytest.raises(ValueError, match="`max_rows` must be >= 0, got -1"):
        QuarantineQueue(":memory:", max_rows=-1)
    with pytest.raises(StorageError, match="folder exists"):
        QuarantineQueue(tmp_path / "no" / "q.db")


def test_a_file_is_found_again(tmp_path):
    """Another process, another day: the same entries."""
    with QuarantineQueue(tmp_path / "q.db") as queue:
        queue.put(CONTRACT.validate_frame(orders(0)), source="s")
        ids = queue.pending().ids
    with QuarantineQueue(SqliteQuarantine(tmp_path / "q.db")) as queue:
        assert queue.pending().ids == ids


def test_rows_that_a_check_rejects_are_kept_too(queue):
    """A row that is the second of its key waits with the rule of the check."""
    contract = Contract(Order, name="order", key="id", checks=[Unique("id")])
    frame = pd.DataFrame({"id": [1, 1], "quantity": [5, 6]}, index=[7, 7])
    queue.put(contract.validate_frame(frame), source="s")

    (entry,) = queue.pending(reason="unique")
    assert (entry.row, entry.record) == (1, {"id": 1, "quantity": 6})


@pytest.mark.parametrize(
    ("rule", "word"),
    [("literal_error", "list it"), ("string_type", "optional"), ("no_such_rule", "Look at")],
)
def test_there_is_advice_for_every_rule(rule, word):
    """Known rules, families of rules, and the unknown."""
    assert word in advise(rule)


def test_a_record_that_a_service_rejects_can_be_queued(queue):
    """One request, one entry, with every reason; sent again, it is the same entry."""
    record = {"id": "x", "quantity": 0, "tags": ["a", "b"]}
    for attempt in (1, 2):
        with pytest.raises(RecordRejectedError) as caught:
            CONTRACT.validate_record(record)
        queue.put(Rejections.from_record(record, caught.value), source="api")
        (entry,) = queue.pending()
        assert entry.attempts == attempt

    assert entry.record == record
    assert entry.fingerprint == CONTRACT.fingerprint
    assert [one.rule for one in entry.reasons] == ["int_parsing", "greater_than_equal"]
