# SPDX-License-Identifier: Apache-2.0
"""A peer that does not read: what is to be sent to it stays, and nobody is told."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule

LEAST_SHARE = 0.2
"""Of the time traced, in which the window was closed."""
LEAST_CLOSED_NS = 500_000_000


def _closed(profile: ProcessProfile) -> Iterator[Hit]:
    least = max(LEAST_CLOSED_NS, LEAST_SHARE * profile.wall_ns)
    rows = [
        one
        for one in profile.process.descriptors
        if one.unsent_bytes and (one.window_closed_ns or 0) >= least
    ]
    if not rows:
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
        title=f"Peer {worst.peer} does not read: its receive window was closed for "
        f"{duration(closed)}",
    )


CLOSED = Rule(
    "IO156",
    "A peer does not read: its receive window is closed",
    "What is sent to that peer piles up here, in the send buffer first and then in the program. "
    "Limit what is queued for one peer and drop it after a while (asyncio: await writer.drain() "
    "under wait_for; settimeout on blocking sockets; TCP_USER_TIMEOUT). Look at why it does not "
    "read: a client that hangs, or one that waits for us to read what it sends (a deadlock).",
    _closed,
)
