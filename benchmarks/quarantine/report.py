"""Runs the work of the quarantine and writes its part of the results."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.contracts.orders import Order, make_orders
from benchmarks.measuring import table, verdict
from prodml.contracts import Contract
from prodml.quarantine import QuarantineQueue

TARGET = 150_000


def report(*, n_rows, rounds):
    """Return the section on the quarantine, in Markdown."""
    n_bad = n_rows // 5
    frame, _ = make_orders(n_rows, 0.2)
    contract = Contract(Order, key="order_id")
    chunks = [frame.iloc[at : at + n_rows // 4] for at in range(0, n_rows, n_rows // 4)]
    results = list(contract.validate_chunks(chunks))
    assert sum(len(result.rejected) for result in results) == n_bad
    rows = []
    seconds = {"first time": [], "put again": [], "replay": []}
    sizes = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "q.db"
            with QuarantineQueue(path) as queue:
                for step in ("first time", "put again"):
                    start = time.perf_counter()
                    for result in results:
                        queue.put(result, source="orders", batch="b")
                    seconds[step].append(time.perf_counter() - start)
                assert queue.depth() == n_bad
                sizes.append(path.stat().st_size / 1e6)
                start = time.perf_counter()
                replayed = queue.replay(contract)
                seconds["replay"].append(time.perf_counter() - start)
                assert replayed.n_still_rejected == n_bad
    for step, values in seconds.items():
        rate = n_bad / statistics.median(values)
        judged = (
            f"{TARGET:,}: {verdict(rate, TARGET, at_least=True)}" if step == "first time" else ""
        )
        rows.append((step, f"{statistics.median(values):.2f}", f"{rate:,.0f}", judged))
    rows.append(
        ("json.dumps of each record, for comparison", *_json_rate(frame, n_bad, rounds), "")
    )
    return "\n\n".join(
        [
            "## Quarantine",
            (
                f"{n_bad:,} rejected rows of 10 columns, in {len(results)} deliveries, into an "
                f"SQLite file with full durability; encoding, digests, reasons and keys included. "
                f"The file then has {statistics.median(sizes):.0f} MB."
            ),
            table(["what", "median s", "rows/s", "target"], rows),
        ]
    )


def _json_rate(frame, n_bad, rounds):
    """Time what a hand-written quarantine would do first: every record through json.dumps."""
    records = frame.head(n_bad).to_dict("records")
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for record in records:
            json.dumps(record, default=str)
        times.append(time.perf_counter() - start)
    median = statistics.median(times)
    return f"{median:.2f}", f"{n_bad / median:,.0f}"
