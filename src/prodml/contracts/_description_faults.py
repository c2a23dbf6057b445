"""What makes the description of a contract unusable, though each part of it has the right form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prodml.contracts._shapes import CheckDescription, TypeDescription

__all__ = ["find_fault"]

_COUNTS: Final = ("min_length", "max_length", "max_digits", "decimal_places")
_OPERATORS: Final = frozenset({"<", "<=", "==", "!=", ">=", ">"})


def find_fault(model: TypeDescription, checks: Iterable[CheckDescription]) -> str | None:
    """Return a sentence on the first thing that is wrong, or None.

    Parameters
    ----------
    model : TypeDescription
        What a row must look like.
    checks : iterable of CheckDescription
        Rules beyond single fields. Those of a rule that is not known here may look like anything.
    """
    fault = _type_fault(model, 0)
    if fault is not None:
        return fault
    for check in checks:
        is_sound = _SOUND.get(check.rule)
        if is_sound is not None and not is_sound(check.columns, check.arguments):
            return f"the check {check.rule!r} cannot have {check.to_dict()}"
    return None


def _type_fault(described: TypeDescription, depth: int) -> str | None:
    kind, rules = described.kind, described.rules
    for name in _COUNTS:
        if name in rules and not _is_count(rules[name]):
            return f"`{name}` of {kind} must be a whole number, got {rules[name]!r}"
    if kind in {"literal", "enum"} and not isinstance(rules.get("values"), list):
        return f"{kind} has no list of values"
    if kind == "nullable" and "inner" not in described.parts:
        return "nullable has no type inside it"
    if kind == "recursive" and not (_is_count(rules.get("up")) and 1 <= rules["up"] <= depth):
        return f"a recursive type goes up {rules.get('up')!r} where there are {depth} above it"
    inside = [*described.parts.values(), *(one.type for one in described.fields)]
    faults = (_type_fault(one, depth + 1) for one in inside)
    return next((fault for fault in faults if fault is not None), None)


def _is_count(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _is_reference(given: Any) -> bool:
    return isinstance(given, dict) and set(given) == {"count", "digest"}


_SOUND: Final[Mapping[str, Callable[[tuple[str, ...], Mapping[str, Any]], bool]]] = {
    "unique": lambda columns, _: bool(columns),
    "compare": lambda columns, given: (
        len(columns) == 2  # noqa: PLR2004 - left and right
        and given.get("operator") in _OPERATORS
    ),
    "foreign_key": lambda columns, given: (
        len(columns) == 1 and _is_reference(given.get("reference"))
    ),
    "row_count": lambda columns, given: (
        not columns
        and _is_count(given.get("minimum"))
        and (given.get("maximum") is None or _is_count(given["maximum"]))
    ),
    "null_fraction": lambda columns, given: len(columns) == 1 and _is_number(given.get("maximum")),
    "freshness": lambda columns, given: len(columns) == 1 and _is_number(given.get("max_age")),
}
