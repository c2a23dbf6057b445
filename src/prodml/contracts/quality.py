"""Data quality as plain shares: how much arrived, how much of it fits, how much is unique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.render import html_table
from prodml.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd

    from prodml.contracts.summary import ValidationSummary

__all__ = ["ColumnQuality", "QualityScores", "quality_evidence", "score_quality"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnQuality:
    """The quality of one column. Each score is a share of all rows; None without rows.

    Attributes
    ----------
    column : str
        Its name.
    completeness : float or None
        Cells that hold a value.
    validity : float or None
        Rows not rejected on account of the column.
    uniqueness : float or None
        Rows that do not repeat an earlier one; None if no Unique check reads the column.
    """

    column: str
    completeness: float | None
    validity: float | None
    uniqueness: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityScores:
    """Quality overall and by column. Plain shares: nothing is weighted.

    Attributes
    ----------
    overall : float or None
        Accepted rows out of all rows; None without rows.
    n_rows : int
        Rows behind the scores.
    columns : tuple of ColumnQuality
        In the order of the contract.
    """

    overall: float | None
    n_rows: int
    columns: tuple[ColumnQuality, ...]

    def __getitem__(self, column: str) -> ColumnQuality:
        for one in self.columns:
            if one.column == column:
                return one
        raise KeyError(column)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        columns = {
            one.column: {
                "completeness": one.completeness,
                "validity": one.validity,
                "uniqueness": one.uniqueness,
            }
            for one in self.columns
        }
        return {"overall": self.overall, "n_rows": self.n_rows, "columns": columns}

    def to_frame(self) -> pd.DataFrame:
        """Return one row a column, with its scores."""
        import pandas as pd

        return pd.DataFrame.from_dict(
            self.to_dict()["columns"],
            orient="index",
            columns=["completeness", "validity", "uniqueness"],
        ).astype(float)

    def _repr_html_(self) -> str:
        rows = [
            [one.column, *map(_percent, (one.completeness, one.validity, one.uniqueness))]
            for one in self.columns
        ]
        caption = f"Quality: {_percent(self.overall)} of {self.n_rows:,} rows accepted"
        header = ["column", "completeness", "validity", "uniqueness"]
        return html_table(header, rows, caption=caption)


def score_quality(summary: ValidationSummary) -> QualityScores:
    """Turn counts into scores."""
    n_rows = summary.n_rows
    scores = tuple(
        ColumnQuality(
            column=column,
            completeness=_share_without(summary.n_missing.get(column, 0), n_rows),
            validity=_share_without(summary.n_failed.get(column, 0), n_rows),
            uniqueness=_share_without(summary.violations.get((column, "unique"), 0), n_rows)
            if column in summary.unique
            else None,
        )
        for column in summary.columns
    )
    overall = summary.n_accepted / n_rows if n_rows else None
    return QualityScores(overall=overall, n_rows=n_rows, columns=scores)


def quality_evidence(summary: ValidationSummary) -> tuple[Evidence, ...]:
    """Return the scores as evidence: the same pieces whether there are rows or not."""
    scores = score_quality(summary)
    labels = {"contract": summary.contract}
    absent: dict[str, Any] = {"status": "insufficient_data", "reason": "no rows"}
    shared: dict[str, Any] = {
        "kind": "data_quality",
        "subject": summary.fingerprint,
        "n": summary.n_rows,
        **({} if summary.n_rows else absent),
    }
    found = [
        Evidence(metric="accepted_fraction", value=scores.overall, labels=labels, **shared),
    ]
    for one in scores.columns:
        where = {**labels, "column": one.column}
        for metric in ("completeness", "validity", "uniqueness"):
            if metric != "uniqueness" or one.column in summary.unique:
                value = getattr(one, metric)
                found.append(Evidence(metric=metric, value=value, labels=where, **shared))
    return tuple(found)


def _share_without(faults: int, n_rows: int) -> float | None:
    return (n_rows - faults) / n_rows if n_rows else None


def _percent(share: float | None) -> str:
    return "n/a" if share is None else f"{100 * share:.2f} %"
