"""What tests of production code need: a clock that is set by hand, and the laws of each protocol.

A check takes your own implementation of a protocol and raises `AssertionError` on the first law
that it breaks. The checks need no test framework, and prodml's own classes pass the same ones.

- :class:`FakeClock`: for :class:`~prodml.protocols.Clock`.
- :func:`check_mergeable`: for :class:`~prodml.protocols.Mergeable`.
- :func:`check_evidence_source`: for :class:`~prodml.protocols.EvidenceSource`.
- :func:`check_quarantine_store`: for :class:`~prodml.quarantine.QuarantineStore`, check by check
  in ``QUARANTINE_STORE_CHECKS``; :class:`MemoryQuarantine` is a store that passes it.
- :func:`check_ledger`: for :class:`~prodml.batch.Ledger`, check by check in ``LEDGER_CHECKS``;
  :class:`MemoryLedger` is a ledger that passes it.
- :func:`check_online_store`: for :class:`~prodml.features.online_store.OnlineStore`, check by
  check in ``ONLINE_STORE_CHECKS``.
"""

from prodml.testing.evidence_source import check_evidence_source
from prodml.testing.fake_clock import FakeClock
from prodml.testing.ledger import LEDGER_CHECKS, check_ledger
from prodml.testing.memory_ledger import MemoryLedger
from prodml.testing.memory_quarantine import MemoryQuarantine
from prodml.testing.mergeable import check_mergeable
from prodml.testing.online_store import ONLINE_STORE_CHECKS, check_online_store
from prodml.testing.quarantine_store import QUARANTINE_STORE_CHECKS, check_quarantine_store

__all__ = [
    "LEDGER_CHECKS",
    "ONLINE_STORE_CHECKS",
    "QUARANTINE_STORE_CHECKS",
    "FakeClock",
    "MemoryLedger",
    "MemoryQuarantine",
    "check_evidence_source",
    "check_ledger",
    "check_mergeable",
    "check_online_store",
    "check_quarantine_store",
]
