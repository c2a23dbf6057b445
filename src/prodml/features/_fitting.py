"""Fitting a plan: states in order, then the proof that the features can be served."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml.errors import FeatureError, FitError
from prodml.features._batch_kernel import ColumnRun
from prodml.features._cast_columns import cast_frame
from prodml.features._frame_checks import check_frame
from prodml.features._learning import (
    ColumnCodes,
    cast_target,
    finish_state,
    fold_of_rows,
    learn_state,
    merge_summaries,
    out_of_fold,
    summarise_rows,
)
from prodml.features._proof import Block, Proof, prove
from prodml.features._proof_rows import candidate_rows, choose_rows, rows_at
from prodml.features._steps import step_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy.typing as npt
    import pandas as pd

    from prodml.features._plan import Plan
    from prodml.features._steps import Step
    from prodml.features.feature import Feature

    Column = npt.NDArray[Any]
    Chunks = Callable[[], Iterable[Any]] | Iterable[Any]

__all__ = ["Fit", "fit_chunks", "fit_frame"]


@dataclass(slots=True)
class Fit:
    """What fitting gave.

    Attributes
    ----------
    proof : Proof
        The features, ready, and what was proven of them.
    training : dict of str to numpy.ndarray
        Columns of the training rows, out of fold where features ask for it; empty where they
        were not asked for.
    """

    proof: Proof
    training: dict[str, Column] = field(default_factory=dict)


def fit_frame(
    plan: Plan, frame: pd.DataFrame, y: Any, rng: np.random.Generator, /, *, training: bool
) -> Fit:
    """Learn all states from a frame, and prove the features.

    Parameters
    ----------
    plan : Plan
        What to fit.
    frame : pandas.DataFrame
        Training rows.
    y : array_like or None
        The target.
    rng : numpy.random.Generator
        Decides the folds.
    training : bool
        Whether to compute every feature of the training rows.
    """
    check_frame(frame, "What features are learned from")
    n_rows = len(frame)
    target = cast_target(y, n_rows) if _asks_for_target(plan) else None
    learners = [one for one in plan.features if one.learner is not None]
    if learners and not n_rows:
        message = f"The frame is empty, and {learners[0].name!r} must be learned. Give rows."
        raise FitError(message, feature=learners[0].name)
    needed = plan if training else plan.upstream(name for one in learners for name in one.inputs)
    fields = plan.fields if training else _read_by(plan, needed, learners)
    run = ColumnRun(cast_frame(frame, fields, absent="refuse"), n_rows)
    seeds = _seeds_of_folds(plan, rng)
    steps: list[Step] = []
    codes = ColumnCodes()
    for feature in plan.features:
        state = learn_state(feature, run.columns, target, codes=codes)
        step = step_of(feature, state)
        if feature in needed.features:
            step = _run_step(run, step, target, seeds)
        steps.append(step)
    proof = _proven(plan, steps, frame, run)
    return Fit(proof, run.columns if training else {})


def _asks_for_target(plan: Plan) -> bool:
    """Whether any feature learns with the target; it is not judged where nobody looks at it."""
    return any(one.uses_target for one in plan.features)


def _read_by(plan: Plan, needed: Plan, learners: list[Feature]) -> tuple[Any, ...]:
    names = {name for one in chain(needed.features, learners) for name in one.inputs}
    return tuple(one for one in plan.fields if one.name in names)


def _seeds_of_folds(plan: Plan, rng: np.random.Generator) -> dict[str, int]:
    # drawn for all of them, since `fit` computes fewer features than `fit_transform`
    names = [one.name for one in plan.features if one.crossfit is not None]
    return dict(zip(names, rng.integers(2**63, size=len(names)).tolist(), strict=True))


def _run_step(run: ColumnRun, step: Step, target: Column | None, seeds: Mapping[str, int]) -> Step:
    step_run = run.compute(step)
    if step.feature.crossfit is None or target is None:
        return step_run
    # what learns from this feature must not see its own target in it
    rng = np.random.default_rng(seeds[step.name])
    folds = fold_of_rows(run.n_rows, step.feature.crossfit, rng, feature=step.name)
    run.columns.update(out_of_fold(step_run, run.columns, target, folds))
    return step_run


def _proven(plan: Plan, steps: list[Step], frame: pd.DataFrame, run: ColumnRun) -> Proof:
    known = {one.name: run.columns[one.name] for one in plan.fields if one.name in run.columns}
    candidates = candidate_rows(known, len(frame))
    try:
        columns = cast_frame(frame.iloc[candidates], plan.fields, absent="refuse")
    except FeatureError:
        cast_frame(frame, plan.fields, absent="refuse")  # names the row by its place in the frame
        raise
    chosen = choose_rows(columns, len(candidates))
    rows = rows_at(columns, chosen)
    trained = {
        name: run.columns[name][candidates[chosen]]
        for step in steps
        if not _out_of_fold_among(plan, step)
        for name in step.names
        if name in run.columns
    }
    return prove(
        plan,
        steps,
        rows,
        len(chosen),
        trained=trained,
        positions=candidates[chosen],
        block=Block(columns, len(candidates), chosen),
    )


def _out_of_fold_among(plan: Plan, step: Step) -> bool:
    """Whether training values are others than those that are served."""
    above = plan.upstream([step.name]).features
    return any(one.crossfit is not None for one in above)


def fit_chunks(plan: Plan, chunks: Chunks, /, *, map: Callable[..., Iterable[Any]]) -> Fit:  # noqa: A002 - as the builtin
    """Learn all states from chunks, which are read once for each level of learners.

    Parameters
    ----------
    plan : Plan
        What to fit.
    chunks : iterable or callable
        Frames, or pairs of a frame and its target.
    map : callable
        Applies a function to each chunk, as the builtin does.
    """
    states: dict[str, Any] = {}
    levels = _levels_of(plan)
    reading = _Reading(chunks, len(levels))
    for level in levels:
        _refuse_crossfit(plan, level)
        work = partial(_summarise_chunk, plan, dict(states), [one.name for one in level])
        parts = list(map(work, reading.again()))
        if not parts:
            message = f"There are no chunks, and {level[0].name!r} must be learned. Give rows."
            raise FitError(message, feature=level[0].name)
        for feature in level:
            merged = merge_summaries([part[feature.name] for part in parts])
            states[feature.name] = finish_state(feature, merged)
    frame = reading.first()
    check_frame(frame, "A chunk")
    steps = [step_of(one, states.get(one.name)) for one in plan.features]
    return Fit(_proven(plan, steps, frame, ColumnRun({}, len(frame))))


class _Reading:
    """Chunks that are read once or more; the first one is kept for the proof."""

    def __init__(self, chunks: Chunks, n_passes: int) -> None:
        if not callable(chunks) and iter(chunks) is chunks and n_passes > 1:
            message = (
                f"The chunks are read {n_passes} times, and an iterator can be read once. "
                "Give a list, or a function that returns them anew."
            )
            raise FitError(message)
        self._chunks = chunks
        self._first: Any = None

    def again(self) -> Iterator[Any]:
        for chunk in self._chunks() if callable(self._chunks) else self._chunks:
            if self._first is None:
                self._first = _frame_of(chunk)[0]
            yield chunk

    def first(self) -> pd.DataFrame:
        if self._first is None and next(self.again(), None) is None:
            message = "There are no chunks. Give rows, on which the features can be proven."
            raise FitError(message)
        frame: pd.DataFrame = self._first
        return frame


def _levels_of(plan: Plan) -> list[list[Feature]]:
    """Return learners in groups, each of which needs only the states of those before."""
    depth: dict[str, int] = {one.name: 0 for one in plan.fields}
    levels: dict[int, list[Feature]] = {}
    for feature in plan.features:
        own = max(depth[name] for name in feature.inputs)
        if feature.learner is not None:
            levels.setdefault(own, []).append(feature)
            own += 1
        depth[feature.name] = own
    return [levels[at] for at in sorted(levels)]


def _refuse_crossfit(plan: Plan, level: list[Feature]) -> None:
    for feature in level:
        above = [one.name for one in plan.upstream(feature.inputs).features if one.crossfit]
        if above:
            message = (
                f"Feature {feature.name!r} learns from {above[0]!r}, whose training values are out "
                "of fold; over chunks there are no folds. Fit on one frame, or do without."
            )
            raise FitError(message, feature=feature.name)


def _frame_of(chunk: Any) -> tuple[Any, Any]:
    if isinstance(chunk, tuple):
        frame, y = chunk
        return frame, y
    return chunk, None


def _summarise_chunk(
    plan: Plan, states: Mapping[str, Any], names: list[str], chunk: Any
) -> dict[str, tuple[Any, ...]]:
    """Return the summaries that some features need of one chunk. Pure; pickles."""
    frame, y = _frame_of(chunk)
    check_frame(frame, "A chunk")
    target = cast_target(y, len(frame)) if _asks_for_target(plan) else None
    learners = [one for one in plan.features if one.name in names]
    needed = plan.upstream(name for one in learners for name in one.inputs)
    run = ColumnRun(
        cast_frame(frame, _read_by(plan, needed, learners), absent="refuse"), len(frame)
    )
    for feature in needed.features:
        run.compute(step_of(feature, states.get(feature.name)))
    codes = ColumnCodes()
    return {one.name: summarise_rows(one, run.columns, target, codes=codes) for one in learners}
