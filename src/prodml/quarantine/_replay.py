"""Validating entries anew: decode, repair, judge by the current contract, hand on, settle."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from prodml._core.column_building import column_from_values, series_of
from prodml._core.columns import columns_of, python_values
from prodml._core.row_payloads import RowLayout, decode_rows
from prodml.quarantine.replay import ReplayReport
from prodml.quarantine.store import Settlement
from prodml.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    import pandas as pd

    from prodml.quarantine.store import QuarantineStore, StoredEntry
    from prodml.rejections import Rejections

__all__ = ["Repair", "ReplayContract", "replay_entries"]

#: Changes one record of plain values, or leaves the row where it is by returning None.
Repair = "Callable[[dict[Any, Any]], dict[Any, Any] | None]"

_PAGE: Final = 5000
_REPAIR_FAILED: Final = "repair_failed"


class ReplayResult(Protocol):
    """What a contract says about one frame."""

    accepted: pd.DataFrame

    def to_rejections(self) -> Rejections:
        """Return the rows that do not fit, with their reasons."""
        ...


class ReplayContract(Protocol):
    """What a replay needs of a contract."""

    @property
    def name(self) -> str:
        """What reasons call it."""
        ...

    def validate_chunks(self, chunks: Iterable[pd.DataFrame], /) -> Iterator[Any]:
        """Yield a result for each frame, in order, as one stream."""
        ...


@dataclass(slots=True)
class _Page:
    """Entries that are judged and settled together."""

    frame: pd.DataFrame
    entries: list[StoredEntry]
    failed: dict[str, tuple[Reason, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Tally:
    """What a replay has come to so far."""

    accepted: list[pd.DataFrame] = field(default_factory=list)
    still_rejected: list[pd.DataFrame] = field(default_factory=list)
    violations: list[tuple[Any, ...]] = field(default_factory=list)
    n_entries: int = 0
    n_left: int = 0


def replay_entries(
    store: QuarantineStore,
    stored: Iterable[StoredEntry],
    contract: ReplayContract,
    *,
    repair: Callable[[dict[Any, Any]], dict[Any, Any] | None] | None,
    deliver: Callable[[pd.DataFrame], object] | None,
    run: str,
    by: str | None,
    now: Callable[[], datetime],
) -> ReplayReport:
    """Replay entries page by page; see :meth:`prodml.quarantine.QuarantineQueue.replay`."""
    tally = _Tally()
    # The contract pulls the frames, so that it sees one stream; what belongs to each waits here.
    waiting: deque[_Page] = deque()

    def frames() -> Iterator[pd.DataFrame]:
        for page in _pages(stored, repair, tally):
            waiting.append(page)
            yield page.frame

    for result in contract.validate_chunks(frames()):
        page = waiting.popleft()
        _settle_page(store, page, result, tally, deliver=deliver, run=run, by=by, at=now())
    return _report(contract, tally, run)


def _settle_page(
    store: QuarantineStore,
    page: _Page,
    result: ReplayResult,
    tally: _Tally,
    *,
    deliver: Callable[[pd.DataFrame], object] | None,
    run: str,
    by: str | None,
    at: datetime,
) -> None:
    rejections = result.to_rejections()
    reasons = _reasons_by_id(rejections) | page.failed
    accepted = result.accepted
    if deliver is not None and len(accepted):
        deliver(accepted)
    # an entry that this run has taken before is given again, and nothing about it changes
    taken = {one.id for one in page.entries if one.state == "replayed"}
    won = store.settle(
        Settlement(
            accepted=[one for one in accepted.index if one not in taken],
            rejected={one: why for one, why in reasons.items() if one not in taken},
            run=run,
            by=by,
            at=at,
        )
    )
    if deliver is None:
        mine = [one in won or one in taken for one in accepted.index]
        accepted = accepted if all(mine) else accepted[mine]
    tally.accepted.append(accepted)
    tally.still_rejected.append(rejections.frame)
    places = {one.id: one for one in page.entries}
    for one, why in reasons.items():
        entry = places[one]
        tally.violations += [
            (one, entry.source, entry.row, entry.key, each.column, each.rule, each.message)
            for each in why
        ]


def _reasons_by_id(rejections: Rejections) -> dict[str, tuple[Reason, ...]]:
    ids = list(rejections.frame.index)
    found: dict[str, list[Reason]] = {one: [] for one in ids}
    pairs = zip(rejections.reason_rows.tolist(), rejections.reason_ids.tolist(), strict=True)
    for row, number in pairs:
        found[ids[row]].append(rejections.reasons[number])
    return {one: tuple(why) for one, why in found.items()}


def _pages(
    stored: Iterable[StoredEntry],
    repair: Callable[[dict[Any, Any]], dict[Any, Any] | None] | None,
    tally: _Tally,
) -> Iterator[_Page]:
    for entries in _alike(stored):
        tally.n_entries += len(entries)
        usable = entries
        if repair is None:
            # what was taken out of a row cannot be judged
            usable = [one for one in entries if not one.redacted]
            tally.n_left += len(entries) - len(usable)
        if not usable:
            continue
        layout = RowLayout.from_json(usable[0].layout)
        frame = decode_rows(layout, [one.payload for one in usable])
        if repair is None:
            yield _Page(_under_ids(frame, usable), usable)
        else:
            yield from _repaired(frame, usable, repair, tally)


def _alike(stored: Iterable[StoredEntry]) -> Iterator[list[StoredEntry]]:
    """Yield entries in pages of one layout; those that differ wait for one another."""
    open_pages: dict[str, list[StoredEntry]] = {}
    for one in stored:
        page = open_pages.setdefault(one.layout, [])
        page.append(one)
        if len(page) == _PAGE:
            yield open_pages.pop(one.layout)
    yield from open_pages.values()


def _under_ids(frame: pd.DataFrame, entries: Sequence[StoredEntry]) -> pd.DataFrame:
    import pandas as pd

    frame.index = pd.Index([one.id for one in entries], dtype=object, name="id")
    return frame


def _repaired(
    frame: pd.DataFrame,
    entries: Sequence[StoredEntry],
    repair: Callable[[dict[Any, Any]], dict[Any, Any] | None],
    tally: _Tally,
) -> Iterator[_Page]:
    """Yield pages of the rows that a repair gave back, one for each set of labels."""
    labels = list(frame.columns)
    cells = [python_values(column) for column in columns_of(frame)]
    by_labels: dict[tuple[Any, ...], list[tuple[int, dict[Any, Any]]]] = {}
    failed: dict[str, tuple[Reason, ...]] = {}
    for at, entry in enumerate(entries):
        record = {label: column[at] for label, column in zip(labels, cells, strict=True)}
        try:
            mended = repair(dict(record))
        except Exception as error:  # noqa: BLE001 - the user's function; the row stays, with the reason
            message = f"the repair function raised {type(error).__name__}: {error}"
            failed[entry.id] = (Reason(column="", rule=_REPAIR_FAILED, message=message),)
            continue
        if mended is None:
            tally.n_left += 1
        else:
            by_labels.setdefault(tuple(mended), []).append((at, mended))
    if failed and not by_labels:
        by_labels[tuple(labels)] = []
    for names, rows in by_labels.items():
        chosen = [entries[at] for at, _ in rows]
        built = _build(frame, cells, names, rows)
        page = _Page(_under_ids(built, chosen), [*chosen])
        if failed:
            page.failed = failed
            page.entries += [one for one in entries if one.id in failed]
            failed = {}
        yield page


def _build(
    frame: pd.DataFrame,
    cells: list[list[Any]],
    names: tuple[Any, ...],
    rows: Sequence[tuple[int, dict[Any, Any]]],
) -> pd.DataFrame:
    """Build the frame of repaired rows; a column that no repair touched keeps its dtype."""
    import pandas as pd

    places = [at for at, _ in rows]
    labels = list(frame.columns)
    columns = {}
    for name in names:
        values = [record[name] for _, record in rows]
        at = labels.index(name) if name in labels else None
        if at is not None and all(
            value is cells[at][place] for value, place in zip(values, places, strict=True)
        ):
            columns[name] = series_of(frame.iloc[:, at].array.take(places))
        else:
            columns[name] = series_of(column_from_values(values, "object"))
    return pd.DataFrame(columns, columns=pd.Index(list(names), tupleize_cols=False))


def _report(contract: ReplayContract, tally: _Tally, run: str) -> ReplayReport:
    import pandas as pd

    names = ["id", "source", "row", "key", "column", "rule", "message"]
    violations = pd.DataFrame(tally.violations, columns=names)
    accepted = _stacked(tally.accepted)
    return ReplayReport(
        run=run,
        contract=contract.name,
        accepted=accepted,
        still_rejected=_stacked(tally.still_rejected),
        violations=violations,
        n_entries=tally.n_entries,
        n_accepted=len(accepted),
        n_still_rejected=int(violations["id"].nunique()),
        n_left=tally.n_left,
    )


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(filled) if filled else pd.DataFrame(index=pd.Index([], name="id"))
