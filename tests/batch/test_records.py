"""Single records are worked on once, in whatever company they arrive."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import Batch, BatchProcessor, BusinessKey, ContentKey, SqliteLedger, TableSink
from prodml.errors import DuplicateKeyError, IdempotencyConflictError, MissingKeyError
from prodml.quarantine import QuarantineQueue

KEPT = BusinessKey("id", duplicates="keep_first")


@pytest.fixture
def ledger():
    """Yield a ledger in memory."""
    ledger = SqliteLedger(":memory:")
    yield ledger
    ledger.close()


def job(ledger, function=lambda batch: batch, **options):
    """Return a processor whose records have a number of their own."""
    shared = {"namespace": "job", "sink": TableSink("out"), "key": KEPT}
    return BatchProcessor(function, ledger=ledger, **(shared | options))


def ids_of(ledger):
    """Return the ids that came out, in the order they did."""
    with ledger._database.transaction(write=False) as session:
        if not session.execute("SELECT 1 FROM sqlite_master WHERE name = 'out'"):
            return []
        return [one for (one,) in session.execute('SELECT "id" FROM out ORDER BY rowid')]


def frame(*ids):
    """Return records that are the same for the same id."""
    return pd.DataFrame({"id": ids, "n": [10 * one for one in ids]})


def test_what_was_seen_is_left_out(ledger):
    """Inside a batch and across them; the counts add up."""
    first = job(ledger).process_records(frame(1, 2, 2, 3))
    second = job(ledger).process_records([frame(3, 4), frame(5, 4, 1)])

    assert ids_of(ledger) == [1, 2, 3, 4, 5]
    assert str(first).endswith("4 records in = 3 done + 1 skipped")
    assert str(second) == "'job': 2 batches = 2 done; 5 records in = 2 done + 3 skipped"
    totals = ledger.totals("job")
    assert (totals.n_records, totals.n_done) == (5, 5)


def test_a_batch_of_nothing_new_is_skipped(ledger):
    """And the function is not called."""
    calls = []
    job(ledger).process_records(frame(1, 2))
    report = job(ledger, calls.append).process_records(frame(2, 1))

    assert report.counts.n_batches["skipped"] == 1
    assert calls == []


@pytest.mark.parametrize("make", [list, pd.DataFrame, "columns"], ids=["list", "frame", "columns"])
def test_records_come_in_any_container(ledger, make):
    """Lists of dicts, frames, columns; the function gets the same kind."""
    records = [{"id": n, "n": n} for n in (4, 5, 4, 6)]
    if make == "columns":
        data = {name: np.array([one[name] for one in records]) for name in ("id", "n")}
    else:
        data = make(records)
    seen = []
    job(ledger, lambda batch: seen.append(batch) or batch).process_records(data)

    assert ids_of(ledger) == [4, 5, 6]
    assert type(seen[0]) is type(data)


@given(
    batches=st.lists(st.lists(st.integers(-5, 8), max_size=8), max_size=6),
    textual=st.booleans(),
)
def test_any_stream_gives_each_record_once(batches, textual):
    """Numbers are keys as they are, anything else by its digest: the same outcome."""
    ledger = SqliteLedger(":memory:")
    processor = job(ledger)
    expected = []
    for numbers in batches:
        ids = [f"id {n}" if textual else n for n in numbers]
        expected += [one for one in dict.fromkeys(ids) if one not in expected]
        report = processor.process_records([{"id": one, "n": 1} for one in ids])
        assert report.counts.n_records_in == len(numbers)

    assert ids_of(ledger) == expected
    ledger.close()


def test_without_keys_of_their_own_records_are_known_by_content(ledger):
    """All of it."""
    processor = job(ledger, key=ContentKey())
    processor.process_records(pd.DataFrame({"id": [1, 1, 1], "n": [1, 2, 1]}))
    processor.process_records(pd.DataFrame({"n": [2, 3], "id": [1, 1]}))

    with ledger._database.transaction(write=False) as session:
        assert session.execute('SELECT "id", "n" FROM out') == [(1, 1), (1, 2), (1, 3)]


def test_another_payload_under_a_known_key_is_an_error(ledger):
    """Across batches, with the rows; nothing of the batch is stored."""
    job(ledger).process_records(frame(1, 2))
    with pytest.raises(IdempotencyConflictError, match="row 1") as caught:
        job(ledger).process_records(frame(3, 2).assign(n=[30, 21]))

    assert caught.value.keys == ("1",)
    assert ids_of(ledger) == [1, 2]


def test_another_payload_within_a_batch_is_an_error(ledger):
    """Which of the two would be right nobody knows."""
    with pytest.raises(IdempotencyConflictError, match="row 2"):
        job(ledger).process_records(frame(1, 2, 1).assign(n=[1, 2, 3]))
    assert ids_of(ledger) == []


def test_repeats_within_a_batch_are_an_error_unless_asked_for(ledger):
    """By default they are listed."""
    with pytest.raises(DuplicateKeyError) as caught:
        job(ledger, key=BusinessKey("id")).process_records(frame(1, 2, 1))
    assert caught.value.keys == ("1",)


def test_a_record_without_key_is_an_error(ledger):
    """With its row."""
    with pytest.raises(MissingKeyError) as caught:
        job(ledger).process_records([{"id": 1, "n": 1}, {"id": None, "n": 2}])
    assert caught.value.rows == (1,)


def test_records_on_which_the_function_fails_are_set_aside(ledger):
    """At their places in the source, and they do not come again."""

    def work(batch):
        if 3 in batch["id"].tolist():
            message = "three"
            raise ValueError(message)
        return batch

    with QuarantineQueue(":memory:") as queue:
        processor = job(ledger, work, quarantine=queue)
        processor.process_records(frame(1))
        batch = Batch(frame(1, 2, 3, 4), 0, first_row=100, source="s")
        report = processor.process_records(iter([batch]))

        assert str(report).endswith("4 records in = 2 done + 1 skipped + 1 quarantined")
        assert [(entry.row, entry.record["id"]) for entry in queue.pending()] == [(102, 3)]
        again = processor.process_records(frame(3))
    assert again.counts.n_records["skipped"] == 1
    assert ids_of(ledger) == [1, 2, 4]


def test_a_function_that_fails_on_all_leaves_them_for_later(ledger):
    """Nothing is remembered of them."""

    def broken(_batch):
        message = "no model"
        raise ValueError(message)

    report = job(ledger, broken).process_records(frame(1, 2))
    assert report.counts.n_batches["failed"] == 1
    assert "no model" in report.errors[0]
    assert job(ledger).process_records(frame(1, 2)).counts.n_records["done"] == 2


def test_of_two_workers_on_the_same_records_one_wins(ledger):
    """The other finds out at its commit, and does what is left."""

    def work(batch):
        if batch["id"].tolist() == [1, 2, 3]:
            # somebody else is faster
            job(ledger).process_records(frame(2))
        return batch

    report = job(ledger, work).process_records(frame(1, 2, 3))
    assert ids_of(ledger) == [2, 1, 3]
    assert str(report).endswith("3 records in = 2 done + 1 skipped")


def test_threads_on_one_stream_give_each_record_once(tmp_path):
    """With ledgers of their own on one file."""

    def work():
        with SqliteLedger(tmp_path / "l.db") as mine:
            job(mine).process_records(frame(*range(at, at + 20)) for at in range(0, 200, 10))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with SqliteLedger(tmp_path / "l.db") as ledger:
        assert sorted(ids_of(ledger)) == list(range(210))
        assert ledger.totals("job").n_done == 210


def test_a_sink_that_breaks_its_own_rule_is_an_error(ledger):
    """And is not taken for somebody else's commit, which would be tried again for ever."""
    with ledger._database.transaction(write=True) as session:
        session.change('CREATE TABLE out ("id" INTEGER PRIMARY KEY, "n" INTEGER)')
        session.change("INSERT INTO out VALUES (2, 0)")
    with pytest.raises(Exception, match="UNIQUE"):
        job(ledger).process_records(frame(1, 2))
    assert ids_of(ledger) == [2]
    assert job(ledger).process_records(frame(1)).counts.n_records["done"] == 1


def test_a_ledger_that_knows_no_records_is_refused(ledger):
    """With a plain word."""

    class Small:
        claim = heartbeat = commit = fail = get_many = lambda *_: None

    with pytest.raises(TypeError, match="remembers records"):
        job(Small(), sink=None).process_records(frame(1))


def test_progress_counts_records(ledger):
    """Seen ones too."""
    told = []
    job(ledger).process_records(
        [frame(1, 2), frame(2)], progress=lambda done, _total: told.append(done)
    )
    assert told == [2, 3]
