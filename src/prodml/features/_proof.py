"""The proof that features are the same in a batch, alone, and in the compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import FeatureError, RowDependentFeatureError
from prodml.features._batch_kernel import ColumnRun
from prodml.features._proof_rows import odd_rows, record_at, rows_at
from prodml.features._record_kernel import compile_kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from prodml.features._plan import Plan
    from prodml.features._steps import Step

    Columns = dict[str, npt.NDArray[Any]]

__all__ = ["Disagreement", "Proof", "compare_kernel", "differing", "prove"]

_TOLD: Final = "differs from whole columns on row {row}: {got!r} instead of {expected!r}"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A value that came out in two ways.

    Attributes
    ----------
    feature : str
        Whose value.
    row : int
        The row, by position.
    expected, got : object
        The value over whole columns, and the other.
    """

    feature: str
    row: int
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proven, and how.

    Attributes
    ----------
    steps : tuple of Step
        The features, with the kinds of their columns.
    demoted : dict of str to str
        Features whose compiled lines gave other bits, and hence are called as they are.
    n_rows : int
        Rows that were compared.
    n_odd : int
        How many of them were made up.
    n_refused : int
        Made-up rows on which a feature fails, in every way alike.
    """

    steps: tuple[Step, ...]
    demoted: dict[str, str] = field(default_factory=dict)
    n_rows: int = 0
    n_odd: int = 0
    n_refused: int = 0


def prove(
    plan: Plan,
    steps: Sequence[Step],
    real: Columns,
    n_real: int,
    /,
    *,
    trained: Mapping[str, npt.NDArray[Any]],
) -> Proof:
    """Compute features in every way, and compare them bit by bit.

    Parameters
    ----------
    plan : Plan
        What is computed.
    steps : sequence of Step
        The features in order, with their states.
    real : dict of str to numpy.ndarray
        Cast columns of real rows.
    n_real : int
        How many.
    trained : mapping of str to numpy.ndarray
        Columns that are known from a run over more rows, at the real rows.

    Raises
    ------
    RowDependentFeatureError
        If a value depends on the other rows.
    FeatureOutputError
        If a feature fails, or returns no column.
    """
    odd, n_odd = odd_rows(plan.fields, real)
    steps = _learn_kinds(steps, real, n_real, odd, n_odd)
    kept = [row for row in range(n_odd) if _runs(steps, rows_at(odd, np.array([row])))]
    columns = {name: np.concatenate([column, odd[name][kept]]) for name, column in real.items()}
    n_rows = n_real + len(kept)
    alone = _alone(steps, columns, n_rows)
    # real rows first, by themselves: made-up ones would give a mean that says nothing
    for batch, n_batch in ((real, n_real), (columns, n_rows)):
        together = _computed(steps, batch, n_batch)
        for step in steps:
            for name in step.names:
                _refuse_dependent(step.name, alone[name][:n_batch], together[name])
    for name, column in trained.items():
        _refuse_dependent(name, alone[name][:n_real], column)
    demoted = _demoted(plan, steps, columns, together, n_rows)
    return Proof(tuple(steps), demoted, n_rows, len(kept), n_odd - len(kept))


def _learn_kinds(
    steps: Sequence[Step], real: Columns, n_real: int, odd: Columns, n_odd: int
) -> list[Step]:
    # odd rows alone if there are no others: a function may fail on them
    columns, n_rows = (real, n_real) if n_real else (odd, n_odd)
    run = ColumnRun(columns, n_rows)
    return [run.compute(step) for step in steps]


def _computed(steps: Sequence[Step], columns: Columns, n_rows: int) -> Columns:
    run = ColumnRun(columns, n_rows)
    for step in steps:
        run.compute(step)
    return run.columns


def _runs(steps: Sequence[Step], columns: Columns) -> bool:
    try:
        _computed(steps, columns, 1)
    except FeatureError:
        return False
    return True


def _alone(steps: Sequence[Step], columns: Columns, n_rows: int) -> Columns:
    rows = [_computed(steps, rows_at(columns, np.array([row])), 1) for row in range(n_rows)]
    names = [name for step in steps for name in step.names]
    if not rows:
        return _computed(steps, columns, 0)
    return {name: np.concatenate([row[name] for row in rows]) for name in names}


def differing(one: npt.NDArray[Any], other: npt.NDArray[Any], /) -> npt.NDArray[np.int64]:
    """Return the positions at which two columns differ by a bit; NaN is NaN."""
    if one.dtype.kind == "f":
        same = (one.view(np.int64) == other.view(np.int64)) | (np.isnan(one) & np.isnan(other))
    else:
        same = np.asarray(one == other, dtype=bool)
    return np.flatnonzero(~same)


def _refuse_dependent(name: str, single: npt.NDArray[Any], batch: npt.NDArray[Any]) -> None:
    rows = differing(single, batch)
    if not rows.size:
        return
    row = int(rows[0])
    alone, among = single[row], batch[row]
    message = (
        f"Feature {name!r} depends on other rows: it is {among!s} in row {row} of a batch, and "
        f"{alone!s} for the row alone, as it would be served. Learn means, ranks and the like "
        "with a `fit` function, and take them from `state`."
    )
    raise RowDependentFeatureError(
        message, feature=name, row=row, batch_value=_item(among), single_value=_item(alone)
    )


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _demoted(
    plan: Plan, steps: Sequence[Step], columns: Columns, expected: Columns, n_rows: int
) -> dict[str, str]:
    """Return the features whose compiled lines do not give the same bits, and why."""
    records = [record_at(plan.fields, columns, row) for row in range(n_rows)]
    demoted: dict[str, str] = {}
    while True:
        found = compare_kernel(plan, steps, records, expected, demoted)
        if found is None:
            return demoted
        told = _TOLD.format(row=found.row, got=found.got, expected=found.expected)
        demoted = demoted | {found.feature: told}


def compare_kernel(
    plan: Plan,
    steps: Sequence[Step],
    records: Sequence[Mapping[str, Any]],
    expected: Mapping[str, npt.NDArray[Any]],
    demoted: Mapping[str, str],
    /,
) -> Disagreement | None:
    """Return the first disagreement of the compiled kernel with whole columns, if any.

    The first feature in order: what reads it may differ for that reason alone.
    """
    names = [name for step in steps for name in step.names]
    kernel = compile_kernel(plan, steps, names, demoted=demoted, as_floats=False)
    rows = [_values_or_error(kernel.run, record) for record in records]
    for step in steps:
        for name in step.names:
            at = names.index(name)
            for row, values in enumerate(rows):
                got = values if isinstance(values, Exception) else values[at]
                wanted = _item(expected[name][row])
                if not _same(got, wanted):
                    if step.name in demoted or step.feature.elementwise:
                        raise _single_differs(step.name, row, wanted, got)
                    return Disagreement(step.name, row, wanted, got)
    return None


def _values_or_error(run: Any, record: Mapping[str, Any]) -> Any:
    try:
        return run(record)
    except Exception as error:  # noqa: BLE001 - compared with the value that was expected
        return error


def _same(got: Any, wanted: Any) -> bool:
    if type(got) is not type(wanted):
        return False
    if type(got) is float:
        return got.hex() == wanted.hex() or (got != got and wanted != wanted)  # noqa: PLR0124
    return bool(got == wanted)


def _single_differs(feature: str, row: int, batch: Any, single: Any) -> RowDependentFeatureError:
    message = (
        f"Feature {feature!r} is {batch!r} in row {row} of a batch and {single!r} for the record "
        "alone. Does it keep something between calls?"
    )
    return RowDependentFeatureError(
        message, feature=feature, row=row, batch_value=batch, single_value=single
    )
