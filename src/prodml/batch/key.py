"""Idempotency keys: names of work, by which a retry is known as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from prodml.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from prodml.batch.batch import Batch

__all__ = ["KEY_VERSION", "Key", "RecordKeys", "WorkKey", "key_from_text", "key_text"]

#: Begins every key. Keys of another version are other keys.
KEY_VERSION: Final = b"k1:"


class WorkKey(NamedTuple):
    """The name of some work, and a hash of all it was given.

    Attributes
    ----------
    key : bytes
        ``KEY_VERSION`` and a digest.
    payload_hash : bytes
        Tells whether the same key came with other content; empty where the key itself is made
        of all content, so that no other can come.
    """

    key: bytes
    payload_hash: bytes


class RecordKeys(NamedTuple):
    """The names of records, and a checksum of all that each holds: three arrays of one length.

    Attributes
    ----------
    high, low : numpy.ndarray of int64, shape (n_records,)
        The two halves of the key. A single whole number that fits is its own key: `high` is the
        number and `low` 0. Anything else is a digest of 128 bits.
    payloads : numpy.ndarray of int64, shape (n_records,)
        Tells whether the same key came with other content; 0 where the key is made of all content.
    """

    high: npt.NDArray[np.int64]
    low: npt.NDArray[np.int64]
    payloads: npt.NDArray[np.int64]


@runtime_checkable
class Key(Protocol):
    """Makes the keys of batches. Pure: the same batch gives the same key, in any process."""

    def of_batch(self, batch: Batch, /) -> WorkKey:
        """Return the key of a batch.

        Raises :class:`~prodml.errors.MissingKeyError` where there is none, and
        :class:`~prodml.errors.UnkeyableError` for values that have no canonical bytes.
        """
        ...

    def of_records(self, data: Any, /) -> RecordKeys:
        """Return the key of each record of a batch, in order; raises the same.

        The key of a record does not depend on the other records of its batch.
        """
        ...


def key_text(key: bytes, /) -> str:
    """Return a key as people see it: ``"k1:"`` and hexadecimal digits.

    Parameters
    ----------
    key : bytes
        A key.

    Examples
    --------
    >>> key_text(b"k1:" + bytes([1, 255]))
    'k1:01ff'
    """
    return KEY_VERSION.decode() + key.removeprefix(KEY_VERSION).hex()


def key_from_text(text: str, /) -> bytes:
    """Return the key that :func:`key_text` has shown.

    Parameters
    ----------
    text : str
        ``"k1:"`` and hexadecimal digits.

    Raises
    ------
    FormatError
        If it is something else.
    """
    version, _, digits = text.partition(":")
    try:
        digest = bytes.fromhex(digits)
    except ValueError:
        digest = b""
    if f"{version}:".encode() != KEY_VERSION or not digest:
        message = f"A key looks like 'k1:' and hexadecimal digits, got {text!r}."
        raise FormatError(message)
    return KEY_VERSION + digest
