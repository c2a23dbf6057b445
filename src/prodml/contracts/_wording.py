"""Types in words, as a person would write them: ``int >= 18``, ``list[str] | None``."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._tagged import UNKNOWN, canonical_json, from_tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prodml.contracts._shapes import TypeDescription

__all__ = ["rules_text", "type_text", "value_text"]

_SIGNS: Final = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
#: Rules that a type of another form already shows.
_SHOWN: Final = frozenset({"values", "up", "sub_type", "variadic_item_index"})
_MOST_VALUES: Final = 8
_LONGEST: Final = 40


def value_text(content: Any, /) -> str:
    """Return a tagged value as Python would write it, cut to what a message can carry."""
    value = from_tagged(content)
    if value is UNKNOWN:
        text = canonical_json(content)
    elif isinstance(value, date | time | timedelta | Decimal):
        text = str(value)
    else:
        text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def rules_text(rules: Mapping[str, Any], /) -> str:
    """Return constraints and settings in words; nothing for none."""
    said = []
    for name, content in rules.items():
        if name in _SIGNS:
            said.append(f"{_SIGNS[name]} {value_text(content)}")
        elif content is True:
            said.append(name)
        elif name not in _SHOWN:
            said.append(f"{name} {value_text(content)}")
    return ", ".join(said)


def type_text(described: TypeDescription, /) -> str:
    """Return a type in words."""
    text = _form(described)
    if rules := rules_text(described.rules):
        text = f"{text} {rules}" if rules.startswith((">", "<")) else f"{text} ({rules})"
    functions = [one.name.rpartition(".")[2] for one in described.functions]
    return f"{text} [{', '.join(functions)}]" if functions else text


def _form(described: TypeDescription) -> str:
    kind, parts = described.kind, described.parts
    if kind in {"literal", "enum"}:
        values = [value_text(one) for one in described.rules.get("values", ())]
        shown = ", ".join(values[:_MOST_VALUES]) + (", ..." if len(values) > _MOST_VALUES else "")
        return f"Literal[{shown}]" if kind == "literal" else f"{described.name or 'Enum'}[{shown}]"
    if kind == "nullable" and "inner" in parts:
        return f"{type_text(parts['inner'])} | None"
    if kind == "none":
        return "None"
    if kind in {"union", "tagged-union"}:
        return " | ".join(map(type_text, parts.values()))
    if described.name is not None:
        return described.name
    name = kind.replace("-", "_")
    return f"{name}[{', '.join(map(type_text, parts.values()))}]" if parts else name
