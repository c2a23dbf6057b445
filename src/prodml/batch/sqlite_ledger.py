"""The embedded ledger: one SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from prodml._core.sqlite import SqliteDatabase
from prodml.batch._sql_ledger import SqlLedger
from prodml.batch._tables import create_tables
from prodml.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    import os

    from prodml.protocols import Clock

__all__ = ["SqliteLedger"]

#: "PMLB", which tells the file apart from other SQLite databases.
_APPLICATION_ID: Final = 0x504D4C42
#: A million record keys are some tens of megabytes.
_CACHE_BYTES: Final = 16 * 2**20
_MIGRATIONS: Final = (create_tables(integer="INTEGER", blob="BLOB", clustered=" WITHOUT ROWID"),)


class SqliteLedger(SqlLedger):
    """A ledger in one SQLite file, for the processes of one machine.

    The same file holds the tables of a :class:`~prodml.batch.TableSink`, so that output and mark
    are one transaction. Safe between threads and processes on that machine, and after a fork. The
    file must not lie on a network file system.

    Parameters
    ----------
    path : str or os.PathLike
        The file, made if it is absent, or ``":memory:"``.
    durability : {"normal", "full"}, default "normal"
        Either survives a kill at any instruction. ``"normal"`` may forget the last batches when
        power is lost: they are done again, into the same tables and files. ``"full"`` is for
        effects that leave the machine; with groups of batches it costs next to nothing.
    busy_timeout : float, default 30.0
        How long to wait for another writer, in seconds.
    clock : Clock, optional
        Tells how old work is when it is purged.

    Raises
    ------
    NewerSchemaError
        If a later prodml has written the file.
    StorageError
        If the file cannot be opened, belongs to another program, or lies on a network file
        system.

    Examples
    --------
    >>> ledger = SqliteLedger(":memory:")
    >>> ledger.totals("score_v3").n_work
    0
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Literal["normal", "full"] = "normal",
        busy_timeout: float = 30.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if durability not in {"normal", "full"}:
            message = f"`durability` must be 'normal' or 'full', got {durability!r}."
            raise ValueError(message)
        database = SqliteDatabase(
            path,
            migrations=_MIGRATIONS,
            application_id=_APPLICATION_ID,
            busy_timeout=busy_timeout,
            cache_bytes=_CACHE_BYTES,
            durability=durability,
            gated=True,
        )
        super().__init__(database, clock=clock)
