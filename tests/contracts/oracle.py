"""What pydantic says about each row of a frame, found without any code of prodml.

The normaliser here is written independently of :func:`prodml.contracts.normalise`, from cells as
pandas hands them out one by one: a fault that both shared would be invisible.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from prodml.contracts import Contract
from prodml.contracts.result import ValidationResult
from prodml.errors import RecordRejectedError

Reasons = set[tuple[str, str, str]]


@dataclasses.dataclass
class Unheld:
    """A moment or a duration that Python's own types cannot hold."""

    text: str


def plain_cell(cell: Any) -> Any:
    """Return the builtin value of a cell, None where it is missing."""
    if cell is None or cell is pd.NaT or cell is pd.NA:
        return None
    if isinstance(cell, pd.Timestamp):
        if not 1 <= cell.year <= 9999:
            return Unheld(str(cell))
        parts = (cell.year, cell.month, cell.day, cell.hour, cell.minute, cell.second)
        return datetime(*parts, cell.microsecond, tzinfo=cell.tzinfo)
    if isinstance(cell, pd.Timedelta):
        try:
            return timedelta(days=cell.days, seconds=cell.seconds, microseconds=cell.microseconds)
        except OverflowError:
            return Unheld(str(cell))
    if isinstance(cell, np.datetime64 | np.timedelta64):
        wrapped = pd.Timestamp(cell) if isinstance(cell, np.datetime64) else pd.Timedelta(cell)
        return plain_cell(wrapped)
    if isinstance(cell, np.bool_):
        return bool(cell)
    if isinstance(cell, np.integer):
        return int(cell)
    if isinstance(cell, np.complexfloating):
        return complex(cell)
    if isinstance(cell, np.str_):
        return "".join(cell)
    if isinstance(cell, np.ndarray):
        return [plain_cell(one) for one in cell]
    if isinstance(cell, float | np.floating):
        return None if math.isnan(cell) else float(cell)
    if isinstance(cell, Decimal):
        return None if cell.is_nan() else cell
    if isinstance(cell, dict):
        return {key: plain_cell(one) for key, one in cell.items()}
    if isinstance(cell, list | tuple):
        return type(cell)(plain_cell(one) for one in cell)
    return cell


def records_of(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows as records of plain values, cell by cell."""
    labels = list(frame.columns)
    return [
        {label: plain_cell(frame.iloc[row, at]) for at, label in enumerate(labels)}
        for row in range(len(frame))
    ]


def cells_of(frame: pd.DataFrame) -> list[str]:
    """Return every cell as text, to see that none was changed."""
    return [ascii(cell) for at in range(frame.shape[1]) for cell in frame.iloc[:, at]]


def expected(model: type[BaseModel], record: Mapping[str, Any]) -> tuple[Any, Reasons]:
    """Return the model and no reasons, or None and the reasons, as pydantic has it."""
    try:
        return model.model_validate(record), set()
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return None, {(".".join(map(str, one["loc"])), one["type"], one["msg"]) for one in found}


def plain_field(value: Any) -> Any:
    """Return what a frame holds for a validated value: data instead of members and models."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, BaseModel):
        return {name: plain_field(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, Unheld):
        return dataclasses.asdict(value)
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(plain_field(one) for one in value)
    if isinstance(value, dict):
        return {key: plain_field(one) for key, one in value.items()}
    return value


def same(left: Any, right: Any) -> bool:
    """Say whether two plain values are the same value of the same type."""
    if isinstance(left, float) and isinstance(right, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        # the frame holds aware moments in one zone: the instant is what counts
        return (left.tzinfo is None) == (right.tzinfo is None) and left == right
    if isinstance(left, date) and isinstance(right, date) and type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and type(left) is type(right):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def assert_same_verdict(contract: Contract[Any], frame: pd.DataFrame) -> int:
    """Hold both doors of a contract against pydantic on every row; return the rows rejected.

    The contract must have no checks beyond its model.
    """
    before = cells_of(frame)
    result = contract.validate_frame(frame)
    assert cells_of(frame) == before, "the frame was changed"
    position = {row: at for at, row in enumerate(result.accepted_positions.tolist())}
    reasons: dict[int, Reasons] = {}
    for one in result.iter_violations():
        reasons.setdefault(one.row, set()).add((one.column, one.rule, one.message))
    n_rejected = 0
    for row, record in enumerate(records_of(frame)):
        model, why = expected(contract.model, record)
        context: Any = (row, record, [str(dtype) for dtype in frame.dtypes], why, reasons.get(row))
        assert (row in position) == (model is not None), ascii(context)
        assert reasons.get(row, set()) == why, ascii(context)
        _assert_record_door(contract, record, model, why)
        if model is None:
            n_rejected += 1
            continue
        for name in contract.model.model_fields:
            got = plain_cell(result.accepted[name].iloc[position[row]])
            wanted = plain_cell(plain_field(getattr(model, name)))
            assert same(got, wanted), ascii((name, got, wanted, *context))
    _assert_split(result, frame)
    assert result.summary.n_rows == len(frame)
    assert result.summary.n_rejected == n_rejected == len(result.rejected)
    return n_rejected


def _assert_split(result: ValidationResult, frame: pd.DataFrame) -> None:
    """Every row is in one place, under the label that it came with; the rejected ones untouched."""
    places = [*result.accepted_positions.tolist(), *result.rejected_positions.tolist()]
    assert sorted(places) == list(range(len(frame)))
    assert cells_of(result.rejected) == cells_of(frame.iloc[result.rejected_positions])
    for part, rows in (
        (result.accepted, result.accepted_positions),
        (result.rejected, result.rejected_positions),
    ):
        assert part.index.tolist() == frame.index[rows].tolist()


def _assert_record_door(
    contract: Contract[Any], record: Any, model: BaseModel | None, why: Reasons
) -> None:
    try:
        got = contract.validate_record(record)
    except RecordRejectedError as error:
        found = {(one.column, one.rule, one.message) for one in error.violations}
        assert found == why
        assert model is None
    else:
        assert model is not None
        assert got == model or repr(got) == repr(model)
