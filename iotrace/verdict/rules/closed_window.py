# SPDX-License-Identifier: Apache-2.0
"""A peer that does not read: what is to be sent to it stays, and nobody is told."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.stuck import LEAST_NS, long_ns
from iotrace.verdict.waiting_tasks import longest_of, task_lines, waiting_tasks

LEAST_SHARE = 0.2
"""Of the time traced, in which the window was closed."""
LEAST_CLOSED_NS = 500_000_000
LEAST_SHUT_NS = 500_000_000
"""Without a break: one that opens again and again is that of a peer which reads at its own pace,
as players of a video and slow networks do."""


def _closed(profile: ProcessProfile) -> Iterator[Hit]:
    least = max(LEAST_CLOSED_NS, LEAST_SHARE * profile.wall_ns)
    rows = [
        one
        for one in profile.process.descriptors
        if one.unsent_bytes
        and (one.window_closed_ns or 0) >= least
        and (one.window_shut_ns is None or one.window_shut_ns >= LEAST_SHUT_NS)
    ]
    if not rows:
        yield from _awaited(profile)
        return
    worst = max(rows, key=lambda one: one.window_closed_ns or 0)
    closed = min(worst.window_closed_ns or 0, profile.wall_ns)
    yield Hit(
        {
            "peer": worst.peer,
            "window_closed_ns": closed,
            "unsent_bytes": worst.unsent_bytes or 0,
            "refused_sends": worst.eagain or 0,
            "connections": len(rows),
        },
        closed,
        fd=worst.fd,
        lines=task_lines(one for one in waiting_tasks(profile) if one.purpose is Purpose.READER),
        title=f"Peer {worst.peer} does not read: its receive window was closed for "
        f"{duration(closed)}",
    )


def _awaited(profile: ProcessProfile) -> Iterator[Hit]:
    """Nothing was sent while it was traced, for that is what a task waits for."""
    unsent = profile.process.sockets.unsent if profile.process.sockets else ()
    waiting = [
        one
        for one in waiting_tasks(profile)
        if one.purpose is Purpose.READER and one.wait.longest_ns >= long_ns(profile)
    ]
    if not unsent or not waiting:
        yield from _left(profile)
        return
    worst, longest = unsent[0], longest_of(waiting)
    yield Hit(
        {
            "peer": worst.peer,
            "unsent_bytes": worst.unsent_bytes,
            "connections": len(unsent),
            "tasks_waiting": sum(one.wait.tasks for one in waiting),
            "longest_ns": longest,
        },
        longest,
        lines=task_lines(waiting),
        title=f"Peer {worst.peer} does not read: its receive window is closed, an asyncio task "
        f"waits at {waiting[0].place} until its data is sent, for {duration(longest)} and more",
    )


def _left(profile: ProcessProfile) -> Iterator[Hit]:
    """Nothing was sent, and no task waits for that: the data stays, and what is written for that
    peer meanwhile is kept in the program."""
    unsent = profile.process.sockets.unsent if profile.process.sockets else ()
    shut = [one for one in unsent if (one.shut_ns or 0) >= LEAST_NS]
    if not shut:
        return
    worst = max(shut, key=lambda one: one.shut_ns or 0)
    since = worst.shut_ns or 0
    yield Hit(
        {
            "peer": worst.peer,
            "window_shut_ns": since,
            "unsent_bytes": worst.unsent_bytes,
            "connections": len(shut),
        },
        min(since, profile.wall_ns),
        severity="medium",
        title=f"Peer {worst.peer} does not read: its receive window has been closed for "
        f"{duration(since)} and more, and nobody here waits until it opens: what is written for it "
        "is kept in memory",
    )


CLOSED = Rule(
    "IO156",
    "A peer does not read: its receive window is closed",
    "What is sent to that peer piles up here, in the send buffer first and then in the program. "
    "Limit what is queued for one peer and drop it after a while (asyncio: await writer.drain() "
    "under wait_for; settimeout on blocking sockets; TCP_USER_TIMEOUT). Where one task sends to "
    "many in turn, all wait for the slowest: a queue and a task for each. Look at why it does not "
    "read: a client that hangs, or one that waits for us to read what it sends (a deadlock).",
    _closed,
)
