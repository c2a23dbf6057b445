"""The parity audit: whether served features are those that training would compute.

"Measure training/serving skew" (Google, Rules of Machine Learning, rule 37), row by row and value
by value instead of by the distance of two distributions, and with its two causes apart: the same
raw inputs that come out otherwise, and other raw inputs.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from prodml._core.scalars import normalise
from prodml.errors import FeatureError
from prodml.features._compute_environment import describe_environment
from prodml.features._parity_counts import FeatureCounts, FieldCounts
from prodml.features._store_rows import store_finder
from prodml.features.parity_rates import estimate_rate
from prodml.features.parity_report import OtherFeatures, ParityReport, ValueParity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from prodml.features.fitted import FittedFeatureSet
    from prodml.features.served_log import ServedRecord

__all__ = ["audit_parity"]

#: Records that are computed at a time.
_PIECE: Final = 4096
_LEAST_LEVEL: Final = 0.5


def audit_parity(
    served: Iterable[ServedRecord],
    fitted: FittedFeatureSet,
    raw: pd.DataFrame
    | Mapping[Any, Mapping[str, Any]]
    | Callable[[ServedRecord], Mapping[str, Any] | None]
    | None = None,
    /,
    *,
    key: str | Sequence[str] | None = None,
    threshold: float = 0.001,
    confidence_level: float = 0.95,
) -> ParityReport:
    """Compute served records again as a batch, and count what differs.

    Parameters
    ----------
    served : iterable of ServedRecord
        What was logged, such as ``log.records()``. It is read once, a piece at a time.
    fitted : FittedFeatureSet
        The features of the batch path. Records that other features served, by their fingerprint,
        are counted apart.
    raw : pandas.DataFrame, mapping or callable, optional
        The raw inputs as the store has them, to compare with those that were served: a frame with
        a row for each entity; a mapping from keys to records; or a function of a served record,
        which can look up what was valid at its time, and returns a record or None. Inputs that it
        does not have, as those that only a request knows, are not compared.
    key : str or sequence of str, optional
        The key columns of a frame: one for keys that are plain values, several for tuples.
    threshold : float, default 0.001
        The share of mismatches that is accepted, from 0 to below 1.
    confidence_level : float, default 0.95
        Of the bounds of each share, above 0.5 and below 1.

    Returns
    -------
    ParityReport
        ``verdict`` is ``"pass"`` where even the upper bound of each share is at most the
        threshold, ``"fail"`` where a lower bound is above it, and else ``"inconclusive"``.

    Raises
    ------
    FeatureError
        For options out of range, a store that cannot be searched, or a record whose columns are
        not those of its features.

    Notes
    -----
    A value differs if any bit does; NaN is NaN. Of records that were served with another numpy,
    CPU or math library, floats may be 4 ulp apart, of their own or of the largest of their column,
    but whole numbers not at all: see :meth:`GoldenRows.replay`. Raw inputs are compared as
    features see them, after the cast to the declared type.

    Without a single mismatch, 2,995 records bound the rate at 0.1 % with 95 % (the "rule of
    three"); see :func:`~prodml.stats.clopper_pearson`. The bounds hold for each feature by itself,
    and for records that are independent.

    Time is that of ``fitted.transform`` and of reading the records; memory that of one piece, and
    of the keys.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from prodml.features import FeatureSet, Field
    >>> from prodml.features.logged_features import LoggedFeatures
    >>> from prodml.features.served_log import MemoryServedLog
    >>> fs = FeatureSet("orders", version="1", inputs=[Field("amount", "float64")])
    >>> @fs.feature
    ... def log_amount(amount):
    ...     return np.log1p(amount)
    >>> fitted, log = fs.fit(pd.DataFrame({"amount": [1.0, 9.0]})), MemoryServedLog()
    >>> service = LoggedFeatures(fitted, log, key="id", fraction=1.0)
    >>> for number in range(3000):
    ...     _ = service.transform_one({"id": number, "amount": number / 7})
    >>> report = audit_parity(log.records(), fitted)
    >>> report
    <ParityReport: 3,000 records, transform pass>
    >>> round(report.rows.confidence_interval.high, 6)
    0.000998
    """
    _check_options(threshold, confidence_level)
    audit = _Audit(fitted, raw, key)
    for piece in _pieces(served):
        audit.add(piece)
    return audit.report(threshold=float(threshold), confidence_level=float(confidence_level))


class _Audit:
    """What is known after some pieces of the log."""

    def __init__(self, fitted: FittedFeatureSet, raw: Any, key: Any) -> None:
        self._fitted = fitted
        self._fingerprint = fitted.fingerprint
        self._features = FeatureCounts(fitted, describe_environment())
        self._fields: FieldCounts | None = None
        if raw is not None:
            finder = store_finder(raw, key, [one.name for one in fitted.fields])
            self._fields = FieldCounts(fitted.fields, finder)
        self._others: Counter[tuple[str, str, str]] = Counter()
        self._keys: set[Any] = set()
        self._start: datetime | None = None
        self._end: datetime | None = None

    def add(self, piece: Sequence[ServedRecord]) -> None:
        ours = []
        for one in piece:
            if one.fingerprint == self._fingerprint:
                ours.append(one)
            else:
                self._others[one.name, one.version, one.fingerprint] += 1
        if not ours:
            return
        _check_columns(ours, self._fitted.columns)
        moments = [one.at for one in ours]
        self._start = min(moments if self._start is None else [self._start, *moments])
        self._end = max(moments if self._end is None else [self._end, *moments])
        self._keys.update(normalise(one.key) for one in ours)
        self._features.add(ours)
        if self._fields is not None:
            self._fields.add(ours)

    def report(self, **options: float) -> ParityReport:
        found, fields = self._features, self._fields
        differences = [one for kept in found.differences for one in kept]
        if fields is not None:
            differences += [one for kept in fields.differences.values() for one in kept]
        return ParityReport(
            rows=estimate_rate(
                found.n_mismatched_rows + found.n_failed, found.n + found.n_failed, **options
            ),
            features=tuple(
                _of_feature(found, at, name, options)
                for at, name in enumerate(self._fitted.columns)
            ),
            raw_rows=None
            if fields is None
            else estimate_rate(fields.n_mismatched_rows, fields.n_rows, **options),
            fields=() if fields is None else _of_fields(fields, options),
            n_failed=found.n_failed,
            failure=found.failure,
            n_keys=len(self._keys),
            n_unmatched=0 if fields is None else fields.n_unmatched,
            n_other_environment=found.n_other_environment,
            others=tuple(
                OtherFeatures(name=name, version=version, fingerprint=fingerprint, n=n)
                for (name, version, fingerprint), n in self._others.most_common()
            ),
            differences=tuple(differences),
            start=self._start,
            end=self._end,
            subject=self._fingerprint,
        )


def _of_feature(found: FeatureCounts, at: int, name: str, options: dict[str, float]) -> ValueParity:
    n_mismatched, n_null = int(found.n_mismatched[at]), int(found.n_null[at])
    return ValueParity(
        name=name,
        rate=estimate_rate(n_mismatched, found.n, **options),
        n_null_mismatched=n_null,
        max_ulps=int(found.max_ulps[at]) if found.n else None,
        max_absolute=float(found.max_absolute[at]) if found.n else None,
    )


def _of_fields(found: FieldCounts, options: dict[str, float]) -> tuple[ValueParity, ...]:
    return tuple(
        ValueParity(
            name=name,
            rate=estimate_rate(found.n_mismatched[name], n, **options),
            n_null_mismatched=found.n_null[name],
            max_ulps=None,
            max_absolute=found.max_absolute.get(name),
        )
        for name, n in found.n.items()
        if n  # others are not in the store
    )


def _pieces(served: Iterable[ServedRecord]) -> Iterator[list[ServedRecord]]:
    left = iter(served)
    while piece := list(islice(left, _PIECE)):
        yield piece


def _check_columns(records: Sequence[ServedRecord], columns: tuple[str, ...]) -> None:
    for one in records:
        if one.columns != columns:
            message = (
                f"The record of {one.key!r} has the columns {one.columns!r}, and its features "
                f"have {columns!r}. Log what `transform_one` returns."
            )
            raise FeatureError(message)


def _check_options(threshold: Any, confidence_level: Any) -> None:
    faults = []
    if not _is_between(threshold, 0, 1) or threshold == 1:
        faults.append(f"`threshold` must be from 0 to below 1, got {threshold!r}.")
    if not _is_between(confidence_level, _LEAST_LEVEL, 1) or confidence_level in {_LEAST_LEVEL, 1}:
        faults.append(f"`confidence_level` must be between 0.5 and 1, got {confidence_level!r}.")
    if faults:
        raise FeatureError(" ".join(faults))


def _is_between(number: Any, low: float, high: float) -> bool:
    plain = isinstance(number, int | float) and not isinstance(number, bool)
    return plain and low <= number <= high
