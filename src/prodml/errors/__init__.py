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
    |   +-- EntryNotFoundError (KeyError)
    |   +-- EntryStateError
    |   +-- QuarantineFullError
    |   +-- TooManyRejectedError               a batch beyond its thresholds
    +-- BatchError (ValueError)                idempotent work that cannot be done
        +-- IdempotencyConflictError           a known key with another payload
        +-- MissingKeyError (KeyError)
        +-- DuplicateKeyError
        +-- UnkeyableError (TypeError)         values without canonical bytes
        +-- BatchInProgressError               somebody else is at it
        +-- StaleLeaseError                    a claim that was taken over
        +-- BatchQuarantinedError              failed too often
        +-- UnsafeSinkError (TypeError)        a retry might store rows twice

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

from prodml.errors._batch import (
    BatchError,
    BatchInProgressError,
    BatchQuarantinedError,
    DuplicateKeyError,
    IdempotencyConflictError,
    MissingKeyError,
    StaleLeaseError,
    UnkeyableError,
    UnsafeSinkError,
)
from prodml.errors._contracts import (
    ContractError,
    DuplicateColumnError,
    FrameError,
    FrameRejectedError,
    MultiIndexColumnsError,
    RecordRejectedError,
)
from prodml.errors._quarantine import (
    EntryNotFoundError,
    EntryStateError,
    QuarantineError,
    QuarantineFullError,
    TooManyRejectedError,
)
from prodml.errors._root import (
    EvidenceError,
    FormatError,
    MergeError,
    MissingDependencyError,
    NewerSchemaError,
    ProdmlError,
    StorageError,
)

__all__ = [
    "BatchError",
    "BatchInProgressError",
    "BatchQuarantinedError",
    "ContractError",
    "DuplicateColumnError",
    "DuplicateKeyError",
    "EntryNotFoundError",
    "EntryStateError",
    "EvidenceError",
    "FormatError",
    "FrameError",
    "FrameRejectedError",
    "IdempotencyConflictError",
    "MergeError",
    "MissingDependencyError",
    "MissingKeyError",
    "MultiIndexColumnsError",
    "NewerSchemaError",
    "ProdmlError",
    "QuarantineError",
    "QuarantineFullError",
    "RecordRejectedError",
    "StaleLeaseError",
    "StorageError",
    "TooManyRejectedError",
    "UnkeyableError",
    "UnsafeSinkError",
]

for _name in __all__:
    # tracebacks name the place from which an error is imported
    globals()[_name].__module__ = __name__
