"""The split on an installation without pyarrow: prints seconds of prodml and of the best loop."""

from __future__ import annotations

import json
import sys

sys.modules["pyarrow"] = None  # as if it were not installed; before pandas looks for it

from benchmarks.contracts.contenders import prodml_split, pydantic_loop  # noqa: E402
from benchmarks.contracts.orders import make_orders  # noqa: E402
from benchmarks.measuring import time_side_by_side  # noqa: E402

if __name__ == "__main__":
    n_rows, bad_share, rounds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    frame, good = make_orders(n_rows, bad_share)
    contenders = {"prodml": prodml_split(frame), "pydantic": pydantic_loop(frame)}
    for name, work in contenders.items():
        assert (work() == good).all(), name
    timings = time_side_by_side(contenders, rounds=rounds)
    print(json.dumps({one.name: one.median for one in timings}))
