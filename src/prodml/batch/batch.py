"""One piece of work, and what comes out of it."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Batch", "BatchOutput"]


class Batch(NamedTuple):
    """Some records that are worked on, and accounted for, together.

    A named tuple, since a job may make millions of them.

    Attributes
    ----------
    data : object
        A DataFrame, a mapping of column names to arrays, a list of records, or anything else,
        which then counts as one record.
    number : int
        Which batch of its run it is, from 0.
    first_row : int or None
        Position of its first record in the source, from 0; None where the source has no order
        that comes again.
    source : str or None
        Where the records come from, such as the path of a file.

    Examples
    --------
    >>> Batch(data=[{"id": 1}], number=0).source is None
    True
    """

    data: Any
    number: int
    first_row: int | None = None
    source: str | None = None


class BatchOutput(NamedTuple):
    """What a function made of a batch, on its way to a sink.

    Attributes
    ----------
    key : bytes
        The idempotency key of the batch: the same for the same work, in every run.
    number : int
        Which batch of its run it is, from 0.
    data : object
        What the function returned: a DataFrame, a mapping of column names to arrays, or a list
        of records; None for nothing.
    """

    key: bytes
    number: int
    data: Any
