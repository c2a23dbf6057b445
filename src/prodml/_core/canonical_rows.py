"""Digests of single rows: a row of a table has the same as a dict of its cells.

A digest depends on the cells of its own row alone, never on other rows, so that a row is known
again in another batch.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.canonical_columns import as_column, plain_column, row_count, text_objects
from prodml._core.canonical_plain import PlainColumn
from prodml._core.canonical_scalars import (
    BOOLEAN,
    DATE,
    DURATION,
    FLOAT,
    INTEGER,
    MOMENT,
    NULL,
    TEXT,
    TIME,
    UUID_BYTES,
    Unreadable,
)
from prodml._core.canonical_tokens import (
    BIG,
    RECORD,
    SEQUENCE,
    label_token,
    sized,
    token,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

__all__ = [
    "RowDigests",
    "cell_tokens",
    "cells_of",
    "record_digests",
    "tuple_digests",
    "value_digests",
]

_DIGEST_SIZE: Final = 16
_PERSON: Final = b"prodml.record.1"
_BLOCK_ROWS: Final = 16_384
#: Types whose tokens all have one length.
_FIXED: Final = frozenset({BOOLEAN, DATE, DURATION, FLOAT, INTEGER, MOMENT, TIME})
_SMALL: Final = {big: small for small, big in BIG.items()}


class RowDigests(NamedTuple):
    """128 bits for each row, as two integers.

    Attributes
    ----------
    high, low : numpy.ndarray of int64, shape (n_rows,)
        The two halves.
    """

    high: npt.NDArray[np.int64]
    low: npt.NDArray[np.int64]


def value_digests(values: Iterable[Any], /) -> RowDigests:
    """Return the digest of each of some plain values, such as dicts.

    Raises
    ------
    UnkeyableError
        If one holds what has no canonical bytes; the message says where.
    """
    rows: list[bytes] = []
    try:
        rows.extend(map(token, values))
    except Unreadable as fault:
        fault.path.append(len(rows))
        raise fault.of_value() from None
    return _as_words(_digests_of(rows))


def record_digests(
    columns: Sequence[tuple[Any, Any]], /, *, n_rows: int | None = None
) -> RowDigests:
    """Return the digest of each row of a table, the same as for a dict of its cells.

    Parameters
    ----------
    columns : sequence of (label, column)
        As for :func:`~prodml._core.canonical.digest_columns`, but cells of one column may be of
        several types.
    n_rows : int, optional
        The number of rows, which a table without columns does not tell.

    Raises
    ------
    UnkeyableError
        If a cell has no canonical bytes, or columns differ in length; ``.column`` names the column.
    """
    named = [
        (label_token(label), position, cells_of(values, label))
        for position, (label, values) in enumerate(columns)
    ]
    named.sort(key=lambda entry: entry[:2])
    cells = [(name, column) for name, _, column in named]
    return _row_digests(word(RECORD, len(cells)), cells, row_count(columns, n_rows))


def tuple_digests(columns: Sequence[tuple[Any, Any]], /) -> RowDigests:
    """Return the digest of each row as a tuple of its cells: labels do not count, order does.

    Parameters
    ----------
    columns : sequence of (label, column)
        As for :func:`record_digests`, at least one. Labels are for messages.

    Raises
    ------
    UnkeyableError
        As in :func:`record_digests`.
    """
    cells = [(b"", cells_of(values, label)) for label, values in columns]
    return _row_digests(word(SEQUENCE, len(cells)), cells, row_count(columns, None))


def cells_of(values: Any, label: Any, /) -> PlainColumn | list[bytes]:
    """Return a plain column, or a token for each cell where no one type has them all.

    Raises
    ------
    UnkeyableError
        If a cell has no canonical bytes.
    """
    tokens: list[bytes] = []
    try:
        column = as_column(values)
        try:
            return plain_column(column)
        except Unreadable:
            tokens.extend(map(token, column))
            return tokens
    except Unreadable as fault:
        fault.reason = f"{fault.reason}, first in row {len(tokens)}"
        raise fault.of_column(label) from None


def _row_digests(
    head: bytes, cells: list[tuple[bytes, PlainColumn | list[bytes]]], n_rows: int
) -> RowDigests:
    ready = [(name, _tokens_or_words(column)) for name, column in cells]
    digests: list[bytes] = []
    for start in range(0, n_rows, _BLOCK_ROWS):
        block = slice(start, min(start + _BLOCK_ROWS, n_rows))
        pieces: list[Any] = [head]
        for name, held in ready:
            pieces.append(name)
            if isinstance(held, PlainColumn):
                pieces.append(_matrix(held.tag, held.values[block]))
            else:
                pieces.append(held if isinstance(held, bytes) else held[block])
        digests += _digests_of(_joined(pieces, block.stop - block.start))
    return _as_words(digests)


def _digests_of(rows: list[bytes]) -> list[bytes]:
    return [blake2b(row, digest_size=_DIGEST_SIZE, person=_PERSON).digest() for row in rows]


def _as_words(digests: list[bytes]) -> RowDigests:
    halves = np.frombuffer(b"".join(digests), dtype="<i8").reshape(-1, 2)
    high, low = halves.T.astype(np.int64)
    return RowDigests(high, low)


class _TextTokens(dict[str, bytes]):
    """Tokens of texts, each made once."""

    def __missing__(self, text: str) -> bytes:
        made = self[text] = token(text)
        return made


def cell_tokens(column: PlainColumn, /) -> list[bytes]:
    """Return the token of each cell of a plain column."""
    tag, values, missing = column
    if tag == TEXT:
        known = _TextTokens()
        tokens = list(map(known.__getitem__, text_objects(column).tolist()))
    elif values.dtype != object:
        tokens = _rows_of(_matrix(tag, values))
    elif tag in _SMALL:
        tokens = [word(_SMALL[tag], number) for number in values.tolist()]
    elif tag == UUID_BYTES:
        tokens = [tag + content for content in values.tolist()]
    else:
        tokens = [sized(tag, content) for content in values.tolist()]
    if missing is not None:
        for row in np.flatnonzero(missing).tolist():
            tokens[row] = NULL
    return tokens


def _tokens_or_words(cells: PlainColumn | list[bytes]) -> list[bytes] | PlainColumn | bytes:
    """Return cells ready to be joined: their tokens, unless all of them have one length."""
    if isinstance(cells, list):
        return cells
    if cells.tag == NULL:
        return NULL
    same_length = cells.tag in _FIXED and cells.missing is None
    return cells if same_length else cell_tokens(cells)


def _matrix(tag: bytes, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    raw = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
    matrix = np.empty((len(values), 1 + raw.shape[1]), dtype=np.uint8)
    matrix[:, 0] = tag[0]
    matrix[:, 1:] = raw
    return matrix


def _rows_of(matrix: npt.NDArray[np.uint8]) -> list[bytes]:
    rows: list[bytes] = matrix.view(f"V{matrix.shape[1]}").ravel().tolist()
    return rows


def _joined(pieces: list[Any], n_rows: int) -> list[bytes]:
    """Return the rows that pieces make side by side: matrices, lists, and bytes for all rows."""
    columns: list[list[bytes]] = []
    fixed: list[Any] = []
    for piece in [*pieces, None]:
        if fixed and (piece is None or isinstance(piece, list)):
            columns.append(_rows_of(_side_by_side(fixed, n_rows)))
            fixed = []
        if isinstance(piece, list):
            columns.append(piece)
        elif piece is not None and len(piece):  # a tuple has no labels
            fixed.append(piece)
    return columns[0] if len(columns) == 1 else list(map(b"".join, zip(*columns, strict=True)))


def _side_by_side(pieces: list[Any], n_rows: int) -> npt.NDArray[np.uint8]:
    blocks = [
        np.frombuffer(piece, dtype=np.uint8)[None, :] if isinstance(piece, bytes) else piece
        for piece in pieces
    ]
    matrix = np.empty((n_rows, sum(block.shape[1] for block in blocks)), dtype=np.uint8)
    at = 0
    for block in blocks:
        matrix[:, at : at + block.shape[1]] = block
        at += block.shape[1]
    return matrix
