"""Subinterpreters: each thread's lines are its own interpreter's, and each GIL is known."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.interpreters import interpreters, label, version_of
from tests.kernel.python.marks import FIRST, mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work

_NAPS, _NAPS_IN_MAIN, _READS = 11, 7, 41
_SHARED = {"3.9", "3.10", "3.11"}
_WITH_OWN_GILS = [one for one in interpreters() if version_of(one) not in _SHARED]


@pytest.mark.parametrize("python", _WITH_OWN_GILS, ids=label)
def test_lines_and_gil_waits_are_those_of_the_interpreter_that_runs(python: str) -> None:
    arguments = (_NAPS, _NAPS_IN_MAIN, _READS)
    with Target("subinterpreters.py", *arguments, prefix=FIRST, python=python) as target:
        report = trace_work(target)
        truth_ns = target.results()["waited_ns"]
    process = process_of(report, target.pid)
    naps: Counter[str] = Counter()
    for line in process.lines:
        if line.syscall == "clock_nanosleep":
            naps[mark_of("subinterpreters.py", line.stack)] += line.calls
    assert naps == {"sub": _NAPS, "main": _NAPS_IN_MAIN}
    reads = [one for one in process.calls if (one.syscall, one.kind) == ("read", "pipe")]
    # The other row is the main interpreter's, whose GIL nobody else wants by then.
    assert sorted(one.calls for one in reads) == [1, _READS]
    assert sum(one.gil_ns for one in reads) == pytest.approx(truth_ns, rel=0.1)
