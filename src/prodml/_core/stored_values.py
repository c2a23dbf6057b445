"""Words and times as a database holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

__all__ = ["from_microseconds", "storable", "storable_name", "to_microseconds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def storable(text: str, /) -> str:
    r"""Return text that every database takes: NUL and lone surrogates become escapes.

    Examples
    --------
    >>> storable("a\x00b")
    'a\\x00b'
    """
    return text.replace("\x00", r"\x00").encode("utf-8", "backslashreplace").decode("utf-8")


@lru_cache(maxsize=256)
def storable_name(text: str, /) -> str:
    """Return the same as :func:`storable`, for names of which there are few."""
    return storable(text)


def to_microseconds(moment: datetime, /) -> int:
    """Return an aware moment as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int, /) -> datetime:
    """Return a moment in UTC."""
    return _EPOCH + count * _MICROSECOND
