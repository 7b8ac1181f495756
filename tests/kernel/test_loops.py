"""Event loops: every iteration is counted, and what kept a loop from its multiplexer is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail
from iotrace.report.model import Loop, Stalls
from tests.kernel.scheduler import stolen_meanwhile
from tests.kernel.targets import Target
from tests.kernel.tracing import loop_of, process_of, trace_work

# programs/loops.py
SERVED, TIMEOUTS, ZERO_TIMEOUTS, UNSERVED = 31, 17, 19, 23
CPU_STALLS, SLEEP_STALLS, CALL_STALLS = 13, 11, 7
NEVER_ASLEEP, EACH_NS = 5, 20_000_000
TIMEOUT_NS = 20_000_000
UNENDED_NS = 600_000_000
CPU_STALL_NS, SLEEP_STALL_NS, CALL_STALL_NS = 60_000_000, 70_000_000, 80_000_000
MULTIPLEXERS = ("epoll_wait", "poll", "pselect6")


@pytest.fixture(scope="module", params=MULTIPLEXERS)
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    with Target("loops.py", request.param) as target:
        yield loop_of(process_of(trace_work(target), target.pid), request.param)


def _is_computed(cpu_ns: int, told_ns: int, stolen: int) -> bool:
    """``told_ns``: by the scheduler, which leaves out what a hypervisor takes."""
    return 0.95 * told_ns <= cpu_ns <= 1.05 * told_ns + stolen


def test_iterations_are_counted(loop: Loop) -> None:
    assert loop.iterations == SERVED + TIMEOUTS + ZERO_TIMEOUTS + UNSERVED + 1
    assert loop.empty == TIMEOUTS + ZERO_TIMEOUTS + 1
    assert loop.timeouts == TIMEOUTS
    assert loop.zero_timeout == ZERO_TIMEOUTS + 1
    assert loop.ready.max == 1
    assert loop.ready.mean == pytest.approx((SERVED + UNSERVED) / loop.iterations)


def test_what_was_ready_but_not_served_is_counted(loop: Loop) -> None:
    # After the last of them the data was read.
    assert loop.unserved == UNSERVED - 1


def test_data_iterations_are_counted(loop: Loop) -> None:
    # Every one that read; the sends come right before a wait, so they belong to the one before.
    assert SERVED < loop.data_iterations <= SERVED + 3


def test_only_timeouts_wait(loop: Loop) -> None:
    # Less than the timeouts where the loop was preempted before it fell asleep.
    assert 0.5 * TIMEOUTS * TIMEOUT_NS < loop.wait_ns < 1.1 * TIMEOUTS * TIMEOUT_NS


def test_it_watches_one_descriptor(loop: Loop) -> None:
    assert (loop.watched, loop.trigger) == (1, "level")


@pytest.fixture(scope="module")
def stalled() -> tuple[Stalls, int]:
    """And what was stolen meanwhile."""
    with stolen_meanwhile() as stolen, Target("loops.py", "epoll_wait", "stalls") as target:
        report = trace_work(target)
        slow_reader = target.results()["slow_reader"]
    found = loop_of(process_of(report, target.pid), "epoll_wait").stalls
    assert found is not None
    assert found.worst is not None
    assert (found.worst.syscall, found.worst.kind) == ("read", "pipe")
    assert found.worst.fd == slow_reader
    return found, stolen.ns


@pytest.fixture(scope="module")
def stalls(stalled: tuple[Stalls, int]) -> Stalls:
    return stalled[0]


def test_stalls_are_counted(stalls: Stalls) -> None:
    assert stalls.count == CPU_STALLS + SLEEP_STALLS + CALL_STALLS


def test_stalls_are_split_by_what_they_spent_their_time_on(stalled: tuple[Stalls, int]) -> None:
    stalls, stolen = stalled
    assert _is_computed(stalls.cpu_ns, CPU_STALLS * CPU_STALL_NS, stolen)
    assert stalls.wait_ns["sleep"] == pytest.approx(SLEEP_STALLS * SLEEP_STALL_NS, rel=0.05)
    # The delay began with a fork: where the parent was slow, it did not see all of it.
    assert 0.5 * CALL_STALLS * CALL_STALL_NS < stalls.wait_ns["recv"] < stalls.total_ns
    others = {reason: ns for reason, ns in stalls.wait_ns.items() if ns and reason != "fault"}
    assert others.keys() == {"sleep", "recv"}


def test_stalls_add_up(stalls: Stalls) -> None:
    parts_ns = stalls.cpu_ns + stalls.runq_ns + sum(stalls.wait_ns.values())
    assert parts_ns == pytest.approx(stalls.total_ns, rel=0.01)


def test_the_worst_wait_is_the_longest(stalls: Stalls) -> None:
    assert stalls.worst is not None
    assert stalls.worst.wait_ns > SLEEP_STALL_NS


@pytest.mark.parametrize("multiplexer", ["epoll_wait", "pselect6"])
def test_stalls_between_two_sleeps_are_seen_in_light_detail(multiplexer: str) -> None:
    """Iterations that slept are told apart; of those that did not, there is one sum."""
    with stolen_meanwhile() as stolen, Target("loops.py", multiplexer, "sleeping") as target:
        report = trace_work(target, limits=Limits(detail=Detail.LIGHT))
        slow_reader = target.results()["slow_reader"]
    row = loop_of(process_of(report, target.pid), multiplexer)
    alone = CPU_STALLS + SLEEP_STALLS + CALL_STALLS
    assert (row.sleeps, row.iterations) == (alone + 3, None)
    stalls, busy = row.stalls, row.busy_ns
    assert stalls is not None
    assert busy is not None
    assert stalls.count == alone + 1
    computed_ns = CPU_STALLS * CPU_STALL_NS + NEVER_ASLEEP * EACH_NS
    assert _is_computed(stalls.cpu_ns, computed_ns, stolen.ns)
    assert stalls.wait_ns["sleep"] == pytest.approx(SLEEP_STALLS * SLEEP_STALL_NS, rel=0.05)
    assert 0.5 * CALL_STALLS * CALL_STALL_NS < stalls.wait_ns["recv"] < stalls.total_ns
    assert stalls.total_ns >= stalls.cpu_ns + stalls.runq_ns + sum(stalls.wait_ns.values())
    # One that never slept was as long as five that did not.
    assert busy.max >= NEVER_ASLEEP * EACH_NS
    assert sum(count for _, _, count in busy.histogram) == alone + 2
    assert row.busy_total_ns is not None
    assert stalls.total_ns <= row.busy_total_ns < 1.1 * stalls.total_ns
    assert stalls.worst is not None
    assert stalls.worst.syscall in ("read", "clock_nanosleep")
    assert stalls.worst.fd in (slow_reader, None)


@pytest.mark.parametrize("detail", [Detail.FULL, Detail.LIGHT])
def test_a_stall_counts_before_it_has_ended(detail: Detail) -> None:
    with stolen_meanwhile() as stolen, Target("loops.py", "epoll_wait", "unended") as target:
        row = loop_of(
            process_of(trace_work(target, limits=Limits(detail=detail)), target.pid), "epoll_wait"
        )
    assert row.stalls is not None
    assert row.stalls.count == 1
    assert _is_computed(row.stalls.cpu_ns, UNENDED_NS, stolen.ns)
    assert row.busy_total_ns is not None
    assert row.busy_total_ns >= row.stalls.total_ns >= UNENDED_NS


def test_a_thread_that_has_closed_its_epoll_stalls_no_loop() -> None:
    with Target("loops.py", "epoll_wait", "left") as target:
        row = loop_of(process_of(trace_work(target), target.pid), "epoll_wait")
    assert row.stalls is None
