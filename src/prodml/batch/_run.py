"""One run of a job: look ahead, skip, claim, work, and account for every batch."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from prodml.batch._commit import Committer, quarantine_whole
from prodml.batch._job import Finished, Task
from prodml.batch._owner import is_gone
from prodml.batch._poison import describe_error
from prodml.batch._tabular import count_records
from prodml.batch._worker import Attempt
from prodml.batch.batch import Batch
from prodml.batch.engine import WorkerLostError
from prodml.batch.key import key_text
from prodml.batch.ledger import WorkFailure
from prodml.batch.report import BatchOutcome
from prodml.errors import IdempotencyConflictError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prodml.batch._heartbeat import Heartbeat
    from prodml.batch._interrupts import Interrupts
    from prodml.batch._job import Job
    from prodml.batch.counts import Fate
    from prodml.batch.engine import Engine
    from prodml.batch.key import WorkKey
    from prodml.batch.ledger import Claim, Entry
    from prodml.batch.report import BatchReport

__all__ = ["Run"]

#: Cells of frames, or records of other batches, held at most while looking ahead.
_MOST_CELLS: Final = 250_000
#: What is claimed at once should take no longer than this, in seconds: others may be idle.
_CLAIM_SECONDS: Final = 1.0
_MOST_CLAIMS: Final = 64
#: Pieces for each worker between two claims, so that few wait for the last one.
_PIECES_EACH: Final = 4
#: A source that gives batches more slowly than this, in seconds, is not read ahead of.
_SLOW_SOURCE: Final = 0.05
#: What a state that is found means for the batch that came with its key.
_FATES: Final[dict[str, Fate]] = {
    "done": "skipped",
    "quarantined": "quarantined",
    "running": "in_progress",
    "failed": "failed",
    "pending": "given_up",
}


class Run:
    """Carries out a job once; not thread-safe."""

    def __init__(
        self,
        job: Job,
        report: BatchReport,
        *,
        engine: Engine,
        ordered: bool,
        read_ahead: int,
        heartbeat: Heartbeat,
        interrupts: Interrupts,
        advance: Callable[[int], object],
    ) -> None:
        self._job = job
        self._report = report
        self._engine = engine
        self._ordered = ordered
        self._read_ahead = read_ahead
        self._heartbeat = heartbeat
        self._interrupts = interrupts
        self._advance = advance
        self._committer = Committer(job, heartbeat, self._settle)
        self._in_hand: dict[int, Task] = {}  # by number; read, and not settled yet
        self._fewest_claims = 1 if engine.n_workers == 1 else _PIECES_EACH * engine.n_workers
        self._n_claims = self._fewest_claims
        self._knows_some = True

    def carry_out(self, batches: Iterable[Any]) -> None:
        """Bring every batch to its fate, or stop in good order."""
        try:
            for tasks in self._read(batches):
                self._bring_home(tasks)
                if self._interrupts.received is not None:
                    break
        except BaseException:
            self._hand_back()
            raise
        self._hand_back()

    def _read(self, batches: Iterable[Any]) -> Iterator[list[Task]]:
        """Yield batches with their keys, some at a time, as far as memory and patience allow."""
        clock, key_of = self._job.clock.monotonic, self._job.key.of_batch
        size, n_cells, started = 1, 0, clock()
        group: list[Task] = []
        for number, item in enumerate(batches):
            batch = item._replace(number=number) if isinstance(item, Batch) else Batch(item, number)
            task = Task(batch, key_of(batch), count_records(batch.data))
            group.append(task)
            self._in_hand[number] = task
            n_cells += getattr(batch.data, "size", 0) or task.n_records
            waited = clock() - started
            if len(group) >= size or n_cells >= _MOST_CELLS or waited > _SLOW_SOURCE:
                size = 1 if waited > _SLOW_SOURCE else min(2 * size, self._read_ahead)
                yield group
                group, n_cells, started = [], 0, clock()
        if group:
            yield group

    def _bring_home(self, tasks: Sequence[Task]) -> None:
        first: dict[bytes, Task] = {}
        repeats = [task for task in tasks if first.setdefault(task.work.key, task) is not task]
        # a job that was done before is asked about first; a new one is claimed at once
        left = self._without_known(list(first.values())) if self._knows_some else [*first.values()]
        while left and self._interrupts.received is None:
            chunk, left = left[: self._n_claims], left[self._n_claims :]
            self._claim_and_work(chunk)
        if repeats and self._interrupts.received is None:
            # equal work of one run: its fate is known by now
            self._settle_by_state(repeats)

    def _without_known(self, tasks: Sequence[Task]) -> list[Task]:
        """Settle what is done or quarantined already, and return the rest."""
        entries = self._entries(tasks)
        self._knows_some = bool(entries)
        left = []
        for task in tasks:
            entry = entries.get(task.work.key)
            if entry is not None and entry.state in {"done", "quarantined"}:
                self._settle_as(task, _FATES[entry.state])
            else:
                left.append(task)
        return left

    def _settle_by_state(self, tasks: Sequence[Task]) -> None:
        """Settle batches by what the ledger says about their keys."""
        entries = self._entries(tasks)
        for task in tasks:
            entry = entries.get(task.work.key)
            fate = "in_progress" if entry is None else _FATES[entry.state]
            self._settle_as(task, fate)

    def _entries(self, tasks: Sequence[Task]) -> dict[bytes, Entry]:
        """Return what is known about the keys of some batches.

        Raises
        ------
        IdempotencyConflictError
            If one of them came with another payload before.
        """
        keys = list({task.work.key: None for task in tasks})
        entries = dict(self._job.ledger.get_many(self._job.namespace, keys))
        changed = [
            task
            for task in tasks
            if (entry := entries.get(task.work.key)) is not None
            and entry.payload_hash != task.work.payload_hash
        ]
        if changed:
            raise _conflict(self._job.namespace, changed)
        return entries

    def _claim_and_work(self, tasks: Sequence[Task]) -> None:
        job = self._job
        claims = self._claims_of(tasks)
        running = [claim for claim in claims if claim.state == "running"]
        self._heartbeat.hold(running)
        by_key = {claim.key: claim for claim in claims}
        mine: list[tuple[Task, Claim]] = []
        others = []
        for task in tasks:
            claim = by_key.get(task.work.key)
            if claim is None:
                others.append(task)
            elif claim.state == "running":
                mine.append((task, claim))
            else:
                error = f"It was claimed {claim.attempt} times, and never finished."
                quarantine_whole(job, task, rule="never_finished", error=error)
                self._settle_as(task, "quarantined", error=error, attempt=claim.attempt)
        if others:
            self._knows_some = True
            self._settle_by_state(others)
        if mine:
            self._work_on(mine)

    def _claims_of(self, tasks: Sequence[Task]) -> list[Claim]:
        job = self._job
        by_key = {task.work.key: task.work for task in tasks}
        claims = claim_work(job, list(by_key.values()), ())
        left = [by_key[key] for key in by_key.keys() - {claim.key for claim in claims}]
        if left:
            # who died here, on this machine, need not be waited for
            entries = job.ledger.get_many(job.namespace, [work.key for work in left])
            owners = {one.owner for one in entries.values() if one.state == "running"}
            if gone := [owner for owner in owners if is_gone(owner)]:
                claims += claim_work(job, left, gone)
        return claims

    def _work_on(self, mine: Sequence[tuple[Task, Claim]]) -> None:
        started = self._job.clock.monotonic()
        left = dict(enumerate(mine))
        try:
            self._work_through(left)
        except WorkerLostError:
            # one by one, so that what kills workers takes nothing else along
            for at in list(left):
                alone = {0: left.pop(at)}
                if self._interrupts.received is None:
                    self._work_alone(alone)
        self._committer.flush()
        n_workers = self._engine.n_workers
        seconds_each = (self._job.clock.monotonic() - started) * n_workers / len(mine)
        fitting = int(_CLAIM_SECONDS * n_workers / seconds_each) if seconds_each else _MOST_CLAIMS
        self._n_claims = max(self._fewest_claims, min(fitting, 4 * self._n_claims, _MOST_CLAIMS))

    def _work_through(self, left: dict[int, tuple[Task, Claim]]) -> None:
        """Work on claimed batches, and take each out of `left` when it is finished."""
        mine = list(left.values())
        places = list(left)
        pieces = [(task.batch, task.n_records) for task, _ in mine]
        results = self._engine.map(self._job.worker, pieces, ordered=self._ordered)
        for at, attempt in results:
            task, claim = left.pop(places[at])
            self._committer.add(Finished(task, claim, attempt))
            if self._interrupts.received is not None:
                break

    def _work_alone(self, alone: dict[int, tuple[Task, Claim]]) -> None:
        try:
            self._work_through(alone)
        except WorkerLostError as error:
            ((task, claim),) = alone.values()
            attempt = Attempt(None, task.n_records, 0, error=describe_error(error))
            self._committer.add(Finished(task, claim, attempt))

    def _settle_as(self, task: Task, fate: Fate, *, error: str = "", attempt: int = 0) -> None:
        number, key = task.batch.number, task.work.key
        self._settle(task, BatchOutcome(number, key, fate, task.n_records, 0, 0, 0, attempt, error))

    def _settle(self, task: Task, outcome: BatchOutcome) -> None:
        self._in_hand.pop(task.batch.number, None)
        self._report.add(outcome)
        self._advance(outcome.n_records)

    def _hand_back(self) -> None:
        """Let others have what is claimed and not done, and account for all that was read."""
        held = self._heartbeat.held
        if held:
            failures = [
                WorkFailure(claim.key, claim.fence, "pending", 0, "given up") for claim in held
            ]
            # a store that fails now has failed before; the leases will run out
            with suppress(StorageError):
                self._job.ledger.fail(self._job.namespace, failures, now=self._job.clock.now())
            self._heartbeat.let_go(claim.key for claim in held)
        for task in list(self._in_hand.values()):
            self._settle_as(task, "given_up")


def claim_work(job: Job, work: Sequence[WorkKey], gone: Sequence[str]) -> list[Claim]:
    """Claim what is free of some work."""
    now = job.clock.now()
    return job.ledger.claim(
        job.namespace,
        work,
        owner=job.owner,
        now=now,
        until=now + timedelta(seconds=job.lease),
        max_attempts=job.max_attempts,
        gone=gone,
    )


def _conflict(namespace: str, tasks: Sequence[Task]) -> IdempotencyConflictError:
    keys = [key_text(task.work.key) for task in tasks]
    numbers = ", ".join(str(task.batch.number) for task in tasks[:5])
    message = (
        f"{len(tasks)} batches (number {numbers}) have a key that {namespace!r} knows with other "
        f"content. Give new work a new key, or a new namespace; nothing of them was done."
    )
    return IdempotencyConflictError(message, namespace=namespace, keys=keys)
