"""What a job consists of, for the run that carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prodml.batch._worker import Attempt, Worker
    from prodml.batch.batch import Batch
    from prodml.batch.key import Key, WorkKey
    from prodml.batch.ledger import Claim, Ledger
    from prodml.batch.sink import Sink
    from prodml.protocols import Clock, RejectionSource

__all__ = ["Finished", "Job", "RejectionQueue", "Task"]


@runtime_checkable
class RejectionQueue(Protocol):
    """Keeps rejected records, as :class:`prodml.quarantine.QuarantineQueue` does."""

    def put(self, rejected: RejectionSource, /, *, source: str, batch: str | None = None) -> object:
        """Store them durably. The same batch again is the same delivery."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All that a processor was given, checked."""

    namespace: str
    worker: Worker
    ledger: Ledger
    sink: Sink | None
    key: Key
    quarantine: RejectionQueue | None
    tally: Callable[[Any], Mapping[str, float]] | None
    lease: float
    heartbeat: float
    max_attempts: int
    group_size: int
    clock: Clock
    owner: str


class Task(NamedTuple):
    """A batch, its name, and how many records it has."""

    batch: Batch
    work: WorkKey
    n_records: int


class Finished(NamedTuple):
    """A batch that was claimed and worked on, one way or the other."""

    task: Task
    claim: Claim
    attempt: Attempt
