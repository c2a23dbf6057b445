"""What every online store must do, as a suite for prodml's own stores and for yours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from prodml.errors import InputTypeError, MissingInputError, UnknownInputError, ViewChangedError
from prodml.features.online_view import OnlineView
from prodml.testing._requiring import N_THREADS, require, require_raises, run_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prodml.features.online_store import OnlineStore

__all__ = ["ONLINE_STORE_CHECKS", "check_online_store"]

_NOON: Final = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)
_WEEK: Final = timedelta(days=7)
_TICK: Final = timedelta(microseconds=1)
_MANY: Final = 2_300
_HOSTILE: Final = "a\x00b\ud800'; DROP TABLE online_row; -- *?[x]"
#: Values that come back bit for bit, each in its own type.
_EXACT: Final[tuple[Any, ...]] = (
    0.1, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), 1.0,
    0, 1, -(2**63), 2**63 - 1, 2**53 + 1, True, False, None,
    "", "1", "ä\U0001f600", _HOSTILE, '{"t":1}', "x" * 100_000,
    _NOON, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)  # fmt: skip
_KEYS: Final[tuple[Any, ...]] = (
    1, "1", True, -1, 0, False, "", "i1", b"1", 2**63, _HOSTILE, "k" * 5_000, "k" * 5_001,
    datetime(2026, 1, 2, tzinfo=UTC).date(),
)  # fmt: skip


def _view(**options: Any) -> OnlineView:
    given: dict[str, Any] = {"name": "v", "keys": ["id"], "features": ["x"], "event_time": "event"}
    return OnlineView(**(given | {"created_time": "created", "ttl": _WEEK} | options))


def _row(key: object = 1, x: object = 1.5, *, event: Any = _NOON, **other: Any) -> Any:
    return {"id": key, "x": x, "event": event, "created": event} | other


def _put(store: OnlineStore, *rows: Any, view: OnlineView | None = None) -> tuple[int, int]:
    report = store.put(view or _view(), list(rows))
    require(report.n_rows, len(rows), "rows that came, as a report counts them")
    return report.n_written, report.n_stale


def _get(
    store: OnlineStore, *keys: object, at: datetime = _NOON, view: OnlineView | None = None
) -> list[tuple[str, Any]]:
    return [
        (row.status, row.features["x"]) for row in store.get(view or _view(), list(keys), at=at)
    ]


def _returns_what_was_put(store: OnlineStore) -> None:
    require(_get(store, 1), [("missing", None)], "a key of a new store")
    require(_put(store, _row(1), _row(2, 2.5)), (2, 0), "rows written and stale")
    wanted = [("fresh", 2.5), ("missing", None), ("fresh", 1.5), ("fresh", 2.5)]
    require(_get(store, 2, 3, 1, 2), wanted, "keys that repeat, one of them new")
    rows = store.get(_view(), [2, 3], at=_NOON)
    require([row.key for row in rows], [2, 3], "the keys of the answer")
    require([row.event for row in rows], [_NOON, None], "the events of the answer")
    require([row.created for row in rows], [_NOON, None], "the created times of the answer")


def _keeps_values_exactly(store: OnlineStore) -> None:
    _put(store, *(_row(place, value) for place, value in enumerate(_EXACT)))
    rows = store.get(_view(), list(range(len(_EXACT))), at=_NOON)
    found = [row.features["x"] for row in rows]
    require(list(map(repr, found)), list(map(repr, _EXACT)), "values that were stored")
    odd: Any = [float("nan"), np.float32(0.1), np.int64(7), np.bool_(1), np.datetime64("NaT", "us")]
    _put(store, *(_row(place, value, event=_NOON + _TICK) for place, value in enumerate(odd)))
    rows = store.get(_view(), list(range(len(odd))), at=_NOON + _TICK)
    plain: list[Any] = [None, float(np.float32(0.1)), 7, True, None]
    found = [row.features["x"] for row in rows]
    require(list(map(repr, found)), list(map(repr, plain)), "values of numpy")


def _tells_keys_apart(store: OnlineStore) -> None:
    _put(store, *(_row(key, place) for place, key in enumerate(_KEYS)))
    wanted = [("fresh", place) for place in range(len(_KEYS))]
    require(_get(store, *_KEYS), wanted, "keys of several types")
    require(_get(store, np.int64(1), np.str_("1")), wanted[:2], "keys of numpy")
    require(_get(store, None, float("nan")), [("missing", None)] * 2, "missing keys")
    require_raises(InputTypeError, lambda: _get(store, 1.0), "a key that is a float")
    text: Any = "12"
    require_raises(
        InputTypeError, lambda: store.get(_view(), text, at=_NOON), "a text instead of keys"
    )


def _takes_keys_of_several_parts(store: OnlineStore) -> None:
    view = _view(keys=["id", "shop"])
    pairs = [("ab", "c"), ("a", "bc"), ("abc", ""), (1, "1"), ("1", 1)]
    rows = (_row(one, place, shop=two) for place, (one, two) in enumerate(pairs))
    _put(store, *rows, view=view)
    wanted = [("fresh", place) for place in range(len(pairs))]
    require(_get(store, *pairs, view=view), wanted, "pairs")
    require(_get(store, (1, None), view=view), [("missing", None)], "a pair without its end")
    for key in (1, (1,), (1, 2, 3)):
        require_raises(InputTypeError, partial(_get, store, key, view=view), f"{key!r}")


def _keeps_the_newest_row(store: OnlineStore) -> None:
    require(_put(store, _row(x=1)), (1, 0), "a first row")
    require(_put(store, _row(x=1)), (0, 1), "the same row again")
    require(_put(store, _row(x=0, event=_NOON - _TICK)), (0, 1), "an older row")
    later = _row(x=2, created=_NOON + _TICK)
    require(_put(store, later), (1, 0), "a correction: created later")
    require(
        _put(store, _row(x=3, event=_NOON - _TICK, created=_NOON + _WEEK)), (0, 1), "a late row"
    )
    require(_get(store, 1, at=_NOON + _TICK), [("fresh", 2)], "the row after that")
    newest = _row(x=4, event=_NOON + _TICK)
    several = (_row(x=5), newest, _row(x=6, event=_NOON - _WEEK))
    require(_put(store, *several), (1, 2), "three rows of one entity")
    require(_get(store, 1, at=_NOON + _TICK), [("fresh", 4)], "the newest of them")


def _does_not_depend_on_order(store: OnlineStore) -> None:
    rows = [
        _row(x="a"), _row(x="b"), _row(x="b", created=_NOON + _TICK), _row(x=None),
        _row(x="c", event=_NOON - _TICK, created=_NOON + _WEEK),
    ]  # fmt: skip
    ties = [_row(x=value) for value in (1, 1.0, True, None, "1", 2, 10)]
    for name, some in (("rows", rows[:4]), ("late rows", rows[2:]), ("ties", ties[:4])):
        kept = set()
        for order, turn in enumerate(permutations(some)):
            for row in turn:
                _put(store, row | {"id": f"{name} {order}"})
            kept.add(repr(_get(store, f"{name} {order}", at=_NOON + _WEEK)))
        require(len(kept), 1, f"outcomes of {name} that arrive in different orders")
    for order, some in enumerate((ties, ties[::-1])):
        _put(store, *(row | {"id": order} for row in some))
    require(_get(store, 0), _get(store, 1), "equal times, in two orders at once")


def _applies_the_time_to_live_on_read(store: OnlineStore) -> None:
    _put(store, _row())
    require(_get(store, 1, at=_NOON + _WEEK), [("fresh", 1.5)], "a row as old as is allowed")
    late = _NOON + _WEEK + _TICK
    require(_get(store, 1, at=late), [("expired", None)], "a row that is a microsecond older")
    row = store.get(_view(), [1], at=late)[0]
    require((row.event, row.created), (_NOON, _NOON), "the times of a row that expired")
    forever = _view(ttl=None)
    require(_get(store, 1, at=late, view=forever), [("fresh", 1.5)], "the same without a limit")
    at_once = _view(ttl=timedelta())
    require(_get(store, 1, view=at_once), [("fresh", 1.5)], "a time to live of nothing")
    require(_get(store, 1, at=_NOON + _TICK, view=at_once), [("expired", None)], "and after it")


def _does_not_serve_the_future(store: OnlineStore) -> None:
    _put(store, _row(1), _row(2, created=_NOON + _TICK))
    future = ("future", None)
    require(_get(store, 1, at=_NOON - _TICK), [future], "a moment before the event")
    require(_get(store, 2, at=_NOON), [future], "a moment before it was known")
    require(_get(store, 2, at=_NOON + _TICK), [("fresh", 1.5)], "the moment when it is")
    require(_get(store, 1, 2, at=_NOON - _WEEK), [future] * 2, "a clock that went back")
    without = _view(name="w", created_time=None)
    _put(store, {"id": 1, "x": 1, "event": _NOON}, view=without)
    require(_get(store, 1, view=without), [("fresh", 1)], "without a created time")
    require(_get(store, 1, at=_NOON - _TICK, view=without), [future], "before its event")


def _knows_times_of_every_zone(store: OnlineStore) -> None:
    from datetime import timezone

    there = timezone(timedelta(hours=5, minutes=30))
    _put(store, _row(event=_NOON.astimezone(there)))
    require(_get(store, 1, at=_NOON.astimezone(there)), [("fresh", 1.5)], "a time of elsewhere")
    _put(store, *(_row(2, year, event=datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 1969)))
    forever = _view(ttl=None)
    require(_get(store, 2, view=forever), [("fresh", 1969)], "of two times before 1970")
    require(_get(store, 2, at=datetime(1, 1, 1, tzinfo=UTC)), [("future", None)], "in the year 1")
    naive = _NOON.replace(tzinfo=None)
    require_raises(InputTypeError, lambda: _put(store, _row(event=naive)), "a naive event")
    for key in (1, 7):
        require_raises(InputTypeError, partial(_get, store, key, at=naive), "a naive moment")


def _keeps_views_apart(store: OnlineStore) -> None:
    for place, name in enumerate(("v", "w", "V", _HOSTILE, "v*")):
        _put(store, _row(x=place), view=_view(name=name))
    require(store.drop("v*"), 1, "rows of a view that is dropped")
    require(store.purge(_view(name="w"), older_than=_NOON + _TICK), 1, "rows of another")
    for place, name in ((0, "v"), (2, "V"), (3, _HOSTILE)):
        require(_get(store, 1, view=_view(name=name)), [("fresh", place)], f"the view {name!r}")


def _gives_the_features_that_are_named(store: OnlineStore) -> None:
    view = _view(features=["b", "a", _HOSTILE])
    row = _row(b=1, a=2.0) | {_HOSTILE: "three", "beside": object()}
    _put(store, row, view=view)

    def values(*names: str) -> dict[str, Any]:
        (row,) = store.get(view, [1], list(names), at=_NOON)
        return row.features

    require(
        store.get(view, [1], at=_NOON)[0].features, {"a": 2.0, "b": 1, _HOSTILE: "three"}, "all"
    )
    require(values(_HOSTILE, "a"), {"a": 2.0, _HOSTILE: "three"}, "two of them")
    require(values(), {}, "none of them")
    require(list(store.get(view, [2], ["b"], at=_NOON)[0].features), ["b"], "one, of a missing row")
    error: Any = require_raises(UnknownInputError, lambda: values("a", "z"), "an unknown feature")
    require(error.names, ("z",), "the names in the error")
    other = _view(features=[_HOSTILE, "a", "b"])
    require(store.get(other, [1], ["b"], at=_NOON)[0].features, {"b": 1}, "in another order")


def _refuses_a_view_that_changed(store: OnlineStore) -> None:
    _put(store, _row())
    for changed in (_view(features=["x", "y"]), _view(features=["y"]), _view(keys=["other"])):
        uses: tuple[Callable[[], object], ...] = (
            partial(store.get, changed, [1], at=_NOON),
            partial(store.put, changed, [_row(y=1, other=1)]),
            partial(store.delete, changed, [1]),
            partial(store.purge, changed, older_than=_NOON),
        )
        for use in uses:
            require_raises(ViewChangedError, use, f"a use of {changed!r}")
    require(_get(store, 1), [("fresh", 1.5)], "the row after that")


def _drops_a_view(store: OnlineStore) -> None:
    _put(store, _row(1), _row(2))
    require(_get(store, 1), [("fresh", 1.5)], "before")
    require(store.drop("v"), 2, "rows that were dropped")
    require(store.drop("v"), 0, "rows that were dropped again")
    require(_get(store, 1, 2), [("missing", None)] * 2, "after")
    wider = _view(features=["x", "y"])
    require(_put(store, _row(1, y=7), view=wider), (1, 0), "rows of the new view")
    require(_get(store, 1, 2, view=wider), [("fresh", 1.5), ("missing", None)], "its rows")
    require_raises(ViewChangedError, lambda: _get(store, 1), "the old view")


def _forgets_entities(store: OnlineStore) -> None:
    require(store.delete(_view(), [1]), 0, "entities of a new store")
    _put(store, _row(1), _row(2), _row("2"))
    require(store.delete(_view(), [2, 9, 2, None]), 1, "entities that were known")
    wanted = [("fresh", 1.5), ("missing", None), ("fresh", 1.5)]
    require(_get(store, 1, 2, "2"), wanted, "what is left")
    require(_put(store, _row(2, event=_NOON - _TICK)), (1, 0), "an older row after that")
    require(_get(store, 2), [("fresh", 1.5)], "an entity that came back")


def _purges_what_is_older(store: OnlineStore) -> None:
    require(store.purge(_view(), older_than=_NOON), 0, "rows of a new store")
    old, ancient = _NOON - _TICK, datetime(1960, 1, 1, tzinfo=UTC)
    _put(
        store,
        _row(1),
        _row(2, event=old),
        _row(3, event=ancient),
        _row(4, event=ancient, created=_NOON),
    )
    require(store.purge(_view(), older_than=_NOON), 3, "rows that were purged")
    require(store.purge(_view(), older_than=_NOON), 0, "rows that were purged again")
    wanted = [("fresh", 1.5), *[("missing", None)] * 3]
    require(_get(store, 1, 2, 3, 4), wanted, "what is left")


def _stores_nothing_of_what_it_refuses(store: OnlineStore) -> None:
    bad: tuple[tuple[Any, type[Exception]], ...] = (
        (_row(2, [1]), InputTypeError), (_row(2, 2**63), InputTypeError),
        (_row(2, _NOON.replace(tzinfo=None)), InputTypeError), (_row(2.0), InputTypeError),
        (_row(None), MissingInputError), (_row(2, event=None), MissingInputError),
        (_row(2, created=float("nan")), MissingInputError), ({"id": 2}, MissingInputError),
        (_row(2, event=7), InputTypeError), ("row", InputTypeError),
    )  # fmt: skip
    for row, error in bad:
        require_raises(error, partial(store.put, _view(), [_row(1), row]), f"{row!r:.60}")
    require(_get(store, 1, 2), [("missing", None)] * 2, "rows beside those that were refused")


def _takes_frames(store: OnlineStore) -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "id": [1, 2, 3, 1],
            "x": [0.5, None, float("inf"), 1.5],
            "event": pd.to_datetime([_NOON, _NOON, _NOON, _NOON + _TICK]),
            "beside": [object()] * 4,
        },
        index=[7, 7, 7, 7],
    )
    frame["created"] = frame["event"].dt.tz_convert("Asia/Kolkata")
    before = frame.copy()
    report = store.put(_view(), frame)
    require((report.n_rows, report.n_written), (4, 3), "rows of a frame, and those written")
    require(repr(frame.to_dict()), repr(before.to_dict()), "the frame after that")
    wanted = [("fresh", 1.5), ("fresh", None), ("fresh", float("inf"))]
    require(_get(store, 1, 2, 3, at=_NOON + _TICK), wanted, "its rows")
    columns = {name: frame[name].array for name in ("id", "x", "event", "created")}
    require(store.put(_view(), columns).n_written, 0, "the same as columns")
    require(store.put(_view(), _row(9)).n_written, 1, "a single record")
    require(store.put(_view(), frame[:0]).n_rows, 0, "a frame without rows")


def _takes_nothing_and_much(store: OnlineStore) -> None:
    require(_get(store), [], "nothing, of a new store")
    require(_put(store), (0, 0), "nothing put")
    require(_get(store), [], "nothing")
    require(store.delete(_view(), []), 0, "nothing deleted")
    keys = list(range(_MANY))
    require(_put(store, *(_row(key, key) for key in keys)), (_MANY, 0), "many rows")
    require(_get(store, *keys), [("fresh", key) for key in keys], "all of them at once")
    require(store.delete(_view(), keys[::2]), _MANY // 2, "every other one deleted")
    require(store.purge(_view(), older_than=_NOON + _TICK), _MANY // 2, "the others purged")


def _lets_the_newest_of_many_writers_win(store: OnlineStore) -> None:
    n_keys, n_turns = 20, 12

    def write(number: int) -> None:
        for turn in range(n_turns):
            # ahead of the others and behind them, in its own order of keys
            ahead = turn * N_THREADS + (number + turn) % N_THREADS
            event = _NOON + ahead * _TICK
            rows: Iterable[Any] = [_row(key, ahead, event=event) for key in range(n_keys)]
            _put(store, *(rows if number % 2 else reversed(list(rows))))
            _put(store, _row(number % n_keys, -1, event=_NOON - _TICK))
            statuses = {status for status, _ in _get(store, *range(n_keys), at=_NOON + _WEEK)}
            require(statuses, {"fresh"}, "rows while others write")

    run_in_threads(write)
    newest = n_turns * N_THREADS - 1
    found = _get(store, *range(n_keys), at=_NOON + newest * _TICK)
    require(found, [("fresh", newest)] * n_keys, f"rows after {N_THREADS} writers")


#: What an online store must do, check by check; each takes a new store.
ONLINE_STORE_CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    check.__name__.removeprefix("_"): check
    for check in (
        _returns_what_was_put,
        _keeps_values_exactly,
        _tells_keys_apart,
        _takes_keys_of_several_parts,
        _keeps_the_newest_row,
        _does_not_depend_on_order,
        _applies_the_time_to_live_on_read,
        _does_not_serve_the_future,
        _knows_times_of_every_zone,
        _keeps_views_apart,
        _gives_the_features_that_are_named,
        _refuses_a_view_that_changed,
        _drops_a_view,
        _forgets_entities,
        _purges_what_is_older,
        _stores_nothing_of_what_it_refuses,
        _takes_frames,
        _takes_nothing_and_much,
        _lets_the_newest_of_many_writers_win,
    )
}


def check_online_store(make_store: Callable[[], OnlineStore], /) -> None:
    """Raise AssertionError on the first promise that an online store does not keep.

    Parameters
    ----------
    make_store : callable
        Returns a new, empty store. It is called once for each check.

    Raises
    ------
    AssertionError
        Names the check that failed, with what was expected and what was found.

    Examples
    --------
    >>> from prodml.features.memory_store import MemoryOnlineStore
    >>> check_online_store(MemoryOnlineStore)
    """
    for name, check in ONLINE_STORE_CHECKS.items():
        try:
            check(make_store())
        except AssertionError as error:
            message = f"{name}: {error}"
            raise AssertionError(message) from error
        except Exception as error:
            message = f"{name}: no error expected, raised {error!r}."
            raise AssertionError(message) from error
