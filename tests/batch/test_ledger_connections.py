"""Several connections to one ledger: nobody deadlocks, nobody sees half of what another does."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import numpy as np
import pytest

from prodml.batch import RecordKeys, SqliteLedger, WorkFailure, WorkKey, WorkResult
from prodml.batch import _ledger_view as view
from prodml.errors import StorageError
from prodml.testing import FakeClock
from tests.postgres import new_schema

LEASE = timedelta(seconds=60)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def connect(request, tmp_path):
    """Return a function that opens one more connection to the same ledger."""
    opened = []
    if request.param == "postgres":
        server, schema = request.getfixturevalue("postgres_server"), new_schema()

    def connect_(**options):
        if request.param == "sqlite":
            ledger = SqliteLedger(tmp_path / "ledger.db", **options)
        else:
            from prodml.integrations.postgres import PostgresLedger

            ledger = PostgresLedger(server, schema=schema, **options)
        opened.append(ledger)
        return ledger

    yield connect_
    for ledger in opened:
        ledger.close()


def work(*numbers):
    """Return keys of work."""
    return [WorkKey(b"k1:%06d" % number, b"") for number in numbers]


def claim(ledger, now, *numbers, owner="w"):
    """Claim work."""
    return ledger.claim(
        "job", work(*numbers), owner=owner, now=now, until=now + LEASE, max_attempts=99
    )


def done(claim, tallies=""):
    """Return the result of some work: one record."""
    return WorkResult(claim.key, claim.fence, 0, 1, 1, 0, 1, tallies)


def in_threads(functions):
    """Run functions at once, and return what they raised."""
    errors = []

    def run(function):
        try:
            function()
        except Exception as error:  # noqa: BLE001 - told by the caller
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_workers_that_want_the_same_keys_never_wait_for_each_other(connect):
    """Each takes, renews, fails and commits the same keys in an order of its own, many at a time.

    A deadlock would be an error of the database, and a mark made twice a wrong total.
    """
    n_keys, now = 40, FakeClock().now()
    committed, ledgers = [], [connect() for _ in range(4)]

    def run(number):
        ledger, rng = ledgers[number], random.Random(number)
        for turn in range(12):
            keys = rng.sample(range(n_keys), n_keys)
            held = claim(ledger, now, *keys, owner=f"{number}-{turn}")
            rng.shuffle(held)
            assert ledger.heartbeat("job", held, until=now + LEASE) == frozenset()
            n_good = 1 + len(held) // 4
            failures = [WorkFailure(*one[:2], "failed", 1, "no") for one in held[n_good:]]
            assert ledger.fail("job", failures, now=now) == frozenset()
            assert ledger.commit("job", [*map(done, held[:n_good])], now=now) == frozenset()
            committed.extend(one.key for one in held[:n_good])

    assert in_threads([lambda at=at: run(at) for at in range(len(ledgers))]) == []
    assert len(set(committed)) == len(committed)
    assert ledgers[0].totals("job").n_work == len(committed)


def test_two_who_think_that_they_hold_the_same_work_do_not_deadlock(connect):
    """The one who was overtaken does not know it yet, and asks in an order of its own."""
    ledgers = [connect() for _ in range(4)]
    now = FakeClock().now()
    held = claim(ledgers[0], now, *range(300))

    def run(number):
        rng = random.Random(number)
        for turn in range(15):
            mine = rng.sample(held, len(held))
            lost = ledgers[number].heartbeat("job", mine, until=now + (turn + 1) * LEASE)
            assert lost == frozenset()

    assert in_threads([lambda at=at: run(at) for at in range(len(ledgers))]) == []

    rng, lost = random.Random(9), []

    def commit(number):
        results = [done(one) for one in rng.sample(held, len(held))]
        lost.extend(ledgers[number].commit("job", results, now=now))

    assert in_threads([lambda at=at: commit(at) for at in range(len(ledgers))]) == []
    assert len(lost) == 3 * len(held)
    assert ledgers[0].totals("job").n_work == len(held)


def test_those_who_forget_do_not_wait_for_those_who_ask_again(connect):
    """Purges beside claims of the same keys, which a database may lock in any order."""
    clock = FakeClock()
    ledgers = [connect(clock=clock) for _ in range(3)]
    numbers, now = list(range(60)), clock.now()
    n_committed = [0] * len(ledgers)

    def redo(at):
        for turn in range(10):
            keys = numbers if turn % 2 else numbers[::-1]
            held = claim(ledgers[at], now, *keys)
            lost = ledgers[at].commit("job", [*map(done, held)], now=now)
            n_committed[at] += len(held) - len(lost)

    def forget():
        for _ in range(10):
            ledgers[2].purge(older_than=now + timedelta(seconds=1))

    assert in_threads([lambda: redo(0), lambda: redo(1), forget]) == []
    assert ledgers[0].totals("job").n_work == sum(n_committed)


def records(numbers):
    """Return keys of records."""
    high = np.array(numbers, dtype=np.int64)
    return RecordKeys(high, high * 0, high * 0)


def test_records_that_several_bring_at_once_are_stored_once(connect):
    """Each brings the same ones in an order of its own; one of them wins, and none deadlocks."""
    ledgers = [connect() for _ in range(4)]
    now, won = FakeClock().now(), []

    def run(number):
        rng = random.Random(number)
        for turn in range(6):
            start = 2000 * turn
            mine = rng.sample(range(start, start + 2000), 2000)
            result = WorkResult(b"k1:%d" % turn, 1, 0, 2000, 2000, 0, 2000)
            if ledgers[number].commit_records("job", records(mine), result, now=now):
                won.append(turn)

    assert in_threads([lambda at=at: run(at) for at in range(len(ledgers))]) == []
    assert sorted(won) == list(range(6))
    assert ledgers[0].totals("job").n_done == 12_000
    assert ledgers[0].known_records("job", records(range(12_000)))[0].all()


def test_jobs_that_begin_at_once_have_namespaces_of_their_own(connect):
    """The first records of several jobs, and of one job in several workers."""
    ledgers = [connect() for _ in range(4)]
    now, start = FakeClock().now(), threading.Barrier(len(ledgers))

    def run(number):
        for turn in range(8):
            start.wait(60)
            for job in (f"shared-{turn}", f"{number}-{turn}"):
                result = WorkResult(b"k1:%d" % number, 1, 0, 1, 1, 0, 1)
                assert ledgers[number].commit_records(job, records([number]), result, now=now)

    assert in_threads([lambda at=at: run(at) for at in range(len(ledgers))]) == []
    for number, ledger in enumerate(ledgers):
        assert ledger.known_records("shared-7", records(range(4)))[0].all()
        known, _ = ledger.known_records(f"{number}-7", records(range(4)))
        assert known.tolist() == [one == number for one in range(4)]


def test_a_stale_owner_is_turned_away_by_another_connection(connect):
    """Its commit waits for the one who took over, and then sees the new fence."""
    one, two = connect(), connect()
    now = FakeClock().now()
    (old,) = claim(one, now, 1)
    (new,) = claim(two, now + 2 * LEASE, 1, owner="w2")
    begun, lost = threading.Event(), []

    def commit_the_old():
        begun.set()
        lost.append(one.commit("job", [done(old)], now=now))

    thread = threading.Thread(target=commit_the_old)

    def write(_session, _lost):
        thread.start()  # while the new owner's transaction is open
        assert begun.wait(30)

    assert two.commit("job", [done(new)], now=now, write=write) == frozenset()
    thread.join()
    assert lost == [frozenset([old.key])]
    assert two.totals("job").n_work == 1


@pytest.mark.needs_postgres
def test_workers_at_other_keys_do_not_wait_on_a_server(postgres_server):
    """While one writes its output, others claim, renew, finish and fail."""
    from prodml.integrations.postgres import PostgresLedger

    schema, now = new_schema(), FakeClock().now()
    with (
        PostgresLedger(postgres_server, schema=schema) as one,
        PostgresLedger(postgres_server, schema=schema) as two,
    ):
        held, other = claim(one, now, 1), claim(two, now, 2)
        give_up_waiting_soon(two)

        def work_beside():
            (third,) = claim(two, now, 3)
            assert two.heartbeat("job", other, until=now + LEASE) == frozenset()
            two.fail("job", [WorkFailure(*third[:2], "failed", 1, "no")], now=now)
            assert two.commit("job", [*map(done, other)], now=now) == frozenset()

        def write(_session, _lost):
            assert in_threads([work_beside]) == []

        assert one.commit("job", [*map(done, held)], now=now, write=write) == frozenset()
        assert one.totals("job").n_work == 2


def test_work_that_ends_during_a_purge_counts_once(connect, monkeypatch):
    """Whatever is forgotten was counted before: no commit comes between the sum and the end."""
    clock = FakeClock()
    one, two = connect(clock=clock), connect(clock=clock)
    begun = clock.now()
    first, late = claim(one, begun, 1, 2)
    one.commit("job", [done(first)], now=begun)
    add_up, errors = view._done_totals, []

    def add_up_and_be_interrupted(*given):
        found = add_up(*given)
        if not errors:
            errors.extend(in_threads([commit_late]))
        return found

    def commit_late():
        two.commit("job", [done(late)], now=begun)

    give_up_waiting_soon(two)
    with monkeypatch.context() as patch:
        patch.setattr(view, "_done_totals", add_up_and_be_interrupted)
        one.purge(older_than=begun + timedelta(seconds=1))
    if errors:  # the purge has kept it out
        assert [type(error) for error in errors] == [StorageError]
        commit_late()
    assert two.totals("job").n_work == 2


def test_work_that_is_claimed_during_a_release_is_released_or_claimed(connect, monkeypatch):
    """Not both: nobody takes a claim away that was made after the look at the state."""
    clock = FakeClock()
    one, two = connect(clock=clock), connect(clock=clock)
    (held,) = claim(one, clock.now(), 1)
    one.fail("job", [WorkFailure(*held[:2], "failed", 1, "no")], now=clock.now())
    check, errors, claims = view._check_releasable, [], []

    def check_and_be_interrupted(*given):
        check(*given)
        errors.extend(in_threads([claim_now]))

    def claim_now():
        claims.extend(claim(two, clock.now(), 1))

    give_up_waiting_soon(two)
    with monkeypatch.context() as patch:
        patch.setattr(view, "_check_releasable", check_and_be_interrupted)
        assert one.release("job", held.key) == 1
    if errors:  # the release has kept it out
        assert [type(error) for error in errors] == [StorageError]
        claim_now()
    assert [(one.fence, one.attempt) for one in claims] == [(2, 1)]
    assert two.commit("job", [*map(done, claims)], now=clock.now()) == frozenset()


def give_up_waiting_soon(ledger):
    """Turn a wait for a lock into an error."""
    database = ledger._database
    if isinstance(ledger, SqliteLedger):
        database._gate._timeout = 0.01
    else:
        database._connection.execute("SET lock_timeout = 50")


@pytest.mark.needs_postgres
@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
def test_the_isolation_is_prodml_s_own(postgres_server, level):
    """Fences are looked at again after a wait; that only READ COMMITTED does."""
    import psycopg

    from prodml.integrations.postgres import PostgresLedger

    option = f"-c default_transaction_isolation='{level}'".replace("d r", r"d\ r").replace(
        "e r", r"e\ r"
    )
    conninfo = psycopg.conninfo.make_conninfo(postgres_server, options=option.replace("'", ""))
    with PostgresLedger(conninfo, schema=new_schema()) as ledger:
        for write, expected in ((True, "read committed"), (False, "repeatable read")):
            with ledger._database.transaction(write=write) as session:
                assert session.execute("SHOW transaction_isolation") == [(expected,)]
