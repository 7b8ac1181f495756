"""Requests whose body does not come, or whose clients have hung up, in real frameworks."""

from __future__ import annotations

import time

import pytest

from iotrace.verdict.stuck import LEAST_NS
from tests.found import Found, by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing


def _found(program: str, form: str) -> Found:
    """By rule: what is said of a server whose tasks were looked at for long enough."""
    with Target(program, form) as target, tracing(target.pid) as trace:
        target.go()
        until_ns = time.monotonic_ns() + 3 * LEAST_NS
        while time.monotonic_ns() < until_ns:
            trace.processes_alive()
            time.sleep(0.2)
        return by_rule(report_of(trace).findings)


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_requests_that_wait_for_their_body(form: str) -> None:
    """IO216."""
    found = _found("bodies.py", form)
    assert ("IO216" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        finding = found["IO216"]
        assert finding.severity == "medium"
        assert finding.evidence["requests_waiting"] == 3
        assert finding.evidence["longest_ns"] >= LEAST_NS
        assert finding.lines[0].startswith("bodies.py:15 upload")


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_requests_that_go_on_for_clients_that_have_gone(form: str) -> None:
    """IO219."""
    found = _found("leaves.py", form)
    assert ("IO219" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        finding = found["IO219"]
        assert finding.severity == "medium"
        assert finding.evidence["tasks_of_requests"] == 7
        assert finding.lines[0].startswith("leaves.py:15 slow")
