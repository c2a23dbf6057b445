"""Fitted features from JSON, with the functions of a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodml.errors import SkewError
from prodml.features._set_text import read_set, refuse_changed
from prodml.features._state_text import decode_state
from prodml.features.fitted import FittedFeatureSet

if TYPE_CHECKING:
    from prodml.features._definition import Definition

__all__ = ["restore_fitted"]


def restore_fitted(definition: Definition, text: str | bytes, /) -> FittedFeatureSet:
    """Return what :meth:`FittedFeatureSet.to_json` wrote, with the functions of a definition.

    Raises
    ------
    FormatError
        If the text is something else, or of another set.
    SkewError
        If the code is not the code that was fitted.
    """
    content = read_set(text, definition.name)
    stored = content["features"]
    fingerprints = definition.fingerprints()
    refuse_changed(
        definition.name, {name: one["fingerprint"] for name, one in stored.items()}, fingerprints
    )
    states = {
        one.name: decode_state(stored[one.name]["state"], one.state_type, feature=one.name)
        for one in definition.features
        if one.learner is not None
    }
    kinds = {name: tuple(one["kinds"]) for name, one in stored.items()}
    demoted = {name: why for name, one in stored.items() if (why := one["length_one"])}
    fitted = FittedFeatureSet(definition, states, kinds, demoted, fingerprints)
    if fitted.fingerprint != content["fingerprint"]:
        message = (
            f"The stored {definition.name!r} does not come back as it was: its inputs, or what "
            "was learned, differ. Fit again."
        )
        raise SkewError(message)
    return fitted
