"""Who broke what: pairs of row and reason, as two arrays of integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from prodml.rejections import Reason

__all__ = ["ViolationLog", "ViolationPairs", "positions_by_id"]


@dataclass(frozen=True, slots=True, eq=False)
class ViolationPairs:
    """Violations, sorted by row and within a row by the order of the rules.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n_violations,)
        Positions of rows.
    ids : numpy.ndarray of int64, shape (n_violations,)
        Which of `reasons`.
    reasons : tuple of Reason
        The distinct reasons.
    """

    rows: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    reasons: tuple[Reason, ...]

    def __len__(self) -> int:
        return len(self.rows)


class ViolationLog:
    """Collects violations while a frame is judged. Not thread-safe; one for each frame."""

    def __init__(self) -> None:
        self._ids: dict[Reason, int] = {}
        self._rows: list[npt.NDArray[np.int64]] = []
        self._reasons: list[int] = []

    def add(self, rows: npt.NDArray[np.int64], reason: Reason) -> None:
        """Note that all of `rows` broke one rule; nothing, if there are none."""
        if not len(rows):
            return
        self._rows.append(rows)
        self._reasons.append(self._ids.setdefault(reason, len(self._ids)))

    def rows(self) -> list[npt.NDArray[np.int64]]:
        """Return the rows that have been noted, group by group."""
        return self._rows

    def pairs(self) -> ViolationPairs:
        """Return all that was noted."""
        if not self._rows:
            nothing = np.empty(0, dtype=np.int64)
            return ViolationPairs(nothing, nothing, ())
        rows = np.concatenate(self._rows)
        ids = np.repeat(np.array(self._reasons, dtype=np.int64), [len(one) for one in self._rows])
        order = np.argsort(rows, kind="stable")
        return ViolationPairs(rows[order], ids[order], tuple(self._ids))


def positions_by_id(ids: npt.NDArray[np.int64], n_ids: int) -> list[npt.NDArray[np.int64]]:
    """Return for each id where it stands, in rising order; in one sort, however many ids."""
    order = np.argsort(ids, kind="stable")
    ends = np.cumsum(np.bincount(ids, minlength=n_ids)).tolist()
    return [order[start:end] for start, end in zip([0, *ends], ends, strict=False)]
