"""Reading features of one entity and of a hundred, beside raw SQLite with typed columns.

The floor is one table per view whose key is a text, read by its primary key with a prepared
statement over an open connection: no check of time to live, no types beyond SQLite's own. Feast
0.67 over SQLite took 137-141 us for one entity and 2.6-3.0 ms for a hundred on the same machine,
where raw SQLite took 8.3-9.3 us; it is not installed here.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measuring import time_small
from prodml.features.memory_store import MemoryOnlineStore
from prodml.features.online_view import OnlineView
from prodml.features.sqlite_store import SqliteOnlineStore

N_ENTITIES = 10_000
N_MANY = 100
AT = datetime(2026, 1, 2, tzinfo=UTC)


def view_of(n_features):
    names = [f"f{place}" for place in range(n_features)]
    return OnlineView(name="v", keys=["id"], features=names, event_time="at", ttl=timedelta(days=7))


def rows_of(view):
    """Floats and integers in turn, as features are."""
    kinds = (float, int)
    return [
        {"id": f"customer:{key}", "at": AT}
        | {name: kinds[place % 2](key * 7 + place) for place, name in enumerate(view.features)}
        for key in range(N_ENTITIES)
    ]


class RawSqlite:
    """The floor: typed columns, no more."""

    def __init__(self, path, view, rows):
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        columns = ", ".join(f"{name} NUMERIC" for name in view.features)
        self.connection.execute(
            # names are numbered, values are bound
            f"CREATE TABLE v (id TEXT PRIMARY KEY, at INTEGER, created INTEGER, {columns}) "
            "WITHOUT ROWID"
        )
        marks = ",".join("?" * (len(view.features) + 3))
        self.connection.execute("BEGIN")
        self.connection.executemany(
            f"INSERT INTO v VALUES ({marks})",  # noqa: S608 - marks alone
            [(row["id"], 0, 0, *(row[name] for name in view.features)) for row in rows],
        )
        self.connection.execute("COMMIT")
        names = ", ".join(view.features)
        self.one = f"SELECT at, created, {names} FROM v WHERE id = ?"  # noqa: S608 - numbered names
        many = ",".join("?" * N_MANY)
        self.many = f"SELECT id, at, created, {names} FROM v WHERE id IN ({many})"  # noqa: S608

    def close(self):
        self.connection.close()


def measure(rounds, n_features=2):
    """Return microseconds by what is read and where, and seconds of a put of all entities."""
    view = view_of(n_features)
    rows = rows_of(view)
    keys = [row["id"] for row in rows[:: N_ENTITIES // N_MANY]]
    one = [keys[50]]
    with tempfile.TemporaryDirectory() as folder:
        raw_store = RawSqlite(Path(folder) / "raw.db", view, rows)
        with closing(raw_store) as raw, SqliteOnlineStore(Path(folder) / "p.db") as store:
            memory = MemoryOnlineStore()
            start = time.perf_counter()
            store.put(view, rows)
            put_seconds = time.perf_counter() - start
            memory.put(view, rows)
            execute = raw.connection.execute
            read = {
                "raw_1": lambda: execute(raw.one, one).fetchall(),
                "sqlite_1": lambda: store.get(view, one, at=AT),
                "memory_1": lambda: memory.get(view, one, at=AT),
                "raw_100": lambda: execute(raw.many, keys).fetchall(),
                "sqlite_100": lambda: store.get(view, keys, at=AT),
                "memory_100": lambda: memory.get(view, keys, at=AT),
            }
            _compare(read, view)
            figures = {
                f"{name}_us": 1e6
                * time_small(work, number=300 if name.endswith("100") else 20_000, repeats=rounds)
                for name, work in read.items()
            }
    figures["sqlite_put_us_per_row"] = 1e6 * put_seconds / N_ENTITIES
    figures["ratio_1"] = figures["sqlite_1_us"] / figures["raw_1_us"]
    figures["ratio_100"] = figures["sqlite_100_us"] / figures["raw_100_us"]
    return figures


def _compare(read, view):
    """Make sure that all give the same values before any is timed."""
    ((_, _, *wanted),) = read["raw_1"]()
    known = {key: values for key, _, _, *values in read["raw_100"]()}
    for name in ("sqlite", "memory"):
        (row,) = read[f"{name}_1"]()
        assert row.status == "fresh"
        assert [row.features[feature] for feature in view.features] == wanted
        found = {one.key: [one.features[f] for f in view.features] for one in read[f"{name}_100"]()}
        assert found == known


if __name__ == "__main__":
    for count in (2, 10):
        print(count, {name: round(value, 2) for name, value in measure(7, count).items()})
