"""One call for each key, whatever the caller repeats."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import BaseModel

from prodml.batch import SqliteLedger, idempotent
from prodml.errors import (
    BatchInProgressError,
    BatchQuarantinedError,
    IdempotencyConflictError,
    MissingKeyError,
    StaleLeaseError,
    UnkeyableError,
)
from prodml.testing import FakeClock


@pytest.fixture
def ledger():
    """Yield a ledger in memory."""
    ledger = SqliteLedger(":memory:")
    yield ledger
    ledger.close()


def guarded(ledger, function, **options):
    """Guard a function of an order id and an amount."""
    shared = {"key": lambda order, *_, **__: order, "namespace": "charge"}
    return idempotent(ledger, **(shared | options))(function)


def test_a_repeated_call_gets_the_stored_result(ledger):
    """And has no effect."""
    calls = []

    def charge(order, amount=5):
        """Charge somebody."""
        calls.append(order)
        return {"order": order, "amount": amount}

    call = guarded(ledger, charge)
    assert call("a") == call("a", 5) == call("a", amount=5) == {"order": "a", "amount": 5}
    assert call("b")["order"] == "b"
    assert calls == ["a", "b"]
    assert (call.__name__, call.__doc__) == ("charge", "Charge somebody.")


def test_coroutines_are_guarded_too(ledger):
    """By the same rules."""
    calls = []
    entered, leave = asyncio.Event(), asyncio.Event()

    async def charge(order, amount):
        calls.append(order)
        entered.set()
        await leave.wait()
        if amount < 0:
            message = "negative"
            raise ValueError(message)
        return amount

    call = guarded(ledger, charge)

    async def all_of_it():
        first = asyncio.create_task(call("a", 1))
        await entered.wait()
        with pytest.raises(BatchInProgressError):
            await call("a", 1)
        leave.set()
        with pytest.raises(ValueError, match="negative"):
            await call("b", -1)
        with pytest.raises(ValueError, match="negative"):
            await call("b", -1)
        return await first, await call("a", 1)

    assert asyncio.run(all_of_it()) == (1, 1)
    assert calls == ["a", "b", "b"]


@pytest.mark.parametrize("within", [True, False])
def test_a_cancelled_coroutine_frees_its_key(ledger, within):
    """And uses up no attempt, also where it is cancelled while it claims the key."""
    entered = asyncio.Event()

    async def charge(order, wait):
        entered.set()
        await asyncio.Event().wait() if wait else None
        return order

    call = guarded(ledger, charge, payload=lambda order, _: order)

    async def all_of_it(*, within):
        task = asyncio.create_task(call("a", True))
        await (entered.wait() if within else asyncio.sleep(0))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await call("a", False)

    assert asyncio.run(all_of_it(within=within)) == "a"
    assert ledger.work("charge")[0].attempt == 1


def test_another_payload_under_a_known_key_is_an_error(ledger):
    """The caller thinks it is the same call."""
    call = guarded(ledger, lambda _order, amount: amount)
    call("a", 1)
    with pytest.raises(IdempotencyConflictError, match="other arguments") as caught:
        call("a", 2)
    assert caught.value.namespace == "charge"
    assert call("a", 1) == 1


def test_what_must_be_the_same_is_up_to_the_user(ledger):
    """A trace id differs from call to call."""
    call = guarded(
        ledger, lambda _o, _amount, trace: trace, payload=lambda _o, amount, _trace: amount
    )
    assert call("a", 1, "t1") == call("a", 1, "t2") == "t1"


def test_a_call_in_progress_is_refused(ledger):
    """While it runs; afterwards its result is there."""
    entered, leave = threading.Event(), threading.Event()

    def slow(order):
        entered.set()
        assert leave.wait(30)
        return order

    call = guarded(ledger, slow)
    results = []
    thread = threading.Thread(target=lambda: results.append(call("a")))
    thread.start()
    assert entered.wait(30)
    with pytest.raises(BatchInProgressError, match="somebody else"):
        call("a")
    leave.set()
    thread.join()
    assert results == ["a"] == [call("a")]


def test_an_error_is_not_stored(ledger):
    """The call is free to be made again, as many times as it may be."""
    left = [ValueError("first"), ValueError("second")]

    def charge(order):
        if left:
            raise left.pop(0)
        return order

    call = guarded(ledger, charge)
    for message in ("first", "second"):
        with pytest.raises(ValueError, match=message):
            call("a")
    assert call("a") == "a"


def test_too_many_failures_are_quarantined_until_released(ledger):
    """So that a call that kills its process does not do so for ever."""

    def charge(_order):
        message = "no"
        raise ValueError(message)

    call = guarded(ledger, charge, max_attempts=2)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            call("a")
    with pytest.raises(BatchQuarantinedError, match="2 times") as caught:
        call("a")
    (key,) = caught.value.keys
    assert ledger.quarantined("charge")[0].key == key

    ledger.release("charge", key)
    with pytest.raises(ValueError, match="no"):
        call("a")


def test_results_expire(ledger):
    """After that the key is new."""
    clock = FakeClock()
    results = iter([1, 2])
    call = guarded(ledger, lambda _order: next(results), expires=timedelta(hours=1), clock=clock)
    assert call("a") == 1
    clock.advance(3599)
    assert call("a") == 1
    clock.advance(2)
    assert call("a") == 2


def test_a_dead_call_is_made_again_when_its_lease_has_run_out(ledger):
    """And what the late one brings is refused."""
    clock = FakeClock()
    second = []

    def slow(order):
        if not second:
            second.append(None)
            clock.advance(61)
            second.append(call(order))
            return "late"
        return "second"

    call = guarded(ledger, slow, clock=clock)
    with pytest.raises(StaleLeaseError, match="longer `lease`"):
        call("a")
    assert second == [None, "second"]
    assert call("a") == "second"


@pytest.mark.parametrize(
    "result",
    [
        None,
        True,
        10**30,
        0.1,
        float("inf"),
        "text\x00\ud800",
        (1, [2.5, {"k": (3,)}]),
        {1: "int key", (1, 2): "tuple key"},
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        Decimal("1.10"),
        {1, 2},
        b"bytes",
    ],
    ids=range(12),
)
def test_results_come_back_as_they_were(ledger, result):
    """With their types."""
    call = guarded(ledger, lambda _order: result)
    first, second = call("a"), call("a")

    assert first is result
    assert (type(second), second) == (type(result), result)


def test_a_result_that_cannot_be_kept_is_an_error(ledger):
    """The caller hears of it at the first call, not at the second."""
    call = guarded(ledger, lambda _order: [object()])
    with pytest.raises(TypeError, match="`encode` and `decode`"):
        call("a")
    assert ledger.status("charge").n_work["failed"] == 1


def test_models_are_kept_by_a_pair_of_functions(ledger):
    """Given by the user."""

    class Receipt(BaseModel):
        order: str

    call = guarded(
        ledger,
        lambda order: Receipt(order=order),
        encode=Receipt.model_dump_json,
        decode=Receipt.model_validate_json,
    )
    assert call("a") == call("a") == Receipt(order="a")


def test_a_call_without_key_is_an_error(ledger):
    """Not a call without protection."""
    calls = []
    call = guarded(ledger, calls.append, key=lambda order: order.get("id"))
    with pytest.raises(MissingKeyError, match="no key"):
        call({"other": 1})
    assert calls == []


def test_arguments_without_canonical_bytes_are_an_error(ledger):
    """With what to do."""
    call = guarded(ledger, lambda order, _thing: order)
    with pytest.raises(UnkeyableError):
        call("a", object())


def test_generators_and_half_a_pair_are_refused(ledger):
    """When the function is decorated."""

    def stream(order):
        yield order

    with pytest.raises(TypeError, match="generator"):
        guarded(ledger, stream)
    with pytest.raises(TypeError, match="both or neither"):
        guarded(ledger, lambda order: order, encode=str)


def test_functions_have_namespaces_of_their_own(ledger):
    """By default: two functions may be called with one order."""

    @idempotent(ledger, key=lambda order: order)
    def ship(order):
        return f"shipped {order}"

    @idempotent(ledger, key=lambda order: order)
    def bill(order):
        return f"billed {order}"

    assert (ship("a"), bill("a")) == ("shipped a", "billed a")
    assert [name.rpartition(".")[2] for name in ledger.namespaces()] == ["bill", "ship"]
