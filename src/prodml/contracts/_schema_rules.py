"""The rules of one node of pydantic's core schema, with the settings of the model around it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from prodml.contracts._functions import class_name
from prodml.contracts._tagged import to_tagged

__all__ = ["SILENT", "Node", "effective_rules", "nodes_under"]

#: A node of a core schema.
Node = Mapping[str, Any]

#: Keys that do not touch which values are accepted.
SILENT: Final = frozenset(
    {
        "cls_repr", "computed_fields", "config", "copy_default", "custom_error_context",
        "custom_error_message", "custom_error_type", "custom_init", "dataclass_name", "fail_fast",
        "field_name", "frozen", "generic_origin", "metadata", "missing_sentinel_value",
        "model_name", "post_init", "ref", "repr", "serialization", "serialization_alias",
        "serialization_exclude", "serialization_exclude_if", "slots", "sub_type", "title", "type",
    }
)  # fmt: skip
#: Kinds that have no strict form, or have it only by what stands inside them.
_NEVER_STRICT: Final = frozenset(
    {"any", "none", "literal", "is-instance", "is-subclass", "callable", "nullable", "union"}
    | {"tagged-union", "chain", "json", "custom-error", "model", "dataclass", "typed-dict"}
    | {"missing-sentinel", "arguments", "arguments-v3", "call", "generator"}
)
#: Settings of a model, and where they act.
_TEXT_SETTINGS: Final = {
    "strip_whitespace": "str_strip_whitespace",
    "to_lower": "str_to_lower",
    "to_upper": "str_to_upper",
    "min_length": "str_min_length",
    "max_length": "str_max_length",
    "coerce_numbers_to_str": "coerce_numbers_to_str",
    "regex_engine": "regex_engine",
}
_SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "str": _TEXT_SETTINGS,
    "float": {"allow_inf_nan": "allow_inf_nan"},
    "decimal": {"allow_inf_nan": "allow_inf_nan"},
    "date": {"val_temporal_unit": "val_temporal_unit"},
    "datetime": {"val_temporal_unit": "val_temporal_unit"},
    "timedelta": {"val_temporal_unit": "val_temporal_unit"},
}
_BOUNDS: Final = frozenset({"ge", "gt", "le", "lt", "multiple_of"})
#: What the bounds of a number are held as.
_NUMBERS: Final[Mapping[str, type]] = {"int": int, "float": float, "decimal": Decimal}
#: Settings that say what holds anyway.
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "str": {
        "strip_whitespace": False, "to_lower": False, "to_upper": False, "min_length": 0,
        "coerce_numbers_to_str": False, "regex_engine": "rust-regex",
    },
    "float": {"allow_inf_nan": True},
    "decimal": {"allow_inf_nan": False},
    "date": {"val_temporal_unit": "infer"},
    "datetime": {"val_temporal_unit": "infer", "microseconds_precision": "truncate"},
    "time": {"microseconds_precision": "truncate"},
    "timedelta": {"val_temporal_unit": "infer", "microseconds_precision": "truncate"},
    "union": {"mode": "smart"},
    "typed-dict": {"extra_behavior": "ignore", "total": True},
    "tagged-union": {"from_attributes": True},
    "list": {"min_length": 0},
    "set": {"min_length": 0},
    "frozenset": {"min_length": 0},
    "dict": {"min_length": 0},
    "bytes": {"min_length": 0},
}  # fmt: skip


def effective_rules(node: Node, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constraints and settings that act on a node and are not at their default.

    Parameters
    ----------
    node : mapping
        A node.
    config : mapping
        The settings of the model around it.
    """
    kind = node["type"]
    found = {
        key: content
        for key, content in node.items()
        if key not in SILENT and key != "fields" and not nodes_under(key, content)
    }
    for key, setting in _SETTINGS.get(kind, {}).items():
        if config.get(setting) is not None:
            found.setdefault(key, config[setting])
    if kind not in _NEVER_STRICT:
        found.setdefault("strict", config.get("strict", False))
    if "pattern" not in found:
        found.pop("regex_engine", None)
    if "cls" in found:
        found["cls"] = _class_label(found["cls"])
    if callable(found.get("discriminator")):
        del found["discriminator"]
    usual = _DEFAULTS.get(kind, {})
    return {
        key: to_tagged(_bound(kind, content) if key in _BOUNDS else content)
        for key, content in found.items()
        if content is not None
        and not (key == "strict" and not content)
        and not (key in usual and content == usual[key])
    }


def _bound(kind: str, bound: Any) -> Any:
    """Return a bound as the number that it bounds, as some versions of pydantic have it."""
    number = _NUMBERS.get(kind)
    if number is None or type(bound) not in {int, float}:
        return bound
    try:
        held = number(bound)
    except (OverflowError, ValueError):
        return bound
    return held if held == bound else bound


def _class_label(cls: Any) -> str:
    return class_name(cls) if isinstance(cls, type) else str(cls)


def nodes_under(name: str, content: Any) -> list[tuple[str, Node]]:
    """Return the types in the content of a key: one, a list of them, or some under labels."""
    if isinstance(content, Mapping) and isinstance(content.get("type"), str):
        return [(name, content)]
    if isinstance(content, Mapping):
        return [
            (f"{name}.{label}", one)
            for label, one in content.items()
            if isinstance(one, Mapping) and isinstance(one.get("type"), str)
        ]
    if not isinstance(content, list):
        return []
    found = [one[0] if isinstance(one, tuple) else one for one in content]
    return [
        (f"{name}.{place}", one)
        for place, one in enumerate(found)
        if isinstance(one, Mapping) and isinstance(one.get("type"), str)
    ]
