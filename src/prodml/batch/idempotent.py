"""One function call, made once for each key, with its result kept."""

from __future__ import annotations

import functools
import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from prodml._core.cells import decode_cell, encode_cell
from prodml.batch._guard import Guard, Stored
from prodml.batch._heartbeat import Heartbeat
from prodml.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    from prodml.batch.ledger import Claim, Ledger, State
    from prodml.protocols import Clock

__all__ = ["idempotent"]

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


def idempotent(  # noqa: PLR0913 - independent options, keyword-only
    ledger: Ledger,
    /,
    *,
    key: Callable[..., Any],
    namespace: str | None = None,
    payload: Callable[..., Any] | None = None,
    encode: Callable[[Any], Any] | None = None,
    decode: Callable[[Any], Any] | None = None,
    expires: float | timedelta | None = None,
    lease: float = 60.0,
    heartbeat: float = 20.0,
    max_attempts: int = 5,
    clock: Clock = SYSTEM_CLOCK,
) -> Callable[[Callable[Parameters, Returned]], Callable[Parameters, Returned]]:
    """Guard a function, so that each key is worked on once; later calls get the stored result.

    For requests that come again: a payment, a message, a webhook. Takes plain and ``async``
    functions. The effect of the function and the note that it is done are two things: a process
    that dies between them leaves the call to be made again when the lease has run out. Where that
    does harm, pass the key on to whoever has the effect.

    Parameters
    ----------
    ledger : Ledger
        Remembers keys and results.
    key : callable
        Takes what the function takes, and returns what names the call: ``lambda order: order.id``.
        Any plain value; None is no key.
    namespace : str, optional
        Where keys are known; by default the module and name of the function.
    payload : callable, optional
        Takes what the function takes, and returns what must be the same whenever the key is the
        same; by default all arguments.
    encode, decode : callable, optional
        Turn a result into plain values that JSON can hold, and back. By default plain values,
        times, decimals, and lists, tuples, sets and dicts of them are kept as they are.
    expires : float or datetime.timedelta, optional
        After this many seconds a result is forgotten, and the key free. By default never.
    lease, heartbeat : float
        As for :class:`~prodml.batch.BatchProcessor`, in seconds.
    max_attempts : int, default 5
        How often a call may fail or die before it is refused, until it is released.
    clock : Clock, optional
        Tells the time of claims, leases and results.

    Returns
    -------
    callable
        Decorates the function. What it decorates raises, beside what the function raises:
        :class:`~prodml.errors.BatchInProgressError` while another call has the key,
        :class:`~prodml.errors.IdempotencyConflictError` for a known key with another payload,
        :class:`~prodml.errors.MissingKeyError` without a key,
        :class:`~prodml.errors.UnkeyableError` for values of which no key can be made,
        :class:`~prodml.errors.BatchQuarantinedError` after too many failures, and
        :class:`~prodml.errors.StaleLeaseError` if the lease ran out and another call took over.

    Raises
    ------
    TypeError
        If a generator is decorated, or only one of `encode` and `decode` is given.

    Notes
    -----
    A call that raises is free to be made again, and nothing is stored of it. Conflicting payloads
    are refused as the IETF draft on the Idempotency-Key header asks for [1]_.

    References
    ----------
    .. [1] Jena, J., Dalal, S. The Idempotency-Key HTTP Header Field.
       draft-ietf-httpapi-idempotency-key-header-07, section 2.7.

    Examples
    --------
    >>> from prodml.batch import SqliteLedger, idempotent
    >>> charged = []
    >>> @idempotent(SqliteLedger(":memory:"), key=lambda order_id, amount: order_id)
    ... def charge(order_id, amount):
    ...     charged.append(order_id)
    ...     return {"order": order_id, "charged": amount}
    >>> charge("A-1", 30) == charge("A-1", 30), charged
    (True, ['A-1'])
    """
    if (encode is None) != (decode is None):
        message = "`encode` and `decode` belong together; give both or neither."
        raise TypeError(message)
    life = expires.total_seconds() if isinstance(expires, timedelta) else expires

    def decorate(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
        name = f"{function.__module__}.{function.__qualname__}" if namespace is None else namespace
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            message = f"{name} is a generator, which has no one result to keep."
            raise TypeError(message)
        guard = Guard(
            ledger=ledger,
            namespace=name,
            key=key,
            payload=_all_arguments(function) if payload is None else payload,
            encode=_encode if encode is None else encode,
            decode=decode_cell if decode is None else decode,
            life=life,
            lease=lease,
            max_attempts=max_attempts,
            clock=clock,
            heartbeat=Heartbeat(ledger, name, lease=lease, every=heartbeat, clock=clock),
        )
        guarded: Any = _guarded
        if inspect.iscoroutinefunction(function):
            guarded = _guarded_coroutine
        wrapped: Callable[Parameters, Returned] = functools.wraps(function)(
            guarded(guard, function)
        )
        return wrapped

    return decorate


def _guarded(guard: Guard, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        begun = guard.begin(args, kwargs)
        if isinstance(begun, Stored):
            return begun.result
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            guard.give_up(begun, _state_after(error), error)
            raise
        guard.end(begun, result)
        return result

    return call


def _guarded_coroutine(guard: Guard, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        import asyncio

        # a ledger waits for its disk, which the loop must not
        beginning = asyncio.ensure_future(asyncio.to_thread(guard.begin, args, kwargs))
        try:
            begun = await asyncio.shield(beginning)
        except asyncio.CancelledError as error:
            # the thread goes on, and may claim what nobody would work on
            beginning.add_done_callback(functools.partial(_free, guard, error))
            await asyncio.wait([beginning])
            raise
        if isinstance(begun, Stored):
            return begun.result
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            # not awaited: a task that is cancelled may not come back from there
            guard.give_up(begun, _state_after(error), error)
            raise
        await asyncio.to_thread(guard.end, begun, result)
        return result

    return call


def _free(guard: Guard, error: BaseException, beginning: Future[Claim | Stored]) -> None:
    """Give up a claim that comes when its call has been cancelled."""
    if beginning.cancelled() or beginning.exception() is not None:
        return
    begun = beginning.result()
    if not isinstance(begun, Stored):
        guard.give_up(begun, "pending", error)


def _state_after(error: BaseException) -> State:
    """Return failed, which uses up an attempt, or pending where the call was only stopped."""
    return "failed" if isinstance(error, Exception) else "pending"


def _all_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what gives all arguments of a call by name, however they were passed."""
    signature = inspect.signature(function)

    def arguments(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    return arguments


def _encode(result: Any) -> Any:
    encoded = encode_cell(result)
    if _has_lost(encoded):
        message = (
            f"The result, of type {type(result).__name__}, holds what cannot be kept as JSON and "
            f"restored. Return plain values, or give `encode` and `decode`."
        )
        raise TypeError(message)
    return encoded


def _has_lost(encoded: Any) -> bool:
    if isinstance(encoded, list):
        return any(map(_has_lost, encoded))
    if isinstance(encoded, dict):
        return encoded.get("$") == "other" or _has_lost(encoded.get("v"))
    return False
