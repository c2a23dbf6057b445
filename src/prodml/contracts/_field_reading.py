"""Reading one field of a pydantic model: its names, its constraints, and who can judge it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import SchemaValidator, core_schema

from prodml.contracts._patterns import is_portable
from prodml.contracts._plan import FAILED, FieldPlan
from prodml.contracts._schema_nodes import (
    FUNCTION_NODES,
    SILENT_KEYS,
    asks_for_context,
    output_kind,
    resolved,
    unknown_keys,
    unwrap_nullable,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prodml.contracts._plan import Path
    from prodml.contracts._schema_nodes import Node

__all__ = ["read_field"]

_FIELD_KEYS: Final = frozenset(
    {
        "schema",
        "validation_alias",
        "serialization_alias",
        "serialization_exclude",
        "serialization_exclude_if",
        "frozen",
        "name",
    }
)
_DEFAULT_KEYS: Final = frozenset(
    {
        "schema",
        "default",
        "default_factory",
        "default_factory_takes_data",
        "on_error",
        "validate_default",
        "copy_default",
    }
)
# Constraints that a kernel knows; a node with any other key is left to pydantic-core.
_KERNEL_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"ge", "gt", "le", "lt", "strict"}),
    "float": frozenset({"ge", "gt", "le", "lt", "strict", "allow_inf_nan"}),
    "bool": frozenset({"strict"}),
    "str": frozenset(
        {"min_length", "max_length", "pattern", "strip_whitespace", "strict", "regex_engine"}
    ),
    "datetime": frozenset(
        {"ge", "gt", "le", "lt", "strict", "microseconds_precision", "tz_constraint"}
    ),
    "date": frozenset({"strict"}),
    "timedelta": frozenset({"strict", "microseconds_precision"}),
    "literal": frozenset({"expected", "strict"}),
    "enum": frozenset({"members", "sub_type", "missing", "strict"}),
}
# Settings of a model that act on its text fields, and what they are without one.
_TEXT_SETTINGS: Final = (
    ("strip_whitespace", "str_strip_whitespace", False),
    ("min_length", "str_min_length", None),
    ("max_length", "str_max_length", None),
    ("regex_engine", "regex_engine", "rust-regex"),
)


def read_field(
    name: str, one: Node, config: Mapping[str, Any], definitions: Mapping[str, Node]
) -> FieldPlan | str:
    """Decide who judges a field.

    Parameters
    ----------
    name : str
        The attribute of the model.
    one : dict
        Its node among the model's fields.
    config : mapping
        The settings of the model.
    definitions : mapping of str to dict
        What references stand for.

    Returns
    -------
    FieldPlan or str
        The plan; or why rows must go to pydantic whole, in words.
    """
    if why := unknown_keys(one, _FIELD_KEYS):
        return why
    inputs = _input_names(name, one.get("validation_alias"), config)
    if isinstance(inputs, str):
        return inputs
    whole = schema = resolved(one["schema"], definitions)
    required = schema["type"] != "default"
    if not required:
        if why := _default_fault(schema):
            return why
        schema = resolved(schema["schema"], definitions)
    functions = walk(schema, definitions, nested=False)
    if any(node["type"] in FUNCTION_NODES and asks_for_context(node) for node in functions):
        return "a validator asks for its context (info)"
    nullable, inner = unwrap_nullable(schema, definitions)
    node = _with_config(inner, config)
    path, why, distinct = _choose_path(node, schema, definitions)
    # with its default, which a validator may ask for
    one_validator, column_validator = _validators(whole, config, definitions)
    by_alias = config.get("loc_by_alias", True)
    return FieldPlan(
        name=name,
        inputs=inputs,
        location=inputs[0] if by_alias else name,
        required=required,
        nullable=nullable,
        kind=inner["type"],
        node=node,
        path=path,
        why=why,
        distinct=distinct,
        output=output_kind(inner, definitions),
        one=one_validator,
        column=column_validator,
        loc_by_alias=by_alias,
    )


def _default_fault(schema: Node) -> str | None:
    """Return why the default of a field cannot be filled in beside its values, or None."""
    if why := unknown_keys(schema, _DEFAULT_KEYS):
        return why
    if schema.get("on_error", "raise") != "raise":
        return "its default also replaces values that fail"
    if schema.get("default_factory_takes_data"):
        return "its default is computed from other fields"
    if schema.get("validate_default"):
        return "its default is validated in every row"
    return None


def _input_names(name: str, alias: Any, config: Mapping[str, Any]) -> tuple[str, ...] | str:
    by_name = config.get("validate_by_name", config.get("populate_by_name", False))
    by_alias = config.get("validate_by_alias", True)
    if alias is None or not by_alias:
        return (name,)
    paths = [[alias]] if isinstance(alias, str) else alias
    if paths and isinstance(paths[0], str | int):
        paths = [paths]
    if any(len(path) != 1 or not isinstance(path[0], str) for path in paths):
        return "its alias is a path into a nested value"
    names = [path[0] for path in paths]
    return tuple(dict.fromkeys([*names, name] if by_name else names))


def _choose_path(
    inner: Node, schema: Node, definitions: Mapping[str, Node]
) -> tuple[Path, str, bool]:
    kind = inner["type"]
    if any(node["type"] in FUNCTION_NODES for node in walk(schema, definitions)):
        return "column", "has a validator function; each distinct value is judged once", True
    if kind not in _KERNEL_KEYS:
        return "column", f"{kind} values are judged by pydantic-core, column by column", False
    unknown = sorted(set(inner) - _KERNEL_KEYS[kind] - SILENT_KEYS)
    if unknown:
        return "column", f"{', '.join(unknown)} of {kind} is judged by pydantic-core", False
    if kind in {"literal", "enum"}:
        return "vectorised", f"each distinct value of the {kind} is judged once", True
    if kind == "str":
        return _choose_text_path(inner)
    return "vectorised", f"{kind} bounds are compared as a column", False


def _choose_text_path(inner: Node) -> tuple[Path, str, bool]:
    pattern = inner.get("pattern")
    if pattern is None:
        return "vectorised", "lengths are counted as a column", False
    if not isinstance(pattern, str) or inner.get("regex_engine", "rust-regex") != "rust-regex":
        return "column", "the pattern needs Python's own engine", False
    if not is_portable(pattern):
        return "column", "the pattern means something else to Arrow's engine", False
    return "vectorised", "what Arrow's engine matches is accepted, the rest goes to pydantic", False


def _with_config(inner: Node, config: Mapping[str, Any]) -> Node:
    """Return the node with the settings of the model that act on it."""
    node = dict(inner)
    node.setdefault("strict", bool(config.get("strict", False)))
    if node["type"] == "float":
        node.setdefault("allow_inf_nan", config.get("allow_inf_nan", True))
    if node["type"] == "str":
        for key, setting, default in _TEXT_SETTINGS:
            node.setdefault(key, config.get(setting, default))
        for key in ("to_lower", "to_upper"):
            if config.get(f"str_{key}"):
                node.setdefault(key, True)
    return node


def _validators(
    schema: Node, config: Mapping[str, Any], definitions: Mapping[str, Node]
) -> tuple[SchemaValidator, SchemaValidator]:
    single: Any = schema
    marked = core_schema.with_default_schema(single, default=FAILED, on_error="default")
    listed: Any = core_schema.list_schema(marked)
    if definitions:
        every: Any = list(definitions.values())
        single = core_schema.definitions_schema(single, every)
        listed = core_schema.definitions_schema(listed, every)
    settings: Any = dict(config) or None
    return SchemaValidator(single, settings), SchemaValidator(listed, settings)
