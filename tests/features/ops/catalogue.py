"""Every ready-made feature with every option, and the columns that it reads."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from prodml.features import FeatureSet, Field, ops

MOMENT = "timestamp[us, UTC]"
N_ROWS = 90

#: Inputs by name, of every type, with and without gaps.
FIELDS = {
    "f": Field("f", "float64"),
    "fn": Field("fn", "float64", nullable=True),
    "i": Field("i", "int64"),
    "in_": Field("in_", "int64", nullable=True),
    "b": Field("b", "bool"),
    "bn": Field("bn", "bool", nullable=True),
    "s": Field("s", "string"),
    "sn": Field("sn", "string", nullable=True),
    "t": Field("t", MOMENT),
    "tn": Field("tn", MOMENT, nullable=True),
}

NUMBERS = ("f", "fn", "i", "in_", "b", "bn")
CATEGORIES = ("i", "in_", "b", "bn", "s", "sn")
TEXTS = ("s", "sn")
MOMENTS = ("t", "tn")
PARTS = ("year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "is_weekend")
CYCLES = ("month", "day_of_week", "day_of_year", "hour", "minute")


def _of_numbers(x):
    yield from (ops.scale(x, how) for how in ("standard", "minmax", "robust"))
    yield from (ops.fill(x, how) for how in ("median", "mean", 0.0, 1.5, -1))
    yield from (ops.clip(x, low=0), ops.clip(x, low=1), ops.clip(x, low=0.0), ops.clip(x, high=1))
    yield from (ops.clip(x, low=-0.5, high=2.5), ops.clip(x, low=-math.inf, high=0.5))
    yield from (ops.clip(x, quantiles=(0.1, 0.9)), ops.clip(x, quantiles=(0.0, 0.5)))
    yield from (ops.log1p(x), ops.missing_indicator(x))
    yield from (ops.bucketize(x, [0.5]), ops.bucketize(x, [0, 1, 2.5]), ops.bucketize(x, [-1e15]))
    yield from (ops.bucketize(x, 2), ops.bucketize(x, 5))
    for other in NUMBERS:
        yield from (ops.interaction(x, other), ops.ratio(x, other))


def _of_categories(x):
    if x.startswith("s"):
        listed = ["Rome", "Oslo", "no row has it", ""]
    elif x.startswith("b"):
        listed = [True, False]
    else:
        listed = [3, 0, 99]
    yield from (ops.one_hot(x), ops.one_hot(x, min_count=3), ops.one_hot(x, listed))
    yield from (ops.ordinal(x), ops.ordinal(x, min_count=3), ops.ordinal(x, listed))
    yield from (ops.ordinal(x, listed[::-1]), ops.ordinal(x, unknown=math.nan))
    yield from (ops.ordinal(x, listed, unknown=-2), ops.ordinal(x, unknown=0.5))
    yield ops.frequency(x)
    yield from (ops.target_mean(x), ops.target_mean(x, smoothing=0), ops.target_mean(x, crossfit=3))
    yield from (ops.target_mean(x, crossfit=None), ops.target_mean(x, smoothing=2.5))


def _of_texts(x):
    yield from (ops.hash_bucket(x), ops.hash_bucket(x, 7), ops.hash_bucket(x, 7, seed=3))
    yield from (ops.hash_bucket(x, 2**32, seed=2**32 - 1), ops.text_length(x))
    yield ops.missing_indicator(x)


def _of_moments(x):
    for part in PARTS:
        yield from (ops.date_part(x, part), ops.date_part(x, part, tz="Europe/Rome"))
    for part in CYCLES:
        yield from (ops.cyclic_date_part(x, part), ops.cyclic_date_part(x, part, tz="Asia/Tokyo"))
    yield from (ops.days_between(x, "t"), ops.days_between(x, "tn"), ops.missing_indicator(x))


def catalogue():
    """Return pairs of a readable name and a feature, anew each time."""
    kinds = (
        (NUMBERS, _of_numbers),
        (CATEGORIES, _of_categories),
        (TEXTS, _of_texts),
        (MOMENTS, _of_moments),
    )
    named = [(x, one) for names, make in kinds for x in names for one in make(x)]
    return [(f"{at}-{one.name}", one) for at, (_, one) in enumerate(named)]


def set_of(feature):
    """Return a set of one feature over the inputs that it reads."""
    fs = FeatureSet("ops", version="1", inputs=[FIELDS[name] for name in set(feature.inputs)])
    fs.add(feature)
    return fs


def frame_of_rows(n_rows=N_ROWS, seed=0):
    """Return rows with odd values of every type, and gaps where there may be some."""
    rng = np.random.default_rng(seed)
    floats = rng.normal(1.0, 3.0, n_rows)
    floats[:8] = [math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e300, -1.0, 2.5]
    integers = rng.integers(-3, 8, n_rows)
    integers[:3] = [2**53, -(2**53), 0]
    flags = rng.random(n_rows) < 0.5
    texts = rng.choice(["Rome", "Oslo", "Lima", "", " ß\0", "\U0001f600"], n_rows).astype(object)
    texts[0] = "once"
    first = datetime(1685, 6, 1, tzinfo=UTC)
    moments = [
        first + timedelta(days=int(day), microseconds=int(us))
        for day, us in zip(
            rng.integers(0, 208_000, n_rows), rng.integers(0, 86_400 * 10**6, n_rows), strict=True
        )
    ]
    gaps = rng.random((5, n_rows)) < 0.2

    def with_gaps(values, at):
        return [None if gap else value for value, gap in zip(values, gaps[at], strict=True)]

    columns = {
        "f": floats,
        "fn": np.where(gaps[0], np.nan, floats),
        "i": integers,
        "in_": pd.array(with_gaps(integers.tolist(), 1), dtype="Int64"),
        "b": flags,
        "bn": pd.array(with_gaps(flags.tolist(), 2), dtype="boolean"),
        "s": texts,
        "sn": np.array(with_gaps(texts.tolist(), 3), dtype=object),
        "t": np.array(moments, dtype=object),
        "tn": np.array(with_gaps(moments, 4), dtype=object),
    }
    return pd.DataFrame(columns)


def target_of_rows(n_rows=N_ROWS, seed=1):
    """Return a target with a value per row."""
    return np.random.default_rng(seed).normal(size=n_rows)


def records_of(frame):
    """Return the rows of a frame as plain records."""
    columns = {name: frame[name].astype(object).tolist() for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def bits(matrix):
    """Return what tells two matrices apart, NaN being NaN."""
    matrix = np.ascontiguousarray(matrix)
    return matrix.shape, np.where(np.isnan(matrix), 0x7FF8 << 48, matrix.view(np.int64)).tolist()
