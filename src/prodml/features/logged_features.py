"""Serving that keeps a sample of what it served, and never fails because of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prodml._core.log import get_logger
from prodml._core.render import html_table
from prodml.clock import SYSTEM_CLOCK
from prodml.errors import FeatureError
from prodml.evidence import Evidence
from prodml.features._compute_environment import describe_environment
from prodml.features._raw_cells import exact_cell
from prodml.features.served_log import ServedRecord
from prodml.features.stable_sample import StableSample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from prodml.features.fitted import FittedFeatureSet
    from prodml.features.served_log import ServedLog
    from prodml.protocols import Clock

    Matrix = npt.NDArray[np.float64]

__all__ = ["LoggedFeatures", "ServingCounts"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ServingCounts:
    """How many requests were served, and how many of the sampled ones were kept.

    Immutable, picklable.

    Attributes
    ----------
    n_served : int
        Records whose features were returned.
    n_sampled : int
        Those of them whose entity is in the sample.
    n_logged : int
        Those of the sampled ones that the log took.
    n_failed : int
        Records without a key, or that the log refused: they were served, and are not in the log.
    last_failure : str or None
        What went wrong last.
    subject : str
        Fingerprint of the features.
    """

    n_served: int
    n_sampled: int
    n_logged: int
    n_failed: int
    last_failure: str | None
    subject: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_frame(self) -> pd.DataFrame:
        """Return one row with a column for each count."""
        import pandas as pd

        return pd.DataFrame([self.to_dict()])

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Return the failures, and the share of what was served that was kept."""
        failures = Evidence(
            kind="skew",
            metric="log_failures",
            value=self.n_failed,
            n=self.n_served,
            threshold=0,
            basis="what is not logged cannot be audited",
            verdict="warn" if self.n_failed else "pass",
            subject=self.subject,
        )
        share: dict[str, Any] = {"value": self.n_logged / self.n_served if self.n_served else None}
        if not self.n_served:
            share |= {"status": "insufficient_data", "reason": "nothing was served yet"}
        logged = Evidence(
            kind="skew",
            metric="logged_fraction",
            n=self.n_served,
            subject=self.subject,
            **share,
        )
        return failures, logged

    def __repr__(self) -> str:
        return (
            f"<ServingCounts: {self.n_served:,} served, {self.n_sampled:,} sampled, "
            f"{self.n_logged:,} logged, {self.n_failed:,} failed>"
        )

    def _repr_html_(self) -> str:
        return html_table(("", ""), list(self.to_dict().items()), caption=repr(self)[1:-1])


class LoggedFeatures:
    """Fitted features that log what they serve, for a stable sample of entities.

    A request never fails, nor changes, because of the log: what goes wrong there is counted in
    :attr:`counts`, and told once at level warning. Thread-safe as far as the log is; counts are
    those of one process. Does not pickle.

    Parameters
    ----------
    fitted : FittedFeatureSet
        The features.
    log : ServedLog
        Where records are kept.
    key : str, sequence of str, or callable
        The entity that a request is about: the name of its key in the record, several names, or a
        function of the record. A key need not be an input of the features.
    fraction : float, default 0.01
        The share of entities of which everything is logged; see :class:`StableSample`.
    salt : str, default ""
        Another one draws another sample.
    clock : Clock, optional
        Tells when a record was served.

    Raises
    ------
    FeatureError
        If an argument is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from prodml.features import FeatureSet, Field
    >>> from prodml.features.served_log import MemoryServedLog
    >>> fs = FeatureSet("orders", version="1", inputs=[Field("amount", "float64")])
    >>> @fs.feature
    ... def log_amount(amount):
    ...     return np.log1p(amount)
    >>> fitted, log = fs.fit(pd.DataFrame({"amount": [1.0, 9.0]})), MemoryServedLog()
    >>> served = LoggedFeatures(fitted, log, key="customer", fraction=1.0)
    >>> served.transform_one({"customer": 7, "amount": 0.0}).tolist()
    [0.0]
    >>> [(one.key, dict(one.inputs), one.features) for one in log.records()]
    [(7, {'amount': 0.0}, (0.0,))]
    >>> served.counts
    <ServingCounts: 1 served, 1 sampled, 1 logged, 0 failed>
    """

    def __init__(
        self,
        fitted: FittedFeatureSet,
        log: ServedLog,
        /,
        *,
        key: str | Sequence[str] | Callable[[Mapping[str, Any]], Any],
        fraction: float = 0.01,
        salt: str = "",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not callable(getattr(log, "append", None)):
            message = f"`log` must have a method `append`, got {type(log).__name__}."
            raise FeatureError(message)
        self._key_of = _key_reader(key)
        self._sample = StableSample(fraction, salt)
        self._fitted = fitted
        self._log = log
        self._clock = clock
        self._names = tuple(one.name for one in fitted.fields)
        self._constant: dict[str, Any] = {
            "columns": fitted.columns,
            "name": fitted.name,
            "version": fitted.version,
            "fingerprint": fitted.fingerprint,
            "environment": describe_environment(),
        }
        self._lock = threading.Lock()
        self._n_served = self._n_sampled = self._n_logged = self._n_failed = 0
        self._last_failure: str | None = None

    @property
    def fitted(self) -> FittedFeatureSet:
        """The features that are served."""
        return self._fitted

    @property
    def counts(self) -> ServingCounts:
        """What was served and logged up to now."""
        with self._lock:
            return ServingCounts(
                n_served=self._n_served,
                n_sampled=self._n_sampled,
                n_logged=self._n_logged,
                n_failed=self._n_failed,
                last_failure=self._last_failure,
                subject=self._constant["fingerprint"],
            )

    def transform_one(self, record: Mapping[str, Any], /) -> Matrix:
        """Return the features of one record, and log it if its entity is in the sample.

        Parameters
        ----------
        record : mapping
            As for ``fitted.transform_one``, with the key.

        Returns
        -------
        numpy.ndarray of float64, shape (n_columns,)
            What ``fitted.transform_one`` returns.
        """
        row = self._fitted.transform_one(record)
        self._note(record, row)
        return row

    def transform_many(self, records: Sequence[Mapping[str, Any]], /) -> Matrix:
        """Return the features of several records, and log those of entities in the sample.

        Parameters
        ----------
        records : sequence of mapping
            As for :meth:`transform_one`.

        Returns
        -------
        numpy.ndarray of float64, shape (n_records, n_columns)
            What ``fitted.transform_many`` returns.
        """
        records = list(records)
        matrix = self._fitted.transform_many(records)
        for record, row in zip(records, matrix, strict=True):
            self._note(record, row)
        return matrix

    def _note(self, record: Mapping[str, Any], row: Matrix) -> None:
        sampled = logged = False
        failure: Exception | None = None
        try:
            key = self._key_of(record)
            sampled = self._sample.holds(key)
            if sampled:
                self._log.append(self._served(key, record, row))
                logged = True
        except Exception as error:  # noqa: BLE001 - the request was served; what failed is counted
            failure = error
        with self._lock:
            self._n_served += 1
            self._n_sampled += sampled
            self._n_logged += logged
            if failure is None:
                return
            self._n_failed += 1
            self._last_failure = f"{type(failure).__name__}: {failure}"
            first = self._n_failed == 1
        if first:
            self._warn(failure)

    def _served(self, key: Any, record: Mapping[str, Any], row: Matrix) -> ServedRecord:
        return ServedRecord(
            key=exact_cell(key),
            at=self._clock.now(),
            inputs={name: exact_cell(record[name]) for name in self._names if name in record},
            features=tuple(row.tolist()),
            **self._constant,
        )

    def _warn(self, failure: Exception) -> None:
        with suppress(Exception):  # nor does a request fail because of a logger
            get_logger(__name__).warning(
                "served_log_failed",
                features=self._constant["name"],
                version=self._constant["version"],
                error=type(failure).__name__,
            )

    def __repr__(self) -> str:
        return (
            f"<LoggedFeatures {self._constant['name']} {self._constant['version']}: "
            f"{self._sample.fraction:.4g} of entities>"
        )


def _key_reader(key: Any) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(key, str):
        return lambda record: record.get(key)
    if callable(key):
        reader: Callable[[Mapping[str, Any]], Any] = key
        return reader
    names = tuple(key) if isinstance(key, Sequence) else ()
    if not names or not all(isinstance(name, str) for name in names):
        message = f"`key` must be a name, names, or a function of the record; got {key!r}."
        raise FeatureError(message)
    return lambda record: tuple(record.get(name) for name in names)
