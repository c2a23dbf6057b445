"""One file, several processes: nothing is lost, nothing is stored twice."""

from __future__ import annotations

import multiprocessing

import pandas as pd
from pydantic import BaseModel, Field

from prodml.contracts import Contract
from prodml.quarantine import QuarantineQueue

N_WORKERS = 3
N_BATCHES = 8


class Order(BaseModel):
    id: int
    quantity: int = Field(ge=1)


CONTRACT = Contract(Order, name="order", key="id")


def frame_of(worker, batch):
    """Return a batch with one good row, one that all bring, and two of its own."""
    own = 1000 * worker + 10 * batch
    return pd.DataFrame({"id": [1, 2, own, own], "quantity": [5, -1, -2, -2]})


def work(path, worker):
    """Put some batches, each twice, as a scheduler that starts a job again would."""
    with QuarantineQueue(path) as queue:
        for batch in range(N_BATCHES):
            for _ in range(2):
                result = CONTRACT.validate_frame(frame_of(worker, batch))
                queue.put(result, source="s", batch=f"{worker}-{batch}")


def test_processes_fill_one_queue(tmp_path):
    """Retried jobs of several workers on one new file."""
    path = tmp_path / "q.db"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(path, n)) for n in range(1, N_WORKERS + 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0] * N_WORKERS
    with QuarantineQueue(path) as queue:
        entries = queue.pending()
    shared = [entry.attempts for entry in entries if entry.record["id"] == 2]
    own = [entry.attempts for entry in entries if entry.record["id"] != 2]
    assert shared == [2 * N_WORKERS * N_BATCHES]
    assert own == [2] * (2 * N_WORKERS * N_BATCHES)
