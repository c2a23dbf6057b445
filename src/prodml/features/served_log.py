"""Features as they were served, kept so that they can be compared with the batch path later.

"The best way to make sure that you train like you serve is to save the set of features used at
serving time" (Google, Rules of Machine Learning, rule 29). :class:`LoggedFeatures` does so for a
stable sample of entities; a :class:`ServedLog` keeps it; and
:func:`~prodml.features.parity.audit_parity` compares.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from prodml._frozen_mapping import FrozenMapping
from prodml.errors import FeatureError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MemoryServedLog", "ServedLog", "ServedRecord"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRecord:
    """One request: what came in, and the features that the model got. Immutable, picklable.

    Attributes
    ----------
    key : object
        The entity: text, a number, or a tuple of them.
    at : datetime
        When it was served; with a time zone, held in UTC.
    inputs : mapping of str to object
        The raw inputs of the features, as they arrived; a key that was absent is absent.
    features : tuple of float
        The features, in the order of `columns`.
    columns : tuple of str
        Their names.
    name, version, fingerprint : str
        Of the set of features.
    environment : str
        The version of numpy, CPU and math library that computed them; empty where not known.
    """

    key: Any
    at: datetime
    inputs: Mapping[str, Any]
    features: tuple[float, ...]
    columns: tuple[str, ...]
    name: str
    version: str
    fingerprint: str
    environment: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, FrozenMapping):
            object.__setattr__(self, "inputs", FrozenMapping(self.inputs))
        if len(self.features) != len(self.columns):
            message = (
                f"`features` and `columns` must go together, got {len(self.features)} values "
                f"for {len(self.columns)} columns."
            )
            raise FeatureError(message)
        if self.at.utcoffset() is None:
            message = f"`at` must have a time zone, got {self.at!r}."
            raise FeatureError(message)
        object.__setattr__(self, "at", self.at.astimezone(UTC).replace(fold=0))


@runtime_checkable
class ServedLog(Protocol):
    """What keeps served records, in the order in which they come.

    Safe between threads. May keep records back to store several at once.
    """

    def append(self, record: ServedRecord, /) -> None:
        """Keep a record. May raise anything: a request does not fail because of it."""
        ...


class MemoryServedLog:
    """A served log in memory, for tests, notebooks and short audits.

    Thread-safe. It is of one process, does not pickle, and is gone with it.

    Parameters
    ----------
    capacity : int, optional
        The most records to keep; older ones are dropped. By default there is no limit.

    Raises
    ------
    FeatureError
        If the capacity is no positive whole number.

    Examples
    --------
    >>> log = MemoryServedLog(capacity=1000)
    >>> len(log)
    0
    """

    def __init__(self, *, capacity: int | None = None) -> None:
        if capacity is not None and (type(capacity) is not int or capacity < 1):
            message = f"`capacity` must be a whole number >= 1, got {capacity!r}."
            raise FeatureError(message)
        self._lock = threading.Lock()
        self._records: deque[ServedRecord] = deque(maxlen=capacity)

    def append(self, record: ServedRecord, /) -> None:
        """Keep a record, and drop the oldest one if there are too many.

        Parameters
        ----------
        record : ServedRecord
            What was served.
        """
        with self._lock:
            self._records.append(record)

    def records(self) -> Iterator[ServedRecord]:
        """Return the records as of now, the oldest first."""
        with self._lock:
            return iter(tuple(self._records))

    def clear(self) -> None:
        """Drop all records."""
        with self._lock:
            self._records.clear()

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<MemoryServedLog: {len(self):,} records>"
