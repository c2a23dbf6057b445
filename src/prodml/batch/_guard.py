"""Claiming a key for one call, and storing its result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prodml._core.canonical import digest_value
from prodml._core.stored_values import to_microseconds
from prodml.batch._owner import is_gone, new_owner
from prodml.batch._poison import describe_error
from prodml.batch.key import KEY_VERSION, WorkKey, key_text
from prodml.batch.ledger import WorkFailure, WorkResult
from prodml.errors import (
    BatchInProgressError,
    BatchQuarantinedError,
    IdempotencyConflictError,
    MissingKeyError,
    StaleLeaseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prodml.batch._heartbeat import Heartbeat
    from prodml.batch.ledger import Claim, Ledger, State
    from prodml.protocols import Clock

__all__ = ["Guard", "Stored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """The result of an earlier call."""

    result: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Guards the calls of one function; thread-safe."""

    ledger: Ledger
    namespace: str
    key: Callable[..., Any]
    payload: Callable[..., Any]
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    life: float | None
    lease: float
    max_attempts: int
    clock: Clock
    heartbeat: Heartbeat

    def begin(self, args: Any, kwargs: Any) -> Claim | Stored:
        """Claim the key of a call, or return what an earlier one gave."""
        work = self._work_of(args, kwargs)
        claims, entry = self._claim(work, ()), None
        if not claims:
            entry = self.ledger.get_many(self.namespace, [work.key]).get(work.key)
            if entry is not None and entry.state == "running" and is_gone(entry.owner):
                claims = self._claim(work, [entry.owner])
        if claims and claims[0].state == "running":
            self.heartbeat.hold(claims)
            return claims[0]
        entry = entry or self.ledger.get_many(self.namespace, [work.key]).get(work.key)
        shared: dict[str, Any] = {"namespace": self.namespace, "keys": [key_text(work.key)]}
        if entry is not None and entry.payload_hash != work.payload_hash:
            message = (
                f"{self.namespace} knows this key with other arguments. Give a new call a new key."
            )
            raise IdempotencyConflictError(message, **shared)
        if entry is not None and entry.state == "done":
            return Stored(self.decode(json.loads(entry.result)))
        if entry is not None and entry.state == "quarantined":
            message = (
                f"This call of {self.namespace} failed or died {entry.attempt} times, and is not "
                f"made again until it is released."
            )
            raise BatchQuarantinedError(message, **shared)
        message = f"This call of {self.namespace} is being made by somebody else; ask again later."
        raise BatchInProgressError(message, **shared)

    def _claim(self, work: WorkKey, gone: Sequence[str]) -> list[Claim]:
        now = self.clock.now()
        return self.ledger.claim(
            self.namespace,
            [work],
            # of this process, also after a fork
            owner=new_owner(),
            now=now,
            until=now + timedelta(seconds=self.lease),
            max_attempts=self.max_attempts,
            gone=gone,
        )

    def end(self, claim: Claim, result: Any) -> None:
        """Store the result of a call."""
        now = self.clock.now()
        expires_at = 0 if self.life is None else to_microseconds(now + timedelta(seconds=self.life))
        try:
            stored = json.dumps(self.encode(result), allow_nan=False)
        except BaseException as error:
            self.give_up(claim, "failed", error)
            raise
        done = WorkResult(claim.key, claim.fence, 0, 1, 1, 0, 1, "", stored, expires_at)
        try:
            lost = self.ledger.commit(self.namespace, [done], now=now)
        finally:
            self.heartbeat.let_go([claim.key])
        if lost:
            message = (
                f"The lease of this call of {self.namespace} ran out, and another call has taken "
                f"it over; its result is the one that counts. Give a longer `lease`."
            )
            raise StaleLeaseError(message, namespace=self.namespace, keys=[key_text(claim.key)])

    def give_up(self, claim: Claim, state: State, error: BaseException) -> None:
        """Let the call be made again."""
        failure = WorkFailure(claim.key, claim.fence, state, 1, describe_error(error))
        self.heartbeat.let_go([claim.key])
        self.ledger.fail(self.namespace, [failure], now=self.clock.now())

    def _work_of(self, args: Any, kwargs: Any) -> WorkKey:
        key = self.key(*args, **kwargs)
        if key is None:
            message = (
                f"This call of {self.namespace} has no key; nothing was done. "
                f"Let `key` return what names it."
            )
            raise MissingKeyError(message, column="")
        payload = digest_value(self.payload(*args, **kwargs))
        return WorkKey(KEY_VERSION + digest_value(key), payload)
