"""Features that are ready to be computed: their functions, with the state that was learned."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prodml.features._outputs import refuse_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from prodml.errors import FeatureOutputError
    from prodml.features.feature import Feature

__all__ = ["Step", "step_of"]

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
    call = _bound(feature.function, state) if feature.takes_state else feature.function
    columns = feature.columns(state) if feature.columns is not None else None
    kinds = None
    if feature.elementwise and (annotated := _ANNOTATED.get(feature.returns)) is not None:
        kinds = (annotated,)
    return Step(feature, call, state, columns, kinds)


def _bound(function: Callable[..., Any], state: Any) -> Callable[..., Any]:
    # ready-made features know a quicker way than an argument by name
    bind = getattr(function, "bind", None)
    return functools.partial(function, state=state) if bind is None else bind(state)
