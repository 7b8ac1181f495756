"""``python -m tests.soak [SECONDS]``: by default 20 minutes. A line a sample, then PASS or FAIL.

Exits with 0 for PASS, 1 for FAIL.
"""

from __future__ import annotations

import sys

from tests.soak.watch import ENOUGH_FOR_A_TREND, Sample, faults, settled, soak

_COLUMNS = (
    ("at s", 7),
    ("RSS MiB", 8),
    ("kernel MiB", 11),
    ("calls", 14),
    ("threads", 11),
    ("processes", 10),
    ("lost", 5),
    ("unaccounted", 12),
    ("open ns", 8),
)
_LEGEND = """\
RSS: of iotrace; kernel: of the probes' tables. calls, threads, processes: traced so far, those
that have ended included. unaccounted: share of all threads' time. open: the largest difference
between any thread's states and its wall time."""


def _row(*cells: str) -> str:
    return " ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))


def _tell(sample: Sample) -> None:
    row = _row(
        f"{sample.at_s:.1f}",
        f"{sample.rss_bytes / 2**20:.1f}",
        f"{sample.kernel_bytes / 2**20:.1f}",
        f"{sample.calls:,}",
        f"{sample.threads:,}",
        f"{sample.processes:,}",
        str(sample.lost),
        f"{sample.unaccounted_ratio:.4%}",
        f"{sample.gap_ns:,}",
    )
    print(row, flush=True)


def main() -> int:
    """The exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1200.0
    print(_LEGEND)
    print(_row(*(name for name, _ in _COLUMNS)))
    try:
        samples = soak(seconds, _tell)
        found = faults(samples)
    except (RuntimeError, AssertionError) as error:
        found, samples = [str(error)], []
    for fault in found:
        print(f"FAIL: {fault}")
    if found:
        return 1
    flat = "memory is flat"
    if len(settled(samples)) < ENOUGH_FOR_A_TREND:
        flat = "too few samples to tell whether RSS is flat"
    print(f"PASS: nothing lost, every ledger closed, {flat}, the program's exit status its own")
    return 0


sys.exit(main())
