"""Judging whole rows by pydantic itself: for models whose rules look at more than one field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ValidationError

from prodml._core.column_building import column_from_values, concat_columns
from prodml._core.columns import python_values
from prodml.contracts._oracle import reasons_of
from prodml.contracts._plain import plain
from prodml.contracts._records import crash_reasons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from prodml.contracts._plan import ModelPlan
    from prodml.contracts._violations import ViolationLog
    from prodml.rejections import Reason

__all__ = ["judge_rows"]

#: Rows that are Python objects at one time.
_BLOCK = 16_384


def judge_rows(
    model: type[BaseModel],
    plan: ModelPlan,
    columns: Mapping[Any, Any],
    positions: npt.NDArray[np.int64],
    log: ViolationLog,
) -> tuple[npt.NDArray[np.int64], dict[str, Any]]:
    """Judge rows one by one.

    Parameters
    ----------
    model : type
        The pydantic model.
    plan : ModelPlan
        Names the kinds of its columns.
    columns : mapping of label to array
        The whole columns.
    positions : numpy.ndarray of int64
        The rows to judge.
    log : ViolationLog
        Receives the reasons.

    Returns
    -------
    accepted : numpy.ndarray of int64
        Positions of the accepted rows.
    values : dict of str to array
        The fields of the accepted rows, and columns beyond the model where it allows them.
    """
    accepted: list[int] = []
    blocks: list[tuple[int, dict[str, Any]]] = []
    for start in range(0, max(len(positions), 1), _BLOCK):
        rows = positions[start : start + _BLOCK]
        kept, instances = _judge_block(model, plan, columns, rows, log)
        accepted.extend(kept)
        blocks.append((len(instances), _columns_of(plan, instances)))
    names = dict.fromkeys(name for _, block in blocks for name in block)
    values = {
        name: concat_columns(
            [block[name] if name in block else _absent(n_rows) for n_rows, block in blocks]
        )
        for name in names
    }
    return np.array(accepted, dtype=np.int64), values


def _absent(n_rows: int) -> Any:
    """Return the column of a block in which no row has a name that others have."""
    return column_from_values([None] * n_rows, "object")


def _judge_block(
    model: type[BaseModel],
    plan: ModelPlan,
    columns: Mapping[Any, Any],
    rows: npt.NDArray[np.int64],
    log: ViolationLog,
) -> tuple[list[int], list[Any]]:
    labels = list(columns)
    cells = [python_values(column.take(rows)) for column in columns.values()]
    records = zip(*cells, strict=True) if cells else ((),) * len(rows)
    accepted, instances = [], []
    broken: dict[Reason, list[int]] = {}
    for row, record in zip(rows.tolist(), records, strict=True):
        instance, reasons = _judge_record(model, plan, dict(zip(labels, record, strict=True)))
        if not reasons:
            accepted.append(row)
            instances.append(instance)
        for reason in reasons:
            broken.setdefault(reason, []).append(row)
    for reason, positions in broken.items():
        log.add(np.array(positions, dtype=np.int64), reason)
    return accepted, instances


def _judge_record(model: type[BaseModel], plan: ModelPlan, record: Any) -> tuple[Any, list[Reason]]:
    """Return the model for a record of plain values, or why there is none."""
    try:
        return model.__pydantic_validator__.validate_python(record), []
    except ValidationError as error:
        return None, reasons_of(error)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's validator; the row is at fault, not the job
        return None, crash_reasons(plan, record, error)


def _columns_of(plan: ModelPlan, instances: Sequence[Any]) -> dict[str, Any]:
    values = {
        name: column_from_values(
            [plain(getattr(one, name, None)) for one in instances], kind, nullable=nullable
        )
        for name, (kind, nullable) in plan.outputs.items()
    }
    extras = [getattr(one, "__pydantic_extra__", None) or {} for one in instances]
    # what is called like a field that is read from elsewhere does not replace the field
    names = (name for extra in extras for name in extra if name not in plan.outputs)
    for name in dict.fromkeys(names):
        values[name] = column_from_values([plain(extra.get(name)) for extra in extras], "object")
    return values
