"""Workers that somebody kills before they serve are told to be, with where they were."""

from __future__ import annotations

import time

from tests.found import by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing

_WORKERS, _START_S = 3, 1


def test_workers_that_are_killed_while_they_start() -> None:
    with Target("killed.py", _WORKERS, _START_S) as target, tracing(target.pid) as trace:
        target.go()
        for _ in range(_WORKERS * _START_S * 5):  # what it listens on is only seen while it lives
            trace.look()
            time.sleep(0.2)
        target.wait_until_finished()
        report = report_of(trace)
    found = by_rule(report.findings)["IO192"]
    assert found.evidence["workers_replaced"] == _WORKERS
    assert found.evidence["signals"] == "SIGABRT"
    assert found.evidence["had_served"] == 0
    assert "killed.py:" in found.lines[0]
    assert "clock_nanosleep" in found.lines[0]
