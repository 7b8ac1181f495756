"""``python -m tests.soak [SECONDS]``: by default 20 minutes. Prints a line a sample."""

from __future__ import annotations

import sys

from tests.soak.watch import Sample, faults, soak


def _tell(sample: Sample) -> None:
    print(
        f"{sample.at_s:7.1f} s  rss {sample.rss_bytes / 2**20:6.1f} MiB  "
        f"kernel {sample.kernel_bytes / 2**20:6.1f} MiB  {sample.calls:>12,} calls  "
        f"{sample.threads:>9,} threads  {sample.processes:>8,} processes  lost {sample.lost}  "
        f"unaccounted {sample.unaccounted_ratio:.4%}  open by {sample.gap_ns} ns",
        flush=True,
    )


def main() -> int:
    """0: all was flat and complete."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1200.0
    found = faults(soak(seconds, _tell))
    for fault in found:
        print(f"FAULT: {fault}")
    print("flat, complete, closed" if not found else "not good")
    return 1 if found else 0


sys.exit(main())
