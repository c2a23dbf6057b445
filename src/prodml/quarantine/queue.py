"""The quarantine queue: rejected rows wait here, with their reasons, until somebody decides."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from prodml._core.log import get_logger
from prodml.clock import SYSTEM_CLOCK
from prodml.quarantine.entry import QuarantineEntries, read_entries
from prodml.quarantine.receipt import QuarantineReceipt
from prodml.quarantine.store import DECIDED, EntryFilter
from prodml.quarantine.view import QuarantineView

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from prodml.protocols import Clock, RejectionSource
    from prodml.quarantine._replay import ReplayContract
    from prodml.quarantine.replay import ReplayReport
    from prodml.quarantine.store import QuarantineStore, State
    from prodml.quarantine.thresholds import QuarantineThresholds

__all__ = ["QuarantineQueue"]


class QuarantineQueue(QuarantineView):
    """Keeps rejected rows, with machine-readable reasons, until they are replayed or let go.

    The same bad row, arriving again, raises the attempts of its entry instead of making a second
    one; a batch that is put again changes nothing. Entries are marked, never deleted, until
    :meth:`purge`. Safe between threads and processes, and after a fork, as its store is.

    Parameters
    ----------
    store : str, os.PathLike or QuarantineStore
        A path is an embedded SQLite file, made if it is absent; ``":memory:"`` one that is gone
        with the object. For PostgreSQL, :class:`prodml.integrations.postgres.PostgresQuarantine`.
    redact : callable, optional
        Takes the frame of rejected rows and returns it with what must not be stored replaced:
        ``lambda rows: rows.assign(email="(redacted)")``. Same rows in the same order. Redacted
        entries are replayed only with a repair, which can fetch the row from its source.
    max_rows : int, optional
        How many entries may wait. A delivery that would go beyond is refused as a whole.
    thresholds : QuarantineThresholds, optional
        How much of a batch may be rejected; receipts carry the verdict.
    clock : Clock, optional
        Tells the time of entries and decisions.

    Raises
    ------
    StorageError
        If the file cannot be opened, or belongs to another program.

    Examples
    --------
    >>> import pandas as pd
    >>> from pydantic import BaseModel, Field
    >>> from prodml.contracts import Contract
    >>> class Order(BaseModel):
    ...     id: int
    ...     quantity: int = Field(ge=1)
    >>> contract = Contract(Order, key="id")
    >>> queue = QuarantineQueue(":memory:")
    >>> result = contract.validate_frame(pd.DataFrame({"id": [1, 2], "quantity": [3, -2]}))
    >>> print(queue.put(result, source="orders.csv"))
    1 rows of 'orders.csv' in quarantine (1 new, 0 known, 0 repeated); 1 wait
    >>> queue.pending()[0].record
    {'id': 2, 'quantity': -2}
    >>> report = queue.replay(contract, repair=lambda row: row | {"quantity": -row["quantity"]})
    >>> report.accepted["quantity"].tolist(), queue.depth()
    ([2], 0)
    """

    def __init__(
        self,
        store: str | os.PathLike[str] | QuarantineStore,
        /,
        *,
        redact: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
        max_rows: int | None = None,
        thresholds: QuarantineThresholds | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(store, max_rows=max_rows, clock=clock)
        self._redact = redact
        self._thresholds = thresholds

    def put(
        self, rejected: RejectionSource, /, *, source: str, batch: str | None = None
    ) -> QuarantineReceipt:
        """Store rejected rows, durably, before the accepted ones are handed on.

        Put every result of a batch, those without rejected rows too: that is how the share of
        rejected rows is known, and how entries are withdrawn whose rows a second try accepts.

        Parameters
        ----------
        rejected : RejectionSource
            A :class:`~prodml.contracts.ValidationResult`, or anything with ``to_rejections()``.
        source : str
            Where the rows come from: a file, a topic, a table.
        batch : str, optional
            Which delivery of the source they belong to; the same name again is a second try of
            the same delivery. By default named after the rows themselves.

        Returns
        -------
        QuarantineReceipt
            Proof that the rows are stored.

        Raises
        ------
        QuarantineFullError
            If more than `max_rows` entries would wait; nothing of the delivery was stored.
        StorageError
            If the store fails; nothing of the delivery was stored.
        ValueError
            If the redaction changed the number of rows.
        """
        from prodml.quarantine._delivery import encode_delivery

        delivery = encode_delivery(
            rejected.to_rejections(),
            source=source,
            batch=batch,
            redact=self._redact,
            at=self._clock.now(),
            max_pending=self._max_rows,
        )
        outcome = self._store.put(delivery)
        if delivery.rows:
            get_logger(__name__).info(
                "rows_quarantined",
                source=source,
                batch=delivery.batch,
                n_rejected=len(delivery.rows),
                n_new=outcome.n_new,
                depth=outcome.depth,
            )
        return QuarantineReceipt(
            source=source,
            contract=delivery.contract,
            fingerprint=delivery.fingerprint,
            batch=delivery.batch,
            n_rejected=len(delivery.rows),
            n_new=outcome.n_new,
            n_known=outcome.n_known,
            n_repeated=outcome.n_repeated,
            n_reopened=outcome.n_reopened,
            n_withdrawn=outcome.n_withdrawn,
            depth=outcome.depth,
            batch_rows=outcome.batch_rows,
            batch_rejected=outcome.batch_rejected,
            thresholds=self._thresholds,
            at=delivery.at,
        )

    def replay(  # noqa: PLR0913 - independent options, keyword-only
        self,
        contract: ReplayContract,
        /,
        *,
        repair: Callable[[dict[Any, Any]], dict[Any, Any] | None] | None = None,
        deliver: Callable[[pd.DataFrame], object] | None = None,
        run: str | None = None,
        source: str | None = None,
        reason: str | None = None,
        column: str | None = None,
        max_attempts: int | None = None,
        by: str | None = None,
    ) -> ReplayReport:
        """Validate entries that wait against the contract as it is now, and take out what fits.

        Replaying again finds only what still waits, so nothing is accepted twice; of two replays
        at once, each entry falls to one. What still does not fit keeps waiting, with its new
        reasons and one attempt more. What arrived is never changed by a repair.

        A crash between the return of this method and the use of ``accepted`` loses nothing if the
        replay has a name: the same `run` gives the same rows again. With `deliver`, rows are
        handed over before they are marked, so that after a crash they come again.

        Parameters
        ----------
        contract : Contract
            What rows are held against. Unique checks see the rows of this replay alone.
        repair : callable, optional
            Takes a row as a dict of plain values, with None where one is missing, and returns it
            mended; or None to leave it where it is. Must give the same for the same row. A row on
            which it raises stays, with the rule ``"repair_failed"``.
        deliver : callable, optional
            Takes a frame of rows that fit, some thousand at a time, before they are marked as
            replayed. What it raises ends the replay; rows of earlier calls stay replayed.
        run : str, optional
            Name of the replay; by default a new one.
        source, reason, column : str, optional
            Only entries from this source, with this rule, about this column.
        max_attempts : int, optional
            Only entries that were rejected at most so often.
        by : str, optional
            Who replays.

        Returns
        -------
        ReplayReport
            The rows that fit, and those that still don't.
        """
        from prodml.quarantine._replay import replay_entries

        shared: dict[str, Any] = {"source": source, "rule": reason, "column": column}
        pending = EntryFilter(states=("pending",), max_attempts=max_attempts, **shared)
        stored = self._store.entries(pending)
        if run is not None:
            taken = EntryFilter(states=("replayed",), run=run, source=source)
            stored = chain(self._store.entries(taken), stored)
        report = replay_entries(
            self._store,
            stored,
            contract,
            repair=repair,
            deliver=deliver,
            run=run if run is not None else f"replay-{secrets.token_hex(8)}",
            by=by,
            now=self._clock.now,
        )
        get_logger(__name__).info("quarantine_replayed", **report.to_dict())
        return report

    def release(
        self, ids: str | Iterable[str], /, *, by: str, note: str | None = None
    ) -> QuarantineEntries:
        """Take entries out of the queue to be used as they are, on somebody's word.

        Parameters
        ----------
        ids : str or iterable of str
            The entries: all of them or none.
        by : str
            Who answers for it.
        note : str, optional
            Why.

        Returns
        -------
        QuarantineEntries
            The released entries; ``to_rows()`` gives their rows.

        Raises
        ------
        EntryNotFoundError, EntryStateError
            If an entry is not there, or no longer waits. Nothing is changed then.
        """
        return self._decide(ids, "released", by=by, note=note)

    def discard(self, ids: str | Iterable[str], /, *, by: str, reason: str) -> QuarantineEntries:
        """Take entries out of the queue for good. They stay marked, and can be seen, until purged.

        The same row, arriving again in another batch, stays discarded.

        Parameters
        ----------
        ids : str or iterable of str
            The entries: all of them or none.
        by : str
            Who answers for it.
        reason : str
            Why.

        Returns
        -------
        QuarantineEntries
            The discarded entries.

        Raises
        ------
        EntryNotFoundError, EntryStateError
            If an entry is not there, or no longer waits. Nothing is changed then.
        """
        return self._decide(ids, "discarded", by=by, note=reason)

    def _decide(
        self, ids: str | Iterable[str], state: State, *, by: str, note: str | None
    ) -> QuarantineEntries:
        chosen = (ids,) if isinstance(ids, str) else tuple(dict.fromkeys(ids))
        self._store.decide(chosen, state, by=by, note=note, at=self._clock.now())
        get_logger(__name__).info("quarantine_decided", state=state, n_entries=len(chosen), by=by)
        return QuarantineEntries(read_entries(list(self._store.entries(EntryFilter(ids=chosen)))))

    def purge(self, *, older_than: datetime | timedelta, states: Sequence[State] = DECIDED) -> int:
        """Delete entries that were decided long ago. What waits is never deleted.

        Parameters
        ----------
        older_than : datetime or timedelta
            Decided before this moment (aware), or longer ago than this.
        states : sequence of {"replayed", "released", "discarded"}, optional
            Only entries in these states.

        Returns
        -------
        int
            How many were deleted.

        Raises
        ------
        ValueError
            If a datetime has no time zone, or a state is not one of these.
        """
        if unknown := [state for state in states if state not in DECIDED]:
            message = f"`states` may hold {DECIDED}, got {unknown[0]!r}; what waits is not deleted."
            raise ValueError(message)
        if isinstance(older_than, timedelta):
            older_than = self._clock.now() - older_than
        elif older_than.tzinfo is None:
            message = f"`older_than` must have a time zone, got {older_than!r}."
            raise ValueError(message)
        n = self._store.purge(decided_before=older_than, states=states)
        get_logger(__name__).info("quarantine_purged", n_entries=n)
        return n
