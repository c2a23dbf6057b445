"""Columns of text as bytes, and as 64 bits for each text."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_arrow import text_buffers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Bits = npt.NDArray[np.uint64]

__all__ = ["hash_bytes", "hash_texts", "mix", "sizes", "utf8_parts"]

# Constants of SplitMix64, which is Stafford's variant 13 of a mixing function: Steele, Lea and
# Flood (2014), Fast Splittable Pseudorandom Number Generators, OOPSLA, figure 17.
_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))

_WORD_SIZE: Final = 8
#: Which bits of a word belong to a text of which so many bytes are left.
_MASKS: Final = np.array([(1 << 8 * left) - 1 for left in range(9)], dtype=np.uint64)
#: Beyond it a text is hashed by itself: one round for the sake of few texts does not pay.
_LONGEST_IN_ROUNDS: Final = 256


def sizes(contents: Sequence[Any], /) -> npt.NDArray[np.int64]:
    """Return the length of each."""
    return np.fromiter(map(len, contents), dtype="<i8", count=len(contents))


def utf8_parts(values: Any, /) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Return the lengths of texts in UTF-8, and buffers that hold all of their bytes in order.

    Parameters
    ----------
    values : numpy.ndarray of str or pyarrow.ChunkedArray
        The values of a plain column of text.
    """
    if not isinstance(values, np.ndarray):
        return text_buffers(values)
    texts = values.tolist()
    whole = "".join(texts)
    if whole.isascii():
        return sizes(texts), [whole.encode("ascii")]
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return sizes(encoded), [b"".join(encoded)]


def hash_bytes(content: bytes, /) -> int:
    """Return 64 bits of BLAKE2b."""
    return int.from_bytes(blake2b(content, digest_size=_WORD_SIZE).digest(), "little")


def mix(words: Bits, /) -> None:
    """Mix each word in place, by the finaliser of SplitMix64."""
    words ^= words >> _SHIFTS[0]
    words *= _FIRST
    words ^= words >> _SHIFTS[1]
    words *= _SECOND
    words ^= words >> _SHIFTS[2]


def hash_texts(lengths: npt.NDArray[np.int64], content: bytes, /) -> Bits:
    """Return 64 bits for each text, which depend on nothing but its own bytes.

    Parameters
    ----------
    lengths : numpy.ndarray of int64
        In bytes.
    content : bytes
        The texts, one after the other.

    Notes
    -----
    Starting with its length, each word of 8 bytes of a text is added to what was mixed before,
    and mixed. Texts beyond 256 bytes go through BLAKE2b.
    """
    hashes: Bits = lengths.astype(np.uint64)
    mix(hashes)
    starts = np.cumsum(lengths) - lengths
    padded = content + bytes(_WORD_SIZE)
    # the word that begins at each byte
    words: Any = np.ndarray((len(content) + 1,), dtype="<u8", buffer=padded, strides=(1,))
    rows = np.flatnonzero((lengths > 0) & (lengths <= _LONGEST_IN_ROUNDS))
    done = 0
    while len(rows):
        word = words[starts[rows] + done].astype(np.uint64, copy=False)
        word &= _MASKS[np.minimum(lengths[rows] - done, _WORD_SIZE)]
        word ^= hashes[rows]
        word += _GAMMA
        mix(word)
        hashes[rows] = word
        done += _WORD_SIZE
        rows = rows[lengths[rows] > done]
    for row in np.flatnonzero(lengths > _LONGEST_IN_ROUNDS).tolist():
        start = int(starts[row])
        hashes[row] = hash_bytes(content[start : start + int(lengths[row])])
    return hashes
