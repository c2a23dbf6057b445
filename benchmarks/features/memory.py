"""How far a process grows in one transform: ``python -m benchmarks.features.memory ROWS``."""

from __future__ import annotations

import json
import sys

from benchmarks.features.workload import feature_set, make_rows
from benchmarks.measuring import PeakMemory


def main(n_rows):
    """Print the peak in megabytes, and the size of the result."""
    frame, y = make_rows(n_rows)
    fitted = feature_set().fit(frame.iloc[:5000], y[:5000])
    fitted.transform(frame.iloc[:2000])
    with PeakMemory() as memory:
        matrix = fitted.transform(frame)
    print(json.dumps({"peak": memory.megabytes, "output": matrix.nbytes / 1e6}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
