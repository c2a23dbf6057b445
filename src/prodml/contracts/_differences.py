"""One difference between two versions of a contract, with what it does to data both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml.contracts._inclusion import INCONCLUSIVE, PASS, Effect

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Difference", "both_ways"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs, and which data can still be read.

    Attributes
    ----------
    path : str
        The field, ``"address.zip"``; the contract as a whole is empty.
    what : str
        Kind of difference.
    old, new : str or None
        What stood there, and what stands there now, in words.
    backward, forward : Effect
        Whether the new version reads data of the old one, and the old version data of the new one.
    message : str
        The difference, in a sentence without a full stop.
    keeps_values : bool
        Whether accepted values stay what they are, so that a function behind them sees the same.
    """

    path: str
    what: str
    old: str | None
    new: str | None
    backward: Effect
    forward: Effect
    message: str
    keeps_values: bool = True


def both_ways(effect: Callable[[bool], Effect | bool | None]) -> tuple[Effect, Effect]:
    """Ask for the effect backward (True) and forward (False); None stands for not known."""
    return _settled(effect(True)), _settled(effect(False))  # noqa: FBT003 - told by the docstring


def _settled(answer: Any) -> Effect:
    if isinstance(answer, Effect):
        return answer
    if answer is None:
        return INCONCLUSIVE
    return PASS if answer else Effect("fail")
