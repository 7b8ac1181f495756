# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for the rest of their body, which does not come."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import has_own, library_frames, named, short_name
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rank, Rule
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.waiting_tasks import (
    WaitingTasks,
    function_text,
    long_task_ns,
    longest_of,
    mean_of,
    owed,
    task_lines,
)

MANY = 2
"""Tasks: a single client may be slow, or gone."""
_READS_BODY = re.compile(
    r"/starlette/requests\.py:(?:stream|body|json|form|_get_form)$"
    r"|/quart/wrappers/request\.py:(?:get_data|get_json|_load_\w+)$"
    r"|/aiohttp/web_request\.py:(?:read|text|json|post)$"
    r"|/sanic/\S+:receive_body$"
    r"|/litestar/connection/request\.py:(?:stream|body|json|form)$"
    r"|/django/core/handlers/asgi\.py:read_body$"
)
_RECEIVES = re.compile(r"/(?:uvicorn/protocols/http|hypercorn/protocol|daphne)/\S+:\w*receive$")


def _not_come(profile: ProcessProfile) -> Iterator[Hit]:
    tasks, long_ns = profile.tasks, long_task_ns(profile)
    if tasks is None:
        return
    rows = [one for one in tasks.rows if one.stack and one.longest_ns >= long_ns]
    found = [WaitingTasks(one, Purpose.ROOM) for one in rows if _reads_body(one)]
    if not found:
        return
    count, longest = max(1, round(mean_of(found))), longest_of(found)
    receiving = [
        ToldLine(
            f"{frame.place} {short_name(frame)}: the server waits for it here, in a task of its "
            f"own ({one.stack[0].function})"
        )
        for one in rows
        if not has_own(one.stack)
        for frame in one.stack
        if _RECEIVES.search(named(frame))
    ]
    read_in = function_text(found[0].wait.stack)
    whose = f"{plural(count, 'request')} {'waits' if count == 1 else 'wait'}"
    yield Hit(
        {"requests_waiting": count, "longest_ns": longest, "read_in": read_in, **owed(profile)},
        min(profile.wall_ns, count * longest),
        severity="medium" if count >= MANY else "low",
        lines=(*task_lines(found), *receiving[:1]),
        title=f"Requests hang: {whose} in {read_in} for the rest of a body that has not come in "
        f"{duration(longest)}",
    )


def _reads_body(one: TaskWait) -> bool:
    library = library_frames(one.stack)
    return len(library) < len(one.stack) and any(_READS_BODY.search(named(at)) for at in library)


NOT_COME = Rule(
    "IO216",
    "Requests wait for the rest of their body, which does not come",
    "Find out whether the client has sent it (ss -ti, tcpdump). If it has, somebody has taken it: "
    "a middleware that read the body before the handler (its receive() gives nothing the second "
    "time: read it once and keep it), or a fault of the server on kept connections (take a newer "
    "version; try with new connections). If it has not, the client is slow, or gone: give reading "
    "a time limit (asyncio.wait_for(request.body(), 30)), or have a proxy in front take the whole "
    "request first (nginx: proxy_request_buffering).",
    _not_come,
    rank=Rank.STUCK,
    least=Detail.FULL,
)
