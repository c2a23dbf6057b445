"""What one run did, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prodml._core.render import html_table
from prodml.batch.counts import FATES, BatchCounts, Fate
from prodml.batch.key import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from prodml.evidence import Evidence

__all__ = ["BatchOutcome", "BatchReport"]

#: A stream may have no end, a report must.
_MOST_KEPT: Final = 100_000
_MOST_SHOWN: Final = 20


class BatchOutcome(NamedTuple):
    """What became of one batch in one run.

    Attributes
    ----------
    number : int
        Which batch of the run it was, from 0.
    key : bytes
        Its key.
    fate : str
        One of ``FATES``; see :class:`~prodml.batch.BatchCounts`.
    n_records, n_done, n_quarantined, n_output : int
        Records that came in, were worked on, were put into quarantine, and came out, in this run.
    attempt : int
        Which try it was; 0 where there was none in this run.
    error : str
        Why it failed; empty if it did not.
    n_skipped : int
        Of a batch that is done, records that had been done before.
    """

    number: int
    key: bytes
    fate: Fate
    n_records: int
    n_done: int = 0
    n_quarantined: int = 0
    n_output: int = 0
    attempt: int = 0
    error: str = ""
    n_skipped: int = 0


class BatchReport:
    """What one run did: counts, and the batches one by one.

    Of very long runs the first 100,000 batches are kept, and all that failed, as far as these are
    not more; the counts are of all. Picklable.

    Attributes
    ----------
    namespace : str
        The job.
    interrupted : str or None
        The signal at which the run stopped early, such as ``"SIGTERM"``.

    Examples
    --------
    >>> from prodml.batch import BatchProcessor, SqliteLedger
    >>> processor = BatchProcessor(sum, ledger=SqliteLedger(":memory:"), namespace="sums")
    >>> print(processor.run([[1, 2], [3]]))
    'sums': 2 batches = 2 done; 3 records in = 3 done
    >>> print(processor.run([[1, 2], [3]]))
    'sums': 2 batches = 2 skipped; 3 records in = 3 skipped
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.interrupted: str | None = None
        self._outcomes: list[BatchOutcome] = []
        self._failures: list[BatchOutcome] = []
        self._n_batches = dict.fromkeys(FATES, 0)
        self._n_records = dict.fromkeys(FATES, 0)
        self._n_output = 0

    def add(self, outcome: BatchOutcome, /) -> None:
        """Count a batch.

        Parameters
        ----------
        outcome : BatchOutcome
            What became of it.
        """
        fate = outcome.fate
        self._n_batches[fate] += 1
        if fate == "done":
            self._n_records["done"] += outcome.n_done
            self._n_records["quarantined"] += outcome.n_quarantined
            self._n_records["skipped"] += outcome.n_skipped
            self._n_output += outcome.n_output
        else:
            self._n_records[fate] += outcome.n_records
        if len(self._outcomes) < _MOST_KEPT:
            self._outcomes.append(outcome)
        elif outcome.error and len(self._failures) < _MOST_KEPT:
            self._failures.append(outcome)

    @property
    def counts(self) -> BatchCounts:
        """The counts; mergeable."""
        return BatchCounts(
            namespace=self.namespace,
            n_batches=self._n_batches,
            n_records=self._n_records,
            n_output=self._n_output,
        )

    @property
    def outcomes(self) -> tuple[BatchOutcome, ...]:
        """The batches one by one, in the order in which they were settled."""
        return (*self._outcomes, *self._failures)

    @property
    def errors(self) -> dict[int, str]:
        """Why batches failed, by their number."""
        return {one.number: one.error for one in self.outcomes if one.error}

    @property
    def is_complete(self) -> bool:
        """Whether every batch that came in is settled, by this run or an earlier one."""
        return self.interrupted is None and self.counts.is_settled

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, for JSON."""
        return {**self.counts.to_dict(), "interrupted": self.interrupted}

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return how many batches and records met which fate, and whether all are settled."""
        return self.counts.to_evidence()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a batch, with its key as text."""
        import pandas as pd

        rows = [one._replace(key=key_text(one.key)) for one in self.outcomes]  # type: ignore[arg-type]
        return pd.DataFrame(rows, columns=list(BatchOutcome._fields))

    def _problems(self) -> Iterator[BatchOutcome]:
        return (one for one in self.outcomes if one.error)

    def __str__(self) -> str:
        stopped = f"; stopped by {self.interrupted}" if self.interrupted else ""
        return f"{self.counts}{stopped}"

    def __repr__(self) -> str:
        return f"BatchReport({self})"

    def _repr_html_(self) -> str:
        counts = self.counts
        rows = [
            (fate, counts.n_batches[fate], counts.n_records[fate])
            for fate in FATES
            if counts.n_batches[fate] or counts.n_records[fate]
        ]
        table = html_table(("fate", "batches", "records"), rows, caption=str(self))
        wrong = [
            (one.number, one.fate, one.attempt, one.error)
            for one, _ in zip(self._problems(), range(_MOST_SHOWN), strict=False)
        ]
        if wrong:
            table += html_table(("batch", "fate", "attempt", "error"), wrong, caption="Problems")
        return table
