"""The gate lets one process through at a time, and opens when that one dies."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal

import pytest

from prodml._core.file_gate import FileGate

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the gate is a lock of POSIX systems")


def hold(path, parent):
    """Hold the gate until told otherwise."""
    gate = FileGate(path, timeout=30)
    gate.acquire()
    parent.send("held")
    parent.recv()
    gate.release()


@pytest.fixture
def holder(tmp_path):
    """Yield the path of a gate that another process holds, that process, and a line to it."""
    context = multiprocessing.get_context("spawn")
    line, its_line = context.Pipe()
    path = str(tmp_path / "gate")
    child = context.Process(target=hold, args=(path, its_line))
    child.start()
    assert line.recv() == "held"
    yield path, child, line
    child.kill()
    child.join()


def test_another_process_waits(holder):
    """And says so when that takes too long; afterwards the way is free."""
    path, child, line = holder
    gate = FileGate(path, timeout=0.05)
    with pytest.raises(TimeoutError, match=r"0\.05 s"):
        gate.acquire()
    line.send("leave")
    child.join()
    gate.acquire()
    gate.release()
    gate.close()


def test_a_killed_process_holds_nothing(holder):
    """The operating system opens the gate."""
    path, child, _ = holder
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    gate = FileGate(path, timeout=5)
    gate.acquire()
    gate.release()
    gate.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_share_its_parents_place(tmp_path):
    """After a fork, both would be through at once."""
    gate = FileGate(str(tmp_path / "gate"), timeout=0.05)
    gate.acquire()
    child = os.fork()
    if child == 0:
        try:
            gate.acquire()
        except TimeoutError:
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    gate.release()
    gate.close()
    assert os.waitstatus_to_exitcode(status) == 0


def test_it_can_be_used_again_after_it_was_closed(tmp_path):
    """Which gives the file back in between."""
    gate = FileGate(str(tmp_path / "gate"), timeout=1)
    for _ in range(2):
        gate.acquire()
        gate.release()
        gate.close()


def hold_and_leave_a_child(path, parent):
    """Hold the gate, and have a child that lives longer."""
    gate = FileGate(path, timeout=30)
    gate.acquire()
    if os.fork() == 0:
        parent.send(os.getpid())
        parent.recv()
        os._exit(0)
    parent.recv()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_of_a_killed_process_hold_nothing(tmp_path):
    """A fork copies the descriptor that the lock hangs on."""
    context = multiprocessing.get_context("spawn")
    line, its_line = context.Pipe()
    path = str(tmp_path / "gate")
    holder = context.Process(target=hold_and_leave_a_child, args=(path, its_line))
    holder.start()
    child = line.recv()
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    gate = FileGate(path, timeout=0.05)
    try:
        gate.acquire()
        gate.release()
        gate.close()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_gate_that_is_dropped_gives_its_file_back(tmp_path):
    """A service that opens many ledgers would run out of files."""
    gate = FileGate(str(tmp_path / "gate"), timeout=1)
    gate.acquire()
    descriptor = gate._descriptor
    del gate
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
