# SPDX-License-Identifier: Apache-2.0
"""Requests that go on in asyncio tasks though their clients have closed the connections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from iotrace.report.detail import Detail
from iotrace.report.model import OpenSockets
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import has_own, named
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.waiting_tasks import LEAST_LOOKS, WaitingTasks, task_lines

LEAST = 5
"""More tasks than clients could be connected: of fewer the clients may have gone just now."""
GONE_SHARE = 0.5
"""Of the tasks."""
_SERVES = re.compile(
    r"/uvicorn/protocols/http/\w+\.py:run_asgi$|/aiohttp/web_protocol\.py:_handle_request$"
)
"""Each of these has one request of a connection of its own, and no two share a connection."""
_AFTERWARDS = re.compile(
    r"/starlette/background\.py:__call__$|/litestar/background_tasks\.py:__call__$"
    r"|/contextlib\.py:__aexit__$"
)
"""What is done when the answer is out, whether or not the client is there still."""
_GROUP_ENDS = re.compile(r"/anyio/_backends/_asyncio\.py:__aexit__$")
_MIDDLEWARE = re.compile(r"/starlette/middleware/base\.py:__call__$")
"""Has sent the answer when it waits for its task group to end: the application runs on in that."""


def _abandoned(profile: ProcessProfile) -> Iterator[Hit]:
    tasks, sockets = profile.tasks, profile.process.sockets
    if tasks is None or tasks.looks < LEAST_LOOKS or sockets is None or sockets.count is None:
        return
    if not sockets.listening:  # it shuts down: which connections are clients' nothing tells now
        return
    rows = [one for one in tasks.rows if _serves(one)]
    own = [WaitingTasks(one, Purpose.OTHER) for one in rows if has_own(one.stack)]
    now, mean = sum(one.tasks for one in rows), sum(one.mean for one in rows)
    connected = _clients_at_most(sockets, sockets.count)
    # Clients that are there have their answers, or are owed them: these are in hand as well.
    gone = min(now, mean) - max(connected, _in_hand(profile))
    if not own or gone < max(LEAST, GONE_SHARE * now):
        return
    yield Hit(
        {
            "tasks_of_requests": now,
            "tasks_of_requests_mean": round(mean, 1),
            "open_connections_of_clients": connected,
        },
        None,
        severity="medium",
        lines=task_lines(own),
        title=f"Requests go on for clients that have gone: {plural(now, 'asyncio task')} serve "
        f"requests, {_most(own, now)}, and {_connections_text(connected)}",
    )


def _serves(one: TaskWait) -> bool:
    names = [named(at) for at in one.stack]
    return any(map(_SERVES.search, names)) and not _is_afterwards(names)


def _is_afterwards(names: Sequence[str]) -> bool:
    return any(map(_AFTERWARDS.search, names)) or any(
        _GROUP_ENDS.search(inner) and _MIDDLEWARE.search(outer) for inner, outer in pairwise(names)
    )


def _clients_at_most(sockets: OpenSockets, count: int) -> int:
    """Sockets that can be connections of clients: neither listeners, nor to other services."""
    elsewhere = sum(one.connections for one in sockets.connected)
    return max(0, count - len(sockets.listening) - elsewhere)


def _in_hand(profile: ProcessProfile) -> float:
    """Requests whose clients have waited for their answers: how many at a time."""
    rows = profile.process.requests
    waited = sum(tier.latency_ns for row in rows for tier in row.tiers)
    return waited / profile.wall_ns + sum(row.unanswered for row in rows)


def _most(own: Sequence[WaitingTasks], now: int) -> str:
    most = max(own, key=lambda one: one.wait.mean)
    return f"{'most of them' if 2 * most.wait.tasks > now else 'among others'} at {most.place}"


def _connections_text(connected: int) -> str:
    if not connected:
        return "no connection of a client is open"
    verb = "is" if connected == 1 else "are"
    return f"{plural(connected, 'connection')} of clients at most {verb} open"


ABANDONED = Rule(
    "IO219",
    "Requests go on for clients that have gone",
    "Nobody reads what they make: they take CPU time, connections to other services and places of "
    "limits for it. uvicorn and aiohttp cancel no handler when its client leaves. Watch for that "
    "beside the work: in ASGI receive() returns http.disconnect (await request.is_disconnected() "
    "now and then, or a task that waits for it and cancels the other), which BaseHTTPMiddleware "
    "may keep from the handler; Starlette's StreamingResponse does so from 0.13.3 on. aiohttp: "
    "web.run_app(..., handler_cancellation=True). Give calls to slow services a timeout that is no "
    "longer than the clients'. Work that has to be finished belongs in a job queue. What a "
    "middleware of your own does after the answer looks the same: then nothing is wrong.",
    _abandoned,
    least=Detail.FULL,
)
