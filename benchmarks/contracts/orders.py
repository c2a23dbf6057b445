"""The work: a million orders of ten columns, of which some rows break one rule each."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

EMAIL = r"^[a-z0-9._]+@[a-z0-9]+\.[a-z]{2,4}$"
COUNTRIES = ["US", "DE", "FR", "GB", "JP", "IN", "BR", "CA"]
SEGMENTS = ["a", "b", "c", "d"]


class Segment(str, Enum):
    A = "a"
    B = "b"
    C = "c"
    D = "d"


class Order(BaseModel):
    order_id: int = Field(ge=1)
    user_id: int = Field(ge=0, lt=10_000_000)
    qty: int = Field(ge=1, le=1000)
    price: float = Field(gt=0, le=1e6, allow_inf_nan=False)
    score: float = Field(ge=0, le=1, allow_inf_nan=False)
    discount: float | None = Field(default=None, ge=0, le=0.9)
    email: str = Field(pattern=EMAIL, max_length=64)
    country: Literal["US", "DE", "FR", "GB", "JP", "IN", "BR", "CA"]
    segment: Segment
    created_at: datetime


class RichOrder(Order):
    """The same with what must not fall off the fast path: stripped text and an alias."""

    model_config = ConfigDict(str_strip_whitespace=True)
    qty: int = Field(ge=1, le=1000, alias="quantity")


def make_orders(n_rows, bad_share, seed=0):
    """Return a frame, and which of its rows are good."""
    rng = np.random.default_rng(seed)
    columns = {
        "order_id": np.arange(1, n_rows + 1),
        "user_id": rng.integers(0, 10_000_000, n_rows),
        "qty": rng.integers(1, 1001, n_rows),
        "price": np.round(rng.lognormal(3, 1, n_rows), 2) + 0.01,
        "score": rng.random(n_rows),
    }
    discount = rng.random(n_rows) * 0.9
    discount[rng.random(n_rows) < 0.3] = np.nan
    users = rng.integers(0, 10_000_000, n_rows).tolist()
    email = np.array([f"user.{user}@mail{user % 97}.com" for user in users], dtype=object)
    country = np.array(COUNTRIES, dtype=object)[rng.integers(0, 8, n_rows)]
    segment = np.array(SEGMENTS, dtype=object)[rng.integers(0, 4, n_rows)]
    seconds = rng.integers(0, 365 * 86_400, n_rows).astype("timedelta64[s]")
    created = (np.datetime64("2024-01-01", "us") + seconds).astype("datetime64[us]")
    good = np.ones(n_rows, dtype=bool)
    n_bad = int(n_rows * bad_share)
    if n_bad:
        bad = rng.choice(n_rows, n_bad, replace=False)
        kind = np.arange(n_bad) % 8
        good[bad] = False
        columns["order_id"][bad[kind == 0]] = 0
        columns["qty"][bad[kind == 1]] = 5000
        columns["price"][bad[kind == 2]] = -1.0
        columns["score"][bad[kind == 3]] = np.nan
        discount[bad[kind == 4]] = 1.5
        email[bad[kind == 5]] = "NOT AN EMAIL"
        country[bad[kind == 6]] = "XX"
        segment[bad[kind == 7]] = "z"
    frame = pd.DataFrame({**columns, "discount": discount})
    text = "str" if pd.__version__ >= "3" else object
    for name, values in (("email", email), ("country", country), ("segment", segment)):
        frame[name] = pd.Series(values, dtype=text)
    frame["created_at"] = created
    return frame, good
