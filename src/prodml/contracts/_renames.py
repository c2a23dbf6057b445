"""Which new name an old one has probably become."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["likely_renames"]

_CLOSE: Final = 0.7


def likely_renames(gone: Iterable[str], come: Iterable[str]) -> dict[str, str]:
    """Pair names that are gone with new ones that are close to them, the closest first.

    Parameters
    ----------
    gone, come : iterable of str
        Names that are no longer there, and names that were not there before.

    Returns
    -------
    dict of str to str
        Each name at most once on either side.

    Examples
    --------
    >>> likely_renames(["amount", "country"], ["Amount ", "zip"])
    {'amount': 'Amount '}
    """
    new = list(come)
    pairs = sorted(
        ((-_closeness(old, other), old, other) for old in gone for other in new),
    )
    found: dict[str, str] = {}
    for closeness, old, other in pairs:
        if -closeness >= _CLOSE and old not in found and other not in found.values():
            found[old] = other
    return found


def _closeness(old: str, new: str) -> float:
    """Return how alike two names are from 0 to 1, case and separators aside."""
    left, right = (re.sub(r"[\W_]+", "", name).casefold() for name in (old, new))
    if left == right:
        return 1.0 if left else 0.0
    return SequenceMatcher(None, left, right).ratio()
