"""Words, times and ids as a database holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["entry_id", "from_microseconds", "parse_entry_id", "storable", "to_microseconds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DIGEST_SIZE: Final = 16


def storable(text: str, /) -> str:
    r"""Return text that every database takes: NUL and lone surrogates become escapes.

    Examples
    --------
    >>> storable("a\x00b")
    'a\\x00b'
    """
    return text.replace("\x00", r"\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def to_microseconds(moment: datetime, /) -> int:
    """Return an aware moment as microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int, /) -> datetime:
    """Return a moment in UTC."""
    return _EPOCH + count * _MICROSECOND


def entry_id(digest: bytes, ordinal: int, /) -> str:
    """Return the id of an entry: the digest of its content, and which of several like it."""
    return digest.hex() if ordinal == 0 else f"{digest.hex()}-{ordinal}"


def parse_entry_id(text: str, /) -> tuple[bytes, int] | None:
    """Return digest and ordinal, or None for what is no id."""
    head, dash, tail = text.partition("-")
    try:
        digest = bytes.fromhex(head)
        ordinal = int(tail) if dash else 0
    except ValueError:
        return None
    return (digest, ordinal) if len(digest) == _DIGEST_SIZE else None
