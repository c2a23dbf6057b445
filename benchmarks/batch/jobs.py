"""Whole jobs: ten thousand batches of a hundred records, and four processes on one ledger."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from contextlib import closing

import numpy as np

from benchmarks.batch.ledgers import connect
from prodml.batch import BatchProcessor, SqliteLedger, TableSink
from prodml.batch.key import WorkKey
from prodml.batch.ledger import WorkResult

N_BATCHES = 10_000
SIZE = 100


def make_records():
    values = np.random.default_rng(0).normal(size=N_BATCHES * SIZE)
    return np.arange(N_BATCHES * SIZE), values


def one_transaction(folder):
    """The floor: all rows in one transaction."""
    ids, values = make_records()
    with closing(connect(folder / "raw.db", "normal")) as connection:
        connection.execute("CREATE TABLE out (id INTEGER PRIMARY KEY, value REAL)")
        start = time.perf_counter()
        connection.execute("BEGIN")
        rows = zip(ids.tolist(), (values * 2).tolist(), strict=True)
        connection.executemany("INSERT INTO out VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        return time.perf_counter() - start


def prodml_batches(folder, group_size):
    """Keys of the content, claims, output, tallies and marks."""
    ids, values = make_records()
    with closing(sqlite3.connect(folder / "ledger.db")):
        pass
    with SqliteLedger(folder / "ledger.db") as ledger:
        with closing(connect(folder / "ledger.db", "normal")) as connection:
            connection.execute("CREATE TABLE out (id INTEGER PRIMARY KEY, value REAL)")
        job = BatchProcessor(
            lambda batch: {"id": batch["id"], "value": batch["value"] * 2},
            ledger=ledger,
            sink=TableSink("out"),
            namespace="job",
            group_size=group_size,
            tally=lambda out: {"value": float(out["value"].sum())},
        )
        start = time.perf_counter()
        job.run(
            {"id": ids[at : at + SIZE], "value": values[at : at + SIZE]}
            for at in range(0, len(ids), SIZE)
        )
        seconds = time.perf_counter() - start
        totals = ledger.totals("job")
        assert totals.n_output == len(ids)
        assert abs(totals.tallies["value"] - 2 * values.sum()) < 1e-6
    return seconds


N_PROCESSES = 4
N_EACH = 1_000


def several_processes(folder, durability, group_size):
    """Return microseconds a batch in all, and the longest that one call of the ledger took."""
    path = folder / "ledger.db"
    SqliteLedger(path).close()
    context = multiprocessing.get_context("fork")
    with context.Pool(N_PROCESSES) as pool:
        given = [(path, number, durability, group_size) for number in range(N_PROCESSES)]
        start = time.perf_counter()
        waits = pool.starmap(_claim_and_commit, given)
        seconds = time.perf_counter() - start
    return seconds / (N_PROCESSES * N_EACH) * 1e6, max(waits)


def _claim_and_commit(path, number, durability, group_size):
    from datetime import UTC, datetime, timedelta

    longest = 0.0
    with SqliteLedger(path, durability=durability) as ledger:
        for at in range(0, N_EACH, group_size):
            keys = [f"k1:{number}-{one}".encode() for one in range(at, at + group_size)]
            now = datetime.now(UTC)
            start = time.perf_counter()
            claims = ledger.claim(
                "job",
                [WorkKey(key, b"") for key in keys],
                owner=str(number),
                now=now,
                until=now + timedelta(seconds=60),
                max_attempts=5,
            )
            claimed = time.perf_counter()
            done = [WorkResult(one.key, one.fence, 0, 1, 1, 0, 1) for one in claims]
            assert not ledger.commit("job", done, now=now)
            longest = max(longest, claimed - start, time.perf_counter() - claimed)
    return longest
