"""Running pieces of work on the cores of this machine, within the call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["available_cores", "map_in_threads"]

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def map_in_threads(
    function: Callable[[Piece], Result], pieces: Iterable[Piece], *, threads: int
) -> list[Result]:
    """Return ``[function(piece) for piece in pieces]``, computed by several threads.

    The threads live as long as the call, so that nothing outlives it or has to survive a fork.
    """
    pieces = list(pieces)
    if threads <= 1 or len(pieces) <= 1:
        return [function(piece) for piece in pieces]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=min(threads, len(pieces))) as pool:
        return list(pool.map(function, pieces))
