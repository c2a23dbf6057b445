"""What a validation gives: the rows that fit, the rows that don't, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.columns import factorize
from prodml._core.render import html_table
from prodml.contracts._violations import positions_by_id
from prodml.contracts.violation import Violation, describe_violations, nearest_name
from prodml.errors import FrameRejectedError
from prodml.rejections import Rejections

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt
    import pandas as pd

    from prodml.contracts._violations import ViolationPairs
    from prodml.contracts.delivery import DeliveryVerdict
    from prodml.contracts.quality import QualityScores
    from prodml.contracts.summary import ValidationSummary
    from prodml.evidence import Evidence

__all__ = ["ValidationResult"]

_MOST_IN_ERROR: Final = 1000


class ValidationResult:
    """The outcome of validating a frame: every row in one of two places, with reasons.

    Holds its own copies; changing them does not touch the frame that was validated. Picklable;
    not meant to be changed by several threads.

    Attributes
    ----------
    accepted : pandas.DataFrame
        The rows that fit, with the values that pydantic made of them, one column a field, under
        the original index. A column that was right as it was keeps its dtype.
    rejected : pandas.DataFrame
        The rows that don't fit, as they arrived, under the original index.
    accepted_positions, rejected_positions : numpy.ndarray of int64
        Where these rows stood in the frame.
    first_row : int
        Position of the frame's first row in its source, for chunks of a stream.
    summary : ValidationSummary
        The counts; mergeable.
    checks : tuple of DeliveryVerdict
        What the checks on the delivery as a whole found.
    """

    __slots__ = (
        "_keys",
        "_now",
        "_pairs",
        "_sources",
        "_violations",
        "accepted",
        "accepted_positions",
        "checks",
        "first_row",
        "rejected",
        "rejected_positions",
        "summary",
    )

    accepted: pd.DataFrame
    rejected: pd.DataFrame

    def __init__(  # noqa: PLR0913 - made by Contract only
        self,
        *,
        accepted: pd.DataFrame,
        rejected: pd.DataFrame,
        accepted_positions: npt.NDArray[np.int64],
        rejected_positions: npt.NDArray[np.int64],
        first_row: int,
        pairs: ViolationPairs,
        sources: dict[str, int],
        keys: list[str | None] | None,
        summary: ValidationSummary,
        checks: tuple[DeliveryVerdict, ...],
        now: datetime,
    ) -> None:
        self.accepted = accepted
        self.rejected = rejected
        self.accepted_positions = accepted_positions
        self.rejected_positions = rejected_positions
        self.first_row = first_row
        self.summary = summary
        self.checks = checks
        self._pairs = pairs
        self._sources = sources
        self._keys = keys
        self._now = now
        self._violations: pd.DataFrame | None = None

    @property
    def violations(self) -> pd.DataFrame:
        """One row a violation: row (position in the source), column, rule, message, value.

        With a key, its value stands in a column ``key`` before the value. Built when it is first
        asked for.
        """
        if self._violations is None:
            self._violations = self._build_violations()
        return self._violations

    @property
    def quality(self) -> QualityScores:
        """Completeness, validity and uniqueness by column."""
        return self.summary.quality

    def _build_violations(self) -> pd.DataFrame:
        import pandas as pd

        reasons = self._pairs.reasons
        out = pd.DataFrame({"row": self._pairs.rows + self.first_row})
        for name in ("column", "rule", "message"):
            texts = np.array([getattr(reason, name) for reason in reasons], dtype=object)
            codes, categories = factorize(texts)
            # as objects, since data may bring text into a message that Arrow does not take
            index = pd.Index(categories, dtype=object)
            out[name] = pd.Categorical.from_codes(codes[self._pairs.ids], index)
        if self._keys is not None:
            keys = np.array(self._keys, dtype=object)
            out["key"] = pd.Series(keys[self._rejected_index()], dtype=object)
        # said out loud, since pandas would make text of objects that are all str
        out["value"] = pd.Series(self._values_at_fault(), dtype=object)
        return out

    def _rejected_index(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.rejected_positions, self._pairs.rows)

    def _values_at_fault(self) -> npt.NDArray[np.object_]:
        index = self._rejected_index()
        values = np.full(len(self._pairs), None, dtype=object)
        labels: list[Any] = list(self.rejected.columns)
        sources = {label: at for at, label in reversed(list(enumerate(labels)))}
        sources |= self._sources
        places = positions_by_id(self._pairs.ids, len(self._pairs.reasons))
        for reason, chosen in zip(self._pairs.reasons, places, strict=True):
            if (name := nearest_name(reason.column, sources)) is not None:
                cells = self.rejected.iloc[:, sources[name]].array.take(index[chosen])
                values[chosen] = np.fromiter(cells, dtype=object, count=len(chosen))
        return values

    def iter_violations(self, limit: int | None = None) -> list[Violation]:
        """Return violations as objects, the first `limit` of them."""
        head = self.violations.head(limit) if limit is not None else self.violations
        columns = [head[name].tolist() for name in ("row", "column", "rule", "message", "value")]
        return [
            Violation(row=row, column=column, rule=rule, message=message, value=value)
            for row, column, rule, message, value in zip(*columns, strict=True)
        ]

    def raise_if_rejected(self) -> None:
        """Raise if any row does not fit, for callers who want all or nothing.

        Raises
        ------
        FrameRejectedError
            Names the contract and the first few violations; ``.violations`` holds the first 1,000.
        """
        if not len(self._pairs):
            return
        found = self.iter_violations(_MOST_IN_ERROR)
        summary = self.summary
        message = describe_violations(
            summary.contract, summary.version, found, total=len(self._pairs)
        )
        raise FrameRejectedError(message, contract=summary.contract, violations=found)

    def to_rejections(self) -> Rejections:
        """Return the rejected rows with their reasons, for a quarantine queue."""
        return Rejections(
            contract=self.summary.contract,
            contract_fingerprint=self.summary.fingerprint,
            n_rows=self.summary.n_rows,
            frame=self.rejected,
            first_row=self.first_row,
            positions=self.rejected_positions + self.first_row,
            keys=self._keys,
            reasons=self._pairs.reasons,
            reason_rows=self._rejected_index(),
            reason_ids=self._pairs.ids,
        )

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the counts, the quality and the verdicts on the delivery."""
        labels = {"contract": self.summary.contract}
        verdicts = [
            evidence
            for check in self.checks
            for evidence in check.to_evidence(
                labels=labels, subject=self.summary.fingerprint, n=self.summary.n_rows
            )
        ]
        return tuple(replace(one, at=self._now) for one in (*self.summary.to_evidence(), *verdicts))

    def __repr__(self) -> str:
        summary = self.summary
        return (
            f"ValidationResult({summary.contract!r}: {summary.n_rows} rows = "
            f"{summary.n_accepted} accepted + {summary.n_rejected} rejected)"
        )

    def _repr_html_(self) -> str:
        counts = sorted(self.summary.violations.items(), key=lambda item: -item[1])
        rows: list[list[Any]] = [[column, rule, count] for (column, rule), count in counts[:20]]
        rows += [
            [check.column or "", f"{check.rule}: {check.verdict}", check.message]
            for check in self.checks
        ]
        caption = (
            f"{self.summary.contract}: {self.summary.n_rows:,} rows = "
            f"{self.summary.n_accepted:,} accepted + {self.summary.n_rejected:,} rejected"
        )
        return html_table(["column", "rule", "violations"], rows, caption=caption)
