"""The batch processor: a function, applied to each batch once, whatever happens."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from prodml._core.log import get_logger
from prodml._core.progress import follow_progress
from prodml.batch._heartbeat import Heartbeat
from prodml.batch._interrupts import Interrupts
from prodml.batch._job import Job, RejectionQueue
from prodml.batch._owner import new_owner
from prodml.batch._run import Run
from prodml.batch._worker import Worker
from prodml.batch.engine import Engine, InProcess, JoblibEngine
from prodml.batch.key import Key
from prodml.batch.keys import ContentKey
from prodml.batch.ledger import Ledger
from prodml.batch.records import process_records
from prodml.batch.report import BatchReport
from prodml.batch.retry import FullJitter
from prodml.batch.sink import Sink, checked_sink
from prodml.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import timedelta

    from prodml.batch._worker import FrameContract, OnError
    from prodml.protocols import Clock

__all__ = ["BatchProcessor"]

_ON_ERROR: Final = ("bisect", "per_record", "fail")


class BatchProcessor:
    """Applies a function to each batch of a job once, whatever happens in between.

    Each batch has a key. A ledger remembers which keys are claimed and which are done. Batches
    that are done are skipped; output and mark are stored together, as far as the sink can. So a
    job that was killed at any instruction, that a scheduler started again, or that two workers
    run at once, gives the same output and the same counts as one that ran through.

    The function must be pure: the same for the same data, and no effects of its own, which nobody
    could take back. It may be called more than once for a batch; its output counts once.

    Safe to use from several processes, each with a processor of its own on one ledger, and from
    several threads. After a fork, ledgers of prodml open connections of their own.

    Parameters
    ----------
    function : callable
        Takes the data of a batch and returns its output: a DataFrame, a mapping of column names
        to arrays, a list of records, or None. To be used with an engine of processes, it must
        pickle (joblib also takes lambdas).
    ledger : Ledger
        Remembers what is done: :class:`~prodml.batch.SqliteLedger`, or
        :class:`prodml.integrations.postgres.PostgresLedger`.
    namespace : str
        Name of the job and its version: ``"score_v3"``. A new model is a new namespace.
    sink : Sink or callable, optional
        Where output goes: :class:`~prodml.batch.TableSink`, :class:`~prodml.batch.FileSink`,
        :class:`~prodml.batch.UpsertSink`, a class of your own, or a function of a list of
        :class:`~prodml.batch.BatchOutput`. Without one only counts and tallies are kept.
    key : Key, optional
        By what a batch is known again; by default its content.
    contract : Contract, optional
        Judges the rows before the function sees them. Needs a quarantine.
    quarantine : QuarantineQueue, optional
        Takes the records that the contract turns away, and those on which the function fails.
    on_error : {"bisect", "per_record", "fail"}, default "bisect"
        Where the function fails on a batch: find the records at fault by halving (by single calls
        where many fail), or by single calls throughout, and do the others; or let the batch fail.
        Records at fault go to the quarantine with the exception as their reason. Without a
        quarantine the batch fails, and its error names them.
    retry : FullJitter, optional
        What is tried again at once, how often, and after which waits.
    max_attempts : int, default 5
        How often a batch may be claimed before it is put into quarantine, >= 1.
    lease : float, default 60.0
        How long a claim holds without a sign of life, in seconds. Longer than any pause of the
        process; after it others may take the work over.
    heartbeat : float, default 20.0
        How often claims in hand are renewed, in seconds; less than `lease`.
    group_size : int, default 64
        How many batches are stored in one transaction at most. Batches that take long are stored
        when they are ready.
    tally : callable, optional
        Takes the output of a batch and returns numbers by name, which the ledger adds up without
        counting any batch twice: ``lambda out: {"amount": out["amount"].sum()}``.
    at_least_once : bool, default False
        Take a sink that may store rows twice when a job dies.
    retention : datetime.timedelta, optional
        After a run, forget what was done longer ago than this. By default nothing is forgotten.
    clock : Clock, optional
        Tells the time of claims and leases.
    rng : random.Random, optional
        Where the length of waits comes from.
    sleep : callable, optional
        Waits some seconds. By default a wait that a signal ends.

    Raises
    ------
    UnsafeSinkError
        If the sink can promise neither one transaction nor an idempotent write.
    TypeError, ValueError
        If an argument is not what it should be.

    Examples
    --------
    >>> from prodml.batch import BatchProcessor, SqliteLedger, TableSink
    >>> def double(batch):
    ...     return [{"id": row["id"], "twice": 2 * row["n"]} for row in batch]
    >>> job = BatchProcessor(
    ...     double, ledger=SqliteLedger(":memory:"), sink=TableSink("twice"), namespace="double_v1"
    ... )
    >>> batches = [[{"id": 1, "n": 10}], [{"id": 2, "n": 20}, {"id": 3, "n": 30}]]
    >>> print(job.run(batches))
    'double_v1': 2 batches = 2 done; 3 records in = 3 done
    >>> print(job.run([*batches, [{"id": 4, "n": 40}]]))
    'double_v1': 3 batches = 1 done + 2 skipped; 4 records in = 1 done + 3 skipped
    """

    def __init__(  # noqa: PLR0913 - independent options, keyword-only
        self,
        function: Callable[[Any], Any],
        /,
        *,
        ledger: Ledger,
        namespace: str,
        sink: Sink | Callable[[Any], object] | None = None,
        key: Key | None = None,
        contract: FrameContract | None = None,
        quarantine: RejectionQueue | None = None,
        on_error: OnError = "bisect",
        retry: FullJitter | None = None,
        max_attempts: int = 5,
        lease: float = 60.0,
        heartbeat: float = 20.0,
        group_size: int = 64,
        tally: Callable[[Any], Mapping[str, float]] | None = None,
        at_least_once: bool = False,
        retention: timedelta | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rng: random.Random | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        _check_callable("function", function)
        _check_parts(ledger, key, quarantine)
        _check_numbers(max_attempts, group_size, lease, heartbeat)
        _check_words(namespace, on_error)
        _check_companions(contract, quarantine, retention, ledger)
        self._retention = retention
        self._sleep = sleep
        self._job = Job(
            namespace=namespace,
            worker=Worker(
                function=function,
                namespace=namespace,
                contract=contract,
                retry=FullJitter() if retry is None else retry,
                on_error=on_error,
                sleep=time.sleep if sleep is None else sleep,
                rng=rng,
                sets_aside=quarantine is not None,
            ),
            ledger=ledger,
            sink=checked_sink(sink, at_least_once=at_least_once),
            key=ContentKey() if key is None else key,
            quarantine=quarantine,
            tally=tally,
            lease=lease,
            heartbeat=heartbeat,
            max_attempts=max_attempts,
            group_size=group_size,
            clock=clock,
            owner="",
        )

    @property
    def namespace(self) -> str:
        """Name of the job."""
        return self._job.namespace

    def run(
        self,
        batches: Iterable[Any],
        /,
        *,
        engine: Engine | Literal["loky", "threading"] | None = None,
        ordered: bool = True,
        progress: bool | Callable[[int, int | None], object] = False,
        read_ahead: int = 512,
    ) -> BatchReport:
        """Bring every batch to its fate: done, skipped, quarantined, failed.

        Batches are read as they are needed; no more than `read_ahead` of them, nor more than some
        megabytes, are in memory at a time.

        At Ctrl-C or SIGTERM the batches in hand are finished and stored, the others handed back,
        and then the signal takes its course. A second signal gives up the batches in hand too.

        Parameters
        ----------
        batches : iterable
            What :func:`~prodml.batch.read_batches` gives, or anything of which each item is the
            data of a batch. Equal items are the same work, and are done once.
        engine : Engine, "loky" or "threading", optional
            Where the function runs; by default in this process. The names stand for
            :class:`~prodml.batch.JoblibEngine` with a worker for each core.
        ordered : bool, default True
            Store outputs in the order of the batches, also where workers finish out of order.
        progress : bool or callable, default False
            Show a bar (needs the extra ``progress``), or call this with the records so far and
            the total, if it is known.
        read_ahead : int, default 512
            How many batches may be read before the first of them is done. With 1, each item of a
            slow stream is worked on as it comes.

        Returns
        -------
        BatchReport
            What became of every batch.

        Raises
        ------
        IdempotencyConflictError
            If a batch has a known key and another payload. What was done before stays done.
        MissingKeyError, DuplicateKeyError, UnkeyableError
            If a batch has no key.
        StorageError
            If ledger, sink or quarantine fail. What was not stored is handed back.
        TypeError
            If `batches` is a single frame, mapping or path.
        """
        _check_batches(batches)
        if read_ahead < 1:
            message = f"`read_ahead` must be >= 1, got {read_ahead!r}."
            raise ValueError(message)
        job, report = self._job, BatchReport(self.namespace)
        total = getattr(batches, "n_rows", None)
        beat = Heartbeat(
            job.ledger, job.namespace, lease=job.lease, every=job.heartbeat, clock=job.clock
        )
        with (
            Interrupts() as interrupts,
            follow_progress(progress, label=job.namespace, total=total, unit="records") as advance,
            beat,
        ):
            # of the process that runs, which may be a fork of the one that made this
            job = replace(job, owner=new_owner())
            chosen = _engine(engine)
            if self._sleep is None and isinstance(chosen, InProcess):
                job = replace(job, worker=replace(job.worker, sleep=interrupts.wait))
            run = Run(
                job,
                report,
                engine=chosen,
                ordered=ordered,
                read_ahead=read_ahead,
                heartbeat=beat,
                interrupts=interrupts,
                advance=advance,
            )
            try:
                run.carry_out(batches)
            finally:
                if interrupts.received is not None:
                    report.interrupted = interrupts.received.name
                get_logger(__name__).info("batches_processed", **report.to_dict())
        if self._retention is not None:
            job.ledger.purge(older_than=self._retention, namespace=job.namespace)  # type: ignore[attr-defined]
        return report

    def process_records(
        self,
        records: Any,
        /,
        *,
        progress: bool | Callable[[int, int | None], object] = False,
    ) -> BatchReport:
        """Work on each record once, wherever and how often it arrives.

        Records are known by the keys that `key` makes of them: a number or some text of their
        own, or all of their content. Those that an earlier call has done, and repeats, are left
        out before the function sees the rest. Meant for streams that deliver a record again, in
        other company: there no batch is the same as before.

        Parameters
        ----------
        records : DataFrame, list of records, or iterable
            One batch, or what :func:`~prodml.batch.read_batches` gives.
        progress : bool or callable, default False
            As for :meth:`run`.

        Returns
        -------
        BatchReport
            What became of every batch of records, and of every record.

        Raises
        ------
        IdempotencyConflictError
            If a record has a known key and another payload. Nothing of its batch was done.
        MissingKeyError, DuplicateKeyError, UnkeyableError
            If a record has no key.
        StorageError
            If ledger, sink or quarantine fail. Nothing of the batch in hand was stored.
        TypeError
            If the ledger remembers no single records.
        """
        return process_records(self._job, records, progress=progress)

    def __repr__(self) -> str:
        return f"BatchProcessor({self.namespace!r}, ledger={self._job.ledger!r})"


def _check_callable(name: str, given: object) -> None:
    if not callable(given):
        message = f"`{name}` must be callable, got {given!r}."
        raise TypeError(message)


def _check_parts(ledger: object, key: object, quarantine: object) -> None:
    for name, given, protocol in (
        ("ledger", ledger, Ledger),
        ("key", key, Key),
        ("quarantine", quarantine, RejectionQueue),
    ):
        if not isinstance(given, protocol) and (given is not None or name == "ledger"):
            message = f"`{name}` must be a {protocol.__name__}, got {given!r}."
            raise TypeError(message)


def _check_numbers(max_attempts: int, group_size: int, lease: float, heartbeat: float) -> None:
    for name, count in (("max_attempts", max_attempts), ("group_size", group_size)):
        if not _is_whole(count) or count < 1:
            message = f"`{name}` must be a whole number >= 1, got {count!r}."
            raise ValueError(message)
    if not 0 < heartbeat < lease:
        message = (
            f"`heartbeat` must be > 0 and less than `lease`, got {heartbeat!r} and {lease!r}; "
            f"a third of it leaves room for two missed beats."
        )
        raise ValueError(message)


def _check_words(namespace: str, on_error: str) -> None:
    if not namespace:
        message = f"`namespace` must be a name such as 'score_v3', got {namespace!r}."
        raise ValueError(message)
    if on_error not in _ON_ERROR:
        message = f"`on_error` must be one of {_ON_ERROR}, got {on_error!r}."
        raise ValueError(message)


def _check_companions(
    contract: object, quarantine: object, retention: object, ledger: object
) -> None:
    """Check what one option needs of another."""
    if contract is not None and quarantine is None:
        message = (
            "`contract` needs a `quarantine`, or the rows that it turns away would be lost. "
            "Give a QuarantineQueue, or validate before."
        )
        raise ValueError(message)
    if retention is not None and not hasattr(ledger, "purge"):
        message = f"`retention` needs a ledger that can purge, got {ledger!r}."
        raise TypeError(message)


def _is_whole(given: object) -> bool:
    """Say whether something is a whole number, and no bool."""
    return isinstance(given, int) and not isinstance(given, bool)


def _check_batches(batches: object) -> None:
    single = hasattr(batches, "iloc") or isinstance(batches, Mapping | str | bytes | os.PathLike)
    if single or not isinstance(batches, Iterable):
        message = (
            f"`batches` must be an iterable of batches, got {type(batches).__name__}; "
            f"cut it into batches with read_batches(...)."
        )
        raise TypeError(message)


def _engine(given: Engine | str | None) -> Engine:
    if given is None:
        return InProcess()
    return JoblibEngine(given) if isinstance(given, str) else given
