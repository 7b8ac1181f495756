"""Requests whose body does not come, in a real framework."""

from __future__ import annotations

import time

import pytest

from iotrace.verdict.stuck import LEAST_NS
from tests.found import by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_requests_that_wait_for_their_body(form: str) -> None:
    """IO216."""
    with Target("bodies.py", form) as target, tracing(target.pid) as trace:
        target.go()
        until_ns = time.monotonic_ns() + 3 * LEAST_NS
        while time.monotonic_ns() < until_ns:
            trace.processes_alive()
            time.sleep(0.2)
        found = by_rule(report_of(trace).findings)
    assert ("IO216" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        finding = found["IO216"]
        assert finding.severity == "medium"
        assert finding.evidence["requests_waiting"] == 3
        assert finding.evidence["longest_ns"] >= LEAST_NS
        assert finding.lines[0].startswith("bodies.py:15 upload")
