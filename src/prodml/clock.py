"""The system clock, as the object that every part of prodml takes as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["SYSTEM_CLOCK", "SystemClock"]


class SystemClock:
    """Wall-clock and monotonic time of this machine.

    Stateless, hence thread-safe, fork-safe and picklable. For tests there is
    :class:`prodml.testing.FakeClock`.

    Examples
    --------
    >>> from prodml.clock import SYSTEM_CLOCK
    >>> SYSTEM_CLOCK.now().tzinfo
    datetime.timezone.utc
    """

    __slots__ = ()

    def now(self) -> datetime:
        """Return the time of day, aware and in UTC. It may step back."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an unspecified moment. They never go back."""
        return time.monotonic()

    def __repr__(self) -> str:
        return "SystemClock()"


#: The default of every ``clock=`` argument.
SYSTEM_CLOCK = SystemClock()
