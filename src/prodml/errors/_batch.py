"""Errors of idempotent work: keys, leases and sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodml.errors._root import ProdmlError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BatchError",
    "BatchInProgressError",
    "BatchQuarantinedError",
    "DuplicateKeyError",
    "IdempotencyConflictError",
    "MissingKeyError",
    "StaleLeaseError",
    "UnkeyableError",
    "UnsafeSinkError",
]


class BatchError(ProdmlError, ValueError):
    """Idempotent work that cannot be done as it was asked for.

    Attributes
    ----------
    namespace : str
        The job, where the error is about keys that it knows.
    keys : tuple of str
        The keys at fault, as text.
    """

    def __init__(self, message: str, *, namespace: str = "", keys: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.namespace = namespace
        self.keys = tuple(keys)


class IdempotencyConflictError(BatchError):
    """A key that is known, with another payload than before.

    Attributes
    ----------
    namespace : str
        Where the keys are known.
    keys : tuple of str
        The keys at fault.
    """


class BatchInProgressError(BatchError):
    """Work that somebody else has claimed and not finished.

    Attributes
    ----------
    namespace : str
        Where the key is claimed.
    keys : tuple of str
        The keys in progress.
    """


class StaleLeaseError(BatchError):
    """A claim that ran out and was taken over: what was worked out under it is not stored.

    Attributes
    ----------
    namespace : str
        Where the key was claimed.
    keys : tuple of str
        The keys that were lost.
    """


class BatchQuarantinedError(BatchError):
    """Work that failed too often and waits for somebody to look at it.

    Attributes
    ----------
    namespace : str
        Where the keys are known.
    keys : tuple of str
        The keys in quarantine.
    """


class DuplicateKeyError(BatchError):
    """Records of one batch that share a key.

    Attributes
    ----------
    keys : tuple of str
        The keys that occur more than once, as text.
    rows : tuple of int
        Where they occur in the batch.
    """

    def __init__(self, message: str, *, keys: Sequence[str], rows: Sequence[int]) -> None:
        super().__init__(message, keys=keys)
        self.rows = tuple(rows)


class MissingKeyError(BatchError, KeyError):
    """Records without a key, or a key column that did not arrive.

    Attributes
    ----------
    column : str
        The key column at fault; empty where a key is no column.
    rows : tuple of int
        The first rows without a key, by position in the batch; none if the column is absent.
    """

    def __init__(self, message: str, *, column: str, rows: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.column = column
        self.rows = tuple(rows)


class UnkeyableError(BatchError, TypeError):
    """Values that have no canonical bytes, so that no key can be made of them.

    Attributes
    ----------
    column : str
        The column they stand in; empty where they are in none.
    """

    def __init__(self, message: str, *, column: str = "") -> None:
        super().__init__(message)
        self.column = column


class UnsafeSinkError(BatchError, TypeError):
    """A sink with which a retry may store rows twice.

    Attributes
    ----------
    sink : str
        What was given.
    """

    def __init__(self, message: str, *, sink: str) -> None:
        super().__init__(message)
        self.sink = sink
