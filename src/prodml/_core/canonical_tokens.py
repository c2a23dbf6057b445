"""Plain values as canonical bytes: equal values give equal bytes, other values give others.

A token begins with a letter for its type, and its length is fixed by the type or stands in front.
No token is the beginning of another one, so that tokens can be joined without a separator.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from prodml._core.canonical_scalars import (
    BOOLEAN,
    BYTES,
    DATE,
    DECIMAL,
    DURATION,
    FLOAT,
    INTEGER,
    MICROSECOND,
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
    unmasked,
    unreadable_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "BIG",
    "RECORD",
    "SEQUENCE",
    "big_token",
    "fields_of",
    "label_token",
    "sized",
    "token",
    "word",
]

SEQUENCE: Final = b"l"
RECORD: Final = b"o"
_SET: Final = b"e"
_TIME_WITH_OFFSET: Final = b"Z"
_OTHER_LABEL: Final = b"L"

_WORD_SIZE: Final = 8

#: The letters of integers, moments and durations that 64 bits do not hold.
BIG: Final = {INTEGER: b"I", MOMENT: b"M", DURATION: b"P"}

_pack_word: Final = struct.Struct("<cq").pack
_pack_float: Final = struct.Struct("<cd").pack
_pack_two: Final = struct.Struct("<cqq").pack


def token(value: Any, /) -> bytes:
    """Return the canonical bytes of a plain value, alone or nested.

    Parameters
    ----------
    value : object
        None, bool, int, float, str, bytes, date, aware datetime, time, timedelta, Decimal, UUID;
        list and tuple (alike), set and frozenset (alike), mappings, pydantic models and
        dataclasses (alike: their order does not count); enums and numpy scalars as their value,
        arrays as lists. NaN, NaT and NA are None.

    Raises
    ------
    Unreadable
        If it is, or holds, anything else.
    """
    encoder = _ENCODERS.get(type(value))
    return _foreign_token(value) if encoder is None else encoder(value)


def label_token(label: Any, /) -> bytes:
    """Return the canonical bytes of the label of a column, which may be any value.

    Raises
    ------
    UnkeyableError
        If its text is that of the object, not of a value.
    """
    if type(label) is str:
        return _key_text(label)
    try:
        return token(label)
    except Unreadable as fault:
        # a period, an interval, a moment without a time zone: as a label, its text will do
        text = str(label)
        if text == object.__repr__(label):
            raise fault.of_column(label) from None
        name = type(label).__qualname__
        return sized(_OTHER_LABEL, f"{name}:{text}".encode("utf-8", "surrogatepass"))


def word(tag: bytes, value: int, /) -> bytes:
    """Return the token of a number: 8 bytes, or hexadecimal digits where they do not do."""
    try:
        return _pack_word(tag, value)
    except struct.error:
        return big_token(tag, value)


def big_token(tag: bytes, value: int, /) -> bytes:
    """Return the token of a number that 64 bits do not hold."""
    return b"%b%x;" % (BIG[tag], value)


def sized(tag: bytes, content: bytes, /) -> bytes:
    """Return the token of bytes of any length."""
    return _pack_word(tag, len(content)) + content


def _integer(value: int) -> bytes:
    return word(INTEGER, value)


def _float(value: float) -> bytes:
    # adding zero turns -0.0 into 0.0
    return _pack_float(FLOAT, value + 0.0) if value == value else NULL  # noqa: PLR0124 - NaN


def _text(value: str) -> bytes:
    content = value.encode("utf-8", "surrogatepass")
    return _pack_word(TEXT, len(content)) + content


#: Records of one job have the same few keys.
_key_text = lru_cache(maxsize=4096)(_text)


def _record(value: Mapping[Any, Any]) -> bytes:
    encoders = _ENCODERS
    entries = []
    for key, item in value.items():
        encoder = encoders.get(type(item))
        try:
            content = _foreign_token(item) if encoder is None else encoder(item)
            entries.append((_key_text(key) if type(key) is str else token(key)) + content)
        except Unreadable as fault:
            fault.path.append(key)
            raise
    entries.sort()
    return _pack_word(RECORD, len(entries)) + b"".join(entries)


def _sequence(value: Iterable[Any]) -> bytes:
    items: list[bytes] = []
    try:
        items.extend(map(token, value))
    except Unreadable as fault:
        fault.path.append(len(items))
        raise
    return _pack_word(SEQUENCE, len(items)) + b"".join(items)


def _set(value: Iterable[Any]) -> bytes:
    items = sorted(map(token, value))
    return _pack_word(_SET, len(items)) + b"".join(items)


def _time(value: time) -> bytes:
    offset = value.utcoffset()
    if offset is None:
        return word(TIME, time_ns(value))
    return _pack_two(_TIME_WITH_OFFSET, time_ns(value), offset // MICROSECOND)


def _decimal(value: Decimal) -> bytes:
    return NULL if value.is_nan() else sized(DECIMAL, decimal_bytes(value))


_ENCODERS: Final[dict[type, Callable[[Any], bytes]]] = {
    bool: lambda value: b"b\x01" if value else b"b\x00",
    bytes: lambda value: sized(BYTES, value),
    date: lambda value: word(DATE, day_number(value)),
    datetime: lambda value: word(MOMENT, moment_ns(value)),
    Decimal: _decimal,
    dict: _record,
    float: _float,
    frozenset: _set,
    int: _integer,
    list: _sequence,
    set: _set,
    str: _text,
    time: _time,
    timedelta: lambda value: word(DURATION, duration_ns(value)),
    tuple: _sequence,
    type(None): lambda _: NULL,
    UUID: lambda value: UUID_BYTES + value.bytes,
}

#: What turns a value of another library, or of a subclass, into one that an encoder takes.
_FAMILY_TOKENS: Final[dict[bytes, Callable[[Any], bytes]]] = {
    BOOLEAN: lambda value: b"b\x01" if value else b"b\x00",
    BYTES: lambda value: sized(BYTES, bytes(value)),
    DATE: _ENCODERS[date],
    DECIMAL: _decimal,
    DURATION: lambda value: NULL if is_missing(value) else word(DURATION, duration_ns(value)),
    FLOAT: lambda value: _float(float(value)),
    INTEGER: lambda value: _integer(int(value)),
    MOMENT: _ENCODERS[datetime],
    NAIVE: lambda value: NULL if is_missing(value) else word(MOMENT, moment_ns(value)),
    NULL: lambda _: NULL,
    TEXT: _text,
    TIME: _time,
    UUID_BYTES: _ENCODERS[UUID],
}


def _foreign_token(value: Any) -> bytes:
    if isinstance(value, Enum):
        return token(value.value)
    family = family_of(type(value))
    if family is not None:
        return _FAMILY_TOKENS[family](value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        return _sequence(value)
    if isinstance(value, set | frozenset):
        return _set(value)
    content = fields_of(value)
    if content is not None:
        return _record(content)
    raise unreadable_value(value)


def _array(value: Any) -> bytes:
    if isinstance(value, np.ma.MaskedArray):
        return token(unmasked(value).tolist())
    if value.ndim == 0:
        return token(value[()])
    kind = value.dtype.kind
    if kind == "f" and value.dtype.itemsize == _WORD_SIZE and not np.isnan(value).any():
        return _matrix(FLOAT, value.astype("<f8", copy=False) + 0.0)
    if kind == "i":
        return _matrix(INTEGER, value.astype("<i8"))
    # tolist() makes bare integers of nanoseconds
    return _sequence(value.tolist() if kind in "biufOUS" else list(value))


def _matrix(tag: bytes, value: Any) -> bytes:
    """Return the token of nested lists of numbers, made at once."""
    if not value.size:
        return _sequence(value.tolist())
    cells = np.empty((value.size, 1 + _WORD_SIZE), dtype=np.uint8)
    cells[:, 0] = tag[0]
    cells[:, 1:] = np.ascontiguousarray(value).reshape(-1, 1).view(np.uint8)
    for n_items in reversed(value.shape):
        head = np.frombuffer(_pack_word(SEQUENCE, n_items), dtype=np.uint8)
        lists = cells.reshape(-1, n_items * cells.shape[1])
        cells = np.hstack([np.broadcast_to(head, (len(lists), len(head))), lists])
    return cells.tobytes()


def fields_of(value: Any, /) -> Mapping[Any, Any] | None:
    """Return what a record holds, by name: of a mapping, pydantic model or dataclass, else None.

    Only the declared fields of a model count, and what it took beyond them: neither private
    attributes nor values it has worked out.
    """
    if isinstance(value, Mapping):
        return value
    names = _field_names(type(value))
    if names is not None:
        return {name: getattr(value, name) for name in names if hasattr(value, name)}
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        content = vars(value)
        known = {name: content[name] for name in type(value).model_fields if name in content}
        return known | (value.__pydantic_extra__ or {})
    return None


def _fields_of_class(kind: type) -> tuple[str, ...] | None:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else None


_field_names: Final[Callable[[type], tuple[str, ...] | None]] = lru_cache(1024)(_fields_of_class)
