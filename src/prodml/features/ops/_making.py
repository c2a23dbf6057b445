"""How ready-made features are put together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prodml.errors import FeatureDefinitionError
from prodml.features.feature import Feature

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_finite", "is_whole", "made_of", "refuse_option"]


def made_of(
    function: Callable[..., Any],
    inputs: tuple[str, ...],
    name: str,
    /,
    *,
    learn: tuple[Callable[..., Any], Callable[..., Any]] | None = None,
    **options: Any,
) -> Feature:
    """Return a ready-made feature.

    Parameters
    ----------
    function : callable
        What it computes.
    inputs : tuple of str
        What it reads.
    name : str
        What it is called.
    learn : tuple of two callables, optional
        What summarises a chunk, and what makes the state of the summary.
    **options
        Of :class:`Feature`.
    """
    if not name.isidentifier():
        message = f"`name` must be an identifier, got {name!r}."
        raise FeatureDefinitionError(message, faults=(message,))
    made = Feature(name=name, function=function, inputs=inputs, _in_order=True, **options)
    if learn is not None:
        made.kind = "model_dependent"
        summarise, finish = learn
        made.summarise(summarise)
        made.fit(finish)
    return made


def is_finite(value: object, /) -> bool:
    """Say whether an option is a finite number; True and False are none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type] # a number here


def is_whole(value: object, /, *, least: int, most: int | None = None) -> bool:
    """Say whether an option is an integer within limits; True and False are none."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and least <= value and (most is None or value <= most)  # type: ignore[operator] # an int here


def refuse_option(got: Any, option: str, rule: str, /) -> FeatureDefinitionError:
    """Return the error for an option that a ready-made feature does not take."""
    message = f"`{option}` must be {rule}, got {got!r}."
    return FeatureDefinitionError(message, faults=(message,))
