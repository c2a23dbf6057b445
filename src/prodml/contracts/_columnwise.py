"""Judging a block of one column: kernel first, then pydantic-core for what is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.arrow_text import arrow_text, codes_of, distinct_of, rows_of
from prodml._core.column_building import (
    column_from_values,
    concat_columns,
    filler_of,
    text_dtype,
)
from prodml._core.columns import (
    distinct_values,
    is_arrow_backed,
    is_categorical,
    missing_mask,
    numpy_dtype,
    python_values,
)
from prodml.contracts._moments import judge_date, judge_datetime, judge_timedelta
from prodml.contracts._numbers import judge_bool, judge_float, judge_int
from prodml.contracts._oracle import Answers, ask, ask_one, is_same
from prodml.contracts._text import judge_text
from prodml.contracts._violations import positions_by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from prodml.contracts._judgement import Judgement
    from prodml.contracts._plan import FieldPlan
    from prodml.rejections import Reason

__all__ = ["BlockOutcome", "judge_block"]

_KERNELS: dict[str, Callable[[FieldPlan, Any], Judgement | None]] = {
    "int": judge_int,
    "float": judge_float,
    "bool": judge_bool,
    "str": judge_text,
    "datetime": judge_datetime,
    "date": judge_date,
    "timedelta": judge_timedelta,
}


@dataclass(slots=True)
class BlockOutcome:
    """The verdict on a block of one column.

    Attributes
    ----------
    values : array
        The column with the values that pydantic gives; rejected rows hold anything.
    rows : list of numpy.ndarray of int64
        Positions in the block that have the reasons beside them.
    reasons : list of Reason
        One for each array of `rows`.
    unchanged : bool
        Whether `values` is the column itself.
    """

    values: Any
    rows: list[npt.NDArray[np.int64]] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    unchanged: bool = False

    def reject(self, rows: npt.NDArray[np.int64], reasons: Sequence[Reason]) -> None:
        """Note that all of `rows` break each of `reasons`."""
        for reason in reasons:
            self.rows.append(rows)
            self.reasons.append(reason)


def judge_block(plan: FieldPlan, name: str, column: Any) -> BlockOutcome:
    """Judge the values of one field.

    Parameters
    ----------
    plan : FieldPlan
        The field.
    name : str
        What reasons call it.
    column : array
        The values as they arrived.
    """
    outcome = None
    if plan.distinct or is_categorical(column):
        outcome = _judge_distinct(plan, name, column)
    if outcome is None and plan.path == "vectorised" and plan.kind in _KERNELS:
        judgement = _KERNELS[plan.kind](plan, column)
        if judgement is not None:
            outcome = _settle(plan, name, column, judgement)
    if outcome is None:
        outcome = _judge_each(plan, name, column)
    outcome.unchanged = outcome.values is column
    return outcome


def _settle(plan: FieldPlan, name: str, column: Any, judgement: Judgement) -> BlockOutcome | None:
    """Ask pydantic about what the kernel left: the first of each group, and all open rows."""
    outcome = BlockOutcome(values=column if judgement.values is None else judgement.values)
    for group in judgement.groups:
        reasons = ask_one(plan, name, python_values(column[group[:1]])[0])
        if not reasons:
            return None  # the kernel was wrong about its group: pydantic decides on each row
        outcome.reject(group, reasons)
    if len(judgement.open):
        answers = ask(plan, name, python_values(column.take(judgement.open)))
        _reject_rows(outcome, answers, judgement.open)
        _patch(plan, outcome, judgement.open, answers)
    return outcome


def _patch(
    plan: FieldPlan, outcome: BlockOutcome, rows: npt.NDArray[np.int64], answers: Answers
) -> None:
    """Put what pydantic made of open rows in the place of what stood there."""
    accepted = [at for at in range(len(rows)) if at not in answers.reasons]
    if not accepted:
        return
    standing = python_values(outcome.values.take(rows[accepted]))
    wanted = [answers.values[at] for at in accepted]
    if all(is_same(before, after) for before, after in zip(standing, wanted, strict=True)):
        return
    patch = column_from_values(wanted, plan.output, nullable=plan.nullable)
    index = np.arange(len(outcome.values), dtype=np.int64)
    index[rows[accepted]] = len(index) + np.arange(len(accepted))
    outcome.values = concat_columns([outcome.values, patch]).take(index)


def _judge_each(plan: FieldPlan, name: str, column: Any) -> BlockOutcome:
    given = python_values(column)
    answers = ask(plan, name, given)
    outcome = BlockOutcome(values=column)
    _reject_rows(outcome, answers, np.arange(len(given), dtype=np.int64))
    if answers.changed or not _is_native(plan, column):
        outcome.values = _rebuilt(plan, answers.values, answers.reasons)
    return outcome


#: Beyond so many rejected values, searching for each costs more than finding codes.
_FEW: Final = 8


def _judge_distinct(plan: FieldPlan, name: str, column: Any) -> BlockOutcome | None:
    """Judge each distinct value once; None if values cannot be told apart cheaply."""
    text = arrow_text(column) if is_arrow_backed(column) else None
    if text is not None:
        values: list[Any] = distinct_of(text)
        answers = ask(plan, name, list(values))
        if not answers.changed and len(answers.reasons) <= _FEW:
            outcome = BlockOutcome(values=column)
            for position, why in answers.reasons.items():
                outcome.reject(rows_of(text, values[position]), why)
            return outcome
        return _spread(plan, column, codes_of(text, values), answers)
    found = distinct_values(column)
    if found is None:
        return None
    codes, values = _only_what_occurs(*found)
    return _spread(plan, column, codes, ask(plan, name, values))


def _only_what_occurs(
    codes: npt.NDArray[np.int64], values: list[Any]
) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Drop values without a cell, which a validator need not know of; put None for code -1."""
    codes = codes + 1
    values = [None, *values]
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    places = np.zeros(len(values), dtype=np.int64)
    places[used] = np.arange(len(used))
    return places[codes], [values[at] for at in used.tolist()]


def _spread(
    plan: FieldPlan, column: Any, codes: npt.NDArray[np.int64], answers: Answers
) -> BlockOutcome:
    """Give each cell the answer to its value."""
    outcome = BlockOutcome(values=column)
    groups: dict[tuple[Reason, ...], int] = {}
    group_of = np.full(len(answers.values), -1, dtype=np.int64)
    for code, reasons in answers.reasons.items():
        group_of[code] = groups.setdefault(tuple(reasons), len(groups))
    found = group_of[codes]
    rejected = np.flatnonzero(found >= 0)
    for group, chosen in zip(groups, positions_by_id(found[rejected], len(groups)), strict=True):
        outcome.reject(rejected[chosen], group)
    if answers.changed or not _is_native(plan, column):
        outcome.values = _rebuilt(plan, answers.values, answers.reasons).take(codes)
    return outcome


def _reject_rows(outcome: BlockOutcome, answers: Answers, rows: npt.NDArray[np.int64]) -> None:
    by_reason: dict[tuple[Reason, ...], list[int]] = {}
    for position, reasons in answers.reasons.items():
        by_reason.setdefault(tuple(reasons), []).append(position)
    for group, positions in by_reason.items():
        outcome.reject(rows[np.array(positions, dtype=np.int64)], group)


def _rebuilt(plan: FieldPlan, values: list[Any], rejected: Iterable[int]) -> Any:
    """Build the column anew; rejected rows take a value that does not spoil its dtype."""
    values = list(values)
    turned_away = set(rejected)
    if turned_away:
        accepted = (value for at, value in enumerate(values) if at not in turned_away)
        filler = next(accepted, filler_of(plan.output))
        for at in turned_away:
            values[at] = filler
    return column_from_values(values, plan.output, nullable=plan.nullable)


def _is_native(plan: FieldPlan, column: Any) -> bool:
    """Say whether the dtype suits the field, so that a column that is right may stay."""
    dtype = numpy_dtype(column)
    kind = column.dtype.kind
    if plan.output in {"int", "float", "bool"}:
        return kind in {"int": "iu", "float": "f", "bool": "b"}[plan.output]
    if plan.output == "str":
        text = type(column.dtype).__name__ == "StringDtype" or (
            is_arrow_backed(column) and kind in "OU"
        )
        default = dtype is not None and dtype.kind == "O" and text_dtype() is object
        return text or is_categorical(column) or default
    if plan.output in {"datetime", "timedelta"}:
        return kind in {"datetime": "M", "timedelta": "m"}[plan.output]
    return dtype is None or dtype.kind == "O" or not missing_mask(column).all()
