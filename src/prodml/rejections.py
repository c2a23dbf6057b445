"""Rows that were turned away, with machine-readable reasons: what a quarantine queue stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from prodml.errors import RecordRejectedError

__all__ = ["Reason", "Rejections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a row was turned away.

    Attributes
    ----------
    column : str
        The column at fault; dotted for nested fields, empty for the row as a whole.
    rule : str
        The rule that was broken, as a stable identifier such as ``"greater_than_equal"``.
    message : str
        What is wrong, for a person.
    """

    column: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rejections:
    """The rejected rows of one batch, or of a chunk of it, column by column.

    Reasons are held once each and referred to by number, because a million rows are turned away
    for a handful of reasons.

    Attributes
    ----------
    contract : str
        Name of what turned the rows away.
    contract_fingerprint : str
        Its fingerprint, so that a later reader knows which version it was.
    n_rows : int
        Rows that were judged, accepted ones included.
    frame : pandas.DataFrame, n_rejected rows
        The rejected rows as they arrived.
    first_row : int
        Position of the first of these rows in their source, counted from 0.
    positions : numpy.ndarray of int64, shape (n_rejected,)
        Where each rejected row stood in its source.
    keys : sequence of str or None, length n_rejected
        The business key of each row (None where the row has none), or None without a key.
    reasons : tuple of Reason
        The distinct reasons.
    reason_rows, reason_ids : numpy.ndarray of int64, shape (n_violations,)
        Pairs: row ``reason_rows[i]`` (an index into `frame`) has reason
        ``reasons[reason_ids[i]]``. Sorted by row.
    """

    contract: str
    contract_fingerprint: str
    n_rows: int
    frame: pd.DataFrame
    first_row: int
    positions: npt.NDArray[np.int64]
    keys: Sequence[str | None] | None
    reasons: tuple[Reason, ...]
    reason_rows: npt.NDArray[np.int64]
    reason_ids: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], error: RecordRejectedError, /) -> Rejections:
        """Return a single record that a contract has rejected, for a quarantine queue.

        Parameters
        ----------
        record : mapping
            The record as it arrived.
        error : RecordRejectedError
            What :meth:`prodml.contracts.Contract.validate_record` raised.

        Examples
        --------
        >>> from pydantic import BaseModel
        >>> from prodml.contracts import Contract
        >>> from prodml.errors import RecordRejectedError
        >>> class Order(BaseModel):
        ...     quantity: int
        >>> record = {"quantity": "many"}
        >>> try:
        ...     Contract(Order).validate_record(record)
        ... except RecordRejectedError as error:
        ...     rejections = Rejections.from_record(record, error)
        >>> len(rejections), rejections.reasons[0].rule
        (1, 'int_parsing')
        """
        import numpy as np
        import pandas as pd

        columns = {}
        for label, cell in record.items():
            cells = np.empty(1, dtype=object)
            cells[0] = cell  # assigned singly: numpy would unpack a list
            columns[label] = pd.Series(cells, dtype=object)
        why = [
            Reason(column=one.column, rule=one.rule, message=one.message)
            for one in error.violations
        ]
        reasons = tuple(dict.fromkeys(why))
        return cls(
            contract=error.contract,
            contract_fingerprint=error.contract_fingerprint,
            n_rows=1,
            frame=pd.DataFrame(columns, index=[0]),
            first_row=0,
            positions=np.zeros(1, dtype=np.int64),
            keys=None,
            reasons=reasons,
            reason_rows=np.zeros(len(reasons), dtype=np.int64),
            reason_ids=np.arange(len(reasons), dtype=np.int64),
        )

    def to_rejections(self) -> Rejections:
        """Return itself, so that a queue takes it as it is."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)
