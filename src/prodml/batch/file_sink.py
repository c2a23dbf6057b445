"""Output in files: one for each batch, named by its key, there in whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from csv import QUOTE_ALL
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from prodml._core.columns import pandas_major
from prodml._core.files import (
    DRAFT_SUFFIX,
    discard_draft,
    draft_of,
    make_folder,
    sync_folder,
    write_draft,
)
from prodml._core.parquet import check_parquet, write_parquet
from prodml.batch._files import read_pieces
from prodml.batch._tabular import check_names, to_frame, to_rows
from prodml.batch.key import key_text
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import StorageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from prodml._core.sql import Session
    from prodml.batch.batch import BatchOutput
    from prodml.batch.sink import Guarantee
    from prodml.protocols import Clock

__all__ = ["FileFormat", "FileSink"]

FileFormat = Literal["parquet", "csv", "jsonl"]

_WHOLE: Final = 2**62
_DAY: Final = 86_400.0
#: The version of pandas since which text becomes the nearest float without being told.
_EXACT_FLOATS: Final = 3


class FileSink:
    """Writes the output of each batch into a file of its own, which is named by the key.

    A file takes its name when it is whole and on the disk; writing the same batch again replaces
    it. Who reads should ask the ledger which keys are done, and read their files with
    :meth:`read`: a folder may also hold the file of a batch that was never marked.

    Immutable, hence thread-safe; fork-safe; picklable.

    Parameters
    ----------
    folder : str or os.PathLike
        Where files go, on a local disk; made if it is absent.
    format : {"parquet", "csv", "jsonl"}, default "parquet"
        What they are. Parquet needs the extra ``arrow``, and keeps types. CSV holds a missing
        value as an empty cell, as which an empty text comes back as well; and text that looks
        like a number comes back as one, so that ``"007"`` is 7. Text with NUL is cut short there
        where pandas 2 reads it. JSON lines hold times as ISO 8601 to the microsecond, decimals as
        text, bytes as base64, and infinity as ``Infinity``.
    clock : Clock, optional
        Tells how old half-written files are; see :meth:`sweep`.

    Raises
    ------
    MissingDependencyError
        If Parquet is asked for and pyarrow is not installed.
    StorageError
        If the folder cannot be made.
    ValueError
        If `format` is none of these.

    Examples
    --------
    >>> from prodml.batch import BatchProcessor, SqliteLedger
    >>> ledger, sink = SqliteLedger(":memory:"), FileSink("out", format="jsonl")
    >>> job = BatchProcessor(lambda batch: batch, ledger=ledger, sink=sink, namespace="n")
    >>> _ = job.run([[{"id": 1}], [{"id": 2}, {"id": 3}]])
    >>> [frame["id"].tolist() for frame in sink.read(ledger.done_keys("n"))]
    [[1], [2, 3]]
    """

    guarantee: Final[Guarantee] = "idempotent"

    def __init__(
        self,
        folder: str | os.PathLike[str],
        /,
        *,
        format: FileFormat = "parquet",  # noqa: A002 - what it is
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if format not in get_args(FileFormat):
            message = f"`format` must be one of {get_args(FileFormat)}, got {format!r}."
            raise ValueError(message)
        if format == "parquet":
            check_parquet()
        self._folder = Path(folder)
        self._format = format
        self._clock = clock
        try:
            make_folder(self._folder)
        except OSError as error:
            raise self._failure(error) from error

    def path_of(self, key: bytes, /) -> Path:
        """Return where the output of a batch is, or will be.

        Parameters
        ----------
        key : bytes
            The key of the batch.
        """
        return self._folder / f"{key_text(key).replace(':', '-')}.{self._format}"

    def write(self, outputs: Sequence[BatchOutput], _session: Session | None = None, /) -> None:
        """Write the files of some batches, all of them on the disk before any has its name.

        Parameters
        ----------
        outputs : sequence of BatchOutput
            Frames, mappings of columns, lists of records, or None for a file without rows.

        Raises
        ------
        StorageError
            If the disk is full, or the folder cannot be written. No file is there in part.
        TypeError
            If the format does not hold the values of a column; the message names it.
        ValueError
            If two columns have one name.
        """
        drafts: list[tuple[Path, Path]] = []
        try:
            for output in outputs:
                target = self.path_of(output.key)
                drafts.append((draft_of(target), target))
                with write_draft(drafts[-1][0], binary=True) as file:
                    _WRITERS[self._format](output.data, file)
            for draft, target in drafts:
                draft.replace(target)
            sync_folder(self._folder)
        except BaseException as error:
            for draft, _ in drafts:
                discard_draft(draft)
            if isinstance(error, OSError):
                raise self._failure(error) from error
            raise

    def read(self, keys: Iterable[bytes], /) -> Iterator[pd.DataFrame]:
        """Yield the output of batches as frames, in the order of the keys.

        Parameters
        ----------
        keys : iterable of bytes
            From ``ledger.done_keys(namespace)``. Batches without rows are passed over.

        Raises
        ------
        StorageError
            If the file of a key is not there.
        """
        for key in keys:
            path = self.path_of(key)
            if not path.exists():
                message = f"The file {str(path)!r} is gone, though its batch is done."
                raise StorageError(message, location=str(path))
            natural = _natural_options()
            for frame in read_pieces(
                str(path), self._format, rows=_WHOLE, columns=None, csv=natural
            ):
                if len(frame):  # CSV without rows gives a frame of its header
                    yield _with_nullable(frame, path) if self._format == "csv" else frame

    def sweep(self, *, older_than: float = _DAY) -> int:
        """Remove what killed processes have left half written, and return how many files.

        Parameters
        ----------
        older_than : float, default one day
            Only what was last written longer ago than this, in seconds: a younger file may be in
            the hands of a process that lives.
        """
        limit = self._clock.now().timestamp() - older_than
        n_removed = 0
        for path in list(self._folder.glob(f".k1-*{DRAFT_SUFFIX}")):
            with suppress(FileNotFoundError):  # its writer has just finished it
                if path.stat().st_mtime < limit:
                    path.unlink()
                    n_removed += 1
        return n_removed

    def _failure(self, error: OSError) -> StorageError:
        message = (
            f"The folder {str(self._folder)!r} cannot be written: {error.strerror or error}. "
            f"Nothing of these batches is marked as done."
        )
        return StorageError(message, location=str(self._folder))

    def __repr__(self) -> str:
        return f"FileSink({str(self._folder)!r}, format={self._format!r})"


def _natural_options() -> dict[str, Any]:
    """Return what makes pandas read numbers as numbers, and not as text.

    No word counts as missing: only what is empty was. Types are those of the whole file.
    """
    natural: dict[str, Any] = {"dtype": None, "low_memory": False}
    if pandas_major() < _EXACT_FLOATS:
        natural["float_precision"] = "round_trip"
    return natural


def _with_nullable(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the content of a CSV file with nullable integers and booleans where one is missing.

    pandas makes floats of the first, which do not hold all digits, and objects of the others.
    """
    doubtful = [at for at in range(frame.shape[1]) if _may_be_nullable(frame.iloc[:, at])]
    if not doubtful:
        return frame
    again = {**_natural_options(), "usecols": doubtful, "dtype_backend": "numpy_nullable"}
    (read,) = read_pieces(str(path), "csv", rows=_WHOLE, columns=None, csv=again)
    for at, column in zip(doubtful, read.columns, strict=True):
        nullable = read[column]
        # pandas 2.2 takes the largest unsigned number for a missing one
        known = nullable.isna().equals(frame.iloc[:, at].isna())
        if known and nullable.dtype.kind in "iub":
            frame.isetitem(at, nullable.array)
    return frame


def _may_be_nullable(column: pd.Series[Any]) -> bool:
    present = column.dropna()
    if not 0 < len(present) < len(column):
        return False
    if column.dtype.kind == "f":
        return bool((present % 1 == 0).all())
    return all(isinstance(cell, bool) for cell in present)


def _write_parquet(data: Any, file: Any) -> None:
    frame = to_frame(data)
    check_names(list(frame.columns))
    write_parquet(frame, file)


def _write_csv(data: Any, file: Any) -> None:
    frame = to_frame(data)
    if not len(frame.columns):
        return
    names = check_names(list(frame.columns))
    try:
        named = frame.set_axis(names, axis=1)
        text = named.to_csv(index=False, lineterminator="\n")
        if "\r" in text:  # Python before 3.13 leaves it without quotes, and readers end the row
            text = named.to_csv(index=False, lineterminator="\n", quoting=QUOTE_ALL)
        file.write(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        cells = zip(*to_rows(frame)[1], strict=True)
        found = [name for name, column in zip(names, cells, strict=True) if not _has_utf8(column)]
        message = f"Columns {found} hold text that has no UTF-8, as CSV needs."
        raise TypeError(message) from error


def _has_utf8(cells: Sequence[Any]) -> bool:
    try:
        "".join(map(str, cells)).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _write_json_lines(data: Any, file: Any) -> None:
    from pydantic_core import PydanticSerializationError, to_json

    names, rows = to_rows(data)
    for row in rows:
        record = dict(zip(names, row, strict=True))
        try:
            line = to_json(record, inf_nan_mode="constants", bytes_mode="base64")
        except (PydanticSerializationError, UnicodeEncodeError) as error:
            message = f"Column {_odd_name(record)!r} cannot be written as JSON: {error}"
            raise TypeError(message) from error
        file.write(line + b"\n")


def _odd_name(record: dict[str, Any]) -> str | None:
    """Return the name of the first cell that JSON does not hold."""
    from pydantic_core import PydanticSerializationError, to_json

    for name, cell in record.items():
        try:
            to_json({name: cell}, bytes_mode="base64")
        except (PydanticSerializationError, UnicodeEncodeError):
            return name
    return None


_WRITERS: Final = {"parquet": _write_parquet, "csv": _write_csv, "jsonl": _write_json_lines}
