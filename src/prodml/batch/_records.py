"""Millions of record keys in a table, looked up and added in their own order.

Keys travel as JSON arrays of integers, sorted: one statement for fifty thousand, and neighbours
lie on the same page, which is worth a factor of four.
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml._core.sql import wait_for_turn

if TYPE_CHECKING:
    import numpy.typing as npt

    from prodml._core.sql import Session
    from prodml.batch.key import RecordKeys

__all__ = ["insert_records", "known_records"]

_PIECE: Final = 50_000


def known_records(
    session: Session, namespace: str, keys: RecordKeys
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which keys are there, and which of these with another payload."""
    n = len(keys.high)
    nothing = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    number = session.execute("SELECT id FROM record_namespace WHERE name = ?", (namespace,))
    if not number or not n:
        return nothing
    found = _look_up(session, number[0][0], _sorted_distinct(keys.high))
    if not len(found):
        return nothing
    high, low, payload = found.T
    if bool((high[1:] == high[:-1]).any()):
        return _compare_singly(keys, found)
    at = np.searchsorted(high, keys.high)
    at[at == len(high)] = 0
    known = (high[at] == keys.high) & (low[at] == keys.low)
    return known, known & (payload[at] != keys.payloads)


def _sorted_distinct(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    # numpy's own `unique` builds a hash table first, which takes five times as long
    ordered = np.sort(values)
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def _compare_singly(
    keys: RecordKeys, found: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Compare where the first halves of two digests in the table are the same."""
    payloads = {(high, low): payload for high, low, payload in found.tolist()}
    pairs = zip(keys.high.tolist(), keys.low.tolist(), strict=True)
    then = [payloads.get(pair) for pair in pairs]
    known = np.array([one is not None for one in then], dtype=bool)
    changed = [
        one is not None and one != now
        for one, now in zip(then, keys.payloads.tolist(), strict=True)
    ]
    return known, np.array(changed, dtype=bool)


def _look_up(session: Session, number: int, highs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return high, low and payload of the keys with these first halves, in their order."""
    found: list[Any] = []
    for at in range(0, len(highs), _PIECE):
        piece = highs[at : at + _PIECE].tolist()
        if session.dialect == "sqlite":
            # a CROSS JOIN keeps the order, in which the list of keys comes first
            found += session.execute(
                "SELECT high, low, payload FROM json_each(?) CROSS JOIN record "
                "ON namespace_id = ? AND high = value",
                (_as_json(piece), number),
            )
        else:
            found += session.execute(
                "SELECT high, low, payload FROM record WHERE namespace_id = ? "
                "AND high = ANY(?) ORDER BY high, low",
                (number, piece),
            )
    flat = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=3 * len(found))
    return flat.reshape(-1, 3)


def _as_json(integers: list[int]) -> str:
    from pydantic_core import to_json

    return to_json(integers).decode("ascii")


def insert_records(session: Session, namespace: str, keys: RecordKeys, *, day: int) -> None:
    """Add keys, in their own order, under the day (since 1970) they were seen on.

    Raises
    ------
    DuplicateRowError
        If one of them is there already.
    """
    number = _number_of(session, namespace)
    order = np.lexsort((keys.low, keys.high))
    columns = (keys.high[order], keys.low[order], keys.payloads[order])
    rows = zip(repeat(number), *(one.tolist() for one in columns), repeat(day), strict=False)
    session.insert_many("record", ("namespace_id", "high", "low", "payload", "seen_on"), rows)


def _number_of(session: Session, namespace: str) -> int:
    numbers = session.execute("SELECT id FROM record_namespace WHERE name = ?", (namespace,))
    if not numbers:
        wait_for_turn(session, "prodml record_namespace")
        numbers = session.execute("SELECT id FROM record_namespace WHERE name = ?", (namespace,))
    if not numbers:
        numbers = session.execute(
            "INSERT INTO record_namespace SELECT COALESCE(MAX(id), 0) + 1, ? "
            "FROM record_namespace RETURNING id",
            (namespace,),
        )
    return int(numbers[0][0])
