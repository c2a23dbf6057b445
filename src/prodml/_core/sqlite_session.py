"""The statements of one open transaction on SQLite."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from prodml._core.sql import MOST_PARAMETERS, DuplicateRowError, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["SqliteSession"]

_DUPLICATE: Final = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}
)


class SqliteSession:
    """One open transaction on SQLite."""

    __slots__ = ("_connection",)

    dialect: Final = "sqlite"

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
        try:
            self._insert_many(table, columns, rows)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in _DUPLICATE:
                raise DuplicateRowError(str(error)) from error
            raise

    def _insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        one, many, at_a_time = _insert_statements(table, tuple(columns))
        left = iter(rows)
        piece = list(islice(left, at_a_time))
        while len(piece) == at_a_time:
            self._connection.execute(many, tuple(chain.from_iterable(piece)))
            piece = list(islice(left, at_a_time))
        self._connection.executemany(one, piece)


@lru_cache(maxsize=128)
def _insert_statements(table: str, columns: tuple[str, ...]) -> tuple[str, str, int]:
    """Return the statements for one row and for many, and how many these are."""
    # names of tables and columns are prodml's own, or quoted; values are bound
    head = f"INSERT INTO {table} ({','.join(columns)}) VALUES "  # noqa: S608
    row = f"({placeholders(len(columns))})"
    at_a_time = max(1, MOST_PARAMETERS // len(columns))
    return head + row, head + ",".join([row] * at_a_time), at_a_time
