"""Other processes that a call waits for: who reads a full pipe, who has to allow an access."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.found import by_rule
from tests.kernel.targets import command
from tests.kernel.tracing import process_of, report_of, tracing

TRACED_S = 3.0
# Who answers is looked for at the end, of waits that have lasted a while: both last far longer.
_READS_SLOWLY = "import os, time\nwhile os.read(0, 4096): time.sleep(1)"


@contextlib.contextmanager
def _started(*told: str, **how: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(told, stdin=how.pop("stdin", subprocess.PIPE), **how)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("scanned", [True, False])
def test_who_is_waited_for_is_named(tmp_path: Path, scanned: bool) -> None:
    """A reader that is not traced, and a program that answers for the file system; without that
    one, files are opened at once."""
    (tmp_path / "sample").touch()
    (tmp_path / "elsewhere").mkdir()
    watched = tmp_path if scanned else tmp_path / "elsewhere"
    out = subprocess.PIPE
    with (
        _started(sys.executable, "-c", _READS_SLOWLY) as reader,
        _started(*command("scanner.py", watched), stdout=out) as scanner,
    ):
        assert scanner.stdout is not None
        assert reader.stdin is not None
        line = scanner.stdout.readline()
        if not line:
            pytest.skip("this kernel has no fanotify permissions")
        pipe = reader.stdin.fileno()
        with (
            _started(*command("full_output.py", tmp_path), stdout=out, stderr=pipe) as target,
            tracing(target.pid) as trace,
        ):
            time.sleep(TRACED_S)
            report = report_of(trace)
            assert scanner.stdin is not None
    found = by_rule(report.findings)
    assert found["IO212"].evidence["reader"].startswith(f"process {reader.pid} (")
    calls = [row.in_call for row in process_of(report, target.pid).threads]
    asked = [one.allowed_by for one in calls if one and one.syscall == "openat"]
    assert ("IO152" in found) is scanned
    if scanned:
        assert [name.split()[0] for one in asked for name in one] == [str(scanner.pid)]
        assert "fanotify" in found["IO152"].title
        assert found["IO152"].evidence["allowed_by"].startswith(f"{scanner.pid} ")
