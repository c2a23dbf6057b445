"""Output in a table beside the ledger: stored and marked in one transaction."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from prodml._core.sql import wait_for_turn
from prodml.batch._stored_cells import storable_rows
from prodml.batch._tabular import to_rows
from prodml.errors import UnsafeSinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml._core.sql import Dialect, Session
    from prodml.batch.batch import BatchOutput
    from prodml.batch.sink import Guarantee

__all__ = ["TableSink"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
#: Tables of the ledger itself.
_TAKEN: Final = frozenset({"work", "record", "record_namespace", "purged", "layout_version"})

#: Type of a value -> what a new table calls it in SQLite and in PostgreSQL.
_TYPES: Final[dict[type, tuple[str, str]]] = {
    bool: ("INTEGER", "BOOLEAN"),
    bytes: ("BLOB", "BYTEA"),
    date: ("TEXT", "DATE"),
    datetime: ("TEXT", "TIMESTAMPTZ"),
    Decimal: ("TEXT", "NUMERIC"),
    dict: ("TEXT", "TEXT"),
    float: ("REAL", "DOUBLE PRECISION"),
    int: ("INTEGER", "BIGINT"),
    list: ("TEXT", "TEXT"),
    str: ("TEXT", "TEXT"),
    time: ("TEXT", "TIME"),
    timedelta: ("REAL", "INTERVAL"),
    UUID: ("TEXT", "UUID"),
}


class TableSink:
    """Appends output to a table of the ledger's own database.

    Rows and mark are one transaction, so each batch is in the table once or not at all, also
    where the function would give something else the second time. The table is made from the first
    output, if it is absent. One that is made by hand may have more columns, constraints and
    indexes; a row that breaks a constraint makes its batch fail, and no other.

    Immutable, hence thread-safe; picklable.

    Parameters
    ----------
    table : str
        Its name: letters, digits and ``_``, in PostgreSQL also ``"schema.table"``.

    Raises
    ------
    ValueError
        If it is no such name, or a table of the ledger itself.

    Notes
    -----
    SQLite knows no times: it gets ISO 8601, and durations as seconds.

    Examples
    --------
    >>> TableSink("predictions").guarantee
    'atomic'
    """

    guarantee: Final[Guarantee] = "atomic"

    def __init__(self, table: str, /) -> None:
        if not _NAME.fullmatch(table) or table.lower() in _TAKEN:
            message = (
                f"`table` must be of letters, digits and _, and none of {sorted(_TAKEN)}, "
                f"got {table!r}."
            )
            raise ValueError(message)
        self.table = table

    def write(self, outputs: Sequence[BatchOutput], session: Session | None, /) -> None:
        """Append outputs within the transaction of the ledger.

        Parameters
        ----------
        outputs : sequence of BatchOutput
            Frames, mappings of columns, or lists of records.
        session : Session
            The open transaction.

        Raises
        ------
        UnsafeSinkError
            If the ledger keeps no database.
        """
        if session is None:
            message = "A TableSink writes into the database of the ledger, and this one has none."
            raise UnsafeSinkError(message, sink=repr(self))
        pending: dict[tuple[str, ...], list[Any]] = {}
        for output in outputs:
            columns, rows = to_rows(output.data)
            if columns:
                # outputs with the same columns are inserted together
                pending.setdefault(tuple(columns), []).extend(rows)
        for names, gathered in pending.items():
            if gathered:
                self._insert(session, names, gathered)

    def _insert(self, session: Session, columns: Sequence[str], rows: list[Any]) -> None:
        kinds = [set(map(type, cells)) - {type(None)} for cells in zip(*rows, strict=True)]
        self._make_table(session, columns, kinds)
        cells = storable_rows(rows, set().union(*kinds), session.dialect)
        session.insert_many(self.table, [_quoted(name) for name in columns], cells)

    def _make_table(
        self, session: Session, columns: Sequence[str], kinds: Sequence[set[type]]
    ) -> None:
        if session.dialect == "postgres":
            # asked first: the words below would wait for everybody who reads the table
            found = session.execute("SELECT to_regclass(?) IS NOT NULL", (self.table,))
            if found[0][0]:
                return
            wait_for_turn(session, f"prodml table {self.table}")
        types = tuple(_type_of(found, session.dialect) for found in kinds)
        session.change(_create_statement(self.table, tuple(columns), types))

    def __repr__(self) -> str:
        return f"TableSink({self.table!r})"


@lru_cache(maxsize=128)
def _create_statement(table: str, columns: tuple[str, ...], types: tuple[str, ...]) -> str:
    declared = ", ".join(
        f"{_quoted(name)} {kind}" for name, kind in zip(columns, types, strict=True)
    )
    return f"CREATE TABLE IF NOT EXISTS {table} ({declared})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type_of(kinds: set[type], dialect: Dialect) -> str:
    """Return the type of a column; in SQLite none where kinds are mixed or not known."""
    place = 0 if dialect == "sqlite" else 1
    if len(kinds) == 1:
        (kind,) = kinds
        return _TYPES[kind][place] if kind in _TYPES else "TEXT"
    found = {_TYPES[kind][place] if kind in _TYPES else "TEXT" for kind in kinds}
    if found == {"BIGINT", "DOUBLE PRECISION"}:
        return "DOUBLE PRECISION"
    return "" if dialect == "sqlite" else "TEXT"
