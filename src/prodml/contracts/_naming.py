"""Whether a contract speaks of fields that its model has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prodml.contracts.checks import Check

__all__ = ["naming_faults"]


def naming_faults(
    fields: Sequence[str], *, name: Any, version: Any, key: Any, checks: Iterable[Check]
) -> list[str]:
    """Return a sentence for each thing that is called what it cannot be called.

    Parameters
    ----------
    fields : sequence of str
        The fields of the model.
    name, version : object
        What the contract is called, which must be text.
    key : object
        The field that identifies a row, or None.
    checks : iterable of Check
        Their columns must be fields.
    """
    faults = [
        f"`{what}` must be text, got {given!r}."
        for what, given in (("name", name), ("version", version))
        if not isinstance(given, str)
    ]
    named = [("key", key)] if key is not None else []
    named += [(type(check).__name__, column) for check in checks for column in check.columns]
    for where, column in named:
        if column not in fields:
            close = difflib.get_close_matches(str(column), fields, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            faults.append(f"{where} names {column!r}, which is no field.{hint}")
    return faults
