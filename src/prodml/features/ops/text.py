"""Ready-made features of text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml.features.ops._making import made_of

if TYPE_CHECKING:
    from prodml.features.feature import Feature

__all__ = ["normalize_text", "text_length"]


@dataclass(frozen=True, slots=True)
class _Normalize:
    def __call__(self, x: Any) -> str | None:
        return None if x is None else " ".join(x.casefold().split())


def normalize_text(name: str, /, *, called: str | None = None) -> Feature:
    """Return text without case and with single spaces, to be read by other features.

    Parameters
    ----------
    name : str
        Text; missing text stays missing.
    called : str, optional
        By default ``<name>_normalized``.

    Returns
    -------
    Feature
        To be added to a set; it is no column of the result.

    Examples
    --------
    >>> normalize_text("merchant")("  SHOP   No 7 ")
    'shop no 7'
    """
    return made_of(_Normalize(), (name,), called or f"{name}_normalized", elementwise=True)


@dataclass(frozen=True, slots=True)
class _Length:
    def __call__(self, x: Any) -> float:
        return math.nan if x is None else float(len(x))


def text_length(name: str, /, *, called: str | None = None) -> Feature:
    """Return the number of characters (code points) of a text; missing text stays missing.

    Parameters
    ----------
    name : str
        Text.
    called : str, optional
        By default ``<name>_length``.

    Returns
    -------
    Feature
        To be added to a set.

    Examples
    --------
    >>> text_length("merchant")("shop")
    4.0
    """
    return made_of(_Length(), (name,), called or f"{name}_length", elementwise=True)
