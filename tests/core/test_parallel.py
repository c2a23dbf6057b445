"""Work in threads gives what work in a loop gives."""

from __future__ import annotations

import os
import threading

import pytest

from prodml._core.parallel import available_cores, map_in_threads


@pytest.mark.parametrize("threads", [0, 1, 2, 7])
@pytest.mark.parametrize("n_pieces", [0, 1, 5])
def test_results_come_in_order(threads, n_pieces):
    """However many threads share the pieces."""
    assert map_in_threads(lambda n: n * n, iter(range(n_pieces)), threads=threads) == [
        n * n for n in range(n_pieces)
    ]


def test_no_thread_outlives_the_call():
    """Nothing is left that a fork could break."""
    before = threading.active_count()
    seen = set()
    barrier = threading.Barrier(2)

    def work(_piece):
        barrier.wait(timeout=10)  # two pieces are at work at the same time
        seen.add(threading.get_ident())

    map_in_threads(work, range(2), threads=2)

    assert len(seen) == 2
    assert threading.active_count() == before


def test_an_error_comes_out():
    """As from a loop."""
    with pytest.raises(ZeroDivisionError):
        map_in_threads(lambda n: 1 // n, [1, 0], threads=2)


def test_cores_are_counted(monkeypatch):
    """Those this process may use; all of them where the system does not tell."""
    assert 1 <= available_cores() <= (os.cpu_count() or 1)

    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert available_cores() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1
