"""What pandas objects hold, as text: dtypes and versions of pandas don't count, values do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from prodml._core.canonical import digest_columns
from prodml._core.columns import columns_of
from prodml.errors import UnkeyableError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pandas_text"]


def pandas_text(value: Any, text: Callable[[Any], str], /) -> str | None:
    """Return what a pandas object holds, or None if it is none.

    Parameters
    ----------
    value : object
        A frame, a Series, an Index, an array or a scalar.
    text : callable
        Writes what is no pandas object.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None:  # then there is no object of it
        return None
    if value is pandas.NA:
        return "(pandas missing)"
    if isinstance(value, pandas.DataFrame):
        columns = [*zip(value.columns, columns_of(value), strict=True)]
        parts = [f"{text(label)}={_column(column, text)}" for label, column in columns]
        return f"(DataFrame {_column(value.index, text)} {' '.join(parts)})"
    if isinstance(value, pandas.Series):
        head = f"{text(value.name)} {_column(value.index, text)}"
        return f"(Series {head} {_column(value.array, text)})"
    if isinstance(value, pandas.Index):
        return f"(Index {text(list(value.names))} {_column(value, text)})"
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return f"(array {_column(value, text)})"
    if isinstance(value, pandas.Period | pandas.Interval | pandas.offsets.BaseOffset):
        return f"({type(value).__name__} {repr(value)!a})"
    return None


def _column(values: Any, text: Callable[[Any], str]) -> str:
    import pandas as pd

    plain = values
    if isinstance(values, pd.Index):
        # rows of several levels are tuples, and no column
        plain = values.to_numpy() if isinstance(values, pd.MultiIndex) else pd.Series(values)
    try:
        return digest_columns([("", plain)]).hex()
    except UnkeyableError:
        # mixed types, naive times: one by one
        items = list(values)
        missing = [one is None or one is pd.NA or one is pd.NaT or one != one for one in items]  # noqa: PLR0124 - NaN
        shown = ["missing" if gone else text(one) for one, gone in zip(items, missing, strict=True)]
        return f"[{' '.join(shown)}]"
