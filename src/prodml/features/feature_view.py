"""A table of feature values over time, and what its columns mean."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from prodml._core.canonical_scalars import NANOSECONDS
from prodml.errors import InputTypeError
from prodml.features._frame_checks import check_columns, check_frame, definition_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["FeatureView"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureView:
    """Rows of feature values: of which entity, when they happened, when they became known.

    Immutable. The frame is neither copied nor changed; do not change it while it is in use.

    Parameters
    ----------
    name : str
        What it is called in reports, and in front of the names of its features where asked for.
    frame : pandas.DataFrame
        The rows, in any order. Its index does not count.
    keys : str, sequence of str, or mapping of str to str
        The columns that name the entity. A mapping gives, for each of them, the column of the
        entities where that has another name: ``{"user_id": "sender_id"}``.
    event_time : str
        The column with the time at which the values became true.
    created_time : str, optional
        The column with the time at which the row was written, and so could be known. Without it
        nobody can tell whether late rows leak into the past.
    ttl : datetime.timedelta, pandas.Timedelta or numpy.timedelta64, optional
        The oldest age that counts, inclusive; greater than 0. None: a row never gets too old.
    features : sequence of str, optional
        The columns to add, in this order. All that are neither key nor time if not given.

    Attributes
    ----------
    name, frame, event_time, created_time, ttl
        As given.
    keys : dict
        The columns of the entities, by the columns of the view that belong to them.
    features : tuple
        The columns to add.

    Raises
    ------
    InputTypeError
        If `frame` is no DataFrame, or `ttl` no duration.
    MissingInputError
        If a column is not in the frame; ``.fields`` has all of them.
    FeatureDefinitionError
        If a column occurs twice or has two roles, there is no key, or `ttl` is not above 0;
        ``.faults`` has all faults.

    Examples
    --------
    >>> import pandas as pd
    >>> from datetime import timedelta
    >>> frame = pd.DataFrame({"user": [7], "at": pd.to_datetime(["2024-05-01"]), "orders": [3]})
    >>> FeatureView(name="orders", frame=frame, keys="user", event_time="at", ttl=timedelta(days=7))
    FeatureView('orders', 1 rows, keys ['user'], features ['orders'])
    """

    name: str
    frame: pd.DataFrame = field(repr=False)
    keys: Any
    event_time: Hashable
    created_time: Hashable | None = None
    ttl: Any = None
    features: Any = None

    def __post_init__(self) -> None:
        """Bring keys and features into one form, and refuse what does not fit the frame."""
        check_frame(self.frame, f"`frame` of view {self.name!r}")
        keys = _as_mapping(self.keys)
        times = [one for one in (self.event_time, self.created_time) if one is not None]
        taken = [*keys, *times]
        features = self.features
        if features is None:
            features = [label for label in self.frame.columns if label not in taken]
        features = _as_tuple(features)
        where = f"view {self.name!r}"
        check_columns(self.frame, [*taken, *features], where)
        faults = [] if keys else [f"{where} has no key"]
        name: Any = self.name
        if not isinstance(name, str) or not name:
            faults.append(f"`name` must be text, got {self.name!r}")
        faults += _repeated([*taken, *features], where)
        ttl_ns = None if self.ttl is None else _nanoseconds(self.ttl, where)
        if ttl_ns is not None and ttl_ns <= 0:
            faults.append(
                f"`ttl` of {where} must be above 0, got {self.ttl!r}; None is for no limit"
            )
        if faults:
            raise definition_error(faults)
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "features", features)

    @property
    def ttl_ns(self) -> int | None:
        """The oldest age that counts, in nanoseconds; None for no limit."""
        return None if self.ttl is None else _nanoseconds(self.ttl, f"view {self.name!r}")

    def __repr__(self) -> str:
        return (
            f"FeatureView({self.name!r}, {len(self.frame):,} rows, keys {list(self.keys)}, "
            f"features {list(self.features)})"
        )


def _as_mapping(keys: Any) -> dict[Hashable, Hashable]:
    if isinstance(keys, Mapping):
        return dict(keys)
    return {key: key for key in _as_tuple(keys)}


def _as_tuple(labels: Any) -> tuple[Hashable, ...]:
    several = isinstance(labels, list | tuple) or hasattr(labels, "dtype")
    return tuple(labels) if several else (labels,)


def _repeated(labels: Sequence[Hashable], where: str) -> list[str]:
    return [
        f"column {label!r} of {where} has two roles"
        for label in dict.fromkeys(labels)
        if labels.count(label) > 1
    ]


def _nanoseconds(ttl: Any, where: str) -> int:
    if isinstance(ttl, timedelta):  # of pandas, too
        rest = getattr(ttl, "nanoseconds", 0)
        return ((ttl.days * 86_400 + ttl.seconds) * 1_000_000 + ttl.microseconds) * 1000 + rest
    if isinstance(ttl, np.timedelta64) and not np.isnat(ttl):
        unit, step = np.datetime_data(ttl.dtype)
        if unit in NANOSECONDS:
            return int(ttl.view(np.int64)) * NANOSECONDS[unit] * step
    message = (
        f"`ttl` of {where} must be a duration, got {ttl!r}. Give a datetime.timedelta, such as "
        "timedelta(days=7)."
    )
    raise InputTypeError(message, field="ttl", got=ttl, expected="datetime.timedelta")
