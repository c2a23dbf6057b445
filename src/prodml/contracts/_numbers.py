"""Vectorised judgement of ints, floats and booleans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.columns import (
    booleans_of,
    integers_of,
    missing_mask,
    numbers_of,
    numpy_dtype,
)
from prodml.contracts._judgement import Judgement, add_group, bounds_of, break_bounds

if TYPE_CHECKING:
    import numpy.typing as npt

    from prodml.contracts._plan import FieldPlan

__all__ = ["judge_bool", "judge_float", "judge_int"]

_INT64_END: Final = 2.0**63


def judge_int(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge an int field over a column of ints, floats or booleans."""
    bounds = bounds_of(plan.node, int)
    if bounds is None:
        return None
    whole = integers_of(column)
    converted = False
    if whole is None and not plan.node["strict"]:
        if (numbers := numbers_of(column)) is not None:
            return _judge_whole_floats(plan, numbers, bounds)
        if (flags := booleans_of(column)) is not None:
            whole, converted = flags.astype(np.int64), True
    if whole is None:
        return None
    judgement = Judgement()
    absent = _group_missing(judgement, plan, column)
    break_bounds(judgement, whole, bounds, absent)
    if converted or (plan.nullable and absent is None and whole.dtype != np.uint64):
        # always the same dtype for a nullable field, whether values are missing in this chunk
        judgement.values = _integer_column(whole, absent, nullable=plan.nullable)
    return judgement


def _judge_whole_floats(
    plan: FieldPlan, numbers: npt.NDArray[np.float64], bounds: dict[str, Any]
) -> Judgement:
    absent = np.isnan(numbers)
    infinite = np.isinf(numbers)
    fractional = (np.trunc(numbers) != numbers) & ~absent
    # int64 ends before Python's int does; pydantic has its own rule for what lies beyond
    exact = (np.abs(numbers) < _INT64_END) & ~fractional
    judgement = Judgement(open=np.flatnonzero(~(exact | absent | infinite | fractional)))
    if not plan.nullable:
        add_group(judgement, absent)
    add_group(judgement, infinite)
    add_group(judgement, fractional)
    whole = np.where(exact, numbers, 0.0).astype(np.int64)
    break_bounds(judgement, whole, bounds, ~exact)
    judgement.values = _integer_column(whole, absent, nullable=plan.nullable)
    return judgement


def judge_float(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge a float field over a column of floats, ints or booleans."""
    bounds = bounds_of(plan.node, float)
    if bounds is None:
        return None
    numbers = numbers_of(column)
    judgement = Judgement()
    if numbers is None:
        whole = integers_of(column) if not plan.node["strict"] else None
        if whole is None and not plan.node["strict"]:
            whole = booleans_of(column)
        if whole is None:
            return None
        numbers = whole.astype(np.float64)
        if numpy_dtype(column) is None:
            numbers[missing_mask(column)] = np.nan
        judgement.values = _as_column(numbers)
    if not len(numbers):
        return judgement
    excluded = np.isnan(numbers) if np.isnan(numbers.min()) else None
    if excluded is not None and not plan.nullable:
        add_group(judgement, excluded)
    if not plan.node["allow_inf_nan"]:
        infinite = np.isinf(numbers)
        if infinite.any():
            add_group(judgement, infinite)
            excluded = infinite if excluded is None else excluded | infinite
    break_bounds(judgement, numbers, bounds, excluded)
    return judgement


def judge_bool(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge a bool field over a column of booleans."""
    flags = booleans_of(column)
    if flags is None:
        return None
    judgement = Judgement()
    absent = _group_missing(judgement, plan, column)
    if plan.nullable and absent is None:
        import pandas as pd

        judgement.values = pd.array(flags, dtype="boolean")
    return judgement


def _group_missing(
    judgement: Judgement, plan: FieldPlan, column: Any
) -> npt.NDArray[np.bool_] | None:
    """Group missing values unless they are allowed; None if the dtype cannot hold any."""
    if numpy_dtype(column) is not None:
        return None
    absent = missing_mask(column)
    if not plan.nullable:
        add_group(judgement, absent)
    return absent


def _integer_column(
    whole: npt.NDArray[Any], absent: npt.NDArray[np.bool_] | None, *, nullable: bool
) -> Any:
    import pandas as pd

    if not nullable:
        return _as_column(whole)
    absent = np.zeros(len(whole), dtype=bool) if absent is None else absent
    return pd.arrays.IntegerArray(whole.astype(np.int64, copy=True), absent.copy())


def _as_column(values: npt.NDArray[Any]) -> Any:
    import pandas as pd

    return pd.Series(values, copy=False).array
