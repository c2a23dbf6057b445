"""Python objects as a column of one plain type."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from prodml._core.canonical_plain import (
    NO_VALUES,
    PlainColumn,
    plain_floats,
    plain_integers,
    scattered,
)
from prodml._core.canonical_scalars import (
    BOOLEAN,
    BYTES,
    DATE,
    DECIMAL,
    DURATION,
    FLOAT,
    INTEGER,
    MOMENT,
    NAIVE,
    NULL,
    TEXT,
    TIME,
    UUID_BYTES,
    Unreadable,
    day_number,
    decimal_bytes,
    duration_ns,
    family_of,
    is_missing,
    moment_ns,
    time_ns,
    unreadable_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

__all__ = ["object_array", "plain_objects"]

#: Exact types of which a value differs from itself only if it is NaN, and that nothing else but
#: None among them stands for nothing.
_SELF_EQUAL: Final = frozenset(
    {bool, bytes, date, datetime, float, int, str, time, timedelta, type(None), UUID}
)
#: Of these families, every value is one.
_ALWAYS_THERE: Final = frozenset({BOOLEAN, BYTES, DATE, INTEGER, MOMENT, TEXT, TIME, UUID_BYTES})


def object_array(cells: Iterable[Any], n_cells: int, /) -> npt.NDArray[np.object_]:
    """Return an array of objects; left to itself, numpy makes a matrix of a list of lists."""
    return np.fromiter(cells, dtype=object, count=n_cells)


def plain_objects(cells: list[Any], /) -> PlainColumn:
    """Return objects as a plain column.

    Raises
    ------
    Unreadable
        If they are of several types, or of one that has no canonical bytes.
    """
    kinds = set(map(type, cells))
    if kinds == {str}:
        return PlainColumn(TEXT, object_array(cells, len(cells)), None)
    if any(issubclass(kind, Enum) for kind in kinds):
        cells = [cell.value if isinstance(cell, Enum) else cell for cell in cells]
        kinds = set(map(type, cells))
    missing = _missing_among(cells, kinds)
    if missing is None:
        return _plain_known(cells, kinds, cells) if cells else NO_VALUES
    if missing.all():
        return NO_VALUES
    known = object_array(cells, len(cells))[~missing].tolist()
    return scattered(_plain_known(known, set(map(type, known)), cells), missing)


def _missing_among(cells: list[Any], kinds: set[type]) -> npt.NDArray[np.bool_] | None:
    families = {family_of(kind) for kind in kinds}
    if families <= _ALWAYS_THERE:
        return None
    if None in families:
        raise _fault_of(cells)
    if kinds <= _SELF_EQUAL:
        objects = object_array(cells, len(cells))
        missing = (objects == None) | (objects != objects)  # noqa: E711, PLR0124 - cell by cell
    else:
        missing = np.fromiter(map(is_missing, cells), dtype=bool, count=len(cells))
    return missing if missing.any() else None


def _plain_known(known: list[Any], kinds: set[type], cells: list[Any]) -> PlainColumn:
    """Return values, none of which is missing; `cells` are those that an error counts."""
    families = {family_of(kind) for kind in kinds}
    if len(families) > 1:
        raise _fault_of(cells)
    if kinds == {str}:
        return PlainColumn(TEXT, object_array(known, len(known)), None)
    family = families.pop()
    if family == FLOAT:
        return plain_floats(np.fromiter(map(float, known), dtype="<f8", count=len(known)))
    if family == BOOLEAN:
        return PlainColumn(BOOLEAN, np.fromiter(known, dtype=bool, count=len(known)), None)
    try:
        if family in _NUMBERS:
            tag, number_of = _NUMBERS[family]
            return plain_integers(tag, list(map(number_of, known)))
        contents = map(_CONTENTS[family], known)  # type: ignore[index]
        return PlainColumn(family, object_array(contents, len(known)), None)  # type: ignore[arg-type]
    except Unreadable:
        raise _fault_of(cells) from None


def _time_of_day(value: time) -> int:
    if value.tzinfo is not None:
        reason = "times of the day with an offset"
        raise Unreadable(reason, "Give times of one place, without it.")
    return time_ns(value)


#: Families that are numbers of something.
_NUMBERS: Final[dict[bytes | None, tuple[bytes, Callable[[Any], int]]]] = {
    DATE: (DATE, day_number),
    DURATION: (DURATION, duration_ns),
    INTEGER: (INTEGER, int),
    MOMENT: (MOMENT, moment_ns),
    NAIVE: (MOMENT, moment_ns),
    TIME: (TIME, _time_of_day),
}

#: Families of text and bytes, and what makes the exact builtin of a subclass.
_CONTENTS: Final[dict[bytes, Callable[[Any], str | bytes]]] = {
    BYTES: bytes,
    DECIMAL: decimal_bytes,
    TEXT: lambda value: str.__str__(value),  # noqa: PLW0108 - not that of a subclass
    UUID_BYTES: lambda value: value.bytes,
}


def _fault_of(cells: list[Any]) -> Unreadable:
    """Return the first reason for which objects are no plain column."""
    seen: dict[bytes, tuple[str, int]] = {}
    for row, cell in enumerate(cells):
        family = family_of(type(cell))
        if family is not None and is_missing(cell):
            continue
        fault = unreadable_value(cell) if family is None else _fault_of_number(family, cell)
        if fault is not None:
            return Unreadable(f"{fault.reason}, first in row {row}", fault.repair)
        seen.setdefault(family or NULL, (type(cell).__name__, row))
    kinds = " and ".join(f"{kind} in row {row}" for kind, row in seen.values())
    return Unreadable(kinds, "Give the column one type, as a contract does.")


def _fault_of_number(family: bytes, cell: Any) -> Unreadable | None:
    try:
        if family in _NUMBERS:
            _NUMBERS[family][1](cell)
    except Unreadable as fault:
        return fault
    return None
