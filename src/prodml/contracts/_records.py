"""Single records: turning what pydantic says into the errors and reasons of a contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prodml.contracts._oracle import (
    ask_one,
    crash_reason,
    extra_reason,
    missing_reason,
    reasons_of,
)
from prodml.contracts.violation import Violation, describe_violations, nearest_name
from prodml.errors import RecordRejectedError
from prodml.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from prodml.contracts._plan import FieldPlan, ModelPlan
    from prodml.contracts.contract import Contract

__all__ = ["broken_checks", "crash_reasons", "reasons", "rejection"]

#: Of an error of pydantic's.
reasons = reasons_of


def rejection(contract: Contract[Any], record: Any, found: Sequence[Reason]) -> RecordRejectedError:
    """Build the error that says why a record is rejected."""
    violations = tuple(
        Violation(
            row=None,
            column=reason.column,
            rule=reason.rule,
            message=reason.message,
            value=_value_at(contract, record, reason.column),
        )
        for reason in found
    )
    message = describe_violations(
        contract.name, contract.version, violations, total=len(violations)
    )
    return RecordRejectedError(
        message,
        contract=contract.name,
        contract_fingerprint=contract.fingerprint,
        violations=violations,
    )


def _value_at(contract: Contract[Any], record: Any, column: str) -> Any:
    """Return the value that a reason speaks of, as it arrived; None if it did not."""
    if not isinstance(record, Mapping):
        return record
    name = nearest_name(column, record)
    if name is not None:
        return record[name]
    # a reason may call a field otherwise than the record does
    inputs = (
        name
        for one in contract._plan.fields  # noqa: SLF001 - the contract's own back room
        if one.location == column
        for name in one.inputs
        if name in record
    )
    name = next(inputs, None)
    return None if name is None else record[name]


def broken_checks(contract: Contract[Any], model: BaseModel) -> list[Reason]:
    """Return the reasons of the checks that a validated record breaks."""
    from prodml.contracts._row_checks import record_breaks  # imports numpy

    locations = contract._locations  # noqa: SLF001
    return [
        Reason(column=locations[check.columns[0]], rule=check.rule, message=check.message)
        for check in contract._record_checks  # noqa: SLF001
        if record_breaks(check, model)
    ]


def crash_reasons(plan: ModelPlan, record: Any, error: Exception) -> list[Reason]:
    """Return why a record is rejected on which a validator crashed, field by field."""
    found: list[Reason] = []
    if isinstance(record, Mapping):
        for field in plan.fields:
            found += _field_reasons(field, record)
        if plan.extra == "forbid":
            claimed = {name for field in plan.fields for name in field.inputs}
            found += [extra_reason(name) for name in record if name not in claimed]
    return found or [crash_reason("", error)]


def _field_reasons(field: FieldPlan, record: Mapping[str, Any]) -> list[Reason]:
    for name in field.inputs:
        if name in record:
            column = name if field.loc_by_alias else field.name
            return ask_one(field, column, record[name])
    if field.required:
        return [missing_reason(field)]
    return []
