"""Processes whose asyncio tasks queue, or that keep connections, and their twins."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Connected, OpenSockets, Process, TaskWaits
from iotrace.report.requests import Durations, Requests, RequestTier, Upstream
from iotrace.report.task_waits import TaskWait
from tests.unit.verdict.made import MS, S, event_loop, own_place, stack

QUEUE = "lib/asyncio/queues.py:158 Queue.get"
POOLED = (
    QUEUE,
    "lib/site-packages/asyncpg/pool.py:847 Pool._acquire.<locals>._acquire_impl",
    "lib/site-packages/asyncpg/pool.py:864 Pool._acquire",
    "lib/site-packages/asyncpg/pool.py:1024 PoolAcquireContext.__aenter__",
    "app.py:16 owner_of",
)
CONSUMER = (QUEUE, "app.py:31 consume")
ASKS = (
    "lib/asyncio/locks.py:213 Event.wait",
    "lib/site-packages/anyio/_backends/_asyncio.py:1203 SocketStream.receive",
    "lib/site-packages/httpcore/_async/http11.py:200 AsyncHTTP11Connection._receive_event",
    "lib/site-packages/httpx/_client.py:1530 AsyncClient.request",
    "app.py:24 quote",
    "lib/site-packages/starlette/routing.py:76 app",
)
STREAMS = (
    ASKS[0],
    ASKS[1],
    "lib/site-packages/httpcore/_async/http11.py:210 AsyncHTTP11Connection._receive_response_body",
    *ASKS[3:],
)
BODY = (
    ASKS[0],
    "lib/site-packages/uvicorn/protocols/http/h11_impl.py:516 RequestResponseCycle.receive",
    "lib/site-packages/starlette/requests.py:235 Request.stream",
    "lib/site-packages/starlette/requests.py:252 Request.body",
    "app.py:31 upload",
    "lib/site-packages/starlette/routing.py:76 app",
)
SERVED = (
    "lib/asyncio/tasks.py:639 sleep",
    "app.py:40 frames",
    "lib/site-packages/starlette/responses.py:197 StreamingResponse.__call__",
    "lib/site-packages/uvicorn/protocols/http/h11_impl.py:403 RequestResponseCycle.run_asgi",
)
PEER = "10.0.0.9:5432"


def wait_of(*places: str, tasks: int = 7, longest: int = 9 * S) -> TaskWait:
    """So many tasks that were there at every look."""
    frames = stack(*places)
    return TaskWait("_asyncio.Future", tasks, float(tasks), longest, own_place(frames), frames)


def with_tasks(*rows: TaskWait) -> Process:
    """An event loop whose tasks wait so, with five connections to a database."""
    sockets = OpenSockets(9, ("127.0.0.1:8000",), 0, 0, connected=(Connected(PEER, 5, 0),))
    return replace(event_loop(), tasks=TaskWaits(12, 9 * S, 9, rows), sockets=sockets)


def queued(wrong: bool) -> tuple[Process, ...]:
    """Requests that wait for a connection of an asyncio pool; consumers of a queue without work."""
    return (with_tasks(wait_of(*(POOLED if wrong else CONSUMER))),)


def awaited_bodies(wrong: bool) -> tuple[Process, ...]:
    """Requests whose body does not come; or comes bit by bit."""
    return (with_tasks(wait_of(*BODY, longest=9 * S if wrong else S)),)


def abandoned_requests(wrong: bool) -> tuple[Process, ...]:
    """Seven tasks that serve, and no socket but the listener and those to a database; or their
    clients' as well."""
    (one,) = (with_tasks(wait_of(*SERVED)),)
    assert one.sockets is not None
    return (replace(one, sockets=replace(one.sockets, count=6 if wrong else 13)),)


def awaited_answers(wrong: bool) -> tuple[Process, ...]:
    """Requests whose client gets no answer; or one that comes bit by bit."""
    return (with_tasks(wait_of(*(ASKS if wrong else STREAMS))),)


def kept_connections(wrong: bool) -> tuple[Process, ...]:
    """A connection for each request, all of them open still; a pool that has filled up at once."""
    connect = Durations(60, MS, MS, MS, MS, MS)
    calls = Upstream(PEER, "tcp", 60, 2 if wrong else 60, 0, None, connect, None, connect, 0, {})
    sockets = OpenSockets(90, ("127.0.0.1:8000",), 0, 0, connected=(Connected(PEER, 80, 0),))
    return (replace(event_loop(), upstreams=(calls,), sockets=sockets),)


SLEEPS = (
    "lib/asyncio/tasks.py:639 sleep",
    "lib/site-packages/arq/utils.py:106 poll",
    "lib/site-packages/arq/jobs.py:104 Job.result",
    "app.py:22 thumbnail",
    "lib/site-packages/starlette/routing.py:76 app",
)


def with_slow_requests(*rows: TaskWait, slow: int = 40, each: int = S) -> Process:
    """So many requests that took so long, in ten seconds, and as many quick ones."""
    took = Durations(2 * slow, MS, each, each, each, each)
    tiers = (
        RequestTier(0, 2 * MS, slow, slow * MS, 0, {}, {"user": slow * MS}),
        RequestTier(100 * MS, 20 * S, slow, slow * each, 0, {}, {"poll": slow * each}),
    )
    row = Requests("127.0.0.1:8000", 9, 2 * slow, 0, None, took, None, None, None, None, tiers)
    return replace(with_tasks(*rows), requests=(row,))


def slow_tasks(wrong: bool) -> tuple[Process, ...]:
    """IO185: 4 requests at a time, and as many tasks that sleep; or quick ones that do."""
    return (
        with_slow_requests(wait_of(*SLEEPS, tasks=4, longest=0), each=S if wrong else 100 * MS),
    )
