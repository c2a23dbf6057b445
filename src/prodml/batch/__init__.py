"""Idempotent batches: a job that is killed, or run twice, gives what one clean run gives.

- :class:`BatchProcessor` applies a function to each batch once; :func:`read_batches` cuts files,
  frames and iterables into batches with bounded memory.
- :class:`SqliteLedger` remembers what is claimed and done (for several machines:
  :class:`prodml.integrations.postgres.PostgresLedger`).
- :class:`TableSink`, :class:`FileSink` and :class:`UpsertSink` say where output goes, and what is
  guaranteed there.
- :class:`ContentKey`, :class:`BusinessKey` and :class:`FileChecksum` say by what a batch or a
  record is known again.
- :func:`idempotent` guards one function call.
"""

from prodml.batch.batch import Batch, BatchOutput
from prodml.batch.counts import FATES, BatchCounts
from prodml.batch.engine import Engine, InProcess, JoblibEngine, WorkerLostError
from prodml.batch.file_sink import FileSink
from prodml.batch.idempotent import idempotent
from prodml.batch.key import Key, RecordKeys, WorkKey, key_from_text, key_text
from prodml.batch.keys import BusinessKey, ContentKey, FileChecksum
from prodml.batch.ledger import (
    Claim,
    Entry,
    Ledger,
    RecordLedger,
    State,
    WorkFailure,
    WorkResult,
)
from prodml.batch.processor import BatchProcessor
from prodml.batch.reading import BatchReader, read_batches
from prodml.batch.report import BatchOutcome, BatchReport
from prodml.batch.retry import FullJitter
from prodml.batch.sink import Guarantee, Sink
from prodml.batch.sqlite_ledger import SqliteLedger
from prodml.batch.table_sink import TableSink
from prodml.batch.totals import Totals
from prodml.batch.upsert_sink import UpsertSink
from prodml.batch.work import LedgerStatus, WorkRecord, WorkRecords

__all__ = [
    "FATES",
    "Batch",
    "BatchCounts",
    "BatchOutcome",
    "BatchOutput",
    "BatchProcessor",
    "BatchReader",
    "BatchReport",
    "BusinessKey",
    "Claim",
    "ContentKey",
    "Engine",
    "Entry",
    "FileChecksum",
    "FileSink",
    "FullJitter",
    "Guarantee",
    "InProcess",
    "JoblibEngine",
    "Key",
    "Ledger",
    "LedgerStatus",
    "RecordKeys",
    "RecordLedger",
    "Sink",
    "SqliteLedger",
    "State",
    "TableSink",
    "Totals",
    "UpsertSink",
    "WorkFailure",
    "WorkKey",
    "WorkRecord",
    "WorkRecords",
    "WorkResult",
    "WorkerLostError",
    "idempotent",
    "key_from_text",
    "key_text",
    "read_batches",
]
