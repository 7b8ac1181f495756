"""Tables far smaller than what comes and goes: room is given back, and nothing is lost."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import replace

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.procfs.files import ABSENT_VARIABLE
from iotrace.report.detail import Detail
from iotrace.report.model import Report
from iotrace.snapshot.arithmetic import interval
from tests.kernel.command import checked_report, started, wait_until_tracing
from tests.kernel.scheduler import scheduled
from tests.kernel.targets import Target
from tests.kernel.tracing import report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import DEADLINE_S, wait_until

ROUNDS = 11
EACH = 61
SMALL = Limits(threads=512, reserved=128, calls=1024, descriptors=512, errors=64, targets=512)


def _sent(report: Report) -> tuple[int, int, int]:
    """Rows, calls and bytes of all that was sent."""
    rows = [
        row
        for process in report.processes
        for row in process.calls
        if (row.syscall, row.kind) == ("sendto", "unix")
    ]
    return len(rows), sum(row.calls for row in rows), sum(row.bytes for row in rows)


def _a_round(target: Target) -> None:
    """A thread that is just being woken still looks asleep: it must have slept since, too."""
    before = scheduled(target.pid, target.pid).voluntary
    target.go()
    wait_until(
        lambda: (
            scheduled(target.pid, target.pid).voluntary > before
            and sleeps_in(target.pid, target.pid, "rt_sigtimedwait")
        ),
        "a round to end",
    )


def test_what_ends_is_added_up_and_its_room_used_again() -> None:
    with Target("churn.py", EACH) as target, tracing(target.pid, limits=SMALL) as trace:
        for _ in range(ROUNDS):
            _a_round(target)
            trace.processes_alive()  # as the command line does all the time
        report = report_of(trace)
    threads = [thread for process in report.processes for thread in process.threads]
    ended = [thread for thread in threads if thread.ended_ns is not None]
    assert sum(thread.count for thread in ended) == ROUNDS * EACH * 2
    assert sum(process.count for process in report.processes) == ROUNDS * EACH + 1
    rows, calls, octets = _sent(report)
    assert (calls, octets) == (ROUNDS * EACH * 2 * 3, ROUNDS * EACH * 2 * 15)
    assert rows < calls // 3, "nothing was added up"
    assert report.quality.lost.total == 0
    loops = [loop for process in report.processes for loop in process.loops]
    assert {loop.multiplexer for loop in loops} == {"poll"}
    assert sum(loop.iterations for loop in loops) == ROUNDS * EACH * 2


def test_an_interval_holds_what_happened_in_it_though_it_was_added_up() -> None:
    with Target("churn.py", EACH) as target, tracing(target.pid, limits=SMALL) as trace:
        _a_round(target)
        trace.processes_alive()
        earlier = trace.snapshot()
        for _ in range(3):
            _a_round(target)
            trace.processes_alive()
        later = trace.snapshot()
        _, calls, octets = _sent(trace.report(interval(later, earlier)))
    assert (calls, octets) == (3 * EACH * 2 * 3, 3 * EACH * 2 * 15)


@pytest.mark.parametrize(
    "detail", [Detail.SOCKETS, pytest.param(Detail.LIGHT, marks=pytest.mark.thorough)]
)
def test_room_is_given_back_without_probes_on_calls(detail: Detail) -> None:
    limits = replace(SMALL, detail=detail)
    with Target("churn.py", EACH) as target, tracing(target.pid, limits=limits) as trace:
        for _ in range(ROUNDS):
            _a_round(target)
            trace.processes_alive()
        report = report_of(trace)
    threads = [thread for process in report.processes for thread in process.threads]
    assert sum(thread.count for thread in threads if thread.ended_ns) == ROUNDS * EACH * 2
    assert report.quality.lost.total == 0


@pytest.mark.thorough
def test_no_batches_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ABSENT_VARIABLE, "lookup_batch")
    test_what_ends_is_added_up_and_its_room_used_again()


THREADS = 1_009
KINDS = ("unix", "pipe", "eventfd", "file")


def test_a_thousand_threads_a_second_lose_no_call() -> None:
    """As a server with a thread for each connection has; each needs records of 14 calls and more.

    The pause is longer than such a thread takes, and half of what giving its room back may take.
    """
    with (
        Target("many_calls.py", THREADS, 1_000_000) as target,
        started("attach", target.pid, "-f", "json") as process,
    ):
        wait_until_tracing(process)
        target.go()
        target.wait_until_finished()
        process.send_signal(signal.SIGINT)
        report = checked_report(process.communicate(timeout=DEADLINE_S)[0])
    assert report["quality"]["lost"] == dict.fromkeys(report["quality"]["lost"], 0)
    calls: Counter[tuple[str, str]] = Counter()
    for one in report["processes"]:
        for call in one["calls"]:
            calls[call["syscall"], call["kind"]] += call["calls"]
    assert {kind: calls["read", kind] for kind in KINDS} == dict.fromkeys(KINDS, THREADS)
    assert calls["recvfrom", "unix"] == calls["sendmsg", "unix"] == THREADS
