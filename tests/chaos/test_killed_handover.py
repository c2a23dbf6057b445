"""A job killed with SIGKILL at any point loses no row and hands none on twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.architecture._tree import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

N_KILLS = 40


def torment(job):
    """Run the killer in a process of its own, and return what it found."""
    command = [sys.executable, "-m", "tests.chaos.killed_handover", job, str(N_KILLS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["n_hit"] > N_KILLS * 0.9, "the kills must fall within the run"
    return found["faults"]


def test_what_is_rejected_is_stored_before_the_rest_is_handed_on():
    """Between the commit of the quarantine and the hand-over nothing can be lost."""
    assert torment("right") == []


def test_a_named_replay_survives_its_end():
    """Between the mark of a replay and the use of its rows nothing can be lost."""
    assert torment("replay") == []


def test_the_other_order_is_found_out():
    """A job that hands on first loses rejected rows, and this test would see it."""
    assert "accepted rows were handed on, and the rejected ones beside them lost" in torment(
        "reversed"
    )
