"""Business keys: which columns make them, what is wrong with them, and the rest of the record."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.canonical_checksums import record_checksums
from prodml._core.canonical_columns import as_column, text_objects
from prodml._core.canonical_plain import PlainColumn
from prodml._core.canonical_rows import RowDigests, cell_tokens, cells_of, tuple_digests
from prodml._core.canonical_scalars import INTEGER, NULL, TEXT
from prodml._core.canonical_tokens import BIG, fields_of
from prodml._core.labelled_columns import labelled_columns
from prodml.errors import DuplicateKeyError, MissingKeyError, UnkeyableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Columns = list[tuple[str, Any]]
    Cells = PlainColumn | list[bytes]

__all__ = [
    "business_keys",
    "content_of",
    "key_columns",
    "payload_checksums",
    "refuse_missing",
    "refuse_repeated",
    "repeated_rows",
]

_SHOWN: Final = 5
_ABSENT: Final = object()


def key_columns(data: Any, names: Sequence[str], /) -> Columns:
    """Return the columns that make the key, in the order of `names`.

    Raises
    ------
    MissingKeyError
        If a column is absent, or a record does not have the field.
    UnkeyableError
        If a table has two columns of the name.
    """
    table = labelled_columns(data)
    if table is None:
        records = _records_of(data)
        return [(name, _field_of(records, name)) for name in names]
    if not table.columns and not table.n_rows:
        return [(name, []) for name in names]
    return [(name, _column_of(table.columns, name)) for name in names]


def _column_of(columns: list[tuple[Any, Any]], name: str) -> Any:
    found = [values for label, values in columns if type(label) is type(name) and label == name]
    if not found:
        raise _absent(name, [label for label, _ in columns])
    if len(found) > 1:
        message = (
            f"No key can be made: there are {len(found)} columns {name!r}. Rename all but one."
        )
        raise UnkeyableError(message, column=name)
    return found[0]


def _field_of(records: Sequence[Any], name: str) -> list[Any]:
    cells = [
        record.get(name, _ABSENT) if isinstance(record, Mapping) else getattr(record, name, _ABSENT)
        for record in records
    ]
    rows = [row for row, cell in enumerate(cells) if cell is _ABSENT]
    if rows and len(rows) == len(cells):
        raise _absent(name, list(record_fields(records[0]) or ()))
    if rows:
        raise _without_value(name, rows)
    return cells


def _absent(name: str, known: list[Any]) -> MissingKeyError:
    near = get_close_matches(name, [label for label in known if isinstance(label, str)], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    message = f"The key column {name!r} is not among the columns {known!r}.{hint}"
    return MissingKeyError(message, column=name)


def _without_value(name: str, rows: Sequence[int]) -> MissingKeyError:
    shown = ", ".join(map(str, rows[:_SHOWN])) + (", ..." if len(rows) > _SHOWN else "")
    message = (
        f"{len(rows)} records have no value in the key column {name!r}, in rows {shown}. "
        "Give them one, or set them aside before, as a contract with this key does."
    )
    return MissingKeyError(message, column=name, rows=rows[:_SHOWN])


def refuse_missing(columns: Columns, read: Callable[[Any, str], Cells], /) -> None:
    """Raise MissingKeyError if a record has no value in one of the columns.

    Parameters
    ----------
    columns : list of (name, column)
        From :func:`key_columns`.
    read : callable
        Reads a column: ``read_column`` where all of its cells must be of one type, or ``cells_of``.
    """
    for name, values in columns:
        cells = read(values, name)
        if isinstance(cells, list):
            gone = [row for row, cell in enumerate(cells) if cell == NULL]
        elif cells.tag == NULL:
            gone = list(range(len(values)))
        else:
            gone = [] if cells.missing is None else np.flatnonzero(cells.missing).tolist()
        if gone:
            raise _without_value(name, gone)


def business_keys(columns: Columns, /) -> RowDigests:
    """Return the key of each record: a single whole number itself, else a digest of its tuple."""
    if len(columns) > 1:
        return tuple_digests(columns)
    (name, values) = columns[0]
    cells = cells_of(values, name)
    if isinstance(cells, PlainColumn) and cells.tag == INTEGER:
        return RowDigests(cells.values.astype(np.int64), np.zeros(len(cells.values), np.int64))
    digests = tuple_digests(columns)
    if isinstance(cells, list) or cells.tag == BIG[INTEGER]:
        # a key must not depend on what other records hold
        tokens = cells if isinstance(cells, list) else cell_tokens(cells)
        for row, cell in enumerate(tokens):
            if cell[:1] == INTEGER:
                digests.high[row] = int.from_bytes(cell[1:], "little", signed=True)
                digests.low[row] = 0
    return digests


def repeated_rows(columns: Columns, keys: RowDigests | None = None, /) -> npt.NDArray[np.intp]:
    """Return the rows, in order, that share their key with another row."""
    if _all_distinct(columns) if keys is None else _no_neighbours(keys.high):
        return np.empty(0, dtype=np.intp)
    keys = keys or business_keys(columns)
    order = np.lexsort((keys.low, keys.high))
    high, low = keys.high[order], keys.low[order]
    same = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    shared = np.zeros(len(order), dtype=bool)
    shared[1:] |= same
    shared[:-1] |= same
    return np.sort(order[shared])


def _all_distinct(columns: Columns) -> bool:
    """Say whether it is certain at little cost that no two records share a key."""
    name, values = columns[0]
    if len(columns) == 1 and len(values) > 1:
        cells = cells_of(values, name)
        if isinstance(cells, PlainColumn) and cells.tag == INTEGER:
            return _no_neighbours(cells.values)
        if isinstance(cells, PlainColumn) and cells.tag == TEXT:
            return len(set(text_objects(cells).tolist())) == len(values)
    if len(values) < 2:  # noqa: PLR2004 - one record shares nothing
        return True
    return _no_neighbours(record_checksums(list(enumerate(column for _, column in columns))))


def _no_neighbours(words: npt.NDArray[np.int64]) -> bool:
    ordered = np.sort(words)
    return not bool((ordered[1:] == ordered[:-1]).any())


def refuse_repeated(columns: Columns, rows: npt.NDArray[np.intp], /) -> None:
    """Raise DuplicateKeyError if there are rows that share a key."""
    if not len(rows):
        return
    places = rows.tolist()
    cells = [as_column(values) for _, values in columns]
    keys = list(dict.fromkeys(", ".join(str(cell[row]) for cell in cells) for row in places))
    more = ", ..." if len(keys) > _SHOWN or len(places) > _SHOWN else ""
    message = (
        f"{len(places)} records share {len(keys)} keys of the columns "
        f"{[name for name, _ in columns]!r}: {keys[:_SHOWN]!r} in rows "
        f"{places[:_SHOWN]!r}{more}. Give each record a key of its own, or keep one of each."
    )
    raise DuplicateKeyError(message, keys=keys, rows=places)


def content_of(data: Any, /) -> Any:
    """Return data with its records as mappings, as far as they have fields."""
    if isinstance(data, list | tuple):
        return [_as_mapping(record) for record in data]
    return data if labelled_columns(data) is not None else _as_mapping(data)


def payload_checksums(data: Any, /) -> npt.NDArray[np.int64]:
    """Return the checksum of all that each record holds."""
    table = labelled_columns(data)
    if table is not None:
        return record_checksums(table.columns, n_rows=table.n_rows)
    records = [record_fields(record) or {} for record in _records_of(data)]
    labels = dict.fromkeys(label for record in records for label in record)
    columns = [(label, [record.get(label) for record in records]) for label in labels]
    return record_checksums(columns, n_rows=len(records))


def _records_of(data: Any) -> Sequence[Any]:
    if data is None:
        return []
    return data if isinstance(data, list | tuple) else [data]


def _as_mapping(record: Any) -> Any:
    content = record_fields(record)
    return record if content is None else content


def record_fields(record: Any, /) -> Mapping[Any, Any] | None:
    """Return what a record holds, by name, or None if it has no names for it.

    Of an object of any other class these are its public attributes.
    """
    known = fields_of(record)
    if known is not None:
        return known
    if hasattr(record, "_asdict"):  # a named tuple
        named: Mapping[Any, Any] = record._asdict()
        return named
    attributes = dict(getattr(record, "__dict__", {}))
    for kind in type(record).__mro__:
        for name in _slots_of(kind):
            if hasattr(record, name):
                attributes[name] = getattr(record, name)
    return {name: value for name, value in attributes.items() if name[:1] != "_"} or None


def _slots_of(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
