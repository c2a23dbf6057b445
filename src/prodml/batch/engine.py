"""Where the function of a job runs: here, or in workers."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, runtime_checkable

from prodml._core.parallel import available_cores
from prodml.errors import BatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Engine", "InProcess", "JoblibEngine", "WorkerLostError"]

Result = TypeVar("Result")


class WorkerLostError(BatchError):
    """A worker died, killed or out of memory, and took its pieces of work along."""


@runtime_checkable
class Engine(Protocol):
    """Runs a pure function on pieces of work, wherever it likes.

    The driver keeps the ledger: a worker that dies loses work, never a result. An engine of your
    own needs these two.
    """

    @property
    def n_workers(self) -> int:
        """How many pieces it works on at a time."""
        ...

    def map(
        self,
        function: Callable[..., Result],
        pieces: Sequence[tuple[Any, ...]],
        /,
        *,
        ordered: bool,
    ) -> Iterator[tuple[int, Result]]:
        """Yield the place of each piece and its result, as they are ready or in their order.

        A piece is the arguments of one call.

        Raises :class:`WorkerLostError` where a worker died: pieces without a result by then are
        given again, one by one.
        """
        ...


class InProcess:
    """Runs the function in this process, one piece after another.

    Stateless, hence thread-safe, fork-safe and picklable.
    """

    n_workers: Final = 1

    def map(
        self,
        function: Callable[..., Result],
        pieces: Sequence[tuple[Any, ...]],
        /,
        *,
        ordered: bool,
    ) -> Iterator[tuple[int, Result]]:
        """Yield the results; see :class:`Engine`. They are always in order."""
        del ordered
        return enumerate(starmap(function, pieces))

    def __repr__(self) -> str:
        return "InProcess()"


class JoblibEngine:
    """Runs the function in joblib's workers: processes, threads, or what is registered there.

    Immutable, picklable. Workers stay for the next call, as joblib keeps them.

    Parameters
    ----------
    backend : str, default "loky"
        ``"loky"`` for processes, ``"threading"`` for functions that let go of the interpreter's
        lock, as much of numpy does; or a backend that was registered with joblib.
    n_jobs : int, optional
        How many workers; by default one for each core that this process may use.

    Raises
    ------
    ValueError
        If `n_jobs` is less than 2: that is :class:`InProcess`.

    Examples
    --------
    >>> engine = JoblibEngine("threading", n_jobs=2)
    >>> sorted(engine.map(pow, [(2, 3), (3, 2)], ordered=True))
    [(0, 8), (1, 9)]
    """

    def __init__(self, backend: str = "loky", *, n_jobs: int | None = None) -> None:
        n_jobs = max(2, available_cores()) if n_jobs is None else n_jobs
        if n_jobs < 2:  # noqa: PLR2004 - two are the fewest that are not one
            message = f"`n_jobs` must be >= 2, got {n_jobs!r}; without workers, leave `engine` out."
            raise ValueError(message)
        self._backend = backend
        self._n_jobs = n_jobs

    @property
    def n_workers(self) -> int:
        """How many workers there are."""
        return self._n_jobs

    def map(
        self,
        function: Callable[..., Result],
        pieces: Sequence[tuple[Any, ...]],
        /,
        *,
        ordered: bool,
    ) -> Iterator[tuple[int, Result]]:
        """Yield the results; see :class:`Engine`.

        Raises
        ------
        BatchError
            If joblib would run the function in this process after all.
        WorkerLostError
            If a worker died.
        """
        from joblib import Parallel, delayed
        from joblib.externals.loky.process_executor import BrokenProcessPool

        returned = "generator" if ordered else "generator_unordered"
        parallel = Parallel(n_jobs=self._n_jobs, backend=self._backend, return_as=returned)
        self._check_backend(parallel)
        tasks = (delayed(_placed)(function, at, piece) for at, piece in enumerate(pieces))
        results = parallel(tasks)
        try:
            yield from results
        except BrokenProcessPool as error:
            message = f"A worker died: {error}"
            raise WorkerLostError(message) from error
        finally:
            results.close()

    def _check_backend(self, parallel: Any) -> None:
        """Refuse what joblib falls back to without a word: the process of the driver."""
        backend = parallel._backend  # noqa: SLF001 - joblib tells it in no other way
        name = type(backend).__name__
        if name == "SequentialBackend" or backend.effective_n_jobs(self._n_jobs) < 2:  # noqa: PLR2004
            message = (
                f"joblib's backend {self._backend!r} would run the function in this process "
                f"(as {name}). Call from the main process, or leave `engine` out."
            )
            raise BatchError(message)

    def __repr__(self) -> str:
        return f"JoblibEngine({self._backend!r}, n_jobs={self._n_jobs})"


def _placed(function: Callable[..., Result], at: int, piece: tuple[Any, ...]) -> tuple[int, Result]:
    return at, function(*piece)
