"""How often two ways to a value differ, and what that says of how often they will."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml.evidence import ConfidenceInterval, Evidence
from prodml.stats.proportions import clopper_pearson

if TYPE_CHECKING:
    from prodml.evidence import Verdict

__all__ = ["MismatchRate", "estimate_rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchRate:
    """A share of mismatches with its sampling error, and the verdict. Immutable, picklable.

    Attributes
    ----------
    n : int
        Pairs that were compared.
    n_mismatched : int
        Those that differ.
    threshold : float
        The share that is accepted.
    confidence_level : float
        Of each end of the interval, by itself.
    confidence_interval : ConfidenceInterval or None
        Exact (Clopper-Pearson). Each end alone is wrong at most in ``1 - confidence_level`` of
        audits, hence its own level, for both together, is ``2 * confidence_level - 1``. None
        without pairs.
    """

    n: int
    n_mismatched: int
    threshold: float
    confidence_level: float
    confidence_interval: ConfidenceInterval | None

    @property
    def value(self) -> float | None:
        """The share of pairs that differ; None without pairs."""
        return self.n_mismatched / self.n if self.n else None

    @property
    def verdict(self) -> Verdict:
        """``"pass"`` if the high end is at most the threshold, ``"fail"`` if the low end is above.

        Between them, and without pairs, ``"inconclusive"``: more are needed.
        """
        if self.confidence_interval is None:
            return "inconclusive"
        if self.confidence_interval.high <= self.threshold:
            return "pass"
        return "fail" if self.confidence_interval.low > self.threshold else "inconclusive"

    @property
    def reason(self) -> str | None:
        """What an inconclusive verdict lacks."""
        if self.verdict != "inconclusive":
            return None
        # none in n has the high end 1 - (1 - level) ** (1 / n)
        rarity = -math.log1p(-self.threshold)
        needed = -math.log(1 - self.confidence_level) / rarity if rarity else math.inf
        if math.isinf(needed):
            return "no number of pairs can show that none ever differs"
        return (
            f"{self.n:,} pairs were compared; {math.ceil(needed):,} without a mismatch bound the "
            f"rate at {self.threshold:g}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        interval = self.confidence_interval
        return {
            "n": self.n,
            "n_mismatched": self.n_mismatched,
            "mismatch_rate": self.value,
            "low": None if interval is None else interval.low,
            "high": None if interval is None else interval.high,
            "verdict": self.verdict,
        }

    def to_evidence(
        self, metric: str, *, labels: dict[str, str], subject: str
    ) -> tuple[Evidence, ...]:
        """Return it as one piece of evidence.

        Parameters
        ----------
        metric : str
            What was measured.
        labels : dict of str to str
            What it is about.
        subject : str
            Fingerprint of the features.
        """
        measured: dict[str, Any] = {"value": self.value}
        if self.value is None:
            measured["status"] = "insufficient_data"
        evidence = Evidence(
            kind="skew",
            metric=metric,
            confidence_interval=self.confidence_interval,
            n=self.n,
            labels=labels,
            verdict=self.verdict,
            threshold=self.threshold,
            basis="the share of rows that may be served otherwise than they are computed",
            method=f"Clopper-Pearson, each end at {self.confidence_level:g}",
            reason=self.reason,
            subject=subject,
            **measured,
        )
        return (evidence,)


def estimate_rate(
    n_mismatched: int, n: int, /, *, threshold: float, confidence_level: float
) -> MismatchRate:
    """Return a share of mismatches with its exact interval.

    Parameters
    ----------
    n_mismatched, n : int
        Pairs that differ, and all of them.
    threshold : float
        The share that is accepted.
    confidence_level : float
        Of each end by itself, above 0.5.

    Examples
    --------
    >>> estimate_rate(0, 3000, threshold=0.001, confidence_level=0.95).verdict
    'pass'
    >>> estimate_rate(0, 2000, threshold=0.001, confidence_level=0.95).reason
    '2,000 pairs were compared; 2,995 without a mismatch bound the rate at 0.001'
    """
    interval = None
    if n:
        low = clopper_pearson(
            n_mismatched, n, confidence_level=confidence_level, alternative="greater"
        ).low
        high = clopper_pearson(
            n_mismatched, n, confidence_level=confidence_level, alternative="less"
        ).high
        interval = ConfidenceInterval(low=low, high=high, confidence_level=2 * confidence_level - 1)
    return MismatchRate(
        n=n,
        n_mismatched=n_mismatched,
        threshold=threshold,
        confidence_level=confidence_level,
        confidence_interval=interval,
    )
