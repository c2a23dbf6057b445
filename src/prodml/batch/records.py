"""Working on single records once, in whatever company they arrive."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml._core.log import get_logger
from prodml._core.progress import follow_progress
from prodml.batch._commit import put_aside, result_of
from prodml.batch._job import Finished, Task
from prodml.batch._tabular import count_records, take_records
from prodml.batch.batch import Batch, BatchOutput
from prodml.batch.key import KEY_VERSION, RecordKeys, WorkKey
from prodml.batch.ledger import Claim, RecordLedger
from prodml.batch.report import BatchOutcome, BatchReport
from prodml.errors import IdempotencyConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from prodml.batch._job import Job
    from prodml.batch.ledger import WorkResult

__all__ = ["process_records"]


def process_records(
    job: Job, records: Any, *, progress: bool | Callable[[int, int | None], object]
) -> BatchReport:
    """Work on each record once; see :meth:`prodml.batch.BatchProcessor.process_records`."""
    if not isinstance(job.ledger, RecordLedger):
        message = f"`process_records` needs a ledger that remembers records, got {job.ledger!r}."
        raise TypeError(message)
    report = BatchReport(job.namespace)
    total = getattr(records, "n_rows", None)
    with follow_progress(progress, label=job.namespace, total=total, unit="records") as advance:
        for number, item in enumerate(_batches_of(records)):
            batch = item._replace(number=number) if isinstance(item, Batch) else Batch(item, number)
            outcome = _work_on_new(job, job.ledger, batch)
            report.add(outcome)
            advance(outcome.n_records)
    get_logger(__name__).info("records_processed", **report.to_dict())
    return report


def _batches_of(records: Any) -> Iterable[Any]:
    """Return batches; a frame, a mapping or a list of records is one."""
    if hasattr(records, "iloc") or isinstance(records, dict):
        return (records,)
    if isinstance(records, list) and not any(
        isinstance(one, Batch | list) or hasattr(one, "iloc") for one in records[:1]
    ):
        return (records,)
    found: Iterable[Any] = records
    return found


def _work_on_new(job: Job, ledger: RecordLedger, batch: Batch) -> BatchOutcome:
    """Work on the records of a batch that nobody has worked on yet."""
    n_records = count_records(batch.data)
    keys = job.key.of_records(batch.data)
    first = _first_of_each(job, keys)
    distinct = RecordKeys(*(part[first] for part in keys))
    attempted: tuple[bytes, Any] | None = None
    while True:
        known, changed = ledger.known_records(job.namespace, distinct)
        if changed.any():
            raise _conflict(job, first[changed])
        new = np.sort(first[~known])
        if not len(new):
            return BatchOutcome(batch.number, b"", "skipped", n_records)
        fresh = RecordKeys(*(part[new] for part in keys))
        name = _name_of(fresh)
        if attempted is None or attempted[0] != name:
            part = batch._replace(data=take_records(batch.data, new), first_row=0)
            attempted = name, job.worker(part, len(new))
        finished = _placed(batch, part, name, attempted[1], new)
        if finished.attempt.error:
            return BatchOutcome(
                batch.number, name, "failed", n_records, error=finished.attempt.error
            )
        result = result_of(job, finished)
        for one in finished.attempt.rejections:
            put_aside(job, finished.task, one)
        if _commit(job, ledger, fresh, result, finished):
            return BatchOutcome(
                batch.number,
                name,
                "done",
                n_records,
                result.n_done,
                result.n_quarantined,
                result.n_output,
                attempt=1,
                n_skipped=n_records - len(new),
            )
        # somebody else has done some of them in the meantime: what is left is other work


def _first_of_each(job: Job, keys: RecordKeys) -> npt.NDArray[np.int64]:
    """Return where each key stands first.

    Raises
    ------
    IdempotencyConflictError
        If a key stands there twice, with different payloads.
    """
    order = np.lexsort((keys.low, keys.high))  # stable: equal keys keep their order
    high, low, payloads = (part[order] for part in keys)
    new = np.ones(len(order), dtype=bool)
    new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    group = np.cumsum(new) - 1
    differs = payloads != payloads[new][group] if len(order) else new
    if differs.any():
        raise _conflict(job, order[differs])
    first: npt.NDArray[np.int64] = order[new]
    return first


def _name_of(keys: RecordKeys) -> bytes:
    """Return the key of some records as one piece of work."""
    digest = blake2b(digest_size=32, person=b"prodml-records")
    for part in (keys.high, keys.low):
        digest.update(part.astype("<i8", copy=False).tobytes())
    return KEY_VERSION + digest.digest()


def _placed(
    batch: Batch, part: Batch, name: bytes, attempt: Any, new: npt.NDArray[np.int64]
) -> Finished:
    """Return the finished work, with rejected records under their places in the source."""
    begin = batch.first_row or 0
    rejections = tuple(
        replace(one, first_row=begin, positions=begin + new[one.positions])
        for one in attempt.rejections
    )
    task = Task(part._replace(first_row=batch.first_row), WorkKey(name, b""), len(new))
    return Finished(task, Claim(name, 1, 1, "running"), attempt._replace(rejections=rejections))


def _commit(
    job: Job, ledger: RecordLedger, keys: RecordKeys, result: WorkResult, finished: Finished
) -> bool:
    write = None
    output = BatchOutput(result.key, result.number, finished.attempt.output)
    if job.sink is not None and job.sink.guarantee == "atomic":
        sink = job.sink
        write = lambda session, _lost: sink.write([output], session)  # noqa: E731
    elif job.sink is not None:
        job.sink.write([output], None)
    return ledger.commit_records(job.namespace, keys, result, now=job.clock.now(), write=write)


def _conflict(job: Job, rows: npt.NDArray[np.int64]) -> IdempotencyConflictError:
    shown = ", ".join(map(str, np.sort(rows)[:5].tolist()))
    message = (
        f"{len(rows)} records (row {shown}) have a key that {job.namespace!r} knows with other "
        f"content. Correct them, or give what has changed a new key; nothing of this batch was "
        f"done."
    )
    keys = [str(row) for row in np.sort(rows).tolist()]
    return IdempotencyConflictError(message, namespace=job.namespace, keys=keys)
