"""Frames: from a verdict on every row to a result that a person can use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.arrow_text import has_arrow
from prodml._core.column_building import series_of
from prodml._core.columns import columns_of, count_missing, moments_of, pandas_major, python_values
from prodml._core.parallel import available_cores
from prodml._core.progress import follow_progress
from prodml.contracts._engine import Arrivals, FrameVerdict, judge_frame
from prodml.contracts._readable_frames import require_frame
from prodml.contracts._row_checks import SeenKeys
from prodml.contracts._structure import structural_changes
from prodml.contracts.checks import Freshness
from prodml.contracts.delivery import judge_delivery
from prodml.contracts.result import ValidationResult
from prodml.contracts.violation import nearest_name
from prodml.errors import DuplicateColumnError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt
    import pandas as pd

    from prodml.contracts.contract import Contract
    from prodml.contracts.summary import ValidationSummary

__all__ = ["validate", "validate_stream"]

#: The version of pandas since which a change to one of two frames never shows in the other.
_COPIES_ON_WRITE: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: The integer that stands for a missing moment.
_NEVER: Final = -(2**63)


def validate(
    contract: Contract[Any], frame: Any, *, first_row: int, seen: SeenKeys | None
) -> ValidationResult:
    """Validate a frame; see :meth:`prodml.contracts.Contract.validate_frame`."""
    _check_frame(contract, frame)
    arrivals = Arrivals(list(frame.columns), columns_of(frame), len(frame))
    locations = contract._locations  # noqa: SLF001 - the contract's own back room
    verdict = judge_frame(
        contract.model,
        contract._plan,  # noqa: SLF001
        contract.checks,
        arrivals,
        locations=locations,
        seen=seen,
        threads=_thread_count(contract),
    )
    accepted, rejected = _positions(verdict, arrivals.n_rows)
    places = _places(contract, arrivals)
    summary = _summarise(contract, arrivals, places, verdict, len(accepted))
    now = contract._clock.now()  # noqa: SLF001
    return ValidationResult(
        accepted=_assemble(frame, arrivals, verdict),
        rejected=frame.take(rejected) if len(rejected) else frame.iloc[:0],
        accepted_positions=accepted,
        rejected_positions=rejected,
        first_row=first_row,
        pairs=verdict.violations,
        sources=_sources(contract, places),
        keys=_keys(contract, arrivals, places, rejected),
        summary=summary,
        checks=judge_delivery(contract.checks, summary, locations=locations, now=now),
        now=now,
    )


def _thread_count(contract: Contract[Any]) -> int:
    if contract._threads is not None:  # noqa: SLF001 - the contract's own back room
        return contract._threads  # noqa: SLF001
    return available_cores() if has_arrow() else 1


def validate_stream(
    contract: Contract[Any],
    chunks: Iterable[pd.DataFrame],
    *,
    first_row: int,
    progress: bool | Callable[[int, int | None], object],
) -> Iterator[ValidationResult]:
    """Validate frames one by one; see :meth:`prodml.contracts.Contract.validate_chunks`."""
    seen = SeenKeys()
    with follow_progress(progress, label=contract.name) as advance:
        for chunk in chunks:
            result = validate(contract, chunk, first_row=first_row, seen=seen)
            first_row += result.summary.n_rows
            yield result
            advance(result.summary.n_rows)


def _check_frame(contract: Contract[Any], frame: Any) -> None:
    require_frame(frame, caller="validate_frame", contract=contract.name)
    if frame.columns.is_unique:
        return
    repeated = set(frame.columns[frame.columns.duplicated()])
    plan = contract._plan  # noqa: SLF001
    read = {name for field in plan.fields for name in field.inputs}
    reads_all = plan.whole_rows is not None or plan.extra == "allow"
    ambiguous = repeated if reads_all else repeated & read
    if ambiguous:
        columns = sorted(map(str, ambiguous))
        message = (
            f"Contract {contract.name!r}: the columns {columns} stand in the frame more than once, "
            f"so it is not clear which one is meant. Drop or rename all but one."
        )
        raise DuplicateColumnError(message, contract=contract.name, columns=columns)


def _positions(
    verdict: FrameVerdict, n_rows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if verdict.accepted is None:
        return np.arange(n_rows, dtype=np.int64), np.empty(0, dtype=np.int64)
    standing = np.zeros(n_rows, dtype=bool)
    standing[verdict.accepted] = True
    return verdict.accepted, np.flatnonzero(~standing)


def _assemble(frame: pd.DataFrame, arrivals: Arrivals, verdict: FrameVerdict) -> pd.DataFrame:
    """Build the frame of the accepted rows, which shares nothing with the frame that came in.

    A column that stayed what it was is taken from the frame itself where pandas copies on write,
    which costs nothing until either of the two is changed.
    """
    import pandas as pd

    if verdict.accepted is not None:
        index = _taken(frame.index, verdict.accepted)
        taken = {name: series_of(column, index) for name, column in verdict.columns.items()}
        return _frame_of(taken, index)
    lazily = pandas_major() >= _COPIES_ON_WRITE
    places = {id(column): at for at, column in enumerate(arrivals.columns)}
    if lazily and (stretch := _unbroken(places, verdict.columns)) is not None:
        whole = stretch == slice(0, len(arrivals.labels))
        shared = pd.DataFrame(frame if whole else frame.iloc[:, stretch], copy=False)
        names = list(verdict.columns)
        if arrivals.labels[stretch] != names:
            shared.columns = _labels(names)
        return shared
    columns = {}
    for name, column in verdict.columns.items():
        at = places.get(id(column))
        if at is None:
            columns[name] = series_of(column, frame.index)
        elif lazily:
            columns[name] = frame.iloc[:, at]
        else:
            columns[name] = series_of(column.copy(), frame.index)
    return _frame_of(columns, frame.index)


def _frame_of(columns: dict[str, pd.Series[Any]], index: pd.Index[Any]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(dict(enumerate(columns.values())), index=index, copy=False)
    frame.columns = _labels(list(columns))
    return frame


def _labels(names: list[str]) -> pd.Index[Any]:
    import pandas as pd

    try:
        return pd.Index(names)
    except UnicodeEncodeError:  # a lone surrogate is no text to Arrow
        return pd.Index(names, dtype=object)


def _unbroken(places: dict[int, int], columns: dict[str, Any]) -> slice | None:
    """Return where the columns stand in the frame, if side by side and as they were."""
    found = [places.get(id(column), -1) for column in columns.values()]
    start = found[0] if found else -1
    unbroken = start >= 0 and found == list(range(start, start + len(found)))
    return slice(start, start + len(found)) if unbroken else None


def _taken(index: pd.Index[Any], rows: npt.NDArray[np.int64]) -> pd.Index[Any]:
    """Return the labels of some rows."""
    import pandas as pd

    if type(index) is pd.RangeIndex and (index.start, index.step) == (0, 1):
        # labels are positions: one array for both
        rows.setflags(write=False)
        return pd.Index(rows, name=index.name, copy=False)
    return index.take(rows)


def _places(contract: Contract[Any], arrivals: Arrivals) -> dict[str, int | None]:
    """Return where the values of each field stand, for models that are judged by row as well."""
    planned = contract._plan.fields  # noqa: SLF001 - the contract's own back room
    places = {one.name: arrivals.position(one) for one in planned}
    for name, location in contract._locations.items():  # noqa: SLF001
        if name not in places:
            places[name] = arrivals.position_of(location, name)
    return places


def _sources(contract: Contract[Any], places: dict[str, int | None]) -> dict[str, int]:
    """Return for each name that reasons give to a field where its values stand."""
    locations = contract._locations  # noqa: SLF001 - the contract's own back room
    return {locations[name]: at for name, at in places.items() if at is not None}


def _owners(contract: Contract[Any]) -> dict[str, str]:
    """Return for each name that reasons give to a field the one that it is counted under."""
    owners: dict[str, str] = {}
    for one in contract._plan.fields:  # noqa: SLF001
        if one.loc_by_alias:
            owners |= dict.fromkeys(one.inputs, one.location)
    return owners | {name: name for name in contract._locations.values()}  # noqa: SLF001


def _keys(
    contract: Contract[Any],
    arrivals: Arrivals,
    places: dict[str, int | None],
    rejected: npt.NDArray[np.int64],
) -> list[str | None] | None:
    if contract.key is None:
        return None
    at = places[contract.key]
    if at is None:
        return [None] * len(rejected)
    values = python_values(arrivals.columns[at].take(rejected))
    return [None if value is None else str(value) for value in values]


def _summarise(
    contract: Contract[Any],
    arrivals: Arrivals,
    places: dict[str, int | None],
    verdict: FrameVerdict,
    n_accepted: int,
) -> ValidationSummary:
    n_rows = arrivals.n_rows
    missing = {}
    for field, name in contract._locations.items():  # noqa: SLF001
        at = places[field]
        missing[name] = n_rows if at is None else count_missing(arrivals.columns[at])
    pairs = verdict.violations
    counts = np.bincount(pairs.ids, minlength=len(pairs.reasons)).tolist()
    violations: dict[tuple[str, str], int] = {}
    for reason, count in zip(pairs.reasons, counts, strict=True):
        key = (reason.column, reason.rule)
        violations[key] = violations.get(key, 0) + count
    return replace(
        contract.empty_summary,
        n_rows=n_rows,
        n_accepted=n_accepted,
        n_missing={name: count for name, count in missing.items() if count},
        n_failed=_failed_rows(contract, verdict),
        violations=violations,
        newest=_newest(contract, verdict),
        changes=dict.fromkeys(structural_changes(contract, arrivals.labels), n_rows),
    )


def _failed_rows(contract: Contract[Any], verdict: FrameVerdict) -> dict[str, int]:
    """Count for each column the rows that it got rejected, each row once."""
    pairs = verdict.violations
    owners = _owners(contract)
    ids: dict[str, list[int]] = {}
    for number, reason in enumerate(pairs.reasons):
        # a reason may name a value nested in the column
        if (owner := nearest_name(reason.column, owners)) is not None:
            ids.setdefault(owners[owner], []).append(number)
    failed = {}
    for column, numbers in ids.items():
        chosen = np.zeros(len(pairs.reasons), dtype=bool)
        chosen[numbers] = True
        rows = pairs.rows[chosen[pairs.ids]]
        failed[column] = 1 + int(np.count_nonzero(np.diff(rows)))  # rows are sorted
    return failed


def _newest(contract: Contract[Any], verdict: FrameVerdict) -> dict[str, datetime]:
    newest = {}
    for check in contract.checks:
        if isinstance(check, Freshness) and check.column in verdict.columns:
            column = verdict.columns[check.column]
            moment = _newest_of(column)
            if moment is not None:
                newest[check.column] = moment
    return newest


def _newest_of(column: Any) -> datetime | None:
    moments = moments_of(column)
    if moments is not None:
        newest = int(moments.max(initial=_NEVER))
        return None if newest == _NEVER else _EPOCH + timedelta(microseconds=newest)
    found = [_in_utc(value) for value in python_values(column)]
    return max((moment for moment in found if moment is not None), default=None)


def _in_utc(value: Any) -> datetime | None:
    """Return a date or datetime as a moment in UTC; naive ones are taken as UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None
