"""`make kernels`: boot the kernels of distributions, check iotrace on each, print a table.

    python -m tests.kernels [--runs N] [SUITE ...]

SUITE is a Debian or Ubuntu suite, whose newest kernel is taken. The exit code is 1 where a check
failed on any kernel. A suite that cannot be had here is said to be so, and is no failure.
What each machine printed is kept under --cache, in a folder of this run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.apt import Unreachable
from tests.kernels.distribution import fetch_kernel, missing_tools
from tests.kernels.machine import Row, try_kernel
from tests.kernels.root_image import root_image

SUITES = ("bullseye", "jammy", "bookworm", "noble", "trixie", "sid")
"""5.10, 5.15, 6.1, 6.8, 6.12, and the newest."""
_REFUSED = frozenset(("bullseye",))
"""Kernels that iotrace must refuse in a line."""
_COLUMNS = (
    "full counts",
    "full under load",
    "sockets counts",
    "sockets under load",
    "light counts",
    "light under load",
    "n/a",
)
_PRODUCT = Path(__file__).parents[2]


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.kernels")
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--runs", type=int, default=3, help="times to attach, in each detail")
    parser.add_argument("--limit", type=float, default=1500, help="seconds a machine may take")
    parser.add_argument("--cache", type=Path, default=Path("/var/cache/iotrace-kernels"))
    options = parser.parse_args()
    if os.geteuid() or missing_tools():
        print(f"kernels: needs root and {' '.join(missing_tools()) or 'nothing else'}")
        return 2
    run = options.cache / "results" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    run.mkdir(parents=True)
    image = root_image(_PRODUCT, options.cache)
    print(f"kernels: what the machines say is kept in {run}", file=sys.stderr)
    print("| kernel | " + " | ".join(_COLUMNS) + " | seconds |")
    print("|---" * (len(_COLUMNS) + 2) + "|", flush=True)
    failures = 0
    runs = dict.fromkeys(("full", "sockets", "light"), options.runs)
    for suite in options.suites:
        try:
            kernel = fetch_kernel(suite, options.cache)
        except Unreachable as reason:
            print(f"| {suite} | not tried: {reason} |", flush=True)
            continue
        try:
            row = try_kernel(kernel, _PRODUCT, image, run / suite, runs, options.limit)
        except subprocess.CalledProcessError as error:
            row = Row({"full counts": f"not booted: {error}"})
        cells = [row.columns.get(column, "-") for column in _COLUMNS]
        if not row.ended:
            cells[-1] += " (the machine did not come to its end)"
        name = f"{row.columns.get('kernel', kernel.release)} ({suite})"
        print(f"| {name} | {' | '.join(cells)} | {row.seconds:.0f} |", flush=True)
        failures += not _passed(suite, row)
    return min(failures, 1)


def _passed(suite: str, row: Row) -> bool:
    cells = [row.columns.get(column, "") for column in _COLUMNS[:-1]]
    if suite in _REFUSED:
        return all("This kernel" in cell for cell in cells if cell)
    return row.ended and all(
        cell == "exact" or (" ok" in cell and ";" not in cell) for cell in cells if cell
    )


if __name__ == "__main__":
    sys.exit(main())
