"""A thread that slept in a call before the trace and stays there: all its time is that wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from iotrace.report.model import Process, Report
from iotrace.tracing.trace import Trace
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until

TRACED_NS = 300_000_000

# The thread's name in programs/blocked.py: the call's row, and the reason.
BLOCKED = {
    "recvfrom": ("recvfrom", "tcp", "recv"),
    "recvmsg": ("recvmsg", "udp", "recv"),
    "read": ("read", "pipe", "recv"),
    "readv": ("readv", "tty", "recv"),
    "accept4": ("accept4", "tcp", "accept"),
    "sendto": ("sendto", "unix", "send"),
    "write": ("write", "pipe", "send"),
    "connect": ("connect", "unix", "connect"),
    "epoll_wait": ("epoll_wait", "", "poll"),
    "poll": ("poll", "", "poll"),
    "pselect6": ("pselect6", "", "poll"),
    "futex": ("futex", "", "lock"),
    "clock_nanosleep": ("clock_nanosleep", "", "sleep"),
    "wait4": ("wait4", "", "child"),
    "rt_sigtimedwait": ("rt_sigtimedwait", "", "signal"),
    "openat": ("openat", "", "file"),
    "flock": ("flock", "file", "file"),
    "other": ("other", "", "other"),
    "no fds": ("poll", "no fds", "sleep"),
}


@dataclass(frozen=True, slots=True)
class Blocked:
    """A report of the program, and which thread and descriptor is which."""

    target: Target
    report: Report

    @property
    def process(self) -> Process:
        return process_of(self.report, self.target.pid)

    def tid(self, name: str) -> int:
        return int(self.target.facts["threads"][name]["tid"])

    def fd(self, name: str) -> int | None:
        fd: int | None = self.target.facts["threads"][name]["fd"]
        return fd


@pytest.fixture(scope="module")
def blocked() -> Iterator[Blocked]:
    with Target("blocked.py") as target:
        wait_until(lambda: all(_sleeps(target, name) for name in BLOCKED), "all to sleep")
        with tracing(target.pid) as trace:
            wait_until(lambda: _traced_ns(trace) > TRACED_NS, "time to pass")
            yield Blocked(target, report_of(trace))


def _sleeps(target: Target, name: str) -> bool:
    syscall = BLOCKED[name][0]
    return sleeps_in(
        target.pid,
        target.facts["threads"][name]["tid"],
        *((syscall,) if syscall != "other" else ()),
    )


def _traced_ns(trace: Trace) -> int:
    return min(thread.lifetime_ns for thread in trace.snapshot().threads.values())


@pytest.mark.parametrize("name", BLOCKED)
def test_all_its_time_is_that_wait(blocked: Blocked, name: str) -> None:
    _, _, reason = BLOCKED[name]
    (thread,) = (t for t in blocked.process.threads if t.tid == blocked.tid(name))
    assert thread.lifetime_ns > TRACED_NS
    assert thread.states_ns.wait[reason] == thread.lifetime_ns
    assert (thread.switches.voluntary, thread.switches.involuntary, thread.syscalls) == (0, 0, 0)


@pytest.mark.parametrize("name", BLOCKED)
def test_its_call_is_in_flight(blocked: Blocked, name: str) -> None:
    syscall, kind, _ = BLOCKED[name]
    (row,) = (row for row in blocked.process.calls if row.tid == blocked.tid(name))
    assert (row.syscall, row.kind, row.calls, row.in_flight) == (syscall, kind, 0, 1)
    assert row.wait_ns == row.total_ns > TRACED_NS


@pytest.mark.parametrize(
    "name", [name for name in BLOCKED if BLOCKED[name][1] not in ("", "no fds")]
)
def test_its_descriptor_waits(blocked: Blocked, name: str) -> None:
    (row,) = (row for row in blocked.process.descriptors if row.fd == blocked.fd(name))
    assert (row.kind, row.calls) == (BLOCKED[name][1], 0)
    assert row.wait_ns > TRACED_NS


def test_everything_is_in_flight(blocked: Blocked) -> None:
    # The eighteen, the main thread at its gate, and the child, which reads.
    assert blocked.report.quality.in_flight == len(BLOCKED) + 2
