"""Looking into a quarantine: which rows wait, why, and what became of the others."""

from __future__ import annotations

import json
import os
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from prodml._core.files import write_atomically
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import EntryNotFoundError
from prodml.quarantine.entry import QuarantineEntries, QuarantineEntry, read_entries
from prodml.quarantine.sqlite_store import SqliteQuarantine
from prodml.quarantine.store import EntryFilter, QuarantineStore
from prodml.quarantine.summary import QuarantineSummary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml.protocols import Clock
    from prodml.quarantine.store import State

__all__ = ["QuarantineView"]

_EXPORT_PAGE: Final = 2000


class QuarantineView:
    """What a dashboard, or a person who decides nothing, needs of a quarantine.

    :class:`QuarantineQueue` is one that can also be written.

    Parameters
    ----------
    store : str, os.PathLike or QuarantineStore
        A path is an embedded SQLite file, made if it is absent.
    max_rows : int, optional
        How many entries may wait; the verdict on the depth is held against it.
    clock : Clock, optional
        Tells the age of entries.

    Raises
    ------
    StorageError
        If the file cannot be opened, or belongs to another program.
    TypeError, ValueError
        If `store` is no store, or `max_rows` is negative.

    Examples
    --------
    >>> with QuarantineView(":memory:") as view:
    ...     print(view.summary())
    0 pending, 0 replayed, 0 released, 0 discarded
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | QuarantineStore,
        /,
        *,
        max_rows: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if max_rows is not None and max_rows < 0:
            message = f"`max_rows` must be >= 0, got {max_rows}."
            raise ValueError(message)
        self._store = _opened(store)
        self._max_rows = max_rows
        self._clock = clock

    def entries(
        self,
        *,
        state: State | None = None,
        source: str | None = None,
        contract: str | None = None,
        batch: str | None = None,
        reason: str | None = None,
        column: str | None = None,
        run: str | None = None,
        limit: int | None = None,
    ) -> QuarantineEntries:
        """Return entries, the oldest first. Conditions that are given must all hold.

        Parameters
        ----------
        state : {"pending", "replayed", "released", "discarded"}, optional
            In this state.
        source, contract, batch : str, optional
            From this source, of this contract, last seen in this batch.
        reason : str, optional
            With a reason of this rule, such as ``"literal_error"``.
        column : str, optional
            With a reason about this column.
        run : str, optional
            Taken by the replay of this name.
        limit : int, optional
            At most so many.
        """
        which = EntryFilter(
            states=None if state is None else (state,),
            source=source,
            contract=contract,
            batch=batch,
            rule=reason,
            column=column,
            run=run,
            limit=limit,
        )
        return QuarantineEntries(read_entries(list(self._store.entries(which))))

    def pending(
        self,
        *,
        reason: str | None = None,
        source: str | None = None,
        column: str | None = None,
        limit: int | None = None,
    ) -> QuarantineEntries:
        """Return entries that wait, the oldest first.

        Parameters
        ----------
        reason : str, optional
            With a reason of this rule, such as ``"literal_error"``.
        source : str, optional
            From this source.
        column : str, optional
            With a reason about this column.
        limit : int, optional
            At most so many.
        """
        return self.entries(
            state="pending", reason=reason, source=source, column=column, limit=limit
        )

    def entry(self, id: str, /) -> QuarantineEntry:  # noqa: A002 - positional, and what it is called
        """Return one entry.

        Raises
        ------
        EntryNotFoundError
            If there is none of this id.
        """
        found = read_entries(list(self._store.entries(EntryFilter(ids=(id,)))))
        if not found:
            message = f"No entry {id!r} in the quarantine; it may have been purged."
            raise EntryNotFoundError(message, ids=[id])
        return found[0]

    def depth(self) -> int:
        """Return how many entries wait."""
        return self.summary().depth

    def summary(self) -> QuarantineSummary:
        """Return counts by state and by reason."""
        states, reasons = self._store.counts()
        return QuarantineSummary(
            states=states, reasons=reasons, max_rows=self._max_rows, at=self._clock.now()
        )

    def export(
        self,
        path: str | os.PathLike[str],
        /,
        *,
        state: State | None = "pending",
        source: str | None = None,
        reason: str | None = None,
        column: str | None = None,
    ) -> int:
        """Write entries as JSON lines, in full or not at all.

        Parameters
        ----------
        path : str or os.PathLike
            The file, replaced if it is there.
        state : {"pending", "replayed", "released", "discarded"} or None, default "pending"
            Only entries in this state; None for all.
        source, reason, column : str, optional
            Only entries from this source, with this rule, about this column.

        Returns
        -------
        int
            How many were written.
        """
        states: tuple[State, ...] | None = None if state is None else (state,)
        which = EntryFilter(states=states, source=source, rule=reason, column=column)
        n = 0
        with write_atomically(path) as file:
            for entry in self._read_in_pages(which):
                file.write(json.dumps(entry.to_dict()) + "\n")
                n += 1
        return n

    def _read_in_pages(self, which: EntryFilter) -> Iterator[QuarantineEntry]:
        stored = self._store.entries(which)
        while page := list(islice(stored, _EXPORT_PAGE)):
            yield from read_entries(page)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._store!r})"


def _opened(store: Any) -> QuarantineStore:
    if isinstance(store, str | os.PathLike):
        return SqliteQuarantine(store)
    if isinstance(store, QuarantineStore):
        return store
    message = (
        f"`store` must be a path or an object with the methods of QuarantineStore, "
        f"got {type(store).__name__}."
    )
    raise TypeError(message)
