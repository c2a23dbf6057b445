"""Redis as prodml uses it: clear errors, one round trip, and what the server does by itself."""

from __future__ import annotations

import pickle
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from prodml.errors import MissingDependencyError, StorageError
from prodml.features.online_view import OnlineView
from prodml.integrations.redis import RedisOnlineStore
from tests.redis_server import running_redis

NOW = datetime.now(UTC)
VIEW = OnlineView(name="v", keys=["id"], features=["x"], event_time="at")


@pytest.fixture
def prefix():
    """Return a prefix that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def store(redis_server, prefix):
    """Yield an open store."""
    with RedisOnlineStore(redis_server, prefix=prefix) as store:
        yield store


def served(store, *keys):
    """Return the values of some keys, as they are seen now."""
    return [row.features["x"] for row in store.get(VIEW, list(keys), at=NOW)]


@pytest.mark.needs_redis
def test_many_entities_are_one_round_trip(store, monkeypatch):
    """The view and its rows come together, however many they are."""
    store.put(VIEW, [{"id": key, "x": key, "at": NOW} for key in range(2500)])
    pool = store._client.connection_pool
    asked = []
    real = pool.get_connection
    monkeypatch.setattr(pool, "get_connection", lambda *a, **k: asked.append(1) or real(*a, **k))
    for n_keys in (1, 100, 2500):
        asked.clear()
        assert served(store, *range(n_keys)) == list(range(n_keys))
        assert len(asked) == 1


@pytest.mark.needs_redis
def test_a_client_of_ones_own_stays_open(redis_server, prefix):
    """It is used as it is, and not closed."""
    import redis

    client = redis.Redis.from_url(redis_server)
    with RedisOnlineStore(client, prefix=prefix) as store:
        store.put(VIEW, {"id": 1, "x": 1.5, "at": NOW})
        assert served(store, 1) == [1.5]
    assert client.ping()
    assert all(key.startswith(prefix.encode()) for key in client.scan_iter(match=f"{prefix}*"))
    client.close()


@pytest.mark.needs_redis
def test_a_client_that_decodes_is_refused(redis_server):
    """Keys and rows are bytes."""
    import redis

    client = redis.Redis.from_url(redis_server, decode_responses=True)
    with pytest.raises(ValueError, match="decode_responses=False"):
        RedisOnlineStore(client)
    client.close()


@pytest.mark.needs_redis
@pytest.mark.parametrize("prefix", ["", "a b", "a*", "ä", "x" * 65])
def test_a_prefix_is_plain(prefix):
    """It stands in patterns as it is."""
    with pytest.raises(ValueError, match="`prefix` must be letters"):
        RedisOnlineStore("redis://localhost", prefix=prefix)


@pytest.mark.needs_redis
def test_the_server_forgets_what_is_beyond_its_retention(redis_server, prefix):
    """At once where it is so already, and not before its time."""
    options = {"prefix": prefix, "retention": timedelta(hours=1)}
    with RedisOnlineStore(redis_server, **options) as store:
        old = NOW - timedelta(hours=1, seconds=1)
        rows = [{"id": 1, "x": 1, "at": NOW}, {"id": 2, "x": 2, "at": old}]
        store.put(VIEW, [*rows, {"id": 3, "x": 3, "at": datetime(1960, 1, 1, tzinfo=UTC)}])
        assert served(store, 1, 2, 3) == [1, None, None]
        (key,) = store._client.scan_iter(match=f"{prefix}:row:*")
        expires = datetime.fromtimestamp(store._client.pexpiretime(key) / 1000, UTC)
        assert timedelta() < expires - NOW - timedelta(hours=1) <= timedelta(milliseconds=2)
    with pytest.raises(ValueError, match="`retention` must be longer"):
        RedisOnlineStore(redis_server, retention=timedelta())


@pytest.mark.needs_redis
def test_a_drop_that_was_interrupted_is_completed(store):
    """By the next drop or put; what is being dropped is not served."""
    for finish in (lambda: store.drop("v"), lambda: store.put(VIEW, [])):
        store.put(VIEW, [{"id": key, "x": key, "at": NOW} for key in (1, 2)])
        store._begin_drop(keys=[store._view_key("v")], args=[b"dropped:"])
        assert served(store, 1, 2) == [None, None]
        assert store.delete(VIEW, [1]) == store.purge(VIEW, older_than=NOW) == 0
        finish()
        assert list(store._client.scan_iter(match=store._row_key(1, b"*"))) == []
    assert store.put(VIEW, {"id": 2, "x": 3, "at": NOW}).n_written == 1
    assert served(store, 1, 2) == [None, 3]


@pytest.mark.needs_redis
def test_a_view_that_is_dropped_during_a_put_is_made_anew(store):
    """The rows that are left are written under its new number, and none under the old one."""
    store.put(VIEW, [])
    real, dropped = store._write, []

    def write(view, number, rows):
        if not dropped:
            dropped.append(store.drop("v"))
        return real(view, number, rows)

    store._write = write
    assert store.put(VIEW, {"id": 1, "x": 1, "at": NOW}).n_written == 1
    assert dropped == [0]
    assert served(store, 1) == [1]


@pytest.mark.needs_redis
def test_a_server_that_does_not_answer(tmp_path):
    """The error names the server, without the password."""
    store = RedisOnlineStore(f"unix://eve:secret@{tmp_path}/none?db=3")
    with pytest.raises(StorageError, match="do it again when it answers") as caught:
        store.put(VIEW, {"id": 1, "x": 1, "at": NOW})
    assert caught.value.location == f"unix://{tmp_path}/none?db=3"
    assert "secret" not in str(caught.value) + repr(store)
    store.close()
    other = RedisOnlineStore("redis://:secret@localhost:1/2")
    assert repr(other) == "RedisOnlineStore('redis://localhost:1/2', prefix='prodml')"


@pytest.mark.needs_redis
def test_a_full_server_refuses_and_keeps_what_it_has():
    """Nothing is thrown out unnoticed; when there is room again, all are written."""
    settings = {"maxmemory": "3mb", "maxmemory-policy": "noeviction"}
    with running_redis(**settings) as (address, _), RedisOnlineStore(address) as store:
        store.put(VIEW, {"id": -1, "x": "kept", "at": NOW})
        rows = [{"id": key, "x": "x" * 5000, "at": NOW} for key in range(2000)]
        with pytest.raises(StorageError, match="maxmemory"):
            store.put(VIEW, rows)
        assert served(store, -1) == ["kept"]
        store._client.config_set("maxmemory", "100mb")
        report = store.put(VIEW, rows)
        assert report.n_written + report.n_stale == 2000
        assert served(store, 0, 1999) == ["x" * 5000] * 2


@pytest.mark.needs_redis
def test_a_server_that_was_restarted_is_asked_anew():
    """Scripts that it forgot are sent again; a memory that is empty has no rows."""
    with running_redis() as (address, server), RedisOnlineStore(address) as store:
        store.put(VIEW, {"id": 1, "x": 1, "at": NOW})
        server.terminate()
        with pytest.raises(StorageError):
            served(store, 1)
        server.start(timeout=30)
        assert served(store, 1) == [None]
        assert store.put(VIEW, {"id": 1, "x": 2, "at": NOW}).n_written == 1
        assert served(store, 1) == [2]


@pytest.mark.needs_redis
def test_a_store_does_not_pickle(store):
    """It is opened where it is needed."""
    with pytest.raises(TypeError, match="open one where it is needed"):
        pickle.dumps(store)


def test_the_extra_is_named_where_it_is_absent(monkeypatch):
    """The error is the command to run."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "prodml\[redis\]"'):
        RedisOnlineStore("redis://localhost")
