"""Judging a frame: fields by column, what is left by row, checks last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.column_building import (
    column_from_values,
    concat_columns,
    repeated_value,
)
from prodml._core.parallel import map_in_threads
from prodml._core.scalars import PLAIN_TYPES
from prodml.contracts._columnwise import BlockOutcome, judge_block
from prodml.contracts._oracle import extra_reason, missing_reason
from prodml.contracts._plain import plain
from prodml.contracts._row_checks import SeenKeys, rows_that_break
from prodml.contracts._rowwise import judge_rows
from prodml.contracts._violations import ViolationLog, ViolationPairs
from prodml.contracts.checks import Compare, ForeignKey, Unique
from prodml.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from pydantic import BaseModel

    from prodml.contracts._plan import FieldPlan, ModelPlan
    from prodml.contracts.checks import Check

__all__ = ["Arrivals", "FrameVerdict", "judge_frame", "reason_for_whole_rows"]

#: Rows judged at one time: large enough for the cost of a call not to count, small enough that
#: what a block needs besides its input stays small.
BLOCK: Final = 131_072

#: Types of a default that all rows may share.
_IMMUTABLE: Final = PLAIN_TYPES | {float}


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """The columns of a frame as they arrived.

    Attributes
    ----------
    labels : list
        What they are called; labels may occur twice.
    columns : list of array
        Their values, in the same order.
    n_rows : int
        Length of each.
    """

    labels: list[Any]
    columns: list[Any]
    n_rows: int
    _places: dict[Any, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Note where each label stands first."""
        # by hash: a label may be NA, which cannot even be compared
        places = {label: at for at, label in reversed(list(enumerate(self.labels)))}
        object.__setattr__(self, "_places", places)

    def by_label(self) -> dict[Any, Any]:
        """Return the columns by label; only for frames whose labels are unique."""
        return dict(zip(self.labels, self.columns, strict=True))

    def position(self, plan: FieldPlan) -> int | None:
        """Return where the values of a field stand, or None if they didn't arrive."""
        return self.position_of(*plan.inputs)

    def position_of(self, *names: str) -> int | None:
        """Return where the first of some labels stands that did arrive, or None."""
        return next((self._places[name] for name in names if name in self._places), None)


@dataclass(frozen=True, slots=True, eq=False)
class FrameVerdict:
    """What became of the rows of a frame.

    Attributes
    ----------
    accepted : numpy.ndarray of int64 or None
        Positions of the accepted rows; None for all of them.
    columns : dict of str to array
        The fields of the accepted rows.
    violations : ViolationPairs
        Why the others were rejected.
    """

    accepted: npt.NDArray[np.int64] | None
    columns: dict[str, Any]
    violations: ViolationPairs


def judge_frame(
    model: type[BaseModel],
    plan: ModelPlan,
    checks: Sequence[Check],
    arrivals: Arrivals,
    *,
    locations: Mapping[str, str],
    seen: SeenKeys | None,
    threads: int,
) -> FrameVerdict:
    """Judge every row of a frame.

    Parameters
    ----------
    model, plan, checks
        Of the contract.
    arrivals : Arrivals
        The columns of the frame.
    locations : mapping of str to str
        What reasons call each field.
    seen : SeenKeys or None
        The keys of earlier chunks.
    threads : int
        Threads to use if the frame is large.
    """
    log = ViolationLog()
    n_rows = arrivals.n_rows
    threads = threads if n_rows > BLOCK else 1
    accepted: npt.NDArray[np.int64] | None
    if reason_for_whole_rows(plan, arrivals.labels):
        raw = arrivals.by_label()
        everything = np.arange(n_rows, dtype=np.int64)
        accepted, columns = judge_rows(model, plan, raw, everything, log)
    else:
        columns = _judge_fields(plan, arrivals, log, threads)
        accepted = _survivors(log, n_rows)
        if plan.survivors is not None:
            raw = _columns_read(plan, arrivals)
            rows = np.arange(n_rows, dtype=np.int64) if accepted is None else accepted
            accepted, columns = judge_rows(model, plan, raw, rows, log)
        else:
            columns |= _extra_columns(plan, arrivals)
            columns = _taken(columns, accepted, threads)
            n_accepted = n_rows if accepted is None else len(accepted)
            columns = _with_defaults(model, plan, columns, n_accepted)
    for stage in _check_stages(checks):
        if columns:
            broken = _break_checks(stage, columns, accepted, locations, log, seen)
            accepted, columns = _without(broken, accepted, columns, threads)
    return FrameVerdict(accepted, columns, log.pairs())


def reason_for_whole_rows(plan: ModelPlan, labels: Sequence[Any]) -> str | None:
    """Return why every row of a frame with these columns must go to pydantic whole, or None."""
    if plan.whole_rows is not None:
        return plan.whole_rows
    present = set(labels)
    for one in plan.fields:
        if len(present.intersection(one.inputs)) > 1:
            return f"field {one.name!r} arrives under several names"
    if plan.extra != "ignore" and not all(isinstance(label, str) for label in labels):
        return f"extra={plan.extra!r} over columns whose names are not text"
    return None


def _judge_fields(
    plan: ModelPlan, arrivals: Arrivals, log: ViolationLog, threads: int
) -> dict[str, Any]:
    n_rows = arrivals.n_rows
    present: list[tuple[FieldPlan, str, Any]] = []
    for one in plan.fields:
        at = arrivals.position(one)
        if at is not None:
            name = arrivals.labels[at] if one.loc_by_alias else one.name
            present.append((one, name, arrivals.columns[at]))
    starts = range(0, n_rows, BLOCK) if n_rows > BLOCK else (0,)
    # the costliest columns first, so that no thread is left alone with one at the end
    order = sorted(range(len(present)), key=lambda at: _cost(present[at][0]), reverse=True)
    pieces = [(at, start) for at in order for start in starts]

    def work(piece: tuple[int, int]) -> BlockOutcome:
        at, start = piece
        one, name, column = present[at]
        block = column if len(starts) == 1 else column[start : start + BLOCK]
        return judge_block(one, name, block)

    outcomes = dict(zip(pieces, map_in_threads(work, pieces, threads=threads), strict=True))
    judged = {
        one.name: _join(column, [outcomes[at, start] for start in starts], starts)
        for at, (one, _, column) in enumerate(present)
    }
    columns = {}
    for one in plan.fields:
        if one.name in judged:
            columns[one.name], rejected = judged[one.name]
            for rows, reason in rejected:
                log.add(rows, reason)
    _reject_by_structure(plan, arrivals, set(judged), log)
    return columns


def _reject_by_structure(
    plan: ModelPlan, arrivals: Arrivals, judged: set[str], log: ViolationLog
) -> None:
    """Reject all rows where a column is missing, or is there against the rules."""
    reasons = [
        missing_reason(one) for one in plan.fields if one.required and one.name not in judged
    ]
    if plan.extra == "forbid":
        reasons += [extra_reason(label) for label in _unclaimed(plan, arrivals.labels)]
    everything = np.arange(arrivals.n_rows, dtype=np.int64)
    for reason in reasons:
        log.add(everything, reason)


def _cost(plan: FieldPlan) -> int:
    """Rank fields by how long they are expected to take."""
    if plan.path != "vectorised":
        return 3
    return 2 if plan.kind == "str" else int(plan.distinct)


def _join(
    column: Any, outcomes: list[BlockOutcome], starts: Sequence[int]
) -> tuple[Any, list[tuple[npt.NDArray[np.int64], Reason]]]:
    rejected = [
        (rows + start, reason)
        for outcome, start in zip(outcomes, starts, strict=True)
        for rows, reason in zip(outcome.rows, outcome.reasons, strict=True)
    ]
    if all(outcome.unchanged for outcome in outcomes):
        return column, rejected
    return concat_columns([outcome.values for outcome in outcomes]), rejected


def _survivors(log: ViolationLog, n_rows: int) -> npt.NDArray[np.int64] | None:
    broken = log.rows()
    if not broken:
        return None
    standing = np.ones(n_rows, dtype=bool)
    for rows in broken:
        standing[rows] = False
    return np.flatnonzero(standing)


def _unclaimed(plan: ModelPlan, labels: Sequence[Any]) -> list[Any]:
    """Return the labels that no field reads, each once."""
    claimed = {name for one in plan.fields for name in one.inputs}
    return [label for label in dict.fromkeys(labels) if label not in claimed]


def _columns_read(plan: ModelPlan, arrivals: Arrivals) -> dict[Any, Any]:
    """Return the columns that a model sees of a record, by label."""
    raw = arrivals.by_label()
    if plan.extra != "ignore":
        return raw
    claimed = [name for one in plan.fields for name in one.inputs]
    return {name: raw[name] for name in claimed if name in raw}


def _extra_columns(plan: ModelPlan, arrivals: Arrivals) -> dict[str, Any]:
    """Return the columns beyond the fields that the model lets through."""
    if plan.extra != "allow":
        return {}
    raw = arrivals.by_label()
    # what is called like a field that is read from elsewhere does not replace the field
    fields = {one.name for one in plan.fields}
    return {label: raw[label] for label in _unclaimed(plan, arrivals.labels) if label not in fields}


def _with_defaults(
    model: type[BaseModel], plan: ModelPlan, columns: dict[str, Any], n_rows: int
) -> dict[str, Any]:
    """Return the columns in the order of the model, with defaults for those that did not arrive."""
    complete = {}
    for one in plan.fields:
        if one.name in columns:
            complete[one.name] = columns[one.name]
        elif not one.required:
            complete[one.name] = _default_column(model, one, n_rows)
    return complete | columns


def _default_column(model: type[BaseModel], one: FieldPlan, n_rows: int) -> Any:
    info = model.model_fields[one.name]
    if info.default_factory is None and type(value := plain(info.default)) in _IMMUTABLE:
        return repeated_value(value, n_rows, one.output, nullable=one.nullable)
    # asked for once a row, since a factory may give each its own, and lists are not shared
    given = [info.get_default(call_default_factory=True, validated_data={}) for _ in range(n_rows)]
    return column_from_values(list(map(plain, given)), one.output, nullable=one.nullable)


def _taken(
    columns: dict[str, Any], rows: npt.NDArray[np.int64] | None, threads: int
) -> dict[str, Any]:
    if rows is None:
        return columns
    taken = map_in_threads(lambda column: column.take(rows), columns.values(), threads=threads)
    return dict(zip(columns, taken, strict=True))


def _check_stages(checks: Sequence[Check]) -> list[list[Any]]:
    """Return the checks that reject rows; uniqueness last, each among what then stands."""
    singly = [check for check in checks if isinstance(check, Compare | ForeignKey)]
    unique = [[check] for check in checks if isinstance(check, Unique)]
    return [singly, *unique] if singly else [*unique]


def _break_checks(
    stage: Sequence[Any],
    columns: dict[str, Any],
    accepted: npt.NDArray[np.int64] | None,
    locations: Mapping[str, str],
    log: ViolationLog,
    seen: SeenKeys | None,
) -> npt.NDArray[np.bool_]:
    """Return which of the accepted rows break any check of a stage, and note why."""
    broken = np.zeros(len(next(iter(columns.values()))), dtype=bool)
    for check in stage:
        if not all(name in columns for name in check.columns):
            continue  # a required column did not arrive, so that no row stands
        breaks = rows_that_break(check, columns, seen)
        rows = np.flatnonzero(breaks)
        if len(rows):
            at_fault = locations[check.columns[0]]
            reason = Reason(column=at_fault, rule=check.rule, message=check.message)
            log.add(rows if accepted is None else accepted[rows], reason)
            broken |= breaks
    return broken


def _without(
    broken: npt.NDArray[np.bool_],
    accepted: npt.NDArray[np.int64] | None,
    columns: dict[str, Any],
    threads: int,
) -> tuple[npt.NDArray[np.int64] | None, dict[str, Any]]:
    if not broken.any():
        return accepted, columns
    standing = np.flatnonzero(~broken)
    kept = standing if accepted is None else accepted[standing]
    return kept, _taken(columns, standing, threads)
