"""`make packages`: install each package on each distribution, trace a server there, remove it.

    python -m tests.packages [--way deb ...] [SUITE ...]

Each is tried in a fresh system of that suite, in a chroot on this machine's kernel. The packages
are built from HEAD. The exit code is 1 where one of them did not work; a suite that cannot be had
here is said to be so, and is no failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from tests.apt import Unreachable
from tests.packages.chroots import Chroot, Failed, fresh_system
from tests.packages.ways import WAYS

SUITES = ("bookworm", "trixie", "noble")
"""Debian 12 and 13, Ubuntu 24.04."""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.packages")
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--way", action="append", choices=tuple(WAYS), help="default: all of them")
    parser.add_argument("--cache", type=Path, default=Path("/var/cache/iotrace-packages"))
    options = parser.parse_args()
    if os.geteuid() or not shutil.which("debootstrap"):
        print("packages: needs root and debootstrap")
        return 2
    options.cache.mkdir(parents=True, exist_ok=True)
    print("| system | way | result | seconds |\n|---|---|---|---|", flush=True)
    failures = 0
    for way in options.way or WAYS:
        build, _ = WAYS[way]
        package = build()
        for suite in options.suites:
            begin = time.monotonic()
            result, failed = _try(way, package, suite, options.cache)
            failures += failed
            print(f"| {suite} | {way} | {result} | {time.monotonic() - begin:.0f} |", flush=True)
    return 1 if failures else 0


def _try(way: str, package: Path, suite: str, cache: Path) -> tuple[str, bool]:
    """What to print, and whether it failed."""
    try:
        with fresh_system(suite, cache) as system:
            return f"ok: {_tried(way, system, package)}", False
    except Unreachable as error:
        return f"not tried: {error}", False
    except (Failed, AssertionError) as error:
        return f"FAILED: {error}".replace("\n", " "), True


def _tried(way: str, system: Chroot, package: Path) -> str:
    _, work = WAYS[way]
    return work(system, package)


if __name__ == "__main__":
    sys.exit(main())
