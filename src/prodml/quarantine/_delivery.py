"""Rejected rows, made ready for a store."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from prodml._core.row_payloads import digest_rows, encode_rows
from prodml._core.stored_values import storable
from prodml.quarantine.store import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import pandas as pd

    from prodml.rejections import Reason, Rejections

__all__ = ["encode_delivery"]


def encode_delivery(
    rejections: Rejections,
    *,
    source: str,
    batch: str | None,
    redact: Callable[[pd.DataFrame], pd.DataFrame] | None,
    at: datetime,
    max_pending: int | None,
) -> Delivery:
    """Encode the rows and number their combinations of reasons."""
    frame = rejections.frame
    if redact is not None:
        frame = _redacted(frame, redact)
    layout, payloads = encode_rows(frame)
    digests = digest_rows(layout, payloads, origin=f"{source}\x00{rejections.contract}")
    sets, numbers = _combine(rejections)
    keys = rejections.keys
    return Delivery(
        source=source,
        contract=rejections.contract,
        fingerprint=rejections.contract_fingerprint,
        batch=batch if batch is not None else _name_after(digests, rejections),
        first_row=rejections.first_row,
        n_rows=rejections.n_rows,
        rows=rejections.positions.tolist(),
        digests=digests,
        layout=layout.to_json(),
        payloads=[payload.decode() for payload in payloads],
        keys=None if keys is None else _storable_keys(keys),
        reason_sets=sets,
        reasons=numbers,
        redacted=redact is not None,
        at=at,
        max_pending=max_pending,
    )


def _storable_keys(keys: Sequence[str | None]) -> Sequence[str | None]:
    together = "".join([key for key in keys if key is not None])
    if together.isascii() and "\x00" not in together:  # as nearly always
        return keys
    return [None if key is None else storable(key) for key in keys]


def _redacted(frame: pd.DataFrame, redact: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    redacted = redact(frame.copy())
    if len(redacted) != len(frame):
        message = (
            f"`redact` must return as many rows as it is given, got {len(redacted)} for "
            f"{len(frame)}."
        )
        raise ValueError(message)
    return redacted


def _combine(rejections: Rejections) -> tuple[list[tuple[Reason, ...]], list[int]]:
    """Return the distinct combinations of reasons, and which one each row has."""
    rows, ids = rejections.reason_rows, rejections.reason_ids
    n_rows = len(rejections)
    starts = np.searchsorted(rows, np.arange(n_rows + 1))
    firsts: list[int] = starts.tolist()
    if len(rows) == n_rows and (starts == np.arange(n_rows + 1)).all():
        # one reason each, as is usual
        singles, places = np.unique(ids, return_inverse=True)
        return [(rejections.reasons[one],) for one in singles.tolist()], places.tolist()
    numbers_of: dict[tuple[int, ...], int] = {}
    flat = ids.tolist()
    chosen = (tuple(flat[firsts[at] : firsts[at + 1]]) for at in range(n_rows))
    numbers = [numbers_of.setdefault(one, len(numbers_of)) for one in chosen]
    sets = [tuple(rejections.reasons[one] for one in each) for each in numbers_of]
    return sets, numbers


def _name_after(digests: Sequence[bytes], rejections: Rejections) -> str:
    """Name a batch after its rows and where they stood, so that a second try has the same name."""
    state = blake2b(digest_size=16)
    state.update(np.asarray([rejections.first_row, rejections.n_rows], dtype="<i8").tobytes())
    state.update(np.asarray(rejections.positions, dtype="<i8").tobytes())
    for digest in digests:
        state.update(digest)
    return f"rows-{state.hexdigest()}"
