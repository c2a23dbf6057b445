"""Any sequence of operations leaves every store in the state of the plain one in memory."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodml.errors import QuarantineError
from prodml.quarantine import (
    Delivery,
    EntryFilter,
    Settlement,
    SqliteQuarantine,
)
from prodml.rejections import Reason
from prodml.testing import MemoryQuarantine
from tests.postgres import new_schema

_START = datetime(2026, 3, 4, tzinfo=UTC)
_REASONS = [
    (Reason(column="a", rule="int_parsing", message="not a number"),),
    (
        Reason(column="a", rule="int_parsing", message="not a number"),
        Reason(column="b", rule="missing", message="is missing"),
    ),
]


def _delivery(batch, source, first_row, words, minute, max_pending):
    """Make a delivery of a stretch in which some rows (None) are accepted."""
    rows = {first_row + at: word for at, word in enumerate(words) if word is not None}
    content = [f'["{word}"]' for word in rows.values()]
    return Delivery(
        source=source,
        contract="c",
        fingerprint=f"f{minute % 2}",
        batch=batch,
        first_row=first_row,
        n_rows=len(words),
        rows=tuple(rows),
        digests=[blake2b(f"{source}{one}".encode(), digest_size=16).digest() for one in content],
        layout="{}",
        payloads=content,
        keys=None,
        reason_sets=_REASONS,
        reasons=[len(one) % 2 for one in content],
        redacted=False,
        at=_START + timedelta(minutes=minute),
        max_pending=max_pending,
    )


_puts = st.tuples(
    st.just("put"),
    st.sampled_from(["monday", "tuesday"]),
    st.sampled_from(["s", "s", "t"]),
    st.integers(0, 4),
    st.lists(st.sampled_from([None, "x", "x", "yy", "z"]), max_size=5),
    st.sampled_from([None, None, None, 4]),
)
_choices = st.lists(st.integers(0, 9), max_size=3)
_steps = st.one_of(
    _puts,
    _puts,
    st.tuples(st.just("decide"), st.sampled_from(["released", "discarded"]), _choices),
    st.tuples(st.just("settle"), _choices, _choices),
    st.tuples(
        st.just("purge"),
        st.integers(0, 12),
        st.sampled_from([("replayed",), ("released", "discarded"), ("discarded",)]),
    ),
)


def _apply(store, step, minute):
    """Carry out a step, and return what a caller sees of it."""
    at = _START + timedelta(minutes=minute)
    ids = [one.id for one in store.entries(EntryFilter())]

    def chosen(places):
        return list(dict.fromkeys(ids[place] for place in places if place < len(ids)))

    name, *facts = step
    try:
        if name == "put":
            batch, source, first_row, words, max_pending = facts
            return store.put(_delivery(batch, source, first_row, words, minute, max_pending))
        if name == "decide":
            state, places = facts
            return store.decide(chosen(places), state, by="eve", note="n", at=at)
        if name == "settle":
            fits, fails = (chosen(places) for places in facts)
            rejected = {one: _REASONS[1] for one in fails if one not in fits}
            settlement = Settlement(accepted=fits, rejected=rejected, run="r", by=None, at=at)
            return store.settle(settlement)
        before, states = facts
        return store.purge(decided_before=_START + timedelta(minutes=before), states=states)
    except QuarantineError as error:
        return type(error).__name__


def _check(store, steps):
    model = MemoryQuarantine()
    for minute, step in enumerate(steps):
        told = _apply(store, step, minute), _apply(model, step, minute)
        assert told[0] == told[1], step
        assert list(store.entries(EntryFilter())) == list(model.entries(EntryFilter())), step
    assert store.counts() == model.counts()
    for which in (
        EntryFilter(states=("pending",), source="s"),
        EntryFilter(rule="missing", limit=2),
        EntryFilter(batch="monday", max_attempts=2),
    ):
        assert list(store.entries(which)) == list(model.entries(which))


@given(st.lists(_steps, max_size=12))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_sqlite_does_what_the_plain_store_does(steps):
    """Random deliveries, second tries, decisions, replays and purges over an embedded store."""
    with contextlib.closing(SqliteQuarantine(":memory:")) as store:
        _check(store, steps)


@pytest.mark.needs_postgres
@given(steps=st.lists(_steps, max_size=12))
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_postgres_does_what_the_plain_store_does(postgres_server, steps):
    """The same over a real server."""
    from prodml.integrations.postgres import PostgresQuarantine

    with contextlib.closing(PostgresQuarantine(postgres_server, schema=new_schema())) as store:
        _check(store, steps)
