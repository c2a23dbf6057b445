"""Failures: tried again where that may help, otherwise found to the record and set aside."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from prodml.batch import Batch, BatchProcessor, FullJitter, SqliteLedger, TableSink
from prodml.batch._isolation import isolate
from prodml.contracts import Contract
from prodml.quarantine import QuarantineQueue
from prodml.testing import FakeClock


class Order(BaseModel):
    id: int
    n: int = Field(ge=0)


CONTRACT = Contract(Order, name="order", key="id")


@pytest.fixture
def ledger():
    """Yield a ledger in memory."""
    ledger = SqliteLedger(":memory:")
    yield ledger
    ledger.close()


@pytest.fixture
def queue():
    """Yield a quarantine in memory."""
    queue = QuarantineQueue(":memory:")
    yield queue
    queue.close()


def job(ledger, function, **options):
    """Return a processor that does not really wait."""
    shared = {"namespace": "job", "sink": TableSink("out"), "sleep": lambda _: None}
    return BatchProcessor(function, ledger=ledger, **(shared | options))


def ids_of(ledger):
    """Return the ids that came out."""
    with ledger._database.transaction(write=False) as session:
        return [one for (one,) in session.execute('SELECT "id" FROM out ORDER BY rowid')]


def failing_on(*bad, error=ValueError):
    """Return a pure function of frames or lists that cannot bear some ids."""

    def work(batch):
        ids = batch["id"].tolist() if isinstance(batch, pd.DataFrame) else [r["id"] for r in batch]
        if hit := [one for one in ids if one in bad]:
            message = f"cannot bear {hit[0]}"
            raise error(message)
        return batch

    return work


def records(n):
    """Return a batch."""
    return [{"id": at, "n": at} for at in range(n)]


class TestPoison:
    """Records on which the function fails."""

    @pytest.mark.parametrize("on_error", ["bisect", "per_record"])
    @pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["list", "frame"])
    def test_they_go_to_quarantine_and_the_others_are_done(self, ledger, queue, on_error, make):
        """With the exception as the reason, at their places, and counts that add up."""
        processor = job(ledger, failing_on(3, 70), quarantine=queue, on_error=on_error)
        batch = Batch(make(records(100)), 0, first_row=1000, source="orders.csv")
        report = processor.run([batch])

        assert ids_of(ledger) == [n for n in range(100) if n not in {3, 70}]
        assert str(report) == (
            "'job': 1 batches = 1 done; 100 records in = 98 done + 2 quarantined"
        )
        waiting = queue.pending()
        assert [entry.record["id"] for entry in waiting] == [3, 70]
        assert [entry.row for entry in waiting] == [1003, 1070]
        assert {entry.source for entry in waiting} == {"orders.csv"}
        reason = waiting[0].reasons[0]
        assert (reason.rule, reason.message) == ("raised_ValueError", "ValueError: cannot bear 3")
        totals = ledger.totals("job")
        assert (totals.n_records, totals.n_done, totals.n_quarantined) == (100, 98, 2)

    def test_a_second_run_puts_nothing_twice(self, ledger, queue):
        """Neither output nor quarantine."""
        processor = job(ledger, failing_on(3), quarantine=queue)
        processor.run([records(10)])
        report = processor.run([records(10)])

        assert report.counts.n_batches["skipped"] == 1
        assert len(queue.pending()) == 1

    def test_a_crash_before_the_commit_puts_nothing_twice(self, ledger, queue):
        """The quarantine comes first, so a retry puts the same rows again, and that is known."""

        class Crash(BaseException):
            pass

        class Dies:
            guarantee = "idempotent"

            def write(self, outputs, session, /):
                raise Crash

        with pytest.raises(Crash):
            job(ledger, failing_on(3), quarantine=queue, sink=Dies()).run([records(10)])
        assert len(queue.pending()) == 1
        job(ledger, failing_on(3), quarantine=queue).run([records(10)])

        (entry,) = queue.pending()
        assert entry.attempts == 2
        assert len(ids_of(ledger)) == 9

    def test_records_that_a_retry_accepts_leave_the_quarantine(self, ledger, queue):
        """Or they would be done and wait at once."""

        class Crash(BaseException):
            pass

        class Dies:
            guarantee = "idempotent"

            def write(self, outputs, session, /):
                raise Crash

        clock = FakeClock()
        shared = {"quarantine": queue, "clock": clock}
        broken = job(ledger, failing_on(3), sink=Dies(), **shared)
        broken._job.ledger.fail = lambda *_args, **_kwargs: frozenset()  # as if killed
        with pytest.raises(Crash):
            broken.run([records(10)])
        del broken._job.ledger.fail
        clock.advance(61)
        report = job(ledger, failing_on(), **shared).run([records(10)])

        assert report.outcomes[0].attempt == 2
        assert len(ids_of(ledger)) == 10
        assert len(queue.pending()) == 0

    def test_without_a_quarantine_the_batch_fails_and_names_them(self, ledger):
        """Nothing is stored, so nothing is lost."""
        report = job(ledger, failing_on(3, 5)).run([records(10)])

        assert report.errors[0] == (
            "The function fails on records 3, 5; on record 3: ValueError: cannot bear 3"
        )
        assert ledger.totals("job").n_work == 0
        assert ledger.work("job")[0].error == report.errors[0]

    def test_a_function_that_fails_on_everything_is_not_the_fault_of_the_data(self, ledger, queue):
        """A missing model must not put a whole file into quarantine."""
        processor = job(ledger, failing_on(*range(10)), quarantine=queue)
        report = processor.run([records(10)])

        assert report.counts.n_batches["failed"] == 1
        assert "each of 10 records" in report.errors[0]
        assert len(queue.pending()) == 0

    def test_what_fails_at_every_attempt_ends_in_quarantine(self, ledger, queue):
        """After the last attempt the rows are set aside, with the reason, until released."""
        processor = job(ledger, failing_on(0, 1), quarantine=queue, max_attempts=3)
        fates = [processor.run([records(2)]).outcomes[0].fate for _ in range(5)]

        assert fates == ["failed", "failed", "quarantined", "quarantined", "quarantined"]
        assert [entry.reasons[0].rule for entry in queue.pending()] == ["failed_too_often"] * 2
        (waiting,) = ledger.quarantined("job")
        assert (waiting.attempt, waiting.n_records) == (3, 2)

        ledger.release("job", waiting.key)
        report = job(ledger, failing_on(), quarantine=queue).run([records(2)])
        assert report.counts.n_batches["done"] == 1
        assert len(queue.pending()) == 0, "what is done in the end does not wait"

    def test_what_kills_the_process_each_time_is_set_aside_unseen(self, ledger, queue):
        """A claim that never ended uses up an attempt, and in the end nobody tries any more."""
        clock = FakeClock()
        calls = []
        processor = job(ledger, calls.append, quarantine=queue, max_attempts=2, clock=clock)
        work = processor._job.key.of_batch(Batch(records(2), 0))
        for _ in range(2):
            now = clock.now()
            ledger.claim("job", [work], owner="o", now=now, until=now, max_attempts=2)
            clock.advance(1)
        report = processor.run([records(2)])

        assert calls == []
        assert report.outcomes[0].fate == "quarantined"
        assert {entry.reasons[0].rule for entry in queue.pending()} == {"never_finished"}

    def test_with_fail_nothing_is_searched(self, ledger, queue):
        """One call, one error."""
        calls = []
        work = failing_on(3)
        processor = job(
            ledger, lambda b: calls.append(b) or work(b), quarantine=queue, on_error="fail"
        )
        report = processor.run([records(10)])

        assert len(calls) == 1
        assert report.errors[0] == "ValueError: cannot bear 3"

    def test_a_function_that_fails_only_on_the_whole_fails(self, ledger, queue):
        """Not row by row: it has no record at fault."""

        def work(batch):
            if len(batch) > 5:
                raise MemoryError
            return batch

        report = job(ledger, work, quarantine=queue).run([records(8)])
        assert "but not on their parts" in report.errors[0]


class TestIsolation:
    """The search itself, against looking at each record."""

    @given(
        n=st.integers(2, 60),
        bad=st.sets(st.integers(0, 59)),
        halving=st.booleans(),
    )
    def test_it_finds_what_looking_at_each_finds(self, n, bad, halving):
        """The same records, the same outputs, in order."""
        data = records(n)
        outputs, faults = isolate(failing_on(*bad), data, n, halving=halving)

        assert sorted(faults) == sorted(one for one in bad if one < n)
        assert (outputs or []) == [row for row in data if row["id"] not in bad]
        assert all(f"cannot bear {at}" == str(error) for at, error in faults.items())

    @pytest.mark.parametrize(("n_bad", "most"), [(1, 25), (10, 170), (100, 1300), (1000, 1300)])
    def test_it_takes_few_calls(self, n_bad, most):
        """A bad record among a thousand: about 21 calls; where many fail, one for each."""
        bad = random.Random(1).sample(range(1000), n_bad)
        calls = []
        work = failing_on(*bad)
        isolate(lambda data: calls.append(1) or work(data), records(1000), 1000, halving=True)

        assert len(calls) <= most

    def test_frames_keep_their_dtypes(self):
        """What is joined from parts is what the whole would have given."""
        frame = pd.DataFrame(
            {"id": np.arange(20, dtype="int32"), "t": pd.date_range("2026", periods=20, tz="UTC")}
        )
        output, _ = isolate(failing_on(7), frame, 20, halving=True)

        pd.testing.assert_frame_equal(output, frame.drop(index=7))


class TestRetries:
    """What does not answer now may answer later."""

    def test_transient_errors_are_tried_again(self, ledger):
        """With waits below a bound that doubles."""
        left = [OSError("reset"), TimeoutError("slow")]
        waits = []

        def work(batch):
            if left:
                raise left.pop()
            return batch

        processor = job(ledger, work, sleep=waits.append, rng=random.Random(0))
        report = processor.run([records(3)])

        assert report.counts.n_batches["done"] == 1
        assert len(waits) == 2
        assert all(0 <= wait <= bound for wait, bound in zip(waits, [0.5, 1.0], strict=True))

    def test_waits_are_those_of_the_given_generator(self, ledger):
        """Two runs with one seed wait alike."""
        waits = [], []
        for gathered in waits:
            retry = FullJitter(base=2.0, cap=5.0, tries=6)
            job(
                ledger,
                failing_on(0, error=ConnectionError),
                sleep=gathered.append,
                rng=random.Random(7),
                retry=retry,
            ).run([records(3)])
        expected = list(FullJitter(base=2.0, cap=5.0, tries=6).waits(random.Random(7)))

        assert waits[0] == waits[1] == expected
        assert len(set(expected)) == 5

    def test_bounds_of_waits_double_up_to_a_cap(self):
        """As full jitter has them."""

        class Longest(random.Random):
            def uniform(self, a, b):
                assert a == 0
                return b

        waits = FullJitter(base=0.5, cap=3.0, tries=6).waits(Longest())
        assert list(waits) == [0.5, 1.0, 2.0, 3.0, 3.0]
        assert all(0 <= wait <= 0.5 for wait in FullJitter(tries=2).waits())
        assert list(FullJitter(tries=1).waits()) == []

    def test_an_outage_fails_the_batch_and_blames_no_record(self, ledger, queue):
        """It is tried again by the next run."""
        processor = job(ledger, failing_on(1, error=ConnectionError), quarantine=queue)
        report = processor.run([records(4)])

        assert report.counts.n_batches["failed"] == 1
        assert report.errors[0] == "ConnectionError: cannot bear 1"
        assert len(queue.pending()) == 0
        assert job(ledger, failing_on()).run([records(4)]).counts.n_batches["done"] == 1

    def test_other_errors_are_not_tried_again(self, ledger, queue):
        """A pure function gives the same answer to the same data."""
        waits = []
        job(ledger, failing_on(1), quarantine=queue, sleep=waits.append).run([records(4)])
        assert waits == []

    def test_what_is_transient_is_up_to_the_user(self, ledger):
        """A client's own error, for example."""

        class ThrottledError(Exception):
            pass

        left = [ThrottledError()]

        def work(batch):
            if left:
                raise left.pop()
            return batch

        processor = job(ledger, work, retry=FullJitter(on=(ThrottledError,)))
        assert processor.run([records(1)]).counts.n_batches["done"] == 1

    def test_an_outage_during_the_search_ends_it(self, ledger, queue):
        """Records that could not be asked about are not called bad."""
        calls = []

        def work(batch):
            calls.append(batch)
            if any(row["id"] == 2 for row in batch):
                if len(calls) > 2:
                    message = "gone"
                    raise ConnectionError(message)
                message = "bad"
                raise ValueError(message)
            return batch

        report = job(ledger, work, quarantine=queue).run([records(8)])
        assert report.errors[0] == "ConnectionError: gone"
        assert len(queue.pending()) == 0


class TestContract:
    """Rows are judged before the function sees them."""

    def test_what_the_contract_turns_away_is_quarantined(self, ledger, queue):
        """And what it accepts arrives as the model has it."""
        frame = pd.DataFrame({"id": ["1", "2", "x"], "n": [5, -1, 3]})
        seen = []
        processor = job(
            ledger, lambda rows: seen.append(rows) or rows, contract=CONTRACT, quarantine=queue
        )
        batch = Batch(frame, 0, first_row=50, source="f.csv")
        report = processor.run([batch])

        assert seen[0]["id"].tolist() == [1]
        assert str(report.counts).endswith("3 records in = 1 done + 2 quarantined")
        assert [(entry.row, entry.reasons[0].rule) for entry in queue.pending()] == [
            (51, "greater_than_equal"),
            (52, "int_parsing"),
        ]
        assert queue.pending()[0].contract == "order"

    def test_poison_behind_the_contract_has_its_place_in_the_source(self, ledger, queue):
        """Positions are those of the file, not of what the contract left over."""
        frame = pd.DataFrame({"id": range(6), "n": [0, -1, 0, -1, 0, 0]})
        processor = job(ledger, failing_on(4), contract=CONTRACT, quarantine=queue)
        report = processor.run([Batch(frame, 0, first_row=100)])

        assert ids_of(ledger) == [0, 2, 5]
        assert report.counts.n_records["quarantined"] == 3
        rows = {entry.row: entry.reasons[0].rule for entry in queue.pending()}
        assert rows == {
            101: "greater_than_equal",
            103: "greater_than_equal",
            104: "raised_ValueError",
        }

    def test_records_are_judged_as_a_frame(self, ledger, queue):
        """A list of dicts will do."""
        processor = job(ledger, lambda rows: rows, contract=CONTRACT, quarantine=queue)
        report = processor.run([[{"id": 1, "n": 1}, {"id": 2, "n": -1}]])

        assert (report.counts.n_records["done"], len(queue.pending())) == (1, 1)

    def test_a_frame_that_cannot_be_read_fails_its_batch(self, ledger, queue):
        """Duplicate columns, for example."""
        frame = pd.DataFrame([[1, 2, 3]], columns=["id", "n", "n"])
        report = job(ledger, lambda rows: rows, contract=CONTRACT, quarantine=queue).run([frame])

        assert "DuplicateColumnError" in report.errors[0]
        assert report.counts.n_batches["failed"] == 1

    def test_workers_judge_too(self, ledger, queue):
        """Contract and function travel together."""
        frames = [pd.DataFrame({"id": [n, n], "n": [1, -1]}) for n in range(6)]
        processor = job(ledger, failing_on(), contract=CONTRACT, quarantine=queue)
        report = processor.run(frames, engine="threading")

        assert report.counts.n_records["done"] == report.counts.n_records["quarantined"] == 6
        assert queue.depth() == 6
