"""What a ledger does when its file fails, or its clock."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from prodml.batch import (
    BatchProcessor,
    RecordKeys,
    SqliteLedger,
    TableSink,
    WorkFailure,
    WorkKey,
    WorkResult,
)
from prodml.errors import NewerSchemaError, StorageError
from prodml.testing import FakeClock
from tests.databases import connected


def claim(ledger, *numbers, now=datetime(2026, 1, 1, tzinfo=UTC)):
    """Claim work for a minute."""
    work = [WorkKey(b"k1:%d" % number, b"") for number in numbers]
    until = now + timedelta(seconds=60)
    return ledger.claim("job", work, owner="w", now=now, until=until, max_attempts=5)


def done(claim):
    """Return the result of some work: one record."""
    return WorkResult(claim.key, claim.fence, 0, 1, 1, 0, 1)


def job(ledger, **options):
    """Return a processor with a table."""
    return BatchProcessor(
        lambda batch: batch, ledger=ledger, namespace="job", sink=TableSink("out"), **options
    )


def test_a_locked_database_loses_nothing(tmp_path):
    """The run ends with an error that says what to do; the next one goes on."""
    ledger = SqliteLedger(tmp_path / "l.db", busy_timeout=0.02)
    other = sqlite3.connect(tmp_path / "l.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process"):
        job(ledger).run([[{"id": 1}]])
    assert ledger.status("job").n_work["running"] == 0
    other.execute("ROLLBACK")
    other.close()
    assert job(ledger).run([[{"id": 1}]]).counts.n_batches["done"] == 1
    ledger.close()


def test_a_full_disk_takes_the_marks_back(tmp_path):
    """Output and marks alike; when there is room again, all is done once."""
    ledger = SqliteLedger(tmp_path / "l.db")
    batches = [[{"id": n, "text": "x" * 20_000}] for n in range(40)]
    with ledger._database.transaction(write=False) as session:
        ((pages,),) = session.execute("PRAGMA page_count")
    ledger._database._connection.execute(f"PRAGMA max_page_count={pages + 100}")
    with pytest.raises(StorageError, match="disk is full"):
        job(ledger, group_size=4).run(batches)
    n_done = ledger.totals("job").n_work
    with ledger._database.transaction(write=False) as session:
        ((n_rows,),) = session.execute("SELECT COUNT(*) FROM out")
    assert n_done == n_rows < 40

    ledger._database._connection.execute("PRAGMA max_page_count=1000000")
    report = job(ledger).run(batches)
    assert report.counts.n_batches["skipped"] == n_done
    assert ledger.totals("job").n_output == 40
    ledger.close()


@pytest.mark.parametrize("folder", ["absent", "file"])
def test_a_folder_that_is_none_is_an_error_at_once(tmp_path, folder):
    """With its name."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=rf"{folder}.*check that its folder exists"):
        SqliteLedger(tmp_path / folder / "l.db")


def as_somebody_without_rights(function):
    """Run a function in a child process that may not write everywhere, as root may."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            function()
        except BaseException as error:  # noqa: BLE001 - nothing may leave the child
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("is_there", [True, False], ids=["a file", "no file"])
def test_a_folder_that_cannot_be_written_is_an_error_at_once(is_there):
    """With what to check; a ledger that is there already is left as it is."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to others
        path = Path(folder) / "l.db"
        if is_there:
            SqliteLedger(path).close()
            for one in Path(folder).iterdir():
                one.chmod(0o444)
        Path(folder).chmod(0o555)

        def open_it():
            with pytest.raises(StorageError, match=r"permissions|is writable") as caught:
                claim(SqliteLedger(path), 1)
            assert caught.value.location == str(path)

        assert as_somebody_without_rights(open_it) == 0
        Path(folder).chmod(0o755)
        assert path.exists() == is_there


def test_a_file_that_became_read_only_is_an_error(tmp_path):
    """Nothing is stored, and nothing is lost."""
    ledger = SqliteLedger(tmp_path / "l.db")
    job(ledger).run([[{"id": 1}]])
    ledger._database._connection.execute("PRAGMA query_only=1")
    with pytest.raises(StorageError, match="permissions"):
        job(ledger).run([[{"id": 2}]])
    ledger._database._connection.execute("PRAGMA query_only=0")
    assert job(ledger).run([[{"id": 1}], [{"id": 2}]]).counts.n_batches["done"] == 1
    ledger.close()


def test_files_of_others_are_refused(tmp_path):
    """Of a later prodml, and of another program."""
    SqliteLedger(tmp_path / "l.db").close()
    with connected(tmp_path / "l.db") as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(NewerSchemaError) as caught:
        SqliteLedger(tmp_path / "l.db")
    assert (caught.value.found, caught.value.supported) == (99, 1)
    with connected(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(StorageError, match="another program"):
        SqliteLedger(tmp_path / "other.db")


def test_an_unknown_durability_is_refused():
    """A typo must not cost data."""
    with pytest.raises(ValueError, match="durability"):
        SqliteLedger(":memory:", durability="FULL")


@pytest.mark.parametrize("seconds", [-(10**9), -61, 61, 10**9])
def test_a_clock_that_jumps_does_not_matter(seconds):
    """It costs work at most: the newest fence may commit, whatever the time is, and no other."""
    clock = FakeClock()
    ledger = SqliteLedger(":memory:", clock=clock)
    (old,) = claim(ledger, 1, now=clock.now())
    clock.set(clock.now() + timedelta(seconds=seconds))
    taken = claim(ledger, 1, now=clock.now())
    assert [one.fence for one in taken] == ([2] if seconds > 60 else [])
    clock.set(clock.now() - timedelta(seconds=2 * seconds))
    lost = ledger.commit("job", [done(old)], now=clock.now())
    assert lost == (frozenset([old.key]) if taken else frozenset())
    for one in taken:
        assert ledger.commit("job", [done(one)], now=clock.now()) == frozenset()
    assert ledger.totals("job").n_work == 1


def test_no_error_leaves_half_of_a_group(tmp_path):
    """Each method is one transaction: of many keys all are changed or none."""
    ledger = SqliteLedger(tmp_path / "l.db")
    held = claim(ledger, *range(30))
    ((pages,),) = ledger._database._connection.execute("PRAGMA page_count").fetchall()
    ledger._database._connection.execute(f"PRAGMA max_page_count={pages + 2}")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    big = json.dumps({"text": "x" * 2000})

    with pytest.raises(StorageError, match="disk is full"):
        ledger.commit("job", [done(one)._replace(result=big) for one in held], now=now)
    with pytest.raises(StorageError, match="disk is full"):
        ledger.fail("job", [WorkFailure(*one[:2], "failed", 1, big) for one in held], now=now)
    with pytest.raises(StorageError, match="disk is full"):
        claim(ledger, *range(30, 3000))
    high = np.arange(20_000)
    with pytest.raises(StorageError, match="disk is full"):
        ledger.commit_records(
            "job", RecordKeys(high, high, high), done(held[0])._replace(key=b"k1:r"), now=now
        )
    assert ledger.status("job").n_work == dict.fromkeys(
        ("pending", "done", "failed", "quarantined"), 0
    ) | {"running": 30}
    assert not ledger.known_records("job", RecordKeys(high, high, high))[0].any()

    ledger._database._connection.execute("PRAGMA max_page_count=1000000")
    assert ledger.commit("job", [*map(done, held)], now=now) == frozenset()
    ledger.close()
