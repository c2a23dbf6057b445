"""Asking pydantic-core about values, and remembering what it said."""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import SchemaError, ValidationError

from prodml._core.scalars import PLAIN_TYPES
from prodml.contracts._plain import plain
from prodml.contracts._plan import FAILED
from prodml.rejections import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import SchemaValidator

    from prodml.contracts._plan import FieldPlan

    #: What pydantic made of one value, and why it rejected it.
    Answer = tuple[Any, list[Reason]]

__all__ = [
    "Answers",
    "ask",
    "ask_one",
    "crash_reason",
    "extra_reason",
    "is_same",
    "missing_reason",
    "reasons_of",
]

#: The rule of a value on which a validator raised something else than ValueError.
CRASH: Final = "validator_crashed"


#: Types of which a cell may hold any value as it is.
_DATA: Final = PLAIN_TYPES | {float}

_DATA_OR_FAILED: Final = _DATA | {type(FAILED)}

#: Types whose equal values are written alike.
_MEMORABLE: Final = PLAIN_TYPES - {datetime, time}


@dataclass(slots=True)
class Answers:
    """What pydantic-core said about a list of values.

    Attributes
    ----------
    values : list
        What it made of each, as plain data; ``FAILED`` where it rejected.
    reasons : dict of int to list of Reason
        Why, by position in the list.
    changed : bool
        Whether any accepted value differs from what went in.
    """

    values: list[Any]
    reasons: dict[int, list[Reason]] = field(default_factory=dict)
    changed: bool = False


def ask(plan: FieldPlan, column: str, values: Sequence[Any]) -> Answers:
    """Judge values of one field.

    Parameters
    ----------
    plan : FieldPlan
        The field.
    column : str
        What the reasons call it.
    values : sequence
        Plain values.

    Returns
    -------
    Answers
        In the order of `values`.
    """
    try:
        given = plan.column.validate_python(values)
    except Exception:  # noqa: BLE001 - a validator of the user's crashed; find out on which value
        return _ask_singly(plan, column, values)
    if len(given) != len(values):  # a validator asked pydantic to leave a value out
        return _ask_singly(plan, column, values)
    answers = Answers(values=given)
    memory: dict[tuple[type, Any], Answer] = {}
    for position in _not_passed_through(values, given):
        before, after = values[position], given[position]
        if after is FAILED:
            after_plain, reasons = _remembered(plan, column, before, memory)
            if reasons:
                answers.reasons[position] = reasons
                continue
            # a validator left the value out, or has changed its mind: asked alone, it accepts
        else:
            after_plain = plain(after)
        given[position] = after_plain
        if not answers.changed and not is_same(before, after_plain):
            answers.changed = True
    return answers


def _not_passed_through(values: Sequence[Any], given: Sequence[Any]) -> Sequence[int]:
    """Return where pydantic-core did anything but hand a plain value through.

    Written for speed: without pyarrow, every text of a frame comes by here.
    """
    changed = map(operator.is_not, values, given)
    if set(map(type, given)) <= _DATA_OR_FAILED:
        return list(itertools.compress(range(len(given)), changed))
    return [
        at
        for at, (other, after) in enumerate(zip(changed, given, strict=True))
        if other or type(after) not in _DATA
    ]


def _remembered(
    plan: FieldPlan, column: str, value: Any, memory: dict[tuple[type, Any], Answer]
) -> Answer:
    # equal values must give the same message: 0.0 and -0.0 need not, nor equal moments in two zones
    if type(value) not in _MEMORABLE and (type(value) is not float or value == 0.0):
        return _try_one(plan.one, column, value)
    key = (type(value), value)
    if key not in memory:
        memory[key] = _try_one(plan.one, column, value)
    return memory[key]


def _ask_singly(plan: FieldPlan, column: str, values: Sequence[Any]) -> Answers:
    answers = Answers(values=[])
    for position, value in enumerate(values):
        outcome, reasons = _try_one(plan.one, column, value)
        answers.values.append(outcome)
        if reasons:
            answers.reasons[position] = reasons
        elif not is_same(value, outcome):
            answers.changed = True
    return answers


def ask_one(plan: FieldPlan, column: str, value: Any) -> list[Reason]:
    """Return why one value is rejected; nothing if it is accepted."""
    return _try_one(plan.one, column, value)[1]


def _try_one(validator: SchemaValidator, column: str, value: Any) -> Answer:
    try:
        return plain(validator.validate_python(value)), []
    except ValidationError as error:
        return FAILED, reasons_of(error, (column,))
    except SchemaError:
        return None, []  # a validator left the value out (PydanticOmit), which a model allows
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's validator; the row is at fault, not the job
        return FAILED, [crash_reason(column, error)]


def reasons_of(error: ValidationError, prefix: tuple[str | int, ...] = ()) -> list[Reason]:
    """Translate a pydantic error, with the path to the value joined by dots."""
    return [
        Reason(
            column=".".join(map(str, (*prefix, *one["loc"]))),
            rule=one["type"],
            message=one["msg"],
        )
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def crash_reason(column: str, error: Exception) -> Reason:
    """Describe a validator that raised something else than ValueError or AssertionError."""
    return Reason(
        column=column,
        rule=CRASH,
        message=f"the validator raised {type(error).__name__}: {error}",
    )


def missing_reason(plan: FieldPlan) -> Reason:
    """Say that a field did not arrive, as pydantic says it."""
    return Reason(column=plan.location, rule="missing", message="Field required")


def extra_reason(name: str) -> Reason:
    """Say that nobody asked for a column, as pydantic says it."""
    return Reason(column=name, rule="extra_forbidden", message="Extra inputs are not permitted")


def is_same(before: Any, after: Any) -> bool:
    """Say whether a cell may stay what it is: same type, same value, same sign of zero."""
    if after is before:
        return True
    if type(before) is not type(after):
        return False
    if type(before) is float:
        return before == after and math.copysign(1.0, before) == math.copysign(1.0, after)
    if type(before) in PLAIN_TYPES:
        return bool(before == after)
    return False
