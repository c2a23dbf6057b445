"""Learning the state of features: from whole columns, from chunks, and out of fold."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml.errors import FeatureDefinitionError, FeatureError, FitError, FormatError
from prodml.features._batch_kernel import ColumnRun
from prodml.features._failure_advice import advice_for
from prodml.features._state_text import settle_state
from prodml.features._steps import step_of
from prodml.features.feature import TARGET
from prodml.sketches import code_categories

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from prodml.features._steps import Step
    from prodml.features.feature import Feature

    Column = npt.NDArray[Any]

__all__ = [
    "ColumnCodes",
    "cast_target",
    "finish_state",
    "fold_of_rows",
    "learn_state",
    "learning_faults",
    "merge_summaries",
    "out_of_fold",
    "summarise_rows",
]


def learning_faults(feature: Feature, /) -> list[str]:
    """Return what is wrong with how a feature learns."""
    name, faults = feature.name, []
    if feature.takes_state and feature.learner is None:
        faults.append(
            f"Feature {name!r} has a parameter `state`, and nothing learns it. "
            f"Decorate a function with @{name}.fit."
        )
    if feature.learner is not None and not feature.takes_state:
        faults.append(f"Feature {name!r} has a fit, and no parameter `state` to receive it.")
    if feature.summariser is not None and feature.learner is None:
        faults.append(
            f"Feature {name!r} has a summary, and no fit. Turn the summary into a state "
            f"with @{name}.fit."
        )
    reading = feature.summariser or feature.learner
    if reading is not None:
        known = {*feature.inputs, TARGET}
        strangers = [one for one in feature.arguments_of(reading) if one not in known]
        if strangers:
            faults.append(
                f"The fit of {name!r} reads {', '.join(strangers)}; it may read what the feature "
                f"reads ({', '.join(feature.inputs)}) and y."
            )
    if TARGET in feature.inputs and feature.uses_target:
        faults.append(f"The fit of {name!r} takes y, which is the target and an input. Rename it.")
    if feature.crossfit is not None and not feature.uses_target:
        faults.append(f"Feature {name!r} has `crossfit`, and does not learn with y.")
    return faults


def cast_target(y: Any, n_rows: int, /) -> npt.NDArray[np.float64] | None:
    """Return the target as finite floats, one per row.

    Raises
    ------
    FitError
        If its length differs, or a value is missing or no number.
    """
    if y is None:
        return None
    try:
        values = np.asarray(y, dtype=np.float64)
        if values.shape == (n_rows, 1):  # a frame of one column
            values = values[:, 0]
    except (TypeError, ValueError):
        message = "`y` must be numbers or booleans. Encode labels first, as `labels == 'yes'`."
        raise FitError(message) from None
    if values.shape != (n_rows,):
        message = f"`y` must have one value for each of {n_rows} rows, got shape {values.shape}."
        raise FitError(message)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        message = (
            f"`y` is missing or infinite in {bad.size} rows, such as {int(bad[0])}. Drop them."
        )
        raise FitError(message)
    return values


def _read(
    feature: Feature, function: Callable[..., Any], columns: Mapping[str, Column], y: Column | None
) -> list[Any]:
    names = feature.arguments_of(function)
    if TARGET in names and y is None:
        message = f"Feature {feature.name!r} is learned with the target. Give `y` to fit."
        raise FitError(message, feature=feature.name)
    return [y if name == TARGET else columns[name] for name in names]


def _asked(feature: Feature, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    try:
        with np.errstate(all="ignore"):
            result = function(*arguments)
    except FeatureError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}".rstrip(" .:")
        message = f"The fit of {feature.name!r} failed: {told}. {advice_for(error)}".rstrip()
        raise FitError(message, feature=feature.name) from error
    if result is None:
        message = f"The fit of {feature.name!r} returned None. Does it lack a return statement?"
        raise FitError(message, feature=feature.name)
    return result


class ColumnCodes:
    """Columns as codes into their categories, each made once for all features that learn from it.

    Not thread-safe; each run has its own.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, Any]] = {}

    def of(self, name: str, column: Column) -> tuple[Any, Any]:
        """Return the codes of a column, and its categories."""
        if name not in self._known:
            self._known[name] = code_categories(column)
        return self._known[name]


def summarise_rows(
    feature: Feature,
    columns: Mapping[str, Column],
    y: Column | None,
    /,
    *,
    codes: ColumnCodes | None = None,
) -> tuple[Any, ...]:
    """Return the summaries of a chunk that the state of a feature is made of."""
    function = feature.summariser
    if function is None:
        message = (
            f"Feature {feature.name!r} learns from all rows at once. To learn from chunks, give "
            f"it a @{feature.name}.summarise that returns a Mergeable summary."
        )
        raise FitError(message, feature=feature.name)
    arguments = _read(feature, function, columns, y)
    if codes is not None and (of_codes := getattr(function, "of_codes", None)) is not None:
        function = of_codes
        arguments[:1] = codes.of(feature.inputs[0], arguments[0])
    result = _asked(feature, function, arguments)
    return result if isinstance(result, tuple) else (result,)


def merge_summaries(parts: Sequence[tuple[Any, ...]], /) -> tuple[Any, ...]:
    """Return the summaries of all parts together."""
    return tuple(reduce(lambda a, b: a.merge(b), column) for column in zip(*parts, strict=True))


def finish_state(feature: Feature, summaries: tuple[Any, ...], /) -> Any:
    """Return the state that summaries make."""
    learner = feature.learner
    if learner is None:  # refused by learning_faults before
        raise FeatureDefinitionError(feature.name)
    return _settled(feature, _asked(feature, learner, summaries))


def _settled(feature: Feature, state: Any) -> Any:
    try:
        return settle_state(state, feature.state_type, feature=feature.name)
    except FormatError as error:
        message = f"The fit of {feature.name!r} returned {state!r}: {error}"
        raise FitError(message, feature=feature.name) from None


def learn_state(
    feature: Feature,
    columns: Mapping[str, Column],
    y: Column | None,
    /,
    *,
    codes: ColumnCodes | None = None,
) -> Any:
    """Return the state of a feature, learned from whole columns; None if it has none."""
    learner = feature.learner
    if learner is None:
        return None
    if feature.summariser is not None:
        return finish_state(feature, summarise_rows(feature, columns, y, codes=codes))
    return _settled(feature, _asked(feature, learner, _read(feature, learner, columns, y)))


def fold_of_rows(
    n_rows: int, n_folds: int, rng: np.random.Generator, /, *, feature: str = ""
) -> npt.NDArray[np.int64]:
    """Return the fold of each row: folds of equal size, in random order."""
    if n_rows < n_folds:
        message = (
            f"{n_rows} rows do not fill the {n_folds} folds of {feature!r}. Use fewer, or give "
            "more rows."
        )
        raise FitError(message, feature=feature)
    folds = np.arange(n_rows, dtype=np.int64) % n_folds
    rng.shuffle(folds)
    return folds


def out_of_fold(
    step: Step, columns: Mapping[str, Column], y: Column, folds: npt.NDArray[np.int64], /
) -> dict[str, Column]:
    """Return the columns of a feature, each row by a state that was learned without its fold."""
    feature = step.feature
    out: dict[str, Column] = {}
    summaries = _fold_summaries(feature, columns, y, folds)
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        if summaries is None:
            rest = {name: columns[name][~inside] for name in feature.inputs}
            state = learn_state(feature, rest, y[~inside])
        else:
            others = [one for at, one in enumerate(summaries) if at != fold]
            state = finish_state(feature, merge_summaries(others))
        part = step_of(feature, state)
        if part.columns != step.columns:
            message = (
                f"Feature {feature.name!r} has other columns without fold {fold}. "
                "Fix its categories, or do without `crossfit`."
            )
            raise FitError(message, feature=feature.name)
        run = ColumnRun(
            {name: np.ascontiguousarray(columns[name][inside]) for name in feature.inputs},
            int(inside.sum()),
        )
        run.compute(part)
        for name in step.names:
            values = run.columns[name]
            out.setdefault(name, np.empty(len(folds), dtype=values.dtype))[inside] = values
    for column in out.values():
        column.flags.writeable = False
    return out


def _fold_summaries(
    feature: Feature, columns: Mapping[str, Column], y: Column, folds: npt.NDArray[np.int64]
) -> list[tuple[Any, ...]] | None:
    if feature.summariser is None:
        return None
    return [
        summarise_rows(
            feature,
            {name: columns[name][folds == fold] for name in feature.inputs},
            y[folds == fold],
        )
        for fold in range(int(folds.max()) + 1)
    ]
