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
    faults += [
        f"Feature {feature.name!r} has a default for {name!r}, which is an input or a feature. "
        "Drop the default to read it, or rename the parameter."
        for feature in features
        for name in feature.constants
        if name in taken
    ]
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
            f"Feature {feature!r} reads {name!r}, whose type in the contract or name cannot be an "
            "input; it must be a float, int, bool, str or datetime, or one of these that may be "
            "missing, and be named by an identifier other than 'state'."
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
    for feature in features:
        # what is being visited, each read by the one before, and what it has yet to read
        path = {} if feature.name in done else {feature.name: iter(feature.inputs)}
        while path:
            name = next(reversed(path))
            below = next((one for one in path[name] if one not in done), None)
            if below is None:
                del path[name]
                done.add(name)
                ordered.append(by_name[name])
            elif below in path:
                raise _cycle([*path][[*path].index(below) :])
            else:
                path[below] = iter(by_name[below].inputs)
    return ordered


def _cycle(names: list[str]) -> FeatureCycleError:
    told = " -> ".join([*names, names[0]])
    message = f"Features need each other: {told}. Let one of them read inputs alone."
    return FeatureCycleError(message, cycle=names)
