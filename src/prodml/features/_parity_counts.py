"""Counts of mismatches, taken a piece of the log at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import FeatureError, InputTypeError
from prodml.features._cast_values import MissingValue, caster_of
from prodml.features._raw_cells import frame_of_records
from prodml.features._ulps import (
    MOST_ULPS,
    NO_DISTANCE,
    column_scales,
    differing_cells,
    ulps_between,
    whole_columns,
)
from prodml.features.parity_report import ParityDifference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from prodml.features.field import Field
    from prodml.features.fitted import FittedFeatureSet
    from prodml.features.served_log import ServedRecord

    Matrix = npt.NDArray[np.float64]

__all__ = ["FeatureCounts", "FieldCounts"]

#: Mismatches that are kept of each feature and input, for a person to look at.
_MOST_KEPT: Final = 3


class FeatureCounts:
    """Served features beside those of the batch path."""

    def __init__(self, fitted: FittedFeatureSet, environment: str) -> None:
        self._fitted = fitted
        self._environment = environment
        self._names = [one.name for one in fitted.fields]
        n_columns = len(fitted.columns)
        self.n = 0
        self.n_failed = 0
        self.failure: str | None = None
        self.n_mismatched_rows = 0
        self.n_other_environment = 0
        self.n_mismatched = np.zeros(n_columns, dtype=np.int64)
        self.n_null = np.zeros(n_columns, dtype=np.int64)
        self.max_ulps = np.zeros(n_columns, dtype=np.uint64)
        self.max_absolute = np.zeros(n_columns)
        self.differences: list[list[ParityDifference]] = [[] for _ in fitted.columns]
        # of what was seen up to now: a column is not wide or fractional by one piece alone
        self._whole = np.ones(n_columns, dtype=bool)
        self._scales = np.zeros(n_columns)

    def add(self, records: Sequence[ServedRecord]) -> None:
        """Compute the records again as a batch, and compare."""
        kept, replayed = self._replayed(records)
        if not kept:
            return
        served = np.array([one.features for one in kept], dtype=np.float64)
        served = served.reshape(replayed.shape)
        foreign = np.array([one.environment != self._environment for one in kept], dtype=bool)
        self._whole &= whole_columns(served)
        self._scales = np.maximum(self._scales, column_scales(served))
        steps = ulps_between(served, replayed)
        unlike = steps > 0
        unlike[foreign] = differing_cells(
            served[foreign],
            replayed[foreign],
            most_ulps=MOST_ULPS,
            whole=self._whole,
            scales=self._scales,
        )
        null = np.isnan(served) != np.isnan(replayed)
        self.n += len(kept)
        self.n_other_environment += int(foreign.sum())
        self.n_mismatched_rows += int(unlike.any(axis=1).sum())
        self.n_mismatched += unlike.sum(axis=0)
        self.n_null += (unlike & null).sum(axis=0)
        steps[steps == NO_DISTANCE] = 0
        self.max_ulps = np.maximum(self.max_ulps, steps.max(axis=0))
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.where(unlike, np.abs(served - replayed), 0.0)
        self.max_absolute = np.fmax(self.max_absolute, np.nan_to_num(apart, posinf=np.inf).max(0))
        self._keep(kept, served, replayed, unlike)

    def _keep(
        self,
        records: Sequence[ServedRecord],
        served: Matrix,
        replayed: Matrix,
        unlike: npt.NDArray[np.bool_],
    ) -> None:
        for at in np.flatnonzero(unlike.any(axis=0)).tolist():
            known = self.differences[at]
            for row in np.flatnonzero(unlike[:, at])[: _MOST_KEPT - len(known)].tolist():
                known.append(
                    ParityDifference(
                        cause="transform",
                        name=self._fitted.columns[at],
                        key=records[row].key,
                        at=records[row].at,
                        served=served[row, at].item(),
                        other=replayed[row, at].item(),
                    )
                )

    def _replayed(self, records: Sequence[ServedRecord]) -> tuple[list[ServedRecord], Matrix]:
        """Return the records that can be computed, and their features as a batch."""
        frame = frame_of_records([one.inputs for one in records], self._names)
        try:
            return list(records), self._fitted.transform(frame)
        except FeatureError as error:
            if len(records) == 1:
                self.n_failed += 1
                self.failure = self.failure or str(error)
                return [], np.empty((0, len(self._fitted.columns)))
        middle = len(records) // 2
        (left, first), (right, second) = (
            self._replayed(records[:middle]),
            self._replayed(records[middle:]),
        )
        return [*left, *right], np.concatenate([first, second])


class _Refused:
    """A raw value that the type of its input does not take."""


class FieldCounts:
    """Served raw inputs beside those of the store."""

    def __init__(
        self,
        fields: Sequence[Field],
        find: Callable[[ServedRecord], Mapping[str, Any] | None],
    ) -> None:
        self.fields = list(fields)
        self._casts = {one.name: _quiet_caster(one) for one in fields}
        self._find = find
        self.n_rows = 0
        self.n_unmatched = 0
        self.n_mismatched_rows = 0
        self.n = dict.fromkeys(self._casts, 0)
        self.n_mismatched = dict.fromkeys(self._casts, 0)
        self.n_null = dict.fromkeys(self._casts, 0)
        self.max_absolute: dict[str, float] = {}
        self.differences: dict[str, list[ParityDifference]] = {name: [] for name in self._casts}

    def add(self, records: Sequence[ServedRecord]) -> None:
        """Look the records up in the store, and compare their raw inputs."""
        for record in records:
            row = self._find(record)
            if row is None:
                self.n_unmatched += 1
                continue
            compared = [name for name in self._casts if name in row]
            if compared:
                self.n_rows += 1
                self.n_mismatched_rows += (
                    sum(self._unlike(one, record, row) for one in compared) > 0
                )

    def _unlike(self, name: str, record: ServedRecord, row: Mapping[str, Any]) -> bool:
        cast = self._casts[name]
        served, other = cast(record.inputs.get(name)), cast(row[name])
        self.n[name] += 1
        # -0.0 is 0.0 here: stores do not keep the sign of zero
        if served == other and type(served) is not _Refused:
            return False
        self.n_mismatched[name] += 1
        self.n_null[name] += (served is None) != (other is None)
        if isinstance(served, int | float) and isinstance(other, int | float):
            apart = abs(served - other)
            self.max_absolute[name] = max(self.max_absolute.get(name, 0.0), float(apart))
        if len(self.differences[name]) < _MOST_KEPT:
            self.differences[name].append(
                ParityDifference(
                    cause="data",
                    name=name,
                    key=record.key,
                    at=record.at,
                    served=record.inputs.get(name),
                    other=row[name],
                )
            )
        return True


def _quiet_caster(field: Field) -> Callable[[Any], Any]:
    """Return the cast of an input with None for what is missing, and nothing raised."""
    cast = caster_of(field)

    def quiet(value: Any) -> Any:
        try:
            found = cast(value)
        except MissingValue:
            return None
        except InputTypeError:
            return _Refused()
        return None if isinstance(found, float) and math.isnan(found) else found

    return quiet
