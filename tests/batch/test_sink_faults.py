"""Sinks when things go wrong: the error says what, and the next try can do better."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import sqlite3
import stat
from pathlib import Path

import pandas as pd
import pytest

from prodml.batch import BatchOutput, FileSink, UpsertSink
from prodml.errors import BatchError, StorageError
from tests.databases import connected
from tests.postgres import new_schema

FORMATS = [pytest.param("parquet", marks=pytest.mark.needs_arrow), "csv", "jsonl"]


def output(data, number=0):
    """Return an output with a key of its own."""
    return BatchOutput(b"k1:" + bytes([number]) * 32, number, data)


def failing_for_folders(code):
    """Return an `os.fsync` that fails with a code, for folders alone."""
    real = os.fsync

    def sync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    return sync


class TestFiles:
    """One file a batch."""

    @pytest.mark.parametrize("kind", FORMATS)
    def test_words_for_nothing_are_words(self, tmp_path, kind):
        """What says NA is text, and comes back as such; beside it an integer stays one."""
        frame = pd.DataFrame({"text": ["NA", "null", "nan", "x"], "n": [1, 2, 3, 4]})
        sink = FileSink(tmp_path, format=kind)
        sink.write([output(frame)])
        (back,) = sink.read([output(None).key])

        assert back["text"].tolist() == ["NA", "null", "nan", "x"]
        assert back["n"].tolist() == [1, 2, 3, 4]

    @pytest.mark.parametrize("kind", FORMATS)
    @pytest.mark.parametrize(
        "data",
        [pd.DataFrame([[1, 2]], columns=["a", "a"]), [{1: 5, "1": 6}]],
        ids=["frame", "records"],
    )
    def test_two_columns_of_one_name_are_refused(self, tmp_path, kind, data):
        """And nothing is left behind."""
        with pytest.raises(ValueError, match="More than one column is called"):
            FileSink(tmp_path, format=kind).write([output([{"ok": 1}]), output(data, 1)])
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("kind", FORMATS)
    def test_text_that_has_no_bytes_is_refused_by_column(self, tmp_path, kind):
        """Written all the same, it could not be read."""
        with pytest.raises(TypeError, match="'odd'"):
            FileSink(tmp_path, format=kind).write([output([{"a": "x", "odd": "\ud800"}])])
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("kind", "cell"),
        [
            pytest.param("parquet", 2**70, marks=pytest.mark.needs_arrow),
            pytest.param("parquet", object(), marks=pytest.mark.needs_arrow),
            ("jsonl", object()),
        ],
        ids=["parquet int", "parquet object", "jsonl object"],
    )
    def test_what_a_format_does_not_hold_is_refused_by_column(self, tmp_path, kind, cell):
        """The other columns are not to blame."""
        with pytest.raises(TypeError, match="Column 'odd' cannot be written"):
            FileSink(tmp_path, format=kind).write([output([{"a": 1.5, "odd": cell}])])
        assert list(tmp_path.iterdir()) == []

    def test_bytes_are_written_alike_whatever_they_are(self, tmp_path):
        """Not as text where they happen to be some."""
        sink = FileSink(tmp_path, format="jsonl")
        sink.write([output([{"a": b"ab"}, {"a": b"\xff"}])])

        assert sink.path_of(output(None).key).read_bytes() == b'{"a":"YWI="}\n{"a":"_w=="}\n'

    def test_a_name_that_may_be_lost_is_an_error(self, tmp_path, monkeypatch):
        """The disk fails after the rename: the batch must not be marked."""
        sink = FileSink(tmp_path, format="csv")
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", failing_for_folders(errno.EIO))
            with pytest.raises(StorageError, match="Input/output") as caught:
                sink.write([output([{"a": 1}])])
        assert caught.value.location == str(tmp_path)
        sink.write([output([{"a": 1}])])
        assert next(sink.read([output(None).key]))["a"].tolist() == [1]

    def test_a_file_system_without_that_is_used_as_it_is(self, tmp_path, monkeypatch):
        """Some say that they do not do it for folders."""
        monkeypatch.setattr(os, "fsync", failing_for_folders(errno.EINVAL))
        sink = FileSink(tmp_path, format="csv")
        sink.write([output([{"a": 1}])])

        assert len(list(tmp_path.iterdir())) == 1

    def test_the_folders_that_are_made_are_on_the_disk(self, tmp_path, monkeypatch):
        """Each of their names stands in the folder above."""
        synced = []
        real = os.fsync

        def note(descriptor):
            synced.append(os.fstat(descriptor).st_ino)
            real(descriptor)

        monkeypatch.setattr(os, "fsync", note)
        FileSink(tmp_path / "a" / "b", format="csv")

        above = {tmp_path.stat().st_ino, (tmp_path / "a").stat().st_ino}
        assert set(synced) == above
        synced.clear()
        FileSink(tmp_path / "a" / "b", format="csv")
        assert synced == [], "what was there needs nothing"

    def test_sweeping_lets_others_finish(self, tmp_path, monkeypatch):
        """A draft may take its name while the folder is looked through."""
        sink = FileSink(tmp_path, format="csv")
        drafts = [tmp_path / f".k1-{one * 64}.csv.{one * 16}.tmp" for one in "ab"]
        for draft in drafts:
            draft.write_text("half")
        real = Path.stat

        def finish_first(self, **options):
            if self == drafts[0]:
                self.unlink(missing_ok=True)
            return real(self, **options)

        monkeypatch.setattr(Path, "stat", finish_first)
        assert sink.sweep(older_than=-60.0) == 1
        assert list(tmp_path.iterdir()) == []


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def place(request, tmp_path):
    """Yield what connects to a database, a table in it, and what breaks a connection."""
    if request.param == "sqlite":
        connect, table = (lambda **options: sqlite3.connect(tmp_path / "w.db", **options)), "score"
        silent = {"isolation_level": None}

        def lose(sink):
            sink._connection.close()
    else:
        import psycopg

        server, schema = request.getfixturevalue("postgres_server"), new_schema()
        connect = lambda **options: psycopg.connect(server, **options)  # noqa: E731 - a stand-in
        table, silent = f"{schema}.score", {"autocommit": True}
        with connected(connect) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")

        def lose(sink):
            victim = sink._connection.info.backend_pid
            with connect(autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (victim,))

    with connected(connect) as connection:
        connection.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, x REAL CHECK (x < 9))")
    return connect, table, silent, lose


def rows_in(connect, table):
    """Return the rows of a table."""
    with connected(connect) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()  # noqa: S608


class TestUpserts:
    """Rows in another database."""

    def test_a_connection_that_is_lost_is_opened_anew(self, place):
        """One call fails; the next one does not."""
        connect, table, _, lose = place
        sink = UpsertSink(connect, table, key="id")
        sink.write([output([{"id": 1, "x": 0.5}])])
        lose(sink)
        with pytest.raises(StorageError, match="could not be written") as caught:
            sink.write([output([{"id": 2, "x": 0.5}])])
        assert caught.value.location == table
        sink.write([output([{"id": 2, "x": 0.5}])])
        sink.close()

        assert rows_in(connect, table) == [(1, 0.5), (2, 0.5)]

    def test_a_connection_that_commits_by_itself_is_refused(self, place):
        """An error in the middle would leave half of the rows."""
        connect, table, silent, _ = place
        sink = UpsertSink(lambda: connect(**silent), table, key="id")
        with pytest.raises(ValueError, match="without autocommit"):
            sink.write([output([{"id": 1, "x": 0.5}]), output([{"id": 2, "x": 10.0}], 1)])

        assert rows_in(connect, table) == []

    def test_an_error_does_not_show_the_row(self, place):
        """PostgreSQL tells it in a second line."""
        connect, table, _, _ = place
        sink = UpsertSink(connect, table, key="id")
        with pytest.raises(BatchError) as caught:
            sink.write([output([{"id": 4711, "x": 10.0}])])
        sink.close()
        assert "4711" not in str(caught.value)

    def test_a_database_that_cannot_be_reached_is_an_error_of_storage(self, tmp_path):
        """Not one of the driver."""
        sink = UpsertSink(tmp_path / "absent" / "w.db", "score", key="id")
        with pytest.raises(StorageError, match="unable to open"):
            sink.write([output([{"id": 1}])])

    @pytest.mark.needs_postgres
    def test_a_server_that_does_not_answer_is_an_error_of_storage(self):
        """Before there is a connection to roll back."""
        import psycopg

        sink = UpsertSink(lambda: psycopg.connect("host=127.0.0.1 port=1"), "score", key="id")
        with pytest.raises(StorageError, match="connection failed"):
            sink.write([output([{"id": 1}])])

    def test_what_the_caller_raises_stays_what_it_is(self):
        """Only a driver's errors are those of storage."""

        def connect():
            message = "no such secret"
            raise LookupError(message)

        with pytest.raises(LookupError, match="no such secret"):
            UpsertSink(connect, "score", key="id").write([output([{"id": 1}])])

    def test_a_connection_of_a_class_of_its_own_is_understood(self, tmp_path):
        """A pool's, say: its driver is the one it derives from."""

        class Pooled(sqlite3.Connection):
            pass

        connect = lambda: sqlite3.connect(tmp_path / "w.db", factory=Pooled)  # noqa: E731 - a stand-in
        with connected(connect) as connection:
            connection.execute("CREATE TABLE score (id INTEGER PRIMARY KEY)")
        sink = UpsertSink(connect, "score", key="id")
        sink.write([output([{"id": 1}])])
        sink.close()

        assert rows_in(connect, "score") == [(1,)]

    def test_a_parents_connection_is_kept_and_left_alone(self, place, monkeypatch):
        """Collected in the child, it might end the session of the parent."""
        connect, table, _, _ = place
        sink = UpsertSink(connect, table, key="id")
        sink.write([output([{"id": 1}])])
        inherited = sink._connection
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            sink.write([output([{"id": 2}])])
            assert sink._connection is not inherited
            sink.close()
        gc.collect()
        assert sink._abandoned == [inherited]
        assert inherited.execute("SELECT 1").fetchone() == (1,)
        assert pickle.loads(pickle.dumps(UpsertSink("w.db", "score", key="id")))._abandoned == []
        inherited.close()
        assert rows_in(connect, table) == [(1, None), (2, None)]
