"""What the model sees of a person: one definition for training, scoring and single requests."""

from __future__ import annotations

import numpy as np
from adult import CONTRACT

from prodml.features import FeatureSet, ops

Column = np.ndarray
CATEGORIES = ("workclass", "marital_status", "occupation", "relationship", "race", "sex")

#: The types of the inputs are those of the contract, declared once.
ADULT = FeatureSet("adult", version="1", inputs=CONTRACT)


@ADULT.feature
def age_years(age: Column) -> Column:
    """Return the age as a number."""
    return age


@ADULT.feature
def schooling(education_num: Column) -> Column:
    """Return the years of education."""
    return education_num


@ADULT.feature
def hours(hours_per_week: Column) -> Column:
    """Return the hours of work in a week."""
    return hours_per_week


@ADULT.feature
def capital(capital_gain: Column, capital_loss: Column) -> Column:
    """Return gains less losses, on a scale that bears both small and huge ones."""
    net = capital_gain - capital_loss
    return np.sign(net) * np.log1p(np.abs(net))


@ADULT.feature(elementwise=True)
def born_abroad(native_country: str | None) -> float:
    """Return 1 for a person from another country, and NaN where it is not known."""
    return np.nan if native_country is None else float(native_country != "United-States")


ADULT.add(*(ops.ordinal(name) for name in CATEGORIES))
ADULT.add(ops.target_mean("occupation", smoothing=20))
ADULT.add(ops.interaction("schooling", "hours"))
