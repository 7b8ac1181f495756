"""A thread that has waited for the GIL before its first line is no thread without Python."""

from __future__ import annotations

from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work

_THREADS = 23


def test_the_first_slow_call_of_a_thread_has_its_line() -> None:
    with Target("young_threads.py") as target:
        report = trace_work(target)
    lines = process_of(report, target.pid).lines
    naps = [line for line in lines if mark_of("young_threads.py", line.stack) == "nap"]
    assert sum(line.calls for line in naps if line.syscall == "clock_nanosleep") == _THREADS
