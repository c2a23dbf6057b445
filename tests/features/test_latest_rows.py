"""The kernel of the point-in-time join against a loop, in thousands of small cases."""

from __future__ import annotations

import numpy as np
import pytest

from prodml.features import _latest_rows
from prodml.features._join_keys import KeyCodes
from prodml.features._latest_rows import latest_rows
from prodml.features._time_keys import Timeline

#: Bits of a word and steps back: as they are, and so narrow that every way is taken.
WAYS = {
    "as it is": (62, 12),
    "running maximum at once": (62, 0),
    "times that do not fit": (11, 12),
    "neither": (11, 1),
    "times of which next to nothing fits": (8, 0),
}


def answers_of(keys, times, *, as_known, ttl):
    """Look at every row for every question."""
    rows, expired, leaking = [], [], []
    for key, at in zip(keys.left.tolist(), times.at.tolist(), strict=True):
        happened, known = [], []
        for row, (other, event) in enumerate(
            zip(keys.right.tolist(), times.event.tolist(), strict=True)
        ):
            if key < 0 or key != other or event > at:
                continue
            written = int(times.written[0][row]) if times.written else 0
            happened.append((event, written, row))
            if written <= at:
                known.append((event, written, row))
        naive = max(happened, default=None)
        best = max(known, default=None) if as_known else naive
        old = best is not None and ttl is not None and best[0] < at - ttl
        rows.append(-1 if best is None or old else best[2])
        expired.append(old)
        young = naive is not None and (ttl is None or naive[0] >= at - ttl)
        leaking.append(young and naive[1] > at)
    return rows, expired, None if times.created is None else leaking


def random_case(rng):
    """Make a case in which ties, late rows and missing keys are frequent."""
    n_asked, n_rows = rng.integers(0, 25), rng.integers(1, 40)
    n_keys, span = int(rng.integers(1, 6)), int(rng.choice([3, 12, 100]))
    event = rng.integers(1, span + 1, n_rows)
    created, written = None, ()
    if rng.random() < 0.8:
        late = rng.choice([1, 5, 60])
        written = (event + rng.integers(-3, late + 1, n_rows),)
        created = np.clip(written[0], 0, span + 1)
    keys = KeyCodes(rng.integers(-1, n_keys, n_asked), rng.integers(-1, n_keys, n_rows), n_keys)
    times = Timeline(rng.integers(0, span + 1, n_asked), event, created, written, span + 1, 1000)
    ttl = None if rng.random() < 0.3 else int(rng.integers(0, max(2, span // 5)))
    return keys, times, ttl


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("as_known", [True, False])
def test_the_answer_is_that_of_a_loop_over_all_rows(way, as_known, monkeypatch):
    """Every way to the answer gives the one that the definition gives, ties included."""
    bits, steps = WAYS[way]
    monkeypatch.setattr(_latest_rows, "_BITS", bits)
    monkeypatch.setattr(_latest_rows, "_MOST_STEPS", steps)
    rng = np.random.default_rng(20240501)
    n_answered = n_leaking = n_expired = 0
    for _ in range(600):
        keys, times, ttl = random_case(rng)

        found = latest_rows(
            keys, times, as_known=as_known, ttl_ns=None if ttl is None else ttl * 1000
        )

        rows, expired, leaking = answers_of(keys, times, as_known=as_known, ttl=ttl)
        assert found.rows.tolist() == rows
        assert found.expired.tolist() == expired
        assert (found.leaking if leaking is None else found.leaking.tolist()) == leaking
        n_answered += sum(row >= 0 for row in rows)
        n_expired += sum(expired)
        n_leaking += sum(leaking or ())
    assert min(n_answered, n_leaking, n_expired) > 300  # the cases are of every kind


def test_a_backfill_does_not_need_a_step_for_each_row():
    """Where all rows were written at the end, the answer is found all the same."""
    n = 5000
    event = np.arange(1, n + 1)
    created = np.full(n, n + 1)
    created[0] = 1
    keys = KeyCodes(np.zeros(3, dtype=np.int64), np.zeros(n, dtype=np.int64), 1)
    times = Timeline(np.array([1, n - 1, n + 1]), event, created, (created,), n + 1, 1000)

    found = latest_rows(keys, times, as_known=True, ttl_ns=None)

    assert found.rows.tolist() == [0, 0, n - 1]
    assert found.leaking.tolist() == [False, True, False]


def test_inputs_stay_as_they_are():
    """Keys may be the columns of the caller, and are only read."""
    keys, times, _ = random_case(np.random.default_rng(3))
    for array in (keys.left, keys.right, times.at, times.event, times.created):
        array.flags.writeable = False

    latest_rows(keys, times, as_known=True, ttl_ns=5000)
