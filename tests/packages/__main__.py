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
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from iotrace.errors import IotraceError
from tests.apt import Unreachable
from tests.packages import image
from tests.packages.chroots import Failed, fresh_system
from tests.packages.ways import WAYS

SUITES = ("bookworm", "trixie", "noble")
"""Debian 12 and 13, Ubuntu 24.04."""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.packages")
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument(
        "--way", action="append", choices=tuple(WAYS), help="default: all, and the image"
    )
    parser.add_argument("--cache", type=Path, default=Path("/var/cache/iotrace-packages"))
    options = parser.parse_args()
    if os.geteuid() or not shutil.which("debootstrap"):
        print("packages: needs root and debootstrap")
        return 2
    options.cache.mkdir(parents=True, exist_ok=True)
    print("| system | way | result | seconds |\n|---|---|---|---|", flush=True)
    ways = options.way or WAYS
    try:
        packages = {way: WAYS[way].build() for way in ways}  # all of one HEAD
    except subprocess.CalledProcessError as failed:  # it has said why
        print(f"packages: {failed.cmd[0]} failed", file=sys.stderr)
        return 2
    tries = [(suite, way) for way in ways for suite in options.suites]
    failures = 0
    for suite, way in tries:
        failures += _told(
            suite, way, partial(_in_fresh_system, suite, way, packages[way], options.cache)
        )
    if not options.way:
        failures += _told(image.SUITE, "image", partial(image.try_image, options.cache))
    return 1 if failures else 0


def _in_fresh_system(suite: str, way: str, package: Path, cache: Path) -> str:
    with fresh_system(suite, cache) as system:
        return WAYS[way].work(system, package)


def _told(suite: str, way: str, work: Callable[[], str]) -> bool:
    """Print a row; whether it failed."""
    begin = time.monotonic()
    failed = False
    try:
        result = f"ok: {work()}"
    except Unreachable as error:
        result = f"not tried: {error}"
    except (Failed, AssertionError, IotraceError) as error:
        result, failed = f"FAILED: {error}".replace("\n", " "), True
    print(f"| {suite} | {way} | {result} | {time.monotonic() - begin:.0f} |", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
