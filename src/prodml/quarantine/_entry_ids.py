"""Names of entries: the digest of a row, and which of several like it."""

from __future__ import annotations

from typing import Final

__all__ = ["entry_id", "parse_entry_id"]

_DIGEST_SIZE: Final = 16


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
