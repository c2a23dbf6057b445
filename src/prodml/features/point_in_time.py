"""Feature values as they were known at a point in time, one row for each row that asks.

A model that is trained on what only became known later looks better than it is.
:func:`point_in_time_join` gives each row of the training set the latest values that happened, and
were known, at or before its own time, and counts the rows that would have looked ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from prodml._core.column_building import series_of
from prodml.features._frame_checks import check_columns, check_frame, column_of, definition_error
from prodml.features._join_keys import KeyColumn, joint_codes
from prodml.features._latest_rows import Answers, latest_rows
from prodml.features._taken_columns import take_rows
from prodml.features._time_keys import check_one_clock, read_times, timeline_of
from prodml.features.feature_view import FeatureView
from prodml.features.point_in_time_result import FATES, Fate, PointInTimeJoin, ViewJoin

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pandas as pd

    from prodml.features._time_keys import Times

__all__ = ["Fate", "FeatureView", "PointInTimeJoin", "ViewJoin", "point_in_time_join"]

_NAMES: Final = ("plain", "prefixed")


def point_in_time_join(
    entities: pd.DataFrame,
    views: FeatureView | Sequence[FeatureView],
    /,
    *,
    time: Hashable,
    as_known: bool = True,
    names: Literal["plain", "prefixed"] = "plain",
) -> PointInTimeJoin:
    """Return rows with the feature values that were known at their time.

    Parameters
    ----------
    entities : pandas.DataFrame
        The rows that ask: the keys of all views, a time, and anything else, such as the label.
        Labels of the index, and of other columns, may repeat.
    views : FeatureView, or sequence of them
        Where the values are.
    time : str
        The column of `entities` with the time at which each row asks.
    as_known : bool, default True
        Take only what had been written by then, in views that have a created time. Without it,
        a value that was entered late is taken for the past, which no model will have at serving.
    names : {"plain", "prefixed"}, default "plain"
        ``"prefixed"`` puts the name of the view and two underscores in front of its features.

    Returns
    -------
    PointInTimeJoin
        ``joined`` has one row for each row of `entities`, in the same order and with the same
        index, and the same columns followed by the features. These keep their dtype, except that
        integers and booleans become pandas' nullable ones where a row has no value.

    Raises
    ------
    MissingInputError
        If a column is absent.
    InputTypeError
        If a column of times holds something else.
    PointInTimeError
        If a time is missing or out of range, only some have a time zone, or keys of the two sides
        are of different types; ``.column`` and ``.rows`` say where.
    FeatureDefinitionError
        If names of views or columns clash; ``.faults`` has all of them.

    Notes
    -----
    For a row with key k and time T, the answer is the row of the view with key k that has the
    greatest (event time, created time) among those with event time <= T, and created time <= T if
    `as_known`. It is dropped if it happened before T - ttl. All bounds are inclusive. Of rows that
    agree in both times, the last one in the frame counts; apart from them, the order of the rows
    does not matter.

    Times of all units are compared exactly, aware ones as instants; naive and aware times do not
    mix. Keys of several columns match where all of them do. Integers match by value in any dtype,
    and text in any. Missing keys match nothing.

    A row counts as usable from the later of its two times on [1]_. Time O((n + m) log(n + m)) for
    each view, and about ten words of memory a row. Inputs are never changed.

    References
    ----------
    .. [1] Snodgrass, R. T. (1999). Developing Time-Oriented Database Applications in SQL.
       Morgan Kaufmann. Chapter 10, on bitemporal tables.

    Examples
    --------
    >>> import pandas as pd
    >>> days = lambda *texts: pd.to_datetime([f"2024-05-{text}" for text in texts], utc=True)
    >>> labels = pd.DataFrame({"user": [7, 7, 8], "at": days("03", "20", "03")})
    >>> orders = pd.DataFrame(
    ...     {
    ...         "user": [7, 7],
    ...         "happened": days("01", "02"),
    ...         "written": days("01", "04"),
    ...         "orders": [1, 2],
    ...     }
    ... )
    >>> view = FeatureView(
    ...     name="orders",
    ...     frame=orders,
    ...     keys="user",
    ...     event_time="happened",
    ...     created_time="written",
    ...     ttl=pd.Timedelta(days=7),
    ... )
    >>> result = point_in_time_join(labels, view, time="at")
    >>> result.joined["orders"].tolist()
    [1, <NA>, <NA>]
    >>> result.view("orders")
    ViewJoin('orders', 3 rows: 1 matched, 1 unmatched, 1 expired, 0 null_key; leaking: 1)
    """
    chosen = (views,) if isinstance(views, FeatureView) else tuple(views)
    outputs = _checked(entities, chosen, time, names)
    if not isinstance(as_known, bool):
        raise definition_error([f"`as_known` must be True or False, got {as_known!r}"])
    asked = read_times(column_of(entities, time), time, "the entities")
    joins = []
    series = []
    for view, features in zip(chosen, outputs, strict=True):
        join = _answered(entities, asked, view, features, as_known=as_known)
        joins.append(join)
        for label, name in zip(view.features, features, strict=True):
            column = take_rows(column_of(view.frame, label), join.rows)
            series.append(series_of(column, index=entities.index).rename(name))
    return PointInTimeJoin(joined=_beside(entities, series), views=tuple(joins))


def _checked(
    entities: pd.DataFrame, views: tuple[FeatureView, ...], time: Hashable, names: str
) -> list[tuple[Hashable, ...]]:
    """Return the names of the features of each view, if everything fits together."""
    check_frame(entities, "`entities`")
    if names not in _NAMES:
        raise definition_error([f"`names` must be one of {_NAMES}, got {names!r}"])
    if not all(isinstance(view, FeatureView) for view in views):
        raise definition_error(["`views` must be FeatureViews"])
    keys = [key for view in views for key in view.keys.values()]
    check_columns(entities, [time, *keys], "the entities")
    outputs = [
        tuple(f"{view.name}__{one}" if names == "prefixed" else one for one in view.features)
        for view in views
    ]
    faults = []
    owners: dict[Hashable, str] = dict.fromkeys(entities.columns, "the entities")
    met: set[str] = set()
    for view, features in zip(views, outputs, strict=True):
        if view.name in met:
            faults.append(f"two views are called {view.name!r}")
        met.add(view.name)
        for name in features:
            if name in owners:
                repair = "" if names == "prefixed" else "; give names='prefixed'"
                faults.append(
                    f"the feature {name!r} of view {view.name!r} is also a column of "
                    f"{owners[name]}{repair}"
                )
            owners[name] = f"view {view.name!r}"
    if faults:
        raise definition_error(faults)
    return outputs


def _answered(
    entities: pd.DataFrame,
    asked: Times,
    view: FeatureView,
    features: tuple[Hashable, ...],
    *,
    as_known: bool,
) -> ViewJoin:
    owner = f"view {view.name!r}"
    left = [KeyColumn(key, "the entities", column_of(entities, key)) for key in view.keys.values()]
    right = [KeyColumn(key, owner, column_of(view.frame, key)) for key in view.keys]
    times = _times_of(view, owner)
    check_one_clock([asked, *times])
    codes = joint_codes(left, right)
    if len(entities) and len(view.frame):
        # not kept here, so that the kernel can let go of it
        answers = latest_rows(
            codes, timeline_of(asked, *times), as_known=as_known, ttl_ns=view.ttl_ns
        )
    else:
        answers = _no_answers(len(entities), knowable=len(times) > 1)
    fates = np.full(len(entities), FATES.index("unmatched"), dtype=np.uint8)
    fates[answers.rows >= 0] = FATES.index("matched")
    fates[answers.expired] = FATES.index("expired")
    fates[codes.left < 0] = FATES.index("null_key")
    for array in answers:
        if array is not None:
            array.flags.writeable = False
    return ViewJoin(
        name=view.name,
        features=features,
        rows=answers.rows,
        as_known=as_known and answers.leaking is not None,
        _fates=fates,
        _leaking=answers.leaking,
    )


def _times_of(view: FeatureView, owner: str) -> list[Times]:
    labels = [one for one in (view.event_time, view.created_time) if one is not None]
    return [read_times(column_of(view.frame, label), label, owner) for label in labels]


def _no_answers(n_rows: int, *, knowable: bool) -> Answers:
    nowhere = np.zeros(n_rows, dtype=bool)
    rows = np.full(n_rows, -1, dtype=np.int64)
    return Answers(rows, nowhere, nowhere.copy() if knowable else None)


def _beside(entities: pd.DataFrame, series: list[Any]) -> pd.DataFrame:
    import pandas as pd

    # a copy, so that a change of the result leaves the entities alone in pandas 2 as well
    joined: pd.DataFrame = pd.concat([entities, *series], axis=1) if series else entities.copy()
    return joined
