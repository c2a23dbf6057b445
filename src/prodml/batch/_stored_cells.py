"""Cells as a database takes them."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prodml._core.sql import Dialect

__all__ = ["storable_rows"]

#: What SQLite stores as something else.
_FOR_SQLITE: Final[dict[type, Callable[[Any], Any]]] = {
    date: date.isoformat,
    datetime: lambda value: value.isoformat(sep=" "),
    Decimal: str,
    dict: json.dumps,
    list: json.dumps,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    UUID: str,
}
_FOR_POSTGRES: Final[dict[type, Callable[[Any], Any]]] = {dict: json.dumps, list: json.dumps}


def storable_rows(
    rows: Sequence[tuple[Any, ...]], kinds: set[type], dialect: Dialect, /
) -> Sequence[tuple[Any, ...]]:
    """Return rows of cells that a database takes; the same rows where nothing had to change.

    Parameters
    ----------
    rows : sequence of tuple
        Plain Python values.
    kinds : set of type
        The types that occur among them.
    dialect : {"sqlite", "postgres"}
        Which database.
    """
    converters = _FOR_SQLITE if dialect == "sqlite" else _FOR_POSTGRES
    if converters.keys().isdisjoint(kinds):
        return rows
    return [
        tuple(
            cell if (convert := converters.get(type(cell))) is None else convert(cell)
            for cell in row
        )
        for row in rows
    ]
