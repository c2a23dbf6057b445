"""The embedded online store: one SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from prodml._core.sqlite import SqliteDatabase
from prodml.features._online_tables import create_tables
from prodml.features._sql_online_store import SqlOnlineStore

if TYPE_CHECKING:
    import os

__all__ = ["SqliteOnlineStore"]

#: "PMLO", which tells the file apart from other SQLite databases.
_APPLICATION_ID: Final = 0x504D4C4F
#: Some hundred thousand rows, which are then found without the disk.
_CACHE_BYTES: Final = 32 * 2**20
_MIGRATIONS: Final = (
    create_tables(
        identity="INTEGER PRIMARY KEY AUTOINCREMENT",
        integer="INTEGER",
        blob="BLOB",
        ascii_text="TEXT",
        clustered=" WITHOUT ROWID",
    ),
)


class SqliteOnlineStore(SqlOnlineStore):
    """An online store in one SQLite file, for the processes of one machine.

    Readers do not wait for writers. Safe between threads and processes on that machine, and after
    a fork; a `put` is seen whole or not at all. It does not pickle. The file must not lie on a
    network file system.

    Parameters
    ----------
    path : str or os.PathLike
        The file, made if it is absent, or ``":memory:"``.
    durability : {"normal", "full"}, default "normal"
        Either survives a kill at any instruction. ``"normal"`` may forget the last rows when
        power is lost; putting them again is harmless.
    busy_timeout : float, default 30.0
        How long to wait for another writer, in seconds.

    Raises
    ------
    NewerSchemaError
        If a later prodml has written the file.
    StorageError
        If the file cannot be opened, belongs to another program, or lies on a network file
        system.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> from prodml.features.online_view import OnlineView
    >>> view = OnlineView(
    ...     name="spending", keys=["customer", "shop"], features=["n_7d"], event_time="at"
    ... )
    >>> store = SqliteOnlineStore(":memory:")
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> store.put(view, [{"customer": 1, "shop": "a", "n_7d": 3, "at": noon}])
    PutReport('spending', 1 rows: 1 written, 0 stale)
    >>> store.put(view, [{"customer": 1, "shop": "a", "n_7d": 2, "at": noon - timedelta(hours=1)}])
    PutReport('spending', 1 rows: 0 written, 1 stale)
    >>> store.get(view, [(1, "a")], at=noon)[0].features
    {'n_7d': 3}
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Literal["normal", "full"] = "normal",
        busy_timeout: float = 30.0,
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
        super().__init__(database)
