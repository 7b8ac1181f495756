# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that wait for a thread of asyncio's default executor, which other work has."""

from __future__ import annotations

from iotrace.verdict.frames import named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.waiting_tasks import WaitingTasks, resolving_tasks

LOOK_UPS_TOO = ": look-ups of names (getaddrinfo), too"
LOOK_UPS_ADVICE = (
    "asyncio looks names up in a thread of its default executor: give slow work an executor of its "
    "own (run_in_executor(executor, ...)), so that look-ups find a thread, or look names up "
    "without one (aiohttp: install aiodns). Keep one client session, so that connections are used "
    "again. "
)
_EXECUTOR = "ThreadPoolExecutor"
_IN_THREAD = "/asyncio/base_events.py:getaddrinfo"


def queued_look_ups(pool: str, profile: ProcessProfile) -> tuple[WaitingTasks, ...]:
    """The tasks that wait for a name, where a thread of ``pool`` is to look it up."""
    tasks = profile.tasks
    rows = tasks.rows if tasks and pool == _EXECUTOR else ()
    in_threads = any(named(one.stack[0]).endswith(_IN_THREAD) for one in rows if one.stack)
    return resolving_tasks(profile) if in_threads else ()
