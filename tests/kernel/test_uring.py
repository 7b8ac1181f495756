"""io_uring: operations are followed from their submission to their completion."""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from iotrace.report.model import Operation, Process
from iotrace.tracing.trace import Trace
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, process_of, report_of, trace_work, tracing
from tests.waiting import wait_until

# programs/uring.py
RECEIVES, BYTES, FAILURES, DELAY_NS = 23, 100, 5, 20_000_000
LONG_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """A report, and how long each receive took at most, as the program itself saw it."""

    process: Process
    took_ns: list[int]

    @property
    def receives(self) -> Operation:
        (operation,) = self.process.operations
        return operation


@pytest.fixture(scope="module", autouse=True)
def _binding() -> None:
    if importlib.util.find_spec("uring_api") is None:
        pytest.skip("needs uring-api: pip install 'iotrace[uring]'")


@pytest.fixture(scope="module")
def work() -> Iterator[Work]:
    with Target("uring.py") as target:
        process = process_of(trace_work(target), target.pid)
        yield Work(process, target.results()["took"])


def test_operations_are_counted(work: Work) -> None:
    assert work.receives.op == "recv"
    assert work.receives.count == RECEIVES + FAILURES
    assert sum(work.receives.errors.values()) == FAILURES
    assert work.receives.bytes == RECEIVES * BYTES


def test_their_time_is_the_delay(work: Work) -> None:
    interval = work.receives.submit_to_complete_ns
    assert interval is not None
    assert interval.p50 <= statistics.median(work.took_ns) * 1.07  # 8 buckets per power of two
    assert interval.p50 > DELAY_NS * 0.5  # the failures complete at once; the peer may be ahead
    assert interval.p50 <= interval.max <= max(work.took_ns)


def test_the_wait_is_in_no_read(work: Work) -> None:
    (thread,) = work.process.threads
    assert thread.states_ns.wait["recv"] == 0
    assert thread.states_ns.wait["uring"] > 0.5 * RECEIVES * DELAY_NS
    # One call hands a receive over, another waits for it; a failure is there at once.
    assert call_of(work.process, "io_uring_enter").calls == 2 * RECEIVES + FAILURES


@pytest.mark.parametrize("born", ["before", "during"])
def test_the_kernel_s_own_threads_wait_for_io_uring(born: str) -> None:
    with Target("uring_workers.py", born) as target, tracing(target.pid) as trace:
        target.go()
        target.wait_until_finished()
        wait_until(lambda: _shortest_ns(trace) > LONG_NS, "time to pass")
        process = process_of(report_of(trace), target.pid)
    (worker,) = (thread for thread in process.threads if thread.tid != target.pid)
    assert worker.name == f"iou-wrk-{target.pid}"[:15]
    waits = worker.states_ns.wait
    assert waits["uring"] == sum(waits.values()) > 0.5 * LONG_NS


def _shortest_ns(trace: Trace) -> int:
    return min(thread.lifetime_ns for thread in trace.snapshot().threads.values())
