"""What a set of features is, apart from what it learned: code, inputs and options, as digests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from prodml.features._plan import Plan, plan_features
from prodml.features.fingerprint import CodeFingerprint, fingerprint_function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prodml.features.feature import Feature
    from prodml.features.field import Field

__all__ = [
    "CodeFingerprint",
    "Definition",
    "digest_of",
    "fingerprint_feature",
    "fingerprint_set",
]


def digest_of(content: Any, /) -> str:
    """Return the digest of JSON values."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint_feature(feature: Feature, /) -> CodeFingerprint:
    """Return what identifies the definition of a feature: its code, inputs and options."""
    functions = [feature.function, feature.learner, feature.summariser, feature.columns]
    code = tuple(
        fingerprint_function(one, name=feature.name) for one in functions if one is not None
    )
    options = [feature.name, list(feature.inputs), feature.elementwise, feature.kind]
    options += [feature.output, feature.crossfit]
    joined = CodeFingerprint.joined(code, name=feature.name)
    return replace(joined, digest=digest_of([options, joined.digest]))


def fingerprint_set(fields: Sequence[Field], features: Mapping[str, CodeFingerprint], /) -> str:
    """Return what identifies the definition of a set of features."""
    inputs = [[one.name, one.dtype, one.nullable, one.tz, one.coerce] for one in fields]
    return digest_of([inputs, [[name, one.digest] for name, one in features.items()]])


class Definition:
    """A set of features as it was defined, frozen: name, version, inputs and features.

    Immutable; picklable where its functions are.
    """

    __slots__ = ("extra", "features", "fields", "name", "others", "version")

    def __init__(
        self,
        name: str,
        version: str,
        fields: Sequence[Field],
        features: Sequence[Feature],
        extra: Literal["ignore", "forbid"],
        others: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.version = version
        self.fields = tuple(fields)
        self.features = tuple(features)
        self.extra = extra
        # what a contract has and no feature can read; it may come all the same
        self.others = tuple(others)

    def plan(self) -> Plan:
        """Return the order of its features."""
        return plan_features(self.features, self.fields)

    def fingerprints(self) -> dict[str, CodeFingerprint]:
        """Return the fingerprint of each feature, by name."""
        return {one.name: fingerprint_feature(one) for one in self.features}
