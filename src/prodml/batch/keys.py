"""The idempotency keys that prodml brings: of content, of business columns, of files."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from prodml._core.canonical import DIGEST_SIZE, digest_columns, digest_value
from prodml._core.canonical_columns import read_column
from prodml._core.canonical_rows import cells_of, record_digests, value_digests
from prodml._core.labelled_columns import labelled_columns
from prodml.batch._business import (
    business_keys,
    content_of,
    key_columns,
    payload_checksums,
    refuse_missing,
    refuse_repeated,
    repeated_rows,
)
from prodml.batch._tabular import count_records
from prodml.batch.key import KEY_VERSION, RecordKeys, WorkKey
from prodml.errors import BatchError, UnkeyableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.batch.batch import Batch

__all__ = ["BusinessKey", "ContentKey", "Duplicates", "FileChecksum"]

#: What becomes of records that share a key with an earlier one of their batch.
Duplicates = Literal["raise", "keep_first"]

_pack_place: Final = struct.Struct("<cq").pack
_CHECKSUMS_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class ContentKey:
    """Names work by all of its content: the same values are the same work.

    Right where records have no identity of their own. Two equal batches are one piece of work,
    unless they stand at different places of their source: `first_row` is part of the key, the
    name of the source is not, so that a file that was moved is still known.

    What counts are the values, not how they are held: ints of any width are equal, times of any
    unit, text in objects, in Arrow and in categories, and whatever stands for a missing value.
    The order of rows counts, that of columns does not, nor do index labels. The key is the same
    in every process, on every machine and with every supported version of pandas and numpy. A
    DataFrame and a mapping of arrays with the same columns are the same work; a list of records
    is another one.

    Immutable, picklable, safe between threads. About 2 us for a batch of one number, 3 us for one
    dict of three fields, 0.05 to 0.3 s for a million rows of four columns, by where the text lies.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from prodml.batch.batch import Batch
    >>> frame = pd.DataFrame({"id": [1, 2], "amount": [2.5, None]})
    >>> arrays = {"amount": np.array([2.5, np.nan]), "id": np.array([1, 2], dtype="int8")}
    >>> key = ContentKey()
    >>> key.of_batch(Batch(frame, number=0)) == key.of_batch(Batch(arrays, number=5))
    True
    """

    def of_batch(self, batch: Batch, /) -> WorkKey:
        """Return the key of a batch; its payload hash is empty, since the key is of all content.

        Raises
        ------
        UnkeyableError
            If the data hold values without canonical bytes.
        """
        return WorkKey(KEY_VERSION + _digest_of(batch.data, _salt(batch)), b"")

    def of_records(self, data: Any, /) -> RecordKeys:
        """Return the key of each record: equal records have one, a row of a table and a dict too.

        Raises
        ------
        UnkeyableError
            If a record holds values without canonical bytes.
        """
        table = labelled_columns(data)
        if table is not None:
            digests = record_digests(table.columns, n_rows=table.n_rows)
        else:
            digests = value_digests(data if isinstance(data, list | tuple) else [data])
        return RecordKeys(digests.high, digests.low, np.zeros(len(digests.high), dtype=np.int64))


@dataclass(frozen=True, slots=True, init=False, repr=False)
class BusinessKey:
    """Names work by the columns that say which record is meant, as an order number does.

    The same key with other content is an error of whoever sends it, which a ledger raises as
    :class:`~prodml.errors.IdempotencyConflictError`.

    Records may be rows of a table, dicts, dataclasses, pydantic models, or objects with
    attributes. The names of the columns are no part of the key, their order is. Whole numbers of
    any width are one key, and so is text however it is held; ``1``, ``1.0`` and ``"1"`` are three.

    Immutable, picklable, safe between threads.

    Parameters
    ----------
    *columns : str
        One or more names of columns or fields.
    duplicates : {"raise", "keep_first"}, default "raise"
        What :meth:`of_records` does with records that share a key: ``"raise"`` an error, or
        return all keys, for a caller that keeps the first of each. The records of a whole batch
        must always differ.

    Raises
    ------
    BatchError
        If no column is given, one twice, or one that is no text; or if `duplicates` is unknown.

    Examples
    --------
    >>> from prodml.batch.batch import Batch
    >>> key = BusinessKey("id")
    >>> first = key.of_batch(Batch(data=[{"id": 7, "amount": 1}], number=0))
    >>> again = key.of_batch(Batch(data=[{"id": 7, "amount": 2}], number=0))
    >>> first.key == again.key, first.payload_hash == again.payload_hash
    (True, False)
    >>> key.of_records([{"id": 7}, {"id": 8}]).high.tolist()
    [7, 8]
    """

    #: Names of the columns, in the order in which they are keyed.
    columns: tuple[str, ...]
    #: What becomes of records that share a key.
    duplicates: Duplicates

    def __init__(self, *columns: str, duplicates: Duplicates = "raise") -> None:
        if not columns or not all(isinstance(column, str) for column in columns):
            message = f"A BusinessKey needs the names of one or more columns, got {columns!r}."
            raise BatchError(message)
        if len(set(columns)) < len(columns):
            message = f"A BusinessKey needs each column once, got {columns!r}."
            raise BatchError(message)
        if duplicates not in get_args(Duplicates):
            message = f"`duplicates` must be 'raise' or 'keep_first', got {duplicates!r}."
            raise BatchError(message)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "duplicates", duplicates)

    def __repr__(self) -> str:
        names = ", ".join(map(repr, self.columns))
        return f"BusinessKey({names}, duplicates={self.duplicates!r})"

    def of_batch(self, batch: Batch, /) -> WorkKey:
        """Return the key of a batch: its records' keys in order, and a hash of all content.

        Raises
        ------
        MissingKeyError
            If a key column is absent, or a record has no value in one.
        DuplicateKeyError
            If two records share a key.
        UnkeyableError
            If values have no canonical bytes.
        """
        data = batch.data
        columns = key_columns(data, self.columns)
        refuse_missing(columns, read_column)
        refuse_repeated(columns, repeated_rows(columns))
        digest = digest_columns([(place, values) for place, (_, values) in enumerate(columns)])
        return WorkKey(KEY_VERSION + digest, _digest_of(content_of(data), b""))

    def of_records(self, data: Any, /) -> RecordKeys:
        """Return the key of each record, and a checksum of all that it holds.

        Raises
        ------
        MissingKeyError
            If a key column is absent, or a record has no value in one.
        DuplicateKeyError
            If two records share a key, unless `duplicates` is ``"keep_first"``.
        UnkeyableError
            If values have no canonical bytes.
        """
        columns = key_columns(data, self.columns)
        refuse_missing(columns, cells_of)
        keys = business_keys(columns)
        if self.duplicates == "raise":
            refuse_repeated(columns, repeated_rows(columns, keys))
        return RecordKeys(keys.high, keys.low, payload_checksums(data))


@dataclass(frozen=True, slots=True)
class FileChecksum:
    r"""Names work by the bytes of the file it comes from: nothing is hashed row by row.

    Right for large files that are read in batches by
    :func:`~prodml.batch.read_batches`, and for batches that are a path themselves. The
    key is made of the file's checksum, the place of the batch in it, and its number of records:
    read again with another size of batches, everything is other work, and a ledger that knows
    the old batches does not know the new ones. The name of the file does not count, nor do the
    columns that are read from it.

    A file is read once for each object and each state of it, as its size, its time of change and
    its identity tell; the checksums of the last 64 files are kept. A file that is changed in
    place within one tick of the clock of its file system, in equal size, is not noticed.

    Immutable, picklable without the checksums, safe between threads and after a fork.

    Examples
    --------
    >>> from pathlib import Path
    >>> from prodml.batch.batch import Batch
    >>> _ = Path("today.csv").write_text("id\n1\n")
    >>> _ = Path("copy.csv").write_text("id\n1\n")
    >>> key = FileChecksum()
    >>> key.of_batch(Batch("today.csv", 0)) == key.of_batch(Batch("copy.csv", 0))
    True
    """

    _checksum_of: Callable[[str, int, int, int], bytes] = field(
        default_factory=lambda: lru_cache(_CHECKSUMS_KEPT)(_checksum),
        init=False,
        repr=False,
        compare=False,
    )

    def __reduce__(self) -> tuple[type[FileChecksum], tuple[()]]:
        return FileChecksum, ()

    def of_batch(self, batch: Batch, /) -> WorkKey:
        """Return the key of a batch; its payload hash is empty, since the key is of all content.

        Raises
        ------
        UnkeyableError
            If the batch has no source and is no path, or the file changed while it was read.
        FileNotFoundError
            If the file is not there.
        """
        path = batch.data if batch.source is None else batch.source
        if not isinstance(path, str | os.PathLike):
            message = (
                "FileChecksum names batches by their file, and this one has no source and is no "
                f"path, but a value of type {type(path).__qualname__!r}. Read files with "
                "read_batches, or take ContentKey or BusinessKey."
            )
            raise UnkeyableError(message)
        state = Path(path).stat()
        name = os.fspath(path)
        checksum = self._checksum_of(name, state.st_size, state.st_mtime_ns, state.st_ino)
        facts = ("file", checksum, batch.first_row, count_records(batch.data))
        return WorkKey(KEY_VERSION + digest_value(facts), b"")

    def of_records(self, data: Any, /) -> RecordKeys:
        """Raise, since a file does not name its records.

        Raises
        ------
        UnkeyableError
            Always.
        """
        message = (
            "FileChecksum names batches, not records, of which it was given some in a value of "
            f"type {type(data).__qualname__!r}. Take BusinessKey or ContentKey for records."
        )
        raise UnkeyableError(message)


def _salt(batch: Batch) -> bytes:
    return b"" if batch.first_row is None else _pack_place(b"\x01", batch.first_row)


def _digest_of(data: Any, salt: bytes) -> bytes:
    table = labelled_columns(data)
    if table is None:
        return digest_value(data, salt=salt)
    return digest_columns(table.columns, n_rows=table.n_rows, salt=salt)


def _checksum(path: str, size: int, changed_ns: int, identity: int) -> bytes:
    with Path(path).open("rb") as file:
        digest = file_digest(file, lambda: blake2b(digest_size=DIGEST_SIZE)).digest()
        state = os.fstat(file.fileno())
    if (state.st_size, state.st_mtime_ns, state.st_ino) != (size, changed_ns, identity):
        message = f"The file {path!r} changed while it was read. Let its writer finish first."
        raise UnkeyableError(message)
    return digest
