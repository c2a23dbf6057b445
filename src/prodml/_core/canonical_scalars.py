"""What plain values are made of: a family, and the number or bytes that tell them apart.

The one place that knows which values of other libraries stand for a plain one, and which of them
for none.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from prodml.errors import UnkeyableError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = [
    "BOOLEAN",
    "BYTES",
    "DATE",
    "DECIMAL",
    "DURATION",
    "FLOAT",
    "INTEGER",
    "MICROSECOND",
    "MOMENT",
    "NAIVE",
    "NANOSECONDS",
    "NULL",
    "TEXT",
    "TIME",
    "UUID_BYTES",
    "Unreadable",
    "day_number",
    "decimal_bytes",
    "duration_ns",
    "family_of",
    "is_missing",
    "moment_ns",
    "time_ns",
    "unmasked",
    "unreadable_value",
    "without_time_zone",
]

NULL: Final = b"n"
BOOLEAN: Final = b"b"
INTEGER: Final = b"i"
FLOAT: Final = b"f"
TEXT: Final = b"s"
BYTES: Final = b"y"
DECIMAL: Final = b"c"
UUID_BYTES: Final = b"u"
DATE: Final = b"D"
TIME: Final = b"T"
MOMENT: Final = b"m"
DURATION: Final = b"d"

#: A numpy time without a time zone. It has no token.
NAIVE: Final = b"N"

#: How many nanoseconds the units of numpy have. Months and years have no fixed number.
NANOSECONDS: Final = {
    "W": 604_800_000_000_000,
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_BEFORE_1970: Final = date(1970, 1, 1).toordinal()
MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST_FLOAT_ITEM: Final = 8


class Unreadable(Exception):  # noqa: N818 - a signal between modules; callers see UnkeyableError
    """A value without canonical bytes, on its way to whoever knows where it stands.

    Attributes
    ----------
    reason : str
        What it is, as the end of "holds ...".
    repair : str
        What to do about it, as a sentence.
    path : list
        Keys and positions that lead to it, from the inside out.
    """

    def __init__(self, reason: str, repair: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.repair = repair
        self.path: list[Any] = []

    def of_value(self) -> UnkeyableError:
        """Return the error for a value that stands in no column."""
        names = [step for step in reversed(self.path) if isinstance(step, str)]
        place = "".join(f"[{step!r}]" for step in reversed(self.path))
        message = f"No key can be made: the value{place} holds {self.reason}. {self.repair}"
        return UnkeyableError(message, column=names[0] if names else "")

    def of_column(self, label: Any) -> UnkeyableError:
        """Return the error for a column."""
        message = f"No key can be made: column {label!r} holds {self.reason}. {self.repair}"
        return UnkeyableError(message, column=str(label))


def unreadable_value(value: Any, /) -> Unreadable:
    """Return the signal for a value of a type that has no canonical bytes."""
    repair = (
        "Give plain values, lists, dicts, dataclasses or pydantic models, "
        "and whole tables as pandas DataFrames."
    )
    return Unreadable(f"a value of type {type(value).__qualname__!r}", repair)


def without_time_zone(what: str, /) -> Unreadable:
    """Return the signal for moments of which nobody knows when they were."""
    repair = (
        "Localise to the time zone it was read in: .replace(tzinfo=timezone.utc) for one, "
        ".dt.tz_localize('UTC') for a column."
    )
    return Unreadable(f"{what} without a time zone, which names no instant", repair)


#: A datetime is a date and a bool an int, so that the narrower type comes first.
_PLAIN_FAMILIES: Final[dict[type, bytes]] = {
    type(None): NULL,
    bool: BOOLEAN,
    int: INTEGER,
    float: FLOAT,
    str: TEXT,
    bytes: BYTES,
    datetime: MOMENT,
    date: DATE,
    time: TIME,
    timedelta: DURATION,
    Decimal: DECIMAL,
    UUID: UUID_BYTES,
}


def _find_family(kind: type) -> bytes | None:
    known = _PLAIN_FAMILIES.get(kind)
    if known is not None:
        return known
    if kind.__name__ in {"NAType", "NaTType"} and kind.__module__.startswith("pandas."):
        return NULL  # NaT calls itself a datetime
    if issubclass(kind, np.generic) and not issubclass(kind, str | bytes):
        return _numpy_family(kind)
    for plain, family in _PLAIN_FAMILIES.items():
        if issubclass(kind, plain):
            return family
    return None


def _numpy_family(kind: type) -> bytes | None:
    if issubclass(kind, np.bool_):
        return BOOLEAN
    if issubclass(kind, np.timedelta64):  # numpy takes it for an integer
        return DURATION
    if issubclass(kind, np.datetime64):
        return NAIVE
    if issubclass(kind, np.integer):
        return INTEGER
    exact = issubclass(kind, np.floating) and np.dtype(kind).itemsize <= _LARGEST_FLOAT_ITEM
    return FLOAT if exact else None


#: Returns the letter of the plain values that a type stands for, or None for any other type.
family_of: Final[Callable[[type], bytes | None]] = lru_cache(1024)(_find_family)


def is_missing(value: Any, /) -> bool:
    """Say whether a value of one of the families stands for no value: None, NaN, NaT or NA."""
    family = family_of(type(value))
    if family == FLOAT:
        return bool(value != value)  # noqa: PLR0124 - NaN differs from itself
    if family == DECIMAL:
        return bool(value.is_nan())
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return family == NULL


def moment_ns(value: Any, /) -> int:
    """Return an aware moment as nanoseconds since 1970; pandas' own keep theirs."""
    if getattr(value, "tzinfo", None) is None or value.utcoffset() is None:
        what = f"a {type(value).__name__}"
        raise without_time_zone(what)
    if _is_of_pandas(value):
        return _numpy_ns(value.asm8)  # in UTC, in the unit it was made in
    microseconds: int = (value - _EPOCH) // MICROSECOND
    return microseconds * 1000


def duration_ns(value: Any, /) -> int:
    """Return a duration as nanoseconds; pandas' and numpy's own keep theirs."""
    if isinstance(value, np.timedelta64):
        return _numpy_ns(value)
    if _is_of_pandas(value):
        return _numpy_ns(value.asm8)
    microseconds: int = value // MICROSECOND
    return microseconds * 1000


def _is_of_pandas(value: Any) -> bool:
    # A value of a library can only exist where that library has been imported.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Timestamp | pandas.Timedelta)


def _numpy_ns(value: np.datetime64 | np.timedelta64) -> int:
    unit, count = np.datetime_data(value.dtype)
    if unit not in NANOSECONDS:
        reason = f"a duration in the unit {unit!r}, which is no whole number of nanoseconds"
        raise Unreadable(reason, "Convert it to 'ns', or to another fixed unit.")
    return int(value.view(np.int64)) * NANOSECONDS[unit] * count


def time_ns(value: time, /) -> int:
    """Return a time of the day as nanoseconds since midnight, whatever its offset."""
    if value.tzinfo is not None and value.utcoffset() is None:
        reason = "a time of the day in a time zone, whose offset depends on the date"
        raise Unreadable(reason, "Give the date as well, or an offset.")
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return (seconds * 1_000_000 + value.microsecond) * 1000


def day_number(value: date, /) -> int:
    """Return a date as days since 1970-01-01."""
    return value.toordinal() - _DAYS_BEFORE_1970


def unmasked(values: np.ma.MaskedArray[Any, Any], /) -> npt.NDArray[np.object_]:
    """Return the objects of a masked array, with None where it is masked."""
    objects = np.ma.getdata(values).astype(object)
    objects[np.ma.getmaskarray(values)] = None
    return objects


def decimal_bytes(value: Decimal, /) -> bytes:
    """Return a Decimal that is no NaN, the same for 1, 1.0 and 1.00, with all its digits."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return b"-inf" if sign else b"inf"
    # by hand, since normalize() rounds to the precision of the context
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    if not kept:
        return b"0"
    return f"{'-' * sign}{kept}e{exponent + len(text) - len(kept)}".encode("ascii")
