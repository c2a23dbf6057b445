"""Timing contenders side by side, and the memory of each in a process of its own."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Timing:
    """Seconds of one contender over several rounds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self):
        return statistics.median(self.seconds)


def time_side_by_side(contenders, *, rounds, budget=60.0):
    """Run all contenders in turn, round by round, so that a slow spell of the machine hits all.

    A contender that has used up its budget of seconds sits out the rest, after two rounds.
    """
    seconds = {name: [] for name in contenders}
    for work in contenders.values():
        work()  # what is done once is not counted
    for _ in range(rounds):
        for name, work in contenders.items():
            if len(seconds[name]) >= 2 and sum(seconds[name]) > budget:
                continue
            gc.collect()
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return [Timing(name, tuple(values)) for name, values in seconds.items()]


def time_small(work, *, number, repeats=7):
    """Return the best mean time of one call, for calls of microseconds."""
    work()
    best = []
    for _ in range(repeats):
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        for _ in range(number):
            work()
        best.append((time.perf_counter() - start) / number)
        gc.enable()
    return statistics.median(best)


class PeakMemory:
    """Watches how far the memory of this process grows while a block runs."""

    def __enter__(self):
        gc.collect()
        self._process = psutil.Process()
        self._before = self._process.memory_info().rss
        self._highest = self._before
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        while not self._done.wait(0.001):
            self._highest = max(self._highest, self._process.memory_info().rss)

    def __exit__(self, *_):
        self._highest = max(self._highest, self._process.memory_info().rss)
        self._done.set()
        self._thread.join()

    @property
    def megabytes(self):
        return (self._highest - self._before) / 1e6


def in_own_process(module, *arguments):
    """Run a module that prints one line of JSON, and return what it says."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{module} {arguments} failed:\n{done.stderr[-2000:]}"
        raise RuntimeError(message)
    return json.loads(done.stdout.splitlines()[-1])


def table(header, rows):
    """Return a Markdown table."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def verdict(reached, target, *, at_least):
    """Say in words whether a figure reaches its target."""
    kept = reached >= target if at_least else reached <= target
    return "reached" if kept else "**missed**"
