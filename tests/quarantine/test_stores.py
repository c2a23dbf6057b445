"""Every store does what the queue relies on: one suite over SQLite, PostgreSQL and memory."""

from __future__ import annotations

import pytest

from prodml.quarantine import QuarantineStore, SqliteQuarantine
from prodml.testing import QUARANTINE_STORE_CHECKS, MemoryQuarantine, check_quarantine_store
from tests.postgres import new_schema

STORES = [
    "memory",
    "sqlite-memory",
    "sqlite-file",
    pytest.param("postgres", marks=pytest.mark.needs_postgres),
]


@pytest.fixture
def make_store(request, tmp_path):
    """Return a function that makes new stores of one kind, which are closed at the end."""
    opened = []

    def make():
        kind = request.param
        if kind == "memory":
            store = MemoryQuarantine()
        elif kind == "sqlite-memory":
            store = SqliteQuarantine(":memory:")
        elif kind == "sqlite-file":
            store = SqliteQuarantine(tmp_path / f"{len(opened)}.db")
        else:
            from prodml.integrations.postgres import PostgresQuarantine

            server = request.getfixturevalue("postgres_server")
            store = PostgresQuarantine(server, schema=new_schema())
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.mark.parametrize("make_store", STORES, indirect=True)
@pytest.mark.parametrize("check", QUARANTINE_STORE_CHECKS)
def test_a_store_keeps_its_promises(make_store, check):
    """The conformance suite, check by check, over a new store each."""
    QUARANTINE_STORE_CHECKS[check](make_store())


def test_the_suite_names_the_check_that_failed():
    """A store that forgets is found out, with what was expected and what was found."""

    class Forgetful(MemoryQuarantine):
        def entries(self, which, /):
            return iter(list(super().entries(which))[:1])

    with pytest.raises(AssertionError, match=r"^\w+: .*expected .*, found "):
        check_quarantine_store(Forgetful)


def test_a_class_without_the_methods_is_no_store():
    """The protocol is checked where a store comes in."""
    assert not isinstance(object(), QuarantineStore)
