"""A gate of a file, through which the processes of one machine pass one at a time."""

from __future__ import annotations

import os
import sys
import time
from typing import Final

if sys.platform != "win32":
    import fcntl

__all__ = ["FileGate"]

_FIRST_PAUSE: Final = 0.000_2
_LONGEST_PAUSE: Final = 0.001


class FileGate:
    """Lets one process at a time through; the operating system opens it when that one dies.

    SQLite's own way of waiting sleeps up to a tenth of a second between tries, so that of many
    writers some wait for seconds. This one looks again every millisecond.

    Not for several threads at once, which need a lock of their own. After a fork the child opens
    the gate anew, since it would share the parent's place in it.

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
        self._owner = 0

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
        if self._descriptor is not None and self._owner == os.getpid():
            os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None or self._owner != os.getpid():
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o666)
            self._owner = os.getpid()
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
