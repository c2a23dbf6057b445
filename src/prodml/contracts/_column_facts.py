"""What a sample shows of one column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prodml._core.columns import (
    count_missing,
    distinct_values,
    is_categorical,
    python_values,
)
from prodml._core.scalars import OutOfRange
from prodml.contracts._families import Family, family_of

__all__ = ["ColumnFacts", "facts_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What a sample shows of one column.

    Attributes
    ----------
    column : str
        Its name.
    dtype : str
        Its dtype.
    family : str
        What its values are.
    n_rows, n_missing : int
        Rows, and those without a value.
    values : list or None
        Its distinct plain values, or None where they cannot be told apart.
    categories : list or None
        All that a categorical dtype declares, in its order.
    """

    column: str
    dtype: str
    family: Family
    n_rows: int
    n_missing: int
    values: list[Any] | None
    categories: list[Any] | None

    @property
    def n_known(self) -> int:
        """Rows with a value."""
        return self.n_rows - self.n_missing

    @property
    def texts(self) -> list[str]:
        """The distinct values of a column of text; nothing for any other."""
        return list(self.values or ()) if self.family == "str" else []


def facts_of(label: str, column: Any, /) -> ColumnFacts:
    """Look at a column.

    Parameters
    ----------
    label : str
        What it is called.
    column : array
        The column as ``Series.array`` gives it.
    """
    n_rows, n_missing = len(column), count_missing(column)
    family = family_of(column)
    categories = None
    values: list[Any] | None = None
    if is_categorical(column):
        categories = [one for one in python_values(column.categories.array) if one is not None]
    if family not in {"list", "dict", "mixed", "other", "nothing", "complex"}:
        values = _distinct(column)
        if values is not None and any(isinstance(value, OutOfRange) for value in values):
            family, values = "other", None
    return ColumnFacts(
        column=label,
        dtype=str(column.dtype),
        family=family,
        n_rows=n_rows,
        n_missing=n_missing,
        values=values,
        categories=categories,
    )


def _distinct(column: Any) -> list[Any] | None:
    found = distinct_values(column)
    if found is None:
        values = [value for value in python_values(column) if value is not None]
        try:
            return list(dict.fromkeys(values))
        except TypeError:  # of values that cannot be hashed
            return None
    codes, uniques = found
    if is_categorical(column):
        used = set(codes[codes >= 0].tolist())
        uniques = [value for place, value in enumerate(uniques) if place in used]
    return [value for value in uniques if value is not None]
