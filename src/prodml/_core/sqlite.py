"""SQLite set up in one way: write-ahead log, full durability, waiting writers, versions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from prodml._core.sql import MOST_PARAMETERS, placeholders
from prodml.errors import NewerSchemaError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["SqliteDatabase"]

#: Path of a database that lives as long as the object.
MEMORY: Final = ":memory:"

#: How far the write-ahead log may grow before it is copied into the file.
_LOG_BYTES: Final = 64 * 2**20

_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.1
_BUSY: Final = "another process has been writing for longer than {timeout:g} s; try again"
_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: "the disk is full; nothing of this operation was stored",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of file and folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and is writable",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a copy",
    sqlite3.SQLITE_IOERR: "the disk does not answer; nothing of this operation was stored",
}


class SqliteDatabase:
    """An SQLite file whose tables are brought up to date when it is opened.

    One connection, used by one thread at a time: safe between threads and processes, and after a
    fork, where the child opens a connection of its own. A transaction is on the disk when its
    block ends, so that it survives a loss of power (``synchronous=FULL``).

    Parameters
    ----------
    path : str or os.PathLike
        The file, made if it is absent, or ``":memory:"``.
    migrations : sequence of sequences of str
        Statements that lead from each layout version to the next.
    application_id : int
        Written into the file, so that another program's database is not taken for ours.
    busy_timeout : float, default 30.0
        How long to wait for another writer, in seconds.
    page_size : int, default 4096
        Of a new file, in bytes: larger for large transactions, small for small ones.

    Raises
    ------
    NewerSchemaError
        If a later prodml has written the file.
    StorageError
        If the file cannot be opened, or belongs to another program.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        migrations: Sequence[Sequence[str]],
        application_id: int,
        busy_timeout: float = 30.0,
        page_size: int = 4096,
    ) -> None:
        self.location = os.fspath(path)
        self._migrations = migrations
        self._application_id = application_id
        self._busy_timeout = busy_timeout
        self._page_size = page_size
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        with self._lock:
            self._open()

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[SqliteSession]:
        """Open a transaction; see :class:`prodml._core.sql.Database`."""
        with self._lock, self._explained():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield SqliteSession(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has rolled back by itself
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection; what a memory database held is gone."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._owner == os.getpid():
            return self._connection
        # A parent's connection is left alone: closing it would drop the parent's locks.
        with self._explained():
            connection = sqlite3.connect(
                self.location,
                timeout=self._busy_timeout,
                isolation_level=None,
                check_same_thread=False,
            )
            weakref.finalize(self, _close_in_owner, connection, os.getpid())
            self._identify(connection)  # before anything is changed about a file not ours
            self._configure(connection)
            self._migrate(connection)
        self._connection, self._owner = connection, os.getpid()
        return connection

    def _configure(self, connection: sqlite3.Connection) -> None:
        if self.location != MEMORY:
            connection.execute(f"PRAGMA page_size={self._page_size}")  # heeded by new files only
            self._switch_to_wal(connection)
            # large writes are copied from the log into the file less often
            connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_BYTES // self._page_size}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    def _switch_to_wal(self, connection: sqlite3.Connection) -> None:
        # The busy timeout does not cover this switch, which every process tries on a new file.
        deadline = time.monotonic() + self._busy_timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    def _migrate(self, connection: sqlite3.Connection) -> None:
        newest = len(self._migrations)
        if self._identify(connection) == newest:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            # another process may have been faster
            for statements in self._migrations[self._identify(connection) :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id={self._application_id}")
            connection.execute(f"PRAGMA user_version={newest}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _identify(self, connection: sqlite3.Connection) -> int:
        """Return the layout version of the file, and refuse one that is not ours."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (n_tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if application != self._application_id and (application or version or n_tables):
            message = (
                f"{self.location!r} is a database of another program or for another purpose. "
                f"Give the path of a file that does not exist yet."
            )
            raise StorageError(message, location=self.location)
        newest = len(self._migrations)
        if version > newest:
            message = (
                f"{self.location!r} was written by a later prodml (layout {version}, "
                f"this one knows {newest}). Upgrade prodml."
            )
            raise NewerSchemaError(message, location=self.location, found=version, supported=newest)
        return int(version)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says into an error that says what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            advice = _ADVICE.get(_code(error))
            if advice is None:
                raise
            why = advice.format(timeout=self._busy_timeout)
            message = f"The database {self.location!r} failed: {why}."
            raise StorageError(message, location=self.location) from error

    def __repr__(self) -> str:
        return f"SqliteDatabase({self.location!r})"


class SqliteSession:
    """One open transaction on SQLite."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> list[Any]:
        """Run a statement and return all of its rows."""
        return self._connection.execute(statement, parameters).fetchall()

    def change(self, statement: str, parameters: Sequence[Any] = (), /) -> int:
        """Run a statement and return how many rows it changed."""
        return self._connection.execute(statement, parameters).rowcount

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Run a statement once for each row of parameters."""
        self._connection.executemany(statement, rows)

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Insert rows, as many at a time as a statement takes: a third less time than singly."""
        # names of tables and columns are prodml's own; values are bound
        head = f"INSERT INTO {table} ({','.join(columns)}) VALUES "  # noqa: S608
        one = f"({placeholders(len(columns))})"
        at_a_time = MOST_PARAMETERS // len(columns)
        left = iter(rows)
        piece = list(islice(left, at_a_time))
        if len(piece) == at_a_time:
            statement = head + ",".join([one] * at_a_time)
            while len(piece) == at_a_time:
                self._connection.execute(statement, tuple(chain.from_iterable(piece)))
                piece = list(islice(left, at_a_time))
        self._connection.executemany(head + one, piece)


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _close_in_owner(connection: sqlite3.Connection, owner: int) -> None:
    if owner == os.getpid():
        connection.close()
