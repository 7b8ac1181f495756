"""Each server makes the system calls that its model implies, counted by strace(1)."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from iotrace.servers.catalog import ServerModel, find
from iotrace.servers.launch import RunningServer, running
from iotrace.servers.load import run_load
from iotrace.servers.load_plan import LoadPlan
from iotrace.servers.protocol import encode

from tests.unit.servers.client import (
    dial,
    model_parameters,
    open_descriptors,
    processes_of_session,
    read_message,
    threads_of,
    wait_until,
)

MESSAGES = 23
WAITS = ("select", "pselect6", "poll", "ppoll", "epoll_wait", "epoll_pwait", "rt_sigsuspend")
# The client comes, sends its messages and leaves.
EVENTS = 1 + MESSAGES + 1


def strace_works() -> bool:
    return (
        shutil.which("strace") is not None
        and subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode == 0
    )


pytestmark = pytest.mark.skipif(
    not strace_works(), reason="strace is not installed, or may not trace (apt install strace)"
)


Client = Callable[[RunningServer], None]


def load(**plan: int | bool) -> Client:
    """One message at a time, each sent when the server has most likely gone back to waiting."""
    plan = {"requests": MESSAGES, "delay_ns": 10**7, **plan}

    def send(server: RunningServer) -> None:
        result = run_load(LoadPlan(port=server.port, **plan))  # type: ignore[arg-type]
        assert (result.requests, result.errors) == (MESSAGES, {})

    return send


def patient_client(server: RunningServer) -> None:
    """Each message is sent when the server waits for a signal, and none is under way: of two that
    come while it does not wait one may be all that it is sent."""
    descriptors = open_descriptors(server.pid)
    with dial(server.port) as sock:
        wait_until(lambda: open_descriptors(server.pid) > descriptors, "it to accept")
        for number in range(MESSAGES):
            wait_until(lambda: waits_for_a_signal(server.pid), "it to wait for a signal")
            sock.sendall(encode(b"hello", sequence=number))
            assert read_message(sock).payload == b"hello"
        wait_until(lambda: waits_for_a_signal(server.pid), "it to wait for a signal")
    wait_until(lambda: open_descriptors(server.pid) == descriptors, "it to hang up")
    wait_until(lambda: waits_for_a_signal(server.pid), "it to wait for a signal")


def waits_for_a_signal(pid: int) -> bool:
    """Asleep in sigsuspend(2), which alone blocks no signal, and none is pending: proc(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    signals = fields["SigBlk"], fields["ShdPnd"]
    return fields["State"].startswith("S") and not any(int(mask, 16) for mask in signals)


def client_of_threads(server: RunningServer) -> None:
    """Each message comes by a new connection. A thread ends a while after it has closed its own."""
    threads = len(threads_of(server.pid))
    load(reconnect=True)(server)
    wait_until(lambda: len(threads_of(server.pid)) == threads, "its threads to end")


def count_calls(module: str, trace: Path, client: Client | None = None) -> Counter[str]:
    """What a server does from being ready until SIGTERM: calls as "recvfrom", those that failed
    also as "recvfrom EAGAIN", signals as "SIGIO", and as "ended" each process or thread that ends.
    Calls that a signal ended are not counted, but for rt_sigsuspend, which knows no other end.
    """
    # -D: strace is the grandchild, the server our child.
    with running(module, prefix=("strace", "-D", "-f", "-o", str(trace))) as server:
        descriptors = open_descriptors(server.pid)
        processes = processes_of_session(server.pid).keys()
        (client or load())(server)
        # It has noticed that the client has left.
        wait_until(lambda: open_descriptors(server.pid) == descriptors)
        wait_until(lambda: processes_of_session(server.pid).keys() == processes)
        assert server.stop() == 0
    wait_until(lambda: trace.read_text().endswith("+++ exited with 0 +++\n"))
    _, _, ready = trace.read_text().partition('write(1, "ready ')
    served, _, _ = ready.partition("--- SIGTERM")
    calls: Counter[str] = Counter()
    for line in served.splitlines():
        calls["ended"] += line.endswith("+++ exited with 0 +++")
        if signal := re.match(r"\d+ +--- (SIG\w+)", line):
            calls[signal[1]] += 1
        if call := re.match(r"\d+ +(\w+)\((?!.* EINTR)(?!.* = \? ERESTART)", line):
            calls[call[1]] += 1
        calls["rt_sigsuspend"] += "rt_sigsuspend(" in line
        if failure := re.match(r"\d+ +(?:<\.\.\. )?(\w+).* = -1 (E\w+)", line):
            calls[f"{failure[1]} {failure[2]}"] += 1
    return calls


def waits(calls: Counter[str]) -> Counter[str]:
    return Counter({name: calls[name] for name in WAITS if calls[name]})


def test_blocking_reads_and_nothing_else(tmp_path: Path) -> None:
    calls = count_calls("blocking", tmp_path / "trace")
    assert calls["recvfrom"] == MESSAGES + 1
    assert calls["sendto"] == MESSAGES
    assert waits(calls) == {}


@pytest.mark.parametrize(
    ("model_id", "names"),
    [
        ("select", {"select", "pselect6"}),
        ("poll", {"poll", "ppoll"}),
        ("epoll", {"epoll_wait", "epoll_pwait"}),
        ("selectors", {"epoll_wait", "epoll_pwait"}),
        ("event-queue", {"epoll_wait", "epoll_pwait"}),
    ],
)
def test_multiplexing_is_one_wait_and_one_read(
    model_id: str, names: set[str], tmp_path: Path
) -> None:
    calls = count_calls(find(model_id).module, tmp_path / "trace")
    assert calls["recvfrom"] == MESSAGES + 1
    assert calls["recvfrom EAGAIN"] == 0
    assert calls["sendto"] == MESSAGES
    assert waits(calls).total() == EVENTS
    assert waits(calls).keys() <= names


def test_edge_triggering_reads_until_there_is_no_more(tmp_path: Path) -> None:
    calls = count_calls("epoll_et", tmp_path / "trace")
    # The last look may have found that the client has left, before an edge could tell.
    assert waits(calls).total() in (EVENTS - 1, EVENTS)
    assert calls["recvfrom"] - calls["recvfrom EAGAIN"] == MESSAGES + 1
    assert calls["recvfrom EAGAIN"] in (MESSAGES - 1, MESSAGES)
    assert calls["sendto"] == MESSAGES


def test_nonblocking_never_waits(tmp_path: Path) -> None:
    calls = count_calls("nonblocking", tmp_path / "trace")
    assert waits(calls) == {}
    assert calls["recvfrom"] - calls["recvfrom EAGAIN"] == MESSAGES + 1
    assert calls["recvfrom EAGAIN"] > 10 * MESSAGES
    assert calls["clock_nanosleep"] == 0


def test_one_signal_comes_for_each_message(tmp_path: Path) -> None:
    calls = count_calls("signal_", tmp_path / "trace", patient_client)
    assert calls["SIGIO"] == EVENTS
    # The last one ends by SIGTERM.
    assert waits(calls) == {"rt_sigsuspend": EVENTS + 1}
    assert calls["recvfrom"] - calls["recvfrom EAGAIN"] == MESSAGES + 1
    assert calls["sendto"] == MESSAGES


def test_asyncio_is_epoll(tmp_path: Path) -> None:
    calls = count_calls("asyncio_", tmp_path / "trace")
    assert calls["recvfrom"] == MESSAGES + 1
    assert calls["sendto"] == MESSAGES
    assert waits(calls).keys() <= {"epoll_wait", "epoll_pwait"}
    # Each message wakes a coroutine, which runs after a second look at the descriptors.
    assert waits(calls).total() >= 2 * MESSAGES


@pytest.mark.parametrize("model", model_parameters(only=["async-io"]))
def test_async_io_neither_reads_nor_writes(model: ServerModel, tmp_path: Path) -> None:
    calls = count_calls(model.module, tmp_path / "trace")
    assert waits(calls) == {}
    assert calls["recvfrom"] == calls["sendto"] == calls["accept4"] == 0
    # One call hands over an answer and the next receive, another waits for what is done; at the
    # end the client may have left before the server came to wait for that.
    assert calls["io_uring_enter"] in (2 * EVENTS - 1, 2 * EVENTS)


def test_fork_makes_a_process_for_each_request(tmp_path: Path) -> None:
    calls = count_calls("fork", tmp_path / "trace", load(reconnect=True))
    assert calls["ended"] == MESSAGES
    assert calls["SIGCHLD"] >= 1
    assert calls["wait4"] >= MESSAGES
    assert calls["recvfrom"] == 2 * MESSAGES
    assert calls["sendto"] == MESSAGES
    assert waits(calls) == {}


def test_thread_makes_a_thread_for_each_request(tmp_path: Path) -> None:
    calls = count_calls("thread", tmp_path / "trace", client_of_threads)
    assert calls["ended"] == MESSAGES
    assert calls["recvfrom"] == 2 * MESSAGES
    assert calls["sendto"] == MESSAGES
    assert waits(calls) == {}
