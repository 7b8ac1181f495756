"""Processes that hang, and their twins that wait for work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from iotrace.report.model import Listener, OpenSockets, Process, Thread, UnreadPipe
from iotrace.report.requests import Requests, RequestTier, SlowRequest, Upstream
from iotrace.report.stacks import InCall, LongestWait, Wake
from iotrace.report.times import Durations
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
    loop,
    process,
    stack,
    thread,
)

Made = Callable[[bool], tuple[Process, ...]]
BOOTSTRAP = ("lib/threading.py:995 Thread._bootstrap",)
HANDLER = (
    "lib/socketserver.py:691 ThreadingMixIn.process_request_thread",
    *BOOTSTRAP,
)
WORKER = (
    "lib/concurrent/futures/thread.py:58 _WorkItem.run",
    "lib/concurrent/futures/thread.py:83 _worker",
    *BOOTSTRAP,
)
POOL_FILE = "lib/site-packages/sqlalchemy/pool/impl.py"


def waiting(tid: int, one: InCall, **times: int) -> Thread:
    """A thread that was in this call at the end."""
    return replace(thread(tid, **(times or {"lock": 10 * S})), in_call=one)


def idle(tid: int) -> Thread:
    """A worker without work."""
    places = ("lib/concurrent/futures/thread.py:81 _worker", *BOOTSTRAP)
    return waiting(tid, in_call("futex", "", *places, object="feed"))


def stuck(wrong: bool) -> tuple[Process, ...]:
    """A log that nobody reads; a consumer that waits for its next message."""
    log = in_call(
        "write", "pipe", "lib/logging/__init__.py:1114 StreamHandler.emit", "app.py:8 handle",
        *HANDLER, fd=2, peer="pipe:[77]", others=(811,),
    )  # fmt: skip
    consume = in_call(
        "recvfrom", "tcp", "lib/site-packages/redis/client.py:9 PubSub.listen", "app.py:9 run",
        *BOOTSTRAP, fd=7, peer="10.0.0.9:6379",
    )  # fmt: skip
    one = log if wrong else consume
    return (process([waiting(PID, one, **{"send" if wrong else "recv": 10 * S})]),)


def stopped(wrong: bool) -> tuple[Process, ...]:
    """A child that a signal has stopped; one that waits for signals by itself."""
    waits = in_call("wait4", "", "lib/subprocess.py:1264 Popen.wait", "app.py:8 hook", *HANDLER)
    own = () if wrong else (call("rt_sigtimedwait", "", 1, tid=811, wait=10 * S),)
    child = process([thread(811, signal=10 * S)], own, pid=811, parent=PID)
    return process([waiting(PID, waits, child=10 * S)]), child


def behind_busy(wrong: bool) -> tuple[Process, ...]:
    """Workers with a pipe each: one is at something long, and more waits for it; or for nobody."""
    parent = process([idle(PID)])
    job = in_call("clock_nanosleep", "", "app.py:7 export", *HANDLER)
    waits = (
        (
            pid,
            in_call(
                *("read", "pipe", "lib/site-packages/pool.py:9 Worker.get", *HANDLER),
                fd=9,
                peer=f"pipe:[{pid}]",
                others=(PID, 801),
            ),
        )
        for pid in (802, 803)
    )
    others = [process([waiting(pid, one, recv=10 * S)], pid=pid, parent=PID) for pid, one in waits]
    unread = UnreadPipe(7, "pipe:[801]", 421 if wrong else 0, 0, (802, 803))
    busy = process([waiting(801, job, sleep=10 * S)], pid=801, parent=PID)
    return parent, replace(busy, unread_pipes=(unread,) if wrong else ()), *others


def read_by_another(wrong: bool) -> tuple[Process, ...]:
    """Two ask by way of a connection that a third one reads, in vain; or two connections are read,
    and it is not known which is theirs."""
    package = "lib/site-packages/rpyc/core/protocol.py"
    reads = (f"{package}:464 Connection.serve", f"{package}:680 Connection.serve_all", *BOOTSTRAP)
    asks = in_call(
        "futex", "", "lib/threading.py:324 Condition.wait", f"{package}:452 Connection.serve",
        f"{package}:744 Connection.sync_request", "app.py:15 names",
        f"{package}:863 Connection._handle_call", *reads, object="a0",
    )  # fmt: skip
    readers = [
        in_call("recvfrom", "tcp", *reads, fd=5, peer=f"10.0.0.{host}:18812")
        for host in ((9,) if wrong else (9, 8))
    ]
    rows = [waiting(701 + place, one, recv=10 * S) for place, one in enumerate(readers)]
    return (process([*rows, waiting(711, asks), waiting(712, asks)]),)


def locked(wrong: bool) -> tuple[Process, ...]:
    """Handlers behind one that writes with the lock; workers that wait for a queue of their own."""
    taking = in_call("futex", "", "app.py:8 log", "app.py:20 handle", *HANDLER, object="a0")
    holding = in_call("write", "pipe", "app.py:9 log", "app.py:20 handle", *HANDLER, fd=1)
    fetching = in_call("futex", "", "app.py:31 work", *BOOTSTRAP, object="b0")
    if not wrong:
        return (process([waiting(701, fetching), waiting(702, fetching)]),)
    return (process([waiting(701, taking), waiting(702, taking), waiting(703, holding)]),)


def full_pool(wrong: bool) -> tuple[Process, ...]:
    """Two workers that go from job to job; one of them has nothing to do, in the twin."""
    job = in_call("clock_nanosleep", "", "app.py:7 view", *WORKER, wait=200 * MS, since=9 * S)
    rows = [waiting(tid, job, sleep=10 * S) for tid in (701, 702)]
    wakes = [call("sendto", "unix", 33, tid=tid) for tid in (701, 702)]
    if not wrong:
        rows = [*rows[:1], idle(702)]
        rows[0] = replace(rows[0], states_ns=thread(701, sleep=7 * S, lock=3 * S).states_ns)
    return (process(rows, wakes),)


def connection_pool(wrong: bool) -> tuple[Process, ...]:
    """Requests that wait for a connection; the pool's own maintenance thread waits by trade."""
    taken = in_call(
        "futex", "", "lib/threading.py:327 Condition.wait",
        "lib/site-packages/sqlalchemy/util/queue.py:180 Queue.get",
        f"{POOL_FILE}:166 QueuePool._do_get", "app.py:12 index", *HANDLER, object="c0",
    )  # fmt: skip
    upkeep = in_call(
        "futex", "", "lib/threading.py:327 Condition.wait", "lib/queue.py:171 Queue.get",
        "lib/site-packages/psycopg_pool/pool.py:400 ConnectionPool.worker", *BOOTSTRAP, object="d0",
    )  # fmt: skip
    one = taken if wrong else upkeep
    return (process([waiting(701, one), waiting(702, one)]),)


def held_lock(wrong: bool) -> tuple[Process, ...]:
    """Handlers that call upstream with a lock; workers that are given work by somebody else."""
    taking = in_call("futex", "", "app.py:6 handle", *HANDLER)
    calling = in_call(
        "recvfrom", "tcp", "lib/socket.py:706 recv", "app.py:7 handle", *HANDLER, fd=9
    )
    gives = stack("app.py:8 handle" if wrong else "app.py:40 accept", *BOOTSTRAP)
    wake = Wake("", 30, 5 * S, 300 * MS, 702, taking.own, taking.stack, 0, gives)
    rows = [thread(tid, lock=5 * S, recv=5 * S) for tid in (701, 702)]
    lines = (line_of(calling, 30, 9 * S, 300 * MS, 702),)
    return (replace(process(rows), lines=lines, wakes=(wake,)),)


def gil_asleep(wrong: bool) -> tuple[Process, ...]:
    """A call of 1.5 s that keeps the GIL; in the twin the wait is that for a thread's turn."""
    longest = 1_500 * MS if wrong else 15 * MS
    sleep = in_call("clock_nanosleep", "", "app.py:9 native_call", *BOOTSTRAP)
    wait = in_call("futex", "gil", "app.py:20 serve")
    rows = [thread(PID, lock=4 * S, poll=6 * S), thread(701, sleep=10 * S)]
    calls = [
        call("futex", "gil", 3 if wrong else 400, wait=3 * longest, longest=longest),
        call("clock_nanosleep", "", 3, tid=701, wait=3 * longest, longest=longest),
    ]
    lines = (
        line_of(sleep, 3, 3 * longest, longest, 701),
        line_of(wait, 3, 3 * longest, longest),
    )
    return (replace(process(rows, calls), lines=lines),)


def accept_blocked(wrong: bool) -> tuple[Process, ...]:
    """A handshake in accept(), three more in the queue; in the twin the thread accepts."""
    shake = in_call(
        "read", "tcp", "lib/ssl.py:1379 SSLSocket.do_handshake", "lib/ssl.py:1412 SSLSocket.accept",
        "app.py:16 main", fd=8, peer="127.0.0.1:40008", wait=6 * S,
    )  # fmt: skip
    accepts = in_call("accept4", "tcp", "lib/socket.py:294 socket.accept", "app.py:16 main", fd=3)
    one = waiting(PID, shake if wrong else accepts, recv=10 * S)
    made = process([one], [call("accept4", "tcp", 5)], (), [descriptor(8, nonblocking=False)])
    return (replace(made, sockets=listener(3)),)


def polled_result(wrong: bool) -> tuple[Process, ...]:
    """Jobs that sleep until a result is there; in the twin it comes, and the next job begins."""
    looking = in_call(
        "clock_nanosleep", "", "lib/site-packages/tasks/api.py:90 Result.get", "app.py:7 count",
        *WORKER, wait=50 * MS, since=9_900 * MS,
    )  # fmt: skip
    rows = [waiting(tid, looking, sleep=10 * S) for tid in (701, 702)]
    calls = [
        made
        for tid in (701, 702)
        for made in (
            call("clock_nanosleep", "", 100, tid=tid, wait=9_900 * MS),
            call("sendto", "tcp", 100, tid=tid),
            call("recvfrom", "tcp", 100, tid=tid),
            *([] if wrong else [call("write", "eventfd", 20, tid=tid)]),
        )
    ]
    lines = (line_of(looking, 200, 19_800 * MS, 100 * MS, 702),)
    return (replace(process(rows, calls), lines=lines),)


def accept_queue(wrong: bool) -> tuple[Process, ...]:
    """One thread that accepts, asks a service and answers, with as long a queue as it takes."""
    asking = in_call("recvfrom", "tcp", "lib/socket.py:706 recv", "app.py:9 report", fd=9)
    queue = 2 * S if wrong else 20 * MS
    made = process(
        [thread(recv=9 * S, accept=S)],
        [call("accept4", "tcp", 5, wait=S), call("recvfrom", "tcp", 10, wait=9 * S)],
        (),
        [
            descriptor(7, nonblocking=False),
            descriptor(9, local="10.0.0.7:51000", peer="10.0.0.9:80", wait=9 * S),
        ],
    )
    times = Durations(5, queue, queue, queue, queue, queue)
    tier = RequestTier(0, 10 * S, 5, 5 * (queue + 2 * S), 5 * queue, {}, {"recv": 10 * S})
    row = Requests("127.0.0.1:8000", 5, 5, 0, None, times, times, None, None, None, tiers=(tier,))
    lines = (line_of(asking, 5, 9 * S, 2 * S),)
    return (replace(made, lines=lines, requests=(row,), sockets=listener(2)),)


def handed_over(wrong: bool) -> tuple[Process, ...]:
    """IO187: 20 requests of 1 s, all of it in locks until thread 702 wakes them; or long polls."""
    inner = ("lib/threading.py:320 Condition.wait", "lib/threading.py:629 Event.wait")
    place = (*inner, "app.py:16 index", "lib/site-packages/flask/app.py:902 dispatch_request")
    waits = replace(in_call("futex", "", *place, *HANDLER), timed=not wrong)
    wakes = stack("app.py:9 work", *BOOTSTRAP)
    row = Wake("", 20, 20 * S, S, 702, waits.own, waits.stack, 0, wakes)
    asks = in_call("recvfrom", "tcp", "app.py:8 work", *BOOTSTRAP, fd=9)
    took = Durations(20, *(S,) * 5, histogram=((S, S, 20),))
    tier = RequestTier(0, 2 * S, 20, 20 * S, 0, {}, {"lock": 20 * S})
    served = Requests("127.0.0.1:8000", 9, 20, 1, S, took, None, None, None, None, tiers=(tier,))
    one = process([waiting(701, waits, lock=S, recv=9 * S), thread(702, recv=9 * S, lock=S)])
    lines = (line_of(asks, 20, 9 * S, S, tid=702),)
    return (replace(one, requests=(served,), wakes=(row,), lines=lines),)


def accept_paused(wrong: bool) -> tuple[Process, ...]:
    """IO186: 8 idle connections, 6 newcomers, and nobody accepts; or one that has just come."""
    told = Listener("127.0.0.1:8000", 6 if wrong else 1, 100, 0)
    sockets = OpenSockets(9, ("127.0.0.1:8000",), told.pending, 0, listeners=(told,))
    rows = tuple(descriptor(fd, peer=f"127.0.0.1:{40_000 + fd}") for fd in range(10, 18))
    return (replace(event_loop(), sockets=sockets, descriptors=rows),)


def busy_connections(wrong: bool) -> tuple[Process, ...]:
    """Two connections with a query of 200 ms always in flight; in the twin nobody waits for one."""
    rows = [descriptor(fd, local=f"127.0.0.1:{51_000 + fd}", peer="10.0.0.9:443") for fd in (8, 9)]
    theirs = Durations(100, *(200 * MS,) * 5, histogram=((200 * MS, 200 * MS, 100),))
    latency = Durations(100, *(900 * MS if wrong else 210 * MS,) * 5)
    one = replace(event_loop(), descriptors=(descriptor(7), *rows))
    requests = Requests("127.0.0.1:8000", 9, 100, 2, 100 * MS, latency, None, None, None, None)
    upstream = Upstream("10.0.0.9:443", "tcp", 100, 2, 2, 100 * MS, theirs, None, None, 0, {})
    return (replace(one, requests=(requests,), upstreams=(upstream,)),)


def kept_threads(wrong: bool) -> tuple[Process, ...]:
    """A thread more each 0.2 s, which waits for good; in the twin they all began at once."""
    waits = ("lib/threading.py:327 Condition.wait", "lib/queue.py:171 Queue.get", "app.py:20 speak")
    rows = [thread(accept=10 * S)]
    for number in range(50):
        began = 200 * MS * number + 1 if wrong else 200 * MS + number
        lasts = 10 * S - began
        call = in_call("futex", "", *waits, *BOOTSTRAP, wait=lasts, since=began)
        rows.append(waiting(701 + number, call, lock=lasts, started=began))
    return (process(rows),)


def waited_out(wrong: bool) -> tuple[Process, ...]:
    """IO191: 20 requests poll for a second in vain; or for an answer that takes so long."""
    poll = in_call("poll", "", "app.py:20 index", *HANDLER)
    wait = LongestWait("poll", "", S, poll.own, poll.stack)
    took = Durations(20, S, S, S, S, S)
    slow = SlowRequest(0, S, 0, {}, {"poll": S}, "127.0.0.1:40007", PID, wait)
    tier = RequestTier(S, 2 * S, 20, 20 * S, 0, {}, {"poll": 19 * S, "user": S})
    row = Requests(
        "127.0.0.1:8000", 20, 20, 0, None, took, None, None, took, took,
        tiers=(tier,), exemplars=(slow,),
    )  # fmt: skip
    one = process(
        [replace(thread(poll=9 * S, user=S), requests=20)],
        [call("recvfrom", "tcp", 20), call("sendto", "tcp", 20)],
        [loop("poll", 41, empty=20, timeouts=20 if wrong else 0, nfds=3, watched=3, data=1)],
    )
    return (replace(one, requests=(row,), lines=(line_of(poll, 20, 19 * S, S),)),)
