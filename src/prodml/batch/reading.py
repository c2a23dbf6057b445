"""Batches out of files, frames and iterables, however long they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from prodml._core.labelled_columns import labelled_columns
from prodml._core.parquet import count_parquet_rows
from prodml.batch._files import FORMATS, format_of, is_packed, read_pieces
from prodml.batch._tabular import count_records, slice_records
from prodml.batch.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["BatchReader", "Format", "read_batches"]

Format = Literal["csv", "jsonl", "parquet"]

#: Options of `pandas.read_csv` that are the reader's own.
_OWN_OPTIONS: Final = frozenset({"chunksize", "filepath_or_buffer", "iterator", "nrows", "usecols"})


def read_batches(
    source: Any,
    /,
    *,
    rows: int = 100_000,
    columns: Sequence[str] | None = None,
    format: Format | None = None,  # noqa: A002 - what it is
    csv: Mapping[str, Any] | None = None,
) -> BatchReader:
    """Cut a source into batches of equal length, with little of it in memory at a time.

    The same source and `rows` give the same batches, whatever the row groups of a Parquet file
    are: that is how a job that is run again knows them. A file that is changed while it is read
    is not noticed.

    Parameters
    ----------
    source : DataFrame, mapping of arrays, path, list of paths, or iterable
        A path is a file (``.csv``, ``.jsonl``, ``.ndjson``, ``.parquet``, ``.pq``; text also as
        ``.gz``, ``.bz2`` and ``.xz``), or a folder, of which all such files are read in the order
        of their names, hidden ones left out, and folders in it as well; with `format` all of its
        files. Of an iterable each item is a record, or a frame.
    rows : int, default 100_000
        Records of a batch, >= 1; the last batch of each file may be shorter.
    columns : sequence of str, optional
        Only these columns of files, in this order. What no object of a JSON Lines file has is
        missing in all rows.
    format : {"csv", "jsonl", "parquet"}, optional
        What files are, where their names do not tell.
    csv : mapping, optional
        Options for :func:`pandas.read_csv`, such as ``{"sep": ";", "dtype": {"id": "int64"}}``.
        By default every cell of a CSV file is text, and missing where it is empty, so that its
        type does not depend on the batch it is in; a contract can take it from there. Columns
        that a `dtype` does not name are text as well. As pandas does, blank lines are skipped,
        and cells that a short row lacks are missing; before version 3 a NUL ends its cell.

    Returns
    -------
    BatchReader
        An iterable of :class:`~prodml.batch.Batch`.

    Raises
    ------
    FileNotFoundError
        If a path is not there.
    MissingDependencyError
        When a Parquet file is read without pyarrow.
    FormatError
        When a file is read that is not what its format says. The batches before were given.
    TypeError, ValueError
        If an argument is not what it should be, or the name of a file does not tell its format,
        or nothing that is in a folder can be read. An open file is no source, nor is a record.

    Examples
    --------
    >>> [batch.data for batch in read_batches(range(5), rows=2)]
    [[0, 1], [2, 3], [4]]
    >>> import pandas as pd
    >>> pd.DataFrame({"id": [1, 2, 3]}).to_csv("ids.csv", index=False)
    >>> [(batch.first_row, batch.data["id"].tolist()) for batch in read_batches("ids.csv", rows=2)]
    [(0, ['1', '2']), (2, ['3'])]
    """
    if type(rows) is not int or rows < 1:
        message = f"`rows` must be a whole number >= 1, got {rows!r}."
        raise ValueError(message)
    if format is not None and format not in FORMATS.values():
        message = f"`format` must be 'csv', 'jsonl' or 'parquet', got {format!r}."
        raise ValueError(message)
    if isinstance(columns, str):
        message = f"`columns` must be a sequence of names, got {columns!r}."
        raise TypeError(message)
    options = _checked_options(csv)
    paths = _paths_of(source, format)
    files = None if paths is None else [(path, _format(path, format)) for path in paths]
    if files is None:
        _check_held(source, {"columns": columns, "format": format, "csv": csv})
    return BatchReader(source, files, rows=rows, columns=columns, csv=options)


def _checked_options(csv: Any) -> dict[str, Any]:
    if csv is None:
        return {}
    if not isinstance(csv, Mapping):
        message = f"`csv` must be a mapping of options for pandas.read_csv, got {csv!r}."
        raise TypeError(message)
    if taken := sorted(_OWN_OPTIONS & csv.keys()):
        message = f"`csv` must leave {taken} to `rows` and `columns`."
        raise ValueError(message)
    return dict(csv)


def _check_held(source: Any, for_files: Mapping[str, Any]) -> None:
    """Refuse what holds no records, and options that would do nothing."""
    what = type(source).__name__
    if hasattr(source, "readline"):
        message = f"`source` is an open file ({what}), whose lines are no records. Give its path."
        raise TypeError(message)
    if not _is_iterable(source):
        message = (
            f"`source` must be a frame, a mapping of arrays, a path or an iterable of records, "
            f"got {what}."
        )
        raise TypeError(message)
    if idle := [name for name, given in for_files.items() if given is not None]:
        message = f"`{idle[0]}` says how files are read, and `source` is a {what}. Leave it out."
        raise ValueError(message)


def _is_iterable(source: Any) -> bool:
    """Say whether there are records in it; of a record, its names are none."""
    if isinstance(source, Mapping):
        return labelled_columns(source) is not None
    return hasattr(source, "__iter__") and not isinstance(source, bytes | bytearray)


def _paths_of(source: Any, given: Format | None) -> list[str] | None:
    """Return the files of a source, or None if it has none."""
    if isinstance(source, str | os.PathLike):
        return _files_at(os.fspath(source), given)
    if isinstance(source, list | tuple) and all(
        isinstance(one, str | os.PathLike) for one in source
    ):
        return [path for one in source for path in _files_at(os.fspath(one), given)]
    return None


def _files_at(path: str, given: Format | None) -> list[str]:
    place = Path(path)
    if place.is_dir():
        return _files_in(place, given)
    if not place.exists():
        message = f"There is no file {path!r}."
        raise FileNotFoundError(message)
    return [path]


def _files_in(folder: Path, given: Format | None) -> list[str]:
    shown = sorted(one for one in folder.iterdir() if not one.name.startswith((".", "_")))
    found = [
        str(one)
        for one in shown
        # what is packed is not passed over: its rows would be lost, and nobody told
        if one.is_file() and (given or format_of(one.name) or is_packed(one.name))
    ]
    if shown and not found:
        message = (
            f"The folder {str(folder)!r} has no file that can be read, but {len(shown)} other "
            f"entries. Folders in it are not read; for files with other names say format='csv', "
            f"'jsonl' or 'parquet'."
        )
        raise ValueError(message)
    return found


def _format(path: str, given: Format | None) -> str:
    found = given or format_of(path)
    if found is None:
        message = (
            f"The name {path!r} does not tell what the file holds; it knows "
            f"{', '.join(FORMATS)}, and text also as .gz, .bz2 and .xz. Unpack the file, or say "
            f"format='csv', 'jsonl' or 'parquet'."
        )
        raise ValueError(message)
    return found


class BatchReader:
    """An iterable of batches, made by :func:`read_batches`.

    Each iteration begins anew, if the source does; an iterator gives its items once. Iterations
    do not disturb each other.
    """

    def __init__(
        self,
        source: Any,
        files: list[tuple[str, str]] | None,
        *,
        rows: int,
        columns: Sequence[str] | None,
        csv: Mapping[str, Any],
    ) -> None:
        self._source = source
        self._files = files
        self._rows = rows
        self._columns = columns
        self._csv = csv

    @property
    def n_rows(self) -> int | None:
        """How many records there are, where the source tells without being read."""
        if self._files is None:
            if labelled_columns(self._source) is not None:
                return count_records(self._source)
            known = hasattr(self._source, "__len__") and not _holds_frames(self._source)
            return len(self._source) if known else None
        if all(kind == "parquet" for _, kind in self._files):
            return sum(count_parquet_rows(path) for path, _ in self._files)
        return None

    def __iter__(self) -> Iterator[Batch]:
        if self._files is not None:
            return self._of_files(self._files)
        if labelled_columns(self._source) is not None:
            return self._of_tables([self._source])
        return self._of_items(self._source)

    def _of_files(self, files: list[tuple[str, str]]) -> Iterator[Batch]:
        number = 0
        for path, kind in files:
            first_row = 0
            pieces = read_pieces(path, kind, rows=self._rows, columns=self._columns, csv=self._csv)
            for piece in pieces:
                yield Batch(piece, number, first_row, path)
                number += 1
                first_row += len(piece)

    def _of_tables(self, tables: Iterable[Any]) -> Iterator[Batch]:
        number = first_row = 0
        for table in tables:
            n_rows = count_records(table)
            for start in range(0, n_rows, self._rows):
                piece = slice_records(table, start, min(start + self._rows, n_rows))
                yield Batch(piece, number, first_row)
                number += 1
                first_row += count_records(piece)

    def _of_items(self, items: Iterable[Any]) -> Iterator[Batch]:
        return self._of_tables(self._gathered(items))

    def _gathered(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield frames as they come, and other items as lists of records."""
        records: list[Any] = []
        for item in items:
            frame = _is_frame(item)
            if not frame:
                records.append(item)
            if records and (frame or len(records) == self._rows):
                yield records
                records = []
            if frame:
                yield item
        if records:
            yield records

    def __repr__(self) -> str:
        what = type(self._source).__name__
        if self._files is not None:
            what = f"{len(self._files)} files"
        return f"BatchReader({what}, rows={self._rows})"


def _holds_frames(source: Any) -> bool:
    return isinstance(source, list | tuple) and any(map(_is_frame, source))


def _is_frame(item: Any) -> bool:
    """Say whether an item is many records; a Series, as `iterrows` gives it, is one."""
    return hasattr(item, "iloc") and hasattr(item, "columns")
