"""Quarantine: rejected rows wait here, with their reasons, until somebody decides about them."""

from prodml.quarantine.advice import advise
from prodml.quarantine.entry import QuarantineEntries, QuarantineEntry
from prodml.quarantine.queue import QuarantineQueue
from prodml.quarantine.receipt import QuarantineReceipt
from prodml.quarantine.replay import ReplayReport
from prodml.quarantine.sqlite_store import SqliteQuarantine
from prodml.quarantine.store import (
    Delivery,
    EntryFilter,
    PutOutcome,
    QuarantineStore,
    ReasonCount,
    Settlement,
    StateCount,
    StoredEntry,
)
from prodml.quarantine.summary import QuarantineSummary
from prodml.quarantine.thresholds import QuarantineThresholds
from prodml.quarantine.view import QuarantineView

__all__ = [
    "Delivery",
    "EntryFilter",
    "PutOutcome",
    "QuarantineEntries",
    "QuarantineEntry",
    "QuarantineQueue",
    "QuarantineReceipt",
    "QuarantineStore",
    "QuarantineSummary",
    "QuarantineThresholds",
    "QuarantineView",
    "ReasonCount",
    "ReplayReport",
    "Settlement",
    "SqliteQuarantine",
    "StateCount",
    "StoredEntry",
    "advise",
]
