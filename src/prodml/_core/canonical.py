"""Digests of content: the same for the same values, whatever holds them.

Two digests are equal if the values are, up to a collision of BLAKE2b. They do not depend on the
version of pandas or numpy, on the process or on the machine, so that they can be stored. The
layout has a version, which every digest is bound to; a change of it must get a new one.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_columns import read_column, row_count
from prodml._core.canonical_scalars import BOOLEAN, NULL, TEXT, Unreadable
from prodml._core.canonical_text import sizes, utf8_parts
from prodml._core.canonical_tokens import BIG, label_token, token
from prodml.errors import UnkeyableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prodml._core.canonical_plain import PlainColumn

__all__ = ["DIGEST_SIZE", "digest_columns", "digest_value"]

#: Bytes of a digest.
DIGEST_SIZE: Final = 32

#: A table and a value have no digest in common, nor have two versions of the layout.
_TABLE: Final = b"prodml.table.1"
_VALUE: Final = b"prodml.value.1"

_pack_two: Final = struct.Struct("<qq").pack
_BIG_TAGS: Final = frozenset(BIG.values())


def digest_value(value: Any, /, *, salt: bytes = b"") -> bytes:
    """Return 32 bytes that name a plain value.

    Parameters
    ----------
    value : object
        What :func:`~prodml._core.canonical_tokens.token` takes: scalars, sequences, sets, and
        records, which may be dicts, dataclasses or pydantic models.
    salt : bytes, optional
        What else tells values apart; at most 16 bytes, of which zeros at the end do not count.

    Raises
    ------
    UnkeyableError
        If it holds anything else; the message says where.

    Notes
    -----
    ``1``, ``1.0``, ``True`` and ``"1"`` differ. The order of a dict or a set does not count. A
    tuple is a list, an enum its value, a record a dict of its fields, NaN is None.

    Examples
    --------
    >>> digest_value({"a": 1, "b": 2.0}) == digest_value({"b": 2.0, "a": 1})
    True
    >>> digest_value(1) == digest_value(1.0)
    False
    """
    try:
        content = token(value)
    except Unreadable as fault:
        raise fault.of_value() from None
    except RecursionError:
        message = "No key can be made: the value holds itself, or is nested too deeply. Flatten it."
        raise UnkeyableError(message) from None
    return blake2b(content, digest_size=DIGEST_SIZE, person=_VALUE, salt=salt).digest()


def digest_columns(
    columns: Sequence[tuple[Any, Any]], /, *, n_rows: int | None = None, salt: bytes = b""
) -> bytes:
    """Return 32 bytes that name the content of a table.

    Parameters
    ----------
    columns : sequence of (label, column)
        A column is an array, a Series, an extension array or a list. Labels may repeat.
    n_rows : int, optional
        The number of rows, which a table without columns does not tell.
    salt : bytes, optional
        As for :func:`digest_value`.

    Raises
    ------
    UnkeyableError
        If a column holds values of several types, times without a time zone, or what has no
        canonical bytes; or if columns differ in length. ``.column`` names it.

    Notes
    -----
    The order of rows counts, and that of columns of one label; that of the others does not, nor
    do index labels and dtypes: ints of any width are equal, times of any unit, text in objects,
    in Arrow and in categories. Everything that stands for a missing value is one, and a column
    without values has no type.

    Time and memory O(cells): one pass of BLAKE2b over 8 bytes per cell, and the text.

    Examples
    --------
    >>> import numpy as np
    >>> wide, narrow = np.array([1, 2]), np.array([1, 2], dtype="int8")
    >>> digest_columns([("a", wide), ("b", [None, "x"])]) == digest_columns(
    ...     [("b", [float("nan"), "x"]), ("a", narrow)]
    ... )
    True
    """
    length = row_count(columns, n_rows)
    entries = [
        (label_token(label), position, label, values)
        for position, (label, values) in enumerate(columns)
    ]
    entries.sort(key=_by_label)
    digest = blake2b(digest_size=DIGEST_SIZE, person=_TABLE, salt=salt)
    digest.update(_pack_two(length, len(entries)))
    for name, _, label, values in entries:
        digest.update(name)
        for part in _parts(read_column(values, label)):
            digest.update(part)
    return digest.digest()


def _by_label(entry: tuple[bytes, int, Any, Any]) -> tuple[bytes, int]:
    return entry[:2]


def _parts(column: PlainColumn) -> Iterator[Any]:
    """Yield the bytes of a column: its type, where values are missing, and the values."""
    tag, values, missing = column
    if tag == NULL:
        yield NULL
        return
    if missing is None:
        yield tag + b"\x00"
    else:
        yield tag + b"\x01"
        yield np.packbits(missing).data
    if tag == TEXT:
        lengths, contents = utf8_parts(values)
        yield lengths.data
        yield from contents
    elif tag == BOOLEAN:
        yield np.packbits(values).data
    elif values.dtype != object:
        yield np.ascontiguousarray(values).data
    else:
        pieces = [b"%x" % number for number in values] if tag in _BIG_TAGS else values.tolist()
        yield sizes(pieces).data
        yield b"".join(pieces)
