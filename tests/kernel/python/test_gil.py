"""Waits for the GIL, against what a program measures itself."""

from __future__ import annotations

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail
from tests.interpreters import label, main_interpreters, version_of
from tests.kernel.python.marks import FIRST
from tests.kernel.scheduler import away_ns, stolen_meanwhile
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, process_of, trace_work

_READS = 41
_LOCKED_NS = 600_000_000
_GIVEN_UP = 43
_GILS = [one for one in main_interpreters() if version_of(one) in ("3.9", "3.15")]
"""In the runtime, and where an interpreter says that it is: the others' are there, too."""


@pytest.mark.parametrize(
    ("python", "spinners"),
    [*((python, 1) for python in main_interpreters()), (main_interpreters()[-1], 2)],
    ids=lambda one: label(one) if isinstance(one, str) else str(one),
)
def test_the_tax_of_a_call_is_what_it_takes_to_come_back(python: str, spinners: int) -> None:
    with (
        stolen_meanwhile() as stolen,
        Target("gil.py", _READS, spinners, prefix=FIRST, python=python) as target,
    ):
        report = trace_work(target)
        told = target.results()
    truth_ns = told["waited_ns"]
    process = process_of(report, target.pid)
    read = call_of(process, "recvfrom", "unix")
    assert read.calls == told["reads"] >= _READS
    main = next(thread for thread in process.threads if thread.tid == target.pid)
    assert 0.9 * truth_ns - away_ns(main, stolen.ns) <= (read.gil_ns or 0) <= 1.1 * truth_ns
    # The lock and the queue are waits of another kind.
    assert main.states_ns.wait["lock"] >= _LOCKED_NS
    assert 0 < main.states_ns.wait["gil"] < _LOCKED_NS
    waits = [row for row in process.calls if row.syscall == "futex" and row.tid == target.pid]
    assert {row.kind for row in waits} == {"", "gil"}
    (others,) = (row for row in waits if not row.kind)
    assert others.errors["ETIMEDOUT"] == _GIVEN_UP


@pytest.mark.parametrize("python", _GILS, ids=label)
def test_light_detail_tells_waits_for_it_from_those_for_locks(python: str) -> None:
    with (
        stolen_meanwhile() as stolen,
        Target("gil.py", _READS, 1, prefix=FIRST, python=python) as target,
    ):
        report = trace_work(target, limits=Limits(detail=Detail.LIGHT))
        truth_ns = target.results()["waited_ns"]
    process = process_of(report, target.pid)
    main = next(thread for thread in process.threads if thread.tid == target.pid)
    waits = [row for row in process.calls if (row.tid, row.kind) == (target.pid, "gil")]
    assert [row.syscall for row in waits] == ["futex"]
    assert waits[0].wait_ns == main.states_ns.wait["gil"]
    least_ns = 0.9 * truth_ns - away_ns(main, stolen.ns)
    assert _LOCKED_NS > waits[0].wait_ns + waits[0].runq_ns >= least_ns
    assert main.states_ns.wait["lock"] >= _LOCKED_NS
    # Which call a wait for it came after, nobody sees.
    assert {(row.gil_ns, row.gil_waits) for row in process.calls} == {(None, None)}
    assert report.quality.unavailable["GIL tax"]
