"""The state of the queue at one moment: how many entries wait, since when, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from prodml._core.render import html_table
from prodml.evidence import Evidence
from prodml.quarantine.advice import advise
from prodml.quarantine.store import State

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from prodml.quarantine.store import ReasonCount, StateCount

__all__ = ["QuarantineSummary"]

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class QuarantineSummary:
    """Counts of the entries of a queue.

    Attributes
    ----------
    states : tuple of StateCount
        Entries by source, contract and state.
    reasons : tuple of ReasonCount
        Pending entries by source, contract and reason, the most frequent first. An entry with two
        reasons counts in both.
    max_rows : int or None
        How many entries may wait.
    at : datetime
        When it was counted, in UTC.
    """

    states: tuple[StateCount, ...]
    reasons: tuple[ReasonCount, ...]
    max_rows: int | None
    at: datetime

    def count(self, state: str, /) -> int:
        """Return how many entries are in a state.

        Parameters
        ----------
        state : {"pending", "replayed", "released", "discarded"}
            The state.
        """
        return sum(one.n for one in self.states if one.state == state)

    @property
    def depth(self) -> int:
        """How many entries wait."""
        return self.count("pending")

    @property
    def oldest_pending(self) -> datetime | None:
        """When the entry that has waited longest was first seen; None if none waits."""
        waiting = [one.oldest for one in self.states if one.state == "pending"]
        return min(waiting, default=None)

    @property
    def oldest_age(self) -> float | None:
        """Seconds that entry has waited; None if none waits, never negative."""
        oldest = self.oldest_pending
        return None if oldest is None else max(0.0, (self.at - oldest).total_seconds())

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return depth, age and the counts by reason. The verdict on the depth is that on room."""
        shared: dict[str, Any] = {"kind": "data_quality", "at": self.at}
        age = self.oldest_age
        full = self.max_rows is not None and self.depth >= self.max_rows
        found = [
            Evidence(
                metric="quarantine_depth",
                value=self.depth,
                threshold=self.max_rows,
                verdict=None if self.max_rows is None else "fail" if full else "pass",
                **shared,
            ),
            Evidence(
                metric="quarantine_oldest_age",
                value=age,
                status="ok" if age is not None else "insufficient_data",
                reason=None if age is not None else "nothing waits",
                **shared,
            ),
        ]
        counts: dict[tuple[str, str, str, str], int] = {}
        for one in self.reasons:  # messages may differ within a rule
            key = (one.source, one.contract, one.column, one.rule)
            counts[key] = counts.get(key, 0) + one.n
        for key, n in sorted(counts.items()):
            labels = dict(zip(("source", "contract", "column", "rule"), key, strict=True))
            found.append(Evidence(metric="quarantine_pending", value=n, labels=labels, **shared))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "at": self.at.isoformat(),
            "depth": self.depth,
            "max_rows": self.max_rows,
            "states": [
                {
                    "source": one.source, "contract": one.contract, "state": one.state, "n": one.n,
                    "oldest": one.oldest.isoformat(),
                }
                for one in self.states
            ],
            "reasons": [
                {
                    "source": one.source, "contract": one.contract, "column": one.column,
                    "rule": one.rule, "message": one.message, "n": one.n,
                    "advice": advise(one.rule),
                }
                for one in self.reasons
            ],
        }  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Return the reasons, one a row, the most frequent first, with advice."""
        import pandas as pd

        names = ["source", "contract", "column", "rule", "message", "n", "advice"]
        return pd.DataFrame(self.to_dict()["reasons"], columns=names)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(state)} {state}" for state in get_args(State))
        return f"QuarantineSummary({counts})"

    def __str__(self) -> str:
        head = (
            f"{self.depth:,} pending, {self.count('replayed'):,} replayed, "
            f"{self.count('released'):,} released, {self.count('discarded'):,} discarded"
        )
        lines = [head]
        for one in self.reasons[:_MOST_SHOWN]:
            where = f"{one.column}: " if one.column else ""
            lines.append(f"{one.n:>9,}  {where}{one.message} [{one.rule}]")
            lines.append(f"{'':>9}  {advise(one.rule)}")
        if len(self.reasons) > _MOST_SHOWN:
            lines.append(f"{'':>9}  and {len(self.reasons) - _MOST_SHOWN} more reasons")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            [one.n, one.source, one.column, one.rule, one.message, advise(one.rule)]
            for one in self.reasons[:_MOST_SHOWN]
        ]
        header = ["rows", "source", "column", "rule", "message", "what to do"]
        return html_table(header, rows, caption=str(self).partition("\n")[0])
