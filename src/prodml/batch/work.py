"""What a ledger shows of work, for people."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from prodml._core.render import html_table
from prodml._frozen_mapping import FrozenMapping
from prodml.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pandas as pd

    from prodml.batch.ledger import State

__all__ = ["LedgerStatus", "WorkRecord", "WorkRecords"]

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRecord:
    """One piece of work, as a ledger knows it.

    Attributes
    ----------
    namespace, key : str
        Its name; the key as text.
    state : {"pending", "running", "done", "failed", "quarantined"}
        What has become of it.
    attempt : int
        How often it was claimed.
    owner : str
        Who claimed it last.
    lease_until : datetime or None
        When a claim runs out, in UTC; None unless it runs.
    updated_at : datetime
        When its state changed last, in UTC.
    number : int
        Which batch of its run it was.
    n_records, n_done, n_quarantined, n_output : int
        Records that came in, were worked on, were put into quarantine, and came out.
    error : str
        What was wrong; empty for nothing.
    """

    namespace: str
    key: str
    state: State
    attempt: int
    owner: str
    lease_until: datetime | None
    updated_at: datetime
    number: int
    n_records: int
    n_done: int
    n_quarantined: int
    n_output: int
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


class WorkRecords(tuple[WorkRecord, ...]):
    """Some pieces of work; a tuple that shows itself as a table.

    Immutable, picklable.
    """

    __slots__ = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each, one column for each field."""
        import pandas as pd

        columns = [one.name for one in fields(WorkRecord)]
        return pd.DataFrame([one.to_dict() for one in self], columns=columns)

    def __repr__(self) -> str:
        return f"WorkRecords({len(self)} pieces of work)"

    def _repr_html_(self) -> str:
        rows = [
            (one.key[:15] + "...", one.state, one.attempt, one.n_records, one.owner, one.error)
            for one in self[:_MOST_SHOWN]
        ]
        head = ("key", "state", "attempt", "records", "owner", "error")
        return html_table(head, rows, caption=f"{len(self)} pieces of work")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatus:
    """How much work of a namespace is in which state.

    Attributes
    ----------
    namespace : str
        Whose work.
    n_work, n_records : mapping of str to int
        Pieces of work, and their records, by state. Records are known when work has ended.
    n_expired : int
        Claims that ran out: their owners died, or are late.
    oldest_claim : datetime or None
        When the oldest claim that still runs was made.
    at : datetime
        When this was counted, in UTC.
    """

    namespace: str
    n_work: Mapping[str, int]
    n_records: Mapping[str, int]
    n_expired: int
    oldest_claim: datetime | None
    at: datetime

    def __post_init__(self) -> None:
        """Keep what was given from being changed."""
        object.__setattr__(self, "n_work", FrozenMapping(self.n_work))
        object.__setattr__(self, "n_records", FrozenMapping(self.n_records))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, for JSON."""
        oldest = None if self.oldest_claim is None else self.oldest_claim.isoformat()
        return {
            "namespace": self.namespace,
            "n_work": dict(self.n_work),
            "n_records": dict(self.n_records),
            "n_expired": self.n_expired,
            "oldest_claim": oldest,
            "at": self.at.isoformat(),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row a state."""
        import pandas as pd

        return pd.DataFrame(
            {
                "state": list(self.n_work),
                "n_work": list(self.n_work.values()),
                "n_records": list(self.n_records.values()),
            }
        )

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the number of pieces of work in each state, and of expired claims."""
        shared: dict[str, Any] = {"kind": "batch", "at": self.at, "n": sum(self.n_work.values())}
        found = [
            Evidence(
                metric="work",
                value=count,
                labels={"namespace": self.namespace, "state": state},
                **shared,
            )
            for state, count in self.n_work.items()
        ]
        expired = Evidence(
            metric="expired_claims",
            value=self.n_expired,
            labels={"namespace": self.namespace},
            **shared,
        )
        return (*found, expired)

    def _repr_html_(self) -> str:
        rows = [(state, n, self.n_records[state]) for state, n in self.n_work.items()]
        return html_table(("state", "work", "records"), rows, caption=self.namespace)
