"""Parquet files, through pyarrow: read in equal pieces, and written the same each time."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from prodml.errors import MissingDependencyError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

__all__ = ["check_parquet", "count_parquet_rows", "read_parquet_pieces", "write_parquet"]

#: Read ahead in each column, in bytes. pyarrow's own setting holds whole row groups: with this one
#: 240 MB of numbers were read in 41 MB of memory instead of 241.
_BUFFER: Final = 2**20


def check_parquet() -> None:
    """Raise MissingDependencyError if Parquet files can be neither read nor written."""
    _parquet()


def count_parquet_rows(path: str | os.PathLike[str], /) -> int:
    """Return the number of rows that the file says it has."""
    with _parquet().ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def read_parquet_pieces(
    path: str | os.PathLike[str], /, *, rows: int, columns: Sequence[str] | None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a file, `rows` at a time, wherever its row groups begin and end.

    Integers and booleans are nullable in all pieces, where the file holds a missing one: a piece
    does not have floats because of a gap in another one, nor because of its own.
    """
    import pyarrow as pa

    with _parquet().ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        mapper = _nullable_dtypes(file)
        batches = file.iter_batches(
            batch_size=rows, columns=None if columns is None else list(columns), use_threads=False
        )
        for pieces in _regrouped(batches, rows):
            table = pa.Table.from_batches(pieces)
            if columns is not None:
                table = table.select(list(columns))
            frame = table.to_pandas(split_blocks=True, ignore_metadata=True)
            yield _with_nullable(frame, table, mapper)


def _regrouped(batches: Iterable[Any], rows: int) -> Iterator[list[Any]]:
    pending: list[Any] = []
    n_pending = 0
    for arrived in batches:
        batch = arrived
        while n_pending + len(batch) >= rows:
            wanted = rows - n_pending
            yield [*pending, batch.slice(0, wanted)]
            batch, pending, n_pending = batch.slice(wanted), [], 0
        if len(batch):
            pending.append(batch)
            n_pending += len(batch)
    if pending:
        yield pending


def _nullable_dtypes(file: Any) -> set[str]:
    """Return the columns that hold a missing value somewhere, as far as the file tells."""
    found: set[str] = set()
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        for at in range(metadata.num_columns):
            column = metadata.row_group(group).column(at)
            statistics = column.statistics
            if statistics is None or not statistics.has_null_count or statistics.null_count:
                found.add(column.path_in_schema)
    return found


def _with_nullable(frame: pd.DataFrame, table: Any, names: set[str]) -> pd.DataFrame:
    """Return a frame with nullable integers and booleans in some columns."""
    import pandas as pd
    import pyarrow as pa

    wanted = {}
    for at, field in enumerate(table.schema):
        whole = pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)
        if field.name in names and whole:
            dtype = "boolean" if pa.types.is_boolean(field.type) else _capital(str(field.type))
            known: Any = pd.api.types.pandas_dtype(dtype)
            wanted[at] = known.__from_arrow__(table.column(at))
    if not wanted:
        return frame
    columns = [wanted.get(at, frame.iloc[:, at].array) for at in range(len(table.schema))]
    replaced = pd.concat([pd.Series(column) for column in columns], axis=1)
    replaced.columns = frame.columns
    return replaced


def _capital(name: str) -> str:
    return name.replace("uint", "UInt") if name.startswith("u") else name.capitalize()


def write_parquet(frame: pd.DataFrame, file: IO[bytes], /) -> None:
    """Write a frame without its index; the same frame gives the same bytes.

    Raises
    ------
    TypeError
        If a column holds what Parquet does not; the message names it.
    """
    import pyarrow as pa

    parquet = _parquet()
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        message = f"The output cannot be written as Parquet: {'; '.join(map(str, error.args))}"
        raise TypeError(message) from error
    # what pandas adds names its version
    parquet.write_table(table.replace_schema_metadata(None), file)


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        missing = MissingDependencyError.for_extra("pyarrow", extra="arrow", purpose="Parquet")
        raise missing from error
    return pyarrow.parquet
