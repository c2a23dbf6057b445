"""The embedded served log: one SQLite file."""

from __future__ import annotations

import json
import os
import struct
import threading
import weakref
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from prodml._core.cells import decode_cell, encode_cell
from prodml._core.sqlite import SqliteDatabase
from prodml._core.stored_values import from_microseconds, to_microseconds
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import FeatureError, FormatError
from prodml.features.served_log import ServedRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from prodml._core.sql import Session
    from prodml.protocols import Clock

__all__ = ["SqliteServedLog"]

#: "PMLS", which tells the file apart from other SQLite databases.
_APPLICATION_ID: Final = 0x504D4C53
_TABLES: Final = (
    "CREATE TABLE served_sets (id INTEGER PRIMARY KEY, description TEXT NOT NULL UNIQUE)",
    """CREATE TABLE served_rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
    served_set INTEGER NOT NULL REFERENCES served_sets (id), key TEXT NOT NULL,
    inputs TEXT NOT NULL, features BLOB NOT NULL)""",
    "CREATE INDEX served_rows_at ON served_rows (at)",
)
_COLUMNS: Final = ("at", "served_set", "key", "inputs", "features")
#: Rows that are read at a time.
_PAGE: Final = 1000
#: So many batches are kept where the file cannot be written; then the oldest rows are dropped.
_MOST_BATCHES: Final = 16
_AFTER_FORK: Final = threading.Lock()

#: What is the same for all rows of one process: name, version, fingerprint, environment, columns.
_Set = tuple[str, str, str, str, tuple[str, ...]]
_Row = tuple[int, _Set, str, str, bytes]


class SqliteServedLog:
    """Served records in one SQLite file, for the processes of one machine.

    Records are gathered and written several at a time, by the thread whose record completes a
    batch, while others go on. Those that were not yet written are lost by a kill, at most
    `batch_size` of each process; :meth:`close`, the end of a ``with`` block and the end of the
    interpreter write them. Safe between threads and processes, and after a fork, where the child
    leaves what it inherited to its parent. Does not pickle. The file must not lie on a network
    file system.

    Parameters
    ----------
    path : str or os.PathLike
        The file, made if it is absent, or ``":memory:"``.
    batch_size : int, default 100
        How many records are written at a time.
    keep : timedelta, optional
        Records older than this are deleted, whenever a batch is written. By default all stay.
    durability : {"normal", "full"}, default "normal"
        ``"normal"`` may forget the last batches when power is lost.
    busy_timeout : float, default 0.25
        How long a request waits for another writer, in seconds.
    clock : Clock, optional
        Tells how old records are.

    Raises
    ------
    FeatureError
        If an option is none.
    NewerSchemaError
        If a later prodml has written the file.
    StorageError
        If the file cannot be opened, belongs to another program, or lies on a network file
        system.

    Examples
    --------
    >>> with SqliteServedLog("served.db", keep=timedelta(days=30)) as log:
    ...     len(log)
    0
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: int = 100,
        keep: timedelta | None = None,
        durability: Literal["normal", "full"] = "normal",
        busy_timeout: float = 0.25,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        _check_options(batch_size, keep, durability)
        database = SqliteDatabase(
            path,
            migrations=(_TABLES,),
            application_id=_APPLICATION_ID,
            busy_timeout=busy_timeout,
            durability=durability,
        )
        self._buffer = _Buffer(database, batch_size, keep, clock)
        # runs when the log is dropped or the interpreter ends, before the database is closed
        self._last_flush = weakref.finalize(self, _flush_quietly, self._buffer)

    @property
    def location(self) -> str:
        """The file."""
        return self._buffer.database.location

    @property
    def n_dropped(self) -> int:
        """Records that were dropped since the file could not be written for too long."""
        return self._buffer.n_dropped

    def append(self, record: ServedRecord, /) -> None:
        """Keep a record; every `batch_size` of them are written.

        Parameters
        ----------
        record : ServedRecord
            What was served.

        Raises
        ------
        StorageError
            If a batch cannot be written. It is kept and tried again with the next one, up to 16
            batches; then the oldest records are dropped, which :attr:`n_dropped` counts.
        """
        self._buffer.append(_row_of(record))

    def flush(self) -> None:
        """Write what was gathered.

        Raises
        ------
        StorageError
            If it cannot be written; it is kept.
        """
        self._buffer.flush()

    def records(
        self,
        *,
        fingerprint: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[ServedRecord]:
        """Return the records in the order in which they were written, a page at a time.

        Parameters
        ----------
        fingerprint : str, optional
            Those of one set of features.
        start, end : datetime, optional
            Those that were served at `start` or later, and before `end`; with time zones.

        Raises
        ------
        FormatError
            If a row is damaged.
        StorageError
            If the file cannot be read.
        """
        self.flush()
        low = -(2**63) if start is None else to_microseconds(start)
        high = 2**63 - 1 if end is None else to_microseconds(end)
        return _read_pages(self._buffer.database, fingerprint, low, high)

    def purge(self, *, before: datetime) -> int:
        """Delete old records.

        Parameters
        ----------
        before : datetime
            Records that were served before it are deleted; with a time zone.

        Returns
        -------
        int
            How many were deleted.
        """
        self.flush()
        with self._buffer.database.transaction(write=True) as session:
            return _purge(session, to_microseconds(before))

    def close(self) -> None:
        """Write what was gathered, and close the file; it is opened again when it is needed."""
        self.flush()
        self._buffer.database.close()

    def __len__(self) -> int:
        self.flush()
        ((count,),) = self._buffer.database.read("SELECT COUNT(*) FROM served_rows")
        return int(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SqliteServedLog({self.location!r})"


class _Buffer:
    """Rows on their way into the file. Apart from the log, so that they outlive it."""

    def __init__(
        self, database: SqliteDatabase, batch_size: int, keep: timedelta | None, clock: Clock
    ) -> None:
        self.database = database
        self.n_dropped = 0
        self._batch_size = batch_size
        self._keep = keep
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._rows: list[_Row] = []
        self._due = self._batch_size
        self._set_ids: dict[_Set, int] = {}
        self._owner = os.getpid()

    def append(self, row: _Row) -> None:
        self._leave_parent()
        with self._lock:
            self._rows.append(row)
            due = len(self._rows) >= self._due
        # while one thread writes, others gather for the next
        if due and self._writing.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._writing.release()

    def flush(self) -> None:
        self._leave_parent()
        with self._writing:
            self._write()

    @property
    def is_ours(self) -> bool:
        return self._owner == os.getpid()

    def _leave_parent(self) -> None:
        if self.is_ours:
            return
        with _AFTER_FORK:  # a lock of the buffer may be held by a thread that is not here
            if not self.is_ours:
                self._begin()

    def _write(self) -> None:
        with self._lock:
            rows, self._rows = self._rows, []
        if not rows:
            return
        try:
            self._insert(rows)
        except BaseException:
            with self._lock:
                kept = rows + self._rows
                room = _MOST_BATCHES * self._batch_size
                self.n_dropped += max(0, len(kept) - room)
                self._rows = kept[-room:]
                # not at once again: each try may take as long as a request may wait
                self._due = len(self._rows) + self._batch_size
            raise
        self._due = self._batch_size

    def _insert(self, rows: list[_Row]) -> None:
        ids = dict(self._set_ids)
        with self.database.transaction(write=True) as session:
            for served_set in {row[1] for row in rows} - ids.keys():
                ids[served_set] = _set_id(session, served_set)
            stored = [(at, ids[served_set], *rest) for at, served_set, *rest in rows]
            session.insert_many("served_rows", _COLUMNS, stored)
            if self._keep is not None:
                _purge(session, to_microseconds(self._clock.now() - self._keep))
        self._set_ids = ids  # only what was committed


def _flush_quietly(buffer: _Buffer) -> None:
    # nobody is left who could be told; a forked child leaves the rows to its parent
    if buffer.is_ours:
        with suppress(Exception):
            buffer.database.close()  # at the end of the interpreter it may be half closed already
            buffer.flush()
            buffer.database.close()


def _check_options(batch_size: Any, keep: Any, durability: Any) -> None:
    if type(batch_size) is not int or batch_size < 1:
        message = f"`batch_size` must be a whole number >= 1, got {batch_size!r}."
        raise FeatureError(message)
    if keep is not None and (not isinstance(keep, timedelta) or keep <= timedelta(0)):
        message = f"`keep` must be a timedelta above 0, got {keep!r}."
        raise FeatureError(message)
    if durability not in {"normal", "full"}:
        message = f"`durability` must be 'normal' or 'full', got {durability!r}."
        raise FeatureError(message)


def _row_of(record: ServedRecord) -> _Row:
    return (
        to_microseconds(record.at),
        (record.name, record.version, record.fingerprint, record.environment, record.columns),
        json.dumps(encode_cell(record.key), allow_nan=False),
        json.dumps(
            {name: encode_cell(cell) for name, cell in record.inputs.items()}, allow_nan=False
        ),
        struct.pack(f"<{len(record.features)}d", *record.features),
    )


def _set_id(session: Session, served_set: _Set) -> int:
    description = json.dumps(served_set)
    session.execute("INSERT OR IGNORE INTO served_sets (description) VALUES (?)", (description,))
    ((found,),) = session.execute(
        "SELECT id FROM served_sets WHERE description = ?", (description,)
    )
    return int(found)


def _purge(session: Session, before: int) -> int:
    return session.change("DELETE FROM served_rows WHERE at < ?", (before,))


def _read_pages(
    database: SqliteDatabase, fingerprint: str | None, low: int, high: int
) -> Iterator[ServedRecord]:
    last = 0
    sets: dict[int, _Set] = {}
    while True:
        rows = database.read(
            "SELECT id, at, served_set, key, inputs, features FROM served_rows "
            "WHERE id > ? AND at >= ? AND at < ? ORDER BY id LIMIT ?",
            (last, low, high, _PAGE),
        )
        if not rows:
            return
        if any(row[2] not in sets for row in rows):
            found = database.read("SELECT id, description FROM served_sets")
            sets = {number: _read_set(description) for number, description in found}
        for row in rows:
            served_set = sets[row[2]]
            if fingerprint is None or served_set[2] == fingerprint:
                yield _read_row(row, served_set)
        last = rows[-1][0]


def _read_set(description: str) -> _Set:
    name, version, fingerprint, environment, columns = json.loads(description)
    return name, version, fingerprint, environment, tuple(columns)


def _read_row(row: Sequence[Any], served_set: _Set) -> ServedRecord:
    number, at, _, key, inputs, features = row
    name, version, fingerprint, environment, columns = served_set
    try:
        return ServedRecord(
            key=decode_cell(json.loads(key)),
            at=from_microseconds(at),
            inputs={one: decode_cell(cell) for one, cell in json.loads(inputs).items()},
            features=struct.unpack(f"<{len(columns)}d", features),
            columns=columns,
            name=name,
            version=version,
            fingerprint=fingerprint,
            environment=environment,
        )
    except (AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
        message = f"Row {number} of the served log is damaged: {type(error).__name__}: {error}."
        raise FormatError(message) from error
