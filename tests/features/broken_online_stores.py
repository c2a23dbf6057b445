"""Online stores that each break one promise, to be found out by the suite."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prodml.features.memory_store import MemoryOnlineStore
from prodml.features.online_intake import rows_to_store
from prodml.features.online_rows import restore
from prodml.features.online_store import OnlineRows, PutReport
from prodml.testing._requiring import N_THREADS

_FAR = datetime(9999, 1, 1, tzinfo=UTC)


class Inner:
    """Passes everything on to a store that keeps its promises."""

    def __init__(self):
        self.store = MemoryOnlineStore()

    def get(self, view, keys, names=None, *, at):
        """Pass it on."""
        return self.store.get(view, keys, names, at=at)

    def put(self, view, rows):
        """Pass it on."""
        return self.store.put(view, rows)

    def delete(self, view, keys):
        """Pass it on."""
        return self.store.delete(view, keys)

    def purge(self, view, *, older_than):
        """Pass it on."""
        return self.store.purge(view, older_than=older_than)

    def drop(self, name):
        """Pass it on."""
        return self.store.drop(name)

    def answered(self, rows, change):
        """Return an answer in which each row was changed."""
        return OnlineRows(map(change, rows), rows.view, rows.names, rows.at)


class LastWriteWins(Inner):
    """Keeps what came last."""

    def put(self, view, rows):
        """Break it."""
        newest, n_rows = rows_to_store(view, rows)
        for entity, row in newest.items():
            self.store.put(view, [])
            kept = self.store._rows[view.name]
            kept[entity] = (row.event, row.created, restore(view, row.content))
        return PutReport(view=view.name, n_rows=n_rows, n_written=len(newest))


class FirstOfTies(Inner):
    """Looks at times alone."""

    def put(self, view, rows):
        """Break it."""
        rows = [rows] if isinstance(rows, dict) else rows
        if isinstance(rows, list):
            rows = [row for row in rows if self._is_later(view, row)]
        return self.store.put(view, rows)

    def _is_later(self, view, row):
        try:
            newest, _ = rows_to_store(view, [row])
        except ValueError:
            return True
        known = self.store._rows.get(view.name, {})
        return all(
            entity not in known or one[:2] != known[entity][:2] for entity, one in newest.items()
        )


class ForgetsCreated(Inner):
    """Knows when things were true, not when they were known."""

    def put(self, view, rows):
        """Break it."""
        return self.store.put(replace(view, created_time=None), rows)


class NoTimeToLive(Inner):
    """Serves what expired."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        return self.store.get(replace(view, ttl=None), keys, names, at=at)


class ShutEdge(Inner):
    """Lets rows expire a microsecond early."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        if view.ttl:
            view = replace(view, ttl=view.ttl - timedelta(microseconds=1))
        return self.store.get(view, keys, names, at=at)


class TimeToLiveOfTheWriter(Inner):
    """Goes by the time to live of the first view that it saw."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        self.ttl = getattr(self, "ttl", view.ttl)
        return self.store.get(replace(view, ttl=self.ttl), keys, names, at=at)


class PassesExpiredOff(Inner):
    """Says that a row expired, and hands its values out."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        rows = self.store.get(view, keys, names, at=at)
        alive = self.store.get(replace(view, ttl=None), keys, names, at=at)
        values = iter([row.features for row in alive])
        return self.answered(rows, lambda row: row._replace(features=next(values)))


class ServesTheFuture(Inner):
    """Takes what it has for what was known."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        rows = self.store.get(view, keys, names, at=at)
        later = self.store.get(replace(view, ttl=None), keys, names, at=_FAR)
        values = {row.key: row.features for row in later}
        return self.answered(
            rows,
            lambda row: (
                row._replace(status="fresh", features=values[row.key])
                if row.status == "future"
                else row
            ),
        )


class Rounds(Inner):
    """Keeps floats in 32 bits."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""

        def change(row):
            changed = {
                name: round(value, 5) if isinstance(value, float) and abs(value) < 1e9 else value
                for name, value in row.features.items()
            }
            return row._replace(features=changed)

        return self.answered(self.store.get(view, keys, names, at=at), change)


class TextKeys(Inner):
    """Takes 1 for "1"."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        keys = [str(key) if type(key) is int else key for key in keys]
        return self.store.get(view, keys, names, at=at)

    def put(self, view, rows):
        """Break it."""
        if isinstance(rows, list):
            rows = [
                {**row, "id": str(row["id"])}
                if isinstance(row, dict) and type(row.get("id")) is int
                else row
                for row in rows
            ]
        return self.store.put(view, rows)


class GluesParts(Inner):
    """Takes ("ab", "c") for ("a", "bc")."""

    def _glued(self, view, row):
        if not (isinstance(row, dict) and {"id", "shop"} <= set(row)):
            return row
        return {**row, "id": str(row["id"]) + str(row["shop"]), "shop": ""}

    def put(self, view, rows):
        """Break it."""
        if isinstance(rows, list):
            rows = [self._glued(view, row) for row in rows]
        return self.store.put(view, rows)

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        if len(view.keys) > 1 and all(isinstance(key, tuple) and len(key) == 2 for key in keys):
            keys = [("".join(map(str, key)), "") if None not in key else key for key in keys]
        return self.store.get(view, keys, names, at=at)


class OneView(Inner):
    """Mixes up views."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        return self.store.get(replace(view, name="v"), keys, names, at=at)

    def put(self, view, rows):
        """Break it."""
        return self.store.put(replace(view, name="v"), rows)


class IgnoresNames(Inner):
    """Returns everything."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        return self.store.get(view, keys, at=at)


class TakesAnyLayout(Inner):
    """Starts anew when a view changes."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        self._adapt(view)
        return self.store.get(view, keys, names, at=at)

    def put(self, view, rows):
        """Break it."""
        self._adapt(view)
        return self.store.put(view, rows)

    def _adapt(self, view):
        if self.store._definitions.get(view.name, view.definition) != view.definition:
            self.store.drop(view.name)


class NeverDrops(Inner):
    """Says that it has."""

    def drop(self, name):
        """Break it."""
        return len(self.store._rows.get(name, ()))


class NeverDeletes(Inner):
    """Says that it has."""

    def delete(self, view, keys):
        """Break it."""
        return sum(row.status != "missing" for row in self.store.get(view, set(keys), at=_FAR))


class PurgesByCreated(Inner):
    """Goes by when rows were known."""

    def purge(self, view, *, older_than):
        """Break it."""
        rows = self.store._rows.get(view.name, {})
        limit = (older_than - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        old = [entity for entity, row in rows.items() if row[1] < limit]
        for entity in old:
            del rows[entity]
        return len(old)


class StoresHalf(Inner):
    """Writes row by row."""

    def put(self, view, rows):
        """Break it."""
        if not isinstance(rows, list):
            return self.store.put(view, rows)
        self.store.put(view, [])
        reports = [self.store.put(view, [row]) for row in rows]
        n_written = sum(report.n_written for report in reports)
        return PutReport(view=view.name, n_rows=len(rows), n_written=n_written)


class RecordsAlone(Inner):
    """Takes no frames."""

    def put(self, view, rows):
        """Break it."""
        return self.store.put(view, list(rows))


class Forgetful(Inner):
    """Answers for so many keys."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        return self.store.get(view, list(keys)[:1000], names, at=at)


class NaiveAsUtc(Inner):
    """Takes times without a zone for UTC."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        return self.store.get(view, keys, names, at=at.replace(tzinfo=at.tzinfo or UTC))


class Sorts(Inner):
    """Answers in its own order."""

    def get(self, view, keys, names=None, *, at):
        """Break it."""
        return self.store.get(view, sorted(keys, key=str), names, at=at)


class ReadsThenWrites(Inner):
    """Looks, lets others in, and writes what was newer when it looked."""

    def __init__(self):
        super().__init__()
        self._pending = []
        # the worst of all orders, and not by chance: all have looked, and the newest writes first
        self._all = threading.Barrier(N_THREADS, action=self._write_all, timeout=10)

    def put(self, view, rows):
        """Break it."""
        if threading.current_thread() is threading.main_thread():
            return self.store.put(view, rows)
        looked = MemoryOnlineStore()
        looked.__setstate__(self.store.__getstate__())
        self._pending.append((view, rows, looked))
        self._all.wait()
        return PutReport(view=view.name, n_rows=len(rows), n_written=len(rows))

    def _write_all(self):
        self._pending.sort(key=lambda one: one[1][0]["event"], reverse=True)
        for view, rows, looked in self._pending:
            looked.put(view, rows)
            known = self.store._rows.get(view.name, {})
            kept = looked._rows[view.name]
            wanted, _ = rows_to_store(view, rows)
            self.store.put(view, [])
            self.store._rows[view.name] = known | {one: kept[one] for one in wanted}
        self._pending.clear()


BROKEN = [
    LastWriteWins,
    FirstOfTies,
    ForgetsCreated,
    NoTimeToLive,
    ShutEdge,
    TimeToLiveOfTheWriter,
    PassesExpiredOff,
    ServesTheFuture,
    Rounds,
    TextKeys,
    GluesParts,
    OneView,
    IgnoresNames,
    TakesAnyLayout,
    NeverDrops,
    NeverDeletes,
    PurgesByCreated,
    StoresHalf,
    RecordsAlone,
    Forgetful,
    NaiveAsUtc,
    Sorts,
    ReadsThenWrites,
]
