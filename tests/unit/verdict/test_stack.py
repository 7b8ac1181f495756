"""What a program is written with, told from its stacks: labels and advice that fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Process, Stalls
from iotrace.report.stacks import Frame, Line
from iotrace.verdict.process_profile import profile_of
from iotrace.verdict.stack import Stack, stack_of
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    judged,
    listener,
    loop,
    model_of,
    process,
    thread,
)

_LIB = "/usr/lib/python3.11"


def _line(tid: int, syscall: str, kind: str, *stack: Frame, wait_ns: int = 3 * S) -> Line:
    return Line(tid, syscall, kind, 9, 7, 0, wait_ns, wait_ns, 0, 0, wait_ns, 0, stack)


def _in(file: str, function: str = "run") -> tuple[Frame, ...]:
    """In a thread that Python has started."""
    own = Frame("fetch", "/srv/shop/orders.py", 88)
    return own, Frame(function, f"{_LIB}/{file}", 7), Frame("_bootstrap", f"{_LIB}/threading.py", 9)


@pytest.mark.parametrize(
    ("frames", "stack"),
    [
        (_in("asyncio/events.py", "Handle._run"), Stack.ASYNCIO),
        (_in("site-packages/gevent/baseserver.py"), Stack.GEVENT),
        (_in("site-packages/eventlet/wsgi.py"), Stack.EVENTLET),
        (_in("site-packages/twisted/internet/base.py"), Stack.TWISTED),
        (_in("concurrent/futures/thread.py", "_worker"), Stack.POOL),
        (_in("site-packages/cheroot/workers/threadpool.py"), Stack.POOL),
        (_in("socketserver.py"), Stack.THREADS),
        (_in("socketserver.py")[:2], Stack.UNKNOWN),
        (_in("site-packages/anyio/_backends/_asyncio.py")[:2], Stack.ASYNCIO),
    ],
)
def test_a_stack_is_told_by_the_files_it_runs_through(
    frames: tuple[Frame, ...], stack: Stack
) -> None:
    one = process([thread(user=S, recv=9 * S)], lines=())
    one = replace(one, lines=(_line(PID, "recvfrom", "tcp", *frames),))
    assert stack_of(profile_of(one, 10 * S)) is stack
    assert stack_of(profile_of(one, 10 * S), PID + 1) is Stack.UNKNOWN


def _busy_pool(function: str) -> Process:
    """All workers sit in reads all along: nothing but their stack tells them from threads of
    connections."""
    tids = (701, 702, 703, 704)
    frames = _in("concurrent/futures/thread.py", function)
    return replace(
        process(
            [thread(poll=10 * S), *(thread(tid, user=30 * MS, recv=9_970 * MS) for tid in tids)],
            [call("recvfrom", "tcp", 31, tid=tid, wait=9_970 * MS) for tid in tids],
        ),
        lines=(_line(701, "recvfrom", "tcp", *frames),),
    )


def test_a_pool_that_is_busy_all_along_is_a_pool() -> None:
    assert model_of(_busy_pool("_worker")).shape == "thread pool"
    assert model_of(_busy_pool("serve")).shape == "thread per connection"


def test_a_worker_that_selects_on_its_listener_is_no_event_loop() -> None:
    """It accepts after each return and blocks in the reads; its client's sockets do not block."""
    rows = [descriptor(fd, nonblocking=False) for fd in (7, 8)]
    client = [
        descriptor(fd, nonblocking=True, local=f"10.0.0.1:{50_000 + fd}", peer="10.0.0.9:53")
        for fd in (9, 10, 11)
    ]
    worker = process(
        [thread(user=S, poll=8 * S, recv=S)],
        [
            call("accept4", "tcp", 23),
            call("recvfrom", "tcp", 97, wait=S),
            call("sendto", "tcp", 97),
        ],
        [loop("pselect6", 23, data=0, eager=23, watched=2, nfds=6, wait=8 * S)],
        [*rows, *client],
    )
    model = model_of(replace(worker, sockets=listener()))
    assert (model.id, model.shape) == ("blocking", "single thread")


@pytest.mark.parametrize(
    ("file", "syscall", "kind", "reason", "advice"),
    [
        ("asyncio/events.py", "clock_nanosleep", "", "sleep", "Use await asyncio.sleep()"),
        ("asyncio/events.py", "recvfrom", "tcp", "recv", "Use an async client"),
        ("asyncio/events.py", "write", "pipe", "send", "Who reads the other end of the pipe"),
        ("asyncio/events.py", "read", "file", "file", "await asyncio.to_thread(call)"),
        ("asyncio/events.py", "utimensat", "", "file", "The file system answers late"),
        ("site-packages/gevent/hub.py", "recvfrom", "tcp", "recv", "monkey.patch_all()"),
        ("site-packages/gevent/hub.py", "clock_nanosleep", "", "sleep", "Use gevent.sleep()"),
        ("selectors.py", "recvfrom", "tcp", "recv", "Make the socket non-blocking and watch it"),
    ],
)
def test_advice_on_a_blocked_loop_fits_the_stack(
    file: str, syscall: str, kind: str, reason: str, advice: str
) -> None:
    one = event_loop()
    blocked = replace(
        one,
        threads=(thread(user=S, poll=6 * S, **{reason: 3 * S}),),
        calls=(*one.calls, call(syscall, kind, 13, wait=3 * S)),
        lines=(_line(PID, syscall, kind, *_in(file)),),
    )
    (found,) = (one for one in judged(blocked).findings if one.id == "IO104")
    assert advice in found.advice
    if "gevent" in file:
        assert "asyncio" not in found.advice


def test_advice_on_the_start_of_a_child_is_not_to_use_what_is_used() -> None:
    executes = Frame("Popen._execute_child", f"{_LIB}/subprocess.py", 1950)
    stack = executes, *_in("asyncio/events.py")
    blocked = replace(
        event_loop(),
        threads=(thread(user=S, poll=6 * S, recv=3 * S),),
        calls=(call("read", "pipe", 13, wait=3 * S),),
        lines=(_line(PID, "read", "pipe", *stack),),
    )
    (found,) = (one for one in judged(blocked).findings if one.id == "IO104")
    assert "preexec_fn" in found.advice
    assert "create_subprocess_exec" not in found.advice


def test_a_poll_of_a_childs_pipes_is_a_wait_for_the_child() -> None:
    """subprocess.run(capture_output=True) waits in a poll of both pipes."""
    reads = Frame("Popen._communicate", f"{_LIB}/subprocess.py", 2059)
    stack = reads, *_in("asyncio/events.py")
    blocked = replace(
        event_loop(),
        threads=(thread(user=S, poll=9 * S),),
        calls=(call("poll", "", 13, wait=3 * S),),
        lines=(_line(PID, "poll", "", *stack),),
    )
    (found,) = (one for one in judged(blocked).findings if one.id == "IO104")
    assert "create_subprocess_exec" in found.advice
    assert "httpx" not in found.advice


def test_a_shells_commands_are_no_pool() -> None:
    shell = process([thread(child=10 * S)])
    commands = [
        process(
            [thread(pid, user=MS, recv=20 * MS, started=S, ended=2 * S)],
            [call("read", "pipe", 29, tid=pid, wait=20 * MS)],
            pid=pid,
            parent=PID,
            started=S,
            ended=2 * S,
        )
        for pid in (801, 802)
    ]
    assert model_of(shell, *commands).shape == ""
    stay = [replace(one, started_ns=0, ended_ns=None) for one in commands]
    assert model_of(shell, *stay).shape == "process pool"


@pytest.mark.parametrize(
    ("file", "cpu", "waits", "advice"),
    [
        ("asyncio/events.py", 2 * S, {}, "await loop.run_in_executor(pool, work)"),
        ("site-packages/gevent/hub.py", 2 * S, {}, "give way with gevent.sleep(0)"),
        ("asyncio/events.py", MS, {"sleep": 2 * S}, "Use await asyncio.sleep()"),
        ("asyncio/events.py", MS, {"gil": 2 * S}, "Another thread of this process computes"),
    ],
)
def test_advice_on_a_stall_fits_its_cause(
    file: str, cpu: int, waits: dict[str, int], advice: str
) -> None:
    stalls = Stalls(9, cpu + sum(waits.values()), cpu, 0, waits, None)
    one = event_loop(stalls=stalls, busy=300 * MS)
    stalled = replace(one, lines=(_line(PID, "epoll_wait", "", *_in(file)),))
    (found,) = judged(stalled).findings
    assert (found.id, advice in found.advice) == ("IO103", True), found.advice
