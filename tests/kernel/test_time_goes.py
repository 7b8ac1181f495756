"""Where the time of a script goes in which nothing is proven wrong."""

from __future__ import annotations

import pytest

from tests.found import by_rule
from tests.kernel.targets import Target
from tests.kernel.tracing import trace_work


@pytest.mark.parametrize("form", ["wrong", "fixed"])
def test_a_script_that_waits_for_commands_is_told_where(form: str) -> None:
    """IO225."""
    with Target("commands.py", form) as target:
        found = by_rule(trace_work(target, children=False).findings)
    assert ("IO225" in found) is (form == "wrong"), found.keys()
    if form == "wrong":
        finding = found["IO225"]
        assert finding.severity == "low"
        # The first ones are over when Python's stacks begin to be followed.
        assert 4 <= finding.evidence["calls"] <= 10
        assert 0.8e9 <= (finding.cost_ns or 0) <= 3e9
        assert finding.lines[0].startswith("commands.py:")
        assert " export -> wait4: " in finding.lines[0]
