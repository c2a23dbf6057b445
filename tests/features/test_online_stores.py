"""Online stores: the suite over each of them, and whoever breaks a promise is found out."""

from __future__ import annotations

import enum
import itertools
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import (
    FeatureDefinitionError,
    FeatureError,
    InputTypeError,
    MissingInputError,
    UnknownInputError,
    ViewChangedError,
)
from prodml.features.memory_store import MemoryOnlineStore
from prodml.features.online_rows import restore, text_of_values
from prodml.features.online_store import OnlineStore, PutReport
from prodml.features.online_view import OnlineView
from prodml.features.sqlite_store import SqliteOnlineStore
from prodml.testing import ONLINE_STORE_CHECKS, check_online_store
from tests.features.broken_online_stores import BROKEN, Inner
from tests.postgres import new_schema

STORES = [
    "memory",
    "sqlite-memory",
    "sqlite-file",
    "sqlite-full",
    pytest.param("postgres", marks=pytest.mark.needs_postgres),
    pytest.param("redis", marks=pytest.mark.needs_redis),
]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
VIEW = OnlineView(
    name="v", keys=["id"], features=["x"], event_time="event", created_time="created", ttl=5 * TICK
)
VALID = {"id": 1, "x": 1, "event": NOON, "created": NOON}
PREFIXES = itertools.count()


@pytest.fixture
def make_store(request, tmp_path):
    """Return a function that makes new stores of one kind, which are closed at the end."""
    opened = []

    def make():
        kind = request.param
        if kind == "memory":
            return MemoryOnlineStore()
        if kind == "sqlite-memory":
            store = SqliteOnlineStore(":memory:")
        elif kind == "postgres":
            from prodml.integrations.postgres import PostgresOnlineStore

            server = request.getfixturevalue("postgres_server")
            store = PostgresOnlineStore(server, schema=new_schema())
        elif kind == "redis":
            from prodml.integrations.redis import RedisOnlineStore

            server = request.getfixturevalue("redis_server")
            store = RedisOnlineStore(server, prefix=f"test-{next(PREFIXES)}")
        else:
            durability = "full" if kind == "sqlite-full" else "normal"
            store = SqliteOnlineStore(tmp_path / f"{len(opened)}.db", durability=durability)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.mark.parametrize("make_store", STORES, indirect=True)
@pytest.mark.parametrize("check", ONLINE_STORE_CHECKS)
def test_a_store_keeps_its_promises(make_store, check):
    """The conformance suite, check by check, over a new store each."""
    ONLINE_STORE_CHECKS[check](make_store())


@pytest.mark.parametrize("make_store", STORES, indirect=True)
def test_stores_fit_the_protocol(make_store):
    """They are what the protocol asks for."""
    assert isinstance(make_store(), OnlineStore)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_a_broken_store_is_found_out(broken):
    """Each breaks one promise, and the suite names the check that saw it."""
    with pytest.raises(AssertionError, match=f"^({'|'.join(ONLINE_STORE_CHECKS)}): "):
        check_online_store(broken)


@pytest.mark.parametrize("check", ONLINE_STORE_CHECKS)
def test_each_check_finds_somebody_out(check):
    """None is there for nothing."""
    found_out = []
    for broken in BROKEN:
        try:
            ONLINE_STORE_CHECKS[check](broken())
        except Exception:  # noqa: BLE001 - of whatever kind: it was found out
            found_out.append(broken)
    assert found_out


def test_a_store_of_your_own_passes():
    """Nothing is inherited or registered."""
    check_online_store(Inner)


# ------------------------------------------------------------------------------ against a model

MOMENTS = st.integers(-8, 8).map(lambda ticks: NOON + ticks * TICK)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec=None, exclude_categories=[]), max_size=5),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0)),
)
KEYS = st.one_of(st.integers(0, 2), st.sampled_from(["0", "1", ""]), st.booleans())
ROWS = st.lists(
    st.fixed_dictionaries({"id": KEYS, "x": CELLS, "event": MOMENTS, "created": MOMENTS}),
    max_size=12,
)


def tagged(key):
    """Return a key that a dict does not mix up: to Python, 1 equals True."""
    return type(key).__name__, key


def model(rows, key, at):
    """Return by the plain rule what a store must say; None for a tie, which has two answers."""
    of_key = [row for row in rows if tagged(row["id"]) == tagged(key)]
    if not of_key:
        return "missing", "None"
    times = max((row["event"], row["created"]) for row in of_key)
    values = {repr(row["x"]) for row in of_key if (row["event"], row["created"]) == times}
    if max(times) > at:
        return "future", "None"
    if times[0] < at - VIEW.ttl:
        return "expired", "None"
    return ("fresh", values.pop()) if len(values) == 1 else ("fresh", None)


@given(st.lists(ROWS, max_size=4), MOMENTS, st.randoms(use_true_random=False))
def test_stores_do_what_the_rule_says(batches, at, order):
    """Memory and SQLite agree with it and with each other, however the rows are put."""
    rows = [row for batch in batches for row in batch]
    shuffled = order.sample(rows, len(rows))
    keys = [0, 1, 2, "0", "1", "", True, False]
    answers = []
    for store in (MemoryOnlineStore(), SqliteOnlineStore(":memory:")):
        for batch in batches:
            store.put(VIEW, batch)
        answers.append(
            [(row.status, repr(row.features["x"])) for row in store.get(VIEW, keys, at=at)]
        )
        store.drop("v")
        for row in shuffled:
            store.put(VIEW, row)
        answers.append(
            [(row.status, repr(row.features["x"])) for row in store.get(VIEW, keys, at=at)]
        )
        single = [store.get(VIEW, [key], at=at)[0] for key in keys]
        answers.append([(row.status, repr(row.features["x"])) for row in single])
    assert all(answer == answers[0] for answer in answers)
    for (status, value), key in zip(answers[0], keys, strict=True):
        wanted_status, wanted = model(rows, key, at)
        assert status == wanted_status
        assert wanted is None or value == wanted


@given(st.lists(st.tuples(KEYS, MOMENTS, MOMENTS), max_size=8), MOMENTS)
def test_the_answer_is_that_of_the_point_in_time_join(rows, at):
    """With one row for each key, a fresh value is where training would find one."""
    from prodml.features.feature_view import FeatureView
    from prodml.features.point_in_time import point_in_time_join

    newest = {
        tagged(key): (place, event, created) for place, (key, event, created) in enumerate(rows)
    }
    ids = {key: f"{key[0]}{key[1]}" for key in newest}
    frame = pd.DataFrame(
        [
            (ids[key], float(place), event, created)
            for key, (place, event, created) in newest.items()
        ],
        columns=["id", "x", "event", "created"],
    ).astype({"event": "datetime64[us, UTC]", "created": "datetime64[us, UTC]", "id": object})
    store = MemoryOnlineStore()
    store.put(VIEW, frame)
    keys = [*ids.values(), "none"]
    entities = pd.DataFrame({"id": keys, "at": pd.Series([at] * len(keys))})
    joined = point_in_time_join(
        entities,
        FeatureView(
            name="v", frame=frame, keys=["id"], event_time="event", created_time="created",
            ttl=VIEW.ttl, features=["x"],
        ),
        time="at",
    )  # fmt: skip
    offline = joined.joined["x"].astype(object)
    online = [row.features["x"] for row in store.get(VIEW, keys, at=at)]
    assert online == [None if pd.isna(value) else value for value in offline]


@given(st.lists(CELLS, min_size=3, max_size=3))
def test_values_come_back_bit_for_bit(cells):
    """Whichever reader reads them: both say the same of every text."""
    view = OnlineView(name="v", keys=["id"], features=["a", "b", "c"], event_time="at")
    restored = list(restore(view, text_of_values(cells)).values())
    assert list(map(repr, restored)) == list(map(repr, cells))
    with_time = OnlineView(name="v", keys=["id"], features=[*"abcd"], event_time="at")
    slowly = restore(with_time, text_of_values([*cells, NOON]))
    assert list(map(repr, slowly.values())) == list(map(repr, [*cells, NOON]))


def test_floats_of_every_size_come_back_bit_for_bit():
    """Any 64 bits that are no NaN: a hundred thousand of them."""
    bits = np.random.default_rng(7).integers(-(2**63), 2**63 - 1, 100_000)
    floats = bits.view(np.float64)
    floats = floats[~np.isnan(floats)].tolist()
    view = OnlineView(
        name="v", keys=["id"], features=[f"f{n:06}" for n in range(len(floats))], event_time="at"
    )
    assert list(restore(view, text_of_values(floats)).values()) == floats


# --------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize("make_store", STORES, indirect=True)
def test_a_frame_and_its_records_are_the_same_rows(make_store):
    """Whatever the columns are made of."""
    frame = pd.DataFrame(
        {
            "id": pd.array([1, 2, 3], dtype="Int64"),
            "x": pd.Categorical(["a", None, "b"]),
            "event": pd.date_range("2026-01-01", periods=3, freq="h", tz="Europe/Oslo"),
        }
    )
    frame["created"] = frame["event"]
    one, other = make_store(), make_store()
    one.put(VIEW, frame)
    other.put(VIEW, frame.to_dict("records"))
    at = datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert one.get(VIEW, [1, 2, 3], at=at) == other.get(VIEW, [1, 2, 3], at=at)
    assert [row.status for row in one.get(VIEW, [1, 2, 3], at=at)] == [
        "expired",
        "expired",
        "fresh",
    ]
    assert one.get(VIEW, [3], at=at)[0].features == {"x": "b"}


@pytest.mark.parametrize("by_frame", [True, False])
@pytest.mark.parametrize("text", ["2026-01-01T12:00:00.000000001", "1969-12-31T23:59:59.999999001"])
def test_nanoseconds_never_let_a_row_in_early(text, by_frame):
    """An event between two microseconds counts as the second; of the moment asked, the first."""
    event = pd.Timestamp(text, tz="UTC")
    frame = pd.DataFrame({"id": [1], "x": [7], "event": [event], "created": [event]})
    store = MemoryOnlineStore()
    store.put(VIEW, frame if by_frame else frame.to_dict("records"))
    before = event.floor("us")
    assert store.get(VIEW, [1], at=before.to_pydatetime())[0].status == "future"
    assert store.get(VIEW, [1], at=event)[0].status == "future"
    assert store.get(VIEW, [1], at=(before + TICK).to_pydatetime())[0].features == {"x": 7}


def test_other_units_of_time_are_read_as_they_are():
    """Seconds and milliseconds, and NaT among them."""
    for unit in ("s", "ms", "us", "ns"):
        frame = pd.DataFrame({"id": [1, 2], "x": [1, 2], "event": [NOON, NOON]})
        frame["event"] = frame["event"].astype(f"datetime64[{unit}, UTC]")
        frame["created"] = frame["event"]
        store = MemoryOnlineStore()
        store.put(VIEW, frame)
        assert store.get(VIEW, [2], at=NOON)[0].event == NOON
        frame.loc[1, "event"] = pd.NaT
        with pytest.raises(MissingInputError) as caught:
            store.put(VIEW, frame)
        assert (caught.value.fields, caught.value.rows) == (("event",), (1,))


def test_columns_that_repeat_or_differ_in_length_are_refused():
    """Which of them is meant is not for a store to guess."""
    frame = pd.DataFrame([[1, 2, 3, NOON, NOON]], columns=["id", "x", "x", "event", "created"])
    with pytest.raises(FeatureError, match=r"more than once: \['x'\]"):
        MemoryOnlineStore().put(VIEW, frame)
    columns = {name: frame[name].iloc[:, :1].squeeze("columns").array if name == "x" else
               frame[name].array for name in ("id", "x", "event", "created")}  # fmt: skip
    with pytest.raises(FeatureError, match="of one length"):
        MemoryOnlineStore().put(VIEW, columns | {"x": frame["id"].array[:0]})


@pytest.mark.parametrize(
    ("rows", "field", "row", "told"),
    [
        (7, "rows", None, "must be a DataFrame, columns or records, got int"),
        ("id", "rows", None, "must be a DataFrame, columns or records, got str"),
        ([VALID, 7], "", 1, "Row 1 must be a mapping"),
        ([VALID, VALID | {"x": 2**63}], "x", 1, "which is beyond 64 bits"),
        ([VALID | {"x": NOON.replace(tzinfo=None)}], "x", 0, "which has no time zone"),
        ([VALID | {"x": b"b"}], "x", 0, "which is a bytes"),
        ([VALID, VALID | {"id": 1.0}], "id", 1, "Cast the column to integers or text"),
        ([VALID, VALID | {"event": 5}], "event", 1, "must be an aware datetime"),
    ],
)
def test_rows_of_another_kind_are_refused(rows, field, row, told):
    """With the field, the row and what is wrong."""
    with pytest.raises(InputTypeError, match=told) as caught:
        MemoryOnlineStore().put(VIEW, rows)
    assert (caught.value.field, caught.value.row) == (field, row)


def test_subclasses_are_stored_as_what_they_are():
    """Of text, integers and floats; enumerations by their value."""

    class Colour(str, enum.Enum):
        RED = "red"

    class Level(enum.IntEnum):
        HIGH = 3

    class Metres(float):
        __slots__ = ()

    store = MemoryOnlineStore()
    for key, (value, wanted) in enumerate([(Colour.RED, "red"), (Level.HIGH, 3), (Metres(2), 2.0)]):
        store.put(VIEW, VALID | {"id": key, "x": value})
        found = store.get(VIEW, [key], at=NOON)[0].features["x"]
        assert (type(found), found) == (type(wanted), wanted)
    store.put(VIEW, VALID | {"id": Colour.RED})
    assert store.get(VIEW, ["red"], at=NOON)[0].status == "fresh"


def test_text_that_utf8_cannot_hold_comes_back():
    """Lone surrogates, with and without a brace beside them."""
    for text in ("\ud800", "{\ud800", "{", '{"t":1}'):
        assert restore(VIEW, text_of_values([text])) == {"x": text}
    with pytest.raises(TypeError, match="bytes cannot be stored"):
        text_of_values([b""])


def test_all_that_is_missing_is_told_at_once():
    """Columns that are absent, and rows without a key or a time."""
    with pytest.raises(MissingInputError, match="given as None") as caught:
        MemoryOnlineStore().put(VIEW, [{"id": 1}, {"x": 2}])
    assert set(caught.value.fields) == {"id", "x", "event", "created"}
    assert caught.value.rows == (0, 1)
    rows = [
        {"id": None, "x": 1, "event": NOON, "created": NOON},
        {"id": 1, "x": 1, "event": None, "created": NOON},
    ]
    with pytest.raises(MissingInputError, match=r"'id' in rows \[0\]; 'event' in rows \[1\]"):
        MemoryOnlineStore().put(VIEW, rows)


# ---------------------------------------------------------------------------------------- views


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"name": ""}, ["`name` must be a text"]),
        ({"keys": "id"}, ["`keys` must be names"]),
        ({"keys": []}, ["`keys` must name at least one"]),
        ({"features": ["x", "x"]}, ["'x' more than once"]),
        ({"features": ["id", "x"]}, ["'id' cannot be a key and a feature"]),
        ({"features": [1]}, ["`features` must be names"]),
        ({"event_time": None}, ["`event_time` must be"]),
        ({"created_time": ""}, ["`created_time` must be"]),
        ({"ttl": -TICK, "name": 3}, ["`name` must be", "`ttl` must be a timedelta"]),
        ({"ttl": 3600}, ["`ttl` must be a timedelta"]),
    ],
)
def test_a_view_that_cannot_be_used_says_why(changed, faults):
    """All faults at once."""
    options = {"name": "v", "keys": ["id"], "features": ["x"], "event_time": "event"} | changed
    with pytest.raises(FeatureDefinitionError) as caught:
        OnlineView(**options)
    assert len(caught.value.faults) == len(faults)
    for fault, told in zip(caught.value.faults, faults, strict=True):
        assert told in fault


def test_the_order_of_keys_is_part_of_a_view():
    """That of features is not."""
    one, other = (
        OnlineView(name="v", keys=keys, features=["x"], event_time="at")
        for keys in (["a", "b"], ["b", "a"])
    )
    store = MemoryOnlineStore()
    store.put(one, [])
    with pytest.raises(ViewChangedError, match=r"keys in the order \('a', 'b'\), given as"):
        store.get(other, [(1, 2)], at=NOON)


@pytest.mark.parametrize(
    ("names", "told"),
    [("x", r"give \['x'\]"), (["mean"], "Did you mean 'mean_7d'"), (["q"], "no feature 'q'; it")],
)
def test_unknown_features_are_told_with_what_may_be_meant(names, told):
    """One text is no list of names."""
    view = OnlineView(name="v", keys=["id"], features=["x", "mean_7d"], event_time="at")
    with pytest.raises(UnknownInputError, match=told) as caught:
        MemoryOnlineStore().get(view, [1], names, at=NOON)
    assert caught.value.names == ((names,) if isinstance(names, str) else tuple(names))


def test_a_view_is_a_value():
    """Equal by its fields, hashable, picklable."""
    again = pickle.loads(pickle.dumps(VIEW))
    assert again == VIEW
    assert hash(again) == hash(VIEW)
    assert again.definition == VIEW.definition
    assert VIEW.columns == ("id", "x", "event", "created")


# -------------------------------------------------------------------------------------- results


def answered():
    """Return an answer with a row in each status."""
    store = MemoryOnlineStore()
    store.put(
        VIEW,
        [
            {"id": "<b>", "x": "<i>", "event": NOON, "created": NOON},
            {"id": 2, "x": 2, "event": NOON - 6 * TICK, "created": NOON},
            {"id": 3, "x": 3, "event": NOON, "created": NOON + TICK},
        ],
    )
    return store.get(VIEW, ["<b>", 2, 3, 4], at=NOON)


def test_an_answer_shows_what_it_holds():
    """As a line, a table, a frame and a dict; text of the data is escaped."""
    rows = answered()
    assert repr(rows) == "OnlineRows('v', 4 keys: 1 fresh, 1 expired, 1 future, 1 missing)"
    assert rows.n_with("fresh") == 1
    page = rows._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<i>" not in page
    frame = rows.to_frame()
    assert frame.columns.tolist() == ["id", "status", "event_time", "created_time", "x"]
    assert frame["status"].tolist() == ["fresh", "expired", "future", "missing"]
    assert frame["x"].tolist()[0] == "<i>"
    assert frame["x"].isna().tolist() == [False, True, True, True]
    told = rows.to_dict()
    assert told["rows"][0] == {
        "key": "<b>",
        "status": "fresh",
        "event": "2026-01-01T12:00:00+00:00",
        "created": "2026-01-01T12:00:00+00:00",
        "features": {"x": "<i>"},
    }
    assert told["rows"][3]["event"] is None
    again = pickle.loads(pickle.dumps(rows))
    assert (again, again.view, again.names, again.at) == (rows, VIEW, rows.names, NOON)


def test_an_answer_of_nothing_has_a_frame():
    """With its columns, and evidence that says that nothing was measured."""
    rows = MemoryOnlineStore().get(VIEW, [], at=NOON)
    assert rows.to_frame().shape == (0, 5)
    assert repr(rows) == "OnlineRows('v', 0 keys: none)"
    assert {one.status for one in rows.to_evidence()} == {"insufficient_data"}


def test_an_answer_is_evidence():
    """The share of each status, which an alert can watch."""
    shares = {one.metric: one.value for one in answered().to_evidence()}
    assert shares == {
        f"online_{status}_fraction": 0.25 for status in ("fresh", "expired", "future", "missing")
    }


def test_a_report_counts():
    """As a line, a table, a frame, a dict and evidence."""
    report = PutReport(view="v", n_rows=4, n_written=1)
    assert repr(report) == "PutReport('v', 4 rows: 1 written, 3 stale)"
    assert report.to_frame().to_dict("records") == [report.to_dict()]
    assert "n_stale" in report._repr_html_()
    (evidence,) = report.to_evidence()
    assert (evidence.value, evidence.n) == (0.75, 4)
    (nothing,) = PutReport(view="v", n_rows=0, n_written=0).to_evidence()
    assert (nothing.value, nothing.status) == (None, "insufficient_data")


def test_keys_of_several_parts_are_columns_of_the_frame():
    """One for each part."""
    view = OnlineView(name="v", keys=["a", "b"], features=["x"], event_time="at")
    store = MemoryOnlineStore()
    store.put(view, {"a": 1, "b": "z", "x": 0.5, "at": NOON})
    frame = store.get(view, [(1, "z"), (2, "z")], at=NOON).to_frame()
    assert frame[["a", "b"]].to_numpy().tolist() == [[1, "z"], [2, "z"]]


def test_a_memory_store_pickles_with_its_content():
    """A copy of its own."""
    store = MemoryOnlineStore()
    store.put(VIEW, {"id": 1, "x": 1, "event": NOON, "created": NOON})
    again = pickle.loads(pickle.dumps(store))
    assert again.get(VIEW, [1], at=NOON) == store.get(VIEW, [1], at=NOON)
    again.delete(VIEW, [1])
    assert store.get(VIEW, [1], at=NOON)[0].status == "fresh"
    assert repr(store) == "MemoryOnlineStore({'v': 1})"
    store.get(VIEW, [1], at=NOON)[0].features["x"] = "changed"
    assert store.get(VIEW, [1], at=NOON)[0].features == {"x": 1}
