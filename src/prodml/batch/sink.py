"""Where the output of batches goes, and what that place can promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args, runtime_checkable

from prodml.errors import UnsafeSinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prodml._core.sql import Session
    from prodml.batch.batch import BatchOutput

__all__ = ["Guarantee", "Sink", "checked_sink"]

#: What becomes of rows that are written again, because the first try died in the middle.
Guarantee = Literal["atomic", "idempotent", "at_least_once"]


@runtime_checkable
class Sink(Protocol):
    """A place for the output of batches.

    Its `guarantee` says what happens where a job dies and is run again:

    - ``"atomic"``: rows are written through the session of the ledger, in the transaction in
      which the batches are marked as done. Both are there or neither is.
    - ``"idempotent"``: the ledger is told afterwards, but writing the same output again replaces
      what was there: files of one name, rows with a key. Needs a function that gives the same
      for the same.
    - ``"at_least_once"``: rows may be there twice. Refused unless the caller says so.
    """

    @property
    def guarantee(self) -> Guarantee:
        """What the sink promises."""
        ...

    def write(self, outputs: Sequence[BatchOutput], session: Session | None, /) -> None:
        """Store the outputs of some batches, durably, before it returns.

        An atomic sink uses the session and must not commit. Others get None, and are called
        before the batches are marked. May raise anything: the batches are then not done.
        """
        ...


def checked_sink(given: Any, /, *, at_least_once: bool) -> Sink | None:
    """Return a sink that keeps what the caller wants, or refuse it.

    Parameters
    ----------
    given : Sink, callable or None
        A function is given the list of outputs, and may be called twice with some of them.
    at_least_once : bool
        Whether the caller can live with rows that are stored twice.

    Raises
    ------
    UnsafeSinkError
        If the sink promises no more than that, and the caller cannot.
    TypeError
        If it is no sink.
    """
    if given is None:
        return None
    sink = given if isinstance(given, Sink) else _of_function(given)
    if sink.guarantee not in get_args(Guarantee):
        message = (
            f"The guarantee of a sink is one of {get_args(Guarantee)}, not {sink.guarantee!r}."
        )
        raise TypeError(message)
    if sink.guarantee == "at_least_once" and not at_least_once:
        message = (
            f"With {given!r} rows may be stored twice when a job dies and is run again. Use a "
            f"TableSink, a FileSink, an UpsertSink or a sink whose writes are idempotent; or, if "
            f"rows that come twice do no harm, say at_least_once=True."
        )
        raise UnsafeSinkError(message, sink=repr(given))
    return sink


def _of_function(given: Any) -> Sink:
    if not callable(given):
        message = f"`sink` must be a Sink or a function of a list of outputs, got {given!r}."
        raise TypeError(message)
    return _FunctionSink(given)


class _FunctionSink:
    guarantee: Final[Guarantee] = "at_least_once"

    def __init__(self, function: Callable[[Sequence[BatchOutput]], object]) -> None:
        self._function = function

    def write(self, outputs: Sequence[BatchOutput], _session: Session | None, /) -> None:
        self._function(outputs)
