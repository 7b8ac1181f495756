"""Lines are named also where the process that they were seen in is no more."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.interpreters import interpreters, label
from tests.kernel.python.marks import mark_of
from tests.kernel.targets import targets_on
from tests.kernel.tracing import report_of, tracing


def test_no_stack_is_lost_to_an_exit_an_exec_or_a_fork() -> None:
    with targets_on(interpreters(), "lives.py") as targets:
        of = {one.pid: python for python, one in targets.items()}
        with tracing(*of) as trace:
            # Nobody looks before the children have ended and the programs have become others.
            for one in targets.values():
                one.go()
            for one in targets.values():
                one.wait_until_ready_again()
            trace.processes_alive()
            for one in targets.values():
                one.go()
            for one in targets.values():
                one.wait_until_finished()
            report = report_of(trace)
    sleeps: dict[str, Counter[str]] = defaultdict(Counter)
    for process in report.processes:
        python = of[process.pid if process.pid in of else process.parent]
        for line in process.lines:
            assert line.max_ns < report.duration_ns, (label(python), line)
            assert line.stack, (label(python), line)
            assert not [frame for frame in line.stack if frame.file == "?"], (label(python), line)
            if line.syscall in ("clock_nanosleep", "pselect6"):
                sleeps[python][mark_of("lives.py", line.stack)] += line.calls
    for python in targets:
        assert sleeps[python] == {"before": 1, "child": 1, "after": 23}, label(python)
