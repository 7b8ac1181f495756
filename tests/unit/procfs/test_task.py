"""What threads sleep in, and what the scheduler counted."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import pytest

from iotrace.errors import NoSuchProcess, Unsupported
from iotrace.procfs.stat import read_stat
from iotrace.procfs.task import (
    OUTSIDE,
    RUNNING,
    Blocked,
    Schedstat,
    parse_schedstat,
    parse_syscall,
    read_activity,
    read_schedstat,
    read_task,
    read_tasks,
    read_tids,
)
from tests import waiting

from . import samples

_wait_until = partial(waiting.wait_until, deadline_s=20)

RECVFROM = {"x86_64": 45, "aarch64": 207}


def test_a_blocked_call_has_its_number_arguments_and_registers() -> None:
    assert parse_syscall(samples.SYSCALL) == Blocked(
        number=45,
        args=(7, 0x7F78A2E2D000, 0x20000, 0, 0, 0),
        sp=0x7FFEF88BC0A8,
        pc=0x7F78A2FA92AD,
    )


def test_running_and_outside_of_any_call() -> None:
    assert parse_syscall(b"running\n") is RUNNING
    assert parse_syscall(b"-1 0x7ffef88bc0a8 0x7f78a2fa92ad\n") is OUTSIDE
    assert parse_syscall(b"-1 0x0 0x0\n") is OUTSIDE


def test_what_a_thread_of_the_kernel_shows_is_no_call_of_its_own() -> None:
    assert parse_syscall(b"425 0x4 0x7ff8307332d0 0x55f73bc22ed0 0x0 0x1c 0x6 0x0 0x0\n") is OUTSIDE
    assert parse_syscall(b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n") is OUTSIDE


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"45\n", b"-1\n", b"45 0x7\n", b"runnin\n", b"x" + samples.SYSCALL]
)
def test_anything_else_is_no_syscall_file(text: bytes) -> None:
    with pytest.raises(ValueError, match="not a syscall file"):
        parse_syscall(text)


def test_schedstat() -> None:
    assert parse_schedstat(samples.SCHEDSTAT) == Schedstat(63885, 41523, 2)
    with pytest.raises(ValueError, match="not a schedstat file"):
        parse_schedstat(b"63885 41523\n")


def test_the_call_of_a_thread_that_waits_for_data(spawn) -> None:
    child = spawn("""
receiver, sender = socket.socketpair()
thread = threading.Thread(target=receiver.recv, args=(1013,), daemon=True)
thread.start()
said.update(tid=thread.native_id, fd=receiver.fileno())
""")
    tid = child.said["tid"]
    assert read_tids(child.pid) == tuple(sorted((child.pid, tid)))
    _wait_until(
        lambda: isinstance(read_activity(child.pid, tid), Blocked), "it to sleep", deadline_s=20
    )
    activity = read_activity(child.pid, tid)
    assert isinstance(activity, Blocked)
    assert activity.number == RECVFROM[os.uname().machine]
    assert (activity.args[0], activity.args[2]) == (child.said["fd"], 1013)


def test_a_thread_in_its_own_code_runs_or_once_stopped_is_outside_of_any_call(spawn) -> None:
    child = spawn("""
def spin():
    while True:
        pass
thread = threading.Thread(target=spin, daemon=True)
thread.start()
said.update(tid=thread.native_id)
""")
    tid = child.said["tid"]

    def first_thread_reads_its_input() -> bool:
        activity = read_activity(child.pid, child.pid)
        return isinstance(activity, Blocked) and activity.args[0] == 0

    # Until then the two pass the lock of the interpreter to and fro, and wait for it in a call;
    # one that has been woken is RUNNING before it has left that call.
    _wait_until(first_thread_reads_its_input, "it to read its input")
    user_ns = read_stat(child.pid, tid).user_ns
    _wait_until(lambda: read_stat(child.pid, tid).user_ns > user_ns, "it to compute")
    assert read_activity(child.pid, tid) is RUNNING
    os.kill(child.pid, signal.SIGSTOP)
    _wait_until(
        lambda: read_activity(child.pid, tid) is OUTSIDE, "it to be outside of calls", deadline_s=20
    )
    assert read_task(child.pid, tid).stat.state == "T"


def test_time_on_the_cpu_is_that_of_the_thread_clock() -> None:
    tid = threading.get_native_id()
    before = time.thread_time_ns()
    os.sched_yield()
    run_ns = read_schedstat(os.getpid(), tid).run_ns
    assert before <= run_ns <= time.thread_time_ns()


def test_every_thread_is_read(spawn) -> None:
    child = spawn("""
gate = threading.Event()
for _ in range(23):
    threading.Thread(target=gate.wait, daemon=True).start()
""")
    tasks = read_tasks(child.pid)
    assert len(tasks) == 1 + 23
    assert set(tasks) == set(read_tids(child.pid))
    for tid, task in tasks.items():
        assert (task.stat.id, task.status.id, task.status.tgid) == (tid, tid, child.pid)
        assert task.status.threads == 24


def test_a_thread_or_process_that_is_gone(spawn) -> None:
    child = spawn("")
    with pytest.raises(NoSuchProcess, match=f"no thread 1 of process {child.pid}"):
        read_activity(child.pid, 1)
    child.popen.communicate()
    with pytest.raises(NoSuchProcess, match=f"no process {child.pid}"):
        read_tids(child.pid)


def test_threads_that_end_meanwhile_are_left_out(tree) -> None:
    root = tree(
        {
            "7/task/7/stat": samples.STAT,
            "7/task/7/status": samples.STATUS,
            "7/task/7/syscall": samples.SYSCALL,
            "7/task/7/schedstat": samples.SCHEDSTAT,
            "7/task/11": "gone",
        }
    )
    assert list(read_tasks(7, root)) == [7]


def test_what_a_kernel_was_built_without_is_none(tree) -> None:
    root = tree({"7/task/7/stat": samples.STAT, "7/task/7/status": samples.STATUS})
    task = read_task(7, 7, root)
    assert (task.activity, task.schedstat) == (None, None)
    with pytest.raises(Unsupported, match=r"this kernel has no .*schedstat"):
        read_schedstat(7, 7, root)
