"""Requests whose clients have hung up, in a real framework."""

from __future__ import annotations

import time

import pytest

from iotrace.verdict.stuck import LEAST_NS
from tests.found import by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_requests_that_go_on_for_clients_that_have_gone(form: str) -> None:
    """IO219."""
    with Target("leaves.py", form) as target, tracing(target.pid) as trace:
        target.go()
        until_ns = time.monotonic_ns() + 3 * LEAST_NS
        while time.monotonic_ns() < until_ns:
            trace.processes_alive()
            time.sleep(0.2)
        found = by_rule(report_of(trace).findings)
    assert ("IO219" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        finding = found["IO219"]
        assert finding.severity == "medium"
        assert finding.evidence["tasks_of_requests"] == 7
        assert finding.lines[0].startswith("leaves.py:15 slow")
