"""A CPU quota (IO121): what it costs, and which findings only follow from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import GroupLimits
from tests.unit.verdict import made_busy
from tests.unit.verdict.made import LENGTH_NS, MS, PID, S, findings, judged, process, thread

_QUOTA = GroupLimits("/pod", 0.2, 16 * S)
"""16 s in a trace of 10: the kernel adds up two CPUs."""


def test_a_group_of_which_a_thread_ran_did_not_stand_still_meanwhile() -> None:
    rows = [thread(PID, user=2 * S, runq=8 * S), thread(701, user=S, runq=9 * S)]
    found = findings(replace(process(rows), limits=_QUOTA))["IO121"]
    assert found.evidence["throttled_added_up_over_cpus_ns"] == 16 * S
    assert found.evidence["quota_cpus"] == 0.2
    assert found.cost_ns == LENGTH_NS - 2 * S
    short = replace(_QUOTA, throttled_ns=3 * S)
    assert findings(replace(process(rows), limits=short))["IO121"].cost_ns == 3 * S


@pytest.mark.parametrize(("waited_ns", "follows"), [(0, False), (900 * MS, True)])
def test_requests_that_wait_for_the_quota_do_not_compute(waited_ns: int, follows: bool) -> None:
    """250 ms each on a CPU, and as long as is told ready without one."""
    (one,) = made_busy.computing_requests(True)
    (row,) = one.requests
    quick, slow = row.tiers
    service = {**slow.service_ns, "runq": slow.count * waited_ns}
    late = replace(slow, latency_ns=slow.latency_ns + slow.count * waited_ns, service_ns=service)
    rows = [thread(PID, user=6 * S, runq=4 * S), thread(701, user=S, runq=9 * S)]
    starved = replace(
        one, requests=(replace(row, tiers=(quick, late)),), threads=tuple(rows), limits=_QUOTA
    )
    told = judged(starved).findings
    assert ("IO178" in [each.id for each in told]) is not follows
    (throttled,) = [each for each in told if each.id == "IO121"]
    assert ("IO178" in [each.id for each in throttled.symptoms]) is follows
