# SPDX-License-Identifier: Apache-2.0
"""Look-ups of names that wait for a thread of asyncio's default executor, or for the name server
in all of its threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.report.model import Thread
from iotrace.report.stacks import Frame
from iotrace.verdict.frames import named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.waiting_tasks import WaitingTasks, resolving_tasks

SLOW_SHARE = 0.5
"""Of the threads' time, in look-ups: the name server keeps them."""
MOST_QUICK_SHARE = 0.5
"""Of the trace, that all look-ups together take at most where they wait for a thread: else it may
be for the name server, in threads of another executor than the one that is full."""
_EXECUTOR = "ThreadPoolExecutor"
_NAMED = "ThreadPoolExec"
"""How Python 3.14 and later name the threads of an executor of the program's own to the kernel;
those of asyncio's are asyncio_0. Older ones do not."""
_IN_THREAD = "/asyncio/base_events.py:getaddrinfo"
_LOOKS_UP = "/socket.py:getaddrinfo"
_QUEUED = (
    "asyncio looks names up in a thread of its default executor: give slow work an executor of its "
    "own (run_in_executor(executor, ...)), so that look-ups find a thread, or look names up "
    "without one (aiohttp: install aiodns). Keep one client session, so that connections are used "
    "again. "
)
_SLOW = (
    "The name server is slow: the threads wait for it, and more of them only ask it more at once. "
    "Look at the resolver (/etc/resolv.conf: nameserver, search, timeout), have a local cache of "
    "names (systemd-resolved, dnsmasq), and keep one client session, so that connections are used "
    "again. "
)


@dataclass(frozen=True, slots=True)
class LookUps:
    """``tasks`` wait for names to be looked up: for a thread, or where that is ``slow`` for the
    name server."""

    tasks: tuple[WaitingTasks, ...] = ()
    slow: bool = False

    @property
    def text(self) -> str:
        """What the title of the full pool ends with."""
        if not self.tasks:
            return ""
        if self.slow:
            return "; they look names up (getaddrinfo), and the name server is slow"
        return ": look-ups of names (getaddrinfo), too"

    @property
    def advice(self) -> str:
        """What to do first; "": nothing."""
        if not self.tasks:
            return ""
        return _SLOW if self.slow else _QUEUED


def queued_look_ups(
    pool: str, busy: Sequence[Thread], *, free: bool, profile: ProcessProfile
) -> LookUps:
    """Of ``pool``, all of whose ``busy`` threads are; ``free``: there are others of its kind, which
    are not: one of these may be there for look-ups."""
    tasks = profile.tasks
    rows = tasks.rows if tasks and pool == _EXECUTOR else ()
    in_threads = any(named(one.stack[0]).endswith(_IN_THREAD) for one in rows if one.stack)
    if not in_threads or any(one.name.startswith(_NAMED) for one in busy):
        return LookUps()
    looking_ns = sum(one.total_ns for one in profile.process.lines if _looks_up(one.stack))
    if looking_ns >= SLOW_SHARE * sum(one.lifetime_ns for one in busy):
        return LookUps(resolving_tasks(profile), slow=True)
    if free or looking_ns > MOST_QUICK_SHARE * profile.wall_ns:
        return LookUps()
    return LookUps(resolving_tasks(profile))


def _looks_up(stack: Sequence[Frame]) -> bool:
    return any(named(frame).endswith(_LOOKS_UP) for frame in stack)
