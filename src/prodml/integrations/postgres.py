"""PostgreSQL, through psycopg 3: stores that several machines share.

Needs the extra ``postgres``: ``pip install "prodml[postgres]"``.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

from prodml._core.sql import DuplicateRowError
from prodml.batch._sql_ledger import SqlLedger
from prodml.batch._tables import create_tables as create_ledger_tables
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import MissingDependencyError, NewerSchemaError, StorageError
from prodml.features._online_tables import create_tables as create_online_tables
from prodml.features._sql_online_store import SqlOnlineStore
from prodml.quarantine._sql_store import SqlQuarantineStore
from prodml.quarantine._tables import create_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

    from prodml.features.online_rows import Known
    from prodml.protocols import Clock

__all__ = ["PostgresLedger", "PostgresOnlineStore", "PostgresQuarantine"]

_SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_MIGRATIONS: Final = (create_tables(integer="BIGINT", blob="BYTEA", clustered=""),)
_LEDGER_MIGRATIONS: Final = (create_ledger_tables(integer="BIGINT", blob="BYTEA", clustered=""),)
_ONLINE_MIGRATIONS: Final = (
    create_online_tables(
        identity="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        integer="BIGINT",
        blob="BYTEA",
        ascii_text='TEXT COLLATE "C"',
        clustered="",
    ),
)
_FIND_ROWS: Final = (
    "SELECT entity, event, created, content FROM online_row WHERE view_id = ? AND entity = ANY(?)"
)


class PostgresQuarantine(SqlQuarantineStore):
    """A quarantine in a PostgreSQL database, for services and jobs on several machines.

    Its tables stand in a schema of their own. Writers of one quarantine wait for one another;
    readers do not wait. Safe between threads, processes and machines, and after a fork.

    Parameters
    ----------
    conninfo : str
        What psycopg connects with: ``"postgresql://user@host/name"`` or ``"host=... dbname=..."``.
    schema : str, default "prodml_quarantine"
        Where the tables stand; made if it is absent. Lower-case letters, digits and ``_``.

    Raises
    ------
    MissingDependencyError
        If psycopg is not installed.
    NewerSchemaError
        If a later prodml has made the tables.
    StorageError
        If the server cannot be reached, or refuses.
    ValueError
        If `schema` is no such name, or `conninfo` cannot be read.
    """

    def __init__(self, conninfo: str, *, schema: str = "prodml_quarantine") -> None:
        super().__init__(PostgresDatabase(conninfo, schema=schema, migrations=_MIGRATIONS))


class PostgresLedger(SqlLedger):
    """A ledger in a PostgreSQL database, for workers on several machines.

    A :class:`~prodml.batch.TableSink` writes into the same database, so that output and mark are
    one transaction. Workers wait for one another only where they ask for the same keys. Safe
    between threads, processes and machines, and after a fork.

    Parameters
    ----------
    conninfo : str
        What psycopg connects with: ``"postgresql://user@host/name"`` or ``"host=... dbname=..."``.
    schema : str, default "prodml_ledger"
        Where the tables stand; made if it is absent. Lower-case letters, digits and ``_``. Tables
        of a TableSink stand there too, unless they are given as ``"schema.table"``.
    clock : Clock, optional
        Tells how old work is when it is purged.

    Raises
    ------
    MissingDependencyError
        If psycopg is not installed.
    NewerSchemaError
        If a later prodml has made the tables.
    StorageError
        If the server cannot be reached, or refuses.
    ValueError
        If `schema` is no such name, or `conninfo` cannot be read.
    """

    def __init__(
        self, conninfo: str, *, schema: str = "prodml_ledger", clock: Clock = SYSTEM_CLOCK
    ) -> None:
        database = PostgresDatabase(
            conninfo, schema=schema, migrations=_LEDGER_MIGRATIONS, one_writer=False
        )
        super().__init__(database, clock=clock)


class PostgresOnlineStore(SqlOnlineStore):
    """An online store in a PostgreSQL database, for services on several machines.

    Writers wait for one another only where they bring the same entities; readers do not wait. A
    `put` is seen whole or not at all. Safe between threads, processes and machines, and after a
    fork; it does not pickle.

    Parameters
    ----------
    conninfo : str
        What psycopg connects with: ``"postgresql://user@host/name"`` or ``"host=... dbname=..."``.
    schema : str, default "prodml_online"
        Where the tables stand; made if it is absent. Lower-case letters, digits and ``_``.

    Raises
    ------
    MissingDependencyError
        If psycopg is not installed.
    NewerSchemaError
        If a later prodml has made the tables.
    StorageError
        If the server cannot be reached, or refuses.
    ValueError
        If `schema` is no such name, or `conninfo` cannot be read.
    """

    def __init__(self, conninfo: str, *, schema: str = "prodml_online") -> None:
        database = PostgresDatabase(
            conninfo, schema=schema, migrations=_ONLINE_MIGRATIONS, one_writer=False
        )
        super().__init__(database)

    def _rows_of(self, number: int, entities: list[bytes]) -> dict[Any, Known]:
        rows = self._database.read(_FIND_ROWS, (number, entities))  # however many they are
        return {entity: (event, created, content) for entity, event, created, content in rows}


class PostgresDatabase:
    """A schema of a PostgreSQL database whose tables are brought up to date when it is opened.

    One connection, used by one thread at a time, opened again when it breaks or after a fork.
    With `one_writer`, writing transactions of one schema wait for one another.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        schema: str,
        migrations: Sequence[Sequence[str]],
        one_writer: bool = True,
    ) -> None:
        if not _SCHEMA_NAME.fullmatch(schema):
            message = (
                f"`schema` must be of lower-case letters, digits and _, at most 63 of them, "
                f"got {schema!r}."
            )
            raise ValueError(message)
        self._psycopg = _import_psycopg()
        self._conninfo = conninfo
        self._schema = schema
        self._migrations = migrations
        self._one_writer = one_writer
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None
        # connections of a parent process: collected, they would end its sessions
        self._abandoned: list[psycopg.Connection[Any]] = []
        self._owner = 0
        self.location = _without_password(self._psycopg, conninfo)
        with self._lock:
            self._open()

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[PostgresSession]:
        """Open a transaction; see :class:`prodml._core.sql.Database`."""
        with self._lock, self._explained():
            connection = self._open()
            with connection.transaction(), connection.cursor() as cursor:
                if write and self._one_writer:
                    # writers queue here, so that each sees what the one before has stored
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self._schema,))
                elif not write:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield PostgresSession(cursor)

    def read(self, statement: str, parameters: Sequence[Any] = (), /) -> list[Any]:
        """Run one statement that only reads, in one round trip."""
        with self._lock, self._explained():
            return self._open().execute(_marked(statement), parameters).fetchall()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is not None and self._owner != os.getpid():
            self._abandoned.append(self._connection)
            self._connection = None
        if self._connection is not None and not self._connection.closed:
            return self._connection
        with self._explained():
            connection: psycopg.Connection[Any]
            connection = self._psycopg.connect(self._conninfo, autocommit=True)
            # whatever the server's default is: rows are looked at again after a wait for them
            connection.isolation_level = self._psycopg.IsolationLevel.READ_COMMITTED
            try:
                self._migrate(connection)
                connection.execute(f"SET search_path TO {self._schema}")
            except BaseException:
                connection.close()
                raise
        self._connection, self._owner = connection, os.getpid()
        return connection

    def _migrate(self, connection: psycopg.Connection[Any]) -> None:
        newest = len(self._migrations)
        with connection.transaction(), connection.cursor() as cursor:
            session = PostgresSession(cursor)
            # asked without a lock first, so that nobody waits where nothing is to be done
            if self._layout_version(session) == newest:
                return
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (self._schema,))
            version = self._layout_version(session)
            if version is None:
                self._make_schema(session)
                version = 0
            session.change(f"SET LOCAL search_path TO {self._schema}")
            if version > newest:
                message = (
                    f"{self.location} was written by a later prodml (layout {version}, "
                    f"this one knows {newest}). Upgrade prodml."
                )
                raise NewerSchemaError(
                    message, location=self.location, found=version, supported=newest
                )
            for statements in self._migrations[version:]:
                for statement in statements:
                    session.change(statement)
            if version < newest:
                session.change("UPDATE layout_version SET version = ?", (newest,))

    def _layout_version(self, session: PostgresSession) -> int | None:
        """Return the version of the tables, or None where there are none."""
        found = session.execute(
            "SELECT 1 FROM information_schema.tables "
            "WHERE table_schema = ? AND table_name = 'layout_version'",
            (self._schema,),
        )
        if not found:
            return None
        # the name of the schema was checked
        rows = session.execute(f"SELECT version FROM {self._schema}.layout_version")  # noqa: S608
        return int(rows[0][0])

    def _make_schema(self, session: PostgresSession) -> None:
        # a schema that exists and may be used is enough: making one is a right of its own
        exists = session.execute(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", (self._schema,)
        )
        if not exists:
            session.change(f"CREATE SCHEMA {self._schema}")
        session.change(f"SET LOCAL search_path TO {self._schema}")
        session.change("CREATE TABLE layout_version (version BIGINT NOT NULL)")
        session.change("INSERT INTO layout_version VALUES (0)")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what PostgreSQL says into an error that says what to do."""
        try:
            yield
        except self._psycopg.OperationalError as error:
            message = (
                f"The database {self.location} failed: {_first_line(error)}. "
                f"Nothing of this operation was stored; try again when it answers."
            )
            raise StorageError(message, location=self.location) from error
        except self._psycopg.errors.InsufficientPrivilege as error:
            message = (
                f"The database {self.location} refuses: {_first_line(error)}. "
                f"Have the schema {self._schema!r} made and granted to this user."
            )
            raise StorageError(message, location=self.location) from error

    def __reduce__(self) -> NoReturn:
        message = "A connection to PostgreSQL does not pickle; open one where it is needed."
        raise TypeError(message)

    def __repr__(self) -> str:
        return f"PostgresDatabase({self.location!r}, schema={self._schema!r})"


class PostgresSession:
    """One open transaction on PostgreSQL."""

    __slots__ = ("_cursor",)

    dialect: Final = "postgres"

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> list[Any]:
        """Run a statement and return all of its rows."""
        return self._run(statement, parameters).fetchall()

    def change(self, statement: str, parameters: Sequence[Any] = (), /) -> int:
        """Run a statement and return how many rows it changed."""
        return self._run(statement, parameters).rowcount

    def _run(self, statement: str, parameters: Sequence[Any]) -> psycopg.Cursor[Any]:
        if not parameters:  # then its words are its own: a name may hold ? and %
            words: Any = statement
            return self._cursor.execute(words)
        return self._cursor.execute(_marked(statement), parameters)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Run a statement once for each row of parameters, without waiting for each."""
        self._cursor.executemany(_marked(statement), rows)

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Insert rows by COPY."""
        from psycopg.errors import UniqueViolation

        try:
            with self._cursor.copy(f"COPY {table} ({','.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except UniqueViolation as error:
            raise DuplicateRowError(_first_line(error)) from error


def _marked(statement: str) -> Any:
    """Return a statement with psycopg's marks for parameters; ours hold no other ``?`` or ``%``."""
    return statement.replace("?", "%s")


def _import_psycopg() -> Any:
    try:
        import psycopg
    except ImportError as error:
        missing = MissingDependencyError.for_extra(
            "psycopg", extra="postgres", purpose="PostgreSQL"
        )
        raise missing from error
    return psycopg


def _without_password(library: Any, conninfo: str) -> str:
    """Return a connection string that may be shown."""
    try:
        parts = library.conninfo.conninfo_to_dict(conninfo)
    except library.ProgrammingError:
        # what stands in it may be a password, so it is not repeated
        message = (
            "`conninfo` must be a connection string, as 'postgresql://user@host/name' or "
            "'host=... dbname=...'; this one cannot be read."
        )
        raise ValueError(message) from None
    for name in ("password", "sslpassword", "passfile"):
        parts.pop(name, None)
    return str(library.conninfo.make_conninfo("", **parts))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
