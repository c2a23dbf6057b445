"""Keys and rows as online stores hold them, and the answer that they give.

What every store does alike: :func:`entity_of` turns a key into bytes,
:func:`prodml.features.online_intake.rows_to_store` turns frames and records into
:class:`StoredRow`, :func:`restore` turns their text into values, and :func:`answer` decides what
of them may be used.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from prodml._core.scalars import normalise
from prodml._core.stored_values import from_microseconds
from prodml.errors import InputTypeError
from prodml.features.online_store import OnlineRow, OnlineRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prodml.features.online_store import RowStatus
    from prodml.features.online_view import OnlineView

__all__ = [
    "MICROSECOND",
    "Known",
    "StoredRow",
    "answer",
    "entities_of",
    "entity_of",
    "judge",
    "moment_of",
    "restore",
    "text_of_values",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: What times are counted in.
MICROSECOND: Final = timedelta(microseconds=1)
#: Keys beyond this many bytes are kept as their digest: an index of PostgreSQL ends at 2,704.
_LONGEST_ENTITY: Final = 512
_KEYS: Final = "text, an integer, a boolean, bytes, a date or a UUID"


class StoredRow(NamedTuple):
    """The row of one entity, as every store holds it. Newer rows are greater.

    Attributes
    ----------
    event, created : int
        Microseconds since 1970, UTC.
    content : str
        The values in the order of ``view.stored_features``, as a JSON array in ASCII.
    """

    event: int
    created: int
    content: str


#: Makes a named tuple in half the time that its own constructor takes.
_new_row: Final = tuple.__new__

#: Event, created, and the values: as text, or as :func:`restore` returns them.
Known = tuple[int, int, "str | dict[str, Any]"]


def entity_of(view: OnlineView, key: Any, /) -> bytes | None:
    """Return the canonical bytes of a key, or None where a part of it is missing.

    Parameters
    ----------
    view : OnlineView
        How many parts a key has.
    key : object
        A value, or a tuple or list of values for keys of several parts.

    Returns
    -------
    bytes or None
        Different for 1, "1" and True; equal for an integer of Python and of numpy.

    Raises
    ------
    InputTypeError
        If a part is of another type, or there are more or fewer parts.
    """
    if len(view.keys) == 1:
        kind = type(key)
        if kind is str:
            entity = b"s" + key.encode("utf-8", "surrogatepass")
            return entity if len(entity) <= _LONGEST_ENTITY else _digest(entity)
        if kind is int:
            return b"i%d" % key
        part = _part(view.keys[0], key)
        return None if part is None else _digest(part) if len(part) > _LONGEST_ENTITY else part
    if not isinstance(key, tuple | list) or len(key) != len(view.keys):
        wanted = f"a tuple of {len(view.keys)} parts"
        message = f"A key of the view {view.name!r} must be {wanted} {view.keys}, got {key!r}."
        raise InputTypeError(message, field=view.keys[0], got=key, expected=wanted)
    parts = [_part(name, part) for name, part in zip(view.keys, key, strict=True)]
    if None in parts:
        return None
    # with their lengths, so that ("ab", "c") is not ("a", "bc")
    entity = b"".join([b"%d:%b" % (len(part), part) for part in parts if part is not None])
    return entity if len(entity) <= _LONGEST_ENTITY else _digest(entity)


def entities_of(view: OnlineView, keys: Iterable[Any], /) -> tuple[list[Any], list[bytes | None]]:
    """Return keys as a list, and the bytes of each.

    Parameters
    ----------
    view : OnlineView
        What they are keys of.
    keys : iterable
        See :func:`entity_of`.

    Raises
    ------
    InputTypeError
        If `keys` is one text instead of many keys, or as :func:`entity_of` says.
    """
    if type(keys) is not list and isinstance(keys, str | bytes):
        message = f"`keys` must be a list of keys, got one: give [{keys!r}]."
        raise InputTypeError(message, field=view.keys[0], got=keys, expected="a list of keys")
    listed = list(keys)
    return listed, [entity_of(view, key) for key in listed]


def _digest(entity: bytes) -> bytes:
    return b"h" + sha256(entity).digest()


def _part(name: str, part: Any) -> bytes | None:
    """Return the bytes of a part of a key, with a letter that tells types apart."""
    plain = normalise(part)
    if plain is None:
        return None
    if isinstance(plain, bool):
        return b"b%d" % plain
    if isinstance(plain, int):
        return b"i%d" % plain
    if isinstance(plain, str):
        return b"s" + plain.encode("utf-8", "surrogatepass")
    encode = _ENCODERS.get(type(plain))
    if encode is not None:
        return encode(plain)
    hint = " Cast the column to integers or text." if isinstance(plain, float) else ""
    message = f"The key {name!r} must be {_KEYS}, got {part!r}.{hint}"
    raise InputTypeError(message, field=name, got=part, expected=_KEYS)


_ENCODERS: Final[Mapping[type, Callable[[Any], bytes]]] = {
    bytes: lambda part: b"y" + part,
    date: lambda part: b"d" + part.isoformat().encode("ascii"),
    UUID: lambda part: b"u" + part.bytes,
}


def moment_of(moment: Any, what: str, /) -> int:
    """Return an aware moment as microseconds since 1970; what is finer is cut off.

    Parameters
    ----------
    moment : datetime.datetime
        Aware; a pandas Timestamp is one.
    what : str
        The name of the argument, for the message.

    Raises
    ------
    InputTypeError
        If it is no datetime, or has no time zone.
    """
    if type(moment) is datetime and moment.tzinfo is not None:
        return (moment - _EPOCH) // MICROSECOND
    # a Timestamp counts otherwise, in its own unit
    plain = normalise(moment)
    if isinstance(plain, datetime) and plain.tzinfo is not None:
        return (plain - _EPOCH) // MICROSECOND
    message = f"`{what}` must be an aware datetime, as datetime.now(UTC), got {moment!r}."
    raise InputTypeError(message, field=what, got=moment, expected="an aware datetime")


def answer(
    view: OnlineView,
    keys: Sequence[Any],
    found: Iterable[Known | None],
    names: Sequence[str],
    at: datetime,
    /,
) -> OnlineRows:
    """Return what a store says of keys: values where they may be used, and why not elsewhere.

    Parameters
    ----------
    view : OnlineView
        Its time to live counts.
    keys : sequence
        As they were asked for.
    found : iterable of tuple or None
        For each key the row that is stored, or None.
    names : sequence of str
        Features of the view.
    at : datetime.datetime
        The moment, aware.

    Raises
    ------
    InputTypeError
        If `at` is no aware moment.
    """
    moment = moment_of(at, "at")
    pairs = zip(keys, found, strict=True)
    return OnlineRows([judge(view, *pair, names, moment) for pair in pairs], view, names, at)


def judge(
    view: OnlineView, key: Any, row: Known | None, names: Sequence[str], moment: int, /
) -> OnlineRow:
    """Return what a store says of one key; see :func:`answer`.

    Parameters
    ----------
    view : OnlineView
        Its time to live counts.
    key : object
        As it was asked for.
    row : tuple or None
        What is stored.
    names : sequence of str
        Features of the view.
    moment : int
        In microseconds since 1970, UTC.
    """
    status: RowStatus
    if row is None:
        return _new_row(OnlineRow, (key, "missing", dict.fromkeys(names), None, None))
    event, created, content = row
    if event > moment or created > moment:
        status, values = "future", dict.fromkeys(names)
    elif event < moment - view.ttl_us:
        status, values = "expired", dict.fromkeys(names)
    else:
        known = restore(view, content) if isinstance(content, str) else content.copy()
        whole = names is view.features
        status, values = "fresh", known if whole else {name: known[name] for name in names}
    return _new_row(OnlineRow, (key, status, values, event, created))


def restore(view: OnlineView, content: str, /) -> dict[str, Any]:
    """Return the values of a row, by the name of the feature.

    Parameters
    ----------
    view : OnlineView
        Whose row it is.
    content : str
        From :func:`text_of_values`.

    Returns
    -------
    dict
        The same float, int, str, bool and None; times aware, in UTC.
    """
    if "{" not in content:  # no times; a text that has one is read by the slower way as well
        try:
            return dict(zip(view.stored_features, _quick_reader()(content), strict=True))
        except ValueError:
            pass  # lone surrogates, which Python's own reader knows
    return dict(zip(view.stored_features, _read(content), strict=True))


def text_of_values(values: Sequence[Any], /) -> str:
    """Return values as one JSON array in ASCII, from which they come back bit for bit.

    Parameters
    ----------
    values : sequence
        Float but not NaN, int, str, bool, None, and aware datetimes, in the order of
        ``view.stored_features``.
    """
    return _encode(values)


def _tag(value: Any) -> dict[str, int]:
    """Return the one thing that JSON has no word for as what it has."""
    if isinstance(value, datetime):
        return {"t": (value - _EPOCH) // MICROSECOND}
    message = f"A value of type {type(value).__name__} cannot be stored."
    raise TypeError(message)


def _untag(tagged: dict[str, Any]) -> datetime:
    return from_microseconds(tagged["t"])


@cache
def _quick_reader() -> Callable[[str], Any]:
    """Return a reader of JSON that takes a quarter of the time, and as long to import as numpy."""
    from pydantic_core import from_json

    return from_json


_read: Final = json.JSONDecoder(object_hook=_untag).decode
_encode: Final = json.JSONEncoder(separators=(",", ":"), default=_tag).encode
