"""Records on which a function fails, as a quarantine takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.batch._tabular import join_outputs, slice_records, to_frame
from prodml.rejections import Reason, Rejections

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["describe_error", "moved_to", "reject_records"]

_LONGEST_MESSAGE: Final = 500


def describe_error(error: BaseException) -> str:
    """Return the type and the message of an error, for a person."""
    return f"{type(error).__qualname__}: {error}"[:_LONGEST_MESSAGE]


def reject_records(
    data: Any,
    faults: Mapping[int, str],
    *,
    rule: str | Mapping[int, str],
    namespace: str,
    n_records: int,
    first_row: int,
    positions: npt.NDArray[np.int64] | None = None,
) -> Rejections:
    """Return some records of a batch with the reason why they were turned away.

    Parameters
    ----------
    data : object
        What the function was given.
    faults : mapping of int to str
        What is wrong with each of them, by position in `data`; not empty.
    rule : str or mapping of int to str
        The rule that each of them broke.
    namespace : str
        The job.
    n_records : int
        How many records the function was given.
    first_row : int
        Where the batch begins in its source.
    positions : numpy.ndarray of int64, optional
        Where the records of `data` stood in the batch; by default one after another.
    """
    at = sorted(faults)
    why = [
        Reason(column="", rule=rule if isinstance(rule, str) else rule[one], message=faults[one])
        for one in at
    ]
    reasons = tuple(dict.fromkeys(why))
    numbers = {reason: number for number, reason in enumerate(reasons)}
    chosen = np.array(at, dtype=np.int64)
    rows = join_outputs([slice_records(data, one, one + 1) for one in at])
    return Rejections(
        contract=namespace,
        contract_fingerprint="",
        n_rows=n_records,
        frame=to_frame(rows),
        first_row=first_row,
        positions=first_row + (chosen if positions is None else positions[chosen]),
        keys=None,
        reasons=reasons,
        reason_rows=np.arange(len(at), dtype=np.int64),
        reason_ids=np.array([numbers[reason] for reason in why], dtype=np.int64),
    )


def moved_to(rejections: Rejections, first_row: int) -> Rejections:
    """Return rejections of a chunk under the positions that its rows have in their source."""
    return replace(
        rejections,
        first_row=rejections.first_row + first_row,
        positions=rejections.positions + first_row,
    )
