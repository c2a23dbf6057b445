"""A small set of features of every kind, with rows to compute them on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from prodml.features import FeatureSet, Field, ops

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIELDS = (
    Field("amount", "float64", nullable=True),
    Field("n_items", "int64"),
    Field("gift", "bool", nullable=True),
    Field("city", "string", nullable=True),
    Field("at", "timestamp[us, UTC]"),
)


@dataclass
class Centre:
    """What `log_centred` learns."""

    mean: float


def log_amount(amount):
    """Return a transcendental function, whose last bit differs between machines."""
    return np.log1p(np.where(np.isnan(amount), 0.0, np.abs(amount)))


def log_centred(log_amount, state: Centre):
    """Return a number that depends on what was learned."""
    return log_amount - state.mean


def hour(at):
    """Return a whole number."""
    return at // 3_600_000_000 % 24


def pieces(n_items, gift):
    """Return a number, or NaN where `gift` is missing."""
    return n_items * 1.5 + gift


def orders(*, scale=1.0, version="1"):
    """Return the features, which under another `scale` are other features."""
    fs = FeatureSet("orders", version=version, inputs=FIELDS)
    if scale == 1.0:
        fs.feature(log_amount)
    else:

        @fs.feature(name="log_amount")
        def scaled(amount):
            return np.log1p(np.where(np.isnan(amount), 0.0, np.abs(amount))) * scale

    centred = fs.feature(kind="model_dependent")(log_centred)

    @centred.fit
    def _(log_amount):
        return Centre(float(log_amount.mean()))

    fs.feature(hour)
    fs.feature(pieces)
    fs.add(ops.one_hot("city", ["Oslo", "Rome"]), ops.bucketize("amount", [1.0, 10.0, 100.0]))
    return fs


def rows(n=200, seed=0):
    """Return raw rows as a frame with the dtypes of a file."""
    rng = np.random.default_rng(seed)
    amounts = rng.lognormal(2, 1.5, n)
    amounts[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "amount": amounts,
            "n_items": rng.integers(0, 9, n),
            "gift": rng.choice(np.array([True, False, None], dtype=object), n),
            "city": rng.choice(np.array(["Oslo", "Rome", "Lima", None], dtype=object), n),
            "at": [NOON + timedelta(seconds=int(s)) for s in rng.integers(0, 10**7, n)],
        }
    )


def records(frame):
    """Return the rows as a service would receive them."""
    columns = {name: frame[name].astype(object).tolist() for name in frame.columns}
    columns["at"] = [moment.to_pydatetime().astimezone(UTC) for moment in columns["at"]]
    columns["city"] = [None if pd.isna(city) else city for city in columns["city"]]
    return [{name: cells[row] for name, cells in columns.items()} for row in range(len(frame))]
