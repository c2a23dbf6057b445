"""Reading a pydantic model: which fields can be judged column by column, and which can't, and why.

pydantic-core is the definition of right. What stands here decides only *who* judges. Everything
that is not recognised, node or key, sends the field or the whole model to pydantic-core itself
(fail closed), because a key that is overlooked is a rule that is not applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from prodml.contracts._field_reading import read_field
from prodml.contracts._plan import ModelPlan
from prodml.contracts._schema_nodes import (
    asks_for_context,
    output_kind,
    resolved,
    unknown_keys,
    unwrap_nullable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from prodml.contracts._schema_nodes import Node

__all__ = ["read_model"]

_MODEL_KEYS: Final = frozenset(
    {
        "schema",
        "config",
        "custom_init",
        "root_model",
        "post_init",
        "frozen",
        "strict",
        "generic_origin",
    }
)
_FIELDS_KEYS: Final = frozenset({"fields", "model_name", "computed_fields"})
_FUNCTION_KEYS: Final = frozenset({"function", "schema"})
# Settings that act inside a field, where pydantic-core applies them when it is given the config,
# and settings that do not touch validation.
_CONFIG_KEYS: Final = frozenset(
    {
        "title",
        "extra_fields_behavior",
        "strict",
        "frozen",
        "str_strip_whitespace",
        "str_to_lower",
        "str_to_upper",
        "str_max_length",
        "str_min_length",
        "allow_inf_nan",
        "coerce_numbers_to_str",
        "regex_engine",
        "cache_strings",
        "hide_input_in_errors",
        "validation_error_cause",
        "loc_by_alias",
        "populate_by_name",
        "validate_by_alias",
        "validate_by_name",
        "serialize_by_alias",
        "revalidate_instances",
        "from_attributes",
        "val_json_bytes",
        "ser_json_timedelta",
        "ser_json_temporal",
        "ser_json_bytes",
        "ser_json_inf_nan",
        "polymorphic_serialization",
        "url_preserve_empty_path",
        "val_temporal_unit",
    }
)


def read_model(model: type[BaseModel], /) -> ModelPlan:
    """Decide how the rows of a model are judged."""
    top = TypeAdapter(model).core_schema
    definitions: dict[str, Node] = {}
    node: Node = dict(top)
    if node["type"] == "definitions":
        definitions = {one["ref"]: one for one in node["definitions"]}
        node = node["schema"]
    node = resolved(node, definitions)
    outputs = _outputs(node, definitions)
    survivors: list[str] = []
    while node["type"] == "function-after":
        if why := unknown_keys(node, _FUNCTION_KEYS):
            return _whole(outputs, why)
        if asks_for_context(node):
            return _whole(outputs, "a model validator asks for its context")
        survivors.append(f"model_validator {_function_name(node)!r} sees whole rows")
        node = resolved(node["schema"], definitions)
    if node["type"] != "model":
        return _whole(outputs, f"a {node['type']} stands before the fields")
    config: dict[str, Any] = dict(node.get("config") or {})
    if why := _model_fault(node, config):
        return _whole(outputs, why)
    if node.get("post_init") and not _is_private_attribute_setup(node["cls"]):
        survivors.append("model_post_init sees whole rows")
    return _read_fields(
        resolved(node["schema"], definitions),
        config,
        definitions,
        survivors="; ".join(survivors) or None,
        outputs=outputs,
    )


def _read_fields(
    inner: Node,
    config: Mapping[str, Any],
    definitions: Mapping[str, Node],
    *,
    survivors: str | None,
    outputs: dict[str, tuple[str, bool]],
) -> ModelPlan:
    if inner["type"] != "model-fields":
        return _whole(outputs, f"a model_validator ({inner['type']}) sees whole rows")
    if why := unknown_keys(inner, _FIELDS_KEYS):
        return _whole(outputs, why)
    fields = []
    for name, one in inner["fields"].items():
        plan = read_field(name, one, config, definitions)
        if isinstance(plan, str):
            return _whole(outputs, f"field {name!r}: {plan}")
        fields.append(plan)
    return ModelPlan(
        fields=tuple(fields),
        extra=config.get("extra_fields_behavior", "ignore"),
        whole_rows=None,
        survivors=survivors,
        outputs=outputs,
    )


def _whole(outputs: dict[str, tuple[str, bool]], why: str) -> ModelPlan:
    return ModelPlan(fields=(), extra="ignore", whole_rows=why, survivors=None, outputs=outputs)


def _outputs(node: Node, definitions: Mapping[str, Node]) -> dict[str, tuple[str, bool]]:
    """Find the fields of a model below whatever wraps them."""
    while node["type"] != "model-fields":
        if node["type"] == "model" and node.get("root_model"):
            nullable, inner = unwrap_nullable(resolved(node["schema"], definitions), definitions)
            return {"root": (output_kind(inner, definitions), nullable)}
        if not isinstance(node.get("schema"), dict):
            return {}
        node = resolved(node["schema"], definitions)
    found = {}
    for name, one in node["fields"].items():
        schema = resolved(one["schema"], definitions)
        if schema["type"] == "default":
            schema = resolved(schema["schema"], definitions)
        nullable, inner = unwrap_nullable(schema, definitions)
        found[name] = (output_kind(inner, definitions), nullable)
    return found


def _model_fault(node: Node, config: Mapping[str, Any]) -> str | None:
    """Return why the fields of a model cannot be judged one by one, or None."""
    if why := unknown_keys(node, _MODEL_KEYS):
        return why
    if node.get("custom_init"):
        return "the model has its own __init__"
    if node.get("root_model"):
        return "the model is a RootModel"
    if "strict" in node:
        return "strict is set on the model's schema"
    unknown = sorted(set(config) - _CONFIG_KEYS)
    return f"model_config has {', '.join(unknown)}, which prodml does not know" if unknown else None


def _is_private_attribute_setup(cls: type[Any]) -> bool:
    hook = getattr(cls, "model_post_init", None)
    return getattr(hook, "__module__", "").startswith("pydantic.") and (
        getattr(hook, "__name__", "") == "init_private_attributes"
    )


def _function_name(node: Node) -> str:
    function = node["function"].get("function")
    return str(getattr(function, "__name__", function))
