"""A million records, half of them seen before, against ten million keys."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pandas as pd

from prodml.batch import BatchProcessor, BusinessKey, SqliteLedger
from prodml.batch.key import RecordKeys
from prodml.batch.ledger import WorkResult

N_SEEN = 10_000_000
N_NEW = 1_000_000


def make_keys(n_seen, n_new):
    rng = np.random.default_rng(0)
    seen = np.unique(rng.integers(-(2**62), 2**62, n_seen))
    new = np.concatenate(
        [rng.choice(seen, n_new // 2, replace=False), rng.integers(-(2**62), 2**62, n_new // 2)]
    )
    rng.shuffle(new)
    return seen, new


def fill_ledger(folder, seen):
    from datetime import UTC, datetime

    zeros = np.zeros(len(seen), dtype=np.int64)
    with SqliteLedger(folder / "seen.db") as ledger:
        result = WorkResult(b"k1:seen", 1, 0, len(seen), len(seen), 0, 0)
        keys = RecordKeys(seen, zeros, checksums(seen))
        assert ledger.commit_records("job", keys, result, now=datetime.now(UTC))


def checksums(ids):
    return BusinessKey("id").of_records({"id": ids}).payloads


def prodml_records(folder, new):
    """Keys, checksums, lookup, function, and a commit that remembers what is new."""
    path = folder / "now.db"
    shutil.copy(folder / "seen.db", path)
    with SqliteLedger(path) as ledger:
        ledger.totals("job")
        job = BatchProcessor(
            lambda batch: batch, ledger=ledger, namespace="job", key=BusinessKey("id")
        )
        start = time.perf_counter()
        report = job.process_records({"id": new})
        seconds = time.perf_counter() - start
        assert report.counts.n_records["done"] == len(new) // 2, report
    return seconds


def duckdb_anti_join(folder, seen, new):
    """Two threads, columns, no payload."""
    import duckdb

    path = folder / "seen.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET threads = 2")
        if not connection.execute("SELECT * FROM duckdb_tables()").fetchall():
            known = pd.DataFrame({"id": seen})
            connection.register("known", known)
            connection.execute("CREATE TABLE seen AS SELECT id FROM known")
        connection.register("arrived", pd.DataFrame({"id": new}))
        connection.execute("BEGIN")
        start = time.perf_counter()
        fresh = connection.execute("SELECT id FROM arrived ANTI JOIN seen USING (id)").fetchnumpy()[
            "id"
        ]
        connection.register("fresh", pd.DataFrame({"id": fresh}))
        connection.execute("INSERT INTO seen SELECT id FROM fresh")
        seconds = time.perf_counter() - start
        connection.execute("ROLLBACK")
        assert len(fresh) == len(new) // 2
    return seconds
