"""Progress of long work: a bar for people, or a function for programs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prodml.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["follow_progress"]


@contextmanager
def follow_progress(
    progress: bool | Callable[[int, int | None], object],  # noqa: FBT001 - as users pass it on
    /,
    *,
    label: str,
    total: int | None = None,
    unit: str = "rows",
) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how much more has been done.

    Parameters
    ----------
    progress : bool or callable
        False shows nothing, True a bar on the standard error output; a callable gets the amount
        done so far and the total.
    label : str
        What is going on.
    total : int, optional
        How much there is to do, where that is known.
    unit : str, default "rows"
        What is counted.

    Raises
    ------
    MissingDependencyError
        If a bar is asked for and tqdm is not installed.
    """
    if progress is False:
        yield lambda _amount: None
        return
    if progress is True:
        with _bar(total=total, desc=label, unit=f" {unit}", unit_scale=True) as bar:
            yield bar.update
        return
    done = 0

    def advance(amount: int) -> None:
        nonlocal done
        done += amount
        progress(done, total)

    yield advance


def _bar(**options: Any) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        missing = MissingDependencyError.for_extra(
            "tqdm", extra="progress", purpose="A progress bar"
        )
        raise missing from error
    return tqdm(**options)
