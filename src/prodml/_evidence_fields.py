"""The values that a piece of evidence is made of, each of which refuses nonsense by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from prodml._frozen_mapping import FrozenMapping
from prodml.errors import EvidenceError

__all__ = [
    "ConfidenceInterval",
    "EvidenceTable",
    "Labels",
    "plain_number",
    "plain_text",
    "utc_moment",
    "whole_count",
]

#: A table is something a person looks at; data belongs in a file.
MAX_TABLE_ROWS: Final = 1000

#: Up to here a float holds every whole number, and every reader of JSON agrees on it (RFC 7493).
MAX_EXACT_INTEGER: Final = 2**53

# Names that begin with two underscores are Prometheus' own.
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


class Labels(FrozenMapping[str, str]):
    """An immutable, hashable, sorted mapping: what a piece of evidence is about.

    Parameters
    ----------
    labels : mapping of str to str
        Names as in Prometheus: ``[a-zA-Z_][a-zA-Z0-9_]*``, not beginning with ``__``. Any text
        as values.

    Raises
    ------
    EvidenceError
        On another name, or a value that is not text.

    Examples
    --------
    >>> Labels({"sex": "f", "age": "40+"})
    Labels({'age': '40+', 'sex': 'f'})
    """

    __slots__ = ()

    def __init__(self, labels: Mapping[str, str] | None = None, /) -> None:
        given: Any = {} if labels is None else labels
        if not isinstance(given, Mapping):
            message = f"`labels` must be a mapping of text to text, got {type(given).__name__}."
            raise EvidenceError(message, field="labels")
        checked = {}
        for name, value in given.items():
            if not isinstance(name, str) or not _LABEL.fullmatch(name):
                message = (
                    f"`labels` has the name {name!r}; a name is made of letters, digits and _, "
                    f"and begins with neither a digit nor two _."
                )
                raise EvidenceError(message, field="labels")
            checked[plain_text(name, field="labels")] = plain_text(value, field=f"labels[{name!r}]")
        super().__init__(dict(sorted(checked.items())))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceInterval:
    """The range that holds the true value in `confidence_level` of repetitions.

    Attributes
    ----------
    low, high : float
        Ends of the range, ``low <= high``; infinite where one side is open.
    confidence_level : float, default 0.95
        Strictly between 0 and 1.

    Raises
    ------
    EvidenceError
        If an end is NaN, the ends are swapped, or the level is out of range.
    """

    low: float
    high: float
    confidence_level: float = 0.95

    def __post_init__(self) -> None:
        """Cast numpy scalars to plain floats, and refuse what cannot be a range."""
        for name in ("low", "high", "confidence_level"):
            number = plain_number(getattr(self, name), field=f"confidence_interval.{name}")
            object.__setattr__(self, name, float(number))
        if self.low > self.high:
            message = f"`confidence_interval` has low {self.low} above high {self.high}."
            raise EvidenceError(message, field="confidence_interval")
        if not 0 < self.confidence_level < 1:
            message = f"`confidence_level` must be between 0 and 1, got {self.confidence_level}."
            raise EvidenceError(message, field="confidence_interval.confidence_level")


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTable:
    """A small table behind a number, which a card or a notebook can draw.

    Two tables are equal if they have the same columns in the same order with the same cells.

    Attributes
    ----------
    columns : mapping of str to tuple
        Named columns of equal length, at most 1,000 rows, of JSON scalars: text, numbers,
        booleans and None. NaN is not a value. Cannot be changed.

    Raises
    ------
    EvidenceError
        If lengths differ, there are too many rows, or a cell is no JSON scalar.

    Examples
    --------
    >>> table = EvidenceTable({"bin": ["0-18", "18-65"], "share": [0.25, 0.75]})
    >>> table.n_rows
    2
    """

    columns: Mapping[str, tuple[Any, ...]]

    def __post_init__(self) -> None:
        """Freeze the columns, and refuse cells that JSON cannot hold."""
        given: Any = self.columns
        if not isinstance(given, Mapping):
            message = f"`table` must map names to columns, got {type(given).__name__}."
            raise EvidenceError(message, field="table")
        frozen = {
            plain_text(name, field="table"): _checked_cells(cells, name=name)
            for name, cells in given.items()
        }
        lengths = {name: len(cells) for name, cells in frozen.items()}
        if len(set(lengths.values())) > 1:
            message = f"`table` has columns of different lengths: {lengths}."
            raise EvidenceError(message, field="table")
        if frozen and max(lengths.values()) > MAX_TABLE_ROWS:
            message = f"`table` has {max(lengths.values())} rows; at most {MAX_TABLE_ROWS} fit."
            raise EvidenceError(message, field="table")
        object.__setattr__(self, "columns", FrozenMapping(frozen))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EvidenceTable):
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def _content(self) -> tuple[Any, ...]:
        # JSON tells true from 1, where Python does not
        return tuple(
            (name, tuple((isinstance(cell, bool), cell) for cell in cells))
            for name, cells in self.columns.items()
        )


def plain_text(text: Any, *, field: str) -> str:
    """Return a builtin str, whatever kind of text it was, and refuse everything else."""
    if not isinstance(text, str):
        message = f"`{field}` must be text, got {type(text).__name__}."
        raise EvidenceError(message, field=field.partition("[")[0])
    # str() of a member of an Enum would be its name
    return text if type(text) is str else str.__str__(text)


def plain_number(number: Any, *, field: str) -> int | float:
    """Return a builtin int or float, and refuse everything else, NaN too."""
    plain = _unboxed(number)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        message = f"`{field}` must be a number, got {type(number).__name__}."
        raise EvidenceError(message, field=field)
    if plain != plain:  # noqa: PLR0124 - NaN is the one number that differs from itself
        message = f"`{field}` is NaN; give None with the status that says why."
        raise EvidenceError(message, field=field)
    if isinstance(plain, int) and abs(plain) <= MAX_EXACT_INTEGER:
        return int(plain)
    try:
        return float(plain)
    except OverflowError:
        message = f"`{field}` is a whole number that no float can hold."
        raise EvidenceError(message, field=field) from None


def whole_count(n: Any) -> int:
    """Return a builtin int that can count something."""
    plain = _unboxed(n)
    if isinstance(plain, bool) or not isinstance(plain, int) or plain < 0:
        message = f"`n` must be a whole number >= 0, got {n!r}."
        raise EvidenceError(message, field="n")
    return int(plain)


def utc_moment(moment: Any) -> datetime:
    """Return an aware moment in UTC, as a builtin datetime."""
    # pandas' NaT is a datetime by its type, and differs from itself like NaN
    aware = isinstance(moment, datetime) and moment == moment and moment.utcoffset() is not None  # noqa: PLR0124
    if not aware:
        message = f"`at` must be a datetime with a time zone, got {moment!r}."
        raise EvidenceError(message, field="at")
    try:
        plain = moment.astimezone(UTC)
    except OverflowError:
        message = f"`at` lies outside the years 1 to 9999 in UTC, got {moment!r}."
        raise EvidenceError(message, field="at") from None
    return datetime.fromisoformat(plain.isoformat()) if type(plain) is not datetime else plain


def _unboxed(number: Any) -> Any:
    """Return the Python number in a numpy scalar; anything else as it is."""
    # by their own word, so that numpy need not be imported; arrays are no scalars
    if isinstance(number, int | float) or getattr(number, "shape", None) != ():
        return number
    item = number.item()
    # a longdouble is its own item
    return float(item) if getattr(getattr(item, "dtype", None), "kind", "") == "f" else item


def _checked_cells(cells: Any, *, name: str) -> tuple[Any, ...]:
    if isinstance(cells, str | bytes) or not isinstance(cells, Iterable):
        message = f"`table[{name!r}]` must be a list of cells, got {type(cells).__name__}."
        raise EvidenceError(message, field="table")
    return tuple(_json_scalar(cell, name=name) for cell in cells)


def _json_scalar(cell: Any, *, name: str) -> Any:
    plain = _unboxed(cell)
    if plain is None or isinstance(plain, bool):
        return plain
    if isinstance(plain, str):
        return plain_text(plain, field="table")
    if not isinstance(plain, int | float):
        message = (
            f"`table[{name!r}]` holds {type(cell).__name__}; "
            f"a cell is text, a number, a boolean or None."
        )
        raise EvidenceError(message, field="table")
    return plain_number(plain, field=f"table[{name!r}]")
