"""Counts, errors and bytes are exact: those of a known workload, and those that strace sees."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.model import Process, Report
from tests.kernel.strace import Tally, strace_work
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, process_of, trace_work

PROGRAM = "calls.py"

# (call, kind): calls, bytes, errors. The prime numbers of programs/calls.py.
EXPECTED: dict[tuple[str, str], tuple[int, int, dict[str, int]]] = {
    ("write", "pipe"): (101 + 11 + 5, 101 * 7 + 11 * 7, {"EPIPE": 5}),
    ("read", "pipe"): (101 + 13, 101 * 7, {"EAGAIN": 13}),
    ("writev", "pipe"): (23, 23 * 7, {}),
    ("readv", "pipe"): (23, 23 * 7, {}),
    ("splice", "pipe"): (11, 11 * 7, {}),
    ("write", "file"): (53 + 1, 53 * 11 + 19, {}),
    ("read", "file"): (59, 53 * 11, {}),
    ("pread64", "file"): (37, 37 * 5, {}),
    ("pwrite64", "file"): (31, 31 * 3, {}),
    ("preadv2", "file"): (17, 17 * 5, {}),
    ("pwritev2", "file"): (29, 29 * 3, {}),
    ("fsync", "file"): (7, 0, {}),
    ("fdatasync", "file"): (3, 0, {}),
    ("read", ""): (17, 0, {"EBADF": 17}),
    ("write", "eventfd"): (41, 41 * 8, {}),
    ("read", "eventfd"): (41 + 29, 41 * 8, {"EAGAIN": 29}),
    ("write", "tty"): (43, 43 * 5, {}),
    ("read", "tty"): (43, 43 * 5, {}),
    ("sendto", "unix"): (71 + 1, 71 * 13 + 1, {}),
    ("recvfrom", "unix"): (71 + 31, 71 * 13, {"EAGAIN": 31}),
    ("sendmsg", "unix"): (67, 67 * 5, {}),
    ("recvmsg", "unix"): (67, 67 * 5, {}),
    ("write", "unix"): (61, 61 * 8, {}),
    ("read", "unix"): (61, 61 * 8, {}),
    ("writev", "unix"): (47, 47 * 3, {}),
    ("readv", "unix"): (47, 47 * 3, {}),
    ("sendmmsg", "unix"): (37, 37 * 15, {}),
    ("recvmmsg", "unix"): (37, 37 * 15, {}),
    ("connect", "tcp"): (13 + 7, 0, {"ECONNREFUSED": 7}),
    ("accept4", "tcp"): (8 + 11, 0, {"EAGAIN": 11}),
    ("accept", "tcp"): (5, 0, {}),
    ("sendto", "tcp"): (39, 39 * 17, {}),
    ("recvfrom", "tcp"): (39 + 13, 39 * 17 + 13 * 19, {}),
    ("sendfile", "tcp"): (13, 13 * 19, {}),
    ("sendto", "udp"): (83, 83 * 10, {}),
    ("recvfrom", "udp"): (83, 83 * 10, {}),
    ("select", ""): (89, 0, {}),
    ("pselect6", ""): (79, 0, {}),
    ("poll", ""): (73, 0, {}),
    ("ppoll", ""): (67, 0, {}),
    ("epoll_wait", ""): (61, 0, {}),
    ("epoll_pwait", ""): (59 + 2, 0, {"EBADF": 2}),
    ("epoll_pwait2", ""): (53, 0, {}),
    ("select", "no fds"): (5, 0, {}),
    ("poll", "no fds"): (3, 0, {}),
    ("nanosleep", ""): (11, 0, {}),
    ("clock_nanosleep", ""): (13, 0, {}),
    ("epoll_ctl", "level"): (1 + 7 + 2, 0, {}),
    ("epoll_ctl", "edge"): (7, 0, {}),
    ("epoll_ctl", ""): (2, 0, {}),
    ("futex", ""): (97 + 3 + 43 + 5, 0, {"EAGAIN": 3 + 43, "ETIMEDOUT": 5}),
    ("wait4", ""): (7 + 23, 0, {"ECHILD": 23}),
    ("waitid", ""): (3 + 19, 0, {"ECHILD": 19}),
}

MOVES_DATA = {syscall for (syscall, _), (_, moved, _) in EXPECTED.items() if moved}


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    with Target(PROGRAM) as target:
        yield trace_work(target)


@pytest.fixture(scope="module")
def worker(report: Report) -> Process:
    return process_of(report, report.processes[0].pid)


@pytest.fixture(scope="module")
def straced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tally]:
    return strace_work(PROGRAM, Path(tmp_path_factory.mktemp("strace")) / "log")


@pytest.mark.parametrize(
    ("syscall", "kind"), EXPECTED, ids=[f"{syscall}-{kind or 'none'}" for syscall, kind in EXPECTED]
)
def test_row_is_the_workload_s(worker: Process, syscall: str, kind: str) -> None:
    row = call_of(worker, syscall, kind)
    assert (row.calls, row.bytes, row.errors) == EXPECTED[syscall, kind]


def test_every_call_of_every_thread_is_strace_s(report: Report, straced: dict[str, Tally]) -> None:
    assert _by_name(report) == _listed_or_other(straced, report)


def test_a_thread_counts_its_calls(worker: Process) -> None:
    (thread,) = worker.threads
    assert thread.syscalls == sum(row.calls for row in worker.calls)


def test_all_threads_together_make_as_many_calls_as_strace_sees(
    report: Report, straced: dict[str, Tally]
) -> None:
    threads = [thread for process in report.processes for thread in process.threads]
    assert len(threads) == 1 + 7 + 3
    assert sum(thread.syscalls for thread in threads) == sum(t.calls for t in straced.values())


def test_waits_that_give_up_soon_stand_apart_where_the_gil_is_not_known() -> None:
    with Target(PROGRAM) as target:
        worker = process_of(trace_work(target, limits=Limits(python=False)), target.pid)
    soon, others = (call_of(worker, "futex", kind) for kind in ("short timeout", ""))
    assert (soon.calls, soon.errors) == (43 + 5, {"EAGAIN": 43, "ETIMEDOUT": 5})
    assert (others.calls, others.errors) == (97 + 3, {"EAGAIN": 3})


def test_signals_are_counted(worker: Process) -> None:
    assert [(row.signal, row.count) for row in worker.signals] == [("SIGUSR2", 2)]


def _by_name(report: Report) -> dict[str, tuple[int, Counter[str], int]]:
    """Calls, errors and bytes of all processes by the name of the call."""
    sums: dict[str, tuple[int, Counter[str], int]] = defaultdict(lambda: (0, Counter(), 0))
    for process in report.processes:
        for row in process.calls:
            if row.calls:
                calls, errors, moved = sums[row.syscall]
                sums[row.syscall] = (
                    calls + row.calls,
                    errors + Counter(row.errors),
                    moved + row.bytes,
                )
    return dict(sums)


def _listed_or_other(
    straced: dict[str, Tally], report: Report
) -> dict[str, tuple[int, Counter[str], int]]:
    """strace's figures under the names that the report uses."""
    named = {row.syscall for process in report.processes for row in process.calls}
    sums: dict[str, tuple[int, Counter[str], int]] = defaultdict(lambda: (0, Counter(), 0))
    for name, tally in straced.items():
        moved = tally.bytes if name in MOVES_DATA else 0
        name = name if name in named else "other"
        calls, errors, before = sums[name]
        sums[name] = calls + tally.calls, errors + tally.errors, before + moved
    return dict(sums)
