"""Features that are ready to be computed: their functions, with the state that was learned."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prodml.errors import FeatureDefinitionError
from prodml.features._outputs import refuse_output
from prodml.features.feature import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prodml.errors import FeatureOutputError
    from prodml.features.feature import Feature
    from prodml.features.field import Field

__all__ = ["Step", "refuse_idle_text", "refuse_repeated", "step_of"]

#: The kinds of elementwise features that say by their annotation what they return.
_ANNOTATED: Final[dict[Any, str]] = {float: "f", int: "i", bool: "b", str: "s", str | None: "s"}


@dataclass(frozen=True, slots=True)
class Step:
    """One feature, ready.

    Attributes
    ----------
    feature : Feature
        What is computed.
    call : callable
        Takes the inputs alone.
    state : object
        What was learned, or None.
    columns : tuple of str or None
        The names of its columns, where it has several.
    kinds : tuple of str or None
        The kind of each of its columns; None until they are known.
    """

    feature: Feature
    call: Callable[..., Any]
    state: Any
    columns: tuple[str, ...] | None
    kinds: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """The name of the feature."""
        return self.feature.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it reads."""
        return self.feature.inputs

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return (self.name,) if self.columns is None else self.columns

    def parts_of(self, result: Any, /) -> tuple[Any, ...]:
        """Return the columns, or values, among what the function returned."""
        if self.columns is None:
            return (result,)
        if not isinstance(result, tuple | list) or len(result) != len(self.columns):
            what = f"must return a tuple of {len(self.columns)} columns."
            raise self.refuse(what)
        return tuple(result)

    def refuse(self, what: str, /) -> FeatureOutputError:
        """Return the error for what it returned."""
        return refuse_output(self.name, what)


def step_of(feature: Feature, state: Any, /) -> Step:
    """Return the step of a feature with its state."""
    call = _taking_inputs(feature, state)
    columns = feature.columns(state) if feature.columns is not None else None
    kinds = None
    if feature.elementwise and (annotated := _ANNOTATED.get(feature.returns)) is not None:
        kinds = (annotated,)
    return Step(feature, call, state, columns, kinds)


def _taking_inputs(feature: Feature, state: Any) -> Callable[..., Any]:
    """Return what takes the inputs by position, in their order, and nothing else."""
    parameters = inspect.signature(feature.function).parameters
    learned = {STATE: state} if feature.takes_state else {}
    leading = [name for name in parameters if name in {*feature.inputs, *learned}]
    by_keyword = any(
        parameters[one].kind.name == "KEYWORD_ONLY" for one in feature.inputs if one in parameters
    )
    if by_keyword or (learned and leading[-1:] != [STATE] and leading):
        function, names = feature.function, feature.inputs

        def call(*values: Any) -> Any:
            return function(**dict(zip(names, values, strict=True)), **learned)

        return call
    return _bound(feature.function, state) if learned else feature.function


def _bound(function: Callable[..., Any], state: Any) -> Callable[..., Any]:
    # ready-made features know a quicker way than an argument by name
    bind = getattr(function, "bind", None)
    return functools.partial(function, state=state) if bind is None else bind(state)


def refuse_idle_text(steps: Sequence[Step], /) -> None:
    """Refuse text that is neither read nor a column."""
    read = {name for step in steps for name in step.inputs}
    for step in steps:
        if "s" in (step.kinds or ()) and step.name not in read:
            what = "is text, and no other feature reads it. Return numbers, or drop it."
            raise step.refuse(what)


def refuse_repeated(fields: Sequence[Field], steps: Sequence[Step], /) -> None:
    """Refuse columns of one name, which would hide each other from what reads them."""
    names = [one.name for one in fields] + [name for step in steps for name in step.names]
    faults = [
        f"Column {name!r} comes from two features, or is an input as well. Rename one of them."
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise FeatureDefinitionError(" ".join(faults), faults=faults)
