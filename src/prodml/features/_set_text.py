"""Fitted features as JSON: what they are, what they learned, and their code as text to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from prodml.errors import FormatError, SkewError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prodml.features._definition import Definition
    from prodml.features.field import Field
    from prodml.features.fingerprint import CodeFingerprint

__all__ = ["read_set", "refuse_changed", "write_set"]

_FORMAT: Final = "prodml-features/1"
_KINDS: Final = ("f", "i", "b", "s")


def write_set(
    definition: Definition,
    /,
    *,
    fields: Sequence[Field],
    columns: Sequence[str],
    fingerprint: str,
    fingerprints: Mapping[str, CodeFingerprint],
    kinds: Mapping[str, tuple[str, ...]],
    demoted: Mapping[str, str],
    states: Mapping[str, Any],
) -> str:
    """Return fitted features as JSON."""
    features = [
        {
            "name": one.name,
            "inputs": list(one.inputs),
            "fingerprint": fingerprints[one.name].digest,
            "source": fingerprints[one.name].source,
            "kinds": list(kinds[one.name]),
            "state": states.get(one.name),
            "length_one": demoted.get(one.name),
        }
        for one in definition.features
    ]
    content = {
        "format": _FORMAT,
        "name": definition.name,
        "version": definition.version,
        "fingerprint": fingerprint,
        "fields": [
            {"name": one.name, "dtype": one.dtype, "nullable": one.nullable}
            | {"tz": one.tz, "coerce": one.coerce}
            for one in fields
        ],
        "columns": list(columns),
        "features": features,
    }
    return json.dumps(content, indent=1)


def read_set(text: str | bytes, name: str, /) -> dict[str, Any]:
    """Return what :func:`write_set` wrote; its features by name.

    Raises
    ------
    FormatError
        If the text is something else, or of another set.
    """
    try:
        content: dict[str, Any] = json.loads(text)
        content["features"] = {one["name"]: one for one in content["features"]}
        known = content["format"] == _FORMAT and content["name"] == name
        known = known and isinstance(content["fingerprint"], str)
        known = known and all(map(_is_feature, content["features"].values()))
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        message = f"The text is not what {name!r} was stored as. Give `to_json` of it."
        raise FormatError(message)
    return content


def _is_feature(one: dict[str, Any]) -> bool:
    kinds, told = one["kinds"], one["length_one"]
    return (
        isinstance(one["fingerprint"], str)
        and isinstance(kinds, list)
        and all(kind in _KINDS for kind in kinds)
        and (told is None or isinstance(told, str))
        and "state" in one
    )


def refuse_changed(
    name: str, digests: Mapping[str, str], fingerprints: Mapping[str, CodeFingerprint]
) -> None:
    changed = [one for one in fingerprints if digests.get(one) != fingerprints[one].digest]
    changed += [one for one in digests if one not in fingerprints]
    if changed:
        message = (
            f"The code of {', '.join(map(repr, changed))} in {name!r} is not the code that was "
            "fitted. Fit again, or go back to that code."
        )
        raise SkewError(message, differences=changed)
