"""What online stores do when their file, their process or another writer fails them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from prodml.errors import NewerSchemaError, StorageError, ViewChangedError
from prodml.features.online_view import OnlineView
from prodml.features.sqlite_store import SqliteOnlineStore
from tests.databases import connected
from tests.postgres import new_schema

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
VIEW = OnlineView(name="v", keys=["id"], features=["x"], event_time="event", created_time="created")
SHARED = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.needs_postgres),
    pytest.param("redis", marks=pytest.mark.needs_redis),
]


def row(key, ahead, x=None):
    """Return a row that became true and known so many microseconds after noon."""
    event = NOON + ahead * TICK
    return {"id": key, "x": ahead if x is None else x, "event": event, "created": event}


def open_store(kind, where):
    """Open a store that several processes share."""
    if kind == "sqlite":
        return SqliteOnlineStore(where)
    if kind == "postgres":
        from prodml.integrations.postgres import PostgresOnlineStore

        return PostgresOnlineStore(where[0], schema=where[1])
    from prodml.integrations.redis import RedisOnlineStore

    return RedisOnlineStore(where[0], prefix=where[1])


@pytest.fixture(params=SHARED)
def shared(request, tmp_path):
    """Return the kind of a store and where it is."""
    if request.param == "sqlite":
        return "sqlite", str(tmp_path / "s.db")
    return request.param, (request.getfixturevalue(f"{request.param}_server"), new_schema())


def served(store, *keys, ahead=10**6):
    """Return the values of some keys, as they are seen a while later."""
    return [one.features["x"] for one in store.get(VIEW, list(keys), at=NOON + ahead * TICK)]


# ------------------------------------------------------------------------------------ one file


def test_a_locked_database_loses_nothing(tmp_path):
    """Readers read on; a writer says what to do, and has stored nothing."""
    store = SqliteOnlineStore(tmp_path / "s.db", busy_timeout=0.02)
    store.put(VIEW, row(1, 1))
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process"):
        store.put(VIEW, [row(1, 2), row(2, 2)])
    with pytest.raises(StorageError, match="another process"):
        store.delete(VIEW, [1])
    assert served(store, 1, 2) == [1, None]
    other.execute("ROLLBACK")
    other.close()
    assert store.put(VIEW, [row(1, 2), row(2, 2)]).n_written == 2
    store.close()


def test_a_full_disk_takes_the_whole_put_back(tmp_path):
    """Also the rows that found room; when there is room again, all are written."""
    store = SqliteOnlineStore(tmp_path / "s.db")
    store.put(VIEW, row(0, 1))
    connection = store._database._connection
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count={pages + 20}")
    rows = [row(key, 2, "x" * 2000) for key in range(500)]
    with pytest.raises(StorageError, match="disk is full"):
        store.put(VIEW, rows)
    assert served(store, *range(500)) == [1, *[None] * 499]
    connection.execute("PRAGMA max_page_count=1000000")
    assert store.put(VIEW, rows).n_written == 500
    store.close()


def test_files_of_others_are_refused(tmp_path):
    """Of a later prodml, and of another program."""
    SqliteOnlineStore(tmp_path / "s.db").close()
    with connected(tmp_path / "s.db") as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(NewerSchemaError) as caught:
        SqliteOnlineStore(tmp_path / "s.db")
    assert (caught.value.found, caught.value.supported) == (99, 1)
    with connected(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(StorageError, match="another program"):
        SqliteOnlineStore(tmp_path / "other.db")


def test_a_damaged_file_is_named(tmp_path):
    """A read that fails says which file and what to do."""
    path = tmp_path / "s.db"
    store = SqliteOnlineStore(path)
    store.put(VIEW, [row(key, 1, "x" * 500) for key in range(400)])
    store.close()
    content = bytearray(path.read_bytes())
    for page in range(4096 * 4, len(content), 4096):
        content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    store = SqliteOnlineStore(path)
    with pytest.raises(StorageError, match="damaged; restore it from a copy"):
        store.get(VIEW, list(range(400)), at=NOON)
    store.close()


def test_a_store_is_one_table_in_the_order_of_its_keys(tmp_path):
    """Written ahead, without a rowid; and it opens again after it was closed."""
    store = SqliteOnlineStore(tmp_path / "s.db")
    store.put(VIEW, row(1, 1))
    with store._database.transaction(write=False) as session:
        assert session.execute("PRAGMA journal_mode") == [("wal",)]
        ((layout,),) = session.execute("SELECT sql FROM sqlite_master WHERE name = 'online_row'")
        plan = session.execute(
            "EXPLAIN QUERY PLAN SELECT content FROM online_row WHERE view_id = 1 AND entity = ?",
            (b"i1",),
        )
    assert "WITHOUT ROWID" in layout
    assert "USING PRIMARY KEY" in plan[0][3]
    store.close()
    assert served(store, 1) == [1]
    with store:
        assert repr(store) == f"SqliteOnlineStore({str(tmp_path / 's.db')!r})"
    with pytest.raises(TypeError, match="open one where it is needed"):
        pickle.dumps(store)
    with pytest.raises(ValueError, match="durability"):
        SqliteOnlineStore(":memory:", durability="FULL")


# ----------------------------------------------------------------------------------- processes


def test_who_knows_a_view_that_was_made_anew_finds_it(shared):
    """A process that looked the view up before it was dropped reads and writes the new one."""
    kind, where = shared
    one, other = open_store(kind, where), open_store(kind, where)
    one.put(VIEW, row(1, 1))
    assert served(other, 1) == [1]
    one.drop("v")
    assert served(other, 1) == [None]
    one.put(VIEW, [row(1, 2), row(2, 2)])
    assert served(other, 1) == [2]
    assert served(other, 1, 2) == [2, 2]
    one.drop("v")
    assert other.put(VIEW, row(1, 3)).n_written == 1
    assert served(one, 1, 2) == [3, None]
    one.drop("v")
    changed = OnlineView(name="v", keys=["id"], features=["y"], event_time="event")
    one.put(changed, {"id": 1, "y": 1, "event": NOON})
    for use in (lambda: served(other, 1), lambda: other.put(VIEW, row(1, 4))):
        with pytest.raises(ViewChangedError, match=r"features not in the store: 'x'") as caught:
            use()
        assert caught.value.stored == (("id",), ("y",))
        assert caught.value.given == (("id",), ("x",))
    one.close()
    other.close()


def _write(kind, where, seed, n_turns):
    store = open_store(kind, where)
    rng = random.Random(seed)
    for _ in range(n_turns):
        keys = rng.sample(range(30), 10)
        store.put(VIEW, [row(key, rng.randrange(1000), f"{seed}") for key in keys])
        if rng.random() < 0.2:
            store.purge(VIEW, older_than=NOON)
    store.put(VIEW, [row(key, 1000 + seed) for key in range(30)])
    store.close()


def test_processes_that_write_at_once_leave_the_newest(shared):
    """Whatever the order of their writes is; nobody waits in a circle."""
    kind, where = shared
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(kind, where, seed, 25)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = open_store(kind, where)
    assert served(store, *range(30)) == [1002] * 30
    store.close()


def _write_until_killed(where, ready):
    store = SqliteOnlineStore(where)
    for turn in range(10**6):
        store.put(VIEW, [row(key, turn) for key in range(40)])
        if turn == 3:
            ready.set()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system")
def test_a_killed_writer_leaves_whole_puts(tmp_path):
    """All rows are of one put, none is behind what was seen, and the next writer goes on."""
    where = str(tmp_path / "s.db")
    context = multiprocessing.get_context("spawn")
    seen = -1
    for _ in range(4):
        ready = context.Event()
        worker = context.Process(target=_write_until_killed, args=(where, ready))
        worker.start()
        assert ready.wait(60)
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        store = SqliteOnlineStore(where)
        values = set(served(store, *range(40), ahead=10**7))
        assert len(values) == 1
        assert min(values) >= max(seen, 3)
        seen = min(values)
        assert store.put(VIEW, row(99, 1, "after")).n_rows == 1
        store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_reads_and_writes(shared):
    """Over a connection of its own; the parent's works on."""
    kind, where = shared
    store = open_store(kind, where)
    store.put(VIEW, row(1, 1))
    child = os.fork()
    if child == 0:
        try:
            assert served(store, 1) == [1]
            store.put(VIEW, row(2, 2))
        except BaseException as error:  # noqa: BLE001 - nothing may leave the child
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    store.put(VIEW, row(1, 3))
    assert served(store, 1, 2) == [3, 2]
    store.close()
