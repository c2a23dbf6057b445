"""Every ledger does what the processor relies on: one suite over SQLite, PostgreSQL and memory."""

from __future__ import annotations

import pytest

from prodml.batch import Ledger, RecordLedger, SqliteLedger
from prodml.testing import LEDGER_CHECKS, MemoryLedger, check_ledger
from tests.postgres import new_schema

LEDGERS = [
    "memory",
    "sqlite-memory",
    "sqlite-file",
    "sqlite-full",
    pytest.param("postgres", marks=pytest.mark.needs_postgres),
]


@pytest.fixture
def make_ledger(request, tmp_path):
    """Return a function that makes new ledgers of one kind, which are closed at the end."""
    opened = []

    def make():
        kind = request.param
        if kind == "memory":
            return MemoryLedger()
        if kind == "sqlite-memory":
            ledger = SqliteLedger(":memory:")
        elif kind == "postgres":
            from prodml.integrations.postgres import PostgresLedger

            server = request.getfixturevalue("postgres_server")
            ledger = PostgresLedger(server, schema=new_schema())
        else:
            durability = "full" if kind == "sqlite-full" else "normal"
            ledger = SqliteLedger(tmp_path / f"{len(opened)}.db", durability=durability)
        opened.append(ledger)
        return ledger

    yield make
    for ledger in opened:
        ledger.close()


@pytest.mark.parametrize("make_ledger", LEDGERS, indirect=True)
@pytest.mark.parametrize("check", LEDGER_CHECKS)
def test_a_ledger_keeps_its_promises(make_ledger, check):
    """The conformance suite, check by check, over a new ledger each."""
    LEDGER_CHECKS[check](make_ledger())


def test_ledgers_fit_the_protocols():
    """They are checked where a ledger comes in."""
    assert isinstance(MemoryLedger(), Ledger)
    assert isinstance(MemoryLedger(), RecordLedger)
    assert not isinstance(object(), Ledger)


class NoFence(MemoryLedger):
    """Takes what anybody brings."""

    def _change(self, namespace, key, fence, **new):
        known = self._work.get((namespace, key))
        return super()._change(namespace, key, known.fence if known else fence, **new)


class NoLease(MemoryLedger):
    """Gives work away that somebody is at."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work, **(options | {"now": options["until"].max.replace(
            tzinfo=options["now"].tzinfo)}))  # fmt: skip


class EternalLease(MemoryLedger):
    """Waits for the dead."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        until = options["until"].max.replace(tzinfo=options["now"].tzinfo)
        return super().claim(namespace, work, **(options | {"until": until}))


class NoPayload(MemoryLedger):
    """Takes the same key for the same work."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(
            namespace, [one._replace(payload_hash=b"p") for one in work], **options
        )


class NoLimit(MemoryLedger):
    """Tries for ever."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work, **(options | {"max_attempts": 10**9}))


class WritesForTheLost(MemoryLedger):
    """Does not say whose work was lost."""

    def _write(self, write, lost, before, wanted):
        super()._write(write, frozenset(), before, wanted)


class WritesFirst(MemoryLedger):
    """Writes also where all is lost."""

    def _write(self, write, lost, before, wanted):
        super()._write(write, lost, before, True)


class KeepsMarks(MemoryLedger):
    """Keeps marks whose output failed."""

    def _write(self, write, lost, before, wanted):
        if write is not None and wanted:
            write(None, lost)


class Spendthrift(MemoryLedger):
    """Counts what was given up as a failure."""

    def _change(self, namespace, key, fence, **new):
        new.pop("attempt", None)
        return super()._change(namespace, key, fence, **new)


class OneNamespace(MemoryLedger):
    """Mixes up jobs."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim("n", work, **options)


class NeverForgets(MemoryLedger):
    """Keeps results for ever."""

    def _change(self, namespace, key, fence, **new):
        new.pop("expires_at", None)
        return super()._change(namespace, key, fence, **new)


class NeverRenews(MemoryLedger):
    """Says that it has."""

    def heartbeat(self, namespace, claims, /, *, until):
        """Break it."""
        return frozenset()


class BelievesNobodyGone(MemoryLedger):
    """Waits for processes that have ended."""

    def claim(self, namespace, work, /, **options):
        """Break it."""
        return super().claim(namespace, work, **(options | {"gone": ()}))


class HalfKeys(MemoryLedger):
    """Looks at half of a record's key."""

    def known_records(self, namespace, keys, /):
        """Break it."""
        return super().known_records(namespace, keys._replace(low=keys.low * 0))

    def commit_records(self, namespace, keys, result, /, **options):
        """Break it."""
        return super().commit_records(namespace, keys._replace(low=keys.low * 0), result, **options)


class OverwritesRecords(MemoryLedger):
    """Commits records a second time."""

    def commit_records(self, namespace, keys, result, /, **options):
        """Break it."""
        self._records.clear()
        return super().commit_records(namespace, keys, result, **options)


class IgnoresRecordPayloads(MemoryLedger):
    """Does not see that a record has changed."""

    def known_records(self, namespace, keys, /):
        """Break it."""
        known, changed = super().known_records(namespace, keys)
        return known, changed & False


BROKEN = [
    NoFence, NoLease, EternalLease, NoPayload, NoLimit, WritesForTheLost, WritesFirst, KeepsMarks,
    Spendthrift, OneNamespace, NeverForgets, NeverRenews, BelievesNobodyGone, HalfKeys,
    OverwritesRecords, IgnoresRecordPayloads,
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_ledger_is_found_out(broken):
    """Each breaks one promise, and the suite names the check that saw it."""
    with pytest.raises(AssertionError, match=r"^\w+: .*expected .*, found |^\w+: .*nothing was"):
        check_ledger(broken)


def test_a_ledger_without_records_passes_without_them():
    """Records are a capability of their own."""

    class Plain:
        def __init__(self):
            self._inner = MemoryLedger()
            for name in ("claim", "heartbeat", "commit", "fail", "get_many"):
                setattr(self, name, getattr(self._inner, name))

    check_ledger(Plain)
