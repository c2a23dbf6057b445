"""Evidence as JSON values, in the one form that equal evidence shares, and back."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from prodml._evidence_fields import MAX_EXACT_INTEGER, ConfidenceInterval, EvidenceTable
from prodml.errors import EvidenceError, FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prodml.evidence import Evidence

__all__ = ["read_fields", "write_fields"]

_INFINITIES: Final = {"Infinity": math.inf, "-Infinity": -math.inf}


def write_fields(evidence: Evidence) -> dict[str, Any]:
    """Return plain JSON values; fields that say nothing are left out."""
    written: dict[str, Any] = {
        "kind": evidence.kind,
        "metric": evidence.metric,
        "value": _write_number(evidence.value),
        "status": evidence.status,
    }
    if (interval := evidence.confidence_interval) is not None:
        written["confidence_interval"] = {
            "low": _write_number(interval.low),
            "high": _write_number(interval.high),
            "confidence_level": interval.confidence_level,
        }
    if evidence.labels:
        written["labels"] = dict(evidence.labels)
    for name in ("n", "verdict", "basis", "method", "reason", "subject"):
        if (content := getattr(evidence, name)) is not None:
            written[name] = content
    if evidence.threshold is not None:
        written["threshold"] = _write_number(evidence.threshold)
    if evidence.at is not None:
        written["at"] = evidence.at.isoformat()
    if evidence.table is not None:
        written["table"] = _write_table(evidence.table)
    return written


def read_fields(content: Mapping[str, Any], *, known: frozenset[str]) -> dict[str, Any]:
    """Return the arguments of evidence that :func:`write_fields` has written."""
    fields = dict(content)
    if unknown := sorted(map(str, set(fields) - known)):
        message = f"Evidence has no fields {unknown}; it was written by a later prodml, or by hand."
        raise FormatError(message)
    if missing := sorted({"kind", "metric", "value"} - set(fields)):
        message = f"Evidence lacks the fields {missing}."
        raise FormatError(message)
    for name, read in _READERS.items():
        if fields.get(name) is None:
            continue
        try:
            fields[name] = read(fields[name])
        except EvidenceError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"Evidence has a field {name!r} that is damaged: {error!r}."
            raise FormatError(message) from error
    return fields


def _write_number(number: float | None) -> float | str | None:
    """Write infinities as words, and whole numbers alike whether they were ints or floats."""
    if not isinstance(number, float):
        return number
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    whole = number.is_integer() and abs(number) <= MAX_EXACT_INTEGER
    return int(number) if whole else number


def _read_number(number: Any) -> Any:
    return _INFINITIES.get(number, number) if isinstance(number, str) else number


def _write_cell(cell: Any) -> Any:
    """Write a cell so that the text and the number Infinity stay apart."""
    infinite = isinstance(cell, float) and math.isinf(cell)
    return {"number": _write_number(cell)} if infinite else _write_number(cell)


def _read_cell(cell: Any) -> Any:
    return _INFINITIES[cell["number"]] if isinstance(cell, dict) else cell


def _write_table(table: EvidenceTable) -> dict[str, Any]:
    # names in a list: the keys of a JSON object have no order, and that of a table is meant
    columns = [[_write_cell(cell) for cell in cells] for cells in table.columns.values()]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return {"columns": list(table.columns), "rows": rows}


def _read_table(content: Any) -> EvidenceTable:
    names, rows = content["columns"], content["rows"]
    if len(set(names)) != len(names) or any(len(row) != len(names) for row in rows):
        message = "its rows do not fit its columns"
        raise ValueError(message)
    return EvidenceTable(
        {name: tuple(_read_cell(row[at]) for row in rows) for at, name in enumerate(names)}
    )


def _read_interval(content: Any) -> ConfidenceInterval:
    return ConfidenceInterval(**{name: _read_number(end) for name, end in content.items()})


_READERS: Final = {
    "value": _read_number,
    "threshold": _read_number,
    "confidence_interval": _read_interval,
    "at": datetime.fromisoformat,
    "table": _read_table,
}
