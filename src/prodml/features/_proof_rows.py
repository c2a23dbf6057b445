"""Rows on which the ways to compute features are compared: real ones, and what may yet come."""

from __future__ import annotations

import sys
from dataclasses import dataclass
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

__all__ = [
    "OddRows",
    "candidate_rows",
    "choose_rows",
    "extreme_rows",
    "gap_patterns",
    "odd_rows",
    "record_at",
    "rows_at",
]

#: Most rows, beside the extremes, from which they are chosen.
_MOST_CANDIDATES: Final = 4096
#: Most rows that are chosen.
_MOST_ROWS: Final = 192
_MOST_PATTERNS: Final = 64
#: Most rows over which odd values are spread.
_MOST_ODD: Final = 256
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


def candidate_rows(
    columns: Mapping[str, npt.NDArray[Any]], n_rows: int, /
) -> npt.NDArray[np.int64]:
    """Return the positions of rows to choose from: evenly spread ones, and the extremes."""
    spread = np.linspace(0, n_rows - 1, num=min(n_rows, _MOST_CANDIDATES), dtype=np.int64)
    return np.union1d(spread, extreme_rows(columns))


def gap_patterns(columns: Mapping[str, npt.NDArray[Any]], /) -> npt.NDArray[np.int64]:
    """Return the position of the first row with each pattern of gaps."""
    gaps = np.stack([gaps_of(column) for column in columns.values()], axis=1)
    _, first = np.unique(np.packbits(gaps, axis=1), axis=0, return_index=True)
    return first


def choose_rows(columns: Mapping[str, npt.NDArray[Any]], n_rows: int, /) -> npt.NDArray[np.int64]:
    """Return the positions of rows that differ: extremes, every pattern of gaps, and others."""
    chosen = dict.fromkeys(extreme_rows(columns).tolist())
    if columns and n_rows:
        chosen.update(dict.fromkeys(gap_patterns(columns)[:_MOST_PATTERNS].tolist()))
    spread = np.linspace(0, n_rows - 1, num=min(n_rows, _MOST_ROWS), dtype=np.int64)
    chosen.update(dict.fromkeys(spread.tolist()))
    # in their order, as what depends on it would have it
    return np.array(sorted(list(chosen)[: _MOST_ROWS + _MOST_PATTERNS]), dtype=np.int64)


def rows_at(
    columns: Mapping[str, npt.NDArray[Any]], positions: npt.NDArray[np.int64], /
) -> Columns:
    """Return some rows of columns."""
    return {name: column[positions] for name, column in columns.items()}


@dataclass(frozen=True, slots=True)
class OddRows:
    """Made-up rows.

    Attributes
    ----------
    columns : dict of str to numpy.ndarray
        The rows.
    n_rows : int
        How many.
    odd : tuple of dict of str to object
        For each row, its odd values.
    usual : dict of str to numpy.ndarray
        The same rows without odd values.
    """

    columns: Columns
    n_rows: int
    odd: tuple[dict[str, Any], ...]
    usual: Columns

    def row(self, row: int) -> Columns:
        """Return one of the rows."""
        return rows_at(self.columns, np.array([row]))

    def told(self, row: int) -> str:
        """Return the odd values of a row, for a person."""
        return ", ".join(f"{name}={value!r}" for name, value in self.odd[row].items())

    def missing_in(self, row: int) -> list[str]:
        """Return the fields that are missing in a row."""
        return [name for name, value in self.odd[row].items() if _is_gap(value)]

    def with_gap(self, row: int, name: str) -> Columns:
        """Return a row in which nothing is odd but that one field is missing."""
        columns = rows_at(self.usual, np.array([row]))
        columns[name] = rows_at(self.columns, np.array([row]))[name]
        return columns


def _is_gap(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN


def odd_rows(fields: Sequence[Field], like: Mapping[str, npt.NDArray[Any]], /) -> OddRows:
    """Return common rows in which fields have odd values: one each, where there are few fields.

    Missing values, infinities, both zeros, the ends of each type, and text that no row has; one
    row in which every field is missing that may be; and rows in which every two fields of floats
    are zeros of both signs, in either order. The number of rows does not grow with the fields.
    """
    pairs = [(one.name, value) for one in fields for value in _odd_values(one)]
    rows: list[dict[str, Any]] = [{} for _ in range(min(len(pairs), _MOST_ODD))]
    for at, (name, value) in enumerate(pairs):
        rows[at % len(rows)][name] = value
    rows.append({one.name: None if one.kind == "s" else np.nan for one in fields if one.nullable})
    rows += _zeros([one.name for one in fields if one.dtype == "float64"])
    usual: Columns = {}
    for one in fields:
        known = like[one.name]
        if not len(known):
            known = np.array(_odd_values(one)[-1:], dtype=DTYPES[one.kind])
        usual[one.name] = known[np.arange(len(rows)) % len(known)]
    columns = {name: column.copy() for name, column in usual.items()}
    for at, row in enumerate(rows):
        for name, value in row.items():
            columns[name][at] = value
    return OddRows(columns, len(rows), tuple(rows), usual)


def _zeros(names: list[str]) -> list[dict[str, Any]]:
    """Return rows of zeros, so that any two fields have both signs in both orders."""
    bits = range(max(1, (len(names) - 1).bit_length()) if names else 0)
    return [
        {name: -0.0 if (at >> bit & 1) == sign else 0.0 for at, name in enumerate(names)}
        for bit in bits
        for sign in (0, 1)
    ]


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
