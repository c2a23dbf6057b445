"""How long to wait before something is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FullJitter"]

_MANY: Final = 1000


@dataclass(frozen=True, slots=True)
class FullJitter:
    r"""Waits of random length, up to a bound that doubles with each try.

    Many workers that failed at one moment then do not come back at one moment either. Only errors
    of the kinds in `on` are tried again: a service that does not answer may answer later, whereas
    a pure function gives the same wrong answer to the same data each time.

    Immutable, hence thread-safe; picklable.

    Parameters
    ----------
    base : float, default 0.5
        The bound of the first wait, in seconds, > 0.
    cap : float, default 60.0
        The largest bound, in seconds.
    tries : int, default 5
        How often something is tried in all, >= 1. With 1 nothing is tried again.
    on : tuple of exception types, default (OSError,)
        What is tried again. :class:`OSError` is the parent of connection errors and time-outs,
        and of what ``requests`` and ``urllib`` raise.

    Raises
    ------
    ValueError
        If a number is out of its range.
    TypeError
        If `on` holds anything but exception types.

    Notes
    -----
    The wait before try :math:`k + 1` is uniform on :math:`[0, \min(c, b\,2^{k-1})]` [1]_.

    References
    ----------
    .. [1] Brooker, M. (2015). Exponential Backoff And Jitter. AWS Architecture Blog ("Full
       Jitter").

    Examples
    --------
    >>> import random
    >>> waits = list(FullJitter(base=1.0, cap=4.0, tries=5).waits(random.Random(0)))
    >>> len(waits), all(wait <= bound for wait, bound in zip(waits, [1, 2, 4, 4]))
    (4, True)
    """

    base: float = 0.5
    cap: float = 60.0
    tries: int = 5
    on: tuple[type[Exception], ...] = (OSError,)

    def __post_init__(self) -> None:
        """Check what was given."""
        if not (self.base > 0 and self.cap >= self.base):
            message = f"`base` must be > 0 and `cap` >= `base`, got {self.base!r}, {self.cap!r}."
            raise ValueError(message)
        if not 1 <= self.tries <= _MANY:
            message = f"`tries` must be from 1 to {_MANY}, got {self.tries!r}."
            raise ValueError(message)
        given: tuple[Any, ...] = self.on
        if not all(isinstance(one, type) and issubclass(one, Exception) for one in given):
            message = f"`on` must be a tuple of exception types, got {self.on!r}."
            raise TypeError(message)

    def waits(self, rng: random.Random | None = None, /) -> Iterator[float]:
        """Yield the waits between the tries, in seconds: one fewer than there are tries.

        Parameters
        ----------
        rng : random.Random, optional
            Where the randomness comes from; by default a generator of its own.
        """
        rng = random.Random() if rng is None else rng  # noqa: S311 - no secret
        for attempt in range(self.tries - 1):
            yield rng.uniform(0.0, min(self.cap, self.base * 2.0**attempt))
