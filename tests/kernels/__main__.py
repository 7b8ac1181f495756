# SPDX-License-Identifier: Apache-2.0
"""`make kernels`: boot the kernels of distributions, check iotrace on each, print a table.

    python -m tests.kernels [--runs N] [--detail DETAIL] [--write-docs] [KERNEL ...]

KERNEL is SUITE or SUITE:ARCH: the newest kernel of that Debian or Ubuntu suite, for this machine
type or for ARCH (amd64, arm64); or "host": the kernel that runs here. The exit code is 1 where a
check failed on any kernel, or a machine did not come to its end. A suite that cannot be had here is
said to be so, and is no failure. What each machine printed is kept under --cache, in a folder of
this run. --write-docs puts the rows into docs/kernels.md, in place of older ones of that kernel.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.apt import Unreachable
from tests.kernels import page
from tests.kernels.distribution import fetch_kernel, missing_tools
from tests.kernels.hardware import ALL as HARDWARE
from tests.kernels.hardware import native
from tests.kernels.host import try_host
from tests.kernels.machine import try_kernel
from tests.kernels.results import DETAILS, Row, head, line_of
from tests.kernels.root_image import roots_of

KERNELS = ("bullseye", "jammy", "bookworm", "noble", "trixie", "sid", "bookworm:arm64")
"""5.10, 5.15, 6.1, 6.8, 6.12, the newest, and 6.1 on aarch64."""
_REFUSED = frozenset(("bullseye",))
"""Kernels that iotrace must refuse in a line."""
_PRODUCT = Path(__file__).parents[2]


def main() -> int:
    """The exit code."""
    options = _parser().parse_args()
    if os.geteuid() or missing_tools():
        print(f"kernels: needs root and {' '.join(missing_tools()) or 'nothing else'}")
        return 2
    run = options.cache / "results" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    run.mkdir(parents=True)
    print(f"kernels: what the machines say is kept in {run}", file=sys.stderr)
    print("\n".join(head()), flush=True)
    failures = 0
    details = tuple(options.detail or DETAILS)
    for name in options.kernels:
        try:
            row = _try(name, dict.fromkeys(details, options.runs), run, options)
        except Unreachable as reason:
            print(f"| {name} | not tried: {reason} |", flush=True)
            continue
        rows = row.cells(details)
        print("\n".join(line_of(cells) for cells in rows), flush=True)
        print(f"kernels: {name} took {row.seconds:.0f} s", file=sys.stderr)
        failures += not row.passed(details, options.runs, name in _REFUSED)
        if options.write_docs:
            page.put(_PRODUCT / "docs/kernels.md", rows)
    return min(failures, 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.kernels")
    parser.add_argument("kernels", nargs="*", default=KERNELS, type=_kernel_name)
    parser.add_argument("--runs", type=int, default=3, help="times to attach, in each detail")
    parser.add_argument(
        "--detail", action="append", choices=DETAILS, help="may be repeated; all, unless given"
    )
    parser.add_argument("--limit", type=float, default=3600, help="seconds a machine may take")
    parser.add_argument("--cache", type=Path, default=Path("/var/cache/iotrace-kernels"))
    parser.add_argument("--write-docs", action="store_true", help="put the rows into docs/")
    return parser


def _kernel_name(text: str) -> str:
    arch = text.partition(":")[2]
    if arch and arch not in HARDWARE:
        raise argparse.ArgumentTypeError(f"{arch} is none of {' '.join(HARDWARE)}")
    return text


def _try(name: str, runs: dict[str, int], run: Path, options: argparse.Namespace) -> Row:
    """Raises Unreachable."""
    work = run / name.replace(":", "-")
    if name == "host":
        return try_host(work, runs, options.limit)
    suite, _, arch = name.partition(":")
    hardware = HARDWARE[arch] if arch else native()
    kernel = fetch_kernel(suite, hardware, options.cache)
    try:
        roots = roots_of(hardware, _PRODUCT, options.cache)
        return try_kernel(kernel, _PRODUCT, roots, work, runs, options.limit)
    except subprocess.CalledProcessError as error:
        return Row(f"{kernel.release} {hardware.machine}", failure=f"not booted: {error}")


if __name__ == "__main__":
    sys.exit(main())
