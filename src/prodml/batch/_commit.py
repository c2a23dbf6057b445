"""Storing what was worked out: rejected records first, then output and marks as the sink can."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from prodml._core.log import get_logger
from prodml.batch._poison import describe_error, reject_records
from prodml.batch._tabular import count_records
from prodml.batch.batch import BatchOutput
from prodml.batch.key import key_text
from prodml.batch.ledger import WorkFailure, WorkResult
from prodml.batch.report import BatchOutcome
from prodml.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prodml._core.sql import Session
    from prodml.batch._heartbeat import Heartbeat
    from prodml.batch._job import Finished, Job, Task
    from prodml.batch.ledger import WriteOutput
    from prodml.rejections import Rejections

__all__ = ["Committer", "put_aside", "quarantine_whole", "result_of"]

#: Finished work does not wait longer than this for the rest of its group, in seconds.
_LONGEST_WAIT: Final = 1.0


class Committer:
    """Gathers finished batches, and stores them in groups; not thread-safe."""

    def __init__(
        self, job: Job, heartbeat: Heartbeat, settle: Callable[[Task, BatchOutcome], object]
    ) -> None:
        self._job = job
        self._heartbeat = heartbeat
        self._settle = settle
        self._waiting: list[Finished] = []
        self._since = 0.0

    def add(self, finished: Finished) -> None:
        """Take a batch; store the group if it is full, or has waited long enough."""
        now = self._job.clock.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting.append(finished)
        if len(self._waiting) >= self._job.group_size or now - self._since > _LONGEST_WAIT:
            self.flush()

    def flush(self) -> None:
        """Store all that waits.

        Raises
        ------
        StorageError
            If ledger, sink or quarantine fail; what was not stored then stays claimed.
        """
        waiting, self._waiting = self._waiting, []
        group, results = [], []
        for finished in waiting:
            if finished.attempt.error:
                self._note_failure(finished, finished.attempt.error)
                continue
            try:
                results.append(result_of(self._job, finished))
            except Exception as error:  # noqa: BLE001 - the user's tally: whatever it raises
                self._note_failure(finished, describe_error(error))
            else:
                group.append(finished)
        if group:
            self._store(group, results)

    def _store(self, group: Sequence[Finished], results: Sequence[WorkResult]) -> None:
        try:
            for finished in group:
                self._quarantine(finished)
            lost = self._write_and_mark(group, results)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - the user's sink: whatever it raises
            if len(group) == 1:
                # what a sink says about rows is about the batch, and not about the others
                self._note_failure(group[0], describe_error(error))
                return
            for finished, result in zip(group, results, strict=True):
                self._store([finished], [result])
            return
        self._heartbeat.let_go(result.key for result in results)
        for finished, result in zip(group, results, strict=True):
            outcome = BatchOutcome(
                result.number,
                result.key,
                "lost" if result.key in lost else "done",
                result.n_records,
                result.n_done,
                result.n_quarantined,
                result.n_output,
                finished.claim.attempt,
            )
            self._settle(finished.task, outcome)

    def _write_and_mark(
        self, group: Sequence[Finished], results: Sequence[WorkResult]
    ) -> frozenset[bytes]:
        """Store output and marks in the order that the sink asks for; return what was lost."""
        job, write = self._job, None
        outputs = [
            BatchOutput(result.key, result.number, finished.attempt.output)
            for finished, result in zip(group, results, strict=True)
        ]
        lost: frozenset[bytes] = frozenset()
        if job.sink is not None and job.sink.guarantee == "atomic":
            write = _writer(job.sink.write, outputs)
        elif job.sink is not None:
            # somebody else may have the work by now: then there is nothing to write
            lost = self._heartbeat.beat()
            outputs = [one for one in outputs if one.key not in lost]
            results = [one for one in results if one.key not in lost]
            if outputs:
                job.sink.write(outputs, None)
        now = job.clock.now()
        return lost | job.ledger.commit(job.namespace, results, now=now, write=write)

    def _quarantine(self, finished: Finished) -> None:
        """Put rejected records into quarantine, before the others are stored."""
        queue, attempt = self._job.quarantine, finished.attempt
        if queue is None:
            return
        rejections = list(attempt.rejections)
        names = {one.contract for one in rejections}
        if finished.claim.fence > 1 and self._job.namespace not in names:
            # an earlier try may have put records aside that are fine by now
            rejections.append(_no_rejections(self._job.namespace, finished.task, attempt.n_done))
        for one in rejections:
            put_aside(self._job, finished.task, one)

    def _note_failure(self, finished: Finished, error: str) -> None:
        job, claim, attempt = self._job, finished.claim, finished.attempt
        last = claim.attempt >= job.max_attempts
        if last:
            quarantine_whole(job, finished.task, rule="failed_too_often", error=error)
        state: Any = "quarantined" if last else "failed"
        failure = WorkFailure(claim.key, claim.fence, state, attempt.n_records, error)
        lost = job.ledger.fail(job.namespace, [failure], now=job.clock.now())
        self._heartbeat.let_go([claim.key])
        batch = finished.task.batch
        get_logger(__name__).warning(
            "batch_failed",
            namespace=job.namespace,
            number=batch.number,
            key=key_text(claim.key),
            attempt=claim.attempt,
            state=state,
        )
        outcome = BatchOutcome(
            batch.number,
            claim.key,
            "lost" if lost else state,
            attempt.n_records,
            attempt=claim.attempt,
            error=error,
        )
        self._settle(finished.task, outcome)


def result_of(job: Job, finished: Finished) -> WorkResult:
    """Return what a ledger keeps of finished work."""
    attempt, claim = finished.attempt, finished.claim
    return WorkResult(
        claim.key,
        claim.fence,
        finished.task.batch.number,
        attempt.n_records,
        attempt.n_done,
        attempt.n_records - attempt.n_done,
        count_records(attempt.output),
        "" if job.tally is None else _as_json(job.tally(attempt.output)),
    )


def quarantine_whole(job: Job, task: Task, *, rule: str, error: str) -> None:
    """Put every record of a batch into quarantine, if there is one."""
    n_records = task.n_records
    if job.quarantine is None or not n_records:
        return
    rejections = reject_records(
        task.batch.data,
        dict.fromkeys(range(n_records), error),
        rule=rule,
        namespace=job.namespace,
        n_records=n_records,
        first_row=task.batch.first_row or 0,
    )
    put_aside(job, task, rejections)


def put_aside(job: Job, task: Task, rejections: Rejections) -> None:
    """Put some records of a batch into quarantine, under the name of the batch."""
    if job.quarantine is not None:
        source = task.batch.source if task.batch.source is not None else job.namespace
        job.quarantine.put(rejections, source=source, batch=key_text(task.work.key))


def _no_rejections(namespace: str, task: Task, n_records: int) -> Rejections:
    return reject_records(
        task.batch.data,
        {},
        rule="",
        namespace=namespace,
        n_records=n_records,
        first_row=task.batch.first_row or 0,
    )


def _writer(
    write: Callable[[Sequence[BatchOutput], Session | None], None], outputs: Sequence[BatchOutput]
) -> WriteOutput:
    def write_held(session: Session, lost: frozenset[bytes]) -> None:
        write([one for one in outputs if one.key not in lost] if lost else outputs, session)

    return write_held


def _as_json(tallies: Mapping[str, float]) -> str:
    plain = {}
    for name, value in tallies.items():
        number = value.item() if hasattr(value, "item") else value
        if isinstance(number, bool) or not isinstance(number, int | float):
            message = f"A tally must be an int or a float, got {name!r}: {value!r}."
            raise TypeError(message)
        if not math.isfinite(number):
            message = f"A tally must be finite, got {name!r}: {value!r}."
            raise ValueError(message)
        plain[str(name)] = number
    return json.dumps(plain) if plain else ""
