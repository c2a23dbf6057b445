"""Text files of records, read some rows at a time."""

from __future__ import annotations

import codecs
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from prodml._core.parquet import read_parquet_pieces
from prodml.batch._tabular import to_frame
from prodml.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

__all__ = ["FORMATS", "format_of", "is_packed", "read_pieces"]

#: The end of a name -> the format of the file.
FORMATS: Final = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSED: Final = frozenset({".bz2", ".gz", ".xz"})
#: Ends of names of files in which there may be records, but which are not unpacked here.
_PACKED: Final = _COMPRESSED | {".7z", ".lz4", ".snappy", ".tar", ".zip", ".zst"}
#: Every cell as text, and an empty one missing: what they mean is for a contract to say.
_AS_TEXT: Final = {"dtype": str, "keep_default_na": False, "na_values": [""]}


def format_of(path: str, /) -> str | None:
    """Return the format that the name of a file tells, or None."""
    name = Path(path)
    suffix = Path(name.stem).suffix if name.suffix.lower() in _COMPRESSED else name.suffix
    found = FORMATS.get(suffix.lower())
    return None if found == "parquet" and suffix != name.suffix else found


def is_packed(path: str, /) -> bool:
    """Say whether a name tells a format, and a way in which the file is packed."""
    first, *rest = [suffix.lower() for suffix in Path(path).suffixes[-3:]] or [""]
    while rest and first not in FORMATS:
        first, *rest = rest
    return bool(rest) and all(suffix in _PACKED for suffix in rest)


def read_pieces(
    path: str,
    kind: str,
    /,
    *,
    rows: int,
    columns: Sequence[str] | None,
    csv: Mapping[str, Any],
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a file, `rows` at a time.

    Raises
    ------
    FormatError
        If the file is not what its format says; the rows before have been yielded.
    """
    if kind == "parquet":
        return read_parquet_pieces(path, rows=rows, columns=columns)
    if kind == "csv":
        return _read_csv(path, rows=rows, columns=columns, options=csv)
    return _read_json_lines(path, rows=rows, columns=columns)


def _read_csv(
    path: str, *, rows: int, columns: Sequence[str] | None, options: Mapping[str, Any]
) -> Iterator[pd.DataFrame]:
    import pandas as pd

    given: dict[str, Any] = {**_AS_TEXT, **options, "chunksize": rows}
    if isinstance(given["dtype"], Mapping):
        # what is not named stays text: pandas would guess, differently from piece to piece
        given["dtype"] = defaultdict(lambda: str, given["dtype"])
    if columns is not None:
        given["usecols"] = list(columns)
    n_read = 0
    try:
        with pd.read_csv(path, **given) as reader:
            for piece in reader:
                if not len(piece):  # a header alone
                    continue
                if "index_col" not in given:
                    _check_width(piece, path)
                yield piece if columns is None else piece[list(columns)]
                n_read += len(piece)
    except pd.errors.EmptyDataError:
        return
    except FormatError:
        raise
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        message = f"{path!r} cannot be read as CSV behind row {n_read}: {error}"
        raise FormatError(message) from error
    except ValueError as error:
        # a column that is not there, a value that is not of its dtype
        message = f"{path!r} cannot be read as asked behind row {n_read}: {error}"
        raise FormatError(message) from error
    except Exception as error:
        if _is_damage(error):
            raise _damaged(path, f"row {n_read}") from error
        raise


def _check_width(piece: pd.DataFrame, path: str) -> None:
    """Refuse rows that are all wider than the header.

    pandas takes their first column for an index, and calls each of the others by a wrong name.
    """
    import pandas as pd

    if not isinstance(piece.index, pd.RangeIndex):
        message = (
            f"The rows of {path!r} have more cells than its header has names. Mend the header; "
            f"or, if rows end in a delimiter, say csv={{'index_col': False}}."
        )
        raise FormatError(message)


def _is_damage(error: Exception) -> bool:
    """Say whether a compressed file is cut off, or not compressed in this way."""
    import lzma
    import zlib

    if isinstance(error, EOFError | lzma.LZMAError | zlib.error):
        return True
    # gzip and bz2 have an OSError without a number; the system's own has one
    return isinstance(error, OSError) and error.errno is None


def _damaged(path: str, where: str) -> FormatError:
    return FormatError(f"{path!r} is damaged, or not compressed as its name says, behind {where}.")


def _read_json_lines(
    path: str, *, rows: int, columns: Sequence[str] | None
) -> Iterator[pd.DataFrame]:
    from pydantic_core import from_json

    records: list[Any] = []
    with _opened(path) as file:
        for number, line in _numbered_lines(path, file):
            if not line.strip():
                continue
            try:
                record = from_json(line)
            except ValueError:
                record = _parsed_again(path, number, line)
            if not isinstance(record, dict):
                raise _bad_line(path, number, f"a JSON {type(record).__name__}, no object")
            records.append(record)
            if len(records) == rows:
                yield _frame_of(records, columns)
                records = []
    if records:
        yield _frame_of(records, columns)


def _parsed_again(path: str, number: int, line: bytes) -> Any:
    """Return what a line holds that pydantic refuses: halves of surrogate pairs, which are JSON."""
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise _bad_line(path, number, "no JSON") from error


def _numbered_lines(path: str, file: Any) -> Iterator[tuple[int, bytes]]:
    number = 0
    lines = iter(file)
    while True:
        try:
            line = next(lines, None)
        except Exception as error:
            if _is_damage(error):
                raise _damaged(path, f"line {number}") from error
            raise
        if line is None:
            return
        number += 1
        # some programs begin a file with a byte-order mark
        yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def _bad_line(path: str, number: int, what: str) -> FormatError:
    return FormatError(f"Line {number} of {path!r} holds {what}. Mend or remove the line.")


def _frame_of(records: list[Any], columns: Sequence[str] | None) -> pd.DataFrame:
    if columns is None:
        return to_frame(records)
    return to_frame([{name: one.get(name) for name in columns} for one in records])


def _opened(path: str) -> Any:
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        import gzip

        return gzip.GzipFile(path, "rb")
    if suffix == ".bz2":
        import bz2

        return bz2.BZ2File(path, "rb")
    if suffix == ".xz":
        import lzma

        return lzma.LZMAFile(path, "rb")
    return Path(path).open("rb")
