"""Versions of sets of features as JSON that version control can show line by line."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from prodml._core.render import html_table
from prodml._frozen_mapping import FrozenMapping
from prodml.errors import FormatError, NewerSchemaError
from prodml.features.fingerprint import CodeFingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RegisteredVersion", "Sets", "read_registry", "written_registry"]

_FORMAT: Final = "prodml.feature_registry"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVersion:
    """What a registry knows of one version of a set of features.

    Immutable, picklable, safe between threads.

    Attributes
    ----------
    name, version : str
        What it is called.
    fields_digest : str
        Differs where the declared inputs do.
    features : mapping of str to CodeFingerprint
        What each feature does, in the order of the features.
    states : tuple of str
        Digests of what was learned with it, in order.
    at : datetime
        When it was registered first.
    """

    name: str
    version: str
    fields_digest: str
    features: Mapping[str, CodeFingerprint]
    states: tuple[str, ...]
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", FrozenMapping(self.features))
        object.__setattr__(self, "states", tuple(sorted(set(self.states))))

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What of its code was not known by its source."""
        told = [one for fingerprint in self.features.values() for one in fingerprint.weaknesses]
        return tuple(dict.fromkeys(told))

    def with_states(self, states: tuple[str, ...], /) -> RegisteredVersion:
        """Return the same with more states."""
        return replace(self, states=(*self.states, *states))

    def changes(self, other: RegisteredVersion, /) -> dict[str, str]:
        """Return for each feature how `other` differs; under the empty name, what else does."""
        found: dict[str, str] = {}
        whole = []
        if self.fields_digest != other.fields_digest:
            whole.append("The declared inputs differ.")
        if list(self.features) != list(other.features) and set(self.features) == set(
            other.features
        ):
            order = ", ".join(map(repr, other.features))
            whole.append(f"The order of the features differs: it is now {order}.")
        if whole:
            found[""] = " ".join(whole)
        for name in (*self.features, *(one for one in other.features if one not in self.features)):
            before, after = self.features.get(name), other.features.get(name)
            if before is None:
                found[name] = "The feature was added."
            elif after is None:
                found[name] = "The feature was removed."
            elif text := before.diff(after):
                found[name] = text
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data that JSON can hold."""
        return {"name": self.name, "version": self.version, **_entry(self)}

    def __repr__(self) -> str:
        return f"<RegisteredVersion {self.name} {self.version}: {len(self.features)} features>"

    def _repr_html_(self) -> str:
        rows = [
            (name, one.digest[:12], "weak" if one.weak else "")
            for name, one in self.features.items()
        ]
        return html_table(["feature", "digest", ""], rows, caption=f"{self.name} {self.version}")


#: Versions by the name of the set, and by the version.
Sets = dict[str, dict[str, RegisteredVersion]]


def written_registry(sets: Sets, /) -> bytes:
    """Return the content of the file, which depends on nothing but what it says."""
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        "sets": {
            name: {version: _entry(one) for version, one in versions.items()}
            for name, versions in sets.items()
        },
    }
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    # a lone surrogate becomes what JSON calls it
    return text.encode("utf-8", "backslashreplace")


def _entry(one: RegisteredVersion) -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "fields": one.fields_digest,
        "order": list(one.features),
        "states": list(one.states),
        "features": {
            name: fingerprint.to_dict() | {"source": fingerprint.source.split("\n")}
            for name, fingerprint in one.features.items()
        },
    }


def read_registry(content: bytes, /, *, location: str) -> Sets:
    """Restore the versions from :func:`written_registry`; the order of keys does not matter.

    Raises
    ------
    FormatError
        If it holds something else.
    NewerSchemaError
        If a later prodml has written it.
    """
    try:
        found = json.loads(content)
    except ValueError as error:  # also what is no UTF-8
        raise _no_registry(location, f"it is no JSON ({error})") from None
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise _no_registry(location, f'its "format" is not {_FORMAT!r}')
    version = found.get("version")
    if isinstance(version, int) and version > _VERSION:
        message = (
            f"The registry {location!r} has the layout {version}, and this prodml knows "
            f"{_VERSION}. Update prodml."
        )
        raise NewerSchemaError(message, location=location, found=version, supported=_VERSION)
    try:
        return {
            name: {key: _version(name, key, entry) for key, entry in versions.items()}
            for name, versions in found["sets"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_registry(location, f"{type(error).__name__}: {error}") from error


def _version(name: str, version: str, entry: Mapping[str, Any]) -> RegisteredVersion:
    features = entry["features"]
    order = entry["order"]
    if sorted(order) != sorted(features):
        message = f"the order of {name!r} {version!r} does not name its features"
        raise ValueError(message)
    at = datetime.fromisoformat(entry["at"])
    if at.tzinfo is None:
        message = f"{entry['at']!r} has no time zone"
        raise ValueError(message)
    texts = [entry["fields"], *entry["states"]]
    if not all(isinstance(one, str) for one in texts):
        message = f"digests of {name!r} {version!r} must be text"
        raise TypeError(message)
    return RegisteredVersion(
        name=name,
        version=version,
        fields_digest=entry["fields"],
        features={one: _fingerprint(features[one]) for one in order},
        states=tuple(entry["states"]),
        at=at,
    )


def _fingerprint(content: Mapping[str, Any]) -> CodeFingerprint:
    return CodeFingerprint.from_dict({**content, "source": "\n".join(content["source"])})


def _no_registry(location: str, reason: str) -> FormatError:
    message = (
        f"{location!r} is no registry of features: {reason}. "
        "Restore it from version control, or choose another file."
    )
    return FormatError(message)
