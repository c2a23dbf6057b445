"""Errors of contracts, and of rows that do not fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prodml.errors._root import ProdmlError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prodml.protocols import ViolationLike

__all__ = [
    "ContractError",
    "DuplicateColumnError",
    "FrameError",
    "FrameRejectedError",
    "MultiIndexColumnsError",
    "RecordRejectedError",
]


class ContractError(ProdmlError, ValueError):
    """A contract that cannot be built: all that is wrong with it, at once.

    Attributes
    ----------
    contract : str
        The name of the contract.
    faults : tuple of str
        One sentence for each fault.
    """

    def __init__(self, message: str, *, contract: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.contract = contract
        self.faults = tuple(faults)


class FrameError(ProdmlError, ValueError):
    """A frame whose rows cannot be read as records.

    Attributes
    ----------
    contract : str
        The name of the contract that was to read it.
    columns : tuple
        The columns at fault.
    """

    def __init__(self, message: str, *, contract: str, columns: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.contract = contract
        self.columns = tuple(columns)


class DuplicateColumnError(FrameError):
    """A column that the contract reads stands in the frame more than once."""


class MultiIndexColumnsError(FrameError):
    """The columns of the frame are a MultiIndex."""


class _RejectedError(ProdmlError, ValueError):
    def __init__(
        self, message: str, *, contract: str, violations: Sequence[ViolationLike] = ()
    ) -> None:
        super().__init__(message)
        self.contract = contract
        self.violations = tuple(violations)


class RecordRejectedError(_RejectedError):
    """One record that does not fit its contract.

    Attributes
    ----------
    contract, contract_fingerprint : str
        Name and fingerprint of the contract.
    violations : tuple of Violation
        Every reason, with column, rule, message and value.
    """

    def __init__(
        self,
        message: str,
        *,
        contract: str,
        contract_fingerprint: str = "",
        violations: Sequence[ViolationLike] = (),
    ) -> None:
        super().__init__(message, contract=contract, violations=violations)
        self.contract_fingerprint = contract_fingerprint


class FrameRejectedError(_RejectedError):
    """A frame in which rows do not fit the contract.

    Attributes
    ----------
    contract : str
        The name of the contract.
    violations : tuple of Violation
        Every reason, with row position, column, rule, message and value.
    """
