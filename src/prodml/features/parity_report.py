"""What an audit of served features found: other code, or other data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from prodml._core.render import html_table
from prodml.errors import SkewError
from prodml.evidence import Evidence, worst_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pandas as pd

    from prodml.evidence import Verdict
    from prodml.features.parity_rates import MismatchRate

__all__ = ["OtherFeatures", "ParityDifference", "ParityReport", "ValueParity"]

#: Other features of the same raw inputs, or other raw inputs.
Cause = Literal["transform", "data"]

_HEADER: Final = (
    *("cause", "name", "n", "n_mismatched", "n_null_mismatched", "mismatch_rate", "low", "high"),
    *("max_ulps", "max_absolute", "verdict"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityDifference:
    """A value that was served, and is another in the batch path or in the store.

    Attributes
    ----------
    cause : {"transform", "data"}
        Whether a feature comes out otherwise from the same raw inputs, or a raw input is another.
    name : str
        The feature or the input.
    key : object
        The entity.
    at : datetime
        When it was served.
    served, other : object
        The value that was served, and the one of the batch path or of the store.
    """

    cause: Cause
    name: str
    key: Any
    at: datetime
    served: Any
    other: Any

    def __str__(self) -> str:
        where = "recomputed" if self.cause == "transform" else "in the store"
        return (
            f"{self.name!r} of {self.key!r} was served as {self.served!r}, {where} {self.other!r}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueParity:
    """How one feature, or one raw input, agrees.

    Attributes
    ----------
    name : str
        Which one.
    rate : MismatchRate
        How often it differs.
    n_null_mismatched : int
        Of the mismatches, those where one side alone is missing.
    max_ulps : int or None
        The greatest distance in steps between floats, allowed ones among them; None for raw
        inputs, and where none could be told.
    max_absolute : float or None
        The greatest difference; of timestamps in microseconds. None where there is none to tell.
    """

    name: str
    rate: MismatchRate
    n_null_mismatched: int
    max_ulps: int | None
    max_absolute: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFeatures:
    """Records that other features served, and that were hence left out.

    Attributes
    ----------
    name, version, fingerprint : str
        Which features.
    n : int
        How many records.
    """

    name: str
    version: str
    fingerprint: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ParityReport:
    """Served features beside those of the batch path. Immutable, picklable.

    Attributes
    ----------
    rows : MismatchRate
        How often a record differs in any feature, or can no longer be computed.
    features : tuple of ValueParity
        For each feature: from the same raw inputs, how often it comes out otherwise.
    raw_rows : MismatchRate or None
        How often a record differs in any raw input from the store; None where no store was given.
    fields : tuple of ValueParity
        For each input that the store has: how often it is another there.
    n_failed : int
        Records that the batch path could not compute.
    failure : str or None
        Why the first of them failed.
    n_keys : int
        Entities behind the records. Records of one entity resemble each other: where there are
        few entities, the intervals are too narrow.
    n_unmatched : int
        Records whose entity is not in the store.
    n_other_environment : int
        Records that were served with another numpy, CPU or math library, so that 4 ulp were
        allowed.
    others : tuple of OtherFeatures
        Records of other features, which are in no number above.
    differences : tuple of ParityDifference
        The first few mismatches of each feature and input.
    start, end : datetime or None
        When the first and the last record was served.
    subject : str
        Fingerprint of the features.
    """

    rows: MismatchRate
    features: tuple[ValueParity, ...]
    raw_rows: MismatchRate | None
    fields: tuple[ValueParity, ...]
    n_failed: int
    failure: str | None
    n_keys: int
    n_unmatched: int
    n_other_environment: int
    others: tuple[OtherFeatures, ...]
    differences: tuple[ParityDifference, ...]
    start: datetime | None
    end: datetime | None
    subject: str

    @property
    def transform_verdict(self) -> Verdict:
        """Whether the same raw inputs give the same features: the worst of rows and features."""
        verdicts = [self.rows.verdict, *(one.rate.verdict for one in self.features)]
        return worst_verdict(verdicts) or "inconclusive"

    @property
    def data_verdict(self) -> Verdict | None:
        """Whether the store has the raw inputs that were served; None where none was given."""
        if self.raw_rows is None:
            return None
        return worst_verdict([self.raw_rows.verdict, *(one.rate.verdict for one in self.fields)])

    @property
    def verdict(self) -> Verdict:
        """The worse of both."""
        return worst_verdict([self.transform_verdict, self.data_verdict]) or "inconclusive"

    def raise_for_skew(self) -> Self:
        """Return itself, unless there is skew.

        Raises
        ------
        SkewError
            If the verdict is ``"fail"``. The message says which cause, and names what differs.
        """
        if self.verdict != "fail":
            return self
        told = []
        if self.transform_verdict == "fail":
            told.append(
                f"Transform skew: from the same raw inputs {self.rows.n_mismatched:,} of "
                f"{self.rows.n:,} records come out otherwise than they were served. Look at the "
                "code, the states and the types on both paths."
            )
        if self.data_verdict == "fail" and self.raw_rows is not None:
            told.append(
                f"Data skew: {self.raw_rows.n_mismatched:,} of {self.raw_rows.n:,} records had "
                "other raw inputs than the store has. Look at how they get there and when."
            )
        told += [f"{one}." for one in self.differences[:3]]
        if self.failure is not None:
            told.append(f"{self.n_failed:,} records fail: {self.failure}")
        raise SkewError(" ".join(told), differences=self.differences)

    def _lines(self) -> Iterator[tuple[Cause, str, MismatchRate, ValueParity | None]]:
        yield "transform", "(any)", self.rows, None
        for one in self.features:
            yield "transform", one.name, one.rate, one
        if self.raw_rows is not None:
            yield "data", "(any)", self.raw_rows, None
        for one in self.fields:
            yield "data", one.name, one.rate, one

    def _table(self) -> list[tuple[Any, ...]]:
        rows = []
        for cause, name, rate, of_value in self._lines():
            told = rate.to_dict()
            extra = (
                (None, None, None)
                if of_value is None
                else (of_value.n_null_mismatched, of_value.max_ulps, of_value.max_absolute)
            )
            rows.append(
                (
                    *(cause, name, told["n"], told["n_mismatched"], extra[0]),
                    *(told["mismatch_rate"], told["low"], told["high"], *extra[1:]),
                    told["verdict"],
                )
            )
        return rows

    def to_frame(self) -> pd.DataFrame:
        """Return a row for the records as a whole, and for each feature and input."""
        import pandas as pd

        return pd.DataFrame(self._table(), columns=list(_HEADER))

    def differences_frame(self) -> pd.DataFrame:
        """Return the kept mismatches, one a row."""
        import pandas as pd

        names = ["cause", "name", "key", "at", "served", "other"]
        found = [[getattr(one, name) for name in names] for one in self.differences]
        return pd.DataFrame(found, columns=names)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without keys and values of single records."""
        return {
            "verdict": self.verdict,
            "transform_verdict": self.transform_verdict,
            "data_verdict": self.data_verdict,
            "table": [
                {
                    name: str(cell) if isinstance(cell, float) and math.isinf(cell) else cell
                    for name, cell in zip(_HEADER, row, strict=True)
                }
                for row in self._table()
            ],
            "n_failed": self.n_failed,
            "n_keys": self.n_keys,
            "n_unmatched": self.n_unmatched,
            "n_other_environment": self.n_other_environment,
            "others": [
                {
                    "name": one.name, "version": one.version, "fingerprint": one.fingerprint,
                    "n": one.n,
                }
                for one in self.others
            ],
            "start": None if self.start is None else self.start.isoformat(),
            "end": None if self.end is None else self.end.isoformat(),
            "subject": self.subject,
        }  # fmt: skip

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the rate of mismatches of the records, of each feature and of each input.

        Metrics: ``row_mismatch_rate`` and ``mismatch_rate{feature=}`` for transform skew,
        ``data_row_mismatch_rate`` and ``data_mismatch_rate{field=}`` for data skew, and
        ``other_features_fraction`` for the records that were left out.
        """
        found: list[Evidence] = []
        for cause, name, rate, of_value in self._lines():
            data = "data_" if cause == "data" else ""
            metric = f"{data}mismatch_rate" if of_value else f"{data}row_mismatch_rate"
            label = "field" if cause == "data" else "feature"
            labels = {label: name} if of_value else {}
            found += rate.to_evidence(metric, labels=labels, subject=self.subject)
        return (*found, self._left_out())

    def _left_out(self) -> Evidence:
        n_others = sum(one.n for one in self.others)
        n = self.rows.n + n_others
        measured: dict[str, Any] = {"value": n_others / n if n else None}
        if not n:
            measured |= {"status": "insufficient_data", "reason": "there are no records"}
        return Evidence(
            kind="skew",
            metric="other_features_fraction",
            n=n,
            subject=self.subject,
            **measured,
        )

    def __repr__(self) -> str:
        told = f"transform {self.transform_verdict}"
        if self.data_verdict is not None:
            told += f", data {self.data_verdict}"
        return f"<ParityReport: {self.rows.n:,} records, {told}>"

    def _repr_html_(self) -> str:
        return html_table(_HEADER, self._table(), caption=repr(self)[1:-1])
