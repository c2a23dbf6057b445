"""Output in a table of any other database, where a row with a known key replaces the old one."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from prodml.batch._stored_cells import storable_rows
from prodml.batch._tabular import to_rows
from prodml.errors import (
    BatchError,
    DuplicateKeyError,
    MissingKeyError,
    StorageError,
    UnkeyableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prodml._core.sql import Dialect, Session
    from prodml.batch.batch import BatchOutput
    from prodml.batch.sink import Guarantee

__all__ = ["UpsertSink"]

_SHOWN: Final = 5
#: What drivers call their errors, and those of them that rows are to blame for, by PEP 249.
_ERRORS: Final = frozenset({"Error"})
_ABOUT_ROWS: Final = frozenset({"DataError", "IntegrityError"})
_CONTAINERS: Final = (dict, list, set, tuple)
#: Marks for parameters, by what a driver calls its way of marking them.
_MARKS: Final = {"qmark": "?", "format": "%s", "pyformat": "%s"}


class UpsertSink:
    """Inserts rows into a table, or replaces those with the same key; one transaction a call.

    For output that lives in another database than the ledger. Rows that are written again, since
    the job died before it could mark them, replace themselves. The database must know
    ``INSERT ... ON CONFLICT``, as SQLite and PostgreSQL do.

    Thread-safe; fork-safe: after a fork the child connects anew. Picklable if `connect` is.

    Parameters
    ----------
    connect : callable, str or os.PathLike
        Takes nothing and returns a connection of a DB-API 2.0 driver that does not commit by
        itself; or the path of an SQLite file. A connection to SQLite must be opened with
        ``check_same_thread=False`` where several threads write.
    table : str
        A table that exists, with a unique constraint or primary key over `key`; in PostgreSQL
        also ``"schema.table"``.
    key : str or sequence of str
        The columns by which a row is known.
    paramstyle : {"qmark", "format", "pyformat"}, optional
        How the driver marks parameters, where its module does not say.

    Raises
    ------
    ValueError
        If `key` is empty, or names a column twice.

    Examples
    --------
    >>> import sqlite3
    >>> from prodml.batch import BatchOutput
    >>> connection = sqlite3.connect("warehouse.db")
    >>> _ = connection.execute("CREATE TABLE score (id INTEGER PRIMARY KEY, value REAL)")
    >>> sink = UpsertSink("warehouse.db", "score", key="id")
    >>> for value in (0.5, 0.75):
    ...     sink.write([BatchOutput(b"k1:x", 0, [{"id": 1, "value": value}])], None)
    >>> connection.execute("SELECT * FROM score").fetchall()
    [(1, 0.75)]
    >>> sink.close()
    >>> connection.close()
    """

    guarantee: Final[Guarantee] = "idempotent"

    def __init__(
        self,
        connect: Callable[[], Any] | str | os.PathLike[str],
        table: str,
        /,
        *,
        key: str | Sequence[str],
        paramstyle: str | None = None,
    ) -> None:
        columns = (key,) if isinstance(key, str) else tuple(key)
        if not columns or len(set(columns)) < len(columns):
            message = f"`key` must be one or more different columns, got {key!r}."
            raise ValueError(message)
        if paramstyle is not None and paramstyle not in _MARKS:
            message = f"`paramstyle` must be one of {sorted(_MARKS)}, got {paramstyle!r}."
            raise ValueError(message)
        self._connect = connect
        self._table = table
        self._key = columns
        self._paramstyle = paramstyle
        self._lock = threading.Lock()
        self._connection: Any = None
        # connections of a parent process: collected, they might end its sessions
        self._abandoned: list[Any] = []
        self._owner = 0

    def write(self, outputs: Sequence[BatchOutput], _session: Session | None = None, /) -> None:
        """Insert or replace the rows of some outputs.

        Parameters
        ----------
        outputs : sequence of BatchOutput
            Frames, mappings of columns, or lists of records. Of rows with one key in different
            outputs the last one stays.

        Raises
        ------
        MissingKeyError
            If a row has no key, or a key column is absent.
        DuplicateKeyError
            If two rows of one output share a key: which of them counts would be chance.
        UnkeyableError
            If a key is a list or something else that holds values of its own.
        BatchError
            If the database refuses a row, as a constraint or a type does. Nothing of these
            outputs was stored.
        StorageError
            If the database fails. Nothing of these outputs was stored then, and the next call
            connects anew if the connection is lost.
        ValueError
            If the connection commits by itself, or two columns have one name.
        """
        tables = [to_rows(output.data) for output in outputs]
        for columns, rows in tables:
            if rows:
                self._check_keys(columns, rows)
        with self._lock:
            try:
                connection = self._open()
                cursor = connection.cursor()
                for columns, rows in tables:
                    if rows:
                        cells = storable_rows(rows, _kinds_of(rows), _dialect_of(connection))
                        cursor.executemany(self._statement(connection, columns), cells)
                connection.commit()
            except BaseException as error:
                self._roll_back()
                if _is_of_driver(error):
                    self._fail(error)
                raise

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            elif self._connection is not None:
                self._abandoned.append(self._connection)
            self._connection = None

    def _open(self) -> Any:
        if self._connection is not None and self._owner != os.getpid():
            self._abandoned.append(self._connection)
            self._connection = None
        if self._connection is None or getattr(self._connection, "closed", False):
            connect = self._connect
            if callable(connect):
                connection = connect()
            else:
                connection = sqlite3.connect(connect, check_same_thread=False)
            if _commits_by_itself(connection):
                connection.close()
                message = (
                    "`connect` gives a connection that commits each statement by itself, so that "
                    "an error would leave half of the rows. Connect without autocommit."
                )
                raise ValueError(message)
            self._connection, self._owner = connection, os.getpid()
        return self._connection

    def _roll_back(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except Exception:  # noqa: BLE001 - whatever the driver says of a connection that is lost
            lost, self._connection = self._connection, None
            with suppress(Exception):
                lost.close()

    def _statement(self, connection: Any, columns: Sequence[str]) -> str:
        mark = _MARKS[self._paramstyle or _paramstyle_of(connection)]
        quoted = [_quoted(name, mark) for name in columns]
        key = ", ".join(_quoted(name, mark) for name in self._key)
        changes = ", ".join(
            f"{name} = excluded.{name}"
            for name, plain in zip(quoted, columns, strict=True)
            if plain not in self._key
        )
        what = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
        table = ".".join(_quoted(part, mark) for part in self._table.split("."))
        return (
            f"INSERT INTO {table} ({', '.join(quoted)}) "  # noqa: S608 - quoted names
            f"VALUES ({', '.join([mark] * len(columns))}) ON CONFLICT ({key}) {what}"
        )

    def _check_keys(self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        for name in self._key:
            if name not in columns:
                message = f"The key column {name!r} is not among the columns {list(columns)!r}."
                raise MissingKeyError(message, column=name)
            at = columns.index(name)
            gone = [row for row, cells in enumerate(rows) if cells[at] is None]
            if gone:
                message = f"{len(gone)} rows have no {name!r}, the first of them row {gone[0]}."
                raise MissingKeyError(message, column=name, rows=gone[:_SHOWN])
            odd = [row for row, cells in enumerate(rows) if isinstance(cells[at], _CONTAINERS)]
            if odd:
                message = (
                    f"The key {name!r} holds a {type(rows[odd[0]][at]).__name__} in row {odd[0]}. "
                    f"Give each row one plain value, such as a number or a text."
                )
                raise UnkeyableError(message, column=name)
        places = [columns.index(name) for name in self._key]
        first: dict[tuple[Any, ...], int] = {}
        repeated = [
            row
            for row, cells in enumerate(rows)
            if first.setdefault(tuple(cells[at] for at in places), row) != row
        ]
        if repeated:
            keys = sorted({str([rows[row][at] for at in places]) for row in repeated})
            message = (
                f"{len(repeated)} rows have a key that another row of the output has: "
                f"{', '.join(keys[:_SHOWN])}. Give each row a key of its own."
            )
            raise DuplicateKeyError(message, keys=keys, rows=repeated)

    def _fail(self, error: BaseException) -> NoReturn:
        # what stands in further lines may be the row
        first_line = str(error).strip().partition("\n")[0].rstrip(".")
        if _is_of_driver(error, _ABOUT_ROWS):
            message = (
                f"The table {self._table!r} does not take a row: {first_line}. "
                f"Nothing of these batches was stored."
            )
            raise BatchError(message) from error
        message = (
            f"The table {self._table!r} could not be written: {first_line}. "
            f"Nothing of these batches was stored."
        )
        raise StorageError(message, location=self._table) from error

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__ | {"_connection": None, "_abandoned": [], "_owner": 0}
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        key = self._key[0] if len(self._key) == 1 else list(self._key)
        return f"UpsertSink({self._table!r}, key={key!r})"


def _dialect_of(connection: Any) -> Dialect:
    return "sqlite" if isinstance(connection, sqlite3.Connection) else "postgres"


def _kinds_of(rows: Sequence[tuple[Any, ...]]) -> set[type]:
    return {type(cell) for row in rows for cell in row}


def _paramstyle_of(connection: Any) -> str:
    for kind in type(connection).__mro__:  # a subclass may stand outside of its driver
        driver = sys.modules.get(kind.__module__.partition(".")[0])
        style = getattr(driver, "paramstyle", None)
        if style in _MARKS:
            return str(style)
    message = (
        f"The driver of {type(connection).__name__} does not say how it marks parameters. "
        f"Give `paramstyle`, one of {sorted(_MARKS)}."
    )
    raise ValueError(message)


def _commits_by_itself(connection: Any) -> bool:
    automatic = getattr(connection, "autocommit", None)
    if isinstance(connection, sqlite3.Connection) and automatic not in (True, False):
        return connection.isolation_level is None
    return automatic is True


def _is_of_driver(error: BaseException, names: frozenset[str] = _ERRORS) -> bool:
    """Say whether a driver raised it: the errors of each have names by the standard."""
    return any(kind.__name__ in names for kind in type(error).__mro__)


def _quoted(name: str, mark: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return quoted.replace("%", "%%") if mark == "%s" else quoted
