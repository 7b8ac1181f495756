# SPDX-License-Identifier: Apache-2.0
"""Threads that read connections for a library, and wait inside of what they have called meanwhile:
what such a wait is for may come over those very connections, which nobody reads now."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import (
    in_library,
    library_frames,
    named,
    package_of,
)
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stuck import Stuck
from iotrace.vocabulary.calls import LOCKS, READS
from iotrace.vocabulary.kinds import SOCKETS

_LOOPS = re.compile(
    r"/asyncio/base_events\.py:_run_once$|/kombu/asynchronous/hub\.py:create_loop$"
    r"|/twisted/internet/base\.py:mainLoop$|/pika/adapters/select_connection\.py:start$"
)
"""Functions of event loops that call what is to be done, whose only own wait is the multiplexer."""
_CONDITION = re.compile(r"/threading\.py:(?:wait|wait_for)$")


def reads_in_loop(one: Stuck) -> bool:
    """A blocking read of a socket by what an event loop has called, be it a library alone: no
    other descriptor of the loop is served before it returns."""
    return (
        one.call.syscall in READS
        and one.call.kind in SOCKETS
        and any(_LOOPS.search(named(frame)) for frame in one.call.stack)
    )


def calling_back(one: Stuck, profile: ProcessProfile) -> Frame | None:
    """The function of a library that has called the program's own code, which waits, without a
    timeout, for a condition in that same library, while nobody else is there to meet it: the
    thread is the only one, or data lies unread on a socket."""
    if one.call.syscall not in LOCKS or one.call.timed is not False or not one.own:
        return None
    library = library_frames(one.call.stack)
    if not library or not _CONDITION.search(named(library[0])):
        return None
    caller = _caller(one.call.stack[len(library) :])
    waited_in = {package_of(frame) for frame in library}
    if caller is None or package_of(caller) not in waited_in - {""}:
        return None
    alone = len(profile.process.threads) == 1
    return caller if alone or _leaves_unread(profile) else None


def _caller(outer: Sequence[Frame]) -> Frame | None:
    return next((frame for frame in outer if in_library(frame)), None)


def _leaves_unread(profile: ProcessProfile) -> bool:
    sockets = profile.process.sockets
    return sockets is not None and bool(sockets.unread)


def calling_back_text(caller: Frame, awaited: str) -> str:
    """What a thread does in such a callback, after its name and "hangs"."""
    return (
        f"in a callback of {package_of(caller)} ({caller.function}): it waits for {awaited}, which "
        "most likely this very thread has to bring about, by reading on: a deadlock"
    )


CALLING_BACK = (
    "Callbacks of a client run in the thread that reads its connection: nothing may wait there for "
    "what comes over it. Send without waiting for the acknowledgement, or hand the work to another "
    "thread (a queue.Queue and a worker) and return. A timeout ends the wait, but what it waits "
    "for does not come before."
)
IN_READING_LOOP = (
    "The loop serves nothing else while it reads: neither other connections, nor its timers and "
    "heartbeats. Give the connection a timeout for reads and TCP keep-alive (redis-py: "
    "socket_timeout, socket_keepalive; celery: broker_transport_options={'socket_timeout': 30, "
    "'socket_keepalive': True}, and result_backend_transport_options); look at what lies between: "
    "a proxy, a firewall or a network that drops packets leaves such connections behind."
)
