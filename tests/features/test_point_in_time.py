"""Feature values as they were known: the definition, the report, and what frames can hold."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import (
    FeatureDefinitionError,
    InputTypeError,
    MissingInputError,
    PointInTimeError,
)
from prodml.features.point_in_time import FeatureView, PointInTimeJoin, point_in_time_join
from prodml.testing import check_evidence_source

BASE = 1_700_000_000 * 10**9  # in nanoseconds
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def moments(nanoseconds, unit="us", tz=None):
    """Return a column of times; they must be whole in their unit."""
    counts = np.array([(BASE + one) // UNITS[unit] for one in nanoseconds], dtype=np.int64)
    series = pd.Series(counts.view(f"M8[{unit}]"))
    return series if tz is None else series.dt.tz_localize("UTC").dt.tz_convert(tz)


def seconds(values, **options):
    """Return a column of times that are whole seconds."""
    return moments([one * 10**9 for one in values], **options)


def view_of(frame, **options):
    """Return a view with columns of the usual names, as far as the frame has them."""
    usual = {"name": "v", "keys": "k", "event_time": "event"}
    if "created" in frame.columns:
        usual["created_time"] = "created"
    return FeatureView(frame=frame, **(usual | options))


def small(**options):
    """Return two questions and a view with two rows of the same user."""
    entities = pd.DataFrame({"k": [1, 1], "t": seconds([10, 20])})
    frame = pd.DataFrame({"k": [1, 1], "event": seconds([5, 15]), "x": [0.5, 1.5]})
    return entities, view_of(frame, **options)


def brute(asked, rows, *, as_known, ttl):
    """Answer by looking at every row. Both are lists of (key, nanoseconds ...)."""
    found = []
    for key, at in asked:
        usable = [
            (event, created, row)
            for row, (other, event, created) in enumerate(rows)
            if key is not None and key == other and event <= at
        ]
        plain = max(usable, default=None)
        best = max((one for one in usable if one[1] <= at), default=None) if as_known else plain
        fresh = best is not None and (ttl is None or best[0] >= at - ttl)
        leaks = plain is not None and plain[1] > at and (ttl is None or plain[0] >= at - ttl)
        found.append((best[2] if fresh else -1, best is not None and not fresh, leaks))
    return found


# ------------------------------------------------------------------------------ the definition

_KEYS = st.one_of(st.none(), st.integers(0, 3))
_TIMES = st.integers(0, 12)


@given(
    asked=st.lists(st.tuples(_KEYS, _TIMES), max_size=12),
    rows=st.lists(st.tuples(_KEYS, _TIMES, st.integers(-2, 8)), max_size=20),
    ttl=st.one_of(st.none(), st.integers(1, 9)),
    as_known=st.booleans(),
    step=st.sampled_from([10**9, 10**3, 1]),
    tz=st.sampled_from([None, "UTC", "Asia/Kolkata"]),
)
def test_the_answer_is_the_latest_row_that_was_known(asked, rows, ttl, as_known, step, tz):
    """One row for each row that asks; greatest (event, created), both not after T, ttl last."""
    unit = {10**9: "s", 10**3: "us", 1: "ns"}[step]
    asked = [(key, at * step) for key, at in asked]
    rows = [(key, event * step, (event + late) * step) for key, event, late in rows]
    ttl = None if ttl is None else ttl * step
    entities = pd.DataFrame(
        {
            "k": pd.array([key for key, _ in asked], dtype="Int64"),
            "t": moments([at for _, at in asked], unit=unit, tz=tz),
        }
    )
    frame = pd.DataFrame(
        {
            "k": pd.array([key for key, _, _ in rows], dtype="Int64"),
            "event": moments([event for _, event, _ in rows], unit=unit, tz=tz),
            "created": moments([created for _, _, created in rows], unit=unit, tz=tz),
            "x": np.arange(len(rows), dtype=float),
        }
    )
    age = None if ttl is None else pd.Timedelta(ttl, "ns")

    result = point_in_time_join(entities, view_of(frame, ttl=age), time="t", as_known=as_known)

    expected = brute(asked, rows, as_known=as_known, ttl=ttl)
    one = result.view("v")
    assert one.rows.tolist() == [row for row, _, _ in expected]
    assert one.n_expired == sum(expired for _, expired, _ in expected)
    assert one.n_leaking == sum(leaks for _, _, leaks in expected)
    assert one.positions("leaking").tolist() == [
        at for at, (_, _, leaks) in enumerate(expected) if leaks
    ]
    assert one.n_null_key == sum(key is None for key, _ in asked)
    values = result.joined["x"].to_numpy()
    wanted = [np.nan if row < 0 else float(row) for row, _, _ in expected]
    assert np.array_equal(values, np.array(wanted), equal_nan=True)


@pytest.mark.parametrize("seed", range(8))
def test_merge_asof_agrees_where_it_can_express_the_question(seed):
    """Without created times it is pandas' own join, after a sort and without ties."""
    rng = np.random.default_rng(seed)
    n = 2000
    entities = pd.DataFrame({"k": rng.integers(0, 40, n), "t": seconds(rng.integers(0, 5000, n))})
    frame = pd.DataFrame(
        {
            "k": rng.integers(0, 45, n),
            "event": seconds(rng.integers(0, 5000, n)),
            "x": rng.normal(size=n),
        }
    )
    age = timedelta(seconds=int(rng.integers(1, 400)))

    result = point_in_time_join(entities, view_of(frame, ttl=age), time="t")

    rows = frame.sort_values("event", kind="stable").drop_duplicates(["k", "event"], keep="last")
    asked = entities.reset_index().sort_values("t", kind="stable")
    merged = pd.merge_asof(
        asked, rows, left_on="t", right_on="event", by="k", tolerance=pd.Timedelta(age)
    )
    expected = merged.set_index("index").sort_index()["x"].to_numpy()
    assert np.array_equal(result.joined["x"].to_numpy(), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("ages", "found"), [((7, 0), [True, True]), ((8, 7), [False, True]), ((-1, 0), [False, True])]
)
def test_the_bounds_are_inclusive(ages, found):
    """A row from the moment itself counts, and one that is exactly as old as it may be."""
    entities = pd.DataFrame({"k": [1, 2], "t": seconds([100, 100])})
    frame = pd.DataFrame(
        {"k": [1, 2], "event": seconds([100 - ages[0], 100 - ages[1]]), "x": [1.0, 2.0]}
    )

    result = point_in_time_join(entities, view_of(frame, ttl=timedelta(seconds=7)), time="t")

    assert result.joined["x"].notna().tolist() == found


def test_a_row_written_at_the_moment_itself_was_known():
    """Created time is inclusive as well, and one microsecond later is too late."""
    entities = pd.DataFrame({"k": [1, 2], "t": seconds([100, 100])})
    frame = pd.DataFrame({"k": [1, 2], "event": seconds([90, 90]), "x": [1.0, 2.0]})
    frame["created"] = moments([100 * 10**9, 100 * 10**9 + 1000])

    result = point_in_time_join(entities, view_of(frame), time="t")

    assert result.view("v").rows.tolist() == [0, -1]


def test_the_last_row_of_the_frame_wins_a_full_tie():
    """Rows that agree in both times are ranked by their place, and by created time before that."""
    entities = pd.DataFrame({"k": [1], "t": seconds([9])})
    frame = pd.DataFrame(
        {
            "k": [1, 1, 1, 1],
            "event": seconds([5, 5, 5, 4]),
            "created": seconds([7, 7, 6, 8]),
            "x": [1.0, 2.0, 3.0, 4.0],
        }
    )

    assert point_in_time_join(entities, view_of(frame), time="t").joined["x"].tolist() == [2.0]


@given(st.permutations(range(12)), st.permutations(range(6)))
def test_the_order_of_the_rows_does_not_matter(order, turn):
    """Shuffled rows of the view change nothing; shuffled questions get the same answers."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "k": rng.integers(0, 2, 12),
            "event": seconds(rng.permutation(12)),
            "created": seconds(rng.integers(0, 14, 12)),
            "x": np.arange(12.0),
        }
    )
    entities = pd.DataFrame({"k": rng.integers(0, 2, 6), "t": seconds(rng.integers(0, 14, 6))})
    before = point_in_time_join(entities, view_of(frame), time="t").joined

    after = point_in_time_join(entities.iloc[turn], view_of(frame.iloc[order]), time="t").joined

    pd.testing.assert_frame_equal(after, before.iloc[turn])


@pytest.mark.parametrize("seed", range(60))
def test_units_zones_and_dtypes_in_any_mixture(seed):
    """Each column of time in a unit and zone of its own, several views, keys in any dtype."""
    rng = np.random.default_rng(seed)
    aware = bool(rng.integers(2))
    zones = ["UTC", "Asia/Kolkata", "America/New_York"] if aware else [None]
    units = list(UNITS)[: rng.integers(1, 5)]

    def times(numbers):
        """Return a column and what it holds in nanoseconds."""
        unit = str(rng.choice(units))
        rest = rng.integers(0, 3, len(numbers)) * UNITS[unit]
        held = [int(one) * 10**9 + int(more) for one, more in zip(numbers, rest, strict=True)]
        return moments(held, unit=unit, tz=rng.choice(zones)), held

    def keys(numbers):
        values = [int(one) if one else None for one in numbers]
        kind = rng.choice(["Int64", "object", "float64", "category"])
        return pd.Series(values, dtype=str(kind)), values

    n = int(rng.integers(1, 30))
    key, asked_keys = keys(rng.integers(0, 4, n))
    at, asked_at = times(rng.integers(0, 9, n))
    entities = pd.DataFrame({"k": key.array, "t": at.array}, index=rng.integers(0, 5, n))
    views, tables = [], []
    for name in ("one", "two"):
        m = int(rng.integers(0, 40))
        own, own_keys = keys(rng.integers(0, 4, m))
        happened = rng.integers(0, 9, m)
        event, own_event = times(happened)
        created, own_created = times(happened + rng.integers(-1, 6, m))
        frame = pd.DataFrame({"k": own, "event": event, "created": created, name: range(m)})
        ttl = pd.Timedelta(int(rng.integers(1, 8 * 10**9)), "ns")
        views.append(view_of(frame, name=name, ttl=ttl))
        tables.append((list(zip(own_keys, own_event, own_created, strict=True)), ttl.value))

    for as_known in (True, False):
        result = point_in_time_join(entities, views, time="t", as_known=as_known)

        assert result.joined.index.tolist() == entities.index.tolist()
        for view, (rows, ttl) in zip(result.views, tables, strict=True):
            expected = brute(
                list(zip(asked_keys, asked_at, strict=True)), rows, as_known=as_known, ttl=ttl
            )
            assert view.rows.tolist() == [row for row, _, _ in expected]
            assert view.n_leaking == sum(leaks for _, _, leaks in expected)
            assert view.n_expired == sum(expired for _, expired, _ in expected)


# ------------------------------------------------------------------------------- times


def test_nanoseconds_are_compared_and_not_cut():
    """A row that happened, or was written, 1 ns after the question does not leak into it."""
    entities = pd.DataFrame({"k": [1, 2, 3, 4], "t": moments([1500] * 4, unit="ns")})
    frame = pd.DataFrame(
        {
            "k": [1, 2, 3, 4],
            "event": moments([1500, 1501, 1499, 0], unit="ns"),
            "created": moments([1500, 1501, 1501, 1500], unit="ns"),
            "x": [1.0, 2.0, 3.0, 4.0],
        }
    )
    view = view_of(frame, ttl=pd.Timedelta(1499, "ns"))

    one = point_in_time_join(entities, view, time="t").view("v")

    assert one.rows.tolist() == [0, -1, -1, -1]
    assert one.positions("leaking").tolist() == [2]
    assert one.positions("expired").tolist() == [3]


def test_nanoseconds_meet_microseconds():
    """A question in whole microseconds sees nothing of the microsecond that it stands in."""
    entities = pd.DataFrame({"k": [1, 1], "t": moments([1000, 2000], unit="us")})
    frame = pd.DataFrame({"k": [1], "event": moments([1001], unit="ns"), "x": [1.0]})

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [-1, 0]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("other", UNITS)
def test_units_of_time_make_no_difference(unit, other):
    """Seconds meet nanoseconds, exactly."""
    entities = pd.DataFrame({"k": [1, 1, 1], "t": seconds([9, 10, 11], unit=unit)})
    frame = pd.DataFrame(
        {
            "k": [1, 1],
            "event": seconds([10, 3], unit=other),
            "created": seconds([11, 3], unit=unit),
            "x": [1, 2],
        }
    )

    one = point_in_time_join(entities, view_of(frame), time="t").view("v")

    assert one.rows.tolist() == [1, 1, 0]
    assert one.positions("leaking").tolist() == [1]


def test_time_zones_are_ways_to_write_an_instant():
    """An hour in Kolkata is compared with an hour in New York by what a clock in UTC showed."""
    entities = pd.DataFrame({"k": [1, 1], "t": seconds([10, 20], tz="Asia/Kolkata")})
    frame = pd.DataFrame({"k": [1], "event": seconds([15], tz="America/New_York"), "x": [1.0]})

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [-1, 0]


def test_the_hour_that_comes_twice_is_two_hours():
    """Where clocks are set back, local times repeat and instants do not."""
    twice = pd.to_datetime(["2024-10-27 00:30", "2024-10-27 01:30"], utc=True)
    local = twice.tz_convert("Europe/Berlin")
    assert local[0].replace(tzinfo=None) == local[1].replace(tzinfo=None)
    entities = pd.DataFrame({"k": [1, 1], "t": local})
    frame = pd.DataFrame({"k": [1], "event": local[1:], "x": [1.0]})

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [-1, 0]


def test_objects_that_are_times():
    """datetime, Timestamp and datetime64 in a column of objects are read one by one."""
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    east = at.astimezone(timezone(timedelta(hours=5)))
    cells = [at, pd.Timestamp(east) + pd.Timedelta(1, "ns"), east - timedelta(seconds=1)]
    entities = pd.DataFrame({"k": [1, 1, 1], "t": pd.Series(cells, dtype=object)})
    frame = pd.DataFrame({"k": [1, 1], "event": pd.Series([east, at], dtype=object), "x": [1, 2]})

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [
        1, 1, -1
    ]  # fmt: skip

    naive = pd.Series([np.datetime64("2024-05-01"), datetime(2024, 5, 2)], dtype=object)
    entities = pd.DataFrame({"k": [1, 1], "t": naive})
    frame = pd.DataFrame({"k": [1], "event": pd.to_datetime(["2024-05-02"]), "x": [1]})
    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [-1, 0]


def test_categories_that_are_times():
    """A column of times that repeat may be stored as categories."""
    entities, view = small()
    entities["t"] = entities["t"].astype("category")

    assert point_in_time_join(entities, view, time="t").view("v").rows.tolist() == [0, 1]


@pytest.mark.needs_arrow
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_times_in_arrow(unit, tz):
    """Arrow's timestamps are times like any other."""
    import pyarrow as pa

    entities, view = small()
    entities["t"] = seconds([10, 20], unit=unit, tz=tz).astype(
        pd.ArrowDtype(pa.timestamp(unit, tz))
    )
    frame = view.frame.assign(event=seconds([5, 15], tz=tz))

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [0, 1]


def test_times_that_stand_for_never_do_no_harm():
    """The year 9999 is after everything, the year 1 before it, and neither spoils precision."""
    far = pd.Series(np.array(["9999-12-31", "0001-01-01", "2024-05-01"], dtype="M8[us]"))
    entities = pd.DataFrame({"k": [1, 1], "t": pd.to_datetime(["2024-04-30", "2024-05-01"])})
    frame = pd.DataFrame({"k": [1, 1, 1], "event": far, "created": far[::-1].array, "x": [1, 2, 3]})
    frame["created"] = far.iloc[[0, 1, 2]].array

    one = point_in_time_join(entities, view_of(frame), time="t").view("v")

    assert one.rows.tolist() == [1, 2]
    written = frame.assign(created=far.iloc[[1, 0, 0]].array)
    one = point_in_time_join(entities, view_of(written), time="t").view("v")
    assert (one.rows.tolist(), one.positions("leaking").tolist()) == ([-1, -1], [0, 1])


def test_times_and_keys_too_many_for_one_word():
    """Microseconds over a hundred thousand years and many keys are joined exactly all the same."""
    rng = np.random.default_rng(5)
    n = 400
    whole = rng.integers(-(2**60), 2**60, n)
    near = np.concatenate([whole, whole + rng.integers(-3, 4, n)])
    entities = pd.DataFrame({"k": np.tile(rng.integers(0, 900, n), 2), "t": near.view("M8[us]")})
    frame = pd.DataFrame({"k": entities["k"][:n], "event": whole.view("M8[us]"), "x": whole})

    one = point_in_time_join(entities, view_of(frame), time="t").view("v")

    rows = [(key, event, event) for key, event in zip(frame["k"], whole.tolist(), strict=True)]
    asked = list(zip(entities["k"], near.tolist(), strict=True))
    expected = brute(asked, rows, as_known=False, ttl=None)
    assert one.rows.tolist() == [row for row, _, _ in expected]


# ------------------------------------------------------------------------------- keys


def same_keys():
    """Yield columns for the keys 7, 8 and none, which all mean the same."""
    plain = [7, 8, None]
    yield "Int64", pd.array(plain, dtype="Int64")
    yield "UInt8", pd.array(plain, dtype="UInt8")
    yield "float64", np.array([7.0, 8.0, np.nan])
    yield "float32", np.array([7.0, 8.0, np.nan], dtype="f4")
    yield "object", np.array(plain, dtype=object)
    yield "category", pd.Categorical(plain, categories=[9, 8, 7])
    yield "int64", np.array([7, 8, -1])


@pytest.mark.parametrize("left", [name for name, _ in same_keys()])
@pytest.mark.parametrize("right", [name for name, _ in same_keys()])
def test_numbers_match_by_their_value(left, right):
    """A nullable integer, a float that stands in for one and a category find each other."""
    columns = dict(same_keys())
    entities = pd.DataFrame({"k": columns[left], "t": seconds([10] * 3)})
    frame = pd.DataFrame({"k": columns[right], "event": seconds([5] * 3), "x": [1, 2, 3]})

    one = point_in_time_join(entities, view_of(frame), time="t").view("v")

    assert one.rows.tolist() == [0, 1, 2 if left == right == "int64" else -1]
    assert one.n_null_key == (0 if left == "int64" else 1)


def texts():
    """Yield columns for the keys a, b with a NUL, and none."""
    plain = ["a", "b\0c", None]
    yield "object", np.array(plain, dtype=object)
    yield "default", pd.array(plain, dtype="str" if pd.__version__ >= "3" else "string[python]")
    yield "python", pd.array(plain, dtype="string[python]")
    yield "category", pd.Categorical(plain, categories=["b\0c", "a"])


@pytest.mark.parametrize("left", [name for name, _ in texts()])
@pytest.mark.parametrize("right", [name for name, _ in texts()])
def test_text_matches_in_any_dtype(left, right):
    """Text is text, whatever keeps it, and a NUL in it is a character."""
    columns = dict(texts())
    entities = pd.DataFrame({"k": columns[left], "t": seconds([10] * 3)})
    frame = pd.DataFrame({"k": columns[right], "event": seconds([5] * 3), "x": [1, 2, 3]})

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [
        0, 1, -1
    ]  # fmt: skip


@pytest.mark.needs_arrow
@pytest.mark.parametrize("left", ["string[pyarrow]", "large", "object"])
@pytest.mark.parametrize("right", ["string[pyarrow]", "large", "object"])
def test_text_in_arrow_matches(left, right):
    """Arrow's text meets its own kind and every other."""
    import pyarrow as pa

    def column(dtype):
        dtype = pd.ArrowDtype(pa.large_string()) if dtype == "large" else dtype
        return pd.Series(["a", "b\0c", None], dtype=dtype)

    entities = pd.DataFrame({"k": column(left), "t": seconds([10] * 3)})
    frame = pd.DataFrame({"k": column(right)[::-1].array, "event": seconds([5] * 3)})
    frame["x"] = [1, 2, 3]

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [
        2, 1, -1
    ]  # fmt: skip


def other_keys():
    """Return pairs of keys of further types, which differ."""
    return {
        "decimal": [Decimal("1.10"), Decimal("1.2")],
        "bytes": [b"a", b"b"],
        "date": [date(2024, 5, 1), date(2024, 5, 2)],
        "bool": [True, False],
        "huge": [2**70, 2**70 + 1],
        "unsigned": np.array([2**64 - 1, 2**64 - 2], dtype="u8"),
        "negative": [-5, -4],
        "far apart": [-(2**62), 2**62],
        "fractions": [0.5, 1.5],
        "large floats": [2.0**60, 2.0**61],
        "naive": np.array(["2024-05-01", "2024-05-02"], dtype="M8[us]"),
        "aware": pd.to_datetime(["2024-05-01", "2024-05-02"], utc=True),
        "duration": np.array([1, 2], dtype="m8[us]"),
    }


@pytest.mark.parametrize("name", other_keys())
def test_keys_may_be_of_other_types(name):
    """Whatever has a plain value can be a key."""
    values = other_keys()[name]
    column = pd.Series(values, dtype=object if isinstance(values, list) else None)
    entities = pd.DataFrame({"k": column, "t": seconds([10, 10])})
    frame = pd.DataFrame({"k": column[::-1].array, "event": seconds([5, 5]), "x": [1, 2]})

    assert point_in_time_join(entities, view_of(frame), time="t").view("v").rows.tolist() == [1, 0]


@given(
    st.lists(st.tuples(_KEYS, _KEYS, _TIMES), max_size=12),
    st.lists(st.tuples(_KEYS, _KEYS, _TIMES), max_size=20),
    st.sampled_from([1, 10**12]),
)
def test_keys_of_several_columns_match_where_all_of_them_do(asked, rows, stretch):
    """A pair of keys is one key, and lacks a value where either does."""

    def keys(cells):
        return pd.array([None if one is None else one * stretch for one in cells], dtype="Int64")

    def pair(one):
        return None if None in one[:2] else one[:2]

    entities = pd.DataFrame(
        {
            "a": keys([one[0] for one in asked]),
            "b": [None if one[1] is None else f"b{one[1]}" for one in asked],
            "t": seconds([one[2] for one in asked]),
        }
    )
    frame = pd.DataFrame(
        {
            "a": keys([one[0] for one in rows]),
            "b": [None if one[1] is None else f"b{one[1]}" for one in rows],
            "event": seconds([one[2] for one in rows]),
            "x": np.arange(len(rows)),
        }
    )

    one = point_in_time_join(entities, view_of(frame, keys=["a", "b"]), time="t").view("v")

    expected = brute(
        [(pair(each), each[2]) for each in asked],
        [(pair(each), each[2], each[2]) for each in rows],
        as_known=False,
        ttl=None,
    )
    assert one.rows.tolist() == [row for row, _, _ in expected]
    assert one.n_null_key == sum(pair(each) is None for each in asked)


def test_pairs_of_which_most_do_not_occur():
    """Many values of each part make far more pairs than rows; those without a value match none."""
    n = 40
    numbers = pd.array([None, *range(1, n)], dtype="Int64")
    entities = pd.DataFrame({"a": numbers, "b": numbers[::-1], "t": seconds([10] * n)})
    frame = pd.DataFrame({"a": numbers, "b": numbers[::-1], "event": seconds([5] * n)})
    frame["x"] = range(n)

    one = point_in_time_join(entities, view_of(frame, keys=["a", "b"]), time="t").view("v")

    assert one.rows.tolist() == [-1, *range(1, n - 1), -1]
    assert one.positions("null_key").tolist() == [0, n - 1]


def test_keys_may_have_another_name_in_the_entities():
    """Sender and recipient are both users, and one table is a view of each."""
    entities = pd.DataFrame({"sender": [1, 2], "recipient": [2, 3], "t": seconds([10, 10])})
    frame = pd.DataFrame({"user": [1, 2], "event": seconds([5, 5]), "x": [1.0, 2.0]})
    views = [
        FeatureView(name=role, frame=frame, keys={"user": role}, event_time="event")
        for role in ("sender", "recipient")
    ]

    joined = point_in_time_join(entities, views, time="t", names="prefixed").joined

    assert joined["sender__x"].tolist() == [1.0, 2.0]
    assert joined["recipient__x"].tolist()[0] == 2.0
    assert joined["recipient__x"].isna().tolist() == [False, True]


# ------------------------------------------------------------------------------- the result


def test_rows_columns_and_index_stay():
    """Labels that repeat, in the index or among the columns, do not multiply rows."""
    entities = pd.DataFrame(
        [[1, "a", 1], [1, "b", 2], [2, "c", 3]], columns=["k", "c", "c"], index=[5, 5, 0]
    )
    entities["t"] = seconds([10, 3, 10]).array
    frame = pd.DataFrame({"k": [1], "event": seconds([5]), "x": [1.5], "y": ["z"]})
    frame.index = [9]
    before = entities.copy(), frame.copy()

    joined = point_in_time_join(entities, view_of(frame), time="t").joined

    assert list(joined.columns) == ["k", "c", "c", "t", "x", "y"]
    assert joined.index.tolist() == [5, 5, 0]
    pd.testing.assert_frame_equal(joined.iloc[:, :4], entities)
    assert joined["x"].isna().tolist() == [False, True, True]
    assert joined["y"].tolist()[0] == "z"
    pd.testing.assert_frame_equal(entities, before[0])
    pd.testing.assert_frame_equal(frame, before[1])


def test_the_result_is_a_frame_of_its_own():
    """To change it does not change the entities."""
    entities, view = small()
    joined = point_in_time_join(entities, view, time="t").joined

    joined.loc[0, "k"] = 99
    joined.loc[0, "x"] = 99.0

    assert entities["k"].tolist() == [1, 1]
    assert view.frame["x"].tolist() == [0.5, 1.5]


def columns_of_any_dtype():
    """Return columns of two values, with the dtype they have beside a gap."""
    return {
        "float64": (np.array([1.5, -0.0]), "float64"),
        "float32": (np.array([1.5, 2.5], dtype="f4"), "float32"),
        "int64": (np.array([2**62 + 1, -5]), "Int64"),
        "uint8": (np.array([1, 2], dtype="u1"), "UInt8"),
        "bool": (np.array([True, False]), "boolean"),
        "Int8": (pd.array([1, 2], dtype="Int8"), "Int8"),
        "datetime": (np.array(["2024-05-01", "2024-05-02"], dtype="M8[us]"), "datetime64[us]"),
        "duration": (np.array([1, 2], dtype="m8[us]"), "timedelta64[us]"),
        "category": (pd.Categorical(["a", "b"]), "category"),
        "object": (np.array([[1], {"a": 2}], dtype=object), "object"),
        "string": (pd.array(["a", "b"], dtype="string[python]"), "string"),
        "complex": (np.array([1j, 2]), "complex128"),
        "sparse": (pd.arrays.SparseArray([1.0, 0.0]), "Sparse[float64, nan]"),
        "period": (pd.period_range("2024-05", periods=2, freq="M"), "period[M]"),
    }


@pytest.mark.parametrize("name", columns_of_any_dtype())
@pytest.mark.parametrize("n_rows", [2, 0])
def test_features_keep_their_dtype(name, n_rows):
    """Values come back as they were, and integers do not turn into floats beside a gap."""
    values, dtype = columns_of_any_dtype()[name]
    column = pd.Series(values, dtype=object if name == "object" else None)
    frame = pd.DataFrame({"k": [1, 2], "event": seconds([5, 5])})
    frame["x"] = column
    view = view_of(frame.iloc[:n_rows])
    whole = pd.DataFrame({"k": [2, 1], "t": seconds([10, 10])})

    gap = point_in_time_join(whole.assign(k=[2, 3]), view, time="t").joined["x"]

    assert str(gap.dtype) == dtype
    assert gap.isna().tolist() == [n_rows == 0, True]
    if n_rows:
        full = point_in_time_join(whole, view, time="t").joined["x"]
        assert full.dtype == column.dtype
        assert full.tolist() == column.tolist()[::-1]
        assert gap.tolist()[0] == column.tolist()[1]


def test_empty_frames_work():
    """No questions, no rows, no columns to add, and no views."""
    entities, view = small()
    assert point_in_time_join(entities[:0], view, time="t").joined.shape == (0, 3)
    assert (
        point_in_time_join(entities, view_of(view.frame[:0]), time="t").view("v").n_unmatched == 2
    )
    alone = point_in_time_join(entities, [], time="t")
    assert list(alone.joined.columns) == ["k", "t"]
    assert (len(alone.to_frame()), alone.to_evidence()) == (0, ())
    bare = view_of(view.frame[["k", "event"]])
    result = point_in_time_join(entities, bare, time="t")
    assert result.view("v").n_matched == 2
    assert list(result.joined.columns) == ["k", "t"]
    untyped = view_of(pd.DataFrame({"k": [], "event": [], "x": []}, dtype=object))
    assert point_in_time_join(entities, untyped, time="t").joined["x"].isna().all()


def test_several_views_answer_independently():
    """Each view has its own keys, age and times, and its own line in the report."""
    entities = pd.DataFrame({"u": [1, 2], "shop": ["a", "b"], "t": seconds([10, 10])})
    users = pd.DataFrame(
        {
            "u": [1, 1, 2],
            "event": seconds([1, 2, 9]),
            "created": seconds([1, 11, 9]),
            "x": [1, 2, 3],
        }
    )
    shops = pd.DataFrame({"shop": ["a", "a"], "event": seconds([3, 12]), "y": [0.5, 1.5]})
    views = [
        view_of(users, name="users", keys="u"),
        view_of(shops, name="shops", keys="shop", ttl=timedelta(seconds=5)),
    ]

    result = point_in_time_join(entities, views, time="t")

    assert result.joined["x"].tolist() == [1, 3]
    assert result.joined["y"].isna().tolist() == [True, True]
    assert result.to_dict() == {
        "n_rows": 2,
        "views": [
            {
                "view": "users", "n_rows": 2, "n_matched": 2, "n_unmatched": 0, "n_expired": 0,
                "n_null_key": 0, "n_leaking": 1, "as_known": True,
            },
            {
                "view": "shops", "n_rows": 2, "n_matched": 0, "n_unmatched": 1, "n_expired": 1,
                "n_null_key": 0, "n_leaking": None, "as_known": False,
            },
        ],
    }  # fmt: skip
    assert result.to_frame()["n_leaking"].tolist() == [1, pd.NA]


def test_only_the_named_features_are_added():
    """In the order in which they are named."""
    entities, view = small()
    frame = view.frame.assign(y=[1, 2], z=[3, 4])

    joined = point_in_time_join(entities, view_of(frame, features=["z", "x"]), time="t").joined

    assert list(joined.columns) == ["k", "t", "z", "x"]


def test_labels_need_not_be_text():
    """Columns of a frame without header are numbers."""
    entities = pd.DataFrame({0: [1], 1: seconds([10])})
    frame = pd.DataFrame({0: [1], 2: seconds([5]), 3: [0.5]})
    view = FeatureView(name="v", frame=frame, keys=0, event_time=2)

    assert point_in_time_join(entities, view, time=1).joined[3].tolist() == [0.5]


def leaking_result(*, as_known):
    """Return a join of four rows: matched, changed by what came late, expired, without key."""
    entities = pd.DataFrame(
        {"k": pd.array([1, 2, 3, None], dtype="Int64"), "t": seconds([100] * 4)}
    )
    frame = pd.DataFrame(
        {
            "k": [1, 2, 2, 3],
            "event": seconds([95, 91, 99, 50]),
            "created": seconds([95, 91, 200, 50]),
            "x": [1.0, 2.0, 3.0, 4.0],
        }
    )
    view = view_of(frame, ttl=timedelta(seconds=10))
    return point_in_time_join(entities, view, time="t", as_known=as_known)


@pytest.mark.parametrize(("as_known", "verdict"), [(True, "pass"), (False, "fail")])
def test_the_report_says_what_would_have_leaked(as_known, verdict):
    """The same rows are named either way; whether they are in the result decides."""
    result = leaking_result(as_known=as_known)

    assert result.joined["x"].tolist()[:2] == [1.0, 2.0 if as_known else 3.0]
    check_evidence_source(result)
    unmatched, expired, leaking = result.to_evidence()
    assert (unmatched.value, expired.value, leaking.value) == (0.25, 0.25, 0.25)
    assert leaking.series == 'features_point_in_time_leaking{view="v"}'
    assert leaking.verdict == verdict
    assert result.view("v").positions("leaking").tolist() == [1]
    assert [result.view("v").positions(one).tolist() for one in ("expired", "null_key")] == [
        [2], [3]
    ]  # fmt: skip


def test_what_cannot_be_told_is_not_called_a_pass():
    """Without created times, and without rows, there is no number and no verdict."""
    entities, view = small()

    *_, leaking = point_in_time_join(entities, view, time="t").to_evidence()
    assert (leaking.value, leaking.status, leaking.verdict) == (None, "not_estimable", None)
    assert point_in_time_join(entities, view, time="t").view("v").positions("leaking").size == 0

    nothing = point_in_time_join(
        entities[:0], view_of(view.frame.assign(created=view.frame["event"])), time="t"
    )
    assert {one.status for one in nothing.to_evidence()} == {"insufficient_data"}
    check_evidence_source(nothing)


def test_a_result_shows_itself():
    """One line, a table whose text is escaped, plain JSON values, and a pickle."""
    result = leaking_result(as_known=True)

    assert repr(result) == "PointInTimeJoin(4 rows, views: 'v')"
    assert repr(result.view("v")) == (
        "ViewJoin('v', 4 rows: 2 matched, 0 unmatched, 1 expired, 1 null_key; leaking: 1)"
    )
    assert "left out" in result._repr_html_()
    assert "taken" in leaking_result(as_known=False)._repr_html_()
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    again = pickle.loads(pickle.dumps(result))
    pd.testing.assert_frame_equal(again.joined, result.joined)
    assert again.to_dict() == result.to_dict()

    entities, view = small(name="<b>")
    other = point_in_time_join(entities, view, time="t")
    assert "<b>" not in other._repr_html_()
    assert "unknown" in other._repr_html_()
    assert repr(other.view("<b>")).endswith("leaking: unknown)")
    assert repr(point_in_time_join(entities, [], time="t")) == (
        "PointInTimeJoin(2 rows, views: none)"
    )
    assert isinstance(result, PointInTimeJoin)
    with pytest.raises(KeyError):
        result.view("w")


def test_positions_cannot_be_overwritten():
    """What a report is computed from does not change."""
    with pytest.raises(ValueError, match="read-only"):
        leaking_result(as_known=True).view("v").rows[0] = 5


# ------------------------------------------------------------------------------- bad input


def bad_times():
    """Return columns of times that are none, with the error and what it says."""
    aware = datetime(2024, 5, 1, tzinfo=UTC)
    return {
        "missing": (seconds([1, 2]).where([True, False]), PointInTimeError, "no time in", (1,)),
        "missing object": ([aware, None], PointInTimeError, "no time in row 1", (1,)),
        "NaT object": ([pd.NaT, aware], PointInTimeError, "no time in row 0", (0,)),
        "text": (["2024-05-01", "2024-05-02"], InputTypeError, "to_datetime", None),
        "number": ([1, 2], InputTypeError, "unit=", None),
        "date": ([date(2024, 5, 1)] * 2, InputTypeError, "the time of that day", None),
        "month": ([np.datetime64("2024-05")] * 2, InputTypeError, "datetime64", None),
        "mixed": ([aware, datetime(2024, 5, 1)], PointInTimeError, "without one", (0, 1)),
        "too far": (np.array([0, 2**62], dtype="M8[s]"), PointInTimeError, "cannot count", (1,)),
        "too far object": (
            [datetime(2024, 5, 1), np.datetime64(2**62, "s")], PointInTimeError, "cannot", (1,)
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", bad_times())
@pytest.mark.parametrize("place", ["t", "event", "created"])
def test_what_is_no_time_is_refused(name, place):
    """The error names the column, whose it is, and the rows."""
    values, error, words, rows = bad_times()[name]
    column = pd.Series(values, dtype=object if isinstance(values, list) else None)
    if name == "number":
        column = column.astype("int64")
    entities, view = small()
    tables = {"t": entities, "event": view.frame, "created": view.frame}
    tables[place][place] = column

    with pytest.raises(error, match=words) as caught:
        point_in_time_join(entities, view_of(view.frame), time="t")

    owner = "the entities" if place == "t" else "view 'v'"
    assert f"Column {place!r} of {owner}" in str(caught.value)
    if rows is None:
        assert caught.value.field == place
    else:
        assert (caught.value.column, caught.value.rows) == (place, rows)


def test_many_rows_without_a_time_are_counted():
    """The first rows are named, and the others counted."""
    entities = pd.DataFrame({"k": range(1000), "t": pd.to_datetime([None] * 1000)})

    with pytest.raises(PointInTimeError, match="rows 0, 1, 2, 3, 4 and 995 more") as caught:
        point_in_time_join(entities, [], time="t")

    assert caught.value.rows == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("place", ["t", "event", "created"])
def test_naive_and_aware_times_do_not_mix(place):
    """Nobody knows which is earlier."""
    entities, view = small()
    frame = view.frame.assign(created=seconds([5, 15]))
    if place == "t":
        entities["t"] = seconds([10, 20], tz="UTC")
    else:
        frame[place] = seconds([10, 20], tz="UTC")

    with pytest.raises(PointInTimeError, match="time zone") as caught:
        point_in_time_join(entities, view_of(frame), time="t")

    assert caught.value.column == ("event" if place == "t" else place)


def test_nanoseconds_beside_the_year_1_are_refused():
    """What 64 bits cannot count is said, rather than cut."""
    entities = pd.DataFrame({"k": [1], "t": moments([1], unit="ns")})
    frame = pd.DataFrame({"k": [1], "event": np.array(["0001-01-01"], dtype="M8[us]"), "x": [1]})

    with pytest.raises(PointInTimeError, match="in nanoseconds") as caught:
        point_in_time_join(entities, view_of(frame), time="t")

    assert (caught.value.column, caught.value.rows) == ("event", (0,))


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        pytest.param(["1", "2"], [1, 2], "another type", id="text and numbers"),
        pytest.param([True, False], [1, 0], "another type", id="booleans and numbers"),
        pytest.param([1, 2], [1.5, 2.0], "another type", id="numbers and fractions"),
        pytest.param([1, 2**60], [1.0, 2.0**60], "another type", id="numbers beyond 2 ** 53"),
        pytest.param([1, 2], [1.0, float("inf")], "another type", id="numbers and infinity"),
        pytest.param([[1], [2]], [1, 2], "is no key", id="lists"),
        pytest.param([1, "a"], [1, 2], "is no key", id="mixed"),
    ],
)
def test_keys_that_could_never_match_are_refused(left, right, words):
    """A join of text with numbers would find nothing, silently."""
    entities = pd.DataFrame({"k": pd.Series(left, dtype=object), "t": seconds([10, 10])})
    frame = pd.DataFrame({"k": right, "event": seconds([5, 5]), "x": [1, 2]})

    with pytest.raises(PointInTimeError, match=words) as caught:
        point_in_time_join(entities, view_of(frame), time="t")

    assert caught.value.column == "k"


def test_absent_columns_are_named_together():
    """With what they may have meant."""
    frame = pd.DataFrame({"user": [1], "event": seconds([5])})

    with pytest.raises(MissingInputError, match="did you mean 'user'") as caught:
        FeatureView(name="v", frame=frame, keys="usr", event_time="event", created_time="zzz")
    assert caught.value.fields == ("usr", "zzz")
    assert isinstance(caught.value, KeyError)

    view = FeatureView(name="v", frame=frame, keys={"user": "who"}, event_time="event")
    with pytest.raises(MissingInputError, match="the entities") as caught:
        point_in_time_join(pd.DataFrame({"user": [1]}), view, time="at")
    assert caught.value.fields == ("at", "who")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": []}, "has no key"),
        ({"name": ""}, "`name` must be text"),
        ({"name": 7}, "`name` must be text"),
        ({"keys": "event"}, "has two roles"),
        ({"created_time": "event"}, "has two roles"),
        ({"features": ["x", "x"]}, "has two roles"),
        ({"features": ["k"]}, "has two roles"),
        ({"ttl": timedelta(0)}, "above 0"),
        ({"ttl": timedelta(days=-1)}, "None is for no limit"),
    ],
)
def test_a_view_that_contradicts_itself_is_refused(options, words):
    """When it is made, not when it is used."""
    with pytest.raises(FeatureDefinitionError, match=words) as caught:
        small(**options)

    assert len(caught.value.faults) == 1


def test_all_faults_of_a_view_are_told_together():
    """A view without a key and with a negative age has two faults."""
    with pytest.raises(FeatureDefinitionError) as caught:
        small(keys=[], ttl=timedelta(-1), features=["x", "x"])

    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    "ttl", [7, "7 days", np.timedelta64("NaT", "s"), np.timedelta64(1, "M"), pd.NaT, 1.5]
)
def test_an_age_is_a_duration(ttl):
    """A bare number has no unit."""
    with pytest.raises(InputTypeError, match="timedelta") as caught:
        small(ttl=ttl)

    assert caught.value.field == "ttl"


@pytest.mark.parametrize(
    "ttl",
    [
        timedelta(seconds=5),
        pd.Timedelta(5, "s"),
        np.timedelta64(5, "s"),
        np.timedelta64(5 * 10**9, "ns"),
    ],
)
def test_an_age_may_be_written_in_several_ways(ttl):
    """Python's, pandas' and numpy's durations are one."""
    entities, view = small(ttl=ttl)

    assert view.ttl_ns == 5 * 10**9
    assert point_in_time_join(entities, view, time="t").view("v").rows.tolist() == [0, 1]


def test_ages_of_any_length_and_fineness():
    """A nanosecond counts, and a million years are no overflow."""
    assert small(ttl=pd.Timedelta(1, "ns"))[1].ttl_ns == 1
    assert small(ttl=np.timedelta64(10**6 * 366, "D"))[1].ttl_ns == 10**6 * 366 * 86_400 * 10**9
    entities, view = small(ttl=np.timedelta64(10**6 * 366, "D"))
    assert point_in_time_join(entities, view, time="t").view("v").rows.tolist() == [0, 1]


def test_a_frame_is_a_frame():
    """A dict of lists is none."""
    with pytest.raises(InputTypeError, match="DataFrame"):
        FeatureView(name="v", frame={"k": [1]}, keys="k", event_time="event")
    with pytest.raises(InputTypeError, match="`entities`"):
        point_in_time_join({"k": [1]}, [], time="t")


def test_a_column_that_is_needed_occurs_once():
    """Of two columns with one label nobody knows which is meant."""
    entities, view = small()
    frame = pd.concat([view.frame, view.frame[["k"]]], axis=1)

    with pytest.raises(FeatureDefinitionError, match="'k' occurs twice in view 'v'"):
        view_of(frame)
    with pytest.raises(FeatureDefinitionError, match="'t' occurs twice in the entities"):
        point_in_time_join(pd.concat([entities, entities[["t"]]], axis=1), view, time="t")


def test_names_that_clash_are_refused_together():
    """With entities, with another view, and views among themselves."""
    entities, view = small()
    entities["x"] = 1

    with pytest.raises(FeatureDefinitionError) as caught:
        point_in_time_join(entities, [view, view], time="t")
    assert len(caught.value.faults) == 3
    assert "names='prefixed'" in caught.value.faults[0]

    other = view_of(view.frame, name="w")
    with pytest.raises(FeatureDefinitionError, match="of view 'w' is also a column of view 'v'"):
        point_in_time_join(entities[["k", "t"]], [view, other], time="t")

    joined = point_in_time_join(entities, view, time="t", names="prefixed").joined
    assert list(joined.columns) == ["k", "t", "x", "v__x"]
    with pytest.raises(FeatureDefinitionError, match="also a column of the entities"):
        point_in_time_join(joined, view, time="t", names="prefixed")


@pytest.mark.parametrize(
    ("options", "words"), [({"names": "short"}, "`names`"), ({"as_known": "yes"}, "`as_known`")]
)
def test_options_are_checked(options, words):
    """A typing error is no answer."""
    entities, view = small()

    with pytest.raises(FeatureDefinitionError, match=words):
        point_in_time_join(entities, view, time="t", **options)


def test_views_are_views():
    """A bare frame has no times."""
    entities, view = small()

    with pytest.raises(FeatureDefinitionError, match="FeatureViews"):
        point_in_time_join(entities, [view.frame], time="t")


def test_a_view_shows_itself_and_pickles():
    """One line, without the rows."""
    view = small(ttl=timedelta(days=1))[1]

    assert repr(view) == "FeatureView('v', 2 rows, keys ['k'], features ['x'])"
    again = pickle.loads(pickle.dumps(view))
    assert (again.keys, again.features, again.ttl) == (view.keys, view.features, view.ttl)
