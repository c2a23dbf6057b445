"""A draft as the source of a Python module, which a person edits and keeps.

Names and values come from data, so they only ever get into the source as their ``repr``, which
escapes quotes, line ends and what cannot be printed.
"""

from __future__ import annotations

import textwrap
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._draft_names import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml.contracts._draft_fields import DraftField
    from prodml.contracts._draft_notes import DraftNote

__all__ = ["draft_source"]

_WIDTH: Final = 98


def draft_source(
    name: str, fields: Sequence[DraftField], notes: Sequence[DraftNote], *, n_rows: int
) -> str:
    """Return the source of a module with the model of a draft and its contract.

    Parameters
    ----------
    name : str
        Name of the model.
    fields : sequence of DraftField
        Its fields.
    notes : sequence of DraftNote
        What is to be looked at; comments in the source.
    n_rows : int
        Rows of the sample.
    """
    body = [line for one in fields for line in _field_lines(one)] or ["    pass"]
    remarks = [line for note in notes for line in _comment(str(note))]
    parts = [
        f'"""A draft that prodml made from {n_rows:,} rows: look it through, and make it yours."""',
        "",
        *_import_lines(fields),
        "",
        "from prodml.contracts import Contract",
        "",
    ]
    if remarks:
        parts += ["# To look at:", *remarks, ""]
    parts += ["", f"class {name}(BaseModel):", *body, "", "", f"contract = Contract({name})", ""]
    return "\n".join(parts)


def _import_lines(fields: Sequence[DraftField]) -> list[str]:
    used = {one.type for one in fields} | {"BaseModel"}
    if any(one.arguments for one in fields):
        used.add("Field")
    used |= {type(limit).__name__ for one in fields for limit in one.bounds.values()}
    by_module: dict[str, list[str]] = {}
    for item in sorted(used & set(IMPORTS)):
        by_module.setdefault(IMPORTS[item], []).append(item)
    pydantic = by_module.pop("pydantic")
    lines = [
        f"from {place} import {', '.join(names)}" for place, names in sorted(by_module.items())
    ]
    return [*lines, *([""] if lines else []), f"from pydantic import {', '.join(pydantic)}"]


def _field_lines(drafted: DraftField) -> list[str]:
    annotation = drafted.type
    items: list[str] = []
    if drafted.choices:
        items = [repr(value) for value in drafted.choices]
        annotation = f"Literal[{', '.join(items)}]"
    gap = " | None" if drafted.nullable and drafted.type != "Any" else ""
    given = ", ".join(f"{key}={_literal(value)}" for key, value in drafted.arguments.items())
    default = f" = Field({given})" if given else ""
    line = f"    {drafted.name}: {annotation}{gap}{default}"
    if len(line) <= _WIDTH or not items:
        return [line]
    listed = [f"        {item}," for item in items]
    return [f"    {drafted.name}: Literal[", *listed, f"    ]{gap}{default}"]


def _literal(value: Any) -> str:
    """Return the source of a value, by the names that the module imports."""
    if isinstance(value, datetime):
        parts = [value.year, value.month, value.day, value.hour, value.minute]
        parts += [value.second, value.microsecond] if value.second or value.microsecond else []
        return f"datetime({', '.join(map(str, parts))})"
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if isinstance(value, timedelta):
        return f"timedelta({value.days}, {value.seconds}, {value.microseconds})"
    return repr(value)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=_WIDTH,
        initial_indent="# - ",
        subsequent_indent="#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
