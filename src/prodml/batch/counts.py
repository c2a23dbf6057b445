"""How many batches and records met which fate."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from prodml._frozen_mapping import FrozenMapping
from prodml.errors import FormatError, MergeError
from prodml.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prodml.evidence import Verdict

__all__ = ["FATES", "BatchCounts", "Fate"]

Fate = Literal["done", "skipped", "quarantined", "failed", "in_progress", "lost", "given_up"]

#: What can become of a batch in a run, from good to bad.
FATES: Final[tuple[Fate, ...]] = get_args(Fate)

_SETTLED: Final = ("done", "skipped", "quarantined")
_FORMAT: Final = "prodml-batch-counts/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """Batches and records of one or many runs, by what became of them.

    Every batch and every record that came in has exactly one fate, so nothing is lost:

    - ``done``: worked on in this run, and stored;
    - ``skipped``: done before, by an earlier run or by an equal batch of this one;
    - ``quarantined``: put aside, to be looked at; of a batch that is done, the records that were;
    - ``failed``: the function or the sink failed; a later run tries again;
    - ``in_progress``: claimed by another worker;
    - ``lost``: worked on here, but another worker had taken it over by then;
    - ``given_up``: handed back when the run was told to stop.

    :class:`~prodml.protocols.Mergeable`. Immutable, hashable, picklable.

    Attributes
    ----------
    namespace : str
        The job.
    n_batches, n_records : mapping of str to int
        By fate; all fates are there.
    n_output : int
        Records that came out.

    Examples
    --------
    >>> counts = BatchCounts(namespace="n", n_batches={"done": 1}, n_records={"done": 3})
    >>> (counts + counts).n_records["done"]
    6
    """

    namespace: str
    n_batches: Mapping[Fate, int] = field(default_factory=FrozenMapping)
    n_records: Mapping[Fate, int] = field(default_factory=FrozenMapping)
    n_output: int = 0

    def __post_init__(self) -> None:
        """Check the counts, and bring them into their one form."""
        for name in ("n_batches", "n_records"):
            given: Mapping[Any, Any] = getattr(self, name)
            if unknown := sorted(set(given) - set(FATES)):
                message = f"`{name}` knows the fates {FATES}, got {unknown[0]!r}."
                raise ValueError(message)
            if not all(map(_is_count, given.values())):
                message = f"`{name}` must hold whole numbers >= 0, got {dict(given)}."
                raise ValueError(message)
            full = FrozenMapping({fate: given.get(fate, 0) for fate in FATES})
            object.__setattr__(self, name, full)

        if not _is_count(self.n_output):
            message = f"`n_output` must be a whole number >= 0, got {self.n_output!r}."
            raise ValueError(message)

    @property
    def n_batches_in(self) -> int:
        """All batches that came in."""
        return sum(self.n_batches.values())

    @property
    def n_records_in(self) -> int:
        """All records that came in."""
        return sum(self.n_records.values())

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left for a later run."""
        return all(not n for fate, n in self.n_batches.items() if fate not in _SETTLED)

    def merge(self, other: Self, /) -> Self:
        """Return the counts of both.

        Raises
        ------
        MergeError
            If `other` is of another job.
        """
        if self.namespace != other.namespace:
            message = (
                f"Counts of two jobs cannot be added: {self.namespace!r} and {other.namespace!r}."
            )
            raise MergeError(message, left=self.namespace, right=other.namespace)
        return replace(
            self,
            n_batches={fate: n + other.n_batches[fate] for fate, n in self.n_batches.items()},
            n_records={fate: n + other.n_records[fate] for fate, n in self.n_records.items()},
            n_output=self.n_output + other.n_output,
        )

    __add__ = merge

    def __radd__(self, other: object) -> Self:
        # lets `sum` begin with its 0
        return self if other == 0 else NotImplemented

    def empty(self) -> Self:
        """Return the counts of no batches of the same job."""
        return replace(self, n_batches={}, n_records={}, n_output=0)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, for JSON."""
        return {
            "namespace": self.namespace,
            "n_batches": dict(self.n_batches),
            "n_records": dict(self.n_records),
            "n_output": self.n_output,
        }

    def to_bytes(self) -> bytes:
        """Return canonical JSON, from which :meth:`from_bytes` restores the counts."""
        content = {"format": _FORMAT, **self.to_dict()}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Self:
        """Restore counts.

        Parameters
        ----------
        data : bytes
            From :meth:`to_bytes`.

        Raises
        ------
        FormatError
            If it is something else.
        """
        try:
            content = json.loads(data)
            found = content.pop("format")
            counts = cls(**content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"Not counts that prodml has written: {data[:80]!r}."
            raise FormatError(message) from error
        if found != _FORMAT:
            message = f"Counts of another format: {found!r}."
            raise FormatError(message)
        return counts

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the share of records that is settled, then the records by fate.

        The verdict on the share is ``"pass"`` where nothing is left for a later run,
        ``"inconclusive"`` where nothing is left because no record came in, and else ``"fail"``.
        """
        n = self.n_records_in
        settled = sum(self.n_records[fate] for fate in _SETTLED)
        shared: dict[str, Any] = {"kind": "batch", "n": n}
        labels = {"namespace": self.namespace}
        verdict: Verdict = "fail" if not self.is_settled else "pass" if n else "inconclusive"
        share = Evidence(
            metric="settled_fraction",
            value=settled / n if n else None,
            status="ok" if n else "insufficient_data",
            verdict=verdict,
            threshold=1.0,
            labels=labels,
            reason=str(self),
            **shared,
        )
        fates = [
            Evidence(metric="records", value=count, labels={**labels, "fate": fate}, **shared)
            for fate, count in self.n_records.items()
        ]
        return (share, *fates)

    def __str__(self) -> str:
        batches, records = _sum(self.n_batches), _sum(self.n_records)
        return (
            f"{self.namespace!r}: {self.n_batches_in:,} batches = {batches}; "
            f"{self.n_records_in:,} records in = {records}"
        )

    def __repr__(self) -> str:
        return f"BatchCounts({self})"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _sum(counts: Mapping[Fate, int]) -> str:
    parts = [f"{n:,} {fate.replace('_', ' ')}" for fate, n in counts.items() if n]
    return " + ".join(parts) or "0"
