"""What checks for leakage have found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prodml._core.render import html_table
from prodml.evidence import Evidence, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LeakageCheck", "LeakageFinding", "LeakageReport"]

#: What is looked for; see :func:`~prodml.features.leakage.check_leakage`.
CheckName = Literal[
    "after_label", "label_score", "missing_score", "id_like", "duplicate_rows", "target_encoding"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageFinding:
    """One column, or set of rows, through which a model may see what it will not see at serving.

    Attributes
    ----------
    check : str
        What was looked for.
    column : str
        The column; empty for rows as a whole.
    value : float
        What was measured.
    threshold : float
        Above this, or for ``"target_encoding"`` below it, it is a finding.
    n : int
        Rows behind `value`.
    reason : str
        What it means.
    repair : str
        What to do.
    rows : tuple of int
        The first rows that show it, by position, where it is about single rows.
    """

    check: CheckName
    column: str
    value: float
    threshold: float
    n: int
    reason: str
    repair: str
    rows: tuple[int, ...] = ()

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the number with the verdict ``"warn"``."""
        labels = {"column": self.column} if self.column else {}
        evidence = Evidence(
            kind="features",
            metric=f"leakage_{self.check}",
            value=self.value,
            n=self.n,
            labels=labels,
            threshold=self.threshold,
            verdict="warn",
            reason=f"{self.reason} {self.repair}",
        )
        return (evidence,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageCheck:
    """One check that was made.

    Attributes
    ----------
    check : str
        What was looked for.
    n_columns : int
        Columns that could be looked at.
    n_findings : int
        How many findings it gave.
    skipped : tuple of str
        Columns that it could not judge: too few rows, or values of no plain type.
    """

    check: CheckName
    n_columns: int
    n_findings: int
    skipped: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``"inconclusive"`` where nothing could be looked at."""
        if self.n_findings:
            return "warn"
        return "pass" if self.n_columns else "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeakageReport:
    """All findings, and all checks that were made. Immutable, picklable.

    Attributes
    ----------
    n_rows : int
        Rows that were looked at.
    findings : tuple of LeakageFinding
        By check, in the order of the columns.
    checks : tuple of LeakageCheck
        What was looked for.
    """

    n_rows: int
    findings: tuple[LeakageFinding, ...]
    checks: tuple[LeakageCheck, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict: ``"warn"`` with findings, ``"inconclusive"`` where nothing was checked."""
        verdicts = {one.verdict for one in self.checks}
        if "warn" in verdicts:
            return "warn"
        return "pass" if "pass" in verdicts else "inconclusive"

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the number of findings of each check, then the findings."""
        counts = []
        for one in self.checks:
            measured: dict[str, Any] = {"value": one.n_findings}
            if not one.n_columns:
                measured = {
                    "value": None,
                    "status": "insufficient_data",
                    "reason": "no column could be judged",
                }
            counts.append(
                Evidence(
                    kind="features",
                    metric="leakage_findings",
                    labels={"check": one.check},
                    n=self.n_rows,
                    threshold=0,
                    verdict=one.verdict,
                    **measured,
                )
            )
        return (*counts, *(piece for one in self.findings for piece in one.to_evidence()))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "n_rows": self.n_rows,
            "verdict": self.verdict,
            "checks": [
                {
                    "check": one.check, "n_columns": one.n_columns, "n_findings": one.n_findings,
                    "skipped": list(one.skipped), "verdict": one.verdict,
                }
                for one in self.checks
            ],
            "findings": [
                {
                    "check": one.check, "column": one.column, "value": one.value,
                    "threshold": one.threshold, "n": one.n, "reason": one.reason,
                    "repair": one.repair, "rows": list(one.rows),
                }
                for one in self.findings
            ],
        }  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Return the findings, one a row."""
        import pandas as pd

        names = ["check", "column", "value", "threshold", "n", "reason", "repair", "rows"]
        return pd.DataFrame(self.to_dict()["findings"], columns=names)

    def __repr__(self) -> str:
        return (
            f"LeakageReport({self.n_rows:,} rows, {len(self.checks)} checks, "
            f"{len(self.findings)} findings: {self.verdict})"
        )

    def __str__(self) -> str:
        lines = [repr(self)]
        for one in self.findings:
            where = f"{one.column}: " if one.column else ""
            lines.append(f"  {where}{one.reason} {one.repair} [{one.check}]")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        header = ["check", "column", "value", "what it means", "what to do"]
        rows = [
            [one.check, one.column, round(one.value, 4), one.reason, one.repair]
            for one in self.findings
        ]
        return html_table(header, rows, caption=repr(self))
