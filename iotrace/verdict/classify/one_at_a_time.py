# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for connections in a multiplexer, and serve one after the other: uWSGI's.

They wait outside of Python, which they enter for a request. A hub of greenlets that has one client
at a time does the same calls, in Python's code.
"""

from __future__ import annotations

from iotrace.report.model import Process
from iotrace.verdict.classify.thread_style import ThreadStyle
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.thread_activity import Activity
from iotrace.vocabulary.calls import FAMILIES

FEWEST_SERVED = 3
"""Connections, so that it is known how a thread serves what it accepts."""
WAKE_UPS = 2
"""Descriptors beside its listeners, of who watches no connection: uWSGI has two for its signals."""


def waits_outside_python(process: Process) -> bool:
    """Whether it runs Python, and no multiplexer was waited in with a Python stack."""
    calls = [
        *((one.syscall, one.fd, one.stack) for one in process.lines),
        *(
            (row.in_call.syscall, row.in_call.fd, row.in_call.stack)
            for row in process.threads
            if row.in_call
        ),
    ]
    return process.python is not None and not any(
        syscall in FAMILIES and fd is None and stack for syscall, fd, stack in calls
    )


def serves_in_turn(seen: Activity, listeners: int | None) -> bool:
    """Its multiplexers watch no more than ``listeners`` (addresses; None: not known), and it serves
    each new connection to its end before it asks again. An event loop that does not wait for a
    connection's data has what it calls in its queue, and goes round without a pause for that."""
    most_watched = WAKE_UPS + max(1, listeners or 0)
    return (
        seen.accepts.ok >= FEWEST_SERVED
        and bool(seen.multiplexers)
        and all(
            loop.eager_reads
            and loop.data_iterations == 0
            and loop.zero_timeout == 0
            and 0 < (loop.watched or 0) <= most_watched
            for loop in seen.multiplexers
        )
    )


def serving_in_turn(seen: Activity) -> ThreadStyle:
    """The style of such a thread: it blocks, but for its wait for the next connection."""
    name = seen.multiplexers[0].multiplexer
    evidence = (
        f"{plural(seen.accepts.ok, 'connection')} accepted, each served before {name} was asked "
        "for the next",
        f"{duration(seen.reads.wait_ns)} asleep in {plural(seen.reads.calls, 'read')}",
    )
    timed = seen.timeouts >= max(1, seen.reads.ok / 2)
    return ThreadStyle("blocking", "reader", "", False, timed, 1.0, seen.accepts.ok, evidence)
