"""Requirements that a check makes, in words that say what was expected and what was found."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["N_THREADS", "require", "require_raises", "run_in_threads"]

N_THREADS: Final = 4


def require(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        message = f"{what}: expected {wanted!r}, found {found!r}."
        raise AssertionError(message)


def require_raises(error: type[Exception], call: Callable[[], object], what: str) -> Exception:
    try:
        call()
    except error as caught:
        return caught
    message = f"{what}: expected {error.__name__}, nothing was raised."
    raise AssertionError(message)


def run_in_threads(work: Callable[[int], None]) -> None:
    """Run the same work in several threads at once; what any of them raises is a failure."""
    errors: list[Exception] = []

    def run(number: int) -> None:
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require(errors, [], "errors in threads")
