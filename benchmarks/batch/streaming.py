"""Memory of a job over a Parquet file of ten million rows, in a process of its own."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import PeakMemory
from prodml.batch import BatchProcessor, SqliteLedger, read_batches

N_ROWS = 10_000_000


def write_file(path):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    with pq.ParquetWriter(
        path, pa.schema([("id", "int64"), ("user", "int64"), ("x", "float64")])
    ) as writer:
        for at in range(0, N_ROWS, 1_000_000):
            writer.write_table(
                pa.table(
                    {
                        "id": np.arange(at, at + 1_000_000),
                        "user": rng.integers(0, 10**6, 1_000_000),
                        "x": rng.normal(size=1_000_000),
                    }
                )
            )


def whole(path):
    import pandas as pd

    frame = pd.read_parquet(path)
    return float(frame["x"].sum())


def streamed(path):
    with tempfile.TemporaryDirectory() as folder, SqliteLedger(Path(folder) / "l.db") as ledger:
        job = BatchProcessor(lambda _: None, ledger=ledger, namespace="job", key=None, sink=None)
        report = job.run(read_batches(path, rows=100_000))
        assert report.counts.n_records["done"] == N_ROWS


if __name__ == "__main__":
    way, path = sys.argv[1], Path(sys.argv[2])
    import pandas as pd
    import pyarrow.parquet  # noqa: F401 - imports are not counted

    pd.DataFrame({"a": [1]}).to_parquet(path.with_suffix(".small"))
    pd.read_parquet(path.with_suffix(".small"))
    with PeakMemory() as peak:
        {"whole": whole, "streamed": streamed}[way](path)
    print(json.dumps({"growth": peak.megabytes}))
