from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections import UserDict, defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from prodml.errors import (
    FeatureError,
    FormatError,
    InputTypeError,
    MissingInputError,
    NewerSchemaError,
    StorageError,
    UnkeyableError,
)
from prodml.features.logged_features import LoggedFeatures, ServingCounts
from prodml.features.served_log import MemoryServedLog, ServedLog, ServedRecord
from prodml.features.sqlite_served_log import SqliteServedLog
from prodml.features.stable_sample import StableSample
from prodml.testing import FakeClock, check_evidence_source
from tests.features.orders import NOON, orders, records, rows

FRAME = rows()
FITTED = orders().fit(FRAME)
RECORDS = records(FRAME)
ABSENT = object()


def record(number=1, at=NOON, **facts):
    """Return a served record."""
    content = {
        "key": number,
        "at": at,
        "inputs": {"amount": 1.5, "city": None},
        "features": (1.0, math.nan),
        "columns": ("a", "b"),
        "name": "orders",
        "version": "1",
        "fingerprint": "f" * 64,
        "environment": "here",
    }
    return ServedRecord(**(content | facts))


def keys(log):
    """Return the keys of the records of a log, in order."""
    return [one.key for one in log.records()]


# ------------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_a_fraction_of_entities_is_sampled(fraction):
    """Of many keys the share is within five standard errors."""
    n = 20_000
    sample = StableSample(fraction)
    for make in (int, str, lambda i: ("shop", i)):
        share = sum(sample.holds(make(i)) for i in range(n)) / n
        assert abs(share - fraction) < 5 * math.sqrt(fraction * (1 - fraction) / n)


def test_none_and_all():
    """At 0 nothing is sampled and at 1 everything."""
    assert not any(StableSample(0).holds(i) for i in range(1000))
    assert all(StableSample(1).holds(i) for i in range(1000))


def test_the_sample_is_pinned():
    """These keys are in it for ever: another hash would break every log that spans an upgrade."""
    sample = StableSample(0.05)

    assert [i for i in range(100) if sample.holds(i)] == [9, 12, 21, 44, 99]
    assert [i for i in range(100) if sample.holds(f"customer-{i}")] == [
        14,
        15,
        39,
        44,
        50,
        59,
        85,
        90,
        96,
    ]
    assert [i for i in range(100) if StableSample(0.05, "again").holds(i)] == [
        25,
        38,
        63,
        66,
        72,
        79,
        89,
        90,
        99,
    ]


PROCESS = """
from prodml.features.stable_sample import StableSample
sample = StableSample(0.2)
print([sample.holds(key) for i in range(50) for key in (i, f"k{i}", (i, "x"))])
"""


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_every_process_samples_the_same(seed):
    """The hash is not that of the interpreter, which differs from process to process."""
    environ = os.environ | {"PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", PROCESS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    sample = StableSample(0.2)

    assert done.stdout.strip() == str(
        [sample.holds(key) for i in range(50) for key in (i, f"k{i}", (i, "x"))]
    )


@given(key=st.integers() | st.text(max_size=8), low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_smaller_sample_is_part_of_a_larger(key, low, high):
    """Whoever turns the fraction up keeps the entities that were followed before."""
    low, high = sorted((low, high))

    assert StableSample(low).holds(key) <= StableSample(high).holds(key)


@given(number=st.integers(-(2**31), 2**31 - 1))
def test_a_number_of_numpy_is_a_number(number):
    """A pipeline that has keys in an array samples as a service that has them from JSON."""
    sample = StableSample(0.5)

    assert sample.holds(np.int32(number)) == sample.holds(number)
    assert sample.holds(np.int64(number)) == sample.holds(number)
    assert sample.holds(np.str_(number)) == sample.holds(str(number))


@pytest.mark.parametrize("key", [UUID(int=5), date(2026, 1, 1), ("a", 1), 1.5, True, b"x"])
def test_what_can_be_a_key(key):
    """Plain values and tuples of them."""
    assert StableSample(1.0).holds(key)


@pytest.mark.parametrize("key", [None, math.nan, pd.NA, pd.NaT, (1, None), ("a", math.nan)])
def test_no_key_is_in_no_sample(key):
    """All requests without a key would be one entity."""
    with pytest.raises(MissingInputError, match="missing"):
        StableSample(1.0).holds(key)


def test_other_objects_are_no_keys():
    """What has no canonical bytes cannot be found again."""
    with pytest.raises(UnkeyableError):
        StableSample(1.0).holds(object())


@pytest.mark.parametrize(
    ("fraction", "salt", "name"),
    [
        (-0.1, "", "fraction"),
        (1.1, "", "fraction"),
        (math.nan, "", "fraction"),
        ("0.1", "", "fraction"),
        (True, "", "fraction"),
        (0.1, "seventeen letters", "salt"),
        (0.1, b"x", "salt"),
    ],
)
def test_samples_that_are_none(fraction, salt, name):
    """A fraction is one, and a salt is short."""
    with pytest.raises(FeatureError, match=f"`{name}`"):
        StableSample(fraction, salt)


# -------------------------------------------------------------------------------------- serving


def service(log, **options):
    """Return features that log everything."""
    return LoggedFeatures(FITTED, log, **({"key": "id", "fraction": 1.0} | options))


def test_what_is_served_is_what_the_features_are():
    """The log changes nothing: one by one and together the bits are those of the features."""
    log = MemoryServedLog()
    served = service(log)
    singles = np.array([served.transform_one(one) for one in RECORDS])
    many = served.transform_many(RECORDS)

    assert singles.tobytes() == np.ascontiguousarray(FITTED.transform(FRAME)).tobytes()
    assert many.tobytes() == FITTED.transform_many(RECORDS).tobytes()
    assert keys(log) == list(range(200)) * 2
    assert served.fitted is FITTED


def test_a_record_has_what_an_audit_needs():
    """Raw inputs as they came, features to the bit, the key, the time and the fingerprint."""
    log, clock = MemoryServedLog(), FakeClock(NOON)
    raw = RECORDS[3] | {"unknown": "is left out"}
    row = service(log, clock=clock).transform_one(raw)
    (one,) = log.records()
    row[:] = 0  # the caller's own

    assert one.key == raw["id"]
    assert one.at == NOON
    assert dict(one.inputs) == {
        name: raw[name] for name in ("amount", "n_items", "gift", "city", "at")
    }
    assert np.array(one.features).tobytes() == FITTED.transform_one(raw).tobytes()
    assert (one.columns, one.fingerprint) == (FITTED.columns, FITTED.fingerprint)
    assert (one.name, one.version) == ("orders", "1")
    assert one.environment.startswith("numpy ")
    assert pickle.loads(pickle.dumps(one)).inputs == one.inputs


def test_an_absent_key_stays_absent():
    """A nullable input that was not sent is not made up."""
    log = MemoryServedLog()
    served = service(log)
    served.transform_one({name: cell for name, cell in RECORDS[0].items() if name != "city"})
    served.transform_one(UserDict(RECORDS[0]))
    served.transform_one(defaultdict(lambda: None, RECORDS[0]))
    first, *others = log.records()

    assert "city" not in first.inputs
    assert all("city" in one.inputs for one in others)


@pytest.mark.parametrize(
    ("key", "expected"),
    [("id", 7), (["id", "n_items"], (7, 2)), (lambda record: f"c{record['id']}", "c7")],
)
def test_how_a_key_is_found(key, expected):
    """By a name, by several, or by a function."""
    log = MemoryServedLog()
    service(log, key=key).transform_one(RECORDS[0] | {"id": 7, "n_items": 2})

    assert keys(log) == [expected]


def test_only_the_sample_is_logged():
    """Everything is served and counted; what is in the sample is kept, all of it."""
    log = MemoryServedLog()
    served = service(log, fraction=0.2)
    for _ in range(3):
        served.transform_many(RECORDS)
    sample = StableSample(0.2)
    expected = [i for i in range(200) if sample.holds(i)]

    assert keys(log) == expected * 3
    assert served.counts == ServingCounts(
        n_served=600,
        n_sampled=3 * len(expected),
        n_logged=3 * len(expected),
        n_failed=0,
        last_failure=None,
        subject=FITTED.fingerprint,
    )


class BrokenLog:
    """A log that fails now and then."""

    def __init__(self, failures):
        self.failures = iter(failures)

    def append(self, record, /):
        """Fail, where it is time to."""
        if (failure := next(self.failures)) is not None:
            raise failure


def test_a_request_does_not_fail_because_of_the_log():
    """What the log refuses is served all the same, counted, and told once without any value."""
    log = BrokenLog([None, OSError("disk"), ValueError("secret 42"), None])
    served = service(log)
    capture = structlog.testing.LogCapture()
    # `capture_logs` would leave structlog configured, and other tests without their events
    structlog.configure(processors=[capture])
    try:
        for one in RECORDS[:4]:
            assert served.transform_one(one).tobytes() == FITTED.transform_one(one).tobytes()
    finally:
        structlog.reset_defaults()
    counts = served.counts

    assert (counts.n_served, counts.n_sampled, counts.n_logged, counts.n_failed) == (4, 4, 2, 2)
    assert counts.last_failure == "ValueError: secret 42"
    assert capture.entries == [
        {
            "event": "served_log_failed",
            "log_level": "warning",
            "features": "orders",
            "version": "1",
            "error": "OSError",
        }
    ]


def test_nor_because_of_a_logger(monkeypatch):
    """A logger that raises is as harmless."""

    def broken(name):
        raise RuntimeError(name)

    monkeypatch.setattr("prodml.features.logged_features.get_logger", broken)
    served = service(BrokenLog([OSError("disk")]))

    assert served.transform_one(RECORDS[0]).size == 7
    assert served.counts.n_failed == 1


@pytest.mark.parametrize("id_", [None, math.nan, pd.NA, object(), ABSENT])
def test_a_request_without_a_key_is_served_and_counted(id_):
    """It belongs to no entity, so that it is not logged, and that is not silent."""
    log = MemoryServedLog()
    served = service(log)
    raw = dict(RECORDS[0], id=id_)
    if id_ is ABSENT:
        del raw["id"]
    served.transform_one(raw)

    assert len(log) == 0
    assert served.counts.n_failed == 1
    assert "key" in served.counts.last_failure
    assert check_evidence_source(served.counts)[0].verdict == "warn"


def test_a_request_that_fails_was_not_served():
    """The error of the features goes to the caller, and nothing is counted."""
    log = MemoryServedLog()
    served = service(log)
    with pytest.raises(InputTypeError):
        served.transform_one(RECORDS[0] | {"n_items": "three"})
    with pytest.raises(MissingInputError):
        served.transform_many([{}])

    assert served.counts.n_served == 0
    assert len(log) == 0


def test_threads_lose_no_count():
    """Counts and records add up, whoever serves."""
    log = MemoryServedLog()
    served = service(log)
    threads = [
        threading.Thread(target=lambda: [served.transform_one(one) for one in RECORDS])
        for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert served.counts.n_served == served.counts.n_logged == len(log) == 1600


def test_how_counts_look():
    """One line, plain values, a frame, a table, and evidence in which nothing is hidden."""
    served = service(MemoryServedLog())
    empty = check_evidence_source(served.counts)
    served.transform_many(RECORDS[:10])
    counts = served.counts

    assert empty[1].status == "insufficient_data"
    assert [one.value for one in check_evidence_source(counts)] == [0, 1.0]
    assert repr(counts) == "<ServingCounts: 10 served, 10 sampled, 10 logged, 0 failed>"
    assert counts.to_dict()["n_served"] == 10
    assert counts.to_frame()["n_logged"].tolist() == [10]
    assert "n_failed" in counts._repr_html_()
    assert repr(served) == "<LoggedFeatures orders 1: 1 of entities>"
    assert pickle.loads(pickle.dumps(counts)) == counts


@pytest.mark.parametrize(
    ("log", "options", "told"),
    [
        (object(), {}, "`log` must have"),
        (MemoryServedLog(), {"key": 3}, "`key` must be"),
        (MemoryServedLog(), {"key": []}, "`key` must be"),
        (MemoryServedLog(), {"key": ["id", 3]}, "`key` must be"),
        (MemoryServedLog(), {"fraction": 2}, "`fraction` must be"),
    ],
)
def test_what_cannot_serve(log, options, told):
    """A log, a key and a fraction are checked before the first request."""
    with pytest.raises(FeatureError, match=told):
        service(log, **options)


# -------------------------------------------------------------------------- logs, in memory first


@pytest.fixture(params=["memory", "sqlite", "sqlite in memory"])
def log(request, tmp_path):
    """Yield an empty log of each kind."""
    if request.param == "memory":
        yield MemoryServedLog()
        return
    where = ":memory:" if request.param == "sqlite in memory" else tmp_path / "served.db"
    with SqliteServedLog(where, batch_size=7) as found:
        yield found


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=6),
    st.datetimes(timezones=st.just(UTC)),
)


def content(one):
    """Return all of a record in a form in which NaN equals NaN."""
    return repr((one, sorted(one.inputs.items())))


def test_a_log_gives_back_what_it_took(log):
    """In order, and exactly, whatever the values are."""

    @given(
        found=st.lists(
            st.builds(
                record,
                st.integers() | st.text(max_size=4) | st.tuples(st.integers(), st.text(max_size=3)),
                at=st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)),
                inputs=st.dictionaries(st.text(max_size=3), CELLS, max_size=3),
                features=st.tuples(st.floats(), st.floats()),
                version=st.sampled_from(["1", "2"]),
            ),
            max_size=20,
        )
    )
    def check(found):
        before = len(log)
        for one in found:
            log.append(one)
        got = list(log.records())[before:]
        assert list(map(content, got)) == list(map(content, found))

    check()
    assert isinstance(log, ServedLog)


def test_threads_share_a_log(log):
    """Nothing is lost or doubled, and each thread's own order stays."""

    def fill(number):
        for i in range(50):
            log.append(record((number, i)))

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    found = keys(log)
    assert sorted(found) == [(number, i) for number in range(8) for i in range(50)]
    for number in range(8):
        assert [i for one, i in found if one == number] == list(range(50))


def test_memory_keeps_the_newest():
    """Beyond its capacity the oldest go, and a reader keeps what it began with."""
    log = MemoryServedLog(capacity=3)
    for i in range(5):
        log.append(record(i))
    reading = log.records()
    log.clear()

    assert [one.key for one in reading] == [2, 3, 4]
    assert len(log) == 0
    assert repr(log) == "<MemoryServedLog: 0 records>"


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, "3"])
def test_a_capacity_is_a_count(capacity):
    """Anything else is refused."""
    with pytest.raises(FeatureError, match="`capacity`"):
        MemoryServedLog(capacity=capacity)


@pytest.mark.parametrize(
    ("facts", "told"),
    [({"features": (1.0,)}, "must go together"), ({"at": datetime(2026, 1, 1)}, "time zone")],
)
def test_records_that_contradict_themselves(facts, told):
    """Values go with columns, and times with a zone."""
    with pytest.raises(FeatureError, match=told):
        record(**facts)


# --------------------------------------------------------------------------------------- SQLite


def count_in_file(path):
    """Return how many rows another program sees."""
    connection = sqlite3.connect(path)
    ((count,),) = connection.execute("SELECT COUNT(*) FROM served_rows").fetchall()
    connection.close()
    return count


def test_batches_are_written_when_they_are_full(tmp_path):
    """A record waits for its batch; `flush` and `close` do not."""
    path = tmp_path / "s.db"
    log = SqliteServedLog(path, batch_size=3)
    seen = []
    for i in range(7):
        log.append(record(i))
        seen.append(count_in_file(path))
    log.flush()

    assert seen == [0, 0, 3, 3, 3, 6, 6]
    assert count_in_file(path) == 7
    log.append(record(7))
    log.close()
    assert count_in_file(path) == 8
    assert keys(log) == list(range(8))  # opened again
    log.close()
    assert repr(log) == f"SqliteServedLog({str(path)!r})"


def test_records_are_found_by_features_and_time(tmp_path):
    """From the start on, to before the end; pages do not show."""
    log = SqliteServedLog(tmp_path / "s.db")
    for i in range(2500):
        at = NOON + timedelta(seconds=i)
        log.append(record(i, at, fingerprint="ab"[i % 2] * 64))

    def found(**which):
        return [one.key for one in log.records(**which)]

    assert found() == list(range(2500))
    assert found(fingerprint="a" * 64) == list(range(0, 2500, 2))
    assert found(fingerprint="c" * 64) == []
    assert found(start=NOON + timedelta(seconds=2000)) == list(range(2000, 2500))
    assert found(end=NOON + timedelta(seconds=3)) == [0, 1, 2]
    assert found(start=NOON + timedelta(seconds=1), end=NOON + timedelta(seconds=2)) == [1]
    log.close()


def test_old_records_go(tmp_path):
    """By hand, or with each batch where an age is given; the rest stays in order."""
    clock = FakeClock(NOON)
    log = SqliteServedLog(tmp_path / "s.db", batch_size=2, keep=timedelta(days=1), clock=clock)
    for i in range(6):
        log.append(record(i, NOON + timedelta(hours=12 * i)))
    assert keys(log) == list(range(6))
    clock.advance(timedelta(hours=36).total_seconds())
    log.append(record(6, NOON + timedelta(hours=36)))
    log.append(record(7, NOON + timedelta(hours=36)))

    assert keys(log) == [1, 2, 3, 4, 5, 6, 7]
    assert log.purge(before=NOON + timedelta(hours=30)) == 2
    assert log.purge(before=NOON) == 0
    assert keys(log) == [3, 4, 5, 6, 7]
    log.close()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": True}, "batch_size"),
        ({"keep": timedelta(0)}, "keep"),
        ({"keep": 30}, "keep"),
        ({"durability": "none"}, "durability"),
    ],
)
def test_options_that_are_none(options, name, tmp_path):
    """They are checked before the file is made."""
    path = tmp_path / "s.db"
    with pytest.raises(FeatureError, match=f"`{name}`"):
        SqliteServedLog(path, **options)
    assert not path.exists()


def test_a_locked_file_loses_nothing(tmp_path):
    """A batch that cannot be written is kept, and is written with the next one, in order."""
    path = tmp_path / "s.db"
    log = SqliteServedLog(path, batch_size=2, busy_timeout=0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    log.append(record(0))
    with pytest.raises(StorageError, match="another process"):
        log.append(record(1))
    log.append(record(2))  # not tried at once again
    other.execute("ROLLBACK")
    other.close()
    log.append(record(3))

    assert count_in_file(path) == 4
    assert keys(log) == [0, 1, 2, 3]
    assert log.n_dropped == 0
    log.close()


def test_a_file_that_stays_locked_fills_no_memory(tmp_path):
    """Sixteen batches are kept; then the oldest go, and are counted. The service goes on."""
    path = tmp_path / "s.db"
    log = SqliteServedLog(path, batch_size=2, busy_timeout=0.0)
    served = service(log)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    served.transform_many(RECORDS[:100])
    other.execute("ROLLBACK")
    other.close()
    log.flush()

    assert log.n_dropped == 68
    assert keys(log) == list(range(68, 100))
    assert served.counts.n_served == 100
    assert served.counts.n_failed > 0
    assert served.counts.last_failure.startswith("StorageError")
    log.close()


def test_a_set_that_was_taken_back_is_stored_again(tmp_path):
    """What a failed batch has written of its features is not taken for stored."""
    log = SqliteServedLog(tmp_path / "s.db", batch_size=1)
    with pytest.raises(sqlite3.IntegrityError):
        log._buffer._insert([(None, ("n", "1", "f", "", ()), "1", "{}", b"")])
    log.append(record(1, name="n", version="1", fingerprint="f", environment=""))

    assert keys(log) == [1]
    log.close()


def test_files_of_others_are_refused(tmp_path):
    """Another program's database, and one of a later prodml."""
    path = tmp_path / "s.db"
    SqliteServedLog(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(NewerSchemaError):
        SqliteServedLog(path)
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(StorageError, match="another program"):
        SqliteServedLog(tmp_path / "other.db")


@pytest.mark.parametrize(
    "change",
    [
        "key = 'no json'",
        "inputs = '[]'",
        """inputs = '{"a": {"$": "Thing", "v": 1}}'""",
        "features = x'00'",
    ],
)
def test_a_damaged_row_is_named(tmp_path, change):
    """A reader says which row cannot be read, instead of leaving it out."""
    path = tmp_path / "s.db"
    log = SqliteServedLog(path)
    log.append(record(0))
    log.close()
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE served_rows SET {change}")  # noqa: S608 - the table above
    connection.commit()
    connection.close()

    with pytest.raises(FormatError, match="Row 1 of the served log is damaged"):
        list(log.records())
    log.close()


def test_what_was_gathered_outlives_the_log(tmp_path):
    """A log that is dropped without a close writes what it has."""
    path = tmp_path / "s.db"
    log = SqliteServedLog(path)
    log.append(record(0))
    del log

    assert count_in_file(path) == 1


AT_EXIT = """
import sys
from tests.features.test_served_log import SqliteServedLog, record
log = SqliteServedLog(sys.argv[1])
log.append(record(0))
if sys.argv[2] == "closed":
    log.close()
log.append(record(1))
"""


@pytest.mark.parametrize("before", ["open", "closed"])
def test_what_was_gathered_outlives_the_interpreter(tmp_path, before):
    """The end of a program is a flush, also where the file was closed and opened again."""
    path = tmp_path / "s.db"
    subprocess.run([sys.executable, "-c", AT_EXIT, str(path), before], check=True)

    assert count_in_file(path) == 2


def fill_in_child(log, start):
    """Append in a forked process."""
    for i in range(start, start + 5):
        log.append(record(i))
    log.flush()
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_leaves_its_inheritance(tmp_path):
    """What the parent had gathered is written once, by the parent."""
    log = SqliteServedLog(tmp_path / "s.db")
    log.append(record(0))
    context = multiprocessing.get_context("fork")
    child = context.Process(target=fill_in_child, args=(log, 10))
    child.start()
    child.join()
    log.append(record(1))

    assert sorted(keys(log)) == [0, 1, 10, 11, 12, 13, 14]
    log.close()


def fill_alone(path, number):
    """Append in another process."""
    with SqliteServedLog(path, batch_size=4, busy_timeout=30) as log:
        for i in range(25):
            log.append(record((number, i)))


def test_processes_share_a_file(tmp_path):
    """Several processes write one log; nothing is lost."""
    path = str(tmp_path / "s.db")
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=fill_alone, args=(path, number)) for number in range(3)]
    for one in children:
        one.start()
    for one in children:
        one.join()

    with SqliteServedLog(path) as log:
        assert sorted(keys(log)) == [(number, i) for number in range(3) for i in range(25)]


def test_odd_values_survive_the_file(tmp_path):
    """What pandas and numpy call values, subclasses, and text that is no UTF-8."""
    fitted = orders().fit(FRAME)
    with SqliteServedLog(tmp_path / "s.db") as log:
        served = LoggedFeatures(fitted, log, key="id", fraction=1.0)
        served.transform_one(
            {
                "id": np.int64(3),
                "amount": np.float32(0.1),
                "n_items": np.int8(2),
                "gift": pd.NA,
                "city": "\ud800\x00",
                "at": pd.Timestamp(NOON),
            }
        )
        (one,) = log.records()

    assert (one.key, type(one.key)) == (3, np.int64)
    assert (one.inputs["amount"], type(one.inputs["amount"])) == (np.float32(0.1), np.float32)
    assert one.inputs["city"] == "\ud800\x00"
    assert one.inputs["gift"] is pd.NA
    assert one.inputs["at"] == NOON
