# SPDX-License-Identifier: Apache-2.0
"""What asyncio tasks wait for, by the functions at the end of their await chains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iotrace.report.stacks import Frame
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import (
    library_frames,
    named,
    package_of,
    short_name,
)
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, takes_connection
from iotrace.verdict.stuck import LEAST_NS, WHOLE_SHARE
from iotrace.verdict.told_lines import ToldLine

LEAST_LOOKS = 3
MOST_OF_WAY = 6
_PRIMITIVE = re.compile(
    r"/asyncio/(?:locks|queues|tasks|timeouts|mixins)\.py:|/async_timeout/|_synchronization\.py:"
    r"|/anyio/(?:_core|_backends)/\w+\.py:(?!.*(?:run_sync|connect))"
)
"""Frames between what is waited for and who waits."""
_POOLED = re.compile(
    r"/aiohttp/connector\.py:(?:connect|_wait_for_available_connection)$"
    r"|/sqlalchemy/util/\w*concurrency\w*\.py:greenlet_spawn$"
)
"""Who waits for a future or a queue here waits for a connection."""
_TAKES_LOCK = re.compile(
    r"/asyncio/locks\.py:acquire$|/anyio/\S+:(?:acquire|acquire_on_behalf_of)$"
)
_THREADS = re.compile(r"/anyio/\S+:(?:acquire_on_behalf_of|run_sync_in_worker_thread|run_sync)$")
_WAITS_FOR = re.compile(r"/asyncio/tasks\.py:wait_for$")
_ROOM = re.compile(r"/asyncio/queues\.py:put$")
_CONNECTS = re.compile(
    r"/asyncio/\w+_events\.py:_?(?:sock_connect|connect_sock|create_connection)$"
    r"|/asyncio/streams\.py:open_(?:unix_)?connection$|/aiohappyeyeballs/"
    r"|/aiohttp/connector\.py:_wrap_create_connection$|:connect_tcp$"
)
_RESOLVES = re.compile(r":(?:getaddrinfo|_resolve_host|resolve)$")
_CLIENT = re.compile(
    r"/(?:httpx|httpcore|asyncpg|psycopg|redis/asyncio|aioredis|aiomysql|asyncmy|motor|pymongo"
    r"|elastic_transport|aiosmtplib|aiobotocore|grpc/aio/_call|aiohttp/client\w*"
    r"|tornado/simple_httpclient)(?:/|\.py:)"
)
_STREAMED = re.compile(
    r"/aiohttp/(?:streams|client_ws|payload)\.py:|:_?(?:aiter_\w+|receive_response_body|listen"
    r"|get_message|subscribe|blpop|brpop|blmove|xread|xreadgroup|notifies|wait_for_notify)$"
)
"""The rest of an answer that comes bit by bit, and messages: they may take any time."""
_BEGINS = re.compile(r"/aiohttp/client_reqrep\.py:start$")
"""It waits for an answer's beginning, though in a stream's function."""
_CHILD = re.compile(r"/asyncio/(?:base_subprocess\.py:_wait|subprocess\.py:(?:wait|communicate))$")
_DRAINS = re.compile(r":(?:_drain_helper|drain|_drain)$")


@dataclass(frozen=True, slots=True)
class WaitingTasks:
    """Tasks of one place. ``place``: the program's own, "server.py:16 owner_of"."""

    wait: TaskWait
    purpose: Purpose

    @property
    def place(self) -> str:
        """The program's own innermost frame."""
        frame = self.wait.own_stack[0]
        return f"{frame.place} {short_name(frame)}"


def waiting_tasks(profile: ProcessProfile) -> tuple[WaitingTasks, ...]:
    """All that wait for something of this program's own, the most first."""
    tasks = profile.tasks
    if tasks is None:
        return ()
    rows = [one for one in tasks.rows if one.stack]
    limited = sum(one.mean for one in rows if _WAITS_FOR.search(named(one.stack[0])))
    found = [
        WaitingTasks(one, purpose_of_task(one.stack))
        for one in rows
        if not _is_bare(one.stack) or one.mean <= limited
    ]
    return tuple(one for one in found if one.purpose is not Purpose.OTHER)


def _is_bare(stack: Sequence[Frame]) -> bool:
    """Whether the whole task is a call of asyncio's own, as Lock.acquire(): another task waits for
    one of several (asyncio.wait), and may well have the other; or wait_for, before Python 3.12, has
    made it of what it was given."""
    return len(list(_primitives(stack))) == len(stack)


def tasks_of_threads(profile: ProcessProfile) -> tuple[WaitingTasks, ...]:
    """Those that the program's own code has, and that wait for a future which most likely a thread
    of an executor is to give: run_in_executor, to_thread, or a library that calls these."""
    tasks = profile.tasks
    found = [WaitingTasks(one, Purpose.RESULT) for one in tasks.rows if one.stack] if tasks else []
    return tuple(one for one in found if _awaits_thread(one.wait.stack))


def resolving_tasks(profile: ProcessProfile) -> tuple[WaitingTasks, ...]:
    """Those of the program's own code whose library waits for a name to be looked up, which a
    thread of an executor does: the way that leads to the program's code is in the tasks alone."""
    tasks = profile.tasks
    rows = [one for one in tasks.rows if one.stack] if tasks else []
    return tuple(WaitingTasks(one, Purpose.CONNECTION) for one in rows if resolves(one.stack))


def resolves(stack: Sequence[Frame]) -> bool:
    """Whether a library that the program's own code has called waits for a name."""
    library = library_frames(stack)
    return len(library) < len(stack) and _any(library, _RESOLVES)


def _awaits_thread(stack: Sequence[Frame]) -> bool:
    library = library_frames(stack)
    if len(library) == len(stack) or purpose_of_task(stack) is not Purpose.OTHER:
        return False
    inner = named(stack[0])
    if "/asyncio/" in inner:
        return inner.endswith("/asyncio/threads.py:to_thread")
    return not (_any(library, _CLIENT) or _any(library, _STREAMED) or _any(library, _CONNECTS))


def purpose_of_task(stack: Sequence[Frame]) -> Purpose:
    """POOL, RESULT (a worker thread), LOCK, ROOM, READER, CHILD, CONNECTION, ANSWER; else OTHER."""
    inner = list(_primitives(stack))
    outer = stack[len(inner)] if len(inner) < len(stack) else stack[-1]
    around = [frame for frame in stack[len(inner) :] if frame.file == outer.file]
    if _any(inner, _THREADS) and _any(inner, _TAKES_LOCK):
        return Purpose.RESULT
    if _CHILD.search(named(stack[0])) or _CHILD.search(named(outer)):
        return Purpose.CHILD
    if _DRAINS.search(named(stack[0])) or _DRAINS.search(named(outer)):
        return Purpose.READER
    locked = inner and inner[0].function.startswith("Lock.")  # no semaphore, queue or condition
    if not locked and (_POOLED.search(named(outer)) or any(map(takes_connection, around))):
        return Purpose.POOL
    if _any(inner[:1], _TAKES_LOCK):
        return Purpose.LOCK
    return Purpose.ROOM if _any(inner[:1], _ROOM) else _of_peer(stack)


def _of_peer(stack: Sequence[Frame]) -> Purpose:
    """What a client's library waits for that the program's own code has called."""
    library = library_frames(stack)
    if len(library) == len(stack):
        return Purpose.OTHER
    if _any(library, _CONNECTS):
        return Purpose.OTHER if _any(library, _RESOLVES) else Purpose.CONNECTION
    streamed = _any(library, _STREAMED) and not _any(library, _BEGINS)
    asks = _any(library, _CLIENT) and not streamed
    return Purpose.ANSWER if asks else Purpose.OTHER


def _primitives(stack: Sequence[Frame]) -> Iterable[Frame]:
    for frame in stack:
        if not _PRIMITIVE.search(named(frame)):
            return
        yield frame


def _any(frames: Sequence[Frame], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(named(frame)) for frame in frames)


def taker_of(stack: Sequence[Frame]) -> Frame:
    """The function that waits in asyncio's own, a library's or the program's."""
    inner = len(list(_primitives(stack)))
    return stack[min(inner, len(stack) - 1)]


def function_text(stack: Sequence[Frame]) -> str:
    """The library's function that makes them wait: "Pool._acquire (asyncpg/pool.py)"."""
    frame = taker_of(stack)
    plain = frame.function.split(".<locals>", 1)[0]
    return f"{plain} ({'/'.join(frame.file.rsplit('/', 2)[-2:])})"


def client_way(stack: Sequence[Frame]) -> str:
    """Which functions of the client lead to the wait, the innermost last: "execute > prepare >
    introspect (asyncpg)"; "" where no installed package is on the way."""
    library = library_frames(stack)
    first = next(filter(None, map(package_of, library)), "")
    names = [short_name(frame).lstrip("_") for frame in library if package_of(frame) == first]
    way = list(dict.fromkeys(names))[:MOST_OF_WAY]
    return f"{' > '.join(reversed(way))} ({first})" if first else ""


def task_lines(found: Iterable[WaitingTasks]) -> tuple[ToldLine, ...]:
    """The places where they wait, most tasks first."""
    places: dict[str, list[WaitingTasks]] = {}
    for one in found:  # the ways that lead there may differ
        places.setdefault(one.place, []).append(one)
    ranked = sorted(places.items(), key=lambda item: -mean_of(item[1]))
    return tuple(
        ToldLine(
            f"{place}: {plural(sum(one.wait.tasks for one in group), 'asyncio task')} at the end, "
            f"{mean_of(group):.1f} on the average{_longest_text(group)}"
        )
        for place, group in ranked[:3]
    )


def _longest_text(group: Sequence[WaitingTasks]) -> str:
    """Of tasks that were there at one look each nothing is known."""
    longest = longest_of(group)
    return f", longest {duration(longest)}" if longest else ""


def mean_of(found: Iterable[WaitingTasks]) -> float:
    """How many waited at a time."""
    return sum(one.wait.mean for one in found)


def longest_of(found: Iterable[WaitingTasks]) -> int:
    """For how long one of them is known to have waited, in ns."""
    return max(one.wait.longest_ns for one in found)


def long_task_ns(profile: ProcessProfile) -> int:
    """From when on tasks hang: there at all looks, which began some time after the trace."""
    tasks = profile.tasks
    if tasks is None or tasks.looks < LEAST_LOOKS:
        return profile.duration_ns + 1
    return max(LEAST_NS, int(WHOLE_SHARE * 0.95 * tasks.watched_ns))


def owed(profile: ProcessProfile) -> dict[str, int]:
    """Requests that had no answer at the end, as evidence."""
    rows = [one for one in profile.process.requests if one.unanswered]
    if not rows:
        return {}
    return {
        "requests_not_answered": sum(one.unanswered for one in rows),
        "oldest_not_answered_ns": max(one.oldest_unanswered_ns or 0 for one in rows),
    }


def busiest_upstream(profile: ProcessProfile) -> dict[str, int | str]:
    """The peer that most of its connections lead to, as evidence."""
    sockets = profile.process.sockets
    if sockets is None or not sockets.connected:
        return {}
    most = sockets.connected[0]
    return {"connections": most.connections, "most_to": most.peer}
