"""What contradicts itself in a value grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from prodml.sketches._grid_cells import keys_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

__all__ = ["fault_of_grid"]

_MOST_SHIFT: Final = 63
_SIGNS: Final = 2


def fault_of_grid(
    cells: Integers,
    counts: Integers,
    *,
    low: float | None,
    high: float | None,
    n_finite: int,
    scalars: dict[str, int],
) -> str:
    """Return what is wrong, as a sentence; empty where nothing is."""
    if any(type(value) is not int or value < 0 for value in scalars.values()):
        return f"Counts, `max_cells` and `shift` must be whole numbers >= 0, got {scalars}."
    fault = _fault_of_cells(cells, counts, n_finite, scalars["max_cells"], scalars["shift"])
    return fault or _fault_of_range(cells, scalars["shift"], low, high)


def _fault_of_cells(
    cells: Integers, counts: Integers, n_finite: int, max_cells: int, shift: int
) -> str:
    if cells.ndim != 1 or cells.shape != counts.shape:
        return f"`cells` of shape {cells.shape} have counts of shape {counts.shape}."
    if max_cells < _SIGNS or len(cells) > max_cells:
        return f"There are {len(cells)} cells, of {max_cells} allowed."
    if shift > (_MOST_SHIFT if len(cells) else 0):
        return f"`shift` is {shift}, for {len(cells)} cells."
    if int(counts.sum()) != n_finite or bool(np.any(counts <= 0)):
        return f"`counts` must be > 0 and add up to the {n_finite} finite values."
    if bool(np.any(cells[1:] <= cells[:-1])):
        return "`cells` must rise."
    return ""


def _fault_of_range(cells: Integers, shift: int, low: float | None, high: float | None) -> str:
    if not len(cells):
        return "" if low is None and high is None else "No value is the minimum of no values."
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return f"`minimum` {low} and `maximum` {high} must be finite."
    ends = keys_of(np.array([low, high], dtype=np.float64)) >> shift
    if low > high or ends.tolist() != [cells[0], cells[-1]]:
        return f"`minimum` {low} and `maximum` {high} are not in the first and the last cell."
    return ""
