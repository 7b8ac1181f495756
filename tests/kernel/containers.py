"""Run the family program, traced, inside of a container."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from iotrace.report.codec import loads
from iotrace.report.model import Report

_ROOT = Path(__file__).parents[2]
IN_CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def family_in_container(depth: int, detail: str) -> tuple[int, Report]:
    """The program's pid as seen in there, and the report made in there."""
    done = subprocess.run(
        [*IN_CONTAINER * depth, sys.executable, "-m", "tests.kernel.family", detail],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pid, _, report = done.stdout.partition("\n")
    return int(pid), loads(report)
