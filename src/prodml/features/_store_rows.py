"""Raw inputs as the store has them, found by the key of a served record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prodml._core.columns import python_values
from prodml._core.scalars import normalise
from prodml.errors import FeatureError

if TYPE_CHECKING:
    import pandas as pd

    from prodml.features.served_log import ServedRecord

    Finder = Callable[[ServedRecord], Mapping[str, Any] | None]

__all__ = ["store_finder"]


def store_finder(raw: Any, key: Any, fields: Sequence[str], /) -> Finder:
    """Return the function that finds the raw inputs of a served record, or None.

    Parameters
    ----------
    raw : pandas.DataFrame, mapping or callable
        See :func:`~prodml.features.parity.audit_parity`.
    key : str or sequence of str, optional
        The key columns of a frame.
    fields : sequence of str
        The inputs of the features.

    Raises
    ------
    FeatureError
        If the key columns are not there, or an entity is in the frame twice.
    """
    if isinstance(raw, Mapping):
        rows = {normalise(one): row for one, row in raw.items()}
        return lambda record: rows.get(normalise(record.key))
    if hasattr(raw, "iloc") and hasattr(raw, "columns"):
        return _of_frame(raw, key, fields)
    if callable(raw):
        finder: Finder = raw
        return finder
    message = (
        f"`raw` must be a frame, a mapping by key, or a function of the served record; "
        f"got {type(raw).__name__}."
    )
    raise FeatureError(message)


def _of_frame(frame: pd.DataFrame, key: Any, fields: Sequence[str]) -> Finder:
    names = [key] if isinstance(key, str) else list(key or ())
    labels = list(frame.columns)
    unknown = [name for name in names if labels.count(name) != 1]
    if not names or unknown:
        message = (
            f"`key` must name columns that `raw` has once, got {key!r}. "
            f"It has {', '.join(map(repr, labels[:10]))}."
        )
        raise FeatureError(message)
    cells = {
        name: python_values(frame.iloc[:, labels.index(name)].array)
        for name in dict.fromkeys([*names, *fields])
        if name in labels
    }
    if isinstance(key, str):
        keys = cells[key]
    else:
        keys = list(zip(*(cells[name] for name in names), strict=True))
    places = {one: place for place, one in enumerate(keys)}
    if len(places) < len(keys):
        message = (
            f"`raw` has {len(keys) - len(places):,} rows of entities that it has already. Keep "
            "the row that was valid, or give a function of the served record, which knows its time."
        )
        raise FeatureError(message)
    offered = [name for name in fields if name in cells]

    def find(record: ServedRecord) -> Mapping[str, Any] | None:
        place = places.get(normalise(record.key))
        return None if place is None else {name: cells[name][place] for name in offered}

    return find
