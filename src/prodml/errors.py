"""The errors that prodml raises, in one tree.

Every error is a :class:`ProdmlError` and also the builtin that a caller would expect, so that
``except ValueError`` keeps working. What the message says in words stands in the attributes as
data. All of them pickle, so they survive a worker process.

::

    ProdmlError
    +-- EvidenceError (ValueError)             a measurement that contradicts itself
    +-- MergeError (ValueError)                summaries that do not describe the same thing
    +-- FormatError (ValueError)               bytes or JSON that are not what they should be
    +-- MissingDependencyError (ImportError)   an extra that is not installed
    +-- StorageError (OSError)                 a store that cannot be opened or written
    |   +-- NewerSchemaError                   written by a later prodml
    +-- ContractError (ValueError)             a contract that cannot be built
    +-- FrameError (ValueError)                a frame that cannot be read as records
    |   +-- DuplicateColumnError
    |   +-- MultiIndexColumnsError
    +-- RecordRejectedError (ValueError)       one record that does not fit its contract
    +-- FrameRejectedError (ValueError)        a frame with rows that do not fit
    +-- QuarantineError (ValueError)           an operation the queue refuses
        +-- EntryNotFoundError (KeyError)
        +-- EntryStateError
        +-- QuarantineFullError
        +-- TooManyRejectedError               a batch beyond its thresholds

Examples
--------
>>> from prodml.errors import MissingDependencyError
>>> try:
...     raise MissingDependencyError.for_extra("pyarrow", extra="arrow", purpose="reading Parquet")
... except ImportError as error:
...     print(error)
reading Parquet needs pyarrow, which is not installed. Run: pip install "prodml[arrow]"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prodml.protocols import ViolationLike

__all__ = [
    "ContractError",
    "DuplicateColumnError",
    "EntryNotFoundError",
    "EntryStateError",
    "EvidenceError",
    "FormatError",
    "FrameError",
    "FrameRejectedError",
    "MergeError",
    "MissingDependencyError",
    "MultiIndexColumnsError",
    "NewerSchemaError",
    "ProdmlError",
    "QuarantineError",
    "QuarantineFullError",
    "RecordRejectedError",
    "StorageError",
    "TooManyRejectedError",
]


def _restore(cls: type[ProdmlError], args: tuple[Any, ...], state: dict[str, Any]) -> ProdmlError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ProdmlError(Exception):
    """The root of all errors that prodml raises on purpose."""

    def __str__(self) -> str:
        # KeyError would show the repr of its message.
        return str(self.args[0]) if self.args else ""

    def __reduce__(
        self,
    ) -> tuple[
        Callable[..., ProdmlError], tuple[type[ProdmlError], tuple[Any, ...], dict[str, Any]]
    ]:
        # The default calls cls(*args), which fails for keyword-only facts.
        return _restore, (type(self), self.args, self.__dict__)


class EvidenceError(ProdmlError, ValueError):
    """A piece of evidence that contradicts itself.

    Attributes
    ----------
    field : str
        The field of the evidence that is at fault.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class MergeError(ProdmlError, ValueError):
    """Two summaries that cannot be added, because they summarise different things.

    Attributes
    ----------
    left, right : object
        The setting in which the two differ.
    """

    def __init__(self, message: str, *, left: object, right: object) -> None:
        super().__init__(message)
        self.left = left
        self.right = right


class FormatError(ProdmlError, ValueError):
    """Bytes, JSON or a dict that do not hold what they are read as."""


class MissingDependencyError(ProdmlError, ImportError):
    """An optional library that is needed and not installed.

    Attributes
    ----------
    library : str
        The name to import.
    extra : str
        The extra of prodml that brings it.
    """

    def __init__(self, message: str, *, library: str, extra: str) -> None:
        super().__init__(message)
        self.library = library
        self.extra = extra

    @classmethod
    def for_extra(cls, library: str, *, extra: str, purpose: str) -> MissingDependencyError:
        """Build the error that names the command which repairs it."""
        command = f'pip install "prodml[{extra}]"'
        return cls(
            f"{purpose} needs {library}, which is not installed. Run: {command}",
            library=library,
            extra=extra,
        )


class StorageError(ProdmlError, OSError):
    """A store that cannot be opened, read or written.

    Attributes
    ----------
    location : str
        The file or database, without credentials.
    """

    def __init__(self, message: str, *, location: str) -> None:
        super().__init__(message)
        self.location = location


class NewerSchemaError(StorageError):
    """A store that a later version of prodml has written.

    Attributes
    ----------
    found, supported : int
        The layout version in the store, and the newest one that this prodml knows.
    """

    def __init__(self, message: str, *, location: str, found: int, supported: int) -> None:
        super().__init__(message, location=location)
        self.found = found
        self.supported = supported


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


class QuarantineError(ProdmlError, ValueError):
    """An operation that the quarantine queue refuses."""


class EntryNotFoundError(QuarantineError, KeyError):
    """Ids that are not in the queue.

    Attributes
    ----------
    ids : tuple of str
        The ids that were not found.
    """

    def __init__(self, message: str, *, ids: Sequence[str]) -> None:
        super().__init__(message)
        self.ids = tuple(ids)


class EntryStateError(QuarantineError):
    """Entries that are no longer pending, so that nothing can be decided about them.

    Attributes
    ----------
    ids : tuple of str
        The entries at fault.
    state : str
        The state the first of them is in.
    """

    def __init__(self, message: str, *, ids: Sequence[str], state: str) -> None:
        super().__init__(message)
        self.ids = tuple(ids)
        self.state = state


class QuarantineFullError(QuarantineError):
    """A batch that would take the queue over its row limit; nothing of it was stored.

    Attributes
    ----------
    depth, max_rows, n_rows : int
        Entries that wait, the limit, and the rows that were to be added.
    """

    def __init__(self, message: str, *, depth: int, max_rows: int, n_rows: int) -> None:
        super().__init__(message)
        self.depth = depth
        self.max_rows = max_rows
        self.n_rows = n_rows


class TooManyRejectedError(QuarantineError):
    """A batch of which more was rejected than its thresholds allow; what was stored stays stored.

    Attributes
    ----------
    batch : str
        The batch.
    n_rejected, n_rows : int
        Rows of it that were rejected, and all rows so far.
    """

    def __init__(self, message: str, *, batch: str, n_rejected: int, n_rows: int) -> None:
        super().__init__(message)
        self.batch = batch
        self.n_rejected = n_rejected
        self.n_rows = n_rows
