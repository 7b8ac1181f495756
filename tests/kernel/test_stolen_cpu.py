"""What a hypervisor steals is counted in /proc/stat, which no test can make it do: iotrace is given
another file in its place."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.report.codec import loads
from iotrace.report.model import Report
from tests.found import by_rule
from tests.kernel.faults.harness import IOTRACE
from tests.kernel.targets import Target

_RUNS, _EACH_S = 10, 0.002
"""Ticks that the CPUs run for, each so many seconds: the first look is only taken when all probes
are loaded, on a busy machine shortly before the last one."""
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


@contextmanager
def _machine(path: Path, steals: int) -> Iterator[None]:
    """The file tells of a machine of which, while it runs 10 ticks, so many are stolen."""
    over = threading.Event()
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)

    def tell() -> None:
        began = time.monotonic()
        while not over.is_set():
            # As time goes on, however seldom this thread runs.
            number = int((time.monotonic() - began) / _EACH_S)
            # Of one length: no reader may see half of it.
            user, steal = number * _RUNS, number * steals
            os.pwrite(file, b"cpu  %012d 0 0 0 0 0 0 %012d 0 0\n" % (user, steal), 0)
            over.wait(_EACH_S)

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.close(file)


def _trace_beside(stat: Path) -> Report:
    with Target("hog.py", 0) as target:
        target.go()
        command = ("unshare", "-m", "sh", "-euc", 'mount --bind "$0" /proc/stat && exec "$@"')
        done = subprocess.run(
            [*command, str(stat), *IOTRACE, "attach", str(target.pid), "-d", "1.5", "-f", "json"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return loads(done.stdout)


@pytest.mark.parametrize(("steals", "found"), [(5, True), (1, False)])
def test_what_is_stolen_is_counted_and_told(tmp_path: Path, steals: int, found: bool) -> None:
    with _machine(tmp_path / "stat", steals):
        report = _trace_beside(tmp_path / "stat")
    (process,) = report.processes
    assert process.limits is not None
    running, stolen = process.limits.machine_running_ns, process.limits.machine_stolen_ns
    assert running is not None and stolen is not None
    assert running >= 10 * _RUNS * _TICK_NS
    assert stolen * _RUNS == running * steals
    hits = by_rule(report.findings)
    assert ("IO194" in hits) is found
    if found:
        assert hits["IO194"].evidence["stolen_share_ratio"] == 0.333
