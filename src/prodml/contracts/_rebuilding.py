"""From the description of a type back to a validator of pydantic-core.

Two versions of a type are held against each other by asking pydantic-core itself which of them
takes a value: what it says is right by definition, also where the code of a version is long gone.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from prodml.contracts._tagged import UNKNOWN, from_tagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prodml.contracts._shapes import FieldDescription, TypeDescription

__all__ = ["Acceptor", "acceptor_of"]

_BOUNDS: Final = frozenset({"ge", "gt", "le", "lt", "strict"})
_LENGTHS: Final = frozenset({"min_length", "max_length", "strict"})
#: What a type of which the description has all can have; with any other rule it is not rebuilt.
_RULES: Final[Mapping[str, frozenset[str]]] = {
    "any": frozenset(),
    "none": frozenset(),
    "callable": frozenset(),
    "bool": frozenset({"strict"}),
    "int": _BOUNDS | {"multiple_of"},
    "float": _BOUNDS | {"multiple_of", "allow_inf_nan"},
    "decimal": _BOUNDS | {"multiple_of", "allow_inf_nan", "max_digits", "decimal_places"},
    "str": _LENGTHS
    | {"pattern", "regex_engine", "strip_whitespace", "to_lower", "to_upper"}
    | {"coerce_numbers_to_str"},
    "bytes": _LENGTHS,
    "date": _BOUNDS | {"now_op"},
    "time": _BOUNDS | {"tz_constraint", "microseconds_precision"},
    "datetime": _BOUNDS | {"now_op", "tz_constraint", "microseconds_precision"},
    "timedelta": _BOUNDS | {"microseconds_precision"},
    "uuid": frozenset({"version", "strict"}),
    "complex": frozenset({"strict"}),
    "literal": frozenset({"values"}),
    "enum": frozenset({"values", "sub_type", "strict"}),
    "nullable": frozenset(),
    "union": frozenset({"mode"}),
    "list": _LENGTHS,
    "set": _LENGTHS,
    "frozenset": _LENGTHS,
    "dict": _LENGTHS,
    "tuple": _LENGTHS | {"variadic_item_index"},
    **dict.fromkeys(("model", "dataclass", "typed-dict"), frozenset({"extra_behavior"})),
}
#: Types inside a type, by the kind around them: one under a name of its own, or some in order.
_NAMED_PARTS: Final = {
    "nullable": {"inner": "schema"},
    "list": {"items": "items_schema"},
    "set": {"items": "items_schema"},
    "frozenset": {"items": "items_schema"},
    "dict": {"keys": "keys_schema", "values": "values_schema"},
}
_ORDERED_PARTS: Final = {"union": ("choices", "choices"), "tuple": ("items", "items_schema")}
#: The kind of an Enum's members where it is a kind of them itself.
_MIXED_IN: Final[Mapping[str, type]] = {"str": str, "int": int, "float": float}


class _CannotRebuildError(Exception):
    """The description does not hold all that decides."""


class Acceptor:
    """Says whether a type takes a value.

    Parameters
    ----------
    schema : dict
        A core schema.
    """

    def __init__(self, schema: Any) -> None:
        self._validator = SchemaValidator(schema)

    def accepts(self, value: Any) -> bool:
        """Say whether the type takes a plain value."""
        return self.convert(value) is not UNKNOWN

    def convert(self, value: Any) -> Any:
        """Return what the type makes of a plain value, or ``UNKNOWN`` if it refuses it."""
        try:
            return self._validator.validate_python(value)
        except ValidationError:
            return UNKNOWN
        except (ArithmeticError, TypeError, ValueError):  # as a date does with a strange NaN
            return UNKNOWN


def acceptor_of(described: TypeDescription, /, *, upper: bool) -> Acceptor | None:
    """Return what says which values a type takes, or None if the description does not decide it.

    Parameters
    ----------
    described : TypeDescription
        The type.
    upper : bool
        Whether more than the type takes will do: then validators that run after it, which can
        only take values away, are left out, and a part that is not known takes anything.
        Otherwise all must be known.
    """
    try:
        return Acceptor(_schema(described, upper=upper))
    except (_CannotRebuildError, SchemaError, TypeError, ValueError, KeyError):
        return None


def _schema(described: TypeDescription, *, upper: bool) -> Any:
    try:
        return _exact_schema(described, upper=upper)
    except _CannotRebuildError:
        if upper:  # no type takes more than this
            return core_schema.any_schema()
        raise


def _exact_schema(described: TypeDescription, *, upper: bool) -> Any:
    kind = described.kind
    guarded = any(one.mode != "after" or not upper for one in described.functions)
    if guarded or set(described.rules) - _RULES.get(kind, frozenset()) or kind not in _RULES:
        raise _CannotRebuildError
    rules = _values(described.rules)
    if described.fields or kind == "model":
        return _record_schema(described, rules, upper=upper)
    if kind == "enum":
        return _enum_schema(rules)
    if kind == "literal":
        return core_schema.literal_schema(rules["values"])
    parts = {name: _schema(part, upper=upper) for name, part in described.parts.items()}
    return {"type": kind, **rules, **_part_keys(kind, parts)}


def _part_keys(kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    if kind in _ORDERED_PARTS:
        name, key = _ORDERED_PARTS[kind]
        return {key: [parts[f"{name}.{place}"] for place in range(len(parts))]}
    keys = _NAMED_PARTS.get(kind, {})
    return {keys[name]: part for name, part in parts.items()}


def _values(rules: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: from_tagged(content) for name, content in rules.items()}
    if any(value is UNKNOWN for value in values.values()):
        raise _CannotRebuildError
    return values


def _enum_schema(rules: Mapping[str, Any]) -> Any:
    members: Any = [(f"member_{place}", value) for place, value in enumerate(rules["values"])]
    mixed_in = _MIXED_IN.get(rules.get("sub_type", ""))
    cls: Any = Enum("Rebuilt", members, type=mixed_in)  # type: ignore[misc] # made at run time
    if len(list(cls)) != len(members):
        raise _CannotRebuildError
    settings = {name: rules[name] for name in ("sub_type", "strict") if name in rules}
    return core_schema.enum_schema(cls, list(cls), **settings)


def _record_schema(described: TypeDescription, rules: dict[str, Any], *, upper: bool) -> Any:
    if described.parts:
        raise _CannotRebuildError
    fields = {one.name: _field_schema(one, upper=upper) for one in described.fields}
    return core_schema.model_fields_schema(fields, **rules)


def _field_schema(field: FieldDescription, *, upper: bool) -> Any:
    if field.rules:
        raise _CannotRebuildError
    schema = _schema(field.type, upper=upper)
    if not field.required:
        schema = core_schema.with_default_schema(schema, default=None)
    paths: Iterable[tuple[str | int, ...]] = field.inputs
    return core_schema.model_field(schema, validation_alias=[list(path) for path in paths])
