"""SQLite set up in one way: write-ahead log, full durability, waiting writers, versions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final, Literal

from prodml._core.file_gate import FileGate
from prodml._core.file_systems import network_file_system
from prodml._core.sqlite_session import SqliteSession
from prodml.errors import NewerSchemaError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    fork, where the child opens a connection of its own.

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
    cache_bytes : int, default 2 MB
        How much of the file is kept in memory at most.
    durability : {"full", "normal"}, default "full"
        With ``"full"`` a transaction is on the disk when its block ends. With ``"normal"`` it
        survives a kill; a loss of power may take the last ones back, never a part of one.
    gated : bool, default False
        Let writers of several processes wait at a :class:`FileGate`: less long when there are
        many. It also keeps two processes from copying the log at once, at which SQLite before
        3.51.3 may, very rarely, damage the file.

    Raises
    ------
    NewerSchemaError
        If a later prodml has written the file.
    StorageError
        If the file cannot be opened, belongs to another program, or lies on a network file
        system, where the locks of SQLite do not hold.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        migrations: Sequence[Sequence[str]],
        application_id: int,
        busy_timeout: float = 30.0,
        page_size: int = 4096,
        cache_bytes: int = 2 * 2**20,
        durability: Literal["full", "normal"] = "full",
        gated: bool = False,
    ) -> None:
        self.location = os.fspath(path)
        _refuse_network(self.location)
        self._migrations = migrations
        self._application_id = application_id
        self._busy_timeout = busy_timeout
        self._page_size = page_size
        self._cache_bytes = cache_bytes
        self._synchronous = durability.upper()
        in_file = self.location != MEMORY
        self._gate = (
            FileGate(f"{self.location}-gate", timeout=busy_timeout) if gated and in_file else None
        )
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        with self._lock:
            self._open()

    def transaction(self, *, write: bool) -> SqliteTransaction:
        """Open a transaction; see :class:`prodml._core.sql.Database`."""
        return SqliteTransaction(self, write=write)

    def read(self, statement: str, parameters: Sequence[Any] = (), /) -> list[Any]:
        """Run one statement that only reads, without the cost of a transaction around it."""
        try:
            with self._lock:
                connection = self._connection
                if connection is None or self._owner != os.getpid():
                    connection = self._open()
                return connection.execute(statement, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            self._explain(error)
            raise

    def begin(self, *, write: bool) -> sqlite3.Connection:
        """Begin a transaction, and keep other threads out until it has ended."""
        self._lock.acquire()
        try:
            if write:
                self._acquire_gate()
            try:
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            except BaseException:
                if write:
                    self._release_gate()
                raise
        except BaseException as error:
            self._lock.release()
            self._explain(error)
            raise
        return connection

    def end(self, *, write: bool, error: BaseException | None) -> None:
        """Commit the transaction, or take it back because of an error."""
        connection = self._connection
        try:
            if connection is None:
                return  # closed by the block itself
            if error is None:
                try:
                    connection.execute("COMMIT")
                except BaseException as failure:
                    _roll_back(connection)
                    self._explain(failure)
                    raise
            else:
                _roll_back(connection)
                self._explain(error)
        finally:
            if write:
                self._release_gate()
            self._lock.release()

    def close(self) -> None:
        """Close the connection; what a memory database held is gone."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._acquire_gate()
                try:
                    # the last connection to close copies the log into the file
                    self._connection.close()
                except sqlite3.DatabaseError as error:
                    self._explain(error)
                    raise
                finally:
                    self._release_gate()
            self._connection = None
            if self._gate is not None:
                self._gate.close()

    def _acquire_gate(self) -> None:
        if self._gate is None:
            return
        try:
            self._gate.acquire()
        except OSError as error:
            late = isinstance(error, TimeoutError)
            code = sqlite3.SQLITE_BUSY if late else sqlite3.SQLITE_READONLY
            raise self._failure(code) from error

    def _release_gate(self) -> None:
        if self._gate is not None:
            self._gate.release()

    def _failure(self, code: int) -> StorageError:
        why = _ADVICE[code].format(timeout=self._busy_timeout)
        return StorageError(
            f"The database {self.location!r} failed: {why}.", location=self.location
        )

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._owner == os.getpid():
            return self._connection
        # A parent's connection is left alone: closing it would drop the parent's locks.
        try:
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
        except sqlite3.DatabaseError as error:
            self._explain(error)
            raise
        self._connection, self._owner = connection, os.getpid()
        return connection

    def _configure(self, connection: sqlite3.Connection) -> None:
        if self.location != MEMORY:
            connection.execute(f"PRAGMA page_size={self._page_size}")  # heeded by new files only
            self._switch_to_wal(connection)
            # large writes are copied from the log into the file less often
            connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_BYTES // self._page_size}")
        connection.execute(f"PRAGMA cache_size=-{self._cache_bytes // 1024}")
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
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
            _roll_back(connection)
            raise

    def _identify(self, connection: sqlite3.Connection) -> int:
        """Return the layout version of the file, and refuse one that is not ours."""
        application, version, n_tables = _head_of(connection)
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

    def _explain(self, error: BaseException) -> None:
        """Raise an error that says what to do, where one is known for what SQLite says."""
        if isinstance(error, sqlite3.DatabaseError) and _code(error) in _ADVICE:
            raise self._failure(_code(error)) from error

    def __repr__(self) -> str:
        return f"SqliteDatabase({self.location!r})"


class SqliteTransaction:
    """A transaction from its begin to its end.

    A class: a generator each for lock, gate, errors and transaction takes four times as long.
    """

    __slots__ = ("_database", "_session", "_write")

    def __init__(self, database: SqliteDatabase, *, write: bool) -> None:
        self._database = database
        self._write = write

    def __enter__(self) -> SqliteSession:
        self._session = SqliteSession(self._database.begin(write=self._write))
        return self._session

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._database.end(write=self._write, error=error)


def _refuse_network(location: str) -> None:
    kind = None if location == MEMORY else network_file_system(location)
    if kind is not None:
        message = (
            f"{location!r} lies on a network file system ({kind}), where several machines could "
            f"write it at once and damage it. Use a local disk, or PostgreSQL."
        )
        raise StorageError(message, location=location)


def _head_of(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Return application id, layout version and number of tables, as of one moment."""
    # another process may be making the tables
    alone = not connection.in_transaction
    if alone:
        connection.execute("BEGIN")
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (n_tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    finally:
        if alone and connection.in_transaction:
            connection.execute("COMMIT")
    return application, version, n_tables


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # a full disk has rolled back by itself
        connection.execute("ROLLBACK")


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _close_in_owner(connection: sqlite3.Connection, owner: int) -> None:
    if owner == os.getpid():
        connection.close()
