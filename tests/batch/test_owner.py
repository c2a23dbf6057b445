"""Whether a process that has claimed work is gone, as far as that can be known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prodml.batch._owner import is_gone, new_owner

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/ns/pid").exists(), reason="only Linux tells how processes are"
)

CHILD = "from prodml.batch._owner import new_owner; print(new_owner())"


def of_ended_process():
    """Return the owner that a process was which has ended."""
    return subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=True
    ).stdout.strip()


def changed(owner, place, value):
    """Return an owner with one part replaced."""
    parts = owner.split("/")
    parts[place] = value
    return "/".join(parts)


def test_owners_differ_within_a_process():
    """Two jobs of one process do not renew each other's claims."""
    assert new_owner() != new_owner()


def test_a_process_that_lives_is_not_gone():
    """The one of this test, for example."""
    assert not is_gone(new_owner())


def test_a_process_that_ended_is_gone():
    """Its claims need not be waited for."""
    assert is_gone(of_ended_process())


def test_a_process_that_nobody_has_buried_is_gone():
    """A zombie has its number, and works no more."""
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    owner = child.stdout.readline().strip()
    child.stdout.read()  # until its end is closed
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert is_gone(owner)
    finally:
        child.stdout.close()
        child.wait()


def test_another_process_of_the_same_number_is_another_one():
    """Numbers come again; the moment of the start does not."""
    assert is_gone(changed(new_owner(), 3, "1"))


@pytest.mark.parametrize("place", [0, 1], ids=["host", "boot"])
def test_elsewhere_nothing_is_known(place):
    """On another machine, after a restart, or in another container, only the lease tells."""
    assert not is_gone(changed(of_ended_process(), place, "elsewhere"))


@pytest.mark.parametrize("owner", ["", "w", "a/b/c/d/e", "h//1//t", "h/p/x/1/t"])
def test_what_is_no_name_of_a_process_is_not_gone(owner):
    """Owners may be given by hand."""
    assert not is_gone(owner)
