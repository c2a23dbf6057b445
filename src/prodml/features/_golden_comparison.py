"""Golden rows computed again, by every path, and compared with what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prodml.errors import FeatureError
from prodml.features._compute_environment import describe_environment
from prodml.features._golden_predictions import predicted, unlike_predictions
from prodml.features._ulps import (
    MOST_ULPS,
    NO_DISTANCE,
    column_scales,
    differing_cells,
    ulps_between,
    whole_columns,
)
from prodml.features.golden_replay import GoldenDifference, GoldenReplay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt
    import pandas as pd

    from prodml.features.fitted import FittedFeatureSet
    from prodml.features.golden import GoldenRows
    from prodml.features.golden_replay import ReplayPath

    Matrix = npt.NDArray[np.float64]

__all__ = ["replay_rows"]


def replay_rows(
    golden: GoldenRows,
    frame: pd.DataFrame,
    fitted: FittedFeatureSet,
    predict: Callable[[Any], Any] | None,
    prediction_rtol: float,
    /,
) -> GoldenReplay:
    """Compute golden rows again and compare; see :meth:`GoldenRows.replay`."""
    environment = describe_environment()
    most_ulps = 0 if environment == golden.environment else MOST_ULPS
    faults = _column_faults(golden.columns, fitted.columns)
    differences: list[GoldenDifference] = []
    n_compared: dict[str, int] = {}
    batch, told = _as_batch(fitted, frame)
    singles, also_told = _one_by_one(golden, fitted)
    faults += told + also_told
    shared = [name for name in golden.columns if name in fitted.columns]
    paths: tuple[tuple[ReplayPath, Matrix | None], ...] = (
        ("transform", batch),
        ("transform_one", singles),
    )
    for path, matrix in paths:
        if matrix is not None:
            expected = golden.outputs[:, [golden.columns.index(name) for name in shared]]
            got = matrix[:, [fitted.columns.index(name) for name in shared]]
            n_compared[path] = got.size
            differences += _differences(shared, path, expected, got, most_ulps)
    if predict is not None and batch is not None:
        found, told = _predictions(
            golden, predict, batch, exact=not most_ulps, rtol=prediction_rtol
        )
        faults += told
        if not told:
            n_compared["predict"] = golden.n_rows
        differences += found
    return GoldenReplay(
        n_rows=golden.n_rows,
        n_compared=n_compared,
        differences=tuple(differences),
        faults=tuple(faults),
        recorded_fingerprint=golden.fingerprint,
        fingerprint=fitted.fingerprint,
        recorded_environment=golden.environment,
        environment=environment,
        most_ulps=most_ulps,
    )


def _column_faults(recorded: tuple[str, ...], current: tuple[str, ...]) -> list[str]:
    gone = [name for name in recorded if name not in current]
    new = [name for name in current if name not in recorded]
    faults = []
    if gone:
        faults.append(f"Columns are gone: {', '.join(map(repr, gone))}.")
    if new:
        faults.append(f"Columns are new: {', '.join(map(repr, new))}.")
    if not faults and recorded != current:
        faults.append(f"The columns are in another order: {', '.join(map(repr, current))}.")
    return faults


def _as_batch(fitted: FittedFeatureSet, frame: pd.DataFrame) -> tuple[Matrix | None, list[str]]:
    try:
        return fitted.transform(frame), []
    except FeatureError as error:
        return None, [f"The golden rows fail as a batch: {error}"]


def _one_by_one(golden: GoldenRows, fitted: FittedFeatureSet) -> tuple[Matrix | None, list[str]]:
    rows = []
    columns = dict(golden.inputs)
    for row in range(golden.n_rows):
        try:
            rows.append(fitted.transform_one({name: columns[name][row] for name in columns}))
        except FeatureError as error:
            return None, [f"Golden row {row} fails as a record: {error}"]
    return np.array(rows, dtype=np.float64).reshape(golden.n_rows, len(fitted.columns)), []


def _differences(
    columns: list[str], path: ReplayPath, expected: Matrix, got: Matrix, most_ulps: int
) -> Iterator[GoldenDifference]:
    unlike = differing_cells(
        expected,
        got,
        most_ulps=most_ulps,
        whole=whole_columns(expected),
        scales=column_scales(expected),
    )
    if not unlike.any():
        return
    steps = ulps_between(expected, got)
    for row, at in zip(*np.nonzero(unlike), strict=True):
        distance = int(steps[row, at])
        yield GoldenDifference(
            feature=columns[at],
            row=int(row),
            path=path,
            expected=expected[row, at].item(),
            got=got[row, at].item(),
            ulps=None if distance == NO_DISTANCE else distance,
        )


def _predictions(
    golden: GoldenRows,
    predict: Callable[[Any], Any],
    matrix: Matrix,
    *,
    exact: bool,
    rtol: float,
) -> tuple[list[GoldenDifference], list[str]]:
    expected: Any = golden.predictions
    try:
        got = predicted(predict, matrix)
    except Exception as error:  # noqa: BLE001 - the model is the caller's; what it says is told
        return [], [f"The model fails on the golden rows: {type(error).__name__}: {error}"]
    if got.dtype != expected.dtype or got.shape != expected.shape:
        told = (
            f"The model returns {got.dtype} of shape {got.shape}, and returned "
            f"{expected.dtype} of shape {expected.shape}."
        )
        return [], [told]
    found = [
        GoldenDifference(
            feature="prediction" if len(place) == 1 else f"prediction {_numbers(place[1:])}",
            row=place[0],
            path="predict",
            expected=one,
            got=other,
            ulps=ulps,
        )
        for place, one, other, ulps in unlike_predictions(expected, got, exact=exact, rtol=rtol)
    ]
    return found, []


def _numbers(place: tuple[int, ...]) -> str:
    return ", ".join(map(str, place))
