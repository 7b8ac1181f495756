"""Lines are named also where the process that they were seen in is no more."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.interpreters import interpreters, label
from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing


@pytest.mark.parametrize("python", interpreters(), ids=label)
def test_no_stack_is_lost_to_an_exit_an_exec_or_a_fork(python: str) -> None:
    with Target("lives.py", python=python) as target, tracing(target.pid) as trace:
        # Nobody looks before the child has ended and the program has become another.
        target.go()
        target.wait_until_ready_again()
        trace.processes_alive()
        target.go()
        target.wait_until_finished()
        report = report_of(trace)
    sleeps: Counter[str] = Counter()
    for process in report.processes:
        for line in process.lines:
            assert line.max_ns < report.duration_ns, line
            assert line.stack, line
            assert not [frame for frame in line.stack if frame.file == "?"], line
            if line.syscall in ("clock_nanosleep", "pselect6"):
                sleeps[mark_of("lives.py", line.stack)] += line.calls
    assert sleeps == {"before": 1, "child": 1, "after": 23}
