# SPDX-License-Identifier: Apache-2.0
"""Data that an event loop receives faster than the program handles it: it is kept in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from iotrace.verdict.frames import has_own
from iotrace.verdict.memory_growth import growth
from iotrace.verdict.number_formats import mebibytes
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit
from iotrace.verdict.waiting_tasks import WaitingTasks, task_lines

KEPT_SHARE = 0.4
"""Of what was received, that the process has grown by: else something else grows, or what is
received is handled and gone."""
MOST_SHARE = 2.0
"""... and no more: parsed, it takes more room than on the network."""
ITS_SHARE = 0.5
"""Of all that was received on connections that it has made, from one peer."""


def received_backlog(profile: ProcessProfile) -> Iterator[Hit]:
    """A peer that sends faster than the tasks of an event loop handle it. The same is seen of a
    program that loads something large into memory, and means to: low severity, however near the
    memory limit is, for nothing tells whether the growth goes on until there."""
    grown, grows = growth(profile)
    if not grown or not profile.loop_threads():
        return
    received = Counter[str]()
    for row in profile.outgoing():
        received[row.peer] += row.bytes_in or 0
    for peer, its in received.most_common(1):
        kept = KEPT_SHARE * its <= grown <= MOST_SHARE * its
        if not kept or its < ITS_SHARE * received.total():
            return
        rate = round(profile.per_second(its))
        yield Hit(
            {
                "peer": peer,
                "received_bytes": its,
                "received_bytes_per_second": rate,
                "grown_bytes": grown,
                "grows_bytes_per_second": round(grows),
            },
            None,
            severity="low",
            lines=task_lines(_own_tasks(profile)),
            title=f"Data comes from {peer} faster than it is handled, or is all kept: "
            f"{mebibytes(rate)} a second come, and the process's memory grows by "
            f"{mebibytes(round(grows))} a second",
            advice=_LIMIT,
        )


def _own_tasks(profile: ProcessProfile) -> list[WaitingTasks]:
    """What its own code does meanwhile."""
    rows = profile.tasks.rows if profile.tasks else ()
    own = [one for one in rows if has_own(one.stack)]
    return [WaitingTasks(one, Purpose.OTHER) for one in own]


_LIMIT = (
    "If it is to be loaded as a whole, nothing is wrong. Else let no more be received than is "
    "handled: with a limit (websockets: max_queue, asyncio.Queue(maxsize=...) and await put(), "
    "pause_reading() of a transport) the loop stops to read, TCP's window closes, and the sender "
    "has to wait (back-pressure). Without one, what is not handled yet grows until the kernel "
    "kills the process. Handle it quicker, by several tasks, or leave out what is out of date."
)
