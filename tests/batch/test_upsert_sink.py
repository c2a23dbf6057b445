"""Keys of an upsert: one plain value in each of their columns, in every row."""

from __future__ import annotations

import sqlite3

import numpy as np
import pandas as pd
import pytest

from prodml.batch import BatchOutput, UpsertSink
from prodml.errors import DuplicateKeyError, MissingKeyError, UnkeyableError
from tests.databases import connected


@pytest.fixture
def file(tmp_path):
    """Return an SQLite file with a table."""
    with connected(tmp_path / "w.db") as connection:
        connection.execute("CREATE TABLE score (id PRIMARY KEY, x)")
    return tmp_path / "w.db"


def upsert(file, *data):
    """Write outputs, one call, and return the rows of the table."""
    sink = UpsertSink(file, "score", key="id")
    try:
        sink.write([BatchOutput(b"k1:x", at, one) for at, one in enumerate(data)])
    finally:
        sink.close()
    with connected(file) as connection:
        return connection.execute("SELECT * FROM score ORDER BY id").fetchall()


@pytest.mark.parametrize(
    "cell", [[1], {"a": 1}, {1}, (1, [2])], ids=["list", "dict", "set", "tuple"]
)
def test_a_key_of_many_values_is_refused(file, cell):
    """With its column and its first rows."""
    with pytest.raises(UnkeyableError, match=r"'id'.*row 1") as caught:
        upsert(file, [{"id": 1, "x": 2}, {"id": cell, "x": 2}])
    assert caught.value.column == "id"


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"id": [1.0, None], "x": [1, 2]}),
        {"id": pd.array([1, None], dtype="Int64"), "x": np.array([1, 2])},
        [{"id": 1, "x": 1}, {"x": 2}],
        pd.DataFrame({"id": pd.to_datetime(["2026-01-01", None]), "x": [1, 2]}),
    ],
    ids=["NaN", "NA", "absent", "NaT"],
)
def test_a_missing_key_is_refused_however_it_is_missing(file, data):
    """And the rows beside it are not stored either."""
    with pytest.raises(MissingKeyError) as caught:
        upsert(file, data)
    assert (caught.value.column, caught.value.rows) == ("id", (1,))
    assert upsert(file) == []


def test_equal_keys_are_equal_whatever_their_type(file):
    """The database takes 1 and 1.0 for the same."""
    with pytest.raises(DuplicateKeyError) as caught:
        upsert(file, [{"id": 1, "x": 1}, {"id": 2, "x": 1}, {"id": 1.0, "x": 2}])
    assert caught.value.rows == (2,)
    assert caught.value.keys == ("[1.0]",)


def test_of_one_key_in_two_outputs_the_last_stays(file):
    """They are batches of their own, in order."""
    assert upsert(file, [{"id": 1, "x": 1}], None, [{"id": 1, "x": 2}, {"id": 2, "x": 3}]) == [
        (1, 2),
        (2, 3),
    ]


def test_columns_that_are_not_written_keep_what_they_hold(tmp_path):
    """Of a known row, only what the output names is replaced."""
    with connected(tmp_path / "w.db") as connection:
        connection.execute("CREATE TABLE score (id INTEGER PRIMARY KEY, x, note DEFAULT 'new')")
        connection.execute("INSERT INTO score VALUES (1, 0, 'kept')")
    assert upsert(tmp_path / "w.db", [{"id": 1, "x": 5}, {"id": 2, "x": 6}]) == [
        (1, 5, "kept"),
        (2, 6, "new"),
    ]


def test_names_are_quoted_in_every_place(tmp_path):
    """Of the table, of its columns, and of the key."""
    table, key, other = 'select"; --', 'or"der', "group ?%s"
    quoted = ['"' + name.replace('"', '""') + '"' for name in (table, key, other)]
    with connected(tmp_path / "w.db") as connection:
        connection.execute("CREATE TABLE {} ({} INTEGER PRIMARY KEY, {})".format(*quoted))
    sink = UpsertSink(tmp_path / "w.db", table, key=key)
    for value in (1, 2):
        sink.write([BatchOutput(b"k1:x", 0, [{other: value, key: 7}])])
    sink.close()
    with connected(tmp_path / "w.db") as connection:
        rows = connection.execute(f"SELECT * FROM {quoted[0]}").fetchall()  # noqa: S608
    assert rows == [(7, 2)]


def test_threads_share_one_connection(file):
    """One at a time, each call a transaction."""
    from concurrent.futures import ThreadPoolExecutor

    opened = []

    def connect():
        opened.append(sqlite3.connect(file, check_same_thread=False))
        return opened[-1]

    sink = UpsertSink(connect, "score", key="id")
    with ThreadPoolExecutor(4) as pool:
        for done in [
            pool.submit(sink.write, [BatchOutput(b"k1:x", 0, [{"id": at % 50, "x": at}])])
            for at in range(200)
        ]:
            done.result()
    sink.close()
    assert len(opened) == 1
    assert [row[0] for row in upsert(file)] == list(range(50))
