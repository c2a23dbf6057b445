"""A contract in the Open Data Contract Standard, for catalogues and the tools around them.

The document follows version 3.1.0 of the standard [1]_, which readers of 3.2 take as well.

References
----------
.. [1] Bitol, *Open Data Contract Standard*, v3.1.0, December 2025: sections Fundamentals, Schema,
   Data Quality, Service-Level Agreement, Custom & Other Properties.
"""

from __future__ import annotations

import inspect
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid5

from prodml.contracts._inclusion import accepts_none
from prodml.contracts._tagged import UNKNOWN, from_tagged
from prodml.contracts._wording import type_text
from prodml.contracts.checks import (
    Compare,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
    Unique,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prodml.contracts._shapes import FieldDescription, TypeDescription
    from prodml.contracts.checks import Check
    from prodml.contracts.contract import Contract

__all__ = ["to_odcs"]

_API_VERSION: Final = "v3.1.0"
_ENGINE: Final = "prodml"
_LOGICAL_TYPES: Final = {
    "str": "string",
    "uuid": "string",
    "url": "string",
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "timestamp",
    "time": "time",
    "timedelta": "string",
    "list": "array",
    "set": "array",
    "frozenset": "array",
    "tuple": "array",
    "dict": "object",
    "model": "object",
    "dataclass": "object",
    "typed-dict": "object",
}
_OF_VALUE: Final[dict[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
}
#: Names of rules in `logicalTypeOptions`, by logical type.
_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}
_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "string": {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"},
    "integer": {**_BOUNDS, "multiple_of": "multipleOf"},
    "number": {**_BOUNDS, "multiple_of": "multipleOf"},
    "date": _BOUNDS,
    "timestamp": _BOUNDS,
    "time": _BOUNDS,
    "array": {"min_length": "minItems", "max_length": "maxItems"},
    "object": {"min_length": "minProperties", "max_length": "maxProperties"},
}
_FORMATS: Final = {"uuid": "uuid", "url": "uri", "timedelta": "duration"}


def to_odcs(
    contract: Contract[Any], /, *, contract_id: str | None = None, status: str = "draft"
) -> dict[str, Any]:
    """Return a contract in the Open Data Contract Standard, version 3.1.0.

    Parameters
    ----------
    contract : Contract
        The contract.
    contract_id : str, optional
        What identifies it among all contracts; by default a UUID made from its name, which stays
        the same from version to version.
    status : str, default "draft"
        ``"proposed"``, ``"draft"``, ``"active"``, ``"deprecated"`` or ``"retired"``.

    Returns
    -------
    dict
        Plain data, ready for ``yaml.safe_dump(..., sort_keys=False)`` or ``json.dumps``.

    Notes
    -----
    Values that a column is limited to and checks on counts become library metrics; Compare and
    ForeignKey become rules of the engine ``prodml``, since the standard has no word for them.
    ``primaryKey`` is said of the key only if a Unique check makes it one. A type that the standard
    has no word for is called a string, and the custom property ``prodmlType`` says what it is.
    Patterns are
    handed on as they are; those of pydantic follow Rust, those of the standard ECMA-262.

    Examples
    --------
    >>> from pydantic import BaseModel, Field
    >>> from prodml.contracts import Contract, Unique
    >>> class Order(BaseModel):
    ...     id: int = Field(ge=1)
    >>> document = to_odcs(Contract(Order, key="id", checks=[Unique("id")]))
    >>> document["apiVersion"], document["schema"][0]["name"]
    ('v3.1.0', 'Order')
    >>> column = document["schema"][0]["properties"][0]
    >>> column["logicalType"], column["logicalTypeOptions"], column["primaryKey"]
    ('integer', {'minimum': 1}, True)
    """
    described = contract.describe()
    unique = {check.columns for check in contract.checks if isinstance(check, Unique)}
    columns = {one.name: str(one.inputs[0][0]) for one in described.fields}
    properties = []
    for field in described.fields:
        element = _element(columns[field.name], field)
        if (field.name,) in unique:
            element["unique"] = True
            if field.name == contract.key:
                element |= {"primaryKey": True, "primaryKeyPosition": 1}
        if gaps := _gap_quality(field, contract.checks):
            element["quality"] = element.get("quality", []) + gaps
        properties.append(element)
    table: dict[str, Any] = {
        "name": contract.name,
        "logicalType": "object",
        "physicalType": "table",
        "properties": properties,
    }
    if quality := _table_quality(contract.checks, columns):
        table["quality"] = quality
    document: dict[str, Any] = {
        "apiVersion": _API_VERSION,
        "kind": "DataContract",
        "id": contract_id or str(uuid5(NAMESPACE_URL, f"prodml:contract:{contract.name}")),
        "name": contract.name,
        "version": contract.version,
        "status": status,
    }
    # the docstring of BaseModel itself says nothing about the data
    if text := inspect.cleandoc(vars(contract.model).get("__doc__") or ""):
        document["description"] = {"purpose": text}
    document["schema"] = [table]
    if promises := _promises(contract.checks, contract.name, columns):
        document["slaProperties"] = promises
    custom = {"prodmlFingerprint": contract.fingerprint, "prodmlKey": contract.key}
    document["customProperties"] = [
        {"property": name, "value": value} for name, value in custom.items() if value is not None
    ]
    return document


def _element(name: str, field: FieldDescription) -> dict[str, Any]:
    element = {"name": name, **_type_keys(field.type)}
    if field.description:
        element["description"] = field.description
    element["required"] = field.required and accepts_none(field.type).verdict == "fail"
    if quality := _value_quality(_core(field.type)):
        element["quality"] = quality
    return element


def _type_keys(described: TypeDescription) -> dict[str, Any]:
    """Return what the standard says about a type."""
    core = _core(described)
    logical = _LOGICAL_TYPES.get(core.kind)
    if core.kind in {"literal", "enum"}:
        kinds = {_OF_VALUE.get(type(value)) for value in _plain_values(core) if value is not None}
        logical = next(iter(kinds)) if len(kinds) == 1 else None
    if logical is None:
        own = {"property": "prodmlType", "value": type_text(core)}
        return {"logicalType": "string", "customProperties": [own]}
    keys: dict[str, Any] = {"logicalType": logical}
    if options := _options(core, logical):
        keys["logicalTypeOptions"] = options
    if core.fields:
        keys["properties"] = [_element(str(one.inputs[0][0]), one) for one in core.fields]
    if logical == "array" and set(core.parts) == {"items"}:
        keys["items"] = _type_keys(core.parts["items"])
    return keys


def _core(described: TypeDescription) -> TypeDescription:
    while described.kind == "nullable":
        described = described.parts["inner"]
    return described


def _options(described: TypeDescription, logical: str) -> dict[str, Any]:
    options = {}
    for rule, name in _OPTIONS.get(logical, {}).items():
        if rule in described.rules:
            value = _plain(from_tagged(described.rules[rule]))
            if value is not None:
                options[name] = value
    if described.kind in _FORMATS:
        options["format"] = _FORMATS[described.kind]
    if described.kind == "datetime" and "tz_constraint" in described.rules:
        options["timezone"] = described.rules["tz_constraint"] != "naive"
    return options


def _plain_values(described: TypeDescription) -> list[Any]:
    return [from_tagged(value) for value in described.rules.get("values", ())]


def _plain(value: Any) -> Any:
    """Return a value as YAML and JSON have it, or None."""
    if value is UNKNOWN:
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else None


def _value_quality(described: TypeDescription) -> list[dict[str, Any]]:
    """Return the values that a type is limited to; none if a validator may let in others."""
    if described.kind not in {"literal", "enum"} or described.functions:
        return []
    values = [_plain(value) for value in _plain_values(described) if value is not None]
    if None in values:
        return []
    return [{"metric": "invalidValues", "arguments": {"validValues": values}, "mustBe": 0}]


def _gap_quality(field: FieldDescription, checks: Iterable[Check]) -> list[dict[str, Any]]:
    return [
        {"metric": "nullValues", "mustBeLessOrEqualTo": 100 * check.maximum, "unit": "percent"}
        for check in checks
        if isinstance(check, NullFraction) and check.column == field.name
    ]


def _table_quality(checks: Iterable[Check], columns: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for check in checks:
        if isinstance(check, Unique) and len(check.columns) > 1:
            names = [columns[name] for name in check.columns]
            found.append(
                {"metric": "duplicateValues", "arguments": {"properties": names}, "mustBe": 0}
            )
        elif isinstance(check, RowCount):
            found.append({"metric": "rowCount", **_count_keys(check)})
        elif isinstance(check, Compare):
            rule = {
                "rule": check.rule,
                "left": columns[check.left],
                "operator": check.operator,
                "right": columns[check.right],
            }
            text = f"{rule['left']} {check.operator} {rule['right']}"
            found.append(_custom(text, rule))
        elif isinstance(check, ForeignKey):
            column = columns[check.column]
            rule = {"rule": check.rule, "column": column, "reference": check.name}
            found.append(_custom(f"{column} is one of {check.name}", rule))
    return found


def _count_keys(check: RowCount) -> dict[str, Any]:
    if check.maximum is None:
        return {"mustBeGreaterOrEqualTo": check.minimum}
    if check.maximum == check.minimum:
        return {"mustBe": check.minimum}
    return {"mustBeBetween": [check.minimum, check.maximum]}


def _custom(text: str, rule: dict[str, Any]) -> dict[str, Any]:
    return {"type": "custom", "engine": _ENGINE, "description": text, "implementation": rule}


def _promises(
    checks: Iterable[Check], table: str, columns: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "property": "freshness",
            "value": _seconds(check.max_age),
            "unit": "s",
            "element": f"{table}.{columns[check.column]}",
        }
        for check in checks
        if isinstance(check, Freshness)
    ]


def _seconds(age: timedelta) -> float:
    seconds = age.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
