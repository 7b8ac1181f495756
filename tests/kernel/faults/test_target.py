"""The target ends, execs, stops, forks, changes; at any moment. Each tried several times."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from iotrace.errors import ExitCode
from tests.kernel.faults.harness import (
    STATUS,
    TIMES,
    Tracer,
    Worker,
    checksum_of,
    moments,
    one_line,
    traced_worker,
)
from tests.kernel.targets import command
from tests.kernel.tracing import check_ledger, process_of, thread_of, tracing
from tests.kernel.waiting import is_alive
from tests.waiting import wait_until


@pytest.mark.parametrize("again", TIMES)
@pytest.mark.parametrize("mode", ["plain", "credentials", "storm", "exec"])
def test_it_ends_by_itself(mode: str, again: int) -> None:
    with traced_worker(mode) as (worker, tracer):
        worker.go()
        worker.check_unharmed()
        report = tracer.report()
    check_ledger(report)
    process = process_of(report, worker.pid)
    assert process.ended_ns is not None
    ended = sum(one.count for one in report.processes if one.pid != worker.pid)
    parts = 3 if mode == "exec" else 2
    assert ended == parts * worker.rounds + (200 if mode == "storm" else 0)


@pytest.mark.parametrize("again", TIMES)
@pytest.mark.parametrize("delay_ms", moments(0, 3, 17, 101))
def test_it_is_killed_at_any_moment(delay_ms: int, again: int) -> None:
    with traced_worker() as (worker, tracer):
        worker.go()
        time.sleep(delay_ms / 1000)  # whatever it is doing then
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.process.wait() == -signal.SIGKILL
        report = tracer.report()
    check_ledger(report)
    assert process_of(report, worker.pid).ended_ns is not None


@pytest.mark.parametrize("again", TIMES)
@pytest.mark.parametrize("delay_ms", moments(0, 20, 50, 100, 150, 200, 250, 300, 350, 400))
def test_it_is_killed_while_iotrace_attaches(delay_ms: int, again: int) -> None:
    with Worker() as worker, Tracer("attach", worker.pid, "-f", "json", "-d", "1") as tracer:
        worker.go()
        time.sleep(delay_ms / 1000)
        os.kill(worker.pid, signal.SIGKILL)
        worker.process.wait()
        status, _, err = tracer.wait()
    assert status in (ExitCode.OK, ExitCode.NO_PROCESS), err
    if status:
        one_line(err)


@pytest.mark.parametrize("again", TIMES)
def test_it_is_stopped_and_goes_on(again: int) -> None:
    with traced_worker() as (worker, tracer):
        worker.go()
        os.kill(worker.pid, signal.SIGSTOP)
        wait_until(lambda: _state(worker.pid) == "T", "it to stop")
        time.sleep(0.3)
        os.kill(worker.pid, signal.SIGCONT)
        worker.check_unharmed()
        report = tracer.report()
    check_ledger(report)
    assert thread_of(report, worker.pid, worker.pid).states_ns.wait["signal"] > 250_000_000


@pytest.mark.parametrize("again", TIMES)
def test_it_is_stopped_before_and_after(again: int) -> None:
    with Worker() as worker:
        os.kill(worker.pid, signal.SIGSTOP)
        wait_until(lambda: _state(worker.pid) == "T", "it to stop")
        with Tracer("attach", worker.pid, "-f", "json", "-d", "0.5") as tracer:
            report = tracer.report()
        assert _state(worker.pid) == "T"
        os.kill(worker.pid, signal.SIGCONT)
        worker.go()
        worker.check_unharmed()
    states = thread_of(report, worker.pid, worker.pid).states_ns
    assert states.user == states.kernel == 0


@pytest.mark.parametrize("again", TIMES)
def test_its_number_is_used_again(again: int) -> None:
    with Worker(rounds=1) as first, Worker() as other:
        pid = first.pid
        with tracing(pid, other.pid) as trace:
            first.go()
            first.check_unharmed()
            wait_until(lambda: trace.processes_alive() == {other.pid}, "its end to be seen")
            before = trace.report(trace.snapshot())
            _take_number(pid)
            assert trace.processes_alive() == {other.pid}
            after = trace.report(trace.snapshot())
    assert process_of(after, pid).calls == process_of(before, pid).calls


def _take_number(pid: int) -> None:
    """Another process with that number lives and works."""
    for _ in range(100):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        child = os.fork()
        if not child:
            for _ in range(100):
                os.getppid()
            os._exit(0)
        os.waitpid(child, 0)
        if child == pid:
            return
    pytest.fail(f"number {pid} could not be had")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("again", TIMES)
def test_run_returns_the_program_s_own_status(again: int) -> None:
    with Tracer("run", "--", *command("worker.py", 3, "plain")) as tracer:
        status, out, _ = tracer.wait()
    assert status == STATUS
    pid, digest = out.split()
    assert not is_alive(int(pid))
    assert digest == checksum_of("plain", 3)
