"""Schema changes that show in the names of the columns alone, without a look at any value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml.contracts.contract import Contract

__all__ = ["structural_changes"]


def structural_changes(contract: Contract[Any], labels: Sequence[Any]) -> list[tuple[str, str]]:
    """Return (kind, column) for columns that are missing or that nobody asked for."""
    locations = contract._locations  # noqa: SLF001 - the contract's own back room
    present = set(labels)
    read: set[Any] = set()
    changes = []
    for one in contract.describe().fields:
        columns = {path[0] for path in one.inputs}
        read |= columns
        if not present & columns:
            changes.append(("missing", locations[one.name]))
    added = dict.fromkeys(str(label) for label in labels if label not in read)
    return changes + [("added", label) for label in added]
