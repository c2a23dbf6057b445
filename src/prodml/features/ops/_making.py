"""How ready-made features are put together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prodml._core.scalars import normalise
from prodml.errors import FeatureDefinitionError
from prodml.features.feature import STATE, TARGET, Feature

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["finite_of", "made_of", "number_of", "refuse_option", "whole_of"]


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
    if not _is_name(name):
        message = f"`name` must be an identifier other than 'state' and 'y', got {name!r}."
        raise FeatureDefinitionError(message, faults=(message,))
    made = Feature(name=name, function=function, inputs=inputs, _in_order=True, **options)
    if learn is not None:
        made.kind = "model_dependent"
        summarise, finish = learn
        made.summarise(summarise)
        made.fit(finish)
    return made


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isidentifier() and name not in {STATE, TARGET}


def number_of(value: object, /) -> float | int | None:
    """Return an option as a plain int or float, or None if it is no number but NaN, say, or True.

    Scalars of numpy would decide the type of a result, and do not get into a compiled feature.
    """
    plain = normalise(value)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return None
    return int(plain) if isinstance(plain, int) else float(plain)


def finite_of(value: object, /) -> float | int | None:
    """Return an option as a plain finite number, or None if it is none."""
    number = number_of(value)
    return number if number is not None and math.isfinite(number) else None


def whole_of(value: object, /, *, least: int, most: int | None = None) -> int | None:
    """Return an option as a plain int within limits, or None if it is none."""
    number = number_of(value)
    if not isinstance(number, int) or number < least or (most is not None and number > most):
        return None
    return number


def refuse_option(got: Any, option: str, rule: str, /) -> FeatureDefinitionError:
    """Return the error for an option that a ready-made feature does not take."""
    message = f"`{option}` must be {rule}, got {got!r}."
    return FeatureDefinitionError(message, faults=(message,))
