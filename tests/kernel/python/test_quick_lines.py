"""Connects have their lines however quick they are, and so have calls that lack a descriptor."""

from __future__ import annotations

from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work

_TIMES = 7


def test_quick_calls_that_have_a_line() -> None:
    with Target("quick_lines.py") as target:
        report = trace_work(target)
    process = process_of(report, target.pid)
    calls = {
        (mark_of("quick_lines.py", one.stack), one.syscall): one.calls for one in process.lines
    }
    assert calls["connects", "connect"] == _TIMES
    assert calls["refused", "connect"] == _TIMES
    assert calls["opens", "openat"] == _TIMES
