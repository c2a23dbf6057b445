"""How peers compute the features of the workload."""

from __future__ import annotations

import math
import warnings
import zlib
from bisect import bisect_right

import numpy as np

from benchmarks.features import hamilton_functions
from benchmarks.features.workload import COLUMNS, EDGES, FREE, MOMENTS, TEXT


def arrays_of_frame(frame):
    """Return the columns as a caller of Hamilton hands them over."""
    arrays = {name: frame[name].to_numpy() for name in frame.columns if name not in MOMENTS}
    for name in MOMENTS:
        arrays[name] = frame[name].dt.as_unit("us").astype("int64").to_numpy()
    return arrays


def arrays_of_records(records):
    """Return records as columns, the quickest way that we know."""
    arrays = {}
    for name in records[0]:
        cells = [record[name] for record in records]
        if name in MOMENTS:
            arrays[name] = np.array([round(cell.timestamp() * 1e6) for cell in cells])
        elif name in TEXT:
            arrays[name] = np.empty(len(cells), object)
            arrays[name][:] = cells
        else:
            arrays[name] = np.array(cells)
    return arrays


def hamilton(state):
    """Return a function from columns to the feature columns."""
    from hamilton import base, driver

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drive = driver.Driver({}, hamilton_functions, adapter=base.DefaultAdapter())
    learned = {
        "amount_median": state["amount_median"],
        "income_median": state["income_median"],
        "age_median": state["age_median"],
        "amount_mean": state["amount"][0],
        "amount_std": state["amount"][1],
        "income_mean": state["income"][0],
        "income_std": state["income"][1],
        "means": state["means"],
        "overall": state["overall"],
        "shares": state["shares"],
        "edges": np.array(EDGES),
        "free": FREE,
    }
    wanted = list(COLUMNS)
    return lambda arrays: drive.execute(wanted, inputs={**arrays, **learned})


def scikit_learn(state):
    """Return a ColumnTransformer of the same columns; the frequency comes from `state`."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import (
        FunctionTransformer,
        OneHotEncoder,
        StandardScaler,
        TargetEncoder,
    )

    def imputer(**options):
        return SimpleImputer(strategy="median", **options)

    def ratios(rows):
        rows = np.asarray(rows, float)
        return np.c_[rows[:, 0] / (rows[:, 1] + 1), rows[:, 0] / np.maximum(rows[:, 2], 1)]

    def bucket(rows):
        return np.searchsorted(EDGES, np.asarray(rows)[:, 0], "right").astype(float)[:, None]

    def frequency(rows):
        return rows.iloc[:, 0].map(state["shares"]).fillna(0.0).to_numpy(float)[:, None]

    def dates(rows):
        hour, day = rows["ts"].dt.hour.to_numpy(), rows["ts"].dt.dayofweek.to_numpy()
        age = (rows["ts"] - rows["signup_ts"]).dt.total_seconds().to_numpy() / 86400
        return np.c_[hour, day, day >= 5, np.sin(hour * (2 * math.pi / 24)), age].astype(float)

    def text(rows):
        names = [one.strip().lower() for one in rows["merchant"]]
        return np.c_[
            [len(one) for one in names],
            [zlib.crc32(one.encode()) & 1023 for one in names],
            [one.rpartition("@")[2].lower() in FREE for one in rows["email"]],
        ].astype(float)

    log, of = FunctionTransformer(np.log1p), FunctionTransformer
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("amount", imputer(add_indicator=True), ["amount"]),
            ("log_amount", make_pipeline(imputer(), log), ["amount"]),
            ("amount_z", make_pipeline(imputer(), log, StandardScaler()), ["amount"]),
            ("ratios", make_pipeline(imputer(), of(ratios)), ["amount", "balance", "n_items"]),
            ("age", make_pipeline(imputer(), of(bucket)), ["age"]),
            ("log_income", make_pipeline(imputer(), log), ["income"]),
            ("income_z", make_pipeline(imputer(), log, StandardScaler()), ["income"]),
            ("device", one_hot, ["device"]),
            ("city", TargetEncoder(smooth=10.0, target_type="continuous"), ["city"]),
            ("frequency", of(frequency), ["city"]),
            ("dates", of(dates), ["ts", "signup_ts"]),
            ("text", of(text), ["merchant", "email"]),
        ]
    )


def river(state, records):
    """Return river's way to compute a record; it has no twin for columns."""
    from river import compose, preprocessing

    def numbers(r):
        amount, age, income = r["amount"], r["age"], r["income"]
        missing = amount != amount  # noqa: PLR0124 - NaN
        amount = state["amount_median"] if missing else amount
        age = state["age_median"] if age != age else age  # noqa: PLR0124
        income = state["income_median"] if income != income else income  # noqa: PLR0124
        return {
            "amount_filled": amount,
            "amount_missing": float(missing),
            "log_amount": math.log1p(amount),
            "amount_to_balance": amount / (r["balance"] + 1),
            "amount_per_item": amount / max(r["n_items"], 1),
            "age_bucket": float(bisect_right(EDGES, age)),
            "log_income": math.log1p(income),
        }

    def logarithms(r):
        made = numbers(r)
        return {"amount_z": made["log_amount"], "income_z": made["log_income"]}

    def city(r):
        return {
            "city_te": state["means"].get(r["city"], state["overall"]),
            "city_freq": state["shares"].get(r["city"], 0.0),
        }

    def dates(r):
        hour, day = r["ts"].hour, r["ts"].weekday()
        return {
            "hour": hour,
            "dow": day,
            "is_weekend": float(day >= 5),
            "hour_sin": math.sin(hour * 2 * math.pi / 24),
            "account_age_days": (r["ts"] - r["signup_ts"]).total_seconds() / 86400,
        }

    def text(r):
        merchant = r["merchant"].strip().lower()
        return {
            "merchant_len": len(merchant),
            "merchant_bucket": zlib.crc32(merchant.encode()) & 1023,
            "free_email": float(r["email"].rpartition("@")[2].lower() in FREE),
        }

    function = compose.FuncTransformer
    pipe = compose.TransformerUnion(
        function(numbers),
        function(logarithms) | preprocessing.StandardScaler(),
        compose.Select("device") | preprocessing.OneHotEncoder(),
        function(city),
        function(dates),
        function(text),
    )
    for record in records:
        pipe.learn_one(record)
    return pipe.transform_one
