"""Lines are named also where the process that they were seen in is no more."""

from __future__ import annotations

import pytest

from tests.interpreters import interpreters, label
from tests.kernel.python.marks import mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing
from tests.kernel.waiting import sleeps_in, wait_until


@pytest.mark.parametrize("python", interpreters(), ids=label)
def test_no_stack_is_lost_to_an_exit_an_exec_or_a_fork(python: str) -> None:
    with Target("lives.py", python=python) as target, tracing(target.pid) as trace:
        target.go()

        def ended() -> bool:
            trace.processes_alive()
            return sleeps_in(target.pid, target.pid, "pause")

        wait_until(ended, "the program to finish")
        report = report_of(trace)
    sleeps: dict[str, int] = {}
    for process in report.processes:
        for line in process.lines:
            assert line.max_ns < report.duration_ns, line
            if line.syscall in ("clock_nanosleep", "pselect6"):
                assert line.stack, line
                assert not [frame for frame in line.stack if frame.file == "?"], line
                mark = mark_of("lives.py", line.stack)
                sleeps[mark] = sleeps.get(mark, 0) + line.calls
    assert sleeps["before"] == sleeps["child"] == 1
    # The new program is met while it runs: at most its first naps are missed.
    assert 11 <= sleeps["after"] <= 23
