# SPDX-License-Identifier: Apache-2.0
"""Connections that a listener had no room for: the kernel drops them, and clients try again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame, Line
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, Tells, always
from iotrace.vocabulary.calls import ACCEPTS

LEAST_DROPPED = 3
"""One may be a scan, or a client that came while the server started."""
RETRY_NS = 1_000_000_000
"""The least that a client waits after a drop (RFC 6298; then 3 s, 7 s, ...)."""


def _overflow(profile: ProcessProfile) -> Iterator[Hit]:
    sockets = profile.process.sockets
    for one in sockets.listeners if sockets else ():
        if one.dropped < LEAST_DROPPED:
            continue
        acceptors = {
            call.tid for call in profile.process.calls if call.syscall in ACCEPTS and call.calls
        }
        lines = [
            line
            for line in profile.process.lines
            if line.tid in acceptors and line.syscall not in ACCEPTS
        ]
        yield Hit(
            {
                "listener": one.local,
                "dropped": one.dropped,
                "backlog": one.max_pending,
                "in_accept_queue": one.pending,
                "accepted": profile.total.accepts.ok,
                "each_drop_waits_at_least_ns": RETRY_NS,
            },
            # An estimate from below: each drop is at least one wait of a client for 1 s.
            one.dropped * RETRY_NS,
            acceptors.pop() if len(acceptors) == 1 else None,
            severity="high",
            lines=waiting_lines(lines, profile.process),
            advice=_STARTING if _starts_threads(lines) else "",
            title=f"Accept queue overflow on {one.local} (backlog "
            f"{one.max_pending}, in which Linux has room for {one.max_pending + 1}): "
            f"{plural(one.dropped, 'connection')} dropped, clients try again after 1, 3, 7 s",
        )


def _starts_threads(lines: Sequence[Line]) -> bool:
    """Whether what the acceptor does instead is mostly to wait until a new thread runs."""
    starting = (one.wait_ns for one in lines if any(map(_is_start, one.stack)))
    return 2 * sum(starting) > sum(one.wait_ns for one in lines)


def _is_start(frame: Frame) -> bool:
    return frame.plain_function == "start" and frame.file.endswith("/threading.py")


_STARTING = (
    "Each connection gets a new thread here, and Thread.start() waits until that thread has run: "
    "for a CPU and the GIL, which the other threads have. Keep a fixed number of threads that take "
    "connections from a queue (a ThreadPoolExecutor; gunicorn --threads, waitress), let several "
    "processes accept (SO_REUSEPORT, more workers), and raise listen(backlog): it is 5 in "
    "socketserver and http.server (request_queue_size), and the kernel caps it at "
    "/proc/sys/net/core/somaxconn."
)
OVERFLOW = Rule(
    "IO155",
    "Accept queue overflow: the listener drops connections",
    "Accept sooner: let the thread that accepts do nothing else (hand the connection to a thread, "
    "a pool or an event loop). Raise listen(backlog), which the kernel caps at "
    "/proc/sys/net/core/somaxconn; socketserver: request_queue_size; gunicorn: --backlog; "
    "asyncio: start_server(backlog=). More workers, where all of them are busy.",
    _overflow,
    explains={"IO105": always},
    tells=Tells.QUEUE,
    shared="listener",
)
