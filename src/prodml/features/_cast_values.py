"""The boundary cast of single values: what a declared type takes, and what features see of it.

Columns that are of the declared type already are cast as a whole in :mod:`_cast_columns`;
everything else, records included, comes through here, so that both paths have one table.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from prodml._core.scalars import normalise
from prodml.errors import InputTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.features.field import Field

__all__ = [
    "EPOCH",
    "FIRST_MOMENT",
    "INT64_END",
    "LARGEST_EXACT",
    "LAST_MOMENT",
    "MICROSECOND",
    "MissingValue",
    "caster_of",
    "refuse_value",
]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
#: Up to here every integer is a float64.
LARGEST_EXACT: Final = 2**53
INT64_END: Final = 2**63
#: The microseconds between which a datetime in UTC lies.
FIRST_MOMENT: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LAST_MOMENT: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
_LONGEST_SHOWN: Final = 80

_Parsed = TypeVar("_Parsed")


class MissingValue(Exception):  # noqa: N818 - a signal; callers see MissingInputError
    """No value where the field must have one."""


def caster_of(field: Field, /) -> Callable[[Any], Any]:
    """Return the function that casts one value of a field.

    It returns a float, int, bool, ``str`` or None, as :attr:`Field.kind` says. It raises
    MissingValue where a value is missing and must not be, and InputTypeError for what the
    declared type does not take.
    """
    read = _READERS[field.dtype]
    if field.dtype == "string":
        missing: Any = None
    else:
        missing = math.nan
    as_float = field.kind == "f"

    parse = _PARSERS.get(field.dtype) if field.coerce else None

    def cast(value: Any) -> Any:
        plain = _plain(value)
        if parse is not None and isinstance(plain, str):
            plain = _plain(_parsed(field, plain, value, parse))
        if plain is None:
            if field.nullable:
                return missing
            raise MissingValue
        out = read(field, plain, value)
        return _exact(field, out, value) if as_float and out.__class__ is not float else out

    return cast


def _plain(value: Any) -> Any:
    """Return the builtin that a value stands for, None where it is missing."""
    kind = value.__class__
    if kind is float:
        return None if value != value else value  # noqa: PLR0124 - NaN
    if kind in _PLAIN:
        return value
    if isinstance(value, str):  # numpy's own text would lose a NUL at its end in normalise
        return str.__str__(value)
    # numpy's own datetimes are cut to microseconds in normalise, and pandas' as well
    return normalise(value)


_PLAIN: Final = frozenset({int, str, bool, datetime, type(None)})


def _exact(field: Field, number: int, value: Any) -> float:
    if -LARGEST_EXACT <= number <= LARGEST_EXACT:
        return float(number)
    raise refuse_value(field, value, "is beyond 2**53 and would lose digits as a float")


def _read_float(field: Field, plain: Any, value: Any) -> float | int:
    if isinstance(plain, float):
        return float(plain)
    if isinstance(plain, int):
        return int(plain)
    raise refuse_value(field, value)


def _read_int(field: Field, plain: Any, value: Any) -> int:
    if isinstance(plain, float) and plain.is_integer() and abs(plain) <= LARGEST_EXACT:
        return int(plain)
    if not isinstance(plain, int):
        fraction = "is no integer of at most 2**53" if isinstance(plain, float) else ""
        raise refuse_value(field, value, fraction)
    if not -INT64_END <= plain < INT64_END:
        raise refuse_value(field, value, "does not fit into 64 bits")
    return int(plain)


def _read_bool(field: Field, plain: Any, value: Any) -> bool:
    if field.coerce and isinstance(plain, str | int | float):
        plain = {"0": False, "1": True, 0: False, 1: True}.get(plain, plain)
    if isinstance(plain, bool):
        return plain
    raise refuse_value(field, value)


def _read_text(field: Field, plain: Any, value: Any) -> str:
    if isinstance(plain, str):
        return plain
    raise refuse_value(field, value)


def _read_moment(field: Field, plain: Any, value: Any) -> int:
    if not isinstance(plain, datetime):
        raise refuse_value(field, value)
    if plain.utcoffset() is None:
        plain = _in_zone(field, plain, value)
    moment = int((plain - EPOCH) // MICROSECOND)
    # the first and the last hours of the calendar are beyond it in another zone
    if not FIRST_MOMENT <= moment <= LAST_MOMENT:
        raise refuse_value(field, value, "is not within the years 1 to 9999 in UTC")
    return moment


def _in_zone(field: Field, naive: datetime, value: Any) -> datetime:
    if field.tz is None:
        raise refuse_value(
            field, value, "has no time zone; give it one, or declare `tz` in the Field"
        )
    zone = ZoneInfo(field.tz)
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise refuse_value(field, value, f"exists twice or not at all in {field.tz}")
    return first


def _parsed(field: Field, text: str, value: Any, parse: Callable[[str], _Parsed]) -> _Parsed:
    try:
        return parse(text)
    except ValueError:
        raise refuse_value(field, value) from None


def _number(parse: Callable[[str], _Parsed]) -> Callable[[str], _Parsed]:
    def read(text: str) -> _Parsed:
        if "_" in text:  # Python's own digits, in groups; data that has them means something else
            raise ValueError(text)
        return parse(text)

    return read


_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "float64": _number(float),
    "int64": _number(int),
    "timestamp[us, UTC]": datetime.fromisoformat,
}
_READERS: Final[dict[str, Callable[[Field, Any, Any], Any]]] = {
    "float64": _read_float,
    "int64": _read_int,
    "bool": _read_bool,
    "string": _read_text,
    "timestamp[us, UTC]": _read_moment,
}


def refuse_value(
    field: Field, value: Any, why: str = "", /, *, row: int | None = None
) -> InputTypeError:
    """Return the error for a value that the declared type does not take."""
    shown = repr(value)
    if len(shown) > _LONGEST_SHOWN:
        shown = shown[: _LONGEST_SHOWN - 3] + "..."
    place = "" if row is None else f" in row {row}"
    reason = why or _reason(field, value)
    return InputTypeError(
        f"{field.name!r} must be {field.dtype}, got {shown}{place}, which {reason}.",
        field=field.name,
        got=value,
        expected=field.dtype,
        row=row,
    )


def _reason(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        kind = type(value).__name__
        return f"is a{'n' * (kind[0] in 'aeiou')} {kind}"
    if field.coerce:
        return "cannot be read as one"
    return "is text; convert it, or declare the Field with coerce=True"
