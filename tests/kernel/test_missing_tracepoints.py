"""Without a tracepoint that is not vital, its columns are n/a with a reason; the rest holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iotrace.report.model import Process, Report
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, report_of, tracing

OPTIONAL = {
    "skb_copy_datagram_iovec": "exact copy of sockets",
    "sk_data_ready": "pickup",
    "signal_deliver": "signals",
    "io_uring_complete": "operations",
}


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    with (
        Target("calls.py") as target,
        tracing(target.pid, absent=frozenset(OPTIONAL)) as trace,
    ):
        target.go()
        target.wait_until_finished()
        yield report_of(trace)


@pytest.fixture(scope="module")
def worker(report: Report) -> Process:
    """The process that was traced by its pid, not one of its children."""
    pids = {process.pid for process in report.processes}
    (root,) = (process for process in report.processes if process.parent not in pids)
    return root


@pytest.mark.parametrize(("tracepoint", "column"), OPTIONAL.items())
def test_the_reason_is_told(report: Report, tracepoint: str, column: str) -> None:
    assert tracepoint in report.quality.unavailable[column]


def test_counts_hold(worker: Process) -> None:
    row = call_of(worker, "recvfrom", "tcp")
    assert (row.calls, row.bytes) == (39 + 13, 39 * 17 + 13 * 19)


def test_the_copy_of_sockets_is_estimated(worker: Process) -> None:
    row = call_of(worker, "recvfrom", "tcp")
    assert row.copy_estimated
    assert row.copy_ns > 0


def test_there_is_nothing_where_nothing_is_known(worker: Process) -> None:
    assert worker.signals == ()
    assert worker.operations == ()
    assert {row.pickup_ns for row in worker.descriptors} == {None}
