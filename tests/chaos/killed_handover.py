"""A job that is killed with SIGKILL at any instruction, over and over, until it gets through.

Run as a program: ``python -m tests.chaos.killed_handover JOB KILLS``, where JOB is ``right``,
``reversed`` (hands on before it stores, which must be found out) or ``replay``. It prints one line
of JSON: how many kills hit, and what was wrong after them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, Field

from prodml.contracts import Contract
from prodml.quarantine import QuarantineQueue

N_ROWS = 60
CHUNK = 15


class Order(BaseModel):
    id: int
    quantity: int = Field(ge=1)


CONTRACT = Contract(Order, name="order", key="id", threads=1)
FRAME = pd.DataFrame(
    {"id": range(N_ROWS), "quantity": [-1 if n % 3 == 0 else n for n in range(N_ROWS)]}
)


def hand_on(folder, name, accepted):
    """Give rows to the next step, which takes a file of one name once."""
    draft = folder / f".{name}"
    draft.write_text(json.dumps(accepted["id"].tolist()), encoding="utf-8")
    draft.replace(folder / f"{name}.json")


def run_job(folder, *, stores_first):
    """Validate a file in chunks; store what is rejected, hand on what is accepted."""
    chunks = [FRAME.iloc[at : at + CHUNK] for at in range(0, N_ROWS, CHUNK)]
    with QuarantineQueue(folder / "q.db") as queue:
        for number, result in enumerate(CONTRACT.validate_chunks(chunks)):
            if not stores_first:
                hand_on(folder, f"chunk-{number}", result.accepted)
            queue.put(result, source="orders.csv", batch="monday")
            if stores_first:
                hand_on(folder, f"chunk-{number}", result.accepted)


def run_replay(folder):
    """Mend and replay all that waits, and hand on what fits under the name of the replay."""
    with QuarantineQueue(folder / "q.db") as queue:
        report = queue.replay(
            CONTRACT, repair=lambda row: row | {"quantity": abs(row["quantity"])}, run="r1"
        )
        hand_on(folder, "replay-r1", report.accepted)


def handed_on(folder):
    """Return the ids that the next step has got, by file."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")
    }


def faults(folder):
    """Return what is wrong at this moment, whether the job got through or not."""
    files = handed_on(folder)
    got = [one for ids in files.values() for one in ids]
    with QuarantineQueue(folder / "q.db") as queue:
        entries = queue.entries()
    waiting = [entry.record["id"] for entry in entries if entry.state == "pending"]
    stored = {entry.record["id"] for entry in entries}
    found = []
    if len(set(got)) < len(got):
        found.append("a row was handed on twice")
    if len(stored) < len(entries):
        found.append("a row has two entries")
    if set(got) & set(waiting):
        found.append("a row waits that was handed on")
    for name in files:
        if name.startswith("chunk-"):
            first = CHUNK * int(name.removeprefix("chunk-"))
            rejected = {n for n in range(first, first + CHUNK) if n % 3 == 0}
            if not rejected <= stored:
                found.append("accepted rows were handed on, and the rejected ones beside them lost")
    return found


def kill_after(n_calls):
    """Let this process be killed at its n-th call of any function, Python's or C's."""
    left = n_calls

    def count(_frame, event, _argument):
        nonlocal left
        if event in {"call", "c_call"}:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def in_child(work, kill_at=None):
    """Run a job in a forked process; return whether it was killed."""
    child = os.fork()
    if child == 0:
        if kill_at is not None:
            kill_after(kill_at)
        try:
            work()
        finally:
            sys.setprofile(None)
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def count_calls(work):
    """Return how many calls a job makes."""
    n_calls = 0

    def count(_frame, event, _argument):
        nonlocal n_calls
        n_calls += event in {"call", "c_call"}

    sys.setprofile(count)
    work()
    sys.setprofile(None)
    return n_calls


def torment(job, n_kills):
    """Kill a job at points all over its run, each time in a new folder, and let it try again."""
    rng = random.Random(7)

    def work(folder):
        if job == "replay":
            run_replay(folder)
        else:
            run_job(folder, stores_first=job == "right")

    with tempfile.TemporaryDirectory() as place:
        root = Path(place)

        def prepared(name):
            folder = root / name
            folder.mkdir()
            if job == "replay":
                run_job(folder, stores_first=True)
            return folder

        work(prepared("warm"))  # what is imported once would be counted otherwise
        folder = prepared("counted")
        n_calls = count_calls(lambda: work(folder))
        found, n_hit = [], 0
        for number in range(n_kills):
            folder = prepared(str(number))
            at = n_calls * number // n_kills + rng.randrange(max(1, n_calls // n_kills))
            n_hit += in_child(lambda folder=folder: work(folder), at)
            found += faults(folder)
            # a second kill in the retry, at another place
            in_child(lambda folder=folder: work(folder), rng.randrange(n_calls))
            found += faults(folder)
            in_child(lambda folder=folder: work(folder))
            found += faults(folder)
            got = sorted(one for ids in handed_on(folder).values() for one in ids)
            with QuarantineQueue(folder / "q.db") as queue:
                got += [entry.record["id"] for entry in queue.pending()]
            if sorted(got) != list(range(N_ROWS)):
                found.append("a row is neither handed on nor waiting")
    return {"n_calls": n_calls, "n_hit": n_hit, "faults": sorted(set(found))}


if __name__ == "__main__":
    print(json.dumps(torment(sys.argv[1], int(sys.argv[2]))))  # noqa: T201 - read by the test
