"""What a store needs of a database, so that one set of statements serves SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

__all__ = [
    "MOST_PARAMETERS",
    "Database",
    "Dialect",
    "DuplicateRowError",
    "Session",
    "in_pieces",
    "placeholders",
    "wait_for_turn",
]

#: Databases whose SQL is known, where it differs.
Dialect = Literal["sqlite", "postgres"]

#: Parameters of one statement that every SQLite allows; older ones stop at 999.
MOST_PARAMETERS = 900


class DuplicateRowError(Exception):
    """A row whose key is in the table already. The transaction can only be taken back."""


class Session(Protocol):
    """One open transaction. Statements mark parameters with ``?``."""

    @property
    def dialect(self) -> Dialect:
        """Which database it is open on."""
        ...

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> list[Any]:
        """Run a statement and return all of its rows."""
        ...

    def change(self, statement: str, parameters: Sequence[Any] = (), /) -> int:
        """Run a statement and return how many rows it changed."""
        ...

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Run a statement once for each row of parameters."""
        ...

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], /
    ) -> None:
        """Insert rows in the fastest way there is. May raise :class:`DuplicateRowError`."""
        ...


class Database(Protocol):
    """A database whose tables are in place. Safe between threads and after a fork."""

    @property
    def location(self) -> str:
        """Where it is, without credentials."""
        ...

    def transaction(self, *, write: bool) -> AbstractContextManager[Session]:
        """Open a transaction, to be committed at the end of the block or rolled back by an error.

        Writers wait for one another. Raises :class:`~prodml.errors.StorageError`.
        """
        ...

    def read(self, statement: str, parameters: Sequence[Any] = (), /) -> list[Any]:
        """Run one statement that only reads, as a transaction of its own, and return all rows.

        Raises :class:`~prodml.errors.StorageError`.
        """
        ...

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        ...


def wait_for_turn(session: Session, name: str, /) -> None:
    """Let only one transaction at a time past this point, where the database runs several."""
    if session.dialect == "postgres":
        session.execute("SELECT pg_advisory_xact_lock(hashtext(?))", (name,))


def placeholders(count: int) -> str:
    """Return ``?,?,?`` for the list of an ``IN``."""
    return ",".join("?" * count)


def in_pieces(values: Sequence[Any], size: int = MOST_PARAMETERS) -> Iterator[Sequence[Any]]:
    """Yield values in pieces that fit the parameters of one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
