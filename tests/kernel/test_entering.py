"""Threads that are in the middle of something when the trace begins."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from iotrace.procfs.task import is_frozen
from iotrace.tracing.trace import Trace
from tests.kernel.command import iotrace
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, loop_of, process_of, report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until

LONG_NS = 100_000_000

# mode of programs/rounds.py: the call that sleeps, its kind, its bytes, the reason
MODES = {
    "recv": ("recvfrom", "tcp", 1, "recv"),
    "recvmsg": ("recvmsg", "tcp", 1, "recv"),
    "read": ("read", "tcp", 1, "recv"),
    "accept": ("accept4", "tcp", 0, "accept"),
    "select": ("pselect6", "", 0, "poll"),
    "poll_": ("poll", "", 0, "poll"),
    "epoll_": ("epoll_wait", "", 0, "poll"),
}


@contextmanager
def _asleep(mode: str) -> Iterator[tuple[Target, socket.socket]]:
    """A program that sleeps in that call, and the peer that it waits for."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Target("rounds.py", listener.getsockname()[1], 1, mode) as target,
        listener.accept()[0] as peer,
    ):
        target.go()
        assert peer.recv(1) == b"?"
        wait_until(lambda: sleeps_in(target.pid, target.pid, MODES[mode][0]), "the call")
        yield target, peer


def _age_ns(trace: Trace) -> int:
    return min(thread.lifetime_ns for thread in trace.snapshot().threads.values())


def _wait_until_old(trace: Trace) -> None:
    wait_until(lambda: _age_ns(trace) > LONG_NS, "time to pass")


def _wait_until_older(trace: Trace) -> None:
    before_ns = _age_ns(trace)
    wait_until(lambda: _age_ns(trace) > before_ns + LONG_NS, "time to pass")


def _wait_until_at_its_gate(target: Target) -> None:
    wait_until(lambda: sleeps_in(target.pid, target.pid, "rt_sigtimedwait"), "the gate")


@pytest.mark.parametrize("mode", MODES)
def test_a_call_that_returns_is_one_call(mode: str) -> None:
    syscall, kind, size, reason = MODES[mode]
    with _asleep(mode) as (target, peer), tracing(target.pid) as trace:
        _wait_until_old(trace)
        if mode == "accept":
            socket.create_connection(("127.0.0.1", target.facts["port"])).close()
        else:
            peer.send(b"!")
        _wait_until_at_its_gate(target)
        process = process_of(report_of(trace), target.pid)
    row = call_of(process, syscall, kind)
    assert (row.calls, row.bytes, row.errors, row.in_flight) == (1, size, {}, 0)
    assert row.wait_ns > LONG_NS
    assert process.threads[0].states_ns.wait[reason] >= row.wait_ns
    if reason == "poll":
        loop = loop_of(process, syscall)
        assert (loop.iterations, loop.ready.max, loop.empty) == (1, 1, 0)


def test_a_program_that_computes_uses_its_cpu() -> None:
    with Target("hog.py", max(os.sched_getaffinity(0))) as target:
        target.go()
        wait_until(lambda: not sleeps_in(target.pid, target.pid), "it to run")
        with tracing(target.pid) as trace:
            _wait_until_old(trace)
            (thread,) = process_of(report_of(trace), target.pid).threads
    assert thread.states_ns.user + thread.states_ns.runq == thread.lifetime_ns


def test_a_stopped_program_waits_for_a_signal() -> None:
    with _asleep("recv") as (target, peer):
        os.kill(target.pid, signal.SIGSTOP)
        wait_until(lambda: _state(target.pid) == "T", "it to stop")
        with tracing(target.pid) as trace:
            _wait_until_old(trace)
            (stopped,) = process_of(report_of(trace), target.pid).threads
            os.kill(target.pid, signal.SIGCONT)
            wait_until(lambda: _state(target.pid) == "S", "recv again")
            _wait_until_older(trace)
            peer.send(b"!")
            _wait_until_at_its_gate(target)
            process = process_of(report_of(trace), target.pid)
    assert stopped.states_ns.wait["signal"] == stopped.lifetime_ns
    assert process.threads[0].states_ns.wait["recv"] > LONG_NS
    row = call_of(process, "recvfrom", "tcp")
    assert (row.calls, row.bytes) == (1, 1)


def test_a_call_that_a_stop_interrupts_goes_on_as_what_it_was() -> None:
    with _asleep("poll_") as (target, peer), tracing(target.pid) as trace:
        os.kill(target.pid, signal.SIGSTOP)
        wait_until(lambda: _state(target.pid) == "T", "it to stop")
        os.kill(target.pid, signal.SIGCONT)
        wait_until(lambda: _state(target.pid) == "S", "it to sleep again")
        _wait_until_older(trace)
        peer.send(b"!")
        _wait_until_at_its_gate(target)
        process = process_of(report_of(trace), target.pid)
    waits = process.threads[0].states_ns.wait
    assert waits["poll"] > LONG_NS
    assert waits["other"] == 0
    row = call_of(process, "poll")
    assert (row.calls, row.errors) == (2, {"ERESTART_RESTARTBLOCK": 1})
    assert loop_of(process, "poll").iterations == 1


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@contextmanager
def _in_a_container() -> Iterator[tuple[int, int]]:
    """(pid here, pid in its own PID namespace) of a program; the latter is no pid here."""
    script = "echo 3999999 > /proc/sys/kernel/ns_last_pid; sleep 1000 & wait"
    with subprocess.Popen(
        ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script]
    ) as top:
        try:
            wait_until(lambda: len(_descendants(top.pid)) == 2, "the program to start")
            outer = _descendants(top.pid)[-1]
            status = Path(f"/proc/{outer}/status").read_text()
            inner = next(line.split() for line in status.splitlines() if line.startswith("NSpid"))
            yield outer, int(inner[-1])
        finally:
            # The first one of a PID namespace takes all others with it.
            for pid in _descendants(top.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [below for child in map(int, found) for below in (child, *_descendants(child))]


def test_a_program_in_a_container_has_another_pid_here() -> None:
    with _in_a_container() as (outer, inner):
        refused = iotrace("attach", inner)
        traced = iotrace("attach", outer, "-d", "100ms", "-f", "json")
    assert (refused.code, refused.stdout) == (4, "")
    assert f"here it is {outer}" in refused.stderr
    assert traced.code == 0
    assert [process["pid"] for process in traced.report["processes"]] == [outer]


def test_what_ran_before_has_begun_with_the_trace() -> None:
    with Target("sleepers.py") as target:
        target.go()
        target.wait_until_finished()
        with tracing(target.pid) as trace:
            report = report_of(trace)
    assert len(report.processes) == 1 + 3
    assert len(process_of(report, target.pid).threads) == 1 + 5
    assert {process.started_ns for process in report.processes} == {0}
    assert {thread.started_ns for one in report.processes for thread in one.threads} == {0}


def _freezers() -> list[Path]:
    """The folders of cgroup hierarchies that can freeze: of v2, and of v1's freezer."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [
        Path(where)
        for _, where, kind, options, *_ in mounts
        if kind == "cgroup2" or (kind == "cgroup" and "freezer" in options.split(","))
    ]


@contextmanager
def _group_of(hierarchy: Path, pid: int) -> Iterator[Callable[[bool], None]]:
    """A control group with that process: a function that freezes it, or lets it go on."""
    group = hierarchy / f"iotrace-test-{pid}"
    group.mkdir()
    (group / "cgroup.procs").write_text(str(pid))
    switch, words = group / "cgroup.freeze", ("0", "1")
    if not switch.exists():
        switch, words = group / "freezer.state", ("THAWED", "FROZEN")

    def freeze(frozen: bool) -> None:
        switch.write_text(words[frozen])

    try:
        yield freeze
    finally:
        freeze(False)
        (hierarchy / "cgroup.procs").write_text(str(pid))
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
        group.rmdir()


@pytest.mark.parametrize("hierarchy", _freezers(), ids=str)
@pytest.mark.parametrize("before", [True, False], ids=["frozen before", "frozen meanwhile"])
def test_a_frozen_program_is_stopped_and_not_over_page_faults(
    hierarchy: Path, before: bool
) -> None:
    """As `docker pause` freezes a container."""
    with _asleep("recv") as (target, peer), _group_of(hierarchy, target.pid) as freeze:
        freeze(before)
        wait_until(lambda: is_frozen(target.pid, target.pid) is before, "the group to be frozen")
        with tracing(target.pid) as trace:
            _wait_until_old(trace)
            freeze(True)
            wait_until(lambda: is_frozen(target.pid, target.pid), "the group to be frozen")
            _wait_until_older(trace)
            (frozen,) = process_of(report_of(trace), target.pid).threads
            freeze(False)
            wait_until(lambda: sleeps_in(target.pid, target.pid, "recvfrom"), "recv again")
            _wait_until_older(trace)
            peer.send(b"!")
            _wait_until_at_its_gate(target)
            process = process_of(report_of(trace), target.pid)
    waits = frozen.states_ns.wait
    assert waits["signal"] >= LONG_NS
    assert waits["fault"] == 0
    assert (waits["recv"] == 0) is before
    row = call_of(process, "recvfrom", "tcp")
    assert row.bytes == 1
    assert process.threads[0].states_ns.wait["recv"] > LONG_NS
