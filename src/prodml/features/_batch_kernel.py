"""Features over whole columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from prodml._core.columns import factorize
from prodml.errors import FeatureError
from prodml.features._failure_advice import advice_for
from prodml.features._outputs import column_of, column_of_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from prodml.features._steps import Step
    from prodml.features.field import Field

    Column = npt.NDArray[Any]

__all__ = ["ColumnRun", "Schedule", "Turn", "compute_features", "schedule"]

#: From here on a function of text is asked once for each distinct value.
_MANY_ROWS: Final = 1000
_SAMPLE: Final = 2000
#: Rows of a block: a few columns of them fit into the second cache of a core.
_BLOCK: Final = 32_768


class ColumnRun:
    """The columns of one run, and what is known of their distinct values.

    Not thread-safe; each run has its own.
    """

    def __init__(self, columns: dict[str, Column], n_rows: int) -> None:
        self.columns = {name: _read_only(column) for name, column in columns.items()}
        self.n_rows = n_rows
        # by the identity of a column, which is kept here lest another takes its place
        self._distinct: dict[int, tuple[Column, Column, Column] | None] = {}

    def compute(self, step: Step) -> Step:
        """Add the columns of a feature; return its step with the kinds that are known now."""
        with np.errstate(all="ignore"):
            return self.compute_quietly(step)

    def compute_quietly(self, step: Step) -> Step:
        """Do the same where warnings of numpy are off already."""
        arguments = [self.columns[name] for name in step.inputs]
        run = self._map if step.feature.elementwise else self._call
        try:
            parts = run(step, arguments)
        except FeatureError:
            raise
        except Exception as error:
            told = f"failed: {type(error).__name__}: {error}".rstrip(" .:")
            message = f"{told}. {advice_for(error)}".rstrip()
            raise step.refuse(message) from error
        for name, part in zip(step.names, parts, strict=True):
            part.flags.writeable = False
            self.columns[name] = part
        if step.kinds is not None:
            return step
        return replace(step, kinds=tuple(_KINDS[part.dtype.kind] for part in parts))

    def forget(self, name: str) -> None:
        """Free a column that nobody needs any more."""
        column = self.columns.pop(name, None)
        self._distinct.pop(id(column), None)

    def _call(self, step: Step, arguments: list[Column]) -> list[Column]:
        results = step.parts_of(step.call(*arguments))
        return [
            # what is written to must not be an input
            _own(column_of(result, self.n_rows, kind, feature=step.name), arguments)
            for result, kind in zip(results, step.kinds or [None] * len(results), strict=True)
        ]

    def _map(self, step: Step, arguments: list[Column]) -> list[Column]:
        known = self._distinct_of(arguments[0]) if len(arguments) == 1 else None
        if known is None:
            rows = [column.tolist() for column in arguments]
            return self._columns_of(step, list(map(step.call, *rows)))
        codes, values = known
        parts = self._columns_of(step, list(map(step.call, values.tolist())))
        out = []
        for part in parts:
            column = part[codes]
            if column.dtype.kind == "O":
                self._distinct[id(column)] = (column, codes, part)
            out.append(column)
        return out

    @staticmethod
    def _columns_of(step: Step, results: list[Any]) -> list[Column]:
        if step.columns is None:
            kind = None if step.kinds is None else step.kinds[0]
            return [column_of_values(results, kind, feature=step.name)]
        rows = [step.parts_of(result) for result in results]
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(step.columns)
        kinds = step.kinds or [None] * len(columns)
        return [
            column_of_values(column, kind, feature=step.name)
            for column, kind in zip(columns, kinds, strict=True)
        ]

    def _distinct_of(self, column: Column) -> tuple[Column, Column] | None:
        """Return codes into the distinct values, where it is worth it."""
        if column.dtype.kind != "O" or self.n_rows < _MANY_ROWS:
            return None
        if id(column) not in self._distinct:
            self._distinct[id(column)] = self._factorized(column)
        known = self._distinct[id(column)]
        return None if known is None else known[1:]

    @staticmethod
    def _factorized(column: Column) -> tuple[Column, Column, Column] | None:
        # evenly spaced: the first rows of a sorted column would all be the same
        sample = column[:: max(1, len(column) // _SAMPLE)].tolist()
        n_repeated = len(sample) - len(set(sample))
        # of D values, a sample of s repeats about s**2 / (2 D); it is worth it up to D = n / 2
        if n_repeated * len(column) < min(len(sample), len(column) / 2) * len(sample):
            return None
        codes, values = factorize(column)
        if codes.size and codes.min() < 0:  # the code -1 finds the last
            values = np.append(values, [None])
        return column, codes, values


#: The kind of each dtype that a column can have.
_KINDS: Final = {"f": "f", "i": "i", "b": "b", "O": "s"}


def _read_only(column: Column) -> Column:
    # a feature that writes into its input would change what others read
    if column.flags.writeable:
        column = column.view()
        column.flags.writeable = False
    return column


def _own(column: Column, arguments: list[Column]) -> Column:
    for one in arguments:
        if column is one:
            return column.copy()
    return column if column.flags.owndata else column.copy()


class Turn(NamedTuple):
    """A step in its turn: which of its columns are kept, and what nobody reads from then on."""

    step: Step
    kept: tuple[str, ...]
    unread: tuple[str, ...]


class Schedule(NamedTuple):
    """What is computed over whole columns, and what over blocks of rows.

    Functions of one text are asked once for each distinct value of the whole column. Everything
    else goes through blocks that fit into the processor's cache, and needs little memory.
    """

    whole: tuple[Turn, ...]
    blocks: tuple[Turn, ...]


def schedule(steps: Sequence[Step], fields: Sequence[Field], keep: frozenset[str], /) -> Schedule:
    """Return steps in turn.

    Parameters
    ----------
    steps : sequence of Step
        In order.
    fields : sequence of Field
        What comes in.
    keep : frozenset of str
        Features whose columns are to be kept.
    """
    text = {one.name for one in fields if one.kind == "s"}
    whole, blocks = [], []
    for step in steps:
        if step.feature.elementwise and len(step.inputs) == 1 and step.inputs[0] in text:
            whole.append(step)
            text.update(step.names)
        else:
            blocks.append(step)
    return Schedule(
        _turns_of(whole, keep, {name for step in blocks for name in step.inputs}),
        _turns_of(blocks, keep, set()),
    )


def _turns_of(steps: list[Step], keep: frozenset[str], read_later: set[str]) -> tuple[Turn, ...]:
    last = {name: at for at, step in enumerate(steps) for name in step.inputs}
    last |= dict.fromkeys(read_later, len(steps))
    return tuple(
        Turn(
            step,
            step.names if step.name in keep else (),
            tuple(name for name in {*step.inputs, *step.names} if last.get(name, -1) <= at),
        )
        for at, step in enumerate(steps)
    )


def compute_features(
    planned: Schedule, columns: dict[str, Column], n_rows: int, /
) -> Iterator[tuple[str, int, Column]]:
    """Compute features, and give out the columns that are to be kept, with their first row.

    Columns that nobody reads any more are freed.
    """
    run = ColumnRun(columns, n_rows)
    with np.errstate(all="ignore"):
        for name, column in _in_turn(run, planned.whole):
            yield name, 0, column
        if n_rows <= _BLOCK:
            for name, column in _in_turn(run, planned.blocks):
                yield name, 0, column
            return
        for start in range(0, n_rows if planned.blocks else 0, _BLOCK):
            stop = min(start + _BLOCK, n_rows)
            block = {name: column[start:stop] for name, column in run.columns.items()}
            for name, column in _in_turn(ColumnRun(block, stop - start), planned.blocks):
                yield name, start, column


def _in_turn(run: ColumnRun, turns: Sequence[Turn]) -> Iterator[tuple[str, Column]]:
    for turn in turns:
        run.compute_quietly(turn.step)
        for name in turn.kept:
            yield name, run.columns[name]
        for name in turn.unread:
            run.forget(name)
