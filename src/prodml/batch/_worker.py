"""What happens to one batch, here or in a worker: the contract, the function, and its failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from prodml.batch._interrupts import GivenUp
from prodml.batch._isolation import isolate
from prodml.batch._poison import describe_error, moved_to, reject_records
from prodml.batch._tabular import to_frame

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from prodml.batch.batch import Batch
    from prodml.batch.retry import FullJitter
    from prodml.rejections import Rejections

__all__ = ["Attempt", "FrameContract", "OnError", "Worker"]

_MOST_SHOWN: Final = 9

OnError = Literal["bisect", "per_record", "fail"]


class FrameContract(Protocol):
    """Judges the rows of a frame, as :class:`prodml.contracts.Contract` does."""

    def validate_frame(self, frame: pd.DataFrame, /) -> Any:
        """Return a result with ``accepted``, ``accepted_positions`` and ``to_rejections()``."""
        ...


class Attempt(NamedTuple):
    """What came of a batch.

    Attributes
    ----------
    output : object
        What the function returned; None where it failed.
    n_records : int
        Records that came in.
    n_done : int
        Records that were worked on.
    rejections : tuple of Rejections
        Records that the contract turned away, and those on which the function failed.
    error : str
        Why the batch as a whole failed; empty if it did not.
    """

    output: Any
    n_records: int
    n_done: int
    rejections: tuple[Rejections, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Works on one batch; pure, if the function is. Pickles, if function and contract do.

    Attributes
    ----------
    function : callable
        What the user wants done.
    namespace : str
        Name of the job, for what is rejected.
    contract : FrameContract or None
        Judges rows before the function sees them.
    retry : FullJitter
        How to wait and what for.
    on_error : {"bisect", "per_record", "fail"}
        What to do where the function fails on a batch for good.
    sleep : callable
        Waits some seconds; says True where the job is to stop.
    rng : random.Random or None
        Where the length of waits comes from.
    sets_aside : bool
        Whether there is a quarantine for records at fault.
    """

    function: Callable[[Any], Any]
    namespace: str
    contract: FrameContract | None
    retry: FullJitter
    on_error: OnError
    sleep: Callable[[float], object]
    rng: random.Random | None
    sets_aside: bool

    def __call__(self, batch: Batch, n_records: int, /) -> Attempt:
        """Return what came of a batch; only what is no Exception gets out."""
        if self.contract is not None:
            return self._judge_and_work(batch, n_records, self.contract)
        data = batch.data
        try:
            output = self.function(data)
        except Exception as error:  # noqa: BLE001 - the user's function: whatever it raises
            return self._recover(data, n_records, error, first_row=batch.first_row or 0)
        return Attempt(output, n_records, n_records)

    def _judge_and_work(self, batch: Batch, n_records: int, contract: FrameContract) -> Attempt:
        first_row = batch.first_row or 0
        try:
            result = contract.validate_frame(to_frame(batch.data))
        except Exception as error:  # noqa: BLE001 - a frame of which no row can be read
            return Attempt(None, n_records, 0, error=describe_error(error))
        rejections = moved_to(result.to_rejections(), first_row)
        accepted, n_accepted = result.accepted, len(result.accepted)
        try:
            done = Attempt(self.function(accepted), n_accepted, n_accepted)
        except Exception as error:  # noqa: BLE001 - the user's function: whatever it raises
            positions = result.accepted_positions
            done = self._recover(accepted, n_accepted, error, first_row, positions)
        return done._replace(n_records=n_records, rejections=(rejections, *done.rejections))

    def _recover(
        self,
        data: Any,
        n_records: int,
        error: Exception,
        first_row: int,
        positions: npt.NDArray[np.int64] | None = None,
    ) -> Attempt:
        """Try again where that may help; otherwise find the records at fault."""
        try:
            if isinstance(error, self.retry.on):
                return Attempt(self._call_again(data, error), n_records, n_records)
        except Exception as later:  # noqa: BLE001 - the same function, once more
            error = later
        if isinstance(error, self.retry.on) or self.on_error == "fail":
            return Attempt(None, n_records, 0, error=describe_error(error))
        if n_records > 1:
            try:
                halving = self.on_error == "bisect"
                output, faults = isolate(self._call, data, n_records, halving=halving)
            except _Unavailable as unavailable:
                return Attempt(None, n_records, 0, error=describe_error(unavailable.error))
        else:
            output, faults = None, {0: error}
        if not faults:
            message = (
                f"The function fails on these {n_records} records together, but not on their "
                f"parts; {describe_error(error)}"
            )
            return Attempt(None, n_records, 0, error=message)
        rejections = reject_records(
            data,
            {at: describe_error(fault) for at, fault in faults.items()},
            rule={at: f"raised_{type(fault).__qualname__}" for at, fault in faults.items()},
            namespace=self.namespace,
            n_records=n_records,
            first_row=first_row,
            positions=positions,
        )
        if len(faults) < n_records and self.sets_aside:
            return Attempt(output, n_records, n_records - len(faults), (rejections,))
        # a function that fails on everything is more likely broken than all of the data
        return Attempt(None, n_records, 0, (rejections,), _describe_faults(faults, n_records))

    def _call_again(self, data: Any, error: Exception) -> Any:
        """Call the function until it gives an answer, or no try is left."""
        for seconds in self.retry.waits(self.rng):
            if self.sleep(seconds) is True:
                raise GivenUp
            try:
                return self.function(data)
            except self.retry.on as again:
                error = again
        raise error

    def _call(self, data: Any) -> Any:
        """Call the function on a part of a batch, with all its tries."""
        try:
            return self.function(data)
        except self.retry.on as error:
            try:
                return self._call_again(data, error)
            except self.retry.on as last:
                raise _Unavailable(last) from last


def _describe_faults(faults: dict[int, Exception], n_records: int) -> str:
    first, *others = faults
    if n_records == 1:
        return describe_error(faults[first])
    shown = ", ".join(map(str, [first, *others[:_MOST_SHOWN]]))
    which = f"each of {n_records} records" if len(faults) == n_records else f"records {shown}"
    more = f" and {len(others) - _MOST_SHOWN} more" if len(others) > _MOST_SHOWN else ""
    return (
        f"The function fails on {which}{more}; on record {first}: {describe_error(faults[first])}"
    )


class _Unavailable(BaseException):
    """What the function needs does not answer: no fault of the records.

    Not an Exception, so that the search for records at fault ends.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
