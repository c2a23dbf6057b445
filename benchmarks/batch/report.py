"""Runs the work of batches and writes its part of the results."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.batch import jobs, ledgers, records, streaming
from benchmarks.measuring import in_own_process, table, time_side_by_side, verdict
from prodml.batch import Batch, ContentKey


def report(*, n_rows, rounds):
    """Return the section on batches, in Markdown."""
    with tempfile.TemporaryDirectory(prefix="prodml-bench-") as place:
        folder = Path(place)
        parts = [
            _ledger_section(folder, rounds),
            _again_section(folder, rounds),
            _job_section(folder, rounds),
            _process_section(folder),
            _record_section(folder, rounds),
            _key_section(n_rows, rounds),
            _memory_section(folder),
        ]
    return "\n\n".join(["## Batches", *parts])


_numbers = count()


def in_new_folder(work, root, *arguments):
    """Run a contender, which times itself, in a folder that is empty."""
    folder = root / str(next(_numbers))
    folder.mkdir()
    try:
        return work(folder, *arguments)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_turns(contenders, root, rounds):
    """Return the median seconds of each contender; they take turns, and time themselves."""
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            seconds[name].append(in_new_folder(work, root))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _ledger_section(root, rounds):
    contenders = {
        "raw insert, a transaction each": partial(ledgers.raw_sqlite, durability="normal"),
        "prodml, stored one by one": partial(ledgers.prodml_job, durability="normal", group_size=1),
        "prodml, groups of 64": partial(ledgers.prodml_job, durability="normal", group_size=64),
        "powertools, on SQLite": ledgers.powertools,
        "diskcache add + set": ledgers.diskcache_add_set,
        "raw insert, FULL": partial(ledgers.raw_sqlite, durability="full"),
        "prodml, groups of 64, FULL": partial(ledgers.prodml_job, durability="full", group_size=64),
    }
    medians = take_turns(contenders, root, rounds)
    # by itself and last, since its threads go on beside whatever is timed after it
    medians |= take_turns({"DBOS workflow + step, FULL": ledgers.dbos_workflow}, root, rounds)
    ledgers.end_dbos()
    raw, one = medians["raw insert, a transaction each"], medians["prodml, stored one by one"]
    grouped, full = medians["prodml, groups of 64"], medians["prodml, groups of 64, FULL"]

    def beside_one(name, target):
        return "prodml one by one", medians[name] / one, target, True

    targets = {
        "prodml, stored one by one": ("raw", one / raw, 3.5, False),
        "prodml, groups of 64": ("raw", grouped / raw, 2.0, False),
        "powertools, on SQLite": beside_one("powertools, on SQLite", 1.5),
        "diskcache add + set": beside_one("diskcache add + set", 2.0),
        "DBOS workflow + step, FULL": (
            "prodml FULL", medians["DBOS workflow + step, FULL"] / full, 15.0, True
        ),
        "prodml, groups of 64, FULL": ("raw FULL", full / medians["raw insert, FULL"], 0.3, False),
    }  # fmt: skip
    rows = []
    for name, seconds in medians.items():
        cells = ("", "")
        if name in targets:
            beside, ratio, target, at_least = targets[name]
            word = "at least" if at_least else "at most"
            judged = verdict(ratio, target, at_least=at_least)
            cells = (f"{ratio:.2f}x {beside}", f"{word} {target:g}x: {judged}")
        rows.append((name, f"{seconds / ledgers.N_ITEMS * 1e6:.1f}", *cells))
    words = (
        f"{ledgers.N_ITEMS:,} pieces of work of one number each: key, claim, work, output and "
        f"fenced mark. What peers store is less: powertools has the effect apart from its mark, "
        f"diskcache has no effect, neither has a fence. DBOS did {ledgers.N_DBOS} and is scaled; "
        f"it writes a row for the workflow and one for the step, in its own journal mode."
    )
    header = ["who", "us each", "ratio", "target"]
    return f"### One item at a time\n\n{words}\n\n{table(header, rows)}"


def _again_section(root, rounds):
    contenders = {
        "ledger: 500 keys a question": ledgers.prodml_lookup,
        "the whole run: keys, ledger, report": partial(
            ledgers.prodml_job, durability="normal", group_size=64, again=True
        ),
    }
    medians = take_turns(contenders, root, rounds)
    lookup = medians["ledger: 500 keys a question"] / ledgers.N_ITEMS * 1e6
    rows = [
        (name, f"{seconds / ledgers.N_ITEMS * 1e6:.2f}", "") for name, seconds in medians.items()
    ]
    rows[0] = (*rows[0][:2], f"2 us: {verdict(lookup, 2.0, at_least=False)}")
    words = "The same job again, when all is done."
    return f"### Run again\n\n{words}\n\n{table(['what', 'us each', 'target'], rows)}"


def _job_section(root, rounds):
    contenders = {
        "all rows in one transaction": jobs.one_transaction,
        "prodml, stored one by one": partial(jobs.prodml_batches, group_size=1),
        "prodml, groups of 64": partial(jobs.prodml_batches, group_size=64),
    }
    medians = take_turns(contenders, root, rounds)
    raw = medians["all rows in one transaction"]
    rows = []
    for (name, seconds), target in zip(medians.items(), (None, 2.5, 1.7), strict=True):
        ratio = seconds / raw
        judged = "" if target is None else f"{target}x: {verdict(ratio, target, at_least=False)}"
        rows.append((name, f"{seconds:.2f}", f"{ratio:.2f}x", judged))
    words = (
        f"{jobs.N_BATCHES:,} batches of {jobs.SIZE} records into a table: content keys, claims, "
        f"output, a tally and marks, beside the bare insert."
    )
    return f"### A whole job\n\n{words}\n\n{table(['who', 's', 'ratio', 'target'], rows)}"


def _process_section(root):
    rows = []
    for durability, group_size in (("normal", 1), ("normal", 50), ("full", 1), ("full", 50)):
        each, longest = zip(
            *(
                in_new_folder(jobs.several_processes, root, durability, group_size)
                for _ in range(3)
            ),
            strict=True,
        )
        wait = statistics.median(longest) * 1e3
        judged = f"150 ms: {verdict(wait, 150, at_least=False)}"
        cells = (f"{statistics.median(each):.0f}", f"{wait:.0f}", judged)
        rows.append((durability, group_size, *cells))
    words = (
        f"{jobs.N_PROCESSES} processes claim and commit on one ledger, with nothing to do between: "
        f"microseconds a piece in all, and the longest that any one call took, of which the "
        f"median of 3 runs."
    )
    header = ["durability", "group", "us each", "longest call, ms", "target"]
    return f"### Four processes on one ledger\n\n{words}\n\n{table(header, rows)}"


def _record_section(root, rounds):
    seen, new = records.make_keys(records.N_SEEN, records.N_NEW)
    folder = root / "records"
    folder.mkdir()
    records.fill_ledger(folder, seen)
    seconds = {"prodml process_records": [], "DuckDB anti join + insert": []}
    for _ in range(rounds):
        seconds["prodml process_records"].append(records.prodml_records(folder, new))
        seconds["DuckDB anti join + insert"].append(records.duckdb_anti_join(folder, seen, new))
    shutil.rmtree(folder)
    ours, duck = (statistics.median(values) for values in seconds.values())
    rows = [
        ("prodml process_records", f"{ours:.2f}", f"1.3 s: {verdict(ours, 1.3, at_least=False)}"),
        ("DuckDB anti join + insert", f"{duck:.2f}", ""),
    ]
    words = (
        f"{records.N_NEW:,} records, half of them seen before, against {records.N_SEEN:,} seen "
        f"keys in SQLite. prodml computes keys and checksums, looks up, and commits what is new "
        f"with a checksum each; DuckDB is given the keys, and keeps nothing else."
    )
    return f"### Records\n\n{words}\n\n{table(['who', 's', 'target'], rows)}"


def _key_section(n_rows, rounds):
    import joblib

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(n_rows),
            "user": rng.integers(0, 10**6, n_rows),
            "amount": rng.normal(size=n_rows),
            "sku": [f"sku-{one}" for one in rng.integers(0, 5000, n_rows)],
        }
    )
    contenders = {
        "prodml ContentKey": lambda: ContentKey().of_batch(Batch(frame, 0)),
        "joblib.hash": lambda: joblib.hash(frame),
        "hash_pandas_object (no key: see below)": lambda: pd.util.hash_pandas_object(
            frame, index=False
        ),
    }
    timings = time_side_by_side(contenders, rounds=rounds)
    ours = timings[0].median
    rows = [(one.name, f"{one.median:.3f}", f"{one.median / ours:.2f}x", "") for one in timings]
    rows[0] = (*rows[0][:3], f"0.25 s: {verdict(ours, 0.25, at_least=False)}")
    words = (
        f"The key of {n_rows:,} records of 4 columns. joblib.hash differs between versions of "
        f"pandas, and hash_pandas_object between units of time, and takes 1 for True."
    )
    header = ["who", "s", "ratio", "target"]
    return f"### Keys of content\n\n{words}\n\n{table(header, rows)}"


def _memory_section(root):
    path = root / "rows.parquet"
    streaming.write_file(path)
    rows = []
    for way, target in (("streamed", 60), ("whole", None)):
        found = in_own_process("benchmarks.batch.streaming", way, path)["growth"]
        judged = "" if target is None else f"{target} MB: {verdict(found, target, at_least=False)}"
        name = "prodml read_batches, 100,000 rows" if way == "streamed" else "pandas read_parquet"
        rows.append((name, f"{found:.0f}", judged))
    words = (
        f"A job over a Parquet file of {streaming.N_ROWS:,} rows of 3 columns (240 MB of numbers), "
        f"keys and ledger included; growth of the process."
    )
    return f"### Memory of a stream\n\n{words}\n\n{table(['who', 'MB', 'target'], rows)}"
