"""Ready-made features: numbers, categories, dates and text.

Each function returns a :class:`~prodml.features.Feature` (or several) to hand to
:meth:`FeatureSet.add <prodml.features.FeatureSet.add>`. They are made as one would write them by
hand: plain numpy functions or functions of one value, and state that is learned from Mergeable
summaries.
"""

from prodml.features.ops.categories import one_hot, ordinal
from prodml.features.ops.dates import cyclic_date_part, date_part, days_between
from prodml.features.ops.encodings import frequency, target_mean
from prodml.features.ops.hashing import hash_bucket
from prodml.features.ops.numbers import (
    bucketize,
    interaction,
    log1p,
    missing_indicator,
    ratio,
)
from prodml.features.ops.scaling import clip, fill, scale
from prodml.features.ops.text import normalize_text, text_length

__all__ = [
    "bucketize",
    "clip",
    "cyclic_date_part",
    "date_part",
    "days_between",
    "fill",
    "frequency",
    "hash_bucket",
    "interaction",
    "log1p",
    "missing_indicator",
    "normalize_text",
    "one_hot",
    "ordinal",
    "ratio",
    "scale",
    "target_mean",
    "text_length",
]
