"""A point-in-time join of as many rows as there are questions, beside pandas and DuckDB.

``python -m benchmarks.features.point_in_time [ROWS [WAY]]`` prints one line of JSON: all figures,
or with a way the memory of that one.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd

from benchmarks.measuring import PeakMemory, in_own_process, time_side_by_side
from prodml.features.point_in_time import FeatureView, point_in_time_join

DAY = 86_400
TTL = pd.Timedelta(days=7)
#: Ways whose memory is measured, each in a process of its own.
WAYS = ("as known", "plain", "merge_asof")
#: Key and time of both sides.
KEY_COLUMNS = 4


def make(n_rows, *, exact_us=False, seed=1):
    """Return questions and rows: 20 rows a key over 90 days, a tenth up to 10 days late."""
    rng = np.random.default_rng(seed)
    n_keys = max(10, n_rows // 20)
    late = np.where(
        rng.random(n_rows) < 0.1,
        rng.integers(0, 10 * DAY, n_rows),
        rng.integers(0, 3600, n_rows),
    )
    event = rng.integers(0, 90 * DAY, n_rows) * 1_000_000
    at = rng.integers(0, 90 * DAY, n_rows) * 1_000_000
    if exact_us:  # two years to the microsecond, and keys of text
        event, at = (one * 8 + rng.integers(0, 8_000_000, n_rows) for one in (event, at))
    rows = pd.DataFrame(
        {
            "k": rng.integers(0, n_keys, n_rows),
            "ev": event.view("M8[us]"),
            "cr": (event + late * 1_000_000).view("M8[us]"),
            "v": rng.normal(size=n_rows),
        }
    )
    entities = pd.DataFrame({"k": rng.integers(0, n_keys, n_rows), "t": at.view("M8[us]")})
    if exact_us:
        for frame in (rows, entities):
            frame["k"] = "user-" + frame["k"].astype(str)
    return entities, rows


def prodml_join(entities, rows, *, as_known):
    view = FeatureView(
        name="v",
        frame=rows,
        keys="k",
        event_time="ev",
        created_time="cr",
        ttl=TTL,
        features=["v"],
    )
    return point_in_time_join(entities, view, time="t", as_known=as_known).joined["v"].to_numpy()


def merge_asof(entities, rows):
    """Sort, drop ties, join, and bring the rows back into their order."""
    kept = rows.sort_values(["ev", "cr"], kind="stable").drop_duplicates(["k", "ev"], keep="last")
    asked = entities.reset_index().sort_values("t", kind="stable")
    joined = pd.merge_asof(asked, kept, left_on="t", right_on="ev", by="k", tolerance=TTL)
    return joined.set_index("index").sort_index()["v"].to_numpy()


PLAIN = """
    SELECT e.index, CASE WHEN f.ev >= e.t - INTERVAL 7 DAY THEN f.v END AS v
    FROM e ASOF LEFT JOIN (SELECT k, ev, arg_max(v, cr) AS v FROM f GROUP BY k, ev) f
    ON e.k = f.k AND e.t >= f.ev ORDER BY e.index
"""
AS_KNOWN = """
    SELECT e.index, arg_max(f.v, (f.ev, f.cr)) AS v
    FROM e LEFT JOIN f
    ON e.k = f.k AND f.ev <= e.t AND f.cr <= e.t AND f.ev >= e.t - INTERVAL 7 DAY
    GROUP BY 1 ORDER BY 1
"""


def duck(entities, rows):
    """Return a connection with both tables loaded, which is not timed."""
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.register("given_e", entities.reset_index())
    connection.register("given_f", rows)
    connection.execute("CREATE TABLE e AS SELECT * FROM given_e")
    connection.execute("CREATE TABLE f AS SELECT * FROM given_f")
    return connection


def asked_of(connection, query):
    values = connection.execute(query).fetchnumpy()["v"]
    return np.ma.filled(values, np.nan)


def contenders_of(entities, rows):
    """Return what is timed, after all ways have given the same answers."""
    connection = duck(entities, rows)
    ways = {
        "prodml plain": lambda: prodml_join(entities, rows, as_known=False),
        "prodml as known": lambda: prodml_join(entities, rows, as_known=True),
        "pandas merge_asof": lambda: merge_asof(entities, rows),
        "duckdb plain": lambda: asked_of(connection, PLAIN),
        "duckdb as known": lambda: asked_of(connection, AS_KNOWN),
    }
    plain = ways["prodml plain"]()
    for other in ("pandas merge_asof", "duckdb plain"):
        assert np.array_equal(plain, ways[other](), equal_nan=True), other
    known = ways["prodml as known"]()
    assert np.array_equal(known, ways["duckdb as known"](), equal_nan=True)
    assert not np.array_equal(plain, known, equal_nan=True)
    times = rows["ev"].to_numpy().view(np.int64)
    return ways | {"numpy sort of the times": lambda: np.sort(times)}


def measure(rounds=5, rows=1_000_000):
    """Return seconds and ratios of all ways, and megabytes beside the bytes of the key columns."""
    figures = {"rows": rows}
    for name, exact_us in (("integer_keys", False), ("text_keys", True)):
        entities, view = make(rows, exact_us=exact_us)
        timings = time_side_by_side(contenders_of(entities, view), rounds=rounds)
        median = {one.name: one.median for one in timings}
        figures[name] = {
            "seconds": median,
            "plain_to_merge_asof": median["prodml plain"] / median["pandas merge_asof"],
            "plain_to_duckdb": median["prodml plain"] / median["duckdb plain"],
            "as_known_to_plain": median["prodml as known"] / median["prodml plain"],
            "as_known_to_duckdb": median["prodml as known"] / median["duckdb as known"],
        }
    key_megabytes = KEY_COLUMNS * 8 * rows / 1e6
    figures["key_columns_mb"] = key_megabytes
    figures["peak_mb"] = {
        way: in_own_process("benchmarks.features.point_in_time", rows, way)["peak"] for way in WAYS
    }
    figures["peak_to_key_columns"] = {
        way: peak / key_megabytes for way, peak in figures["peak_mb"].items()
    }
    return figures


def peak_of(way, n_rows):
    """Return how far this process grows in one join, after a small one has loaded everything."""
    work = {
        "as known": lambda *tables: prodml_join(*tables, as_known=True),
        "plain": lambda *tables: prodml_join(*tables, as_known=False),
        "merge_asof": merge_asof,
    }[way]
    work(*make(1000))
    tables = make(n_rows)
    with PeakMemory() as memory:
        work(*tables)
    return memory.megabytes


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    way = sys.argv[2] if len(sys.argv) > 2 else None
    print(json.dumps(measure(rows=size) if way is None else {"peak": peak_of(way, size)}))
