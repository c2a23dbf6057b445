"""Verdicts on a delivery as a whole: enough rows, few enough gaps, recent enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml.contracts.checks import Freshness, NullFraction, RowCount
from prodml.evidence import Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from prodml.contracts.checks import Check
    from prodml.contracts.summary import ValidationSummary

__all__ = ["DeliveryVerdict", "judge_delivery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryVerdict:
    """What a check on the delivery as a whole found.

    Attributes
    ----------
    rule : str
        ``"row_count"``, ``"null_fraction"`` or ``"freshness"``.
    column : str or None
        The column it reads.
    verdict : {"pass", "warn", "fail", "inconclusive"}
        Inconclusive where nothing could be measured.
    value, threshold : float or None
        What was measured, and what it was held against: rows, a share, or seconds of age.
    message : str
        The finding, for a person.
    """

    rule: str
    column: str | None
    verdict: Verdict
    value: float | None
    threshold: float | None
    message: str

    def to_evidence(self, **shared: Any) -> tuple[Evidence, ...]:
        """Return the finding as evidence; `shared` gives labels, subject, n and time."""
        labels = dict(shared.pop("labels", {}))
        if self.column is not None:
            labels["column"] = self.column
        return (
            Evidence(
                kind="data_quality",
                metric=self.rule,
                value=self.value,
                status="ok" if self.value is not None else "insufficient_data",
                verdict=self.verdict,
                threshold=self.threshold,
                reason=self.message,
                labels=labels,
                **shared,
            ),
        )


def judge_delivery(
    checks: Iterable[Check],
    summary: ValidationSummary,
    *,
    locations: dict[str, str],
    now: datetime,
) -> tuple[DeliveryVerdict, ...]:
    """Hold the checks that speak of a delivery against what was counted."""
    found = []
    for check in checks:
        if isinstance(check, RowCount):
            found.append(_judge_row_count(check, summary))
        elif isinstance(check, NullFraction):
            found.append(_judge_null_fraction(check, summary, locations[check.column]))
        elif isinstance(check, Freshness):
            found.append(_judge_freshness(check, summary, now))
    return tuple(found)


def _judge_row_count(check: RowCount, summary: ValidationSummary) -> DeliveryVerdict:
    few = summary.n_rows < check.minimum
    many = check.maximum is not None and summary.n_rows > check.maximum
    limit = check.maximum if many else check.minimum
    wanted = f"at least {check.minimum}" + (
        "" if check.maximum is None else f" and at most {check.maximum}"
    )
    return DeliveryVerdict(
        rule=check.rule,
        column=None,
        verdict="fail" if few or many else "pass",
        value=summary.n_rows,
        threshold=limit,
        message=f"{summary.n_rows} rows arrived, {wanted} were expected",
    )


def _judge_null_fraction(
    check: NullFraction, summary: ValidationSummary, location: str
) -> DeliveryVerdict:
    missing = summary.n_missing.get(location, 0)
    share = missing / summary.n_rows if summary.n_rows else None
    if share is None:
        verdict: Verdict = "inconclusive"
    else:
        verdict = "pass" if share <= check.maximum else "fail"
    shown = "no rows arrived" if share is None else f"{share:.2%} of the values are missing"
    return DeliveryVerdict(
        rule=check.rule,
        column=check.column,
        verdict=verdict,
        value=share,
        threshold=check.maximum,
        message=f"{shown}, at most {check.maximum:.2%} are allowed",
    )


def _judge_freshness(
    check: Freshness, summary: ValidationSummary, now: datetime
) -> DeliveryVerdict:
    newest = summary.newest.get(check.column)
    allowed = check.max_age.total_seconds()
    if newest is None:
        return DeliveryVerdict(
            rule=check.rule,
            column=check.column,
            verdict="inconclusive",
            value=None,
            threshold=allowed,
            message="no accepted row has a time",
        )
    age = (now - newest).total_seconds()
    if age < 0:
        # a clock or a time zone is wrong somewhere: fresh it is not known to be
        verdict: Verdict = "warn"
        shown = f"the newest value, {newest.isoformat()}, lies in the future"
    else:
        verdict = "pass" if age <= allowed else "fail"
        shown = f"the newest value is {age:.0f} s old, at most {allowed:.0f} s are allowed"
    return DeliveryVerdict(
        rule=check.rule,
        column=check.column,
        verdict=verdict,
        value=age,
        threshold=allowed,
        message=shown,
    )
