"""Deliveries for tests of quarantine stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from prodml.quarantine.store import Delivery, EntryFilter, StoredEntry
from prodml.rejections import Reason
from prodml.testing._requiring import require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prodml.quarantine.store import PutOutcome, QuarantineStore

__all__ = [
    "BELOW",
    "HOSTILE",
    "START",
    "TYPE",
    "all_entries",
    "exactly",
    "later",
    "make_delivery",
    "pending_entry",
    "tally",
    "words",
]

START: Final = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_LAYOUT: Final = '{"labels":["a"],"version":1}'
BELOW: Final = Reason(column="a", rule="greater_than_equal", message="must be >= 1")
TYPE: Final = Reason(column="b", rule="int_parsing", message="must be an integer")
HOSTILE: Final = "Robert'); DROP TABLE entry;-- \x00 \ud800 %s ? \u202e \n é 日本"


def make_delivery(rows: Mapping[int, str], **changes: Any) -> Delivery:
    """Return a delivery of rows by position, each with a word as its content."""
    source, contract = changes.get("source", "orders.csv"), changes.get("contract", "order")
    content = [f'["{word}"]' for word in rows.values()]
    origin = f"{source}\x00{contract}".encode("utf-8", "surrogatepass")
    facts: dict[str, Any] = {
        "source": source,
        "contract": contract,
        "fingerprint": "sha256:1",
        "batch": "monday",
        "first_row": 0,
        "n_rows": max([*rows, -1]) + 1,
        "rows": tuple(rows),
        "digests": [
            blake2b(origin + word.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for word in content
        ],
        "layout": _LAYOUT,
        "payloads": content,
        "keys": None,
        "reason_sets": [(BELOW,)],
        "reasons": [0] * len(rows),
        "redacted": False,
        "at": START,
        "max_pending": None,
    }
    return Delivery(**facts | changes)


def pending_entry(**facts: Any) -> StoredEntry:
    """Return the entry of a new row with the word ``x``, with some facts of its own."""
    usual: dict[str, Any] = {
        "state": "pending",
        "source": "orders.csv",
        "contract": "order",
        "fingerprint": "sha256:1",
        "batch": "monday",
        "reasons": (BELOW,),
        "attempts": 1,
        "first_seen": START,
        "last_seen": START,
        "layout": _LAYOUT,
        "payload": '["x"]',
        "decided_at": None,
        "decided_by": None,
        "note": None,
        "run": None,
    }
    return StoredEntry(**usual | facts)


def later(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def all_entries(store: QuarantineStore, **which: Any) -> list[StoredEntry]:
    return list(store.entries(EntryFilter(**which)))


def exactly(n: int, store: QuarantineStore, **which: Any) -> list[StoredEntry]:
    entries = all_entries(store, **which)
    require(len(entries), n, f"number of entries {which or ''}".strip())
    return entries


def words(entries: Sequence[StoredEntry]) -> list[str]:
    return [entry.payload[2:-2] for entry in entries]


def tally(outcome: PutOutcome) -> tuple[int, int, int, int, int]:
    return (
        outcome.n_new,
        outcome.n_known,
        outcome.n_repeated,
        outcome.n_reopened,
        outcome.n_withdrawn,
    )
