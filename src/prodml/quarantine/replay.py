"""The outcome of a replay."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.render import html_table
from prodml.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ReplayReport"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReplayReport:
    """What became of the entries that were validated again.

    The counts add up: ``n_entries = n_accepted + n_still_rejected + n_left``, unless another
    process replayed the same entries at the same time; what it took is in its own report.

    Attributes
    ----------
    run : str
        Name of the replay. The same name gives the same rows again.
    contract : str
        Name of the contract that judged.
    accepted : pandas.DataFrame
        The rows that now fit, with the values that the contract gives, under the ids of their
        entries: ready to be handed on.
    still_rejected : pandas.DataFrame
        The rows that do not, as they were judged (after their repair), under the same.
    violations : pandas.DataFrame
        Why: one row a violation, with id, source, row, key, column, rule and message.
    n_entries, n_accepted, n_still_rejected : int
        Entries that were looked at, and what became of them.
    n_left : int
        Entries that were left as they are: the repair returned None, or they are redacted and
        there was no repair.
    """

    run: str
    contract: str
    accepted: pd.DataFrame
    still_rejected: pd.DataFrame
    violations: pd.DataFrame
    n_entries: int
    n_accepted: int
    n_still_rejected: int
    n_left: int

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the share of entries that now fit."""
        labels = {"contract": self.contract, "run": self.run}
        some = self.n_entries > 0
        return (
            Evidence(
                kind="data_quality",
                metric="replay_accepted_fraction",
                value=self.n_accepted / self.n_entries if some else None,
                status="ok" if some else "insufficient_data",
                reason=None if some else "nothing was replayed",
                n=self.n_entries,
                labels=labels,
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain JSON values."""
        names = ("run", "contract", "n_entries", "n_accepted", "n_still_rejected", "n_left")
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        return (
            f"ReplayReport({self.run!r}: {self.n_entries} entries = {self.n_accepted} accepted + "
            f"{self.n_still_rejected} still rejected + {self.n_left} left)"
        )

    def _repr_html_(self) -> str:
        pairs = zip(self.violations["column"], self.violations["rule"], strict=True)
        rows = [[column, rule, n] for (column, rule), n in Counter(pairs).most_common(20)]
        return html_table(["column", "rule", "still rejected"], rows, caption=repr(self))
