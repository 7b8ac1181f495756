"""What holds an event loop up: each injected stall is found and blamed on its line and cause."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from iotrace.report.model import Report
from tests.interpreters import interpreters, label, main_interpreters, version_of
from tests.kernel.python.marks import FIRST, mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until

_STALLS = int(os.environ.get("IOTRACE_TEST_STALLS", "5"))
_HEALTHY_S = float(os.environ.get("IOTRACE_TEST_HEALTHY_S", "3"))
_CAUSES = {
    "cpu": "cpu",
    "native": "cpu",
    "mixed": "cpu",
    "recv": "call",
    "sleep": "call",
    "gil": "gil",
    "gc": "gc",
}


BETWEEN = ("3.13", "3.14")
"""The oldest and the newest are tried each time."""


def _trace(python: str, *arguments: object, lasts_s: float = 0) -> tuple[int, Report]:
    program = Target("stalls.py", *arguments, prefix=FIRST, python=python)
    with program as target, tracing(target.pid) as trace:
        target.go()

        def ended() -> bool:
            trace.processes_alive()
            return sleeps_in(target.pid, target.pid, "pause")

        until = time.monotonic() + lasts_s
        while time.monotonic() < until and not ended():
            time.sleep(0.1)
        wait_until(ended, "the program to finish")
        return target.pid, report_of(trace)


@pytest.mark.parametrize(
    "python",
    [
        pytest.param(one, marks=pytest.mark.thorough if version_of(one) in BETWEEN else ())
        for one in main_interpreters()
    ],
    ids=label,
)
def test_each_stall_is_blamed_on_its_line_and_its_cause(python: str) -> None:
    pid, report = _trace(python, "hold_up", _STALLS, lasts_s=0.4 * _STALLS)
    (loop,) = [one for one in process_of(report, pid).loops if one.stalls]
    assert loop.stalls is not None
    blamed: Counter[tuple[str, str]] = Counter()
    for one in loop.stalls.causes:
        blamed[mark_of("stalls.py", one.stack), one.cause] += one.count
    assert blamed == dict.fromkeys(_CAUSES.items(), _STALLS)
    assert loop.stalls.count == len(_CAUSES) * _STALLS
    # What computed without Python: memset, of the C library.
    objects = {mark_of("stalls.py", one.stack): one.native for one in loop.stalls.causes}
    assert objects["native"] == "libc"
    assert objects["mixed"] == "libc", "the last samples of each are elsewhere, but most are there"
    assert objects["recv"] == ""


@pytest.mark.parametrize("python", interpreters()[:1], ids=label)
def test_a_healthy_loop_has_no_stall(python: str) -> None:
    pid, report = _trace(python, "healthy", _HEALTHY_S, lasts_s=_HEALTHY_S)
    loops = process_of(report, pid).loops
    assert sum(loop.iterations for loop in loops) > 100 * _HEALTHY_S
    assert not [loop.stalls for loop in loops if loop.stalls]
