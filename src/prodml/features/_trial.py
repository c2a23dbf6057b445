"""Trying features on rows one by one: what kind of column each gives, and where one fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import FeatureError, FeatureOutputError
from prodml.features._batch_kernel import ColumnRun
from prodml.features._outputs import KIND_NAMES, refuse_output
from prodml.features._proof_rows import OddRows, rows_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from prodml.features._steps import Step

    Columns = dict[str, npt.NDArray[Any]]

__all__ = ["Refusal", "Trial", "computed", "row_by_row", "try_rows"]

#: The kind of columns that hold values of several kinds. Others do not go together.
_TOGETHER: Final = {
    frozenset("bi"): "i",
    frozenset("bf"): "f",
    frozenset("if"): "f",
    frozenset("bif"): "f",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A made-up row on which a feature fails.

    Attributes
    ----------
    feature : str
        Which one.
    where : str
        The odd values of the row.
    error : str
        What it said.
    """

    feature: str
    where: str
    error: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying gave.

    Attributes
    ----------
    steps : tuple of Step
        The features, with the kinds of their columns.
    kept : tuple of int
        Made-up rows on which none fails.
    refusals : tuple of Refusal
        The others.
    """

    steps: tuple[Step, ...]
    kept: tuple[int, ...]
    refusals: tuple[Refusal, ...]


def computed(steps: Sequence[Step], columns: Columns, n_rows: int, /) -> Columns:
    """Return the inputs and features of rows as one batch."""
    run = ColumnRun(columns, n_rows)
    for step in steps:
        run.compute(step)
    return run.columns


def row_by_row(steps: Sequence[Step], columns: Columns, n_rows: int, /) -> Columns:
    """Return the features of rows, each computed alone."""
    rows = [computed(steps, rows_at(columns, np.array([row])), 1) for row in range(n_rows)]
    if not rows:
        return computed(steps, columns, 0)
    names = [name for step in steps for name in step.names]
    return {name: np.concatenate([row[name] for row in rows]) for name in names}


def try_rows(steps: Sequence[Step], real: Columns, n_real: int, odd: OddRows, /) -> Trial:
    """Learn the kinds of columns from real and made-up rows, and find the rows that fail.

    Raises
    ------
    FeatureOutputError
        If a feature fails on real rows, on a missing value that its field allows, or returns
        text for some rows and numbers for others.
    """
    ready = _with_kinds(steps, real, n_real, odd)
    kept, refusals = [], []
    for row in range(odd.n_rows):
        failure = _failure(ready, odd.row(row))
        if failure is None:
            kept.append(row)
            continue
        _refuse_gaps(ready, odd, row)
        refusals.append(Refusal(failure.feature, odd.told(row), str(failure)))
    return Trial(tuple(ready), tuple(kept), tuple(refusals))


def _failure(steps: Sequence[Step], columns: Columns) -> FeatureOutputError | None:
    try:
        computed(steps, columns, 1)
    except FeatureOutputError as error:
        return error
    return None


def _refuse_gaps(steps: Sequence[Step], odd: OddRows, row: int) -> None:
    """Refuse a feature that fails where a value is missing that may be."""
    for name in odd.missing_in(row):
        failure = _failure(steps, odd.with_gap(row, name))
        # where warnings are errors, a mean of nothing is one
        if failure is not None and not isinstance(failure.__cause__, Warning):
            message = (
                f"Feature {failure.feature!r} fails where {name!r} is missing, which its Field "
                f"allows: {failure} Let it take None for text and NaN for numbers, or declare "
                "the Field without nullable=True."
            )
            raise FeatureOutputError(message, feature=failure.feature)


def _with_kinds(steps: Sequence[Step], real: Columns, n_real: int, odd: OddRows) -> list[Step]:
    """Return steps with the kinds that hold the values of all rows."""
    seen: list[list[set[str]]] = [[set() for _ in step.names] for step in steps]
    if all(step.kinds is not None for step in steps):
        return list(steps)
    if n_real:
        _note_kinds(seen, steps, real, n_real)
    for row in range(odd.n_rows):
        try:
            _note_kinds(seen, steps, odd.row(row), 1)
        except FeatureError:
            continue  # judged when all kinds are known
    if not n_real and not all(kinds for step in seen for kinds in step):
        computed(steps, odd.columns, odd.n_rows)  # fails, and says why
    return [
        step
        if step.kinds is not None
        else replace(step, kinds=tuple(_kind_of(step, kinds) for kinds in found))
        for step, found in zip(steps, seen, strict=True)
    ]


def _note_kinds(
    seen: list[list[set[str]]], steps: Sequence[Step], columns: Columns, n_rows: int
) -> None:
    run = ColumnRun(columns, n_rows)
    for step, found in zip(steps, seen, strict=True):
        for kind, kinds in zip(run.compute(step).kinds or (), found, strict=True):
            kinds.add(kind)


def _kind_of(step: Step, kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    together = _TOGETHER.get(frozenset(kinds))
    if together is None:
        names = " for some rows and ".join(sorted(KIND_NAMES[kind] for kind in kinds))
        raise refuse_output(step.name, f"returned {names} for others. Let it return one type.")
    return together
