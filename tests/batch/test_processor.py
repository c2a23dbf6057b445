"""The processor: every batch done once, and every batch and record accounted for."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import (
    Batch,
    BatchProcessor,
    BusinessKey,
    Claim,
    FullJitter,
    SqliteLedger,
    TableSink,
    WorkResult,
)
from prodml.batch._owner import new_owner
from prodml.errors import (
    IdempotencyConflictError,
    MissingKeyError,
    StorageError,
    UnkeyableError,
    UnsafeSinkError,
)
from prodml.testing import FakeClock, check_evidence_source, check_mergeable

BATCHES = [[{"id": 1, "n": 10}], [{"id": 2, "n": 20}, {"id": 3, "n": 30}], [{"id": 4, "n": 40}]]


def double(batch):
    """Return twice the numbers."""
    return [{"id": row["id"], "twice": 2 * row["n"]} for row in batch]


def rows_of(ledger, table="out"):
    """Return what stands in a table of a ledger, sorted."""
    with ledger._database.transaction(write=False) as session:
        return sorted(session.execute(f"SELECT * FROM {table}"))  # noqa: S608 - the tests' own name


@pytest.fixture
def ledger():
    """Yield a ledger in memory, which holds the output too."""
    ledger = SqliteLedger(":memory:")
    yield ledger
    ledger.close()


def job(ledger, function=double, **options):
    """Return a processor with a table for its output."""
    shared = {"namespace": "job", "sink": TableSink("out"), "sleep": lambda _: None}
    return BatchProcessor(function, ledger=ledger, **(shared | options))


class TestOnce:
    """What is done is not done again."""

    def test_a_second_run_skips_all_and_changes_nothing(self, ledger):
        """The output and the totals are those of one run, and the report says what was skipped."""
        calls = []
        processor = job(ledger, lambda batch: calls.append(batch) or double(batch))
        first = processor.run(BATCHES)
        rows, totals = rows_of(ledger), ledger.totals("job")
        second = processor.run(BATCHES)

        assert rows == [(1, 20), (2, 40), (3, 60), (4, 80)] == rows_of(ledger)
        assert len(calls) == len(BATCHES)
        assert str(first) == "'job': 3 batches = 3 done; 4 records in = 4 done"
        assert str(second) == "'job': 3 batches = 3 skipped; 4 records in = 4 skipped"
        assert ledger.totals("job") == totals
        assert (totals.n_work, totals.n_records, totals.n_output) == (3, 4, 4)

    def test_new_batches_among_old_ones_are_done(self, ledger):
        """A file that grew: what was there is skipped, in whatever order it comes."""
        job(ledger).run(BATCHES[1:])
        report = job(ledger).run(reversed(BATCHES))

        assert [one.fate for one in report.outcomes] == ["skipped", "skipped", "done"]
        assert [one[0] for one in rows_of(ledger)] == [1, 2, 3, 4]

    def test_equal_batches_of_one_run_are_done_once(self, ledger):
        """And the repeat is counted, not passed over in silence."""
        report = job(ledger).run([*BATCHES, BATCHES[0], BATCHES[0]])

        assert report.counts.n_batches["skipped"] == 2
        assert len(rows_of(ledger)) == 4

    def test_equal_batches_at_different_places_of_a_source_are_both_done(self, ledger):
        """A file may hold the same rows twice; a retry reads them at the same places."""
        batches = [Batch(BATCHES[0], number, first_row=number) for number in range(3)]

        assert job(ledger).run(batches).counts.n_batches["done"] == 3
        assert job(ledger).run(batches).counts.n_batches["skipped"] == 3
        assert rows_of(ledger) == [(1, 20)] * 3

    def test_namespaces_know_nothing_of_each_other(self, ledger):
        """A new model scores everything anew."""
        job(ledger, namespace="v1").run(BATCHES)
        report = job(ledger, namespace="v2").run(BATCHES)

        assert report.counts.n_batches["done"] == 3
        assert len(rows_of(ledger)) == 8

    def test_another_payload_under_a_known_key_is_an_error(self, ledger):
        """Always: the caller thinks it is the same work, and it is not."""
        frame = pd.DataFrame({"id": [1, 2], "n": [10, 20]})
        processor = job(ledger, lambda rows: rows, key=BusinessKey("id"))
        processor.run([frame])

        with pytest.raises(IdempotencyConflictError, match="other content") as caught:
            processor.run([frame.assign(n=[10, 21])])
        assert caught.value.namespace == "job"
        assert len(caught.value.keys) == 1
        assert processor.run([frame]).counts.n_batches["skipped"] == 1

    def test_a_conflict_among_claims_hands_back_the_others(self, ledger):
        """What was claimed with it is free for the next run."""
        frame = pd.DataFrame({"id": [1], "n": [10]})
        other = pd.DataFrame({"id": [2], "n": [20]})
        processor = job(ledger, lambda rows: rows, key=BusinessKey("id"))
        processor.run([frame])
        with pytest.raises(IdempotencyConflictError):
            processor.run([other, frame.assign(n=[11])])

        assert ledger.status("job").n_work["running"] == 0
        assert processor.run([frame, other]).is_complete

    @pytest.mark.parametrize("group_size", [1, 2, 64])
    @pytest.mark.parametrize("read_ahead", [1, 3, 512])
    def test_sizes_of_groups_change_nothing(self, ledger, group_size, read_ahead):
        """They are about speed."""
        batches = [[{"id": n, "n": n}] for n in range(50)]
        processor = job(ledger, group_size=group_size)
        processor.run(batches[::2], read_ahead=read_ahead)
        report = processor.run(batches, read_ahead=read_ahead)

        assert rows_of(ledger) == [(n, 2 * n) for n in range(50)]
        assert report.counts.n_batches["skipped"] == 25

    @given(
        runs=st.lists(st.lists(st.integers(0, 12), max_size=15), min_size=1, max_size=4),
        group_size=st.integers(1, 5),
        read_ahead=st.integers(1, 6),
    )
    def test_any_runs_give_each_batch_once(self, runs, group_size, read_ahead):
        """Whatever comes in whatever order and how often: the output is the set of it."""
        ledger = SqliteLedger(":memory:")
        processor = job(ledger, tally=lambda out: {"n": sum(row["twice"] for row in out)})
        for numbers in runs:
            processor = job(
                ledger,
                group_size=group_size,
                tally=lambda out: {"n": sum(row["twice"] for row in out)},
            )
            report = processor.run(([{"id": n, "n": n}] for n in numbers), read_ahead=read_ahead)
            assert report.counts.n_batches_in == len(numbers) == report.counts.n_records_in
        different = sorted({n for numbers in runs for n in numbers})

        assert (rows_of(ledger) if different else []) == [(n, 2 * n) for n in different]
        assert ledger.totals("job").tallies.get("n", 0) == sum(2 * n for n in different)
        ledger.close()


class TestData:
    """What a batch may be."""

    @pytest.mark.parametrize(
        ("data", "n_records", "expected"),
        [
            (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), 2, [(1, "x"), (2, None)]),
            ({"a": np.array([1, 2]), "b": np.array([0.5, np.nan])}, 2, [(1, 0.5), (2, None)]),
            ([{"a": 1, "b": True}, {"a": 2}], 2, [(1, 1), (2, None)]),
            ({"a": 1, "b": "x"}, 1, [(1, "x")]),
            ((1, 2, 3), 3, [(1,), (2,), (3,)]),
            (7, 1, [(7,)]),
        ],
        ids=["frame", "columns", "records", "record", "tuple", "number"],
    )
    def test_data_arrive_as_they_are(self, ledger, data, n_records, expected):
        """Frames, columns, records, single values: the function sees the very object."""
        seen = []
        report = job(ledger, lambda batch: seen.append(batch) or batch).run([data])

        assert seen[0] is data
        assert report.counts.n_records["done"] == n_records
        assert rows_of(ledger) == expected

    def test_an_empty_batch_is_done(self, ledger):
        """With no records."""
        report = job(ledger, lambda batch: batch).run([[], pd.DataFrame({"id": []})])

        assert report.counts.n_batches["done"] == 2
        assert report.counts.n_records_in == 0

    def test_a_function_may_return_nothing(self, ledger):
        """Work without output is counted all the same."""
        report = job(ledger, lambda _: None).run(BATCHES)

        assert report.counts.n_records["done"] == 4
        assert ledger.totals("job").n_output == 0

    @pytest.mark.parametrize(
        "batches",
        [pd.DataFrame({"a": [1]}), {"a": [1]}, "orders.csv", 5, None],
        ids=["frame", "mapping", "path", "number", "none"],
    )
    def test_what_is_no_iterable_of_batches_is_refused(self, ledger, batches):
        """A frame would be iterated by its column names: a trap."""
        with pytest.raises(TypeError, match="read_batches"):
            job(ledger).run(batches)

    def test_values_without_canonical_bytes_are_refused(self, ledger):
        """With the column; what was done before stays done."""
        bad = pd.DataFrame({"a": pd.Series([{1, 2}, object()], dtype=object)})
        with pytest.raises(UnkeyableError, match="'a'"):
            job(ledger, lambda rows: rows).run(iter([pd.DataFrame({"a": [1]}), bad]), read_ahead=1)

        assert ledger.totals("job").n_work == 1
        assert ledger.status("job").n_work["running"] == 0

    def test_a_missing_key_is_an_error(self, ledger):
        """Not a warning after which the batch runs unprotected."""
        frame = pd.DataFrame({"id": [1, None], "n": [1, 2]})
        with pytest.raises(MissingKeyError) as caught:
            job(ledger, lambda rows: rows, key=BusinessKey("id")).run([frame])

        assert (caught.value.column, caught.value.rows) == ("id", (1,))


class TestTallies:
    """Sums over the output that count nothing twice."""

    def test_tallies_are_summed_exactly(self, ledger):
        """In whatever order; ints stay ints."""
        processor = job(
            ledger, tally=lambda out: {"n": len(out), "value": np.float64(0.1), "big": 1e16}
        )
        processor.run(BATCHES)
        processor.run(BATCHES)

        assert ledger.totals("job").tallies == {"n": 4, "value": 0.30000000000000004, "big": 3e16}

    @pytest.mark.parametrize(
        ("tally", "message"),
        [
            (lambda _: {"x": float("nan")}, "finite"),
            (lambda _: {"x": "many"}, "int or a float"),
            (lambda _: 1 / 0, "ZeroDivisionError"),
        ],
        ids=["nan", "text", "raises"],
    )
    def test_a_tally_that_is_no_number_fails_its_batch(self, ledger, tally, message):
        """And stores nothing of it."""
        report = job(ledger, tally=tally).run(BATCHES[:1])

        assert report.counts.n_batches["failed"] == 1
        assert message in report.errors[0]
        assert ledger.totals("job").n_work == 0


class TestClaims:
    """Several workers on one ledger."""

    def test_work_of_another_is_left_alone_until_its_lease_runs_out(self, ledger):
        """Then it is taken over, and the other's result is refused."""
        clock = FakeClock()
        work = job(ledger)._job.key.of_batch(Batch(BATCHES[0], 0))
        now = clock.now()
        (claim,) = ledger.claim(
            "job", [work], owner="other", now=now, until=now + timedelta(60), max_attempts=5
        )
        processor = job(ledger, clock=clock)
        report = processor.run(BATCHES)
        assert report.counts.n_batches["in_progress"] == 1
        assert not report.is_complete

        clock.advance(timedelta(61))
        assert processor.run(BATCHES).counts.n_batches["done"] == 1
        late = WorkResult(claim.key, claim.fence, 0, 1, 1, 0, 1)
        assert ledger.commit("job", [late], now=clock.now()) == {claim.key}
        assert len(rows_of(ledger)) == 4

    @pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="only Linux tells")
    def test_work_of_a_process_that_died_here_is_taken_over_at_once(self, tmp_path):
        """A scheduler that starts the job again need not wait for the lease."""
        context = multiprocessing.get_context("spawn")
        child = context.Process(target=die_in_hand, args=(tmp_path / "l.db",))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL

        with SqliteLedger(tmp_path / "l.db") as ledger:
            assert ledger.status("job").n_work["running"] == 3
            report = job(ledger).run(BATCHES)
            assert report.counts.n_batches["done"] == 3
            assert {one.attempt for one in ledger.work("job")} == {2}

    def test_a_lease_that_was_lost_costs_work_and_no_row(self, ledger):
        """The slow owner finds out at its commit, and the report says so."""
        clock = FakeClock()
        taken = []

        def slow(batch):
            if not taken:
                clock.advance(61)  # longer than the lease
                taken.append(job(ledger, clock=clock).run([batch]))
            return double(batch)

        report = job(ledger, slow, clock=clock).run(BATCHES[:1])

        assert taken[0].counts.n_batches["done"] == 1
        assert report.counts.n_batches["lost"] == 1
        assert rows_of(ledger) == [(1, 20)]

    def test_of_a_group_only_what_is_still_held_is_stored(self, ledger):
        """One batch of it was taken over in the meantime: the others are stored, it is not."""
        clock = FakeClock()

        def slow(batch):
            if batch == BATCHES[1]:
                clock.advance(61)
                work = job(ledger)._job.key.of_batch(Batch(BATCHES[0], 0))
                now = clock.now()
                until = now + timedelta(hours=1)
                ledger.claim("job", [work], owner="other", now=now, until=until, max_attempts=5)
            return double(batch)

        # a first batch, so that the others are claimed together
        report = job(ledger, slow, clock=clock).run([[{"id": 9, "n": 9}], *BATCHES])

        assert report.counts.n_batches["lost"] == 1
        assert sorted(row[0] for row in rows_of(ledger)) == [2, 3, 4, 9]

    def test_a_clock_that_goes_back_changes_nothing(self, ledger):
        """Who may commit is decided by the fence, not by time."""
        clock = FakeClock()

        def turn_back(batch):
            clock.set(clock.now() - timedelta(days=1))
            return double(batch)

        report = job(ledger, turn_back, clock=clock).run(BATCHES)
        assert report.counts.n_batches["done"] == 3
        assert job(ledger, clock=clock).run(BATCHES).counts.n_batches["skipped"] == 3

    def test_workers_in_threads_share_the_work(self, tmp_path):
        """Each batch is done by one of them."""
        batches = [[{"id": n, "n": n}] for n in range(60)]
        reports = []

        def work():
            with SqliteLedger(tmp_path / "ledger.db") as mine:
                reports.append(job(mine, group_size=4).run(batches))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with SqliteLedger(tmp_path / "ledger.db") as ledger:
            assert rows_of(ledger) == [(n, 2 * n) for n in range(60)]
        done = sum(report.counts for report in reports)
        assert done.n_batches["done"] == 60
        assert done.n_batches_in == 240


class TestSinks:
    """What is promised depends on where the output goes."""

    def test_a_plain_function_is_refused(self, ledger):
        """It can promise nothing."""
        with pytest.raises(UnsafeSinkError, match="at_least_once=True") as caught:
            job(ledger, sink=print)
        assert "print" in caught.value.sink

    def test_a_plain_function_is_taken_if_the_caller_says_so(self, ledger):
        """It gets the outputs, with their keys."""
        got = []
        job(ledger, sink=got.extend, at_least_once=True).run(BATCHES)

        assert [one.data for one in got] == [double(batch) for batch in BATCHES]
        assert len({one.key for one in got}) == 3

    def test_a_sink_of_ones_own_needs_one_method(self, ledger):
        """And to say what it promises. It is written before the mark, and only once where all goes
        well.
        """
        written = []

        class Store:
            guarantee = "idempotent"

            def write(self, outputs, session, /):
                assert session is None
                assert ledger.totals("job").n_work == len(written)
                written.extend(outputs)

        assert job(ledger, sink=Store(), group_size=2).run(BATCHES).is_complete
        assert [one.number for one in written] == [0, 1, 2]

    def test_an_unknown_promise_is_refused(self, ledger):
        """A typo must not weaken what is promised."""

        class Store:
            guarantee = "Atomic"

            def write(self, outputs, session, /):
                """Do nothing."""

        with pytest.raises(TypeError, match="Atomic"):
            job(ledger, sink=Store())

    def test_what_a_sink_says_of_one_batch_does_not_touch_the_others(self, ledger):
        """One row breaks a constraint: its batch fails, its group is stored."""
        with ledger._database.transaction(write=True) as session:
            session.change("CREATE TABLE out (id INTEGER, twice INTEGER CHECK (twice <> 60))")
        report = job(ledger).run(BATCHES)

        assert [one.fate for one in report.outcomes] == ["done", "failed", "done"]
        assert "CHECK" in report.errors[1]
        assert rows_of(ledger) == [(1, 20), (4, 80)]
        assert ledger.totals("job").n_output == 2

    def test_a_store_that_fails_hands_the_work_back(self, ledger):
        """The run ends with the error, and the next one finds the batches free."""

        class Broken:
            guarantee = "idempotent"

            def write(self, outputs, session, /):
                message = "The disk is full."
                raise StorageError(message, location="/out")

        with pytest.raises(StorageError, match="full"):
            job(ledger, sink=Broken()).run(BATCHES)

        status = ledger.status("job")
        assert status.n_work["done"] == status.n_work["running"] == 0
        assert job(ledger).run(BATCHES).is_complete

    def test_lost_work_is_not_written_to_an_outside_sink(self, ledger):
        """A late owner asks before it writes."""
        written = []

        class Store:
            guarantee = "idempotent"

            def write(self, outputs, session, /):
                written.extend(outputs)

        clock = FakeClock()

        def slow(batch):
            clock.advance(61)
            job(ledger, clock=clock).run([batch])
            return double(batch)

        report = job(ledger, slow, sink=Store(), clock=clock).run(BATCHES[:1])

        assert report.counts.n_batches["lost"] == 1
        assert written == []

    def test_without_a_sink_only_counts_are_kept(self, ledger):
        """For jobs whose result is their tallies."""
        processor = job(ledger, sink=None, tally=lambda out: {"n": len(out)})

        assert processor.run(BATCHES).is_complete
        assert ledger.totals("job").tallies == {"n": 4}


class TestEngines:
    """The function runs elsewhere, the ledger stays here."""

    @pytest.mark.parametrize("ordered", [True, False])
    def test_threads_give_what_one_process_gives(self, ledger, ordered):
        """Output, counts and totals."""
        batches = [[{"id": n, "n": n}] for n in range(30)]
        report = job(ledger).run(batches, engine="threading", ordered=ordered)

        assert report.counts.n_batches["done"] == 30
        assert rows_of(ledger) == [(n, 2 * n) for n in range(30)]

    def test_processes_give_what_one_process_gives(self, ledger):
        """And what fails there is bisected there."""
        batches = [[{"id": n, "n": n} for n in range(at, at + 4)] for at in range(0, 24, 4)]
        queue = Queue()
        report = job(ledger, fail_on_13, quarantine=queue).run(batches, engine="loky")

        assert report.counts.n_records["quarantined"] == 1
        assert [row[0] for row in rows_of(ledger)] == [n for n in range(24) if n != 13]
        assert queue.records == [{"id": 13, "n": 13}]

    def test_a_worker_that_dies_takes_only_its_own_batch_along(self, ledger):
        """The others are done; the one that kills fails, and may be tried again."""
        batches = [[{"id": n, "n": n}] for n in range(12)]
        report = job(ledger, die_on_5, group_size=3).run(batches, engine="loky")

        assert report.counts.n_batches == Counter(done=11, failed=1) | dict.fromkeys(
            ("skipped", "quarantined", "in_progress", "lost", "given_up"), 0
        )
        assert "worker died" in report.errors[5]
        assert [row[0] for row in rows_of(ledger)] == [n for n in range(12) if n != 5]

    def test_ordered_output_keeps_the_order_of_the_batches(self, ledger):
        """Also where later ones are ready first."""
        got = []
        processor = job(ledger, sink=got.extend, at_least_once=True)
        processor.run([[{"id": n, "n": n}] for n in range(20)], engine="threading")

        assert [one.number for one in got] == list(range(20))


def die_in_hand(path):
    """Claim some work, and die."""
    ledger = SqliteLedger(path)
    work = [job(ledger)._job.key.of_batch(Batch(data, 0)) for data in BATCHES]
    now = datetime.now(UTC)
    until = now + timedelta(hours=1)
    ledger.claim("job", work, owner=new_owner(), now=now, until=until, max_attempts=5)
    os.kill(os.getpid(), signal.SIGKILL)


def fail_on_13(batch):
    """Fail on one record."""
    if any(row["id"] == 13 for row in batch):
        message = "unlucky"
        raise ValueError(message)
    return double(batch)


def die_on_5(batch):
    """Take the whole process along."""
    if batch[0]["id"] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return double(batch)


class Queue:
    """A quarantine that remembers what it was given."""

    def __init__(self):
        self.puts = []

    def put(self, rejected, /, *, source, batch=None):
        """Take rejected records."""
        self.puts.append((rejected.to_rejections(), source, batch))

    @property
    def records(self):
        """All records that were put, in order."""
        return [
            record
            for rejections, _, _ in self.puts
            for record in rejections.frame.to_dict("records")
        ]


class TestReports:
    """What a run says of itself."""

    def test_counts_are_mergeable(self, ledger):
        """The reports of many workers add up."""
        report = job(ledger).run([*BATCHES, BATCHES[0]])
        other = job(ledger).run(BATCHES)
        check_mergeable([report.counts, other.counts, report.counts.empty()])

    def test_a_report_is_evidence(self, ledger):
        """In = done + skipped + quarantined, or the verdict is no pass."""
        report = job(ledger, fail_on_13, on_error="fail").run([*BATCHES, [{"id": 13, "n": 1}]])
        check_evidence_source(report)
        settled = report.to_evidence()[0]

        assert (settled.metric, settled.value, settled.verdict) == ("settled_fraction", 0.8, "fail")

    def test_a_report_shows_itself(self, ledger):
        """As a line, a frame and a table, with hostile text escaped."""

        def fail(_batch):
            message = "<script>alert(1)</script>"
            raise ValueError(message)

        report = job(ledger, fail).run(BATCHES[:1])

        assert repr(report) == ("BatchReport('job': 1 batches = 1 failed; 1 records in = 1 failed)")
        assert report.to_frame()[["number", "fate", "attempt"]].to_dict("records") == [
            {"number": 0, "fate": "failed", "attempt": 1}
        ]
        assert report.to_frame()["key"][0].startswith("k1:")
        html = report._repr_html_()
        assert "<script>" not in html
        assert "&lt;script&gt;" in html

    def test_progress_counts_records(self, ledger):
        """Skipped ones too: they are behind us."""
        told = []
        job(ledger).run(BATCHES[:1])
        job(ledger).run(BATCHES, progress=lambda done, total: told.append((done, total)))

        assert told[-1] == (4, None)

    def test_old_work_is_forgotten_on_request(self, ledger):
        """The totals stay."""
        clock = FakeClock()
        processor = job(ledger, clock=clock, retention=timedelta(days=7))
        ledger._clock = clock
        processor.run(BATCHES[:2])
        clock.advance(timedelta(days=8))
        processor.run(BATCHES[2:])

        assert len(ledger.done_keys("job")) == 1
        assert ledger.totals("job").n_work == 3


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"namespace": ""}, ValueError, "namespace"),
        ({"on_error": "skip"}, ValueError, "on_error"),
        ({"max_attempts": 0}, ValueError, "max_attempts"),
        ({"group_size": True}, ValueError, "group_size"),
        ({"lease": 10.0, "heartbeat": 10.0}, ValueError, "heartbeat"),
        ({"key": "id"}, TypeError, "`key` must be a Key"),
        ({"quarantine": "q.db"}, TypeError, "`quarantine` must be"),
        ({"contract": object()}, ValueError, "needs a `quarantine`"),
        ({"sink": 7}, TypeError, "`sink` must be"),
        ({"function": None}, TypeError, "`function` must be callable"),
        ({"ledger": object()}, TypeError, "`ledger` must be a Ledger"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_settings_are_refused_at_once(ledger, options, error, match):
    """Not when the first batch is half done."""
    given_ledger = options.pop("ledger", ledger)
    with pytest.raises(error, match=match):
        job(given_ledger, **options)


def test_a_job_shows_itself(ledger):
    """With its name and its ledger."""
    assert repr(job(ledger)) == "BatchProcessor('job', ledger=SqliteLedger(':memory:'))"
    assert job(ledger).namespace == "job"


def test_read_ahead_must_be_positive(ledger):
    """Nothing could be read."""
    with pytest.raises(ValueError, match="read_ahead"):
        job(ledger).run(BATCHES, read_ahead=0)


def test_no_more_is_read_than_is_allowed(ledger):
    """A slow consumer holds back a fast source."""
    n_read, most = 0, 0

    def source():
        nonlocal n_read
        for batch in ([{"id": n, "n": n}] for n in range(40)):
            n_read += 1
            yield batch

    def note(batch):
        nonlocal most
        most = max(most, n_read - batch[0]["id"])
        return double(batch)

    job(ledger, note).run(source(), read_ahead=4)
    assert most <= 4


def test_large_batches_are_not_read_ahead(ledger):
    """Memory is bounded by cells, not by the number of batches."""
    alive, most = 0, 0

    def source():
        nonlocal alive, most
        for n in range(6):
            alive += 1
            most = max(most, alive)
            yield pd.DataFrame({"a": np.full(300_000, n), "b": np.zeros(300_000)})

    def work(_frame):
        nonlocal alive
        alive -= 1

    job(ledger, work).run(source())
    assert most <= 2


def test_claims_carry_what_the_ledger_gave(ledger):
    """The first claim of a key has fence 1 and attempt 1."""
    work = job(ledger)._job.key.of_batch(Batch(7, 0))
    now = FakeClock().now()
    claims = ledger.claim("n", [work], owner="o", now=now, until=now, max_attempts=1)

    assert claims == [Claim(work.key, 1, 1, "running")]


def test_full_jitter_is_checked():
    """A wait needs a bound."""
    for options in ({"base": 0}, {"cap": 0.1}, {"tries": 0}):
        with pytest.raises(ValueError, match="must be"):
            FullJitter(**options)
    with pytest.raises(TypeError, match="exception types"):
        FullJitter(on=(int,))
