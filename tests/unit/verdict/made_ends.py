"""Servers whose workers are killed, or that do not come to their end, and their twins."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process, Signal
from iotrace.report.stacks import CpuSample
from iotrace.report.surroundings import InheritedConnection
from iotrace.report.task_waits import TaskWaits
from tests.unit.verdict.hangs import HANDLER
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    in_call,
    line_of,
    listener,
    process,
    stack,
    thread,
)
from tests.unit.verdict.made_tasks import slow_tasks, wait_of

SLEEPS = "lib/asyncio/tasks.py:639 sleep"
STREAMED = (SLEEPS, "app.py:13 changes", "lib/site-packages/starlette/responses.py:244 stream")
ENDING = (
    SLEEPS,
    "lib/site-packages/uvicorn/server.py:300 Server._wait_tasks_to_complete",
    "lib/site-packages/uvicorn/server.py:278 Server.shutdown",
    "lib/site-packages/uvicorn/server.py:70 Server.serve",
)
SERVING = (SLEEPS, "lib/site-packages/uvicorn/server.py:229 Server.main_loop", ENDING[-1])


def killed_workers(wrong: bool) -> tuple[Process, ...]:
    """IO192: three that compute for 3 s and get SIGABRT; the twin's got SIGTERM, at a reload."""
    signal = "SIGABRT" if wrong else "SIGTERM"
    place = stack("app.py:11 search_index", "lib/importlib/__init__.py:126 import_module")
    workers = [
        replace(
            process(
                [thread(pid, user=2_900 * MS, runq=100 * MS)],
                [call("other", "", 23, tid=pid)],
                pid=pid, parent=PID, started=began * S, ended=(began + 3) * S,
                signals=(Signal(pid, signal, 1),),
            ),
            cpu_samples=(CpuSample(pid, 290, 2_900 * MS, 0, 0, 0, 0, place),),
            sockets=listener(),
        )
        for pid, began in ((701, 1), (702, 4), (703, 7))
    ]  # fmt: skip
    return replace(process([thread(poll=10 * S)]), sockets=listener(3)), *workers


def main_thread_gone(wrong: bool) -> tuple[Process, ...]:
    """IO211: a worker of which one thread is left, that waits for a lock; the twin has its main
    thread, which waits for that one."""
    left, main = (
        replace(thread(tid, lock=10 * S), in_call=in_call("futex", "")) for tid in (702, 701)
    )
    worker = process([left] if wrong else [main, left], pid=701, parent=PID)
    # What it is cannot be read any more.
    return process([thread(poll=10 * S)]), replace(worker, python=None, cmdline=())


def told_in_vain(wrong: bool) -> tuple[Process, ...]:
    """IO208: a server that was told to end seven times; the twin once, just now."""
    gathers = wait_of("servers.py:20 main", tasks=1)
    told = Signal(PID, "SIGTERM", 7 if wrong else 1)
    sockets = OpenSockets(5, ("127.0.0.1:8000",), 0, 0)
    return (
        replace(
            event_loop(),
            tasks=TaskWaits(12, 9 * S, 2, (gathers,)),
            sockets=sockets,
            signals=(told,),
        ),
    )


FORKED = (
    "lib/multiprocessing/popen_fork.py:71 Popen._launch",
    "lib/concurrent/futures/process.py:725 ProcessPoolExecutor.submit",
    "server.py:17 start",
)


def inherited_connections(wrong: bool) -> tuple[Process, ...]:
    """IO206: two processes of a pool have a connection that the server has closed; the twins have
    served it themselves."""
    (server,) = slow_tasks(False)
    sleeps = in_call(
        "clock_nanosleep", "", "server.py:13 report",
        "lib/concurrent/futures/process.py:240 _process_worker", *FORKED,
    )  # fmt: skip
    kept = (InheritedConnection("10.0.0.7:5001", 72),)
    workers = [
        replace(
            process(
                [replace(thread(pid, sleep=10 * S), in_call=sleeps)],
                () if wrong else [call("recvfrom", "tcp", 31, tid=pid)],
                pid=pid,
                parent=server.pid,
            ),
            sockets=OpenSockets(2, ("127.0.0.1:8000",), 0, 1, inherited=kept),
        )
        for pid in (701, 702)
    ]
    return server, *workers


def shared_connections(wrong: bool) -> tuple[Process, ...]:
    """IO204: two workers ask a database by way of one connection; the twins have one each."""
    asks = in_call("recvfrom", "tcp", "app.py:20 index", *HANDLER, fd=6, peer="10.0.0.9:5432")
    workers = [
        replace(
            process(
                [replace(thread(pid, recv=4 * S, lock=6 * S), in_call=asks)],
                [call("recvfrom", "tcp", 50, tid=pid, wait=4 * S)],
                (),
                [
                    descriptor(
                        6,
                        local=f"10.0.0.2:{51_000 + (0 if wrong else pid)}",
                        peer="10.0.0.9:5432",
                        wait=4 * S,
                    )
                ],
                pid=pid,
                parent=PID,
            ),
            lines=(line_of(asks, 50, 4 * S, 300 * MS, pid),),
        )
        for pid in (701, 702)
    ]
    return process([thread(poll=10 * S)]), *workers


def runs_children(wrong: bool) -> tuple[Process, ...]:
    """IO225: a script that waits for one child process after the other; the twin sleeps."""
    child = in_call("wait4", "", "lib/subprocess.py:1226 Popen.wait", "job.py:11 export")
    waits = child if wrong else in_call("clock_nanosleep", "", "job.py:11 export")
    times = {"child" if wrong else "sleep": 9 * S}
    one = process([thread(PID, user=S, **times)], [call(waits.syscall, "", 30, wait=9 * S)])
    lines = (line_of(waits, 30, 9 * S, 310 * MS),)
    return (replace(one, lines=lines, sockets=OpenSockets(0, (), 0, 0)),)


def endless_shutdown(wrong: bool) -> tuple[Process, ...]:
    """IO193: three streams keep a server from ending; the twin serves them."""
    rows = (wait_of(*STREAMED, tasks=3), wait_of(*(ENDING if wrong else SERVING), tasks=1))
    sockets = OpenSockets(5, () if wrong else ("127.0.0.1:8000",), 0, 0)
    clients = tuple(
        replace(descriptor(fd, peer=f"10.0.0.{fd}:40001"), unsent_bytes=0) for fd in (7, 8, 9)
    )
    one = replace(event_loop(), tasks=TaskWaits(12, 9 * S, 4, rows), sockets=sockets)
    return (replace(one, descriptors=clients),)
