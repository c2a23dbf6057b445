"""A contract as JSON Schema, for whoever speaks no Python.

pydantic writes the schema of the model. What is added here: that it never fails on a type which
JSON Schema has no words for, the checks and the fingerprint under ``x-prodml``, and a list of
what the schema does not say, so that nobody takes it for the whole contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prodml.contracts._shapes import FieldDescription, TypeDescription
    from prodml.contracts.contract import Contract

__all__ = ["to_json_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
#: Rules of which JSON Schema has no equal, or another idea.
_UNSAID: Final = {
    "now_op": "is held against the clock",
    "tz_constraint": "says whether a time zone must be there",
    "strip_whitespace": "strips spaces before lengths and patterns are judged",
    "max_digits": "counts digits",
    "decimal_places": "counts digits",
    "regex_engine": "uses the regular expressions of Python",
}


class _Generator(GenerateJsonSchema):
    """Writes a type that JSON Schema cannot express as one that takes anything."""

    def handle_invalid_for_json_schema(
        self,
        schema: Any,  # noqa: ARG002 - as pydantic calls it
        error_info: str,
    ) -> dict[str, Any]:
        return {"x-prodml-opaque": error_info}

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Leave out what JSON cannot hold, such as a default that is an object."""


def to_json_schema(contract: Contract[Any], /) -> dict[str, Any]:
    """Return a contract as JSON Schema, draft 2020-12.

    Parameters
    ----------
    contract : Contract
        The contract.

    Returns
    -------
    dict
        Plain JSON values. Under ``x-prodml`` stand name, version, key, fingerprint, the checks,
        and in ``not_said`` what the schema leaves out, by field.

    Notes
    -----
    A record that the schema takes is accepted by the contract, as far as ``not_said`` is empty.
    The reverse holds for records that have the declared types: the contract also reads what can
    be converted, such as ``"12"`` where a whole number is declared, and the schema does not.
    Dates and times are strings with a ``format``, which a validator of JSON Schema looks at only
    if it is told to.

    Examples
    --------
    >>> from pydantic import BaseModel, Field
    >>> from prodml.contracts import Contract, Unique
    >>> class Order(BaseModel):
    ...     quantity: int = Field(ge=1)
    >>> schema = to_json_schema(Contract(Order, checks=[Unique("quantity")]))
    >>> schema["properties"]["quantity"]
    {'minimum': 1, 'title': 'Quantity', 'type': 'integer'}
    >>> schema["x-prodml"]["checks"]
    [{'rule': 'unique', 'columns': ['quantity']}]
    """
    described = contract.describe()
    schema = contract.model.model_json_schema(schema_generator=_Generator)
    not_said: dict[str, list[str]] = {}
    for path, reason in _unsaid(described.model, ""):
        reasons = not_said.setdefault(path, [])
        if reason not in reasons:
            reasons.append(reason)
    return {
        "$schema": _DIALECT,
        **schema,
        "x-prodml": {
            "name": contract.name,
            "version": contract.version,
            "key": contract.key,
            "fingerprint": contract.fingerprint,
            "checks": [check.to_dict() for check in described.checks],
            "not_said": not_said,
        },
    }


def _unsaid(described: TypeDescription, path: str) -> Iterator[tuple[str, str]]:
    """Yield what JSON Schema does not say about a type, and where."""
    for function in described.functions:
        yield path, f"{function.mode} validator {function.name}"
    for name, reason in _UNSAID.items():
        if name in described.rules:
            yield path, reason
    if described.kind in {"is-instance", "is-subclass", "callable", "json", "complex"}:
        yield path, f"{described.kind} values"
    for label, part in described.parts.items():
        inside = f"{path}[]" if label.startswith("items") else path
        yield from _unsaid(part, inside)
    for field in described.fields:
        yield from _unsaid_of_field(field, path)


def _unsaid_of_field(field: FieldDescription, path: str) -> Iterator[tuple[str, str]]:
    inside = f"{path}.{field.name}" if path else field.name
    if len(field.inputs) > 1 or len(field.inputs[0]) > 1:
        yield inside, "is read under several names, or from within another column"
    yield from _unsaid(field.type, inside)
