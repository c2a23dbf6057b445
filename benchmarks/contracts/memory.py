"""Memory of one splitter, in a process of its own: prints frame and growth in megabytes."""

from __future__ import annotations

import json
import sys

from benchmarks.contracts.contenders import SPLITTERS
from benchmarks.contracts.orders import make_orders
from benchmarks.measuring import PeakMemory

if __name__ == "__main__":
    name, n_rows, bad_share = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    SPLITTERS[name](make_orders(1000, 0.1)[0])()  # imports are not counted
    frame, _ = make_orders(n_rows, bad_share)
    work = SPLITTERS[name](frame)
    with PeakMemory() as peak:
        work()
    size = float(frame.memory_usage(deep=True).sum()) / 1e6
    print(json.dumps({"frame": size, "growth": peak.megabytes}))
