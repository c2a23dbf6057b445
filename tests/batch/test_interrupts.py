"""Told to stop, a run stops in good order, and the signal then takes its course."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from prodml.batch import BatchProcessor, SqliteLedger, TableSink
from tests.architecture._tree import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")

BATCHES = [[{"id": n}] for n in range(30)]


@pytest.fixture
def ledger():
    """Yield a ledger in memory."""
    ledger = SqliteLedger(":memory:")
    yield ledger
    ledger.close()


@pytest.fixture
def noted():
    """Note signals as a program would that wants to go on."""
    got = []
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for one in before:
        signal.signal(one, lambda number, _frame: got.append(signal.Signals(number)))
    yield got
    for one, handler in before.items():
        signal.signal(one, handler)


def job(ledger, function, **options):
    """Return a processor."""
    shared = {"namespace": "job", "sink": TableSink("out")}
    return BatchProcessor(function, ledger=ledger, **(shared | options))


def raising_at(number, *signals):
    """Return a function that gets signals while it works on one batch."""

    def work(batch):
        if batch[0]["id"] == number:
            for one in signals:
                signal.raise_signal(one)
        return batch

    return work


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("read_ahead", [1, 512])
def test_the_batch_in_hand_is_finished_and_the_rest_handed_back(ledger, noted, one, read_ahead):
    """And the report accounts for all that was read."""
    report = job(ledger, raising_at(10, one)).run(BATCHES, read_ahead=read_ahead)

    counts = report.counts.n_batches
    assert counts["done"] == 11
    assert counts["done"] + counts["given_up"] == report.counts.n_batches_in
    assert report.interrupted == one.name
    assert not report.is_complete
    assert str(report).endswith(f"stopped by {one.name}")
    assert noted == [one], "the program's own handler is called once the run is at rest"
    assert ledger.status("job").n_work["running"] == 0

    again = job(ledger, lambda batch: batch).run(BATCHES)
    assert (again.counts.n_batches["skipped"], again.counts.n_batches["done"]) == (11, 19)
    assert {one.attempt for one in ledger.work("job")} == {1}, "giving up is no failure"


def test_the_second_signal_gives_up_the_batch_in_hand(ledger, noted):
    """It was not finished, so it is not there."""
    report = job(ledger, raising_at(10, signal.SIGTERM, signal.SIGTERM)).run(BATCHES)

    assert report.counts.n_batches["done"] <= 10
    assert noted == [signal.SIGTERM]
    assert ledger.status("job").n_work["running"] == 0
    assert job(ledger, lambda batch: batch).run(BATCHES).is_complete


def test_ctrl_c_is_raised_when_the_run_is_at_rest(ledger):
    """Where the program has no handler of its own, Ctrl-C ends it as ever."""
    # programs in the background of a shell are started with Ctrl-C ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            job(ledger, raising_at(10, signal.SIGINT)).run(BATCHES)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ledger.totals("job").n_work == 11


def test_a_wait_between_tries_ends_at_a_signal(ledger, noted):
    """A batch that waits for a service is given up at once."""

    def work(batch):
        if batch[0]["id"] == 3:
            signal.raise_signal(signal.SIGTERM)
            message = "no answer"
            raise ConnectionError(message)
        return batch

    report = job(ledger, work).run(BATCHES)
    assert report.interrupted == "SIGTERM"
    assert report.counts.n_batches["failed"] == 0
    assert noted == [signal.SIGTERM]
    assert job(ledger, lambda batch: batch).run(BATCHES).is_complete


def test_an_exception_that_is_none_of_the_data_hands_work_back(ledger):
    """SystemExit in the function, for example."""

    def work(batch):
        if batch[0]["id"] == 5:
            raise SystemExit(3)
        return batch

    with pytest.raises(SystemExit):
        job(ledger, work).run(BATCHES)
    assert ledger.status("job").n_work["running"] == 0
    assert job(ledger, lambda batch: batch).run(BATCHES).is_complete


def test_handlers_are_put_back(ledger):
    """Also after an error."""
    before = signal.getsignal(signal.SIGTERM)
    job(ledger, lambda batch: batch).run(BATCHES[:1])
    with pytest.raises(SystemExit):
        job(ledger, lambda _: sys.exit(1), namespace="b").run(BATCHES[:1])
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_leave_signals_alone(ledger):
    """Python delivers them to the main thread only."""
    reports = []
    thread = threading.Thread(
        target=lambda: reports.append(job(ledger, lambda batch: batch).run(BATCHES))
    )
    thread.start()
    thread.join()
    assert reports[0].is_complete


PROGRAM = """
import signal, sys
from prodml.batch import BatchProcessor, SqliteLedger, TableSink

def work(batch):
    if batch[0]["id"] == 7:
        signal.raise_signal(signal.SIGTERM)
    return batch

with SqliteLedger(sys.argv[1]) as ledger:
    job = BatchProcessor(work, ledger=ledger, namespace="job", sink=TableSink("out"))
    job.run([{"id": n}] for n in range(30))
print("not reached")
"""


def test_sigterm_ends_a_program_as_ever(tmp_path):
    """After the batch in hand is stored: whoever runs the machine sees the signal's exit code."""
    path = tmp_path / "ledger.db"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGTERM, done.stderr
    assert done.stdout == ""
    with SqliteLedger(path) as ledger:
        assert ledger.totals("job").n_work == 8
        assert ledger.status("job").n_work["running"] == 0
