"""From a pydantic model to the description of what it takes.

What is read is pydantic's core schema, which holds all that decides; what is written is prodml's
own description, which has neither addresses nor two ways of saying one thing. Settings of the
model stand at the types they act on, so that ``strict=True`` of a model and of each of its fields
look the same. Nothing is passed over: a node or a key that is not known here is written down by
its name, and a function by its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from prodml.contracts._functions import describe_function
from prodml.contracts._schema_rules import SILENT, Node, effective_rules, nodes_under
from prodml.contracts._shapes import (
    FieldDescription,
    FunctionDescription,
    InputPath,
    TypeDescription,
)
from prodml.contracts._tagged import to_tagged

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["read_model_type"]

#: Of a field, told by its description, or a matter of constructors.
_FIELD_KEYS: Final = frozenset(
    {"name", "schema", "validation_alias", "required", "init", "init_only", "kw_only"}
)
_FUNCTIONS: Final = {
    "function-before": "before",
    "function-after": "after",
    "function-wrap": "wrap",
    "function-plain": "plain",
}
#: Kinds with fields of their own, whose settings come from themselves alone.
_OWN_SETTINGS: Final = frozenset({"model", "dataclass", "typed-dict"})


def read_model_type(model: type[BaseModel], /) -> TypeDescription:
    """Describe what a model takes."""
    node: Node = TypeAdapter(model).core_schema
    definitions: dict[str, Node] = {}
    if node["type"] == "definitions":
        definitions = {one["ref"]: one for one in node["definitions"]}
        node = node["schema"]
    return _Reading(definitions).describe(node, {}, 0)


class _Reading:
    """Walks one core schema; holds which definitions it stands in, and how deep they began."""

    def __init__(self, definitions: Mapping[str, Node]) -> None:
        self._definitions = dict(definitions)
        self._open: dict[str, int] = {}

    def describe(self, node: Node, config: Mapping[str, Any], depth: int) -> TypeDescription:
        """Describe a node that stands `depth` types below the whole."""
        kind = node["type"]
        if kind == "definitions":
            self._definitions |= {one["ref"]: one for one in node["definitions"]}
            return self.describe(node["schema"], config, depth)
        if kind == "definition-ref":
            reference = node["schema_ref"]
            if reference in self._open:
                return TypeDescription(
                    kind="recursive", rules={"up": depth - self._open[reference]}
                )
            return self.describe(self._definitions[reference], config, depth)
        reference = node.get("ref")
        if reference is None or reference in self._open:
            return self._describe_known(node, config, depth)
        self._open[reference] = depth
        described = self._describe_known(node, config, depth)
        del self._open[reference]
        return described

    def _describe_known(self, node: Node, config: Mapping[str, Any], depth: int) -> TypeDescription:
        kind = node["type"]
        if kind in _FUNCTIONS:
            return self._describe_function(node, config, depth)
        if (key := _way_through(node, config)) is not None:
            return self.describe(node[key], config, depth)
        if kind in _OWN_SETTINGS:
            return self._describe_record(node, depth)
        if kind == "literal":
            values = [to_tagged(one) for one in node["expected"]]
            return TypeDescription(kind=kind, rules={"values": values})
        if kind == "enum":
            return self._describe_enum(node, config)
        return TypeDescription(
            kind=kind,
            rules=effective_rules(node, config),
            parts=self._parts(node, config, depth),
            functions=_discriminator(node),
        )

    def _describe_function(
        self, node: Node, config: Mapping[str, Any], depth: int
    ) -> TypeDescription:
        mode = _FUNCTIONS[node["type"]]
        function = describe_function(node["function"]["function"], mode)
        if mode == "plain" or "schema" not in node:
            return TypeDescription(kind="any", functions=(function,))
        inner = self.describe(node["schema"], config, depth)
        return _with_functions(inner, (function,))

    def _describe_enum(self, node: Node, config: Mapping[str, Any]) -> TypeDescription:
        rules: dict[str, Any] = {"values": [to_tagged(one.value) for one in node["members"]]}
        if node.get("sub_type") is not None:
            rules["sub_type"] = node["sub_type"]
        if node.get("strict", config.get("strict", False)):
            rules["strict"] = True
        cls = node["cls"]
        # which some versions of pydantic leave to the class, without a word in the schema
        own = cls._missing_.__func__ is not Enum._missing_.__func__  # type: ignore[attr-defined]
        functions = (describe_function(cls._missing_, "missing"),) if own else ()
        return TypeDescription(kind="enum", rules=rules, functions=functions, name=cls.__qualname__)

    def _parts(
        self, node: Node, config: Mapping[str, Any], depth: int
    ) -> dict[str, TypeDescription]:
        parts = {}
        for key, content in node.items():
            if key in SILENT or key in {"json_schema", "return_schema"}:
                continue
            name = "inner" if key == "schema" else key.removesuffix("_schema")
            for label, inner in nodes_under(name, content):
                parts[label] = self.describe(inner, config, depth + 1)
        return parts

    def _describe_record(self, node: Node, depth: int) -> TypeDescription:
        """Describe a model, a dataclass or a TypedDict: what has fields."""
        config: Mapping[str, Any] = node.get("config") or {}
        cls = node.get("cls")
        inner = node if node["type"] == "typed-dict" else node["schema"]
        around: tuple[FunctionDescription, ...] = _hooks(node, cls)
        while inner["type"] in _FUNCTIONS and "schema" in inner:
            mode = _FUNCTIONS[inner["type"]]
            around += (describe_function(inner["function"]["function"], mode),)
            inner = inner["schema"]
        name = cls.__qualname__ if cls is not None else None
        rules = effective_rules(node, config) if node["type"] == "typed-dict" else {}
        if node.get("strict"):
            rules["strict"] = True
        if node.get("root_model"):
            return TypeDescription(
                kind="root",
                parts={"inner": self.describe(inner, config, depth + 1)},
                functions=around,
                name=name,
            )
        if (extra := config.get("extra_fields_behavior", "ignore")) != "ignore":
            rules["extra_behavior"] = extra
        if "fields" not in inner:  # pydantic has found a new way to write a model
            return TypeDescription(
                kind=node["type"],
                parts={"inner": self.describe(inner, config, depth + 1)},
                functions=around,
                name=name,
            )
        described = getattr(cls, "model_fields", None) or getattr(cls, "__pydantic_fields__", {})
        fields = _named_fields(inner["fields"])
        return TypeDescription(
            kind=node["type"],
            rules=rules,
            parts=self._parts({k: v for k, v in inner.items() if k != "fields"}, config, depth),
            fields=tuple(
                self._describe_field(label, one, config, depth, described.get(label))
                for label, one in fields.items()
            ),
            functions=around,
            name=name,
        )

    def _describe_field(
        self, name: str, node: Node, config: Mapping[str, Any], depth: int, info: Any
    ) -> FieldDescription:
        schema: Node = node["schema"]
        default: dict[str, Any] | None = None
        rules = {
            key: to_tagged(content)
            for key, content in node.items()
            if key not in SILENT | _FIELD_KEYS
        }
        while schema["type"] == "definition-ref" and (
            self._definitions[schema["schema_ref"]]["type"] == "default"
        ):
            schema = self._definitions[schema["schema_ref"]]
        if schema["type"] == "default":
            default = _default_of(schema)
            if schema.get("validate_default", config.get("validate_default", False)):
                rules["validate_default"] = True
        return FieldDescription(
            name=name,
            inputs=_input_paths(name, node.get("validation_alias"), config),
            type=self.describe(schema, config, depth + 1),
            required=node.get("required", True) and default is None,
            default=default,
            rules=rules,
            description=getattr(info, "description", None),
        )


def _way_through(node: Node, config: Mapping[str, Any]) -> str | None:
    """Return the key of the one type inside that decides, for nodes that only stand around it."""
    kind = node["type"]
    if kind == "custom-error" or (kind == "default" and node.get("on_error", "raise") == "raise"):
        return "schema"
    if kind == "json-or-python":  # both doors of a contract are Python's
        return "python_schema"
    if kind == "lax-or-strict":
        strict = node.get("strict", config.get("strict", False))
        return "strict_schema" if strict else "lax_schema"
    return None


def _with_functions(
    described: TypeDescription, functions: tuple[FunctionDescription, ...]
) -> TypeDescription:
    return replace(described, functions=functions + described.functions)


def _discriminator(node: Node) -> tuple[FunctionDescription, ...]:
    found = node.get("discriminator")
    return (describe_function(found, "discriminator"),) if callable(found) else ()


def _hooks(node: Node, cls: Any) -> tuple[FunctionDescription, ...]:
    """Describe what runs when an instance is made, besides validators."""
    hooks: list[FunctionDescription] = []
    if node.get("custom_init"):
        hooks.append(describe_function(cls.__init__, "init"))
    if node.get("post_init"):
        name = node["post_init"] if isinstance(node["post_init"], str) else "__post_init__"
        hook = describe_function(getattr(cls, name), "post_init")
        if not hook.name.startswith("pydantic."):  # which sets up private attributes
            hooks.append(hook)
    return tuple(hooks)


def _named_fields(fields: Any) -> dict[str, Node]:
    if isinstance(fields, Mapping):
        return dict(fields)
    return {one["name"]: one for one in fields}  # of a dataclass


def _default_of(schema: Node) -> dict[str, Any]:
    if "default_factory" in schema:
        return {"factory": describe_function(schema["default_factory"], "factory").to_dict()}
    return {"value": to_tagged(schema.get("default"))}


def _input_paths(name: str, alias: Any, config: Mapping[str, Any]) -> tuple[InputPath, ...]:
    by_name = config.get("validate_by_name", config.get("populate_by_name", False))
    by_alias = config.get("validate_by_alias", True)
    if alias is None or by_alias is False:
        return ((name,),)
    paths = [[alias]] if isinstance(alias, str) else list(alias)
    if paths and isinstance(paths[0], str | int):
        paths = [paths]
    found = [tuple(path) for path in paths]
    return tuple(dict.fromkeys([*found, (name,)] if by_name else found))
