"""The proof that features are the same in a batch, alone, and in the compiled kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import RowDependentFeatureError
from prodml.features._proof_rows import odd_rows, record_at, rows_at
from prodml.features._record_kernel import compile_kernel
from prodml.features._trial import Refusal, computed, row_by_row, try_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from prodml.features._plan import Plan
    from prodml.features._steps import Step

    Columns = dict[str, npt.NDArray[Any]]

__all__ = ["Block", "Disagreement", "Proof", "compare_kernel", "differing", "prove"]

_TOLD: Final = "differs from whole columns on {row}: {got!r} instead of {expected!r}"

#: Random orders of the rows.
_N_SHUFFLES: Final = 12
#: Up to here numbers can be added and subtracted without drowning others.
_TAME: Final = 1e16


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
    refusals : tuple of Refusal
        Made-up rows on which a feature fails, alone as in a batch; they are left out.
    inputs, outputs : dict of str to numpy.ndarray
        The rows, and their features.
    """

    steps: tuple[Step, ...]
    demoted: dict[str, str]
    n_rows: int
    n_odd: int
    refusals: tuple[Refusal, ...]
    inputs: Columns
    outputs: Columns


def prove(
    plan: Plan,
    steps: Sequence[Step],
    real: Columns,
    n_real: int,
    /,
    *,
    trained: Mapping[str, npt.NDArray[Any]],
    positions: npt.NDArray[np.int64],
    block: Block | None = None,
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
    positions : numpy.ndarray of int64, shape (n_real,)
        Where the real rows stand in their frame, for messages.
    block : Block, optional
        More real rows, to be computed together.

    Raises
    ------
    RowDependentFeatureError
        If a value depends on the other rows.
    FeatureOutputError
        If a feature fails, or returns no column.
    """
    odd = odd_rows(plan.fields, real)
    trial = try_rows(steps, real, n_real, odd)
    steps, kept = trial.steps, list(trial.kept)
    columns = {
        name: np.concatenate([column, odd.columns[name][kept]]) for name, column in real.items()
    }
    n_rows = n_real + len(kept)
    rows = _Rows(plan, columns, positions)
    alone = row_by_row(steps, columns, n_rows)
    # real rows first, by themselves: among infinities any mean or range is the same NaN
    every = np.arange(n_rows)
    real_rows = every[:n_real]
    for picked in (*_orders(real_rows), every[_is_tame(columns, n_rows)], every):
        together = computed(steps, rows_at(columns, picked), len(picked))
        _refuse_dependent(steps, rows, picked, alone, together)
    if block is not None:
        among = computed(steps, block.columns, block.n_rows)
        trained = {name: among[name][block.chosen] for name in alone} | dict(trained)
    _refuse_dependent(steps, rows, real_rows, alone, trained)
    demoted = _demoted(steps, rows, together, n_rows)
    return Proof(steps, demoted, n_rows, len(kept), trial.refusals, columns, together)


def _orders(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield rows in several orders: the first one may decide the type of all others."""
    yield rows
    yield rows[::-1]
    rng = np.random.default_rng(0)
    for _ in range(_N_SHUFFLES):
        yield rng.permutation(rows)


@dataclass(frozen=True, slots=True)
class Block:
    """More real rows, among which those that are compared stand.

    Attributes
    ----------
    columns : dict of str to numpy.ndarray
        Cast columns.
    n_rows : int
        How many.
    chosen : numpy.ndarray of int64
        Where the rows stand that are compared.
    """

    columns: Columns
    n_rows: int
    chosen: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that are compared: real ones, then made-up ones."""

    plan: Plan
    columns: Columns
    positions: npt.NDArray[np.int64]

    def record(self, row: int) -> dict[str, Any]:
        return record_at(self.plan.fields, self.columns, row)

    def place(self, row: int) -> int | None:
        return int(self.positions[row]) if row < len(self.positions) else None

    def told(self, row: int) -> str:
        place = self.place(row)
        if place is not None:
            return f"row {place}"
        values = ", ".join(f"{name}={value!r}" for name, value in self.record(row).items())
        return f"a made-up row ({values})"


def differing(one: npt.NDArray[Any], other: npt.NDArray[Any], /) -> npt.NDArray[np.int64]:
    """Return the positions at which two columns differ by a bit; NaN is NaN."""
    if one.dtype.kind == "f":
        same = (one.view(np.int64) == other.view(np.int64)) | (np.isnan(one) & np.isnan(other))
    else:
        same = np.asarray(one == other, dtype=bool)
    return np.flatnonzero(~same)


def _is_tame(columns: Columns, n_rows: int) -> npt.NDArray[np.bool_]:
    """Return which rows have only numbers with which others can be computed."""
    tame = np.ones(n_rows, dtype=bool)
    for column in columns.values():
        if column.dtype.kind in "fi":
            tame &= np.abs(column.astype(np.float64)) <= _TAME
    return tame


def _refuse_dependent(
    steps: Sequence[Step],
    rows: _Rows,
    picked: npt.NDArray[np.int64],
    alone: Mapping[str, npt.NDArray[Any]],
    batch: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Refuse the first feature whose values of some rows differ from those of each row alone."""
    for step in steps:
        for name in step.names:
            if name not in batch:
                continue
            found = differing(alone[name][picked], batch[name])
            if found.size:
                at = int(found[0])
                row = int(picked[at])
                raise _dependent(
                    step.name, rows, row, _item(alone[name][row]), _item(batch[name][at])
                )


def _dependent(
    name: str, rows: _Rows, row: int, alone: Any, among: Any
) -> RowDependentFeatureError:
    message = (
        f"Feature {name!r} depends on other rows: it is {among!r} in {rows.told(row)} of a batch, "
        f"and {alone!r} for the row alone, as it would be served. Learn means, ranks and the like "
        "with a `fit` function, and take them from `state`."
    )
    return RowDependentFeatureError(
        message, feature=name, row=rows.place(row), batch_value=among, single_value=alone
    )


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _demoted(steps: Sequence[Step], rows: _Rows, expected: Columns, n_rows: int) -> dict[str, str]:
    """Return the features whose compiled lines do not give the same bits, and why."""
    records = [rows.record(row) for row in range(n_rows)]
    plain = {step.name for step in steps if step.feature.elementwise}
    demoted: dict[str, str] = {}
    while True:
        found = compare_kernel(rows.plan, steps, records, expected, demoted)
        if found is None:
            return demoted
        if found.feature in plain or found.feature in demoted:
            raise _single_differs(found, rows)
        told = _TOLD.format(row=rows.told(found.row), got=found.got, expected=found.expected)
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
    places = {name: at for at, name in enumerate(names)}
    for step in steps:
        for name in step.names:
            at = places[name]
            for row, values in enumerate(rows):
                got = values if isinstance(values, Exception) else values[at]
                wanted = _item(expected[name][row])
                if not _same(got, wanted):
                    if isinstance(got, Exception):
                        return _failing(plan, steps, row, records[row], expected, demoted)
                    return Disagreement(step.name, row, wanted, got)
    return None


def _failing(
    plan: Plan,
    steps: Sequence[Step],
    row: int,
    record: Mapping[str, Any],
    expected: Mapping[str, npt.NDArray[Any]],
    demoted: Mapping[str, str],
) -> Disagreement:
    """Return which feature it is that fails in the kernel, where none fails in a batch."""
    for at, step in enumerate(steps, start=1):
        kernel = compile_kernel(plan, steps[:at], [], demoted=demoted, as_floats=False)
        error = _values_or_error(kernel.run, record)
        if isinstance(error, Exception):
            return Disagreement(step.name, row, _item(expected[step.names[0]][row]), error)
    # it fails now and then, which the last is as good a name for as any
    return Disagreement(steps[-1].name, row, _item(expected[steps[-1].names[0]][row]), None)


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


def _single_differs(found: Disagreement, rows: _Rows) -> RowDependentFeatureError:
    message = (
        f"Feature {found.feature!r} is {found.expected!r} in {rows.told(found.row)} of a batch "
        f"and {found.got!r} for the record alone. Does it keep something between calls?"
    )
    return RowDependentFeatureError(
        message,
        feature=found.feature,
        row=rows.place(found.row),
        batch_value=found.expected,
        single_value=found.got,
    )
