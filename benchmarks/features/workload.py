"""The work that all contenders do: 11 inputs, 20 features in 22 columns."""

from __future__ import annotations

import datetime as dt
import math
import zlib
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prodml.features import FeatureSet, Field, ops

COLUMNS = (
    *("amount_filled", "amount_missing", "log_amount", "amount_z", "amount_to_balance"),
    *("amount_per_item", "age_bucket", "log_income", "income_z", "device_android", "device_ios"),
    *("device_web", "city_te", "city_freq", "hour", "dow", "is_weekend", "hour_sin"),
    *("account_age_days", "merchant_len", "merchant_bucket", "free_email"),
)
FREE = frozenset(["gmail.com", "yahoo.com", "outlook.com"])
EDGES = (25.0, 35.0, 50.0, 65.0)
TEXT = ("city", "device", "merchant", "email")
MOMENTS = ("ts", "signup_ts")


def make_rows(n, seed=0):
    """Return rows as a frame, and a target."""
    rng = np.random.default_rng(seed)

    def with_gaps(values, share):
        return np.where(rng.random(n) < share, np.nan, values)

    names = [
        f"{'  ' if i % 3 == 0 else ''}{'Shop' if i % 2 else 'SHOP'} No {i % 5000}"
        for i in range(20_000)
    ]
    domains = np.array(["gmail.com", "corp.example", "yahoo.com", "uni.example"], object)
    cities = np.array([f"city_{i:03d}" for i in range(200)], object)
    frame = pd.DataFrame(
        {
            "amount": with_gaps(rng.lognormal(3, 1.2, n), 0.05),
            "balance": rng.lognormal(6, 1.5, n),
            "n_items": rng.integers(0, 20, n),
            "age": with_gaps(rng.integers(18, 90, n).astype(float), 0.05),
            "income": with_gaps(rng.lognormal(10, 0.6, n), 0.1),
            "city": np.where(rng.random(n) < 0.03, None, cities[rng.integers(0, 200, n)]),
            "device": np.array(["ios", "android", "web"], object)[rng.integers(0, 3, n)],
            "merchant": np.array(names, object)[rng.integers(0, len(names), n)],
            "email": np.array([f"u{i}@" for i in range(n)], object)
            + domains[rng.integers(0, 4, n)],
        }
    ).astype(dict.fromkeys(TEXT, object))
    ts = np.datetime64("2024-01-01", "us").astype("i8") + rng.integers(0, 365 * 86400, n) * 10**6
    frame["ts"] = pd.Series(ts.view("M8[us]")).dt.tz_localize("UTC")
    signup = ts - rng.integers(0, 2000 * 86400, n) * 10**6
    frame["signup_ts"] = pd.Series(signup.view("M8[us]")).dt.tz_localize("UTC")
    y = (rng.random(n) < 0.1 + 0.2 * (frame["device"] == "ios").to_numpy()).astype(float)
    return frame, y


@dataclass(frozen=True)
class MeanStd:
    mean: float
    std: float


def feature_set():
    """Return the features, written as a user would."""
    fs = FeatureSet(
        "peers",
        version="1",
        inputs=[
            Field("amount", "float64", nullable=True),
            Field("balance", "float64"),
            Field("n_items", "int64"),
            Field("age", "float64", nullable=True),
            Field("income", "float64", nullable=True),
            Field("city", "string", nullable=True),
            Field("device", "string"),
            Field("merchant", "string"),
            Field("email", "string"),
            Field("ts", "timestamp[us, UTC]"),
            Field("signup_ts", "timestamp[us, UTC]"),
        ],
    )
    fs.add(ops.fill("amount", "median"), ops.missing_indicator("amount"))

    @fs.feature
    def log_amount(amount_filled):
        return np.log1p(amount_filled)

    fs.add(ops.scale("log_amount", called="amount_z"))

    @fs.feature
    def amount_to_balance(amount_filled, balance):
        return amount_filled / (balance + 1.0)

    @fs.feature
    def amount_per_item(amount_filled, n_items):
        return amount_filled / np.maximum(n_items, 1)

    fs.add(ops.fill("age", "median"), ops.fill("income", "median"), output=False)
    fs.add(ops.bucketize("age_filled", EDGES, called="age_bucket"))
    fs.add(ops.log1p("income_filled", called="log_income"))
    fs.add(ops.scale("log_income", called="income_z"))
    fs.add(ops.one_hot("device", ["android", "ios", "web"]))
    fs.add(ops.target_mean("city", smoothing=10, called="city_te"))
    fs.add(ops.frequency("city", called="city_freq"))
    fs.add(ops.date_part("ts", "hour", called="hour"))
    fs.add(ops.date_part("ts", "day_of_week", called="dow"))

    @fs.feature
    def is_weekend(dow):
        return dow >= 5

    @fs.feature
    def hour_sin(hour):
        return np.sin(hour * (2 * math.pi / 24))

    fs.add(ops.days_between("ts", "signup_ts", called="account_age_days"))

    @fs.feature(elementwise=True)
    def merchant_norm(merchant) -> str:
        return merchant.strip().lower()

    @fs.feature(elementwise=True)
    def merchant_len(merchant_norm) -> float:
        return float(len(merchant_norm))

    @fs.feature(elementwise=True)
    def merchant_bucket(merchant_norm) -> float:
        return float(zlib.crc32(merchant_norm.encode()) & 1023)

    @fs.feature(elementwise=True)
    def free_email(email) -> float:
        return float(email.rpartition("@")[2].lower() in FREE)

    return fs


def records_of(frame):
    """Return rows as a service receives them."""
    return [
        {
            name: value.to_pydatetime().replace(tzinfo=dt.UTC) if name in MOMENTS else value
            for name, value in record.items()
        }
        for record in frame.to_dict("records")
    ]


def by_hand(state):
    """Return the features of one record as plain Python, written for it: the floor."""
    log1p, sin, crc = np.log1p, np.sin, zlib.crc32
    epoch, microsecond = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)
    means, overall, shares = state["means"], state["overall"], state["shares"]
    amount_median, income_median, age_median = (
        state[f"{name}_median"] for name in ("amount", "income", "age")
    )
    amount_mean, amount_std = state["amount"]
    income_mean, income_std = state["income"]
    edges = list(EDGES)

    def run(r):
        amount = r["amount"]
        absent = amount != amount  # noqa: PLR0124 - NaN
        filled = amount_median if absent else amount
        log_amount = float(log1p(filled))
        age = r["age"]
        age = age_median if age != age else age  # noqa: PLR0124
        income = r["income"]
        log_income = float(log1p(income_median if income != income else income))  # noqa: PLR0124
        device, city, n_items = r["device"], r["city"], r["n_items"]
        ts = (r["ts"] - epoch) // microsecond
        hour = ts // 3_600_000_000 % 24
        dow = (ts // 86_400_000_000 + 3) % 7
        merchant = r["merchant"].strip().lower()
        return [
            filled,
            float(absent),
            log_amount,
            (log_amount - amount_mean) / amount_std,
            filled / (r["balance"] + 1.0),
            filled / (max(1, n_items)),
            float(bisect_right(edges, age)),
            log_income,
            (log_income - income_mean) / income_std,
            float(device == "android"),
            float(device == "ios"),
            float(device == "web"),
            means.get(city, overall),
            shares.get(city, 0.0),
            float(hour),
            float(dow),
            float(dow >= 5),
            float(sin(hour * (2 * math.pi / 24))),
            (ts - (r["signup_ts"] - epoch) // microsecond) / 86_400_000_000.0,
            float(len(merchant)),
            float(crc(merchant.encode()) & 1023),
            float(r["email"].rpartition("@")[2].lower() in FREE),
        ]

    return run


def state_of(fitted):
    """Return what was learned, for those who compute the same in another way."""
    amount, income = fitted.state("amount_z"), fitted.state("income_z")
    target = fitted.state("city_te")
    return {
        "amount_median": fitted.state("amount_filled").value,
        "income_median": fitted.state("income_filled").value,
        "age_median": fitted.state("age_filled").value,
        "amount": (amount.center, amount.width),
        "income": (income.center, income.width),
        "means": target.means,
        "overall": target.overall,
        "shares": fitted.state("city_freq").shares,
    }
