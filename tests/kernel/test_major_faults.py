"""A mapped file that is larger than the control group's memory: page faults read it again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.found import by_rule
from tests.kernel.faults.memory_group import memory_group
from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing
from tests.waiting import wait_until

_FILE_BYTES = 64 << 20
_LIMIT_BYTES = 20 << 20
_FAULTS = _LIMIT_BYTES // 4096 + 1000
"""Until the group is full, page by page, and some more."""


def _major_faults(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[9])


def test_faults_at_the_memory_limit_are_found_and_counted() -> None:
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        file.write(os.urandom(_FILE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with (
            memory_group(_LIMIT_BYTES) as prefix,
            Target("mapped.py", file.name, prefix=prefix) as target,
            tracing(target.pid) as trace,
        ):
            before = _major_faults(target.pid)
            target.go()
            wait_until(lambda: _major_faults(target.pid) > before + _FAULTS, "page faults")
            report = report_of(trace)
            after = _major_faults(target.pid)
    (process,) = report.processes
    assert process.major_faults is not None
    assert _FAULTS <= process.major_faults <= after - before + 50
    found = by_rule(report.findings)["IO134"]
    assert found.evidence["memory_limit_bytes"] == _LIMIT_BYTES
    assert "memory limit" in found.title
    assert "look_up" in found.lines[0]
    marked = [row for row in process.cpu_samples if mark_of("mapped.py", row.stack) == "fault"]
    assert 0.9 * process.major_faults <= sum(row.faults for row in marked)
    assert sum(row.faults for row in process.cpu_samples) <= process.major_faults + 50
