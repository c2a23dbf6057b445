"""The same features as functions that Hamilton reads; what was learned comes in by name."""

import zlib
from math import pi

import numpy as np

Column = np.ndarray


def amount_filled(amount: Column, amount_median: float) -> Column:
    return np.where(np.isnan(amount), amount_median, amount)


def amount_missing(amount: Column) -> Column:
    return np.isnan(amount).astype(float)


def log_amount(amount_filled: Column) -> Column:
    return np.log1p(amount_filled)


def amount_z(log_amount: Column, amount_mean: float, amount_std: float) -> Column:
    return (log_amount - amount_mean) / amount_std


def amount_to_balance(amount_filled: Column, balance: Column) -> Column:
    return amount_filled / (balance + 1.0)


def amount_per_item(amount_filled: Column, n_items: Column) -> Column:
    return amount_filled / np.maximum(n_items, 1)


def age_filled(age: Column, age_median: float) -> Column:
    return np.where(np.isnan(age), age_median, age)


def age_bucket(age_filled: Column, edges: Column) -> Column:
    return edges.searchsorted(age_filled, "right").astype(float)


def log_income(income: Column, income_median: float) -> Column:
    return np.log1p(np.where(np.isnan(income), income_median, income))


def income_z(log_income: Column, income_mean: float, income_std: float) -> Column:
    return (log_income - income_mean) / income_std


def device_android(device: Column) -> Column:
    return (device == "android").astype(float)


def device_ios(device: Column) -> Column:
    return (device == "ios").astype(float)


def device_web(device: Column) -> Column:
    return (device == "web").astype(float)


def city_te(city: Column, means: dict, overall: float) -> Column:
    return np.array([means.get(one, overall) for one in city])


def city_freq(city: Column, shares: dict) -> Column:
    return np.array([shares.get(one, 0.0) for one in city])


def hour(ts: Column) -> Column:
    return (ts // 3_600_000_000 % 24).astype(float)


def dow(ts: Column) -> Column:
    return ((ts // 86_400_000_000 + 3) % 7).astype(float)


def is_weekend(dow: Column) -> Column:
    return (dow >= 5).astype(float)


def hour_sin(hour: Column) -> Column:
    return np.sin(hour * (2 * pi / 24))


def account_age_days(ts: Column, signup_ts: Column) -> Column:
    return (ts - signup_ts) / 86_400_000_000.0


def merchant_norm(merchant: Column) -> Column:
    return np.array([one.strip().lower() for one in merchant], dtype=object)


def merchant_len(merchant_norm: Column) -> Column:
    return np.array([float(len(one)) for one in merchant_norm])


def merchant_bucket(merchant_norm: Column) -> Column:
    return np.array([float(zlib.crc32(one.encode()) & 1023) for one in merchant_norm])


def free_email(email: Column, free: frozenset) -> Column:
    return np.array([float(one.rpartition("@")[2].lower() in free) for one in email])
