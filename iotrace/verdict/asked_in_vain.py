# SPDX-License-Identifier: Apache-2.0
"""An asyncio program that serves nobody and waits for a peer that has never said a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iotrace.report.model import Descriptor
from iotrace.report.stacks import Stacked
from iotrace.verdict.frames import in_library, library_frames, named
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.one_sided import mute_peers
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit
from iotrace.verdict.waiting_tasks import (
    WaitingTasks,
    long_task_ns,
    longest_of,
    purpose_of_task,
    task_lines,
)
from iotrace.vocabulary.kinds import PIPES

_READS = re.compile(
    r"/asyncio/streams\.py:(?:StreamReader\.)?(?:_wait_for_data|read\w*)$"
    r"|/asyncio/\w+_events\.py:\S*sock_recv\w*$|/anyio/\S+:\S*receive$"
)
"""The program reads a connection itself: no client's library says whether it has asked."""
_STARTS = re.compile(r":(?:\w+\.)*(?:lifespan|_?startup|_run_on_startup|before_serving)$")
"""Functions of a server that run what the program does before it serves."""


def asked_in_vain(profile: ProcessProfile) -> Iterator[Hit]:
    """Where all that it is connected to is one peer that was asked and is mute, and tasks have been
    waiting for data all along: for that peer's. A server's tasks wait for their clients."""
    sockets = profile.process.sockets
    mute = mute_peers(profile)
    if sockets is None or sockets.listening or len(mute) != 1:
        return
    peer = mute[0]
    long_ns = long_task_ns(profile)
    if {one.peer for one in sockets.connected} != {peer.address} or peer.silent_ns < long_ns:
        return
    tasks = profile.tasks
    waiting = [
        WaitingTasks(one, Purpose.ANSWER)
        for one in (tasks.rows if tasks else ())
        if one.longest_ns >= long_ns and _waits_for_data(one)
    ]
    if not waiting:
        return
    starts = any(_is_startup(one.wait) for one in waiting)
    children = any(one.process.ended_ns is None for one in profile.children)
    if not starts and (children or any(one.kind in PIPES for one in _read(profile))):
        return  # it may be what these say that is waited for
    count = plural(sum(one.wait.tasks for one in waiting), "asyncio task")
    who = "The program has not begun to serve" if starts else "The program hangs"
    yield Hit(
        {
            "peer": peer.address,
            "tasks_waiting": sum(one.wait.tasks for one in waiting),
            "longest_ns": max(longest_of(waiting), peer.silent_ns),
            **({"before_it_serves": 1} if starts else {}),
        },
        profile.wall_ns,
        severity="high",
        lines=task_lines(waiting),
        title=f"{who}: {count} waits for an answer of {peer.address} at {waiting[0].place}, which "
        f"was asked {duration(peer.silent_ns)} ago and has never said a word".replace(
            "tasks waits", "tasks wait"
        ),
        advice=_ADVICE,
    )


def _read(profile: ProcessProfile) -> list[Descriptor]:
    """Where anything else could come from, and not its own output."""
    rows = profile.process.descriptors
    return [one for one in rows if one.fd not in (1, 2) and (one.bytes_in or one.wait_ns)]


def _waits_for_data(one: Stacked) -> bool:
    library = library_frames(one.stack)
    if len(library) == len(one.stack):
        return False
    reads = any(_READS.search(named(frame)) for frame in library)
    return reads or purpose_of_task(one.stack) is Purpose.ANSWER


def _is_startup(one: Stacked) -> bool:
    return any(in_library(frame) and _STARTS.search(named(frame)) for frame in one.stack)


_ADVICE = (
    "What listens there accepts and does not answer: it is starting, it hangs, all of its workers "
    "are busy, or it speaks another protocol (TLS). Look at that service (trace it), and give the "
    "call a timeout (asyncio.timeout). A server that waits before it serves (lifespan, startup "
    "hooks) listens nowhere yet and looks at no signal: connect when it is first needed, or try "
    "again in a task of its own, and let the readiness check say so."
)
