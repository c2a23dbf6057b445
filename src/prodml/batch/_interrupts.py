"""Being told to stop, by Ctrl-C or by whoever runs the machine, and stopping in good order."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["GivenUp", "Interrupts"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class GivenUp(BaseException):
    """The second signal: the work in hand is given up.

    Not an Exception, so that no retry and no function of a user takes it for a fault of the data.
    """


class Interrupts:
    """Notes signals while a job runs, and passes them on when it has come to rest.

    The first one lets the batch in hand be finished, the second one gives it up. When the block
    ends, the handlers from before are back, and the signal is raised again, so that a program
    reacts to it as it would without prodml. Outside the main thread, where Python delivers no
    signals, it does nothing.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._stop = threading.Event()
        self._before: dict[signal.Signals, Any] = {}

    def wait(self, seconds: float) -> bool:
        """Wait, and say whether to stop; a signal ends the wait."""
        return self._stop.wait(seconds)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            raise GivenUp
        self.received = signal.Signals(number)
        self._stop.set()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for one in _SIGNALS:
                before = signal.getsignal(one)
                # None belongs to code that is not Python's, and is left alone
                if before is not None and before is not signal.SIG_IGN:
                    self._before[one] = signal.signal(one, self._note)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        for one, before in self._before.items():
            signal.signal(one, before)
        if self.received is not None and (error is None or isinstance(error, GivenUp)):
            signal.raise_signal(self.received)
        return isinstance(error, GivenUp)  # the program's own handler wants to go on
