"""Workers that are killed, stopped past their leases and woken lose nothing and repeat nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.architecture._tree import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def torment(variant, kills, *more):
    """Run the killer in a process of its own, and return what it found."""
    command = [sys.executable, "-m", "tests.chaos.killed_batches", variant, "--kills", str(kills)]
    done = subprocess.run(
        [*command, *more], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("variant", "workers", "kills"), [("table", 4, 220), ("table", 1, 80), ("file", 4, 150)]
)
def test_nothing_is_lost_and_nothing_repeated(variant, workers, kills):
    """Every row once, totals exact, the database sound, wherever the kills fall."""
    found = torment(variant, kills, "--workers", str(workers))

    assert found["faults"] == {}
    assert found["kills"] >= kills
    assert found["stops"] > 0


@pytest.mark.needs_postgres
def test_nothing_is_lost_on_a_server(postgres_server):
    """The workers die, the server lives, and takes back what they had begun."""
    found = torment("postgres", 100, "--conninfo", postgres_server)

    assert found["faults"] == {}
    assert found["kills"] >= 100


@pytest.mark.parametrize(
    ("mutant", "fault"),
    [("mark_after", "repeated"), ("mark_before", "lost"), ("no_fence", "repeated")],
)
def test_what_is_wrong_is_found_out(mutant, fault):
    """A ledger that stores output and mark apart, or takes what a stale owner brings."""
    found = torment(mutant, 600, "--until-found")

    assert found["faults"].get(fault, 0) > 0, found
