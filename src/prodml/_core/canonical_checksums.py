"""Checksums of single rows: cheap enough to take of millions, to notice that one has changed."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_columns import row_count
from prodml._core.canonical_rows import cell_tokens, cells_of
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
)
from prodml._core.canonical_text import hash_bytes, hash_texts, mix, sizes, utf8_parts
from prodml._core.canonical_tokens import (
    label_token,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from prodml._core.canonical_plain import PlainColumn

    Bits = npt.NDArray[np.uint64]

__all__ = ["record_checksums"]

_BLOCK_ROWS: Final = 32_768
#: Types whose token is a letter and the bits of a number.
_WORD_TAGS: Final = frozenset({DATE, DURATION, FLOAT, INTEGER, MOMENT, TIME})
#: Bytes of the token of a text before the text.
_SIZED_HEAD: Final = 9
#: Up to here, float64 holds every whole number.
_EXACT: Final = 2.0**53


def record_checksums(
    columns: Sequence[tuple[Any, Any]], /, *, n_rows: int | None = None
) -> npt.NDArray[np.int64]:
    """Return 64 bits for each row that change, as good as surely, when a cell does.

    Parameters
    ----------
    columns : sequence of (label, column)
        As for :func:`~prodml._core.canonical_rows.record_digests`.
    n_rows : int, optional
        The number of rows, which a table without columns does not tell.

    Returns
    -------
    numpy.ndarray of int64, shape (n_rows,)
        The sum of a mixed word for each cell. Anybody can find two rows with the same, so that
        it proves nothing against ill will.

    Raises
    ------
    UnkeyableError
        As in :func:`~prodml._core.canonical_rows.record_digests`.

    Notes
    -----
    The order of columns does not count, labels and types do, with two exceptions. A missing value
    counts as much as an absent column, and a float that is a whole number as that integer: pandas
    turns the integers of a chunk into floats where one is missing, and their rows have not changed.

    See :mod:`~prodml._core.canonical_text` for the hash of a text, and for the mixing. Decimals,
    bytes and nested values go through BLAKE2b.
    """
    length = row_count(columns, n_rows)
    total = np.zeros(length, dtype=np.uint64)
    met: dict[bytes, int] = {}
    for label, values in columns:
        name = label_token(label)
        met[name] = met.get(name, -1) + 1
        name += word(INTEGER, met[name])
        cells = cells_of(values, label)
        if isinstance(cells, list):
            _add_singly(total, name, cells)
        elif cells.tag != NULL:
            _add_column(total, name, cells)
    return total.view(np.int64)


def _add_column(total: Bits, name: bytes, column: PlainColumn) -> None:
    tag, values, missing = column
    if tag == TEXT:
        lengths, contents = utf8_parts(values)
        bits = hash_texts(lengths, b"".join(contents))
    elif tag == BOOLEAN:
        bits = values.astype(np.uint64)
    elif values.dtype == object:
        _add_singly(total, name, cell_tokens(column))
        return
    else:
        bits = values.astype(values.dtype.newbyteorder("="), copy=False).view(np.uint64)
    seed = _seed(name, tag)
    whole = _seed(name, INTEGER)
    for start in range(0, len(total), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        words = bits[block] ^ seed
        if tag == FLOAT:
            _take_for_integers(words, values[block], whole)
        mix(words)
        if missing is not None:
            words[missing[block]] = 0
        total[block] += words


def _take_for_integers(words: Bits, values: npt.NDArray[np.float64], seed: np.uint64) -> None:
    whole = (values == np.floor(values)) & (np.abs(values) <= _EXACT)
    words[whole] = values[whole].astype(np.int64).view(np.uint64) ^ seed


def _seed(name: bytes, tag: bytes) -> np.uint64:
    return np.uint64(hash_bytes(name + tag))


def _add_singly(total: Bits, name: bytes, tokens: list[bytes]) -> None:
    """Add cells of several types, each as it would be added in a column of its own type."""
    seeds: dict[bytes, int] = {NULL: 0}
    words = np.empty(len(tokens), dtype=np.uint64)
    mask = np.empty(len(tokens), dtype=np.uint64)
    for row, cell in enumerate(tokens):
        tag, bits = _bits_of(cell)
        if tag not in seeds:
            seeds[tag] = int(_seed(name, tag))
        words[row], mask[row] = bits, seeds[tag]
    texts = [row for row, cell in enumerate(tokens) if cell[:1] == TEXT]
    contents = [tokens[row][_SIZED_HEAD:] for row in texts]
    words[texts] = hash_texts(sizes(contents), b"".join(contents))
    words ^= mask
    mix(words)
    words[np.fromiter(map(NULL.__eq__, tokens), dtype=bool, count=len(tokens))] = 0
    total += words


def _bits_of(cell: bytes) -> tuple[bytes, int]:
    tag = cell[:1]
    if tag in {NULL, TEXT}:  # texts are hashed together
        return tag, 0
    if tag == BOOLEAN:
        return tag, cell[1]
    if tag == FLOAT:
        (value,) = struct.unpack("<d", cell[1:])
        if value.is_integer() and abs(value) <= _EXACT:
            return INTEGER, int(value) % 2**64
    if tag in _WORD_TAGS:
        return tag, int.from_bytes(cell[1:], "little")
    return tag, hash_bytes(cell)
