"""Entries of the queue: one rejected row each, with its reasons and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, overload

from prodml._core.cells import encode_cell
from prodml._core.render import html_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import pandas as pd

    from prodml.quarantine.store import State, StoredEntry
    from prodml.rejections import Reason

__all__ = ["QuarantineEntries", "QuarantineEntry", "read_entries"]

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """One rejected row.

    Attributes
    ----------
    id : str
        Names the entry; made from origin and content, hence the same in every store.
    state : {"pending", "replayed", "released", "discarded"}
        What became of it.
    source, contract, batch : str
        Where it came from, what rejected it, and in which delivery it was last seen.
    fingerprint : str
        Fingerprint of the contract in that delivery.
    row : int
        Its position in that delivery, from 0.
    key : str or None
        Its business key, where the contract names one.
    reasons : tuple of Reason
        Why it was rejected, most recently.
    attempts : int
        How often it was rejected.
    first_seen, last_seen : datetime
        When, in UTC.
    record : dict
        The row as it arrived, cell by cell. A label that occurs twice gets ``.1`` the second time.
    redacted : bool
        Whether something was taken out of it before it was stored.
    decided_at, decided_by, note, run
        When and by whom it was taken out of the queue, why, and in which replay; None if not.
    """

    id: str
    state: State
    source: str
    contract: str
    batch: str
    fingerprint: str
    row: int
    key: str | None
    reasons: tuple[Reason, ...]
    attempts: int
    first_seen: datetime
    last_seen: datetime
    record: dict[Any, Any]
    redacted: bool = False
    decided_at: datetime | None = None
    decided_by: str | None = None
    note: str | None = None
    run: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; a cell that JSON lacks becomes ``{"$": type, "v": ...}``."""
        out: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("first_seen", "last_seen", "decided_at"):
            out[name] = None if out[name] is None else out[name].isoformat()
        out["reasons"] = [
            {"column": one.column, "rule": one.rule, "message": one.message} for one in self.reasons
        ]
        out["record"] = {str(label): encode_cell(cell) for label, cell in self.record.items()}
        return out


class QuarantineEntries(Sequence[QuarantineEntry]):
    """Entries in the order of their arrival: a sequence that a notebook shows as a table.

    Immutable.

    Parameters
    ----------
    entries : iterable of QuarantineEntry
        The entries.
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Iterable[QuarantineEntry] = ()) -> None:
        self._entries = tuple(entries)

    @overload
    def __getitem__(self, at: int) -> QuarantineEntry: ...
    @overload
    def __getitem__(self, at: slice) -> QuarantineEntries: ...
    def __getitem__(self, at: int | slice) -> QuarantineEntry | QuarantineEntries:
        if isinstance(at, slice):
            return QuarantineEntries(self._entries[at])
        return self._entries[at]

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuarantineEntries) and self._entries == other._entries

    __hash__ = None  # type: ignore[assignment]  # records are dicts

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, to be released or discarded."""
        return tuple(entry.id for entry in self._entries)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an entry, with its reasons as text."""
        import pandas as pd

        names = [one.name for one in fields(QuarantineEntry) if one.name != "record"]
        out = pd.DataFrame([[getattr(one, name) for name in names] for one in self], columns=names)
        out["reasons"] = pd.Series([_reasons_text(one.reasons) for one in self], dtype=object)
        return out

    def to_rows(self) -> pd.DataFrame:
        """Return the rows as they arrived, under their ids."""
        import pandas as pd

        index = pd.Index(self.ids, dtype=object, name="id")
        return pd.DataFrame([one.record for one in self], index=index)

    def __repr__(self) -> str:
        return f"QuarantineEntries({len(self)} entries)"

    def _repr_html_(self) -> str:
        rows = [
            [one.id[:8], one.state, one.source, one.row, one.key or "", one.attempts,
             _reasons_text(one.reasons)]
            for one in self[:_MOST_SHOWN]
        ]  # fmt: skip
        shown = f", the first {_MOST_SHOWN} of them" if len(self) > _MOST_SHOWN else ""
        header = ["id", "state", "source", "row", "key", "attempts", "reasons"]
        return html_table(header, rows, caption=f"{len(self):,} entries{shown}")


def _reasons_text(reasons: Sequence[Reason]) -> str:
    return "; ".join(
        f"{one.column}: {one.message} [{one.rule}]" if one.column else f"{one.message} [{one.rule}]"
        for one in reasons
    )


def read_entries(stored: Sequence[StoredEntry]) -> list[QuarantineEntry]:
    """Return entries with their rows decoded, in the order of the stored ones."""
    by_layout: dict[str, list[int]] = {}
    for at, one in enumerate(stored):
        by_layout.setdefault(one.layout, []).append(at)
    records: dict[int, dict[Any, Any]] = {}
    for layout, places in by_layout.items():
        decoded = _decode_records(layout, [stored[at].payload for at in places])
        records.update(zip(places, decoded, strict=True))
    shared = [one.name for one in fields(QuarantineEntry) if one.name != "record"]
    return [
        QuarantineEntry(record=records[at], **{name: getattr(one, name) for name in shared})
        for at, one in enumerate(stored)
    ]


def _python_cells(column: Any) -> list[Any]:
    """Return cells as they arrived, numpy's numbers as Python's."""
    from prodml._core.columns import numpy_dtype  # imports numpy

    dtype = numpy_dtype(column)
    return column.to_numpy().tolist() if dtype and dtype.kind in "biuf" else list(column)


def _decode_records(layout: str, payloads: Sequence[str]) -> list[dict[Any, Any]]:
    from prodml._core.columns import columns_of
    from prodml._core.row_payloads import RowLayout, decode_rows

    frame = decode_rows(RowLayout.from_json(layout), payloads)
    labels: dict[Any, None] = {}
    for label in frame.columns:
        number, name = 0, label
        while name in labels:
            number += 1
            name = f"{label}.{number}"
        labels[name] = None
    cells = [_python_cells(column) for column in columns_of(frame)]
    rows = zip(*cells, strict=True) if cells else ((),) * len(frame)
    return [dict(zip(labels, row, strict=True)) for row in rows]
