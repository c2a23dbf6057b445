"""Errors of the quarantine queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodml.errors._root import ProdmlError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "EntryNotFoundError",
    "EntryStateError",
    "QuarantineError",
    "QuarantineFullError",
    "TooManyRejectedError",
]


class QuarantineError(ProdmlError, ValueError):
    """An operation that the quarantine queue refuses."""


class EntryNotFoundError(QuarantineError, KeyError):
    """Ids that are not in the queue.

    Attributes
    ----------
    ids : tuple of str
        The ids that were not found.
    """

    def __init__(self, message: str, *, ids: Sequence[str]) -> None:
        super().__init__(message)
        self.ids = tuple(ids)


class EntryStateError(QuarantineError):
    """Entries that are no longer pending, so that nothing can be decided about them.

    Attributes
    ----------
    ids : tuple of str
        The entries at fault.
    state : str
        The state the first of them is in.
    """

    def __init__(self, message: str, *, ids: Sequence[str], state: str) -> None:
        super().__init__(message)
        self.ids = tuple(ids)
        self.state = state


class QuarantineFullError(QuarantineError):
    """A batch that would take the queue over its row limit; nothing of it was stored.

    Attributes
    ----------
    depth, max_rows, n_rows : int
        Entries that wait, the limit, and the rows that were to be added.
    """

    def __init__(self, message: str, *, depth: int, max_rows: int, n_rows: int) -> None:
        super().__init__(message)
        self.depth = depth
        self.max_rows = max_rows
        self.n_rows = n_rows


class TooManyRejectedError(QuarantineError):
    """A batch of which more was rejected than its thresholds allow; what was stored stays stored.

    Attributes
    ----------
    batch : str
        The batch.
    n_rejected, n_rows : int
        Rows of it that were rejected, and all rows so far.
    """

    def __init__(self, message: str, *, batch: str, n_rejected: int, n_rows: int) -> None:
        super().__init__(message)
        self.batch = batch
        self.n_rejected = n_rejected
        self.n_rows = n_rows
