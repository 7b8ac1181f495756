"""gevent's greenlets: the walk follows the one that runs, whichever stack it was switched to."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from tests.interpreters import label
from tests.kernel.python.marks import FIRST, mark_of
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, trace_work
from tests.sid_pythons import packages_folder, sid_pythons

_TIMES = 7


@pytest.mark.parametrize("python", (sys.executable, *sid_pythons()), ids=label)
def test_a_greenlet_that_holds_the_others_up_is_named(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if python in sid_pythons():
        monkeypatch.setenv("PYTHONPATH", str(packages_folder(sid_pythons()[python])))
    elif importlib.util.find_spec("gevent") is None:
        pytest.skip("needs gevent (.ci/setup tests)")
    with Target("greenlets.py", _TIMES, prefix=FIRST, python=python) as target:
        report = trace_work(target)
    process = process_of(report, target.pid)
    (sleeps,) = [one for one in process.lines if one.syscall == "clock_nanosleep"]
    assert [frame.function for frame in sleeps.stack] == ["hold_up"]
    assert mark_of("greenlets.py", sleeps.stack) == "hold"
    assert sleeps.calls == _TIMES
    (stalls,) = [loop.stalls for loop in process.loops if loop.stalls]
    assert [(one.cause, one.count, one.stack) for one in stalls.causes] == [
        ("call", _TIMES, sleeps.stack)
    ]
