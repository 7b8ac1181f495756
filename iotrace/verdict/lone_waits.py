# SPDX-License-Identifier: Apache-2.0
"""Waits for what another thread is to give, in a process that has no other thread any more."""

from __future__ import annotations

import re

from iotrace.verdict.frames import library_frames, named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stuck import Stuck, is_only_thread
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

_GIVEN = (
    r"/queue\.py:get$",
    r"/threading\.py:wait_for$",
    r"/threading\.py:acquire$",
)
_CONDITION = re.compile(r"/threading\.py:wait$")
_GIVES = re.compile("|".join((*_GIVEN, r"(?<!/threading\.py):\w+$")))
"""What calls Condition.wait() for what another thread gives: items of a queue, a predicate (also a
barrier's), a semaphore, what another library waits for. Not an Event's wait(): a program that only
waits to be told to end has its signal handler set one."""


def nobody_gives(one: Stuck, profile: ProcessProfile) -> bool:
    """Whether only another thread of the process could end its wait, and there is none. Where it
    has children, a handler of the signal of their end may."""
    children = [one for one in profile.children if one.process.ended_ns is None]
    if (
        not is_only_thread(one, profile)
        or children
        or one.call.timed is not False
        or one.call.syscall not in LOCKS
    ):
        return False
    names = [named(frame) for frame in library_frames(one.call.stack)[:2]]
    return (
        one.call.kind not in INTERPRETER_KINDS
        and len(names) == 2
        and bool(_CONDITION.search(names[0]) and _GIVES.search(names[1]))
    )


def unread_peer(profile: ProcessProfile) -> str:
    """The only peer, where what it has sent lies unread, or ""; that may be the answer."""
    sockets = profile.process.sockets
    if sockets is None or not sockets.unread or len(sockets.connected) != 1:
        return ""
    return sockets.connected[0].peer


LEFT_ALONE = (
    "and no other thread is left in the process that could give it (a signal handler alone could)"
)
UNREAD = (
    "A client's library that reads its connection in a loop of its own needs that loop to run in "
    "another thread before something is waited for (paho-mqtt: loop_start()). "
)
NOBODY_GIVES = (
    "See what became of the thread that should have put it there: one that raises ends alone, with "
    "a traceback in stderr (threading.excepthook), and the others wait on; one that was started "
    "before a fork is not in the child. Catch exceptions within its loop (a disk that is full for "
    "a moment), tell the waiting thread of its end (put a last item in a finally clause), or wait "
    "with a timeout and look whether it is_alive(). A ThreadPoolExecutor's results raise."
)
