"""Ten thousand pieces of work of one item each: claimed, worked on, output and mark stored.

Each contender gets a folder, and returns how many items a second look at its store finds. Peers
that take long do fewer items, and are scaled.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

from prodml.batch import BatchProcessor, SqliteLedger, TableSink

N_ITEMS = 10_000


def work(item):
    return {"id": item, "value": item + 1.0}


def connect(path, durability):
    connection = sqlite3.connect(path, isolation_level=None, timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={durability.upper()}")
    return connection


def raw_sqlite(folder, durability):
    """The floor: an insert of the output, a transaction each, and no ledger at all."""
    with closing(connect(folder / "raw.db", durability)) as connection:
        connection.execute("CREATE TABLE out (id INTEGER, value REAL)")
        start = time.perf_counter()
        for item in range(N_ITEMS):
            connection.execute("INSERT INTO out VALUES (?, ?)", (item, item + 1.0))
        seconds = time.perf_counter() - start
        assert connection.execute("SELECT COUNT(*) FROM out").fetchone() == (N_ITEMS,)
    return seconds


def prodml_job(folder, durability, group_size, *, again=False):
    with SqliteLedger(folder / "ledger.db", durability=durability) as ledger:
        job = BatchProcessor(
            work, ledger=ledger, sink=TableSink("out"), namespace="job", group_size=group_size
        )
        start = time.perf_counter()
        report = job.run(range(N_ITEMS))
        seconds = time.perf_counter() - start
        assert report.counts.n_batches["done"] == N_ITEMS == ledger.totals("job").n_output
        if again:
            start = time.perf_counter()
            report = job.run(range(N_ITEMS))
            seconds = time.perf_counter() - start
            assert report.counts.n_batches["skipped"] == N_ITEMS
    return seconds


def prodml_lookup(folder):
    """What the ledger takes of a run in which all is done: keys asked about 500 at a time."""
    with SqliteLedger(folder / "ledger.db") as ledger:
        BatchProcessor(work, ledger=ledger, namespace="job").run(range(N_ITEMS))
        keys = ledger.done_keys("job")
        start = time.perf_counter()
        found = sum(
            len(ledger.get_many("job", keys[at : at + 500])) for at in range(0, N_ITEMS, 500)
        )
        seconds = time.perf_counter() - start
        assert found == N_ITEMS
    return seconds


def powertools(folder):
    """Its idempotent function over a layer for SQLite, which it does not bring; effect apart."""
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
    from aws_lambda_powertools.utilities.idempotency.exceptions import (
        IdempotencyItemAlreadyExistsError,
        IdempotencyItemNotFoundError,
    )
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

    connection = connect(folder / "powertools.db", "normal")
    connection.execute(
        "CREATE TABLE record (id TEXT PRIMARY KEY, status TEXT, expires INT, lease INT, "
        "response TEXT, payload TEXT)"
    )
    connection.execute("CREATE TABLE out (id INTEGER, value REAL)")

    class Layer(BasePersistenceLayer):
        def _get_record(self, idempotency_key):
            row = connection.execute(
                "SELECT * FROM record WHERE id = ?", (idempotency_key,)
            ).fetchone()
            if row is None:
                raise IdempotencyItemNotFoundError
            return DataRecord(
                row[0],
                status=row[1],
                expiry_timestamp=row[2],
                in_progress_expiry_timestamp=row[3],
                response_data=row[4] or "",
                payload_hash=row[5] or "",
            )

        def _put_record(self, data_record):
            now = time.time()
            changed = connection.execute(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "status = excluded.status, expires = excluded.expires "
                "WHERE expires < ? OR (status = 'INPROGRESS' AND lease < ?)",
                (
                    data_record.idempotency_key,
                    data_record.status,
                    data_record.expiry_timestamp,
                    data_record.in_progress_expiry_timestamp,
                    None,
                    data_record.payload_hash,
                    now,
                    now * 1000,
                ),
            ).rowcount
            if not changed:
                raise IdempotencyItemAlreadyExistsError

        def _update_record(self, data_record):
            connection.execute(
                "UPDATE record SET status = ?, expires = ?, response = ? WHERE id = ?",
                (
                    data_record.status,
                    data_record.expiry_timestamp,
                    data_record.response_data,
                    data_record.idempotency_key,
                ),
            )

        def _delete_record(self, data_record):
            connection.execute("DELETE FROM record WHERE id = ?", (data_record.idempotency_key,))

    @idempotent_function(
        data_keyword_argument="record",
        persistence_store=Layer(),
        config=IdempotencyConfig(event_key_jmespath="id", payload_validation_jmespath="value"),
    )
    def handle(record):
        connection.execute("INSERT INTO out VALUES (?, ?)", (record["id"], record["value"] + 1.0))
        return {"id": record["id"]}

    with closing(connection):
        start = time.perf_counter()
        for item in range(N_ITEMS):
            handle(record={"id": item, "value": item})
        seconds = time.perf_counter() - start
        assert connection.execute("SELECT COUNT(*) FROM out").fetchone() == (N_ITEMS,)
    return seconds


def diskcache_add_set(folder):
    """A claim by `add` and a result by `set`: no output, no fence."""
    import diskcache

    with diskcache.Cache(folder / "cache") as cache:
        start = time.perf_counter()
        for item in range(N_ITEMS):
            assert cache.add(item, "in progress", expire=60)
            cache.set(item, work(item))
        seconds = time.perf_counter() - start
        assert len(cache) == N_ITEMS
    return seconds


N_DBOS = 500
_dbos: dict = {}


def dbos_workflow(folder):
    """A workflow of one step each; 500 of them, scaled."""
    from dbos import DBOS, SetWorkflowID

    if not _dbos:
        import logging
        import tempfile

        logging.disable(logging.WARNING)
        place = tempfile.mkdtemp()
        DBOS(
            config={
                "name": "benchmark",
                "system_database_url": f"sqlite:///{place}/dbos.sqlite",
                "run_admin_server": False,
                "log_level": "CRITICAL",
            }
        )

        @DBOS.step()
        def step(item):
            return item + 1.0

        @DBOS.workflow()
        def flow(item):
            return step(item)

        DBOS.launch()
        _dbos.update(flow=flow)
    start = time.perf_counter()
    for item in range(N_DBOS):
        with SetWorkflowID(f"{folder.name}-{item}"):
            assert _dbos["flow"](item) == item + 1.0
    return (time.perf_counter() - start) * N_ITEMS / N_DBOS


def end_dbos():
    if _dbos:
        from dbos import DBOS

        DBOS.destroy()
