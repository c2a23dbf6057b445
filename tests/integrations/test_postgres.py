"""PostgreSQL as prodml uses it: one schema, clear errors, a connection that comes back."""

from __future__ import annotations

import multiprocessing
import pickle
import sys

import pandas as pd
import pytest
from pydantic import BaseModel, Field

from prodml._core.sql import DuplicateRowError
from prodml.contracts import Contract
from prodml.errors import MissingDependencyError, NewerSchemaError, StorageError
from prodml.quarantine import EntryFilter, QuarantineQueue
from tests.postgres import new_schema


class Order(BaseModel):
    id: int
    quantity: int = Field(ge=1)


CONTRACT = Contract(Order, name="order", key="id")


def rejected(*quantities):
    """Return a result with one rejected row for each quantity below 1."""
    frame = pd.DataFrame({"id": range(len(quantities)), "quantity": quantities})
    return CONTRACT.validate_frame(frame)


@pytest.fixture
def schema():
    """Return the name of a schema of this test's own."""
    return new_schema()


@pytest.fixture
def store(postgres_server, schema):
    """Yield an open store."""
    from prodml.integrations.postgres import PostgresQuarantine

    store = PostgresQuarantine(postgres_server, schema=schema)
    yield store
    store.close()


@pytest.mark.needs_postgres
def test_a_queue_over_postgres(store):
    """The first lines that a user runs: put, look, mend, replay."""
    queue = QuarantineQueue(store)
    receipt = queue.put(rejected(3, -2, 0), source="orders", batch="monday")
    report = queue.replay(CONTRACT, repair=lambda row: row | {"quantity": 5})

    assert (receipt.n_new, receipt.batch_rows) == (2, 3)
    assert report.accepted["quantity"].tolist() == [5, 5]
    assert queue.summary().count("replayed") == 2


@pytest.mark.needs_postgres
def test_another_connection_sees_the_same_entries(store, postgres_server, schema):
    """Several machines share one queue."""
    from prodml.integrations.postgres import PostgresQuarantine

    QuarantineQueue(store).put(rejected(0), source="s")
    other = PostgresQuarantine(postgres_server, schema=schema)

    assert list(other.entries(EntryFilter())) == list(store.entries(EntryFilter()))
    other.close()


@pytest.mark.needs_postgres
def test_a_connection_that_broke_comes_back(store, postgres_server):
    """One operation fails and stores nothing; the next one works."""
    import psycopg

    queue = QuarantineQueue(store)
    queue.put(rejected(0), source="s")
    with store._database.transaction(write=False) as session:
        ((backend,),) = session.execute("SELECT pg_backend_pid()")
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", (backend,))

    with pytest.raises(StorageError, match="Nothing of this operation was stored"):
        queue.put(rejected(-1), source="s")
    queue.put(rejected(-1), source="s")
    assert queue.depth() == 2


@pytest.mark.needs_postgres
def test_names_keep_their_signs(store):
    """Where nothing is bound, ``%`` and ``?`` are what they are; columns are called so."""
    with store._database.transaction(write=True) as session:
        session.change('CREATE TABLE odd ("share_%" BIGINT, "really?" TEXT, "%s" TEXT)')
        session.insert_many("odd", ['"share_%"', '"really?"', '"%s"'], [(1, "a%s", "b?")])
        assert session.execute('SELECT "share_%", "really?", "%s" FROM odd') == [(1, "a%s", "b?")]
        assert session.execute("SELECT 7 % 4, 'a?' LIKE '%?'") == [(3, True)]
        assert session.change('UPDATE odd SET "share_%" = "share_%" % 1') == 1


@pytest.mark.needs_postgres
def test_a_row_that_is_there_already_says_so(store):
    """Apart from other errors, since it may be somebody else's doing."""
    import psycopg

    with store._database.transaction(write=True) as session:
        session.change("CREATE TABLE n (id BIGINT PRIMARY KEY, v BIGINT CHECK (v > 0))")
        session.insert_many("n", ("id", "v"), [(1, 1)])
    for row, error in (((1, 2), DuplicateRowError), ((2, 0), psycopg.IntegrityError)):
        with pytest.raises(error), store._database.transaction(write=True) as session:
            session.insert_many("n", ("id", "v"), [row])
    with store._database.transaction(write=False) as session:
        assert session.execute("SELECT * FROM n") == [(1, 1)]


@pytest.mark.needs_postgres
def test_a_newer_layout_is_refused(store, postgres_server, schema):
    """Nobody writes into a layout that he does not know."""
    from prodml.integrations.postgres import PostgresQuarantine

    with store._database.transaction(write=True) as session:
        session.change("UPDATE layout_version SET version = 99")

    with pytest.raises(NewerSchemaError, match="Upgrade prodml") as caught:
        PostgresQuarantine(postgres_server, schema=schema)
    assert (caught.value.found, caught.value.supported) == (99, 1)


@pytest.mark.needs_postgres
def test_a_user_without_rights_is_told_what_to_ask_for(store, postgres_server, schema):
    """The schema is named."""
    import psycopg

    from prodml.integrations.postgres import PostgresQuarantine

    role = f"r_{schema[-8:]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN")
    limited = psycopg.conninfo.make_conninfo(postgres_server, user=role)

    with pytest.raises(StorageError, match=f"Have the schema '{schema}' made and granted"):
        PostgresQuarantine(limited, schema=schema)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"DROP ROLE {role}")


@pytest.mark.needs_postgres
def test_a_server_that_does_not_answer(tmp_path):
    """The error names the server, without the password."""
    from prodml.integrations.postgres import PostgresQuarantine

    conninfo = f"host={tmp_path} user=eve password=secret dbname=x"
    with pytest.raises(StorageError, match="try again when it answers") as caught:
        PostgresQuarantine(conninfo)

    assert "secret" not in str(caught.value)
    assert "user=eve" in caught.value.location
    with pytest.raises(ValueError, match="this one cannot be read") as caught:
        PostgresQuarantine("secret")
    assert "secret" not in str(caught.value)


@pytest.mark.needs_postgres
@pytest.mark.parametrize("schema", ["Prod", "a; DROP SCHEMA public", "", "ä", "x" * 64])
def test_a_schema_has_a_plain_name(schema):
    """It stands in statements as it is."""
    from prodml.integrations.postgres import PostgresQuarantine

    with pytest.raises(ValueError, match="lower-case letters"):
        PostgresQuarantine("dbname=x", schema=schema)


@pytest.mark.needs_postgres
def test_a_connection_does_not_pickle(store, schema):
    """It is opened where it is needed."""
    assert f"schema='{schema}'" in repr(store)
    with pytest.raises(TypeError, match="open one where it is needed"):
        pickle.dumps(store)


def _put_in_process(address, schema, number):
    from prodml.integrations.postgres import PostgresQuarantine

    with QuarantineQueue(PostgresQuarantine(address, schema=schema)) as queue:
        for turn in range(5):
            queue.put(rejected(0, -number), source="s", batch=f"{number}-{turn}")


@pytest.mark.needs_postgres
def test_processes_fill_one_queue(postgres_server, schema):
    """All make the tables, all bring a row that all bring, and no entry is made twice."""
    from prodml.integrations.postgres import PostgresQuarantine

    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_put_in_process, args=(postgres_server, schema, number))
        for number in (1, 2, 3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with QuarantineQueue(PostgresQuarantine(postgres_server, schema=schema)) as queue:
        attempts = sorted(entry.attempts for entry in queue.entries())
    assert attempts == [5, 5, 5, 15]


def test_the_extra_is_named_where_it_is_absent(monkeypatch):
    """The error is the command to run."""
    from prodml.integrations.postgres import PostgresQuarantine

    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingDependencyError, match=r'pip install "prodml\[postgres\]"'):
        PostgresQuarantine("dbname=x")
