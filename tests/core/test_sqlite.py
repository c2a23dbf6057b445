"""SQLite as prodml opens it: durable, patient, versioned, and clear about what went wrong."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import sqlite3
import threading

import pytest

from prodml._core.file_gate import FileGate
from prodml._core.sql import DuplicateRowError, in_pieces, placeholders
from prodml._core.sqlite import SqliteDatabase
from prodml.errors import NewerSchemaError, StorageError

ONE = (("CREATE TABLE word (text TEXT)", "INSERT INTO word VALUES ('first')"),)
TWO = (*ONE, ("ALTER TABLE word ADD COLUMN n INTEGER DEFAULT 7",))
ID = 0x7E57


def opened(path, migrations=ONE, **options):
    """Open a database of the tests' own kind."""
    return SqliteDatabase(path, migrations=migrations, application_id=ID, **options)


def words(database):
    """Return what stands in the one table."""
    with database.transaction(write=False) as session:
        return [text for (text,) in session.execute("SELECT text FROM word ORDER BY rowid")]


def add(database, word):
    """Add a word in a transaction of its own."""
    with database.transaction(write=True) as session:
        session.insert_many("word", ("text",), [(word,)])


@pytest.fixture
def database(tmp_path):
    """Yield an open database in a file."""
    database = opened(tmp_path / "test.db")
    yield database
    database.close()


def test_what_is_committed_stays(database, tmp_path):
    """Another connection sees it, also after the first one was closed."""
    add(database, "second")
    database.close()

    other = opened(tmp_path / "test.db")
    assert words(other) == ["first", "second"]
    other.close()


def test_a_loss_of_power_loses_no_commit(database):
    """The log is written ahead and synchronised at every commit."""
    with database.transaction(write=False) as session:
        assert session.execute("PRAGMA journal_mode") == [("wal",)]
        assert session.execute("PRAGMA synchronous") == [(2,)]


def test_an_error_takes_back_the_whole_block(database):
    """Half a transaction is none."""
    with pytest.raises(ZeroDivisionError), database.transaction(write=True) as session:
        session.insert_many("word", ("text",), ((f"half {1 / n}",) for n in (1, 0)))

    assert words(database) == ["first"]


def test_a_session_counts_what_it_changes(database):
    """Statements answer with rows, or with the number of rows they changed."""
    with database.transaction(write=True) as session:
        session.execute_many("INSERT INTO word VALUES (?)", [("a",), ("b",)])
        assert session.change("UPDATE word SET text = ? WHERE text <> ?", ("x", "first")) == 2
        assert session.execute("SELECT COUNT(*) FROM word WHERE text = ?", ("x",)) == [(2,)]


def test_an_older_file_is_brought_up_to_date(tmp_path):
    """Each migration runs once, over what the versions before have stored."""
    old = opened(tmp_path / "test.db")
    add(old, "second")
    old.close()

    for _ in range(2):
        new = opened(tmp_path / "test.db", TWO)
        with new.transaction(write=False) as session:
            assert session.execute("SELECT text, n FROM word") == [("first", 7), ("second", 7)]
        new.close()


def test_a_failed_migration_leaves_the_old_file(tmp_path):
    """A file is of one version or the next, never between them."""
    opened(tmp_path / "test.db").close()
    broken = (*ONE, ("INSERT INTO word VALUES ('half')", "SELECT * FROM nowhere"))

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        opened(tmp_path / "test.db", broken)

    database = opened(tmp_path / "test.db")
    assert words(database) == ["first"]
    database.close()


def test_a_newer_file_is_refused(tmp_path):
    """Nobody writes into a layout that he does not know."""
    opened(tmp_path / "test.db", TWO).close()

    with pytest.raises(NewerSchemaError, match=r"later prodml.*Upgrade") as caught:
        opened(tmp_path / "test.db")

    assert (caught.value.found, caught.value.supported) == (2, 1)
    assert pickle.loads(pickle.dumps(caught.value)).found == 2


def _make_foreign(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()


def _make_other_id(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id=99")
    connection.close()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_make_foreign, "another program"),
        (_make_other_id, "another program"),
        (lambda path: path.write_bytes(b"no database at all, but text " * 99), "not a SQLite"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
    ids=["foreign tables", "foreign id", "text", "folder"],
)
def test_what_is_not_ours_is_left_alone(tmp_path, prepare, message):
    """The error names the file and what is wrong with it."""
    path = tmp_path / "test.db"
    prepare(path)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(StorageError, match=message) as caught:
        opened(path)

    assert caught.value.location == str(path)
    assert str(path) in str(caught.value)
    assert before is None or path.read_bytes() == before


def test_a_missing_folder_is_named(tmp_path):
    """SQLite makes files, not folders."""
    with pytest.raises(StorageError, match="folder exists"):
        opened(tmp_path / "nowhere" / "test.db")


def test_a_writer_waits_and_then_says_so(database, tmp_path):
    """A lock that is never given back ends in an error that names the wait."""
    impatient = opened(tmp_path / "test.db", busy_timeout=0.01)
    with database.transaction(write=True):
        with pytest.raises(StorageError, match=r"writing for longer than 0\.01 s"):
            add(impatient, "x")
        assert words(impatient) == ["first"], "readers do not wait"
    add(impatient, "second")

    assert words(database) == ["first", "second"]
    impatient.close()


def test_a_full_disk_stores_nothing_and_breaks_nothing(database):
    """What was stored before stays, and the next write works when there is room."""
    with database.transaction(write=False) as session:
        ((pages,),) = session.execute("PRAGMA page_count")
        session.execute(f"PRAGMA max_page_count={pages + 2}")

    with (
        pytest.raises(StorageError, match="disk is full; nothing"),
        database.transaction(write=True) as session,
    ):
        session.insert_many("word", ("text",), [("x" * 100_000,)])
    assert words(database) == ["first"]

    with database.transaction(write=False) as session:
        session.execute("PRAGMA max_page_count=1000000")
    add(database, "second")
    assert words(database) == ["first", "second"]


def test_other_faults_keep_their_own_error(database):
    """A mistake in a statement is not called a fault of the storage."""
    with (
        pytest.raises(sqlite3.OperationalError, match="no such table"),
        database.transaction(write=True) as session,
    ):
        session.execute("SELECT * FROM nowhere")


def test_threads_take_turns(database):
    """One connection serves all threads."""
    threads = [threading.Thread(target=add, args=(database, str(n))) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(words(database)) == sorted(["first", *map(str, range(16))])


def _add_in_process(path, numbers):
    database = opened(path)
    for number in numbers:
        add(database, str(number))
    database.close()


def test_processes_make_one_file_together(tmp_path):
    """Several open a file that is not there yet, and all of their words end up in it."""
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "test.db"
    chunks = [range(n, n + 20) for n in (0, 20, 40)]
    workers = [context.Process(target=_add_in_process, args=(path, chunk)) for chunk in chunks]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    database = opened(path)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert sorted(words(database)) == sorted(["first", *map(str, range(60))])
    database.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(database):
    """Parent and child may both write, and the child's end does not close the parent's file."""
    child = os.fork()
    if child == 0:
        add(database, "child")
        database.close()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    add(database, "parent")

    assert os.waitstatus_to_exitcode(status) == 0
    assert words(database) == ["first", "child", "parent"]


def test_a_closed_database_opens_again(database):
    """Closing gives the file free; the next use takes it again."""
    database.close()
    database.close()

    assert words(database) == ["first"]


def test_a_database_that_is_dropped_closes_its_file(tmp_path):
    """No warning about an unclosed connection, which would be an error in these tests."""
    database = opened(tmp_path / "test.db")
    assert repr(database) == f"SqliteDatabase({str(tmp_path / 'test.db')!r})"
    del database
    gc.collect()


def test_lists_are_cut_to_what_a_statement_takes():
    """Older SQLite takes 999 parameters."""
    assert [len(piece) for piece in in_pieces(range(2000))] == [900, 900, 200]
    assert placeholders(3) == "?,?,?"


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
def test_durability_is_chosen(tmp_path, durability, level):
    """Full: a loss of power takes nothing back. Normal: at most the last transactions, whole."""
    database = opened(tmp_path / "test.db", durability=durability)
    with database.transaction(write=False) as session:
        assert session.execute("PRAGMA synchronous") == [(level,)]
    database.close()


def test_a_row_that_is_there_already_says_so(database):
    """Apart from any other constraint, since it may be somebody else's doing."""
    with database.transaction(write=True) as session:
        session.change("CREATE TABLE n (id INTEGER PRIMARY KEY, v INTEGER CHECK (v > 0))")
        session.insert_many("n", ("id", "v"), [(1, 1)])
    for row, error in (((1, 2), DuplicateRowError), ((2, 0), sqlite3.IntegrityError)):
        with pytest.raises(error), database.transaction(write=True) as session:
            session.insert_many("n", ("id", "v"), [row])
    with database.transaction(write=False) as session:
        assert session.execute("SELECT * FROM n") == [(1, 1)]


def fail_within(database, error):
    """Raise an error in the block of a transaction."""
    with database.transaction(write=True) as session:
        session.insert_many("word", ("text",), [("lost",)])
        raise error


def test_errors_of_the_block_keep_their_type(database):
    """They belong to whoever uses the transaction."""
    for error in (TimeoutError("mine"), KeyboardInterrupt(), sqlite3.OperationalError("mine")):
        with pytest.raises(type(error)) as caught:
            fail_within(database, error)
        assert caught.value is error
    assert words(database) == ["first"]


def test_a_begin_that_fails_leaves_the_way_free(tmp_path):
    """For other processes, and for other threads."""
    path = tmp_path / "test.db"
    database = opened(path, busy_timeout=0.01, gated=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process"):
        add(database, "no")
    other.execute("ROLLBACK")
    other.close()
    gate = FileGate(f"{path}-gate", timeout=0.01)
    gate.acquire()
    gate.release()
    gate.close()
    thread = threading.Thread(target=add, args=(database, "yes"))
    thread.start()
    thread.join(30)

    assert words(database) == ["first", "yes"]
    database.close()


def test_a_commit_that_is_refused_takes_the_block_back(database):
    """A condition that is looked at last; the next transaction begins anew."""
    with database.transaction(write=True) as session:
        session.change("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        session.change(
            "CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
        )
    with pytest.raises(sqlite3.IntegrityError), database.transaction(write=True) as session:
        session.change("INSERT INTO child VALUES (1)")
    add(database, "second")
    with database.transaction(write=False) as session:
        assert session.execute("SELECT * FROM child") == []
    assert words(database) == ["first", "second"]


class FullAtCommit:
    """A connection whose disk is full when the log is written."""

    def __init__(self, connection):
        self._connection = connection

    def execute(self, statement, *parameters):
        """Refuse to commit."""
        if statement == "COMMIT":
            error = sqlite3.OperationalError("disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name):
        return getattr(self._connection, name)


def test_a_commit_that_fails_says_what_to_do(database, monkeypatch):
    """As any other statement does; nothing is stored."""
    with monkeypatch.context() as patch:
        patch.setattr(database, "_connection", FullAtCommit(database._connection))
        with (
            pytest.raises(StorageError, match="disk is full; nothing"),
            database.transaction(write=True) as session,
        ):
            session.change("DELETE FROM word")
    assert words(database) == ["first"]


def test_a_database_is_closed_behind_the_gate(tmp_path):
    """Closing may write; the gate's own file is given back as well."""
    path = tmp_path / "test.db"
    database = opened(path, busy_timeout=0.01, gated=True)
    add(database, "second")
    held = FileGate(f"{path}-gate", timeout=1)
    held.acquire()
    with pytest.raises(StorageError, match="another process"):
        database.close()
    held.release()
    held.close()
    assert words(database) == ["first", "second"]
    database.close()
    assert database._gate._descriptor is None


def test_writers_wait_at_the_gate(tmp_path):
    """Each gets its turn; a gate that is held for too long is an error that can be tried again."""
    path = tmp_path / "test.db"
    database = opened(path, busy_timeout=0.05, gated=True)
    held = FileGate(f"{path}-gate", timeout=1)
    held.acquire()
    with pytest.raises(StorageError, match=r"longer than 0\.05 s"):
        add(database, "no")
    assert words(database) == ["first"], "readers do not wait"
    held.release()
    add(database, "yes")
    database.close()
    held.close()
    assert words(opened(path)) == ["first", "yes"]


def test_many_may_open_one_new_file(tmp_path):
    """Threads stand for processes: none takes a file that is being made for another program's."""
    errors = []

    def work(number):
        try:
            database = opened(tmp_path / f"{number}.db")
            add(database, "more")
            database.close()
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    for number in range(15):
        threads = [threading.Thread(target=work, args=(number,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
