"""Rows on which the ways to compute features are compared: real ones, and what may yet come."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.features._cast_columns import DTYPES, gaps_of
from prodml.features._cast_values import EPOCH, LARGEST_EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from prodml.features.field import Field

    Columns = dict[str, npt.NDArray[Any]]

__all__ = ["choose_rows", "extreme_rows", "odd_rows", "record_at", "rows_at"]

#: Most rows that are chosen.
_MOST_ROWS: Final = 192
_MOST_PATTERNS: Final = 64
_TINY: Final = 5e-324
_FLOATS: Final = (
    *(np.inf, -np.inf, 0.0, -0.0, _TINY, -_TINY, sys.float_info.max, -sys.float_info.max),
    *(1.0, -1.0, 1e16, 0.1, 2.5),
)
_INTEGERS: Final = (0, 1, -1, LARGEST_EXACT, -LARGEST_EXACT, 2**63 - 1, -(2**63))
_EXACT: Final = (0.0, 1.0, -1.0, float(LARGEST_EXACT), -float(LARGEST_EXACT))
#: The first and the last microsecond of a datetime, the epoch and its neighbours.
_MOMENTS: Final = (-62_135_596_800_000_000, 253_402_300_799_999_999, 0, 1, -1)
#: Case, width and length change what naive code makes of text.
_TEXTS: Final = ("", " ", "ß", "\U0001f600 Straße\tİ", "no such value: 0b1946ac")


def extreme_rows(columns: Mapping[str, npt.NDArray[Any]], /) -> npt.NDArray[np.int64]:
    """Return the positions of the least and the greatest number of each column, and of gaps."""
    chosen: dict[int, None] = {}
    for column in columns.values():
        if column.dtype.kind == "O" or not column.size:
            continue
        values = column
        if column.dtype.kind == "f":
            gap = np.isnan(column)
            if gap.all():
                continue
            if gap.any():
                chosen[int(np.argmax(gap))] = None
                values = np.where(gap, column[np.argmin(gap)], column)
        chosen[int(np.argmin(values))] = None
        chosen[int(np.argmax(values))] = None
    return np.array(list(chosen), dtype=np.int64)


def choose_rows(columns: Mapping[str, npt.NDArray[Any]], n_rows: int, /) -> npt.NDArray[np.int64]:
    """Return the positions of rows that differ: extremes, every pattern of gaps, and others."""
    chosen = dict.fromkeys(extreme_rows(columns).tolist())
    if columns and n_rows:
        gaps = np.stack([gaps_of(column) for column in columns.values()], axis=1)
        _, first = np.unique(np.packbits(gaps, axis=1), axis=0, return_index=True)
        chosen.update(dict.fromkeys(first[:_MOST_PATTERNS].tolist()))
    spread = np.linspace(0, n_rows - 1, num=min(n_rows, _MOST_ROWS), dtype=np.int64)
    chosen.update(dict.fromkeys(spread.tolist()))
    # in their order, as what depends on it would have it
    return np.array(sorted(list(chosen)[: _MOST_ROWS + _MOST_PATTERNS]), dtype=np.int64)


def rows_at(
    columns: Mapping[str, npt.NDArray[Any]], positions: npt.NDArray[np.int64], /
) -> Columns:
    """Return some rows of columns."""
    return {name: column[positions] for name, column in columns.items()}


def odd_rows(
    fields: Sequence[Field], like: Mapping[str, npt.NDArray[Any]], /
) -> tuple[Columns, int]:
    """Return rows in each of which one field has an odd value, and all the rest a common one.

    Missing values, infinities, both zeros, the ends of each type, and text that no row has. The
    last row has every field missing that may be.
    """
    odd = {one.name: _odd_values(one) for one in fields}
    n_rows = sum(map(len, odd.values())) + 1
    columns: Columns = {}
    start = 0
    for one in fields:
        known = like[one.name]
        usual = known if len(known) else np.array(odd[one.name][-1:], dtype=DTYPES[one.kind])
        column = usual[np.arange(n_rows) % len(usual)].copy()
        values = odd[one.name]
        for at, value in enumerate(values):
            column[start + at] = value
        if one.nullable:
            column[-1] = None if one.kind == "s" else np.nan
        start += len(values)
        columns[one.name] = column
    return columns, n_rows


def _odd_values(one: Field) -> list[Any]:
    missing: list[Any] = [None if one.kind == "s" else np.nan] if one.nullable else []
    if one.dtype == "string":
        return [*missing, *_TEXTS]
    if one.dtype == "float64":
        return [*missing, *_FLOATS]
    if one.dtype == "bool":
        return [*missing, 0, 1]
    if one.nullable:
        return [*missing, *_EXACT]
    return list(_INTEGERS if one.dtype == "int64" else _MOMENTS)


def record_at(
    fields: Sequence[Field], columns: Mapping[str, npt.NDArray[Any]], row: int, /
) -> dict[str, Any]:
    """Return a row of cast columns as a record that casts to the same."""
    return {one.name: _plain(one, columns[one.name][row]) for one in fields}


def _plain(one: Field, value: Any) -> Any:
    if one.kind == "s":
        return value
    plain = value.item()
    if plain != plain:  # noqa: PLR0124 - NaN
        return plain if one.dtype == "float64" else None
    if one.dtype == "bool":
        return bool(plain)
    if one.dtype == "int64":
        return int(plain)
    if one.dtype == "float64":
        return plain
    return EPOCH + timedelta(microseconds=int(plain))
