"""Vectorised judgement of datetimes, dates and durations."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.column_building import column_from_values
from prodml._core.columns import (
    durations_of,
    moments_of,
    numpy_dtype,
    python_objects,
    within_python_range,
)
from prodml.contracts._judgement import (
    Judgement,
    add_group,
    break_bounds,
    moment_bounds_of,
)

if TYPE_CHECKING:
    from prodml.contracts._plan import FieldPlan

__all__ = ["judge_date", "judge_datetime", "judge_timedelta"]

_NEVER: Final = np.iinfo(np.int64).min
_MICROSECONDS_PER_DAY: Final = 86_400_000_000


def judge_datetime(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge a datetime field over a column of datetimes, naive or aware."""
    moments = moments_of(column)
    aware = numpy_dtype(column) is None
    bounds = moment_bounds_of(plan.node, aware=aware)
    constraint = plan.node.get("tz_constraint")
    if moments is None or bounds is None or constraint not in {None, "aware", "naive"}:
        return None
    refused = constraint is not None and (constraint == "aware") is not aware
    if refused and bounds:
        return None  # of the two rules pydantic names the one that it comes to first
    absent = moments == _NEVER
    judgement = Judgement()
    if not plan.nullable:
        add_group(judgement, absent)
    inside = within_python_range(moments)
    judgement.open = np.flatnonzero(~(inside | absent))
    if refused:
        add_group(judgement, inside)
        return judgement
    break_bounds(judgement, moments, bounds, ~inside)
    if column.unit == "ns":
        judgement.values = column.as_unit("us")
    return judgement


def judge_date(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge a date field over a column of dates, or of datetimes at midnight."""
    objects = python_objects(column)
    if objects is not None:
        return Judgement() if set(map(type, objects.tolist())) <= {date} else None
    moments = moments_of(column)
    if moments is None or plan.node["strict"] or numpy_dtype(column) is None:
        return None
    absent = moments == _NEVER
    midnight = within_python_range(moments) & (moments % _MICROSECONDS_PER_DAY == 0)
    judgement = Judgement(open=np.flatnonzero(~(midnight | absent)))
    if not plan.nullable:
        add_group(judgement, absent)
    days = np.where(midnight, moments, _NEVER).view("M8[us]").astype("M8[D]").tolist()
    judgement.values = column_from_values(days, "object")
    return judgement


def judge_timedelta(plan: FieldPlan, column: Any) -> Judgement | None:
    """Judge a timedelta field over a column of durations."""
    durations = durations_of(column)
    if durations is None:
        return None
    # a timedelta holds longer durations than microseconds in an int64 can tell
    judgement = Judgement()
    if not plan.nullable:
        add_group(judgement, durations == _NEVER)
    if column.unit == "ns":
        judgement.values = column.as_unit("us")
    return judgement
