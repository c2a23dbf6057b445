"""The order in which features are computed, from the names that they read."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from prodml.errors import FeatureCycleError, FeatureDefinitionError, UnknownInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prodml.features.feature import Feature
    from prodml.features.field import Field

__all__ = ["Plan", "plan_features"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Features in an order in which each comes after what it reads.

    Attributes
    ----------
    fields : tuple of Field
        The inputs that any of them reads.
    features : tuple of Feature
        In order.
    """

    fields: tuple[Field, ...]
    features: tuple[Feature, ...]

    def upstream(self, names: Iterable[str], /) -> Plan:
        """Return the plan of what is needed to compute some of the features."""
        needed = set(names)
        for feature in reversed(self.features):
            if feature.name in needed:
                needed.update(feature.inputs)
        return Plan(
            tuple(one for one in self.fields if one.name in needed),
            tuple(one for one in self.features if one.name in needed),
        )


def plan_features(
    features: Sequence[Feature], fields: Sequence[Field], unusable: Sequence[str] = (), /
) -> Plan:
    """Return the plan of features over fields.

    Parameters
    ----------
    features : sequence of Feature
        As they were defined.
    fields : sequence of Field
        The declared inputs.
    unusable : sequence of str
        Fields of a contract whose type cannot be an input.

    Raises
    ------
    FeatureDefinitionError
        If a name is taken twice, or there is no feature.
    UnknownInputError
        If a feature reads what is not there, with the nearest names.
    FeatureCycleError
        If features need each other.
    """
    if not features:
        message = "There is no feature. Define one with @fs.feature, or add one of `ops`."
        raise FeatureDefinitionError(message, faults=(message,))
    _refuse_clashes(features, fields)
    _refuse_unknown(features, fields, unusable)
    ordered = _in_order(features, {one.name for one in fields})
    read = {name for one in ordered for name in one.inputs}
    return Plan(tuple(one for one in fields if one.name in read), tuple(ordered))


def _refuse_clashes(features: Sequence[Feature], fields: Sequence[Field]) -> None:
    taken = {one.name for one in fields}
    faults = []
    for feature in features:
        if feature.name in taken:
            faults.append(f"{feature.name!r} is the name of another input or feature. Rename it.")
        taken.add(feature.name)
    if faults:
        raise FeatureDefinitionError(" ".join(faults), faults=faults)


def _refuse_unknown(
    features: Sequence[Feature], fields: Sequence[Field], unusable: Sequence[str]
) -> None:
    several = {one.name for one in features if one.columns is not None}
    known = {one.name for one in fields} | {one.name for one in features} - several
    faults, names = [], []
    for feature in features:
        for name in feature.inputs:
            if name in known:
                continue
            names.append(name)
            faults.append(_unknown(feature.name, name, sorted(known), unusable, several))
    if faults:
        raise UnknownInputError(" ".join(faults), names=names, faults=faults)


def _unknown(
    feature: str, name: str, known: list[str], unusable: Sequence[str], several: set[str]
) -> str:
    if name in unusable:
        return (
            f"Feature {feature!r} reads {name!r}, whose type in the contract cannot be an input; "
            "it must be a float, int, bool, str or datetime, or one of these that may be missing."
        )
    if name in several:
        return f"Feature {feature!r} reads {name!r}, which has several columns. Read its input."
    close = get_close_matches(name, known, 1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(known)}."
    return f"Feature {feature!r} reads {name!r}, which is neither input nor feature. {hint}"


def _in_order(features: Sequence[Feature], fields: set[str]) -> list[Feature]:
    by_name = {one.name: one for one in features}
    ordered: list[Feature] = []
    done = set(fields)
    path: list[str] = []

    def visit(feature: Feature) -> None:
        if feature.name in done:
            return
        if feature.name in path:
            cycle = path[path.index(feature.name) :]
            told = " -> ".join([*cycle, feature.name])
            message = f"Features need each other: {told}. Let one of them read inputs alone."
            raise FeatureCycleError(message, cycle=cycle)
        path.append(feature.name)
        for name in feature.inputs:
            if name not in fields:
                visit(by_name[name])
        path.pop()
        done.add(feature.name)
        ordered.append(feature)

    for feature in features:
        visit(feature)
    return ordered
