"""Measures prodml beside its peers and writes ``benchmarks/RESULTS.md``.

``python -m benchmarks [--rows N] [--rounds N] [--only AREA ...] [--dry]``
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contracts import report as contracts_report
from benchmarks.quarantine import report as quarantine_report

RESULTS = Path(__file__).with_name("RESULTS.md")
AREAS = {"contracts": contracts_report.report, "quarantine": quarantine_report.report}
PACKAGES = ("pandas", "numpy", "pyarrow", "pydantic", "pandera", "dataframely", "polars")


def head(rows, rounds):
    """Return what the figures were measured with."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return "\n\n".join(
        [
            "# Results",
            "Written by `nox -s benchmarks`; not edited by hand.",
            (
                f"Measured on {datetime.now(UTC):%Y-%m-%d}, {cores} cores, {platform.system()}, "
                f"Python {platform.python_version()}, {versions}. {rows:,} rows, median of "
                f"{rounds} rounds in which all contenders take turns. Absolute times "
                f"depend on the machine; the ratios are what counts."
            ),
        ]
    )


def main():
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=sorted(AREAS), default=sorted(AREAS))
    parser.add_argument("--dry", action="store_true", help="print, and leave the file alone")
    given = parser.parse_args()
    parts = [head(given.rows, given.rounds)]
    for name in given.only:
        parts.append(AREAS[name](n_rows=given.rows, rounds=given.rounds))
        print(parts[-1], flush=True)
    if not given.dry:
        RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
