"""Renewing the leases of the work in hand, beside the work."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from prodml._core.log import get_logger
from prodml.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prodml.batch.ledger import Claim, Ledger
    from prodml.protocols import Clock

__all__ = ["Heartbeat"]


class Heartbeat:
    """Holds claims, and renews their leases from a thread of its own.

    The thread starts with the first claim and ends with the block. A beat that fails is tried
    again at the next one: what counts is the fence, and a lease that ran out costs work only.
    """

    def __init__(
        self, ledger: Ledger, namespace: str, *, lease: float, every: float, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._namespace = namespace
        self._lease = timedelta(seconds=lease)
        self._every = every
        self._clock = clock
        self._held: dict[bytes, Claim] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, claims: Iterable[Claim]) -> None:
        """Renew these from now on."""
        with self._lock:
            self._held.update((claim.key, claim) for claim in claims)
        # after a fork the thread of the parent is none of this process
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._beat_on, name="prodml-heartbeat", daemon=True
            )
            self._thread.start()

    def let_go(self, keys: Iterable[bytes]) -> None:
        """Renew these no longer."""
        with self._lock:
            for key in keys:
                self._held.pop(key, None)

    @property
    def held(self) -> list[Claim]:
        """The claims in hand."""
        with self._lock:
            return list(self._held.values())

    def beat(self) -> frozenset[bytes]:
        """Renew all leases now, and return the keys of claims that somebody else has taken."""
        held = self.held
        if not held:
            return frozenset()
        until = self._clock.now() + self._lease
        lost = self._ledger.heartbeat(self._namespace, held, until=until)
        if lost:
            self.let_go(lost)
            get_logger(__name__).warning("leases_lost", namespace=self._namespace, n_work=len(lost))
        return lost

    def _beat_on(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self.beat()
            except StorageError as error:
                get_logger(__name__).warning("heartbeat_failed", error=str(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
