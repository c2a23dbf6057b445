"""Clocks: the one of the machine, and the one that tests move."""

from __future__ import annotations

import copy
import pickle
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from prodml.clock import SYSTEM_CLOCK, SystemClock
from prodml.protocols import Clock
from prodml.testing import FakeClock

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class TestSystemClock:
    """The default of every `clock` argument."""

    def test_it_tells_the_time_of_this_machine(self):
        """In UTC, between two readings of Python's own clock."""
        before = datetime.now(UTC)
        now = SYSTEM_CLOCK.now()

        assert before <= now <= datetime.now(UTC)
        assert now.utcoffset() == timedelta(0)

    def test_monotonic_time_never_goes_back(self):
        """It may stand still between two readings."""
        readings = [SYSTEM_CLOCK.monotonic() for _ in range(100)]

        assert readings == sorted(readings)

    def test_it_goes_to_other_processes(self):
        """It has no state, so any copy is as good."""
        assert isinstance(pickle.loads(pickle.dumps(SYSTEM_CLOCK)), SystemClock)
        assert repr(SYSTEM_CLOCK) == "SystemClock()"


class TestFakeClock:
    """It stands still until it is moved."""

    @pytest.mark.parametrize("clock", [SYSTEM_CLOCK, FakeClock()])
    def test_both_fit_the_protocol(self, clock):
        """Whatever takes one takes the other."""
        assert isinstance(clock, Clock)

    def test_it_stands_still(self):
        """Asking takes no time."""
        clock = FakeClock(START)

        assert (clock.now(), clock.monotonic()) == (START, 0.0)
        assert (clock.now(), clock.monotonic()) == (START, 0.0)

    def test_time_passes_for_both(self):
        """The time of day and the monotonic time advance together."""
        clock = FakeClock(START)
        clock.advance(1.5)
        clock.advance(timedelta(minutes=1))

        assert clock.now() == START + timedelta(seconds=61.5)
        assert clock.monotonic() == 61.5

    def test_ten_tenths_are_one(self):
        """Time is counted in microseconds, not in floats."""
        clock = FakeClock(START)
        for _ in range(10):
            clock.advance(0.1)

        assert clock.monotonic() == 1.0

    def test_a_wall_clock_can_be_set_back(self):
        """As a time server does; deadlines by monotonic time are not moved."""
        clock = FakeClock(START)
        clock.advance(10)
        clock.set(START - timedelta(days=1))

        assert clock.now() == START - timedelta(days=1)
        assert clock.monotonic() == 10.0

    def test_it_is_in_utc(self):
        """Wherever the moment it was given comes from."""
        there = timezone(timedelta(hours=-5))
        clock = FakeClock(START.astimezone(there))
        assert (clock.now(), clock.now().tzinfo) == (START, UTC)

        clock.set(datetime(2026, 1, 1, tzinfo=there))
        assert clock.now().isoformat() == "2026-01-01T05:00:00+00:00"

    @pytest.mark.parametrize(
        ("move", "message"),
        [
            (lambda clock: clock.advance(-1), r"`duration` must be >= 0, got -1; set\(\)"),
            (lambda clock: clock.advance(timedelta(seconds=-1)), "`duration` must be >= 0"),
            (lambda clock: clock.set(datetime(2026, 1, 1)), "`moment` must have a time zone"),
            (lambda _: FakeClock(datetime(2026, 1, 1)), "`start` must have a time zone"),
        ],
    )
    def test_nonsense_is_refused_and_changes_nothing(self, move, message):
        """Time does not pass backwards, and a naive moment means a different time everywhere."""
        clock = FakeClock(START)

        with pytest.raises(ValueError, match=message):
            move(clock)
        assert (clock.now(), clock.monotonic()) == (START, 0.0)

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
    def test_a_copy_goes_its_own_way(self, copied):
        """It starts from where the original stood."""
        clock = FakeClock(START)
        clock.advance(5)
        other = copied(clock)
        other.advance(5)

        assert (clock.monotonic(), other.monotonic()) == (5.0, 10.0)
        assert other.now() == START + timedelta(seconds=10)
        assert repr(other) == "FakeClock(2026-03-04T05:06:17+00:00, monotonic=10.0)"

    def test_threads_lose_no_time(self):
        """Each advance counts, whoever makes it."""
        clock = FakeClock(START)
        threads = [
            threading.Thread(target=lambda: [clock.advance(1) for _ in range(500)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert clock.monotonic() == 2000.0
