"""Sinks: what is written once is there once, whole, and the same the second time."""

from __future__ import annotations

import errno
import os
import pickle
import sqlite3
import threading
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.batch import (
    BatchOutput,
    BatchProcessor,
    FileSink,
    Sink,
    SqliteLedger,
    TableSink,
    UpsertSink,
)
from prodml.batch._tabular import to_rows
from prodml.errors import (
    BatchError,
    DuplicateKeyError,
    MissingDependencyError,
    MissingKeyError,
    StorageError,
    UnsafeSinkError,
)
from prodml.testing import FakeClock, MemoryLedger
from tests.databases import connected
from tests.postgres import new_schema

FORMATS = [pytest.param("parquet", marks=pytest.mark.needs_arrow), "csv", "jsonl"]
FRAME = pd.DataFrame(
    {"id": [1, 2, 3], "x": [0.1, np.nan, 1e300], "name": ["a", None, "ü,\n\"'"]}, index=[9, 9, 9]
)


def output(data, number=0):
    """Return an output with a key of its own."""
    return BatchOutput(b"k1:" + bytes([number]) * 32, number, data)


class TestFileSink:
    """One file a batch, there in whole or not at all."""

    @pytest.mark.parametrize("kind", FORMATS)
    def test_what_is_written_is_read_back(self, tmp_path, kind):
        """In the order of the keys that are asked for; without the index."""
        sink = FileSink(tmp_path / "out", format=kind)
        outputs = [output(FRAME), output(FRAME.tail(1), 1), output(FRAME.head(0), 2)]
        sink.write(outputs)
        read = list(sink.read([outputs[1].key, outputs[0].key]))

        expected = [FRAME.tail(1), FRAME]
        for got, wanted in zip(read, expected, strict=True):
            assert to_rows(got) == to_rows(wanted)
            assert got.index.tolist() == list(range(len(wanted)))
        assert sum(len(frame) for frame in sink.read([outputs[2].key])) == 0

    @pytest.mark.parametrize("kind", FORMATS)
    def test_the_same_output_is_the_same_bytes(self, tmp_path, kind):
        """Written again, it replaces itself."""
        sink = FileSink(tmp_path, format=kind)
        sink.write([output(FRAME)])
        first = sink.path_of(output(None).key).read_bytes()
        sink.write([output(FRAME.copy())])

        assert sink.path_of(output(None).key).read_bytes() == first
        assert [path.name for path in tmp_path.iterdir()] == [f"k1-{'00' * 32}.{kind}"]

    @pytest.mark.parametrize("kind", FORMATS)
    @pytest.mark.parametrize(
        "data",
        [[{"id": 1}, {"id": 2}], {"id": np.array([1, 2])}, [1, 2], (1, 2)],
        ids=["records", "columns", "numbers", "tuple"],
    )
    def test_any_output_will_do(self, tmp_path, kind, data):
        """Records without names stand in a column `value`."""
        sink = FileSink(tmp_path, format=kind)
        sink.write([output(data)])
        (frame,) = sink.read([output(None).key])

        assert frame.iloc[:, 0].tolist() == [1, 2]
        assert frame.columns[0] in {"id", "value"}

    @pytest.mark.parametrize("kind", FORMATS)
    def test_no_output_is_a_file_without_rows(self, tmp_path, kind):
        """A file that is gone is an error, so each batch that is done has one."""
        sink = FileSink(tmp_path, format=kind)
        sink.write([output(None)])
        assert sum(len(frame) for frame in sink.read([output(None).key])) == 0

        sink.path_of(output(None).key).unlink()
        with pytest.raises(StorageError, match="is gone"):
            list(sink.read([output(None).key]))

    @given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False)))
    def test_floats_are_exact(self, tmp_path_factory, values):
        """In text as well."""
        folder = tmp_path_factory.mktemp("floats")
        for kind in ("csv", "jsonl"):
            sink = FileSink(folder, format=kind)
            sink.write([output({"x": np.array(values)})])
            read = [x for frame in sink.read([output(None).key]) for x in frame["x"].tolist()]
            assert [float(x) for x in read] == values

    def test_json_lines_hold_what_json_can(self, tmp_path):
        """Times as ISO 8601, decimals as text."""
        sink = FileSink(tmp_path, format="jsonl")
        moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        record = {"at": moment, "price": Decimal("1.10"), "x": float("inf"), "none": None}
        sink.write([output([record])])

        assert sink.path_of(output(None).key).read_text(encoding="utf-8") == (
            '{"at":"2026-01-02T03:04:05Z","price":"1.10","x":Infinity,"none":null}\n'
        )

    @pytest.mark.needs_arrow
    def test_parquet_names_the_column_it_cannot_hold(self, tmp_path):
        """And leaves nothing behind."""
        sink = FileSink(tmp_path)
        bad = pd.DataFrame({"id": [1, 2], "odd": pd.Series([1, "x"], dtype=object)})
        with pytest.raises(TypeError, match="odd"):
            sink.write([output(FRAME), output(bad, 1)])
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("fault", ["replace", "fsync"])
    def test_a_full_disk_leaves_nothing_in_part(self, tmp_path, monkeypatch, fault):
        """The error names the folder, and the batches are not done."""

        def fail(*_args, **_kwargs):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        sink, ledger = FileSink(tmp_path, format="csv"), MemoryLedger()
        job = BatchProcessor(lambda batch: batch, ledger=ledger, sink=sink, namespace="n")
        with monkeypatch.context() as patched:
            target = (Path, "replace") if fault == "replace" else (os, "fsync")
            patched.setattr(*target, fail)
            with pytest.raises(StorageError, match="No space left") as caught:
                job.run([[{"id": 1}]])
        assert caught.value.location == str(tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert job.run([[{"id": 1}]]).counts.n_batches["done"] == 1

    def test_a_folder_that_cannot_be_is_an_error_at_once(self, tmp_path):
        """A file stands in its place."""
        (tmp_path / "taken").write_text("")
        with pytest.raises(StorageError, match="taken"):
            FileSink(tmp_path / "taken", format="csv")

    def test_an_unknown_format_is_refused(self, tmp_path):
        """With those that are known."""
        with pytest.raises(ValueError, match="jsonl"):
            FileSink(tmp_path, format="xlsx")

    def test_without_pyarrow_parquet_is_refused_at_once(self, tmp_path, monkeypatch):
        """With the command that brings it, not when the first batch is done."""
        monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
        with pytest.raises(MissingDependencyError, match=r"prodml\[arrow\]"):
            FileSink(tmp_path)

    def test_leftovers_are_swept_when_they_are_old(self, tmp_path):
        """A young one may be in somebody's hands."""
        now = datetime.now(UTC)
        clock = FakeClock(now)
        sink = FileSink(tmp_path, format="csv", clock=clock)
        sink.write([output(FRAME)])
        left = tmp_path / f".k1-{'11' * 32}.csv.0123456789abcdef.tmp"
        left.write_text("half a")

        assert sink.sweep() == 0
        clock.advance(timedelta(days=2))
        assert sink.sweep() == 1
        assert len(list(tmp_path.iterdir())) == 1

    def test_writers_of_one_batch_leave_one_whole_file(self, tmp_path):
        """Threads, and copies that came by pickle."""
        sink = FileSink(tmp_path, format="csv")
        copies = [sink, pickle.loads(pickle.dumps(sink))]
        threads = [
            threading.Thread(target=lambda n=n: copies[n % 2].write([output(FRAME)] * 5))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(tmp_path.iterdir())) == 1
        assert next(sink.read([output(None).key]))["id"].tolist() == [1, 2, 3]

    def test_it_shows_itself(self, tmp_path):
        """With its folder and format."""
        assert (
            repr(FileSink(tmp_path, format="csv")) == f"FileSink({str(tmp_path)!r}, format='csv')"
        )
        assert isinstance(FileSink(tmp_path, format="csv"), Sink)


PLAIN = {
    "id": 7,
    "flag": True,
    "x": 0.1,
    "name": "ü\n",
    "raw": b"\x00\xff",
    "day": date(2026, 1, 2),
    "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "clock": time(3, 4, 5),
    "took": timedelta(seconds=90),
    "price": Decimal("1.10"),
    "uid": UUID(int=5),
    "tags": ["a", 1],
    "share_%": 0.5,
    'what"is?': 1,
    "nothing": None,
}


class TestTableSink:
    """A table of the ledger's own database."""

    def test_sqlite_holds_plain_values(self):
        """Times as text, durations as seconds, lists as JSON; names are quoted."""
        with SqliteLedger(":memory:") as ledger:
            job = BatchProcessor(
                lambda batch: batch, ledger=ledger, sink=TableSink("out"), namespace="n"
            )
            report = job.run([[PLAIN], [PLAIN | {"id": 8, "nothing": "now"}]])
            assert report.is_complete, report.errors
            with ledger._database.transaction(write=False) as session:
                first, second = session.execute("SELECT * FROM out")
        assert first == (
            7, 1, 0.1, "ü\n", b"\x00\xff", "2026-01-02", "2026-01-02 03:04:05.000006+00:00",
            "03:04:05", 90.0, "1.10", "00000000-0000-0000-0000-000000000005", '["a", 1]', 0.5, 1,
            None,
        )  # fmt: skip
        assert second[-1] == "now", "a column that began empty takes any type"

    @pytest.mark.needs_postgres
    def test_postgres_holds_them_as_they_are(self, postgres_server):
        """In types of its own; the table may stand in another schema."""
        import psycopg

        from prodml.integrations.postgres import PostgresLedger

        schema, other = new_schema(), new_schema()
        with psycopg.connect(postgres_server) as connection:
            connection.execute(f"CREATE SCHEMA {other}")
        with PostgresLedger(postgres_server, schema=schema) as ledger:
            for table in ("out", f"{other}.out"):
                job = BatchProcessor(
                    lambda batch: batch, ledger=ledger, sink=TableSink(table), namespace=table
                )
                report = job.run([[PLAIN], [PLAIN | {"id": 8}]])
                assert report.is_complete, report.errors
                assert job.run([[PLAIN]]).counts.n_batches["skipped"] == 1
        with psycopg.connect(postgres_server) as connection:
            for place in (schema, other):
                rows = connection.execute(f"SELECT * FROM {place}.out ORDER BY id").fetchall()  # noqa: S608
                expected = tuple(PLAIN.values())
                assert rows[0] == (*expected[:11], '["a", 1]', *expected[12:])
                assert len(rows) == 2

    def test_frames_and_columns_go_in_alike(self):
        """A missing value is NULL, whatever stood for it."""
        data = {"id": [1, 2], "x": [0.5, None]}
        rows = []
        for made in (
            pd.DataFrame(data),
            {"id": np.array([1, 2]), "x": np.array([0.5, np.nan])},
            [{"id": 1, "x": 0.5}, {"id": 2, "x": pd.NA}],
            pd.DataFrame({"id": [1, 2], "x": pd.array([0.5, None], dtype="Float64")}),
        ):
            ledger = SqliteLedger(":memory:")
            with ledger, ledger._database.transaction(write=True) as session:
                TableSink("out").write([output(made)], session)
                rows.append(session.execute("SELECT * FROM out"))
        assert rows == [[(1, 0.5), (2, None)]] * 4

    def test_a_ledger_without_a_database_is_refused(self):
        """The output would be outside of the transaction."""
        job = BatchProcessor(
            lambda batch: batch, ledger=MemoryLedger(), sink=TableSink("out"), namespace="n"
        )
        report = job.run([[{"id": 1}]])
        assert "UnsafeSinkError" in report.errors[0]
        with pytest.raises(UnsafeSinkError):
            TableSink("out").write([], None)

    @pytest.mark.parametrize("name", ["", "work", "Record", "a b", "a;b", "a.b.c", "purged", "1a"])
    def test_names_that_are_no_tables_are_refused(self, name):
        """The ledger's own among them."""
        with pytest.raises(ValueError, match="`table`"):
            TableSink(name)

    def test_it_shows_itself_and_pickles(self):
        """It has no state."""
        assert repr(pickle.loads(pickle.dumps(TableSink("out")))) == "TableSink('out')"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def warehouse(request, tmp_path):
    """Yield what connects to another database, in which there are two tables."""
    if request.param == "sqlite":
        connect, table = (lambda: sqlite3.connect(tmp_path / "w.db")), "score"
    else:
        import psycopg

        server, schema = request.getfixturevalue("postgres_server"), new_schema()
        connect, table = (lambda: psycopg.connect(server)), f"{schema}.score"
        with connected(connect) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
    with connected(connect) as connection:
        connection.execute(
            f'CREATE TABLE {table} (id INTEGER, day TEXT, "share_%" REAL CHECK ("share_%" < 9), '
            "PRIMARY KEY (id, day))"
        )

    def rows():
        with connected(connect) as connection:
            return connection.execute(f"SELECT * FROM {table} ORDER BY id, day").fetchall()  # noqa: S608

    return connect, table, rows


class TestUpsertSink:
    """Rows in another database replace themselves."""

    def test_rows_with_a_known_key_are_replaced(self, warehouse):
        """Others are added; all in one transaction."""
        connect, table, rows = warehouse
        sink = UpsertSink(connect, table, key=["id", "day"])
        sink.write([output([{"id": 1, "day": "mon", "share_%": 0.5}])])
        sink.write(
            [
                output(pd.DataFrame({"id": [1, 1], "day": ["mon", "tue"], "share_%": [0.7, 0.8]})),
                output(None),
            ]
        )
        sink.close()

        assert rows() == [(1, "mon", 0.7), (1, "tue", 0.8)]

    def test_a_table_of_keys_alone_is_filled_once(self, warehouse):
        """There is nothing to replace."""
        connect, table, rows = warehouse
        sink = UpsertSink(connect, table, key=["id", "day"])
        for _ in range(2):
            sink.write([output([{"id": 1, "day": "mon"}])])
        sink.close()
        assert rows() == [(1, "mon", None)]

    def test_an_error_takes_all_of_a_call_back(self, warehouse):
        """And says which table."""
        connect, table, rows = warehouse
        sink = UpsertSink(connect, table, key=["id", "day"])
        good = output([{"id": 1, "day": "mon", "share_%": 1.0}])
        with pytest.raises(BatchError, match="score"):
            sink.write([good, output([{"id": 2, "day": "mon", "share_%": 10.0}], 1)])
        assert rows() == []
        sink.write([good])
        sink.close()
        assert len(rows()) == 1

    def test_a_row_that_is_refused_fails_its_own_batch(self, warehouse):
        """The others are stored; a constraint says nothing about the database."""
        connect, table, rows = warehouse
        sink = UpsertSink(connect, table, key=["id", "day"])
        job = BatchProcessor(lambda batch: batch, ledger=MemoryLedger(), sink=sink, namespace="n")
        report = job.run([[{"id": n, "day": "mon", "share_%": 4.0 * n}] for n in range(4)])
        sink.close()

        assert [one.fate for one in report.outcomes].count("done") == 3
        assert "does not take a row" in report.errors[3]
        assert [row[0] for row in rows()] == [0, 1, 2]

    @pytest.mark.parametrize(
        ("data", "error", "facts"),
        [
            ([{"id": None, "day": "m"}], MissingKeyError, {"column": "id", "rows": (0,)}),
            ([{"id": 1}], MissingKeyError, {"column": "day", "rows": ()}),
            ([{"id": 1, "day": "m"}] * 2, DuplicateKeyError, {"rows": (1,)}),
        ],
        ids=["null", "absent", "twice"],
    )
    def test_rows_without_a_key_of_their_own_are_refused(self, tmp_path, data, error, facts):
        """Nothing is sent."""
        sink = UpsertSink(tmp_path / "w.db", "score", key=("id", "day"))
        with pytest.raises(error) as caught:
            sink.write([output(data)])
        assert {name: getattr(caught.value, name) for name in facts} == facts

    def test_a_job_that_is_tried_again_leaves_each_row_once(self, tmp_path):
        """Killed between the rows and the mark: the rows replace themselves."""
        with connected(tmp_path / "w.db") as connection:
            connection.execute("CREATE TABLE score (id INTEGER PRIMARY KEY, at TEXT)")
        moment = datetime(2026, 1, 1, tzinfo=UTC)

        class Dying(UpsertSink):
            def write(self, outputs, session=None, /):
                super().write(outputs, session)
                raise SystemExit

        for kind in (Dying, UpsertSink):
            sink = kind(tmp_path / "w.db", "score", key="id")
            job = BatchProcessor(
                lambda ids: [{"id": one, "at": moment} for one in ids],
                ledger=MemoryLedger(),
                sink=sink,
                namespace="n",
            )
            try:
                job.run([[1, 2], [3]])
            except SystemExit:
                continue
            finally:
                sink.close()
        with connected(tmp_path / "w.db") as connection:
            rows = connection.execute("SELECT * FROM score").fetchall()
        assert rows == [(one, "2026-01-01 00:00:00+00:00") for one in (1, 2, 3)]

    @pytest.mark.parametrize(
        ("options", "match"),
        [({"key": ()}, "`key`"), ({"key": "id", "paramstyle": "named"}, "paramstyle")],
        ids=["key", "paramstyle"],
    )
    def test_bad_settings_are_refused(self, options, match):
        """At once."""
        with pytest.raises(ValueError, match=match):
            UpsertSink("w.db", "score", **options)

    def test_a_driver_that_does_not_say_how_needs_to_be_told(self):
        """By the standard's own name for it."""

        class Connection:
            def cursor(self):
                return self

            def executemany(self, statement, rows):
                """Never get that far."""

            def rollback(self):
                pass

        with pytest.raises(ValueError, match="paramstyle"):
            UpsertSink(Connection, "score", key="id").write([output([{"id": 1}])])

    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
    def test_a_child_connects_anew(self, warehouse):
        """The connection of its parent is not its own."""
        connect, table, rows = warehouse
        sink = UpsertSink(connect, table, key=["id", "day"])
        sink.write([output([{"id": 1, "day": "mon"}])])
        child = os.fork()
        if child == 0:
            try:
                sink.write([output([{"id": 2, "day": "mon"}])])
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        sink.write([output([{"id": 3, "day": "mon"}])])
        sink.close()
        assert [row[0] for row in rows()] == [1, 2, 3]

    def test_it_shows_itself_and_pickles(self):
        """Without its connection."""
        sink = pickle.loads(pickle.dumps(UpsertSink("w.db", "score", key="id")))
        assert repr(sink) == "UpsertSink('score', key='id')"
        assert isinstance(sink, Sink)
        assert sink.guarantee == "idempotent"
