"""Runs the work of features and writes its part of the results."""

from __future__ import annotations

import statistics
import time
import warnings

import numpy as np

from benchmarks.features import online_stores, peers, point_in_time
from benchmarks.features.workload import (
    COLUMNS,
    by_hand,
    feature_set,
    make_rows,
    records_of,
    state_of,
)
from benchmarks.measuring import in_own_process, table, time_side_by_side, verdict

N_RECORDS = 2000


def report(*, n_rows, rounds):
    """Return the section on features, in Markdown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame, y = make_rows(20_000)
        fitted = feature_set().fit(frame, y)
        parts = [
            _record_section(fitted, frame, y, rounds),
            _micro_section(fitted, frame, rounds),
            _column_section(n_rows, rounds),
            _proof_section(n_rows),
            _join_section(n_rows, rounds),
            _store_section(rounds),
        ]
    return "\n\n".join(["## Features", *parts])


def _equal(one, other):
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    return int((~same).sum())


def _each(work, records, rounds):
    """Return the best time of one record, in microseconds, over rounds of all records."""
    best = []
    for _ in range(max(rounds, 5)):
        start = time.perf_counter()
        for record in records:
            work(record)
        best.append((time.perf_counter() - start) / len(records) * 1e6)
    return statistics.median(best)


def _record_section(fitted, frame, y, rounds):
    records = records_of(frame.iloc[:N_RECORDS])
    state = state_of(fitted)
    hand = by_hand(state)
    matrix = fitted.transform(frame.iloc[:N_RECORDS])
    alone = np.array([fitted.transform_one(record) for record in records])
    by_hand_rows = np.array([hand(record) for record in records])
    assert _equal(alone, matrix) == 0
    assert _equal(by_hand_rows, matrix) == 0
    drive = peers.hamilton(state)
    lifted = [peers.arrays_of_records([record]) for record in records[:300]]
    assert _equal(np.ravel([drive(lifted[0])[name][0] for name in COLUMNS]), matrix[0]) == 0
    river = peers.river(state, records)
    pipe = peers.scikit_learn(state).fit(frame, y)
    singles = [frame.iloc[[at]] for at in range(40)]
    untraced = _untraced()
    untraced.transform_one(records[0])
    microseconds = {
        "by hand, a list": _each(hand, records, rounds),
        "prodml transform_one": _each(fitted.transform_one, records, rounds),
        "river transform_one": _each(river, records, rounds),
        "Hamilton, columns of length 1": _each(drive, lifted, rounds),
        "scikit-learn, a frame of 1 row": _each(pipe.transform, singles, rounds),
    }
    own, floor = microseconds["prodml transform_one"], microseconds["by hand, a list"]
    targets = {
        "prodml transform_one": (f"{own / floor:.2f}x by hand", own / floor, 1.5, False),
        "river transform_one": _beside(microseconds, "river transform_one", own, 2),
        "Hamilton, columns of length 1": _beside(
            microseconds, "Hamilton, columns of length 1", own, 60
        ),
        "scikit-learn, a frame of 1 row": _beside(
            microseconds, "scikit-learn, a frame of 1 row", own, 2000
        ),
    }
    rows = [
        (name, f"{value:,.2f}", *_judged(targets.get(name))) for name, value in microseconds.items()
    ]
    per_function = (_each(untraced.transform_one, records, rounds) - 1.5) / untraced.n_functions
    rows.append(
        ("prodml, a function that cannot be traced", f"{per_function:.2f}", "each",
         f"at most 3 us: {verdict(per_function, 3.0, at_least=False)}")
    )  # fmt: skip
    words = (
        f"20 features in 22 columns of 11 inputs, from a dict. prodml and the hand-written "
        f"function give the same bits as the batch on all {N_RECORDS:,} records; river's "
        f"logarithms are those of `math`, which differ. Hamilton is handed columns, prodml dicts."
    )
    return f"### One record\n\n{words}\n\n{table(['who', 'us', 'ratio', 'target'], rows)}"


def _beside(microseconds, name, own, least):
    ratio = microseconds[name] / own
    return f"{ratio:,.1f}x prodml", ratio, least, True


def _told(words, reached, limit, *, at_least):
    word = "at least" if at_least else "at most"
    return f"{words}; {word} {limit:g}x: {verdict(reached, limit, at_least=at_least)}"


def _judged(target):
    if target is None:
        return "", ""
    told, ratio, limit, at_least = target
    word = "at least" if at_least else "at most"
    return told, f"{word} {limit:,g}x: {verdict(ratio, limit, at_least=at_least)}"


class _Untraced:
    """Ten features that cannot be traced, over one input."""

    n_functions = 10

    def __init__(self, fitted):
        self.transform_one = fitted.transform_one


def _untraced():
    import pandas as pd

    from prodml.features import FeatureSet, Field

    fs = FeatureSet("untraced", version="1", inputs=[Field("balance", "float64")])

    for power in range(3, 13):
        exec(f"def f{power}(balance):\n    return balance ** {power}", scope := {})  # noqa: S102
        fs.feature(scope[f"f{power}"])
    fitted = fs.fit(pd.DataFrame({"balance": np.linspace(1, 9, 50)}))
    assert set(fitted.explain().to_frame()["single_record"]) == {"columns of length 1"}
    return _Untraced(fitted)


def _micro_section(fitted, frame, rounds):
    records = records_of(frame.iloc[:N_RECORDS])
    hand = by_hand(state_of(fitted))
    drive = peers.hamilton(state_of(fitted))
    rows = []
    for size, to_hand, to_hamilton in ((10, 1.5, 8), (100, 1.0, 2)):
        groups = [records[at : at + size] for at in range(0, N_RECORDS, size)]
        own = _each(fitted.transform_many, groups, rounds)
        floor = _each(lambda group: [hand(record) for record in group], groups, rounds)
        other = _each(lambda group: drive(peers.arrays_of_records(group)), groups[:40], rounds)
        rows.append(
            (
                *(size, f"{own:,.0f}", f"{floor:,.0f}", f"{other:,.0f}"),
                _told(f"{own / floor:.2f}x by hand", own / floor, to_hand, at_least=False),
                _told(f"Hamilton {other / own:.1f}x", other / own, to_hamilton, at_least=True),
            )
        )
    header = ["records", "prodml us", "by hand us", "Hamilton us", "floor", "peer"]
    words = "A list of dicts, time of a call; Hamilton's includes making columns of the dicts."
    return f"### Few records\n\n{words}\n\n{table(header, rows)}"


def _column_section(n_rows, rounds):
    frame, y = make_rows(n_rows)
    fs = feature_set()
    fitted = fs.fit(frame, y)
    state = state_of(fitted)
    drive, arrays = peers.hamilton(state), peers.arrays_of_frame(frame)
    pipe = peers.scikit_learn(state).fit(frame, y)
    block = np.empty((n_rows, len(COLUMNS)), order="F")
    matrix = fitted.transform(frame)
    made = drive(arrays)
    assert (
        sum(_equal(np.asarray(made[name]), matrix[:, at]) for at, name in enumerate(COLUMNS)) == 0
    )
    contenders = {
        "writing the columns alone": lambda: np.copyto(block, matrix),
        "prodml transform": lambda: fitted.transform(frame),
        "Hamilton, no matrix": lambda: drive(arrays),
        "scikit-learn ColumnTransformer": lambda: pipe.transform(frame),
        "prodml fit": lambda: fs.fit(frame, y),
        "scikit-learn fit": lambda: peers.scikit_learn(state).fit(frame, y),
    }
    medians = {
        one.name: one.median for one in time_side_by_side(contenders, rounds=rounds, budget=20.0)
    }
    own, fit = medians["prodml transform"], medians["prodml fit"]
    told = {
        "Hamilton, no matrix": (own / medians["Hamilton, no matrix"], 0.5),
        "scikit-learn ColumnTransformer": (own / medians["scikit-learn ColumnTransformer"], 0.25),
        "scikit-learn fit": (fit / medians["scikit-learn fit"], 0.1),
    }
    rows = []
    for name, seconds in medians.items():
        cells = ("", "")
        if name in told:
            ratio, limit = told[name]
            judged = verdict(ratio, limit, at_least=False)
            cells = (f"prodml takes {ratio:.2f} of it", f"at most {limit:g}: {judged}")
        rows.append((name, f"{seconds:.3f}", *cells))
    peak = in_own_process("benchmarks.features.memory", n_rows)
    ratio = peak["peak"] / peak["output"]
    memory = (
        f"Peak memory of a transform: {peak['peak']:,.0f} MB, {ratio:.2f} times the result "
        f"(at most 1.5: {verdict(ratio, 1.5, at_least=False)})."
    )
    header = ["who", "s", "ratio", "target"]
    return f"### {n_rows:,} rows\n\nThe same bits as Hamilton.\n\n{table(header, rows)}\n\n{memory}"


def _proof_section(n_rows):
    """Count the bits that differ between a batch and records, over many rows."""
    frame, y = make_rows(min(n_rows, 50_000), seed=7)
    fitted = feature_set().fit(frame.iloc[:5000], y[:5000])
    matrix = fitted.transform(frame)
    alone = np.array([fitted.transform_one(record) for record in records_of(frame)])
    bits = matrix.copy(order="C").view(np.int64) != alone.view(np.int64)
    n_different = int((bits & ~(np.isnan(matrix) & np.isnan(alone))).sum())
    words = (
        f"{matrix.size:,} values of {len(frame):,} rows by `transform` and by `transform_one`: "
        f"{n_different} differ by a bit (target 0: {verdict(n_different, 0, at_least=False)})."
    )
    return f"### The same bits\n\n{words}"


def _join_section(n_rows, rounds):
    figures = point_in_time.measure(rounds, n_rows)
    limits = {
        "plain_to_merge_asof": ("plain / merge_asof", 0.6),
        "plain_to_duckdb": ("plain / DuckDB, 1 thread", 1.0),
        "as_known_to_plain": ("as known / plain", 1.2),
        "as_known_to_duckdb": ("as known / DuckDB", 0.5),
    }
    rows = []
    for keys in ("integer_keys", "text_keys"):
        for name, (told, limit) in limits.items():
            ratio = figures[keys][name]
            judged = verdict(ratio, limit, at_least=False)
            rows.append(
                (keys.replace("_", " "), told, f"{ratio:.2f}", f"at most {limit:g}: {judged}")
            )
    seconds = [
        (name, f"{figures['integer_keys']['seconds'][name]:.3f}", f"{value:.3f}")
        for name, value in figures["text_keys"]["seconds"].items()
        if name in figures["integer_keys"]["seconds"]
    ]
    peaks = ", ".join(f"{way} {peak:.0f} MB" for way, peak in figures["peak_mb"].items())
    return (
        f"### Point-in-time join, {n_rows:,} x {n_rows:,}\n\nAll give the same rows.\n\n"
        f"{table(['who', 's, integer keys', 's, text keys'], seconds)}\n\n"
        f"{table(['keys', 'ratio', 'reached', 'target'], rows)}\n\n"
        f"Peak memory: {peaks}; the key and time columns are {figures['key_columns_mb']:.0f} MB."
    )


def _store_section(rounds):
    figures = online_stores.measure(max(rounds, 5))
    one, many, memory = figures["ratio_1"], figures["sqlite_100_us"], figures["memory_1_us"]
    fifth = 526.0  # microseconds: a fifth of what Feast takes
    many_told = f"100: at most 526 us: {verdict(many, fifth, at_least=False)}"
    rows = [
        ("SQLite, raw", f"{figures['raw_1_us']:.1f}", f"{figures['raw_100_us']:.0f}", ""),
        (
            *("SqliteOnlineStore", f"{figures['sqlite_1_us']:.1f}", f"{many:.0f}"),
            f"{_told(f'1: {one:.2f}x raw', one, 2.0, at_least=False)}; {many_told}",
        ),
        (
            *("MemoryOnlineStore", f"{memory:.2f}", f"{figures['memory_100_us']:.0f}"),
            f"1: at most 2 us: {verdict(memory, 2.0, at_least=False)}",
        ),
    ]
    words = (
        "Two features of one entity and of a hundred, time to live checked on each read. "
        "Feast 0.67 over SQLite took 137 us and 2,630 us on a machine of this kind, in an "
        "environment of its own; it is not part of this run."
    )
    return f"### Online stores\n\n{words}\n\n{table(['store', 'us, 1', 'us, 100', 'target'], rows)}"
