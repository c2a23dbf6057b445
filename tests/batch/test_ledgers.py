"""Every ledger does what the processor relies on: one suite over SQLite, PostgreSQL and memory."""

from __future__ import annotations

import pytest

from prodml.batch import Ledger, RecordLedger, SqliteLedger
from prodml.testing import LEDGER_CHECKS, MemoryLedger, check_ledger
from tests.batch.broken_ledgers import BROKEN
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


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_ledger_is_found_out(broken):
    """Each breaks one promise, and the suite names the check that saw it."""
    with pytest.raises(AssertionError, match=f"^({'|'.join(LEDGER_CHECKS)}): "):
        check_ledger(broken)


@pytest.mark.parametrize("check", LEDGER_CHECKS)
def test_each_check_finds_somebody_out(check):
    """None is there for nothing."""
    found_out = []
    for broken in BROKEN:
        try:
            LEDGER_CHECKS[check](broken())
        except Exception:  # noqa: BLE001 - of whatever kind: it was found out
            found_out.append(broken)
    assert found_out


def test_a_ledger_without_records_passes_without_them():
    """Records are a capability of their own."""

    class Plain:
        def __init__(self):
            self._inner = MemoryLedger()
            for name in ("claim", "heartbeat", "commit", "fail", "get_many"):
                setattr(self, name, getattr(self._inner, name))

    check_ledger(Plain)
