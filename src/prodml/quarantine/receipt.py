"""The receipt for a delivery of rejected rows: what was stored, and whether it was too much."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from prodml.errors import TooManyRejectedError
from prodml.evidence import Evidence
from prodml.quarantine.thresholds import QuarantineThresholds

if TYPE_CHECKING:
    from datetime import datetime

    from prodml.evidence import Verdict

__all__ = ["QuarantineReceipt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineReceipt:
    """Proof that rejected rows are stored: whoever holds it may hand on the accepted ones.

    Attributes
    ----------
    source, contract, fingerprint, batch : str
        Where the rows came from, what rejected them, and in which batch.
    n_rejected : int
        Rows of this delivery that were rejected: ``n_new + n_known + n_repeated``.
    n_new : int
        Entries that were not there before.
    n_known : int
        Rows that an earlier batch had brought; their attempts went up.
    n_repeated : int
        Rows that this very batch had brought before: a retried job.
    n_reopened : int
        Known rows that had been replayed or released, and wait again.
    n_withdrawn : int
        Entries that no longer wait, since the batch, put again, now has an accepted row or
        another row in their place.
    depth : int
        Entries that wait, in the whole queue.
    batch_rows, batch_rejected : int
        Rows of the batch so far, over all its deliveries, and those rejected.
    thresholds : QuarantineThresholds or None
        What the batch is held against.
    at : datetime
        When it was stored, in UTC.
    """

    source: str
    contract: str
    fingerprint: str
    batch: str
    n_rejected: int
    n_new: int
    n_known: int
    n_repeated: int
    n_reopened: int
    n_withdrawn: int
    depth: int
    batch_rows: int
    batch_rejected: int
    thresholds: QuarantineThresholds | None
    at: datetime

    @property
    def rejected_fraction(self) -> float | None:
        """Share of the batch that was rejected so far; None without rows."""
        return self.batch_rejected / self.batch_rows if self.batch_rows else None

    @property
    def verdict(self) -> Verdict | None:
        """Whether the batch keeps its thresholds; None where it has none."""
        if self.thresholds is None:
            return None
        return self.thresholds.judge(n_rejected=self.batch_rejected, n_rows=self.batch_rows)

    def raise_if_failed(self) -> None:
        """Stop a job whose batch has too many rejected rows. What was stored stays stored.

        Raises
        ------
        TooManyRejectedError
            If the verdict is ``"fail"``.
        """
        if self.verdict != "fail":
            return
        limits = self.thresholds
        allowed = []
        if limits is not None and limits.fraction is not None:
            allowed.append(f"{limits.fraction:.2%}")
        if limits is not None and limits.count is not None:
            allowed.append(f"{limits.count} rows")
        message = (
            f"Batch {self.batch!r} of {self.source!r}: {self.batch_rejected} of "
            f"{self.batch_rows} rows were rejected by contract {self.contract!r}, "
            f"at most {' and '.join(allowed)} may be. They are in quarantine; see why in its "
            f"summary() before the batch is handed on."
        )
        raise TooManyRejectedError(
            message, batch=self.batch, n_rejected=self.batch_rejected, n_rows=self.batch_rows
        )

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the share and the number of rejected rows of the batch, with the verdict."""
        shared: dict[str, Any] = {
            "kind": "data_quality",
            "n": self.batch_rows,
            "labels": {"source": self.source, "batch": self.batch, "contract": self.contract},
            "subject": self.fingerprint,
            "at": self.at,
        }
        share = self.rejected_fraction
        limits = self.thresholds or QuarantineThresholds()
        by_share = QuarantineThresholds(
            fraction=limits.fraction, warn_fraction=limits.warn_fraction
        ).judge(n_rejected=self.batch_rejected, n_rows=self.batch_rows)
        limited = limits.fraction is not None or limits.warn_fraction is not None
        many = limits.count is not None and self.batch_rejected > limits.count
        return (
            Evidence(
                metric="quarantined_fraction",
                value=share,
                status="ok" if share is not None else "insufficient_data",
                reason=None if share is not None else "no rows",
                threshold=limits.fraction,
                verdict=by_share if limited else None,
                **shared,
            ),
            Evidence(
                metric="quarantined_rows",
                value=self.batch_rejected,
                threshold=limits.count,
                verdict=None if limits.count is None else "fail" if many else "pass",
                **shared,
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        out = asdict(self)
        out["at"] = self.at.isoformat()
        out["verdict"] = self.verdict
        return out

    def __str__(self) -> str:
        return (
            f"{self.n_rejected} rows of {self.source!r} in quarantine "
            f"({self.n_new} new, {self.n_known} known, {self.n_repeated} repeated); "
            f"{self.depth} wait"
        )
