"""What people ask a ledger: states, totals, releases, retention."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prodml.batch import (
    BatchProcessor,
    SqliteLedger,
    Totals,
    WorkFailure,
    WorkKey,
    WorkResult,
    key_from_text,
    key_text,
)
from prodml.errors import BatchError, FormatError, MergeError
from prodml.testing import FakeClock, check_evidence_source
from tests.postgres import new_schema


@pytest.fixture
def clock():
    """Return a clock that stands still."""
    return FakeClock()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def ledger(request, clock):
    """Yield a ledger whose clock stands still."""
    if request.param == "sqlite":
        ledger = SqliteLedger(":memory:", clock=clock)
    else:
        from prodml.integrations.postgres import PostgresLedger

        server = request.getfixturevalue("postgres_server")
        ledger = PostgresLedger(server, schema=new_schema(), clock=clock)
    yield ledger
    ledger.close()


def key(number):
    """Return a key."""
    return f"k1:{number:032d}".encode()


def claim(ledger, clock, *numbers, **options):
    """Claim some work."""
    now = clock.now()
    given_ = {"owner": "w", "now": now, "until": now + timedelta(seconds=60), "max_attempts": 5}
    work = [WorkKey(key(number), b"") for number in numbers]
    return sorted(ledger.claim("job", work, **(given_ | options)))


def finish(ledger, clock, *numbers, tallies=""):
    """Do some work: three records each, of which one is put aside."""
    results = [
        WorkResult(one.key, one.fence, 9 - number, 3, 2, 1, 2, tallies)
        for number, one in enumerate(claim(ledger, clock, *numbers))
    ]
    assert ledger.commit("job", results, now=clock.now()) == frozenset()


def fail(ledger, clock, number, state, error="<b>no</b>"):
    """Fail at some work."""
    (one,) = claim(ledger, clock, number)
    ledger.fail("job", [WorkFailure(one.key, one.fence, state, 3, error)], now=clock.now())


def test_status_counts_states(ledger, clock):
    """Work and records by state, claims that ran out, and the oldest one."""
    finish(ledger, clock, 1, 2)
    fail(ledger, clock, 3, "failed")
    fail(ledger, clock, 4, "quarantined")
    clock.advance(5)
    claim(ledger, clock, 5)
    begun = clock.now()
    clock.advance(30)
    claim(ledger, clock, 6)
    clock.advance(31)
    status = ledger.status("job")

    assert dict(status.n_work) == {
        "pending": 0, "running": 2, "done": 2, "failed": 1, "quarantined": 1,
    }  # fmt: skip
    assert (status.n_records["done"], status.n_records["quarantined"]) == (6, 3)
    assert (status.n_expired, status.oldest_claim, status.at) == (1, begun, clock.now())
    assert status.to_frame()["n_work"].sum() == 6
    assert status.to_dict()["n_expired"] == 1
    assert "running" in status._repr_html_()
    ledger.heartbeat("job", claim(ledger, clock, 7), until=clock.now())
    assert ledger.status("job").oldest_claim == begun
    check_evidence_source(status)
    assert ledger.status("other").n_work["done"] == 0
    assert ledger.namespaces() == ("job",)


def test_a_claim_that_is_taken_over_is_as_old_as_its_new_owner(ledger, clock):
    """Nobody need look for the old one."""
    claim(ledger, clock, 1)
    clock.advance(61)
    claim(ledger, clock, 1, owner="w2")
    (one,) = ledger.work("job")

    assert (one.owner, one.attempt, one.updated_at) == ("w2", 2, clock.now())
    assert one.lease_until == clock.now() + timedelta(seconds=60)
    assert ledger.status("job").oldest_claim == clock.now()
    for seconds, n_expired in ((60, 0), (1, 1)):
        clock.advance(seconds)
        assert ledger.status("job").n_expired == n_expired


def test_work_is_shown_in_the_order_of_its_run(ledger, clock):
    """With all that is known, as a frame and as a table in which nothing runs."""
    finish(ledger, clock, 1, 2)
    claim(ledger, clock, 4)
    fail(ledger, clock, 3, "quarantined")
    work = ledger.work("job")

    assert [one.state for one in work] == ["quarantined", "running", "done", "done"]
    assert [one.number for one in work] == [0, 0, 8, 9]
    assert ledger.done_keys("job") == (key(2), key(1))
    (waiting,) = ledger.quarantined("job")
    assert (waiting.key, waiting.error, waiting.n_records) == (key_text(key(3)), "<b>no</b>", 3)
    assert waiting.lease_until is None
    (running,) = ledger.work("job", state="running")
    assert running.lease_until == clock.now() + timedelta(seconds=60)
    assert work.to_frame()["owner"].tolist() == ["w"] * 4
    assert repr(work) == "WorkRecords(4 pieces of work)"
    assert "<b>" not in work._repr_html_()


def test_work_that_is_done_has_no_error(ledger, clock):
    """What was wrong before is over."""
    fail(ledger, clock, 1, "failed", error="x" * 3000)
    assert len(ledger.work("job")[0].error) == 2000
    finish(ledger, clock, 1)
    assert (ledger.work("job")[0].state, ledger.work("job")[0].error) == ("done", "")


def test_released_work_has_all_its_attempts(ledger, clock):
    """By keys as they are or as text; one at a time or several."""
    for number in (1, 2, 3):
        fail(ledger, clock, number, "quarantined")
    assert claim(ledger, clock, 1, 2, 3) == []
    assert ledger.release("job", key_text(key(1))) == 1
    assert ledger.release("job", [key(2), key(3)]) == 2
    assert [one.attempt for one in claim(ledger, clock, 1, 2, 3)] == [1, 1, 1]


def test_a_release_is_a_change_of_its_own_time(ledger, clock):
    """Nothing else of the work changes, and the number of its batch stays."""
    (one,) = claim(ledger, clock, 1)
    finish(ledger, clock, 3, 2)
    ledger.fail("job", [WorkFailure(*one[:2], "failed", 3, "no")], now=clock.now())
    before = ledger.work("job", state="failed")[0]
    clock.advance(7)
    ledger.release("job", key(1))
    (after,) = ledger.work("job", state="pending")
    assert after == replace(before, state="pending", attempt=0, updated_at=clock.now())


@pytest.mark.parametrize("state", ["pending", "done", "running", "unknown"])
def test_other_work_is_not_released(ledger, clock, state):
    """All or nothing: what is done stays done."""
    fail(ledger, clock, 1, "failed")
    if state == "done":
        finish(ledger, clock, 2)
    elif state == "running":
        claim(ledger, clock, 2)
    elif state == "pending":
        fail(ledger, clock, 2, "pending")
    with pytest.raises(BatchError, match=f"is {state}") as caught:
        ledger.release("job", [key(1), key(2)])
    assert (caught.value.namespace, caught.value.keys) == ("job", (key_text(key(2)),))
    assert ledger.work("job", state="failed")[0].attempt == 1
    with pytest.raises(BatchError, match=rf"{key_text(key(8))} is unknown.*{key_text(key(9))} is"):
        ledger.release("job", [key(9), key(8)])


@pytest.mark.parametrize("text", ["k2:00", "k1:xyz", "00", "k1:"])
def test_what_is_no_key_is_refused(ledger, text):
    """Instead of finding nothing."""
    with pytest.raises(FormatError, match="hexadecimal"):
        ledger.release("job", text)
    assert key_from_text(key_text(b"k1:\x00\xff")) == b"k1:\x00\xff"


TALLIES = st.lists(
    st.dictionaries(
        st.sampled_from("ab"), st.integers(-(10**20), 10**20) | st.floats(-1e200, 1e200)
    ),
    max_size=8,
)


@given(tallies=TALLIES, n_purged=st.integers(0, 8))
@example(tallies=[{"a": 2**53 + 1}, {"a": 0.5}], n_purged=1)  # the int alone is no float
@example(tallies=[{"a": 0}, {"a": 7}, {"a": -7}], n_purged=2)
def test_totals_are_exact_also_when_work_is_forgotten(tallies, n_purged):
    """Fractions are the oracle; ints stay ints, and with floats the sum is rounded once."""
    clock = FakeClock()
    with SqliteLedger(":memory:", clock=clock) as ledger:
        for number, one in enumerate(tallies):
            if number == n_purged:
                clock.advance(1000)
            finish(ledger, clock, number, tallies=json.dumps(one) if one else "")
        before = ledger.totals("job")
        n_forgotten = ledger.purge(older_than=timedelta(seconds=500))
        assert ledger.totals("job").to_dict() == before.to_dict()
        assert ledger.purge(older_than=timedelta(seconds=500)) == 0

    assert n_forgotten == (n_purged if n_purged < len(tallies) else 0)
    for name in "ab":
        values = [one[name] for one in tallies if name in one]
        if not values:
            continue
        found = before.tallies[name]
        if all(isinstance(value, int) for value in values):
            assert (found, type(found)) == (sum(values), int)
        else:
            assert (found, type(found)) == (float(sum(map(Fraction, values))), float)
    assert (before.n_work, before.n_done) == (len(tallies), 2 * len(tallies))


def test_only_what_is_done_and_old_is_forgotten(ledger, clock):
    """And may come again; what waits or runs is never touched."""
    finish(ledger, clock, 1)
    fail(ledger, clock, 2, "quarantined")
    moment = clock.now() + timedelta(seconds=1)
    clock.advance(1)
    finish(ledger, clock, 3)  # at that very moment, not before it

    assert ledger.purge(older_than=moment, namespace="other") == 0
    assert ledger.purge(older_than=moment) == 1
    assert [one.state for one in ledger.work("job")] == ["quarantined", "done"]
    assert ledger.totals("job").n_work == 2
    assert [one.attempt for one in claim(ledger, clock, 1, 3)] == [1]
    with pytest.raises(ValueError, match="time zone"):
        ledger.purge(older_than=datetime(2026, 1, 1))


def test_what_was_forgotten_before_stays_in_the_totals(ledger, clock):
    """However often a ledger is purged."""
    for number in range(3):
        finish(ledger, clock, number, tallies='{"a": 0.5}')
        clock.advance(10)
        ledger.purge(older_than=timedelta(seconds=5))

    assert ledger.done_keys("job") == ()
    assert (ledger.totals("job").n_work, ledger.totals("job").tallies) == (3, {"a": 1.5})


@pytest.mark.parametrize("named", [True, False])
def test_names_of_jobs_may_hold_anything(ledger, clock, named):
    """Also what no database takes as it is, also when they are forgotten with all others."""
    name = "<b>\x00\ud800"
    for number in range(2):
        now = clock.now()
        (one,) = ledger.claim(
            name, [WorkKey(key(number), b"")], owner=name, now=now, until=now, max_attempts=1
        )
        done = WorkResult(one.key, one.fence, 0, 1, 1, 0, 1, '{"a": 0.5}')
        assert ledger.commit(name, [done], now=now) == frozenset()
        clock.advance(10)
        options = {"namespace": name} if named else {}
        assert ledger.purge(older_than=timedelta(seconds=15), **options) == number

    totals = ledger.totals(name)
    assert (totals.namespace, totals.n_work, totals.tallies) == (name, 2, {"a": 1.0})
    (known,) = ledger.namespaces()
    assert ledger.totals(known).n_work == 2
    for shown in (ledger.status(name), ledger.work(name)):
        assert "<b>" not in shown._repr_html_()


def test_records_are_forgotten_by_day(ledger, clock):
    """Those of an earlier day, and no others."""
    from prodml.batch import BusinessKey

    job = BatchProcessor(
        lambda rows: rows, ledger=ledger, namespace="job", key=BusinessKey("id"), clock=clock
    )
    job.process_records([{"id": 1}])
    clock.advance(timedelta(days=2))
    job.process_records([{"id": 2}])
    ledger.purge(older_than=timedelta(days=1))
    report = job.process_records([{"id": 1}, {"id": 2}])

    assert (report.counts.n_records["done"], report.counts.n_records["skipped"]) == (1, 1)
    assert ledger.totals("job").n_done == 3


def test_records_are_not_forgotten_within_their_day(ledger, clock):
    """Nor those of another job."""
    from prodml.batch import BusinessKey

    def run(name):
        job = BatchProcessor(
            lambda rows: rows, ledger=ledger, namespace=name, key=BusinessKey("id"), clock=clock
        )
        return job.process_records([{"id": 1}]).counts.n_records["done"]

    assert [run(name) for name in "cab"] == [1, 1, 1]
    assert ledger.namespaces() == ("a", "b", "c")
    clock.set(datetime(2026, 1, 1, 23, 59, tzinfo=UTC))
    assert ledger.purge(older_than=clock.now(), namespace="b") == 1
    assert [run(name) for name in "abc"] == [0, 0, 0]
    clock.set(datetime(2026, 1, 2, tzinfo=UTC))
    assert ledger.purge(older_than=clock.now(), namespace="b") == 0
    assert [run(name) for name in "abc"] == [0, 1, 0]


def test_totals_of_two_jobs_are_not_added():
    """They are not about the same thing."""
    with pytest.raises(MergeError):
        Totals(namespace="a") + Totals(namespace="b")
    other = Totals(namespace="a").to_json().replace("/1", "/9")
    for text in ("", "{}", "[]", '{"format": "other", "namespace": "a"}', other):
        with pytest.raises(FormatError):
            Totals.from_json(text)
