"""A gate of a file, through which the processes of one machine pass one at a time."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from typing import Final
from weakref import WeakSet, finalize

if sys.platform != "win32":
    import fcntl

__all__ = ["FileGate"]

_FIRST_PAUSE: Final = 0.000_2
_LONGEST_PAUSE: Final = 0.001


class FileGate:
    """Lets one process at a time through; the operating system opens it when that one dies.

    SQLite's own way of waiting sleeps up to a tenth of a second between tries, so that of many
    writers some wait for seconds. This one looks again every millisecond.

    Not for several threads at once, which need a lock of their own. A forked child lets go of the
    gate and opens it anew: it would share its parent's place, and keep it when that one is killed.

    Parameters
    ----------
    path : str
        An empty file, made if it is absent. It stays.
    timeout : float
        How long to wait, in seconds.
    """

    def __init__(self, path: str, *, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._descriptor: int | None = None
        self._closing: finalize[[int], FileGate] | None = None
        _gates().add(self)

    def acquire(self) -> None:
        """Wait until the gate is free, and take it.

        Raises
        ------
        TimeoutError
            If another process holds it for too long.
        OSError
            If the file cannot be made.
        """
        if sys.platform != "win32":  # there SQLite's own locks must do
            self._wait(self._open())

    def release(self) -> None:
        """Let the next one through."""
        if sys.platform != "win32" and self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the file back. It is opened again when it is needed."""
        if self._closing is not None:
            self._closing()
        self._descriptor = self._closing = None

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            # also where nobody closes it
            self._closing = finalize(self, os.close, self._descriptor)
        return self._descriptor

    def _wait(self, descriptor: int) -> None:
        pause, deadline = _FIRST_PAUSE, 0.0
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic()
                deadline = deadline or now + self._timeout
                if now > deadline:
                    message = f"{self._path!r} was held for longer than {self._timeout:g} s."
                    raise TimeoutError(message) from None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return


@cache
def _gates() -> WeakSet[FileGate]:
    """Return all gates of this process, of which its forked children will let go."""
    gates: WeakSet[FileGate] = WeakSet()

    def let_go() -> None:
        for gate in list(gates):  # closing a copy leaves the parent's lock as it is
            gate.close()

    if sys.platform != "win32":
        os.register_at_fork(after_in_child=let_go)
    return gates
