"""The nodes of a pydantic core schema, and how to find one's way through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "FUNCTION_NODES",
    "SILENT_KEYS",
    "Node",
    "asks_for_context",
    "output_kind",
    "resolved",
    "unknown_keys",
    "unwrap_nullable",
    "walk",
]

Node = dict[str, Any]

#: Keys that say nothing about which values are accepted.
SILENT_KEYS: Final = frozenset({"type", "metadata", "ref", "serialization", "title", "cls"})

FUNCTION_NODES: Final = frozenset(
    {"function-after", "function-before", "function-wrap", "function-plain"}
)

# What has fields of its own gives its validators a context of its own.
_OWN_CONTEXT: Final = frozenset({"model", "dataclass", "typed-dict"})
# Keys below which there are values, not nodes.
_NO_NODES: Final = frozenset(
    {"metadata", "cls", "serialization", "default", "expected", "members", "config"}
)

# Kinds of column for the values of literals and of the members of an Enum.
_MEMBER_KINDS: Final = ((str, "str"), (int, "int"), (bool, "bool"))


def resolved(node: Node, definitions: Mapping[str, Node]) -> Node:
    """Return what a reference stands for; any other node as it is."""
    while node["type"] == "definition-ref":
        node = definitions[node["schema_ref"]]
    return node


def unknown_keys(node: Node, known: frozenset[str]) -> str | None:
    """Return why a node is not understood: its keys beyond `known`, or None."""
    unknown = sorted(set(node) - known - SILENT_KEYS)
    if not unknown:
        return None
    return f"{node['type']} has {', '.join(unknown)}, which prodml does not know"


def unwrap_nullable(schema: Node, definitions: Mapping[str, Node]) -> tuple[bool, Node]:
    """Return whether None is accepted, and the node for everything else."""
    if schema["type"] == "nullable" and set(schema) <= SILENT_KEYS | {"schema"}:
        return True, resolved(schema["schema"], definitions)
    return False, schema


def asks_for_context(node: Node) -> bool:
    """Say whether a function node hands its function more than the value."""
    return bool(node["function"].get("type") != "no-info")


def walk(node: Any, definitions: Mapping[str, Node], *, nested: bool = True) -> Iterator[Node]:
    """Yield a node and all nodes below it, each definition once; nested models only if asked."""
    seen: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, list | tuple):
            pending.extend(current)
        elif isinstance(current, dict):
            if current.get("type") == "definition-ref":
                reference = current["schema_ref"]
                if reference not in seen:
                    seen.add(reference)
                    pending.append(definitions[reference])
                continue
            if isinstance(current.get("type"), str):
                yield current
            if not nested and current.get("type") in _OWN_CONTEXT:
                continue
            pending.extend(part for key, part in current.items() if key not in _NO_NODES)


def output_kind(inner: Node, definitions: Mapping[str, Node]) -> str:
    """Return the kind of column that holds what a node gives."""
    while inner["type"] in FUNCTION_NODES | {"nullable", "default"} and "schema" in inner:
        inner = resolved(inner["schema"], definitions)
    kind = str(inner["type"])
    if kind not in {"literal", "enum"}:
        return kind
    members = inner.get("expected", inner.get("members"))
    kinds = {type(getattr(one, "value", one)) for one in members or ()}
    for one, name in _MEMBER_KINDS:
        if kinds == {one}:
            return name
    return "object"
