"""io_uring: operations are followed from their submission to their completion."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from iotrace.report.model import Operation, Process
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, process_of, trace_work

# programs/uring.py
RECEIVES, BYTES, FAILURES, DELAY_NS = 23, 100, 5, 20_000_000


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    if importlib.util.find_spec("liburing") is None:
        pytest.skip("needs liburing: pip install 'iotrace[uring]'")
    with Target("uring.py") as target:
        yield process_of(trace_work(target), target.pid)


@pytest.fixture(scope="module")
def receives(process: Process) -> Operation:
    (operation,) = process.operations
    assert operation.op == "recv"
    return operation


def test_operations_are_counted(receives: Operation) -> None:
    assert receives.count == RECEIVES + FAILURES
    assert sum(receives.errors.values()) == FAILURES
    assert receives.bytes == RECEIVES * BYTES


def test_their_time_is_the_delay(receives: Operation) -> None:
    interval = receives.submit_to_complete_ns
    assert interval is not None
    assert DELAY_NS * 0.93 < interval.p50 < DELAY_NS * 1.25
    assert interval.max >= DELAY_NS


def test_the_wait_is_in_no_read(process: Process) -> None:
    (thread,) = process.threads
    assert thread.states_ns.wait["recv"] == 0
    assert thread.states_ns.wait["uring"] > RECEIVES * DELAY_NS * 0.9
    assert call_of(process, "io_uring_enter").calls == RECEIVES + FAILURES
