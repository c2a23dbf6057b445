"""A clock that stands still until it is moved."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["FakeClock"]

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A :class:`~prodml.protocols.Clock` that stands still until it is moved.

    Time is kept in whole microseconds, so that ten tenths of a second are a second. Thread-safe;
    picklable, and a copy goes its own way.

    Parameters
    ----------
    start : datetime.datetime, optional
        The first time of day, aware; by default 2026-01-01 00:00 UTC.

    Raises
    ------
    ValueError
        If `start` has no time zone.

    Examples
    --------
    >>> from datetime import timedelta
    >>> clock = FakeClock()
    >>> clock.advance(90)
    >>> clock.now().isoformat(), clock.monotonic()
    ('2026-01-01T00:01:30+00:00', 90.0)
    >>> clock.set(clock.now() - timedelta(hours=1))  # the wall clock is set back
    >>> clock.now().isoformat(), clock.monotonic()
    ('2025-12-31T23:01:30+00:00', 90.0)
    """

    __slots__ = ("_elapsed", "_lock", "_wall")

    def __init__(self, start: datetime = _START) -> None:
        self._lock = threading.Lock()
        self._elapsed = timedelta(0)
        self._wall = _in_utc(start, name="start")

    def now(self) -> datetime:
        """Return the time of day, aware and in UTC."""
        return self._wall

    def monotonic(self) -> float:
        """Return the seconds by which the clock was advanced."""
        return self._elapsed.total_seconds()

    def advance(self, duration: float | timedelta) -> None:
        """Let time pass, for the time of day and the monotonic time alike.

        Parameters
        ----------
        duration : float or datetime.timedelta
            Seconds, >= 0.

        Raises
        ------
        ValueError
            If `duration` is negative: time passes in one direction. See :meth:`set`.
        """
        passed = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
        if passed < timedelta(0):
            message = f"`duration` must be >= 0, got {duration!r}; set() turns a clock back."
            raise ValueError(message)
        with self._lock:
            self._wall += passed
            self._elapsed += passed

    def set(self, moment: datetime) -> None:
        """Set the wall clock, as a time server or a person may; monotonic time is untouched.

        Parameters
        ----------
        moment : datetime.datetime
            The new time of day, aware. It may lie before the old one.

        Raises
        ------
        ValueError
            If `moment` has no time zone.
        """
        in_utc = _in_utc(moment, name="moment")
        with self._lock:
            self._wall = in_utc

    def __getstate__(self) -> tuple[datetime, timedelta]:
        with self._lock:
            return self._wall, self._elapsed

    def __setstate__(self, state: tuple[datetime, timedelta]) -> None:
        self._lock = threading.Lock()
        self._wall, self._elapsed = state

    def __repr__(self) -> str:
        return f"FakeClock({self._wall.isoformat()}, monotonic={self.monotonic()})"


def _in_utc(moment: datetime, *, name: str) -> datetime:
    if moment.utcoffset() is None:
        message = f"`{name}` must have a time zone, got {moment!r}."
        raise ValueError(message)
    return moment.astimezone(UTC)
