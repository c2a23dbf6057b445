"""Two versions of the checks beside a model, held against each other."""

from __future__ import annotations

import operator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._differences import Difference
from prodml.contracts._inclusion import INCONCLUSIVE, PASS, Effect, accepts_none
from prodml.contracts._rebuilding import acceptor_of
from prodml.contracts._record_changes import paired_fields
from prodml.contracts._samples import candidates
from prodml.contracts._tagged import UNKNOWN, canonical_json
from prodml.contracts._wording import value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prodml.contracts._shapes import CheckDescription, FieldDescription
    from prodml.contracts.description import ContractDescription

__all__ = ["compare_checks"]

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}
#: What holds wherever another comparison of the same columns holds.
_IMPLIED: Final = {"<": {"<=", "!="}, "==": {"<="}}
#: Differences of a field after which a check sees other values than before.
_REVALUED: Final = frozenset(
    {"type", "validator", "case", "text", "coerce_numbers_to_str", "default", "required"}
)
#: Checks that look at values; the others count.
_OF_VALUES: Final = frozenset({"unique", "compare", "foreign_key"})
#: Types of which any finite reference leaves something out.
_ENDLESS: Final = frozenset({"int", "float", "decimal", "str", "datetime", "date", "bytes"})
_MOST_SAMPLES: Final = 60


def compare_checks(
    old: ContractDescription, new: ContractDescription, found: Iterable[Difference]
) -> list[Difference]:
    """Return how the checks of two versions differ.

    Parameters
    ----------
    old, new : ContractDescription
        The versions.
    found : iterable of Difference
        How their fields differ.
    """
    pairs, _, _ = paired_fields(old.fields, new.fields)
    renamed = {after.name: before.name for before, after in pairs}
    known = {canonical_json(one.deciding()): one for one in old.checks}
    # in the names of the old version
    asked = {
        canonical_json(one.deciding()): one
        for check in new.checks
        for one in [replace(check, columns=tuple(renamed.get(c, c) for c in check.columns))]
    }
    revalued = {
        renamed.get(one.path, one.path) for one in found if one.what in _REVALUED and one.path
    }
    differences = [
        _other_values(check)
        for name, check in known.items()
        if name in asked and check.rule in _OF_VALUES and revalued & set(check.columns)
    ]
    gone = [check for name, check in known.items() if name not in asked]
    come = [check for name, check in asked.items() if name not in known]
    old_fields = {one.name: one for one in old.fields}
    new_fields = {renamed.get(one.name, one.name): one for one in new.fields}
    for before in list(gone):
        after = next((one for one in come if _same_subject(before, one)), None)
        if after is not None:
            gone.remove(before)
            come.remove(after)
        demand = _demand(after, known.values(), old_fields) if after is not None else PASS
        undone = _demand(before, asked.values(), new_fields)
        differences.append(_difference(before, after, demand, undone))
    for after in come:
        demand = _demand(after, known.values(), old_fields)
        differences.append(_difference(None, after, demand, PASS))
    return differences


def _same_subject(before: CheckDescription, after: CheckDescription) -> bool:
    return before.rule == after.rule and set(before.columns) == set(after.columns)


def _difference(
    before: CheckDescription | None,
    after: CheckDescription | None,
    backward: Effect,
    forward: Effect,
) -> Difference:
    old, new = (None if one is None else _text(one) for one in (before, after))
    if old is None:
        message = f"check {new} was added"
    elif new is None:
        message = f"check {old} was removed"
    elif old == new:
        message = f"check {new} has another reference"
    else:
        message = f"check {old} is now {new}"
    subject = after or before
    return Difference(
        path=subject.columns[0] if subject is not None and subject.columns else "",
        what="check",
        old=old,
        new=new,
        backward=backward,
        forward=forward,
        message=message,
    )


def _other_values(check: CheckDescription) -> Difference:
    text = _text(check)
    return Difference(
        path=check.columns[0],
        what="check",
        old=text,
        new=text,
        backward=INCONCLUSIVE,
        forward=INCONCLUSIVE,
        message=f"check {text} is the same, but sees other values than before",
    )


def _text(check: CheckDescription) -> str:
    if check.rule == "compare":
        left, right = check.columns
        return f"{left} {check.arguments.get('operator')} {right}"
    said = [*check.columns]
    said += [
        f"{name}={content.get('count')} values" if isinstance(content, dict) else
        f"{name}={value_text(content)}"
        for name, content in check.arguments.items()
    ]  # fmt: skip
    return f"{check.rule}({', '.join(said)})"


def _demand(
    check: CheckDescription,
    kept: Iterable[CheckDescription],
    fields: dict[str, FieldDescription],
) -> Effect:
    """Say whether data that keep other checks, and fit some fields, pass a check as well."""
    if any(_implies(other, check) for other in kept) or _is_void(check):
        return PASS
    if check.rule == "compare":
        return _demand_of_comparison(check, fields)
    if check.rule == "null_fraction":
        field = fields.get(check.columns[0])
        never = field is not None and field.required and accepts_none(field.type).verdict == "fail"
        return PASS if never else Effect("fail")
    if check.rule == "foreign_key":
        field = fields.get(check.columns[0])
        endless = field is not None and field.type.kind in _ENDLESS and not field.type.functions
        # a reference whose values are not known may hold all of those that came before
        same = any(_same_subject(check, other) for other in kept)
        return Effect("fail") if endless and not same else INCONCLUSIVE
    known = check.rule in {"unique", "row_count", "freshness"}
    return Effect("fail") if known else INCONCLUSIVE


def _implies(held: CheckDescription, wanted: CheckDescription) -> bool:
    if held.rule != wanted.rule:
        return False
    mine, theirs = held.deciding(), wanted.deciding()
    if held.rule == "unique":
        return set(held.columns) <= set(wanted.columns)
    if held.rule == "row_count":
        return _is_within(held.arguments, wanted.arguments)
    if held.rule == "compare":
        return _comparison_implies(mine, theirs)
    if mine["columns"] != theirs["columns"]:
        return False
    if held.rule == "null_fraction":
        return bool(held.arguments["maximum"] <= wanted.arguments["maximum"])
    if held.rule == "freshness":
        return bool(held.arguments["max_age"] <= wanted.arguments["max_age"])
    return bool(mine == theirs)


def _comparison_implies(held: dict[str, Any], wanted: dict[str, Any]) -> bool:
    sign, asked = held["arguments"]["operator"], wanted["arguments"]["operator"]
    either_way = sign == "==" or asked == "!="
    same = held["columns"] == wanted["columns"]
    if not same and not (either_way and sorted(held["columns"]) == sorted(wanted["columns"])):
        return False
    return sign == asked or asked in _IMPLIED.get(sign, set())


def _is_within(inner: Any, outer: Any) -> bool:
    if inner["minimum"] < outer["minimum"]:
        return False
    most = outer.get("maximum")
    return most is None or (inner.get("maximum") is not None and inner["maximum"] <= most)


def _is_void(check: CheckDescription) -> bool:
    """Say whether a check asks for nothing."""
    arguments = check.arguments
    if check.rule == "row_count":
        return arguments["minimum"] == 0 and arguments.get("maximum") is None
    return check.rule == "null_fraction" and bool(arguments["maximum"] >= 1)


def _demand_of_comparison(check: CheckDescription, fields: dict[str, FieldDescription]) -> Effect:
    holds = _OPERATORS.get(check.arguments.get("operator", ""))
    sides = [fields.get(name) for name in check.columns]
    if holds is None or None in sides:
        return INCONCLUSIVE
    left, right = ([*islice(_values(one), _MOST_SAMPLES)] for one in sides if one is not None)
    for one in left:
        for other in right:
            try:
                passes = bool(holds(one, other))
            except TypeError:
                continue
            if not passes:
                return Effect("fail", (one, other))
    return INCONCLUSIVE


def _values(field: FieldDescription) -> Iterator[Any]:
    """Yield values that a field can have, after pydantic has converted them."""
    acceptor = acceptor_of(field.type, upper=False)
    if acceptor is not None:
        for value in candidates(field.type):
            converted = acceptor.convert(value)
            if converted is not UNKNOWN and converted is not None:
                yield converted
