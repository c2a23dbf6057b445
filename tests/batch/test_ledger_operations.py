"""Whatever is asked of a ledger, in whatever order: all ledgers answer alike, and count alike."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodml._core.stored_values import to_microseconds
from prodml.batch import RecordKeys, SqliteLedger, WorkFailure, WorkKey, WorkResult
from prodml.testing import FakeClock, MemoryLedger
from tests.postgres import new_schema

JOBS = ("a", "b")
N_KEYS = 2
OWNERS = ("w1", "w2", "w3")
SEVERAL = st.lists(st.integers(-3, 9), min_size=1, max_size=3, unique=True)


def key(number):
    """Return a key."""
    return b"k1:%d" % number


#: What may be asked, with its arguments. Claims are named by their position among all so far,
#: from either end.
OPERATIONS = {
    "claim": st.fixed_dictionaries(
        {
            "work": st.dictionaries(
                st.integers(0, N_KEYS - 1), st.sampled_from([b"p", b"p", b"p", b"q"]), min_size=1
            ),
            "owner": st.sampled_from(OWNERS),
            "lease": st.integers(0, 30),
            "max_attempts": st.integers(1, 4),
            "gone": st.lists(st.sampled_from(OWNERS), max_size=2, unique=True),
        }
    ),
    "heartbeat": st.fixed_dictionaries({"which": SEVERAL, "lease": st.integers(0, 30)}),
    "commit": st.fixed_dictionaries(
        {
            "which": SEVERAL,
            "lasts": st.sampled_from([None, None, 5, 20]),
            "breaks": st.sampled_from([False, False, False, True]),
        }
    ),
    "fail": st.fixed_dictionaries(
        {"which": SEVERAL, "state": st.sampled_from(["pending", "failed", "quarantined"])}
    ),
    "records": st.fixed_dictionaries(
        {
            "high": st.lists(st.integers(-2, 2), min_size=1, max_size=3, unique=True),
            "low": st.integers(0, 1),
            "payload": st.integers(0, 1),
            "breaks": st.booleans(),
        }
    ),
    # clocks are set, too, and not only forward
    "wait": st.fixed_dictionaries({"seconds": st.integers(-10, 40)}),
}
#: What is asked more often than else.
OFTEN = ("claim", "claim", "commit", "commit")
STEPS = st.lists(
    st.sampled_from([*OPERATIONS, *OFTEN]).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(JOBS), OPERATIONS[name])
    ),
    min_size=5,
    max_size=40,
)


class BrokenOutputError(Exception):
    """What a sink may raise."""


class Driver:
    """Asks one ledger, and keeps count by itself of what is done."""

    def __init__(self, ledger, clock):
        self.ledger = ledger
        self.clock = clock
        self.claims = {job: [] for job in JOBS}
        #: job and key -> number of records, of what is done
        self.done = {}
        self.n_record_commits = 0

    def ask(self, name, job, arguments):
        """Do one step, and return the answer with all that is known then."""
        answer = getattr(self, name)(job, **arguments)
        keys = [key(number) for number in range(N_KEYS)]
        return answer, {one: dict(self.ledger.get_many(one, keys)) for one in JOBS}

    def claim(self, job, *, work, owner, lease, max_attempts, gone):
        """Claim, and remember the claims."""
        now = self.clock.now()
        claims = sorted(
            self.ledger.claim(
                job,
                [WorkKey(key(number), payload) for number, payload in work.items()],
                owner=owner,
                now=now,
                until=now + timedelta(seconds=lease),
                max_attempts=max_attempts,
                gone=gone,
            )
        )
        self.claims[job] += claims
        for one in claims:  # what was done has expired then
            self.done.pop((job, one.key), None)
        return claims

    def held(self, job, which):
        """Return some claims of any age, one for a key."""
        made = self.claims[job]
        chosen = [made[at % len(made)] for at in which] if made else []
        return list({one.key: one for one in chosen}.values())

    def heartbeat(self, job, *, which, lease):
        """Renew claims."""
        until = self.clock.now() + timedelta(seconds=lease)
        return self.ledger.heartbeat(job, self.held(job, which), until=until)

    def commit(self, job, *, which, lasts, breaks):
        """Finish claimed work; the output may fail."""
        now, told = self.clock.now(), []
        expires_at = 0 if lasts is None else to_microseconds(now + timedelta(seconds=lasts))
        results = [
            WorkResult(*one[:2], 0, 3, 2, 1, 4, '{"t": 0.1}', f'"{one.fence}"', expires_at)
            for one in self.held(job, which)
        ]

        def write(_session, lost):
            told.append(lost)
            if breaks:
                raise BrokenOutputError

        if breaks:
            try:
                return self.ledger.commit(job, results, now=now, write=write), told
            except BrokenOutputError:
                return "broken", told
        lost = self.ledger.commit(job, results, now=now, write=write)
        self.done |= {(job, one.key): 3 for one in results if one.key not in lost}
        return lost, told

    def fail(self, job, *, which, state):
        """Fail at claimed work."""
        failures = [WorkFailure(*one[:2], state, 3, "no") for one in self.held(job, which)]
        return self.ledger.fail(job, failures, now=self.clock.now())

    def records(self, job, *, high, low, payload, breaks):
        """Look records up, and commit them."""
        ones = np.ones(len(high), dtype=np.int64)
        keys = RecordKeys(np.array(high, dtype=np.int64), low * ones, payload * ones)
        known = [one.tolist() for one in self.ledger.known_records(job, keys)]
        name, told = b"k1:r%d" % self.n_record_commits, []
        result = WorkResult(name, 1, 0, len(high), len(high), 0, 1)

        def write(_session, lost):
            told.append(lost)
            if breaks:
                raise BrokenOutputError

        try:
            committed = self.ledger.commit_records(
                job, keys, result, now=self.clock.now(), write=write
            )
        except BrokenOutputError:
            return known, "broken", told
        assert committed == (not any(known[0])), "all of them were new, or none was stored"
        if committed:
            self.n_record_commits += 1
            self.done[job, name] = len(high)
        return known, committed, told, dict(self.ledger.get_many(job, [name]))

    def wait(self, job, *, seconds):
        """Let time pass, or have the clock put back."""
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))


def compare(ledger, clock, steps):
    """Ask a ledger and the plain one the same, step by step, and count what is done."""
    plain, other = Driver(MemoryLedger(), clock), Driver(ledger, clock)
    for name, job, arguments in steps:
        if name == "wait":
            plain.wait(job, **arguments)  # there is one clock
            continue
        expected = plain.ask(name, job, arguments)
        assert other.ask(name, job, arguments) == expected, (name, job, arguments)

    for job in JOBS:
        counts = [n for (of_job, _), n in plain.done.items() if of_job == job]
        totals = ledger.totals(job)
        assert (totals.n_work, totals.n_records) == (len(counts), sum(counts))
        states = Counter(
            entry.state
            for entry in plain.ledger.get_many(job, [key(n) for n in range(N_KEYS)]).values()
        )
        states["done"] = len(counts)
        assert {state: n for state, n in ledger.status(job).n_work.items() if n} == +states
        old = ledger.purge(older_than=clock.now() + timedelta(days=1), namespace=job)
        assert (old, ledger.totals(job).to_dict()) == (len(counts), totals.to_dict())


@given(steps=STEPS)
def test_sqlite_answers_as_the_plain_ledger_does(steps):
    """Claims, renewals, commits, failures and records, under a clock that also goes back."""
    clock = FakeClock()
    with SqliteLedger(":memory:", clock=clock) as ledger:
        compare(ledger, clock, steps)


@pytest.mark.needs_postgres
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_postgres_answers_as_the_plain_ledger_does(postgres_server, steps):
    """The same, over a real server."""
    from prodml.integrations.postgres import PostgresLedger

    clock = FakeClock()
    with PostgresLedger(postgres_server, schema=new_schema(), clock=clock) as ledger:
        compare(ledger, clock, steps)
