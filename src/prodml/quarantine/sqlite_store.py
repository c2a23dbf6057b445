"""The embedded store: one SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prodml._core.sqlite import SqliteDatabase
from prodml.quarantine._sql_store import SqlQuarantineStore
from prodml.quarantine._tables import create_tables

if TYPE_CHECKING:
    import os

__all__ = ["SqliteQuarantine"]

#: "PMLQ", which tells the file apart from other SQLite databases.
_APPLICATION_ID: Final = 0x504D4C51
#: Rows come in batches: with pages of 4 kB they take an eighth more time.
_PAGE_SIZE: Final = 16_384
_MIGRATIONS: Final = (create_tables(integer="INTEGER", blob="BLOB", clustered=" WITHOUT ROWID"),)


class SqliteQuarantine(SqlQuarantineStore):
    """A quarantine in one SQLite file, for one machine.

    Safe between threads and processes on that machine, and after a fork. The file must not lie on
    a network file system. What ``put`` has stored survives a kill and a loss of power.

    Parameters
    ----------
    path : str or os.PathLike
        The file, made if it is absent, or ``":memory:"``.
    busy_timeout : float, default 30.0
        How long to wait for another writer, in seconds.

    Raises
    ------
    NewerSchemaError
        If a later prodml has written the file.
    StorageError
        If the file cannot be opened, or belongs to another program.

    Examples
    --------
    >>> from prodml.quarantine import QuarantineQueue
    >>> QuarantineQueue(SqliteQuarantine(":memory:")).depth()
    0
    """

    def __init__(self, path: str | os.PathLike[str], *, busy_timeout: float = 30.0) -> None:
        database = SqliteDatabase(
            path,
            migrations=_MIGRATIONS,
            application_id=_APPLICATION_ID,
            busy_timeout=busy_timeout,
            page_size=_PAGE_SIZE,
        )
        super().__init__(database)
