"""A contract as plain data, to be stored, fingerprinted and compared with its other versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prodml.contracts._description_faults import find_fault
from prodml.contracts._model_reading import read_model_type
from prodml.contracts._shapes import (
    CheckDescription,
    FieldDescription,
    FunctionDescription,
    TypeDescription,
)
from prodml.contracts._tagged import canonical_json, digest, digest_unordered, to_tagged
from prodml.contracts.checks import (
    Compare,
    ForeignKey,
    Freshness,
    NullFraction,
    RowCount,
)
from prodml.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from prodml.contracts.checks import Check

__all__ = [
    "CheckDescription",
    "ContractDescription",
    "FieldDescription",
    "FunctionDescription",
    "TypeDescription",
    "describe_contract",
]

_FORMAT: Final = "prodml-contract/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDescription:
    """What a contract accepts, as plain data of prodml's own.

    It can be kept beside a model or in a registry as JSON, and be compared with a later version
    long after the code of the earlier one is gone. Immutable, picklable, thread-safe.

    Attributes
    ----------
    name, version : str
        Which contract it is.
    key : str or None
        The field that identifies a row.
    model : TypeDescription
        What a row must look like.
    checks : tuple of CheckDescription
        Rules beyond single fields.

    Examples
    --------
    >>> from pydantic import BaseModel, Field
    >>> from prodml.contracts import Contract
    >>> class Applicant(BaseModel):
    ...     id: int
    ...     age: int = Field(ge=18)
    >>> described = Contract(Applicant, key="id").describe()
    >>> described.field("age").type.rules
    {'ge': 18}
    >>> ContractDescription.from_json(described.to_json()) == described
    True
    """

    name: str
    version: str
    key: str | None
    model: TypeDescription
    checks: tuple[CheckDescription, ...] = ()

    @property
    def fields(self) -> tuple[FieldDescription, ...]:
        """The fields of a row, in the order of the model."""
        return self.model.fields

    def field(self, name: str) -> FieldDescription:
        """Return one field.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def fingerprint(self) -> str:
        """Digest of what the contract accepts, as ``"sha256:..."``.

        Fields, types, constraints, settings, defaults, validators, key and checks count. Name,
        version, descriptions, names of classes and the order of fields and checks don't. It is the
        same in every process, on every machine and in every Python version.
        """
        deciding = {
            "format": _FORMAT,
            "model": self.model.deciding(),
            "key": self.key,
            "checks": sorted({canonical_json(check.deciding()) for check in self.checks}),
        }
        return digest(canonical_json(deciding))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "format": _FORMAT,
            "name": self.name,
            "version": self.version,
            "fingerprint": self.fingerprint,
            "key": self.key,
            "model": self.model.to_dict(),
            "checks": [check.to_dict() for check in self.checks],
        }

    def to_json(self) -> str:
        """Return canonical JSON: equal descriptions give equal text."""
        return canonical_json(self.to_dict())

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], /) -> ContractDescription:
        """Restore a description from :meth:`to_dict`.

        Raises
        ------
        FormatError
            If it is something else, damaged, or no longer what its fingerprint was taken of.
        """
        given: object = content  # it may come from anywhere
        if not isinstance(given, Mapping) or given.get("format") != _FORMAT:
            message = f"Not the description of a contract ({_FORMAT})."
            raise FormatError(message)
        try:
            plain = json.loads(canonical_json(dict(given)))
            described = _restored(plain)
            fingerprint = described.fingerprint
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            message = f"The description of a contract is damaged: {error}"
            raise FormatError(message) from error
        if plain.get("fingerprint") not in {None, fingerprint}:
            message = (
                f"The description of contract {described.name!r} does not have the fingerprint "
                f"{plain['fingerprint']!r} that it was stored with, so it was changed since. If "
                f"that was on purpose, remove `fingerprint`."
            )
            raise FormatError(message)
        return described

    @classmethod
    def from_json(cls, text: str | bytes, /) -> ContractDescription:
        """Restore a description from :meth:`to_json`.

        Raises
        ------
        FormatError
            If `text` is not JSON, or not that of a description.
        """
        try:
            content = json.loads(text)
        except (RecursionError, TypeError, ValueError) as error:
            message = f"Not JSON: {error}."
            raise FormatError(message) from error
        return cls.from_dict(content)

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __repr__(self) -> str:
        return (
            f"ContractDescription({self.name!r}, version={self.version!r}: "
            f"{len(self.fields)} fields, {len(self.checks)} checks)"
        )


def _restored(content: dict[str, Any]) -> ContractDescription:
    if not all(isinstance(content.get(name), str) for name in ("name", "version")):
        message = "`name` and `version` must be text."
        raise FormatError(message)
    key, checks = content.get("key"), content.get("checks", [])
    if not (key is None or isinstance(key, str)) or not isinstance(checks, list):
        message = "`key` must be text or null, and `checks` a list."
        raise FormatError(message)
    described = ContractDescription(
        name=content["name"],
        version=content["version"],
        key=key,
        model=TypeDescription.from_dict(content.get("model")),
        checks=tuple(map(CheckDescription.from_dict, checks)),
    )
    if (fault := find_fault(described.model, described.checks)) is not None:
        message = f"{fault}."
        raise FormatError(message)
    return described


def describe_contract(
    model: type[BaseModel],
    /,
    *,
    name: str,
    version: str,
    key: str | None,
    checks: Sequence[Check],
) -> ContractDescription:
    """Describe a contract.

    Parameters
    ----------
    model : type of pydantic.BaseModel
        What a row must look like.
    name, version : str
        Which contract it is.
    key : str or None
        The field that identifies a row.
    checks : sequence of Check
        Rules beyond single fields.

    Returns
    -------
    ContractDescription
        The order of its checks and of the values of a reference is that of no process.
    """
    described = [_describe_check(check) for check in checks]
    return ContractDescription(
        name=name,
        version=version,
        key=key,
        model=read_model_type(model),
        checks=tuple(described),
    )


def _describe_check(check: Check) -> CheckDescription:
    arguments: dict[str, Any] = {}
    if isinstance(check, Compare):
        arguments = {"operator": check.operator}
    elif isinstance(check, ForeignKey):
        arguments = {"reference": digest_unordered(check.reference)}
    elif isinstance(check, RowCount):
        arguments = {"minimum": check.minimum, "maximum": check.maximum}
    elif isinstance(check, NullFraction):
        arguments = {"maximum": to_tagged(check.maximum)}
    elif isinstance(check, Freshness):
        arguments = {"max_age": check.max_age.total_seconds()}
    return CheckDescription(rule=check.rule, columns=tuple(check.columns), arguments=arguments)
