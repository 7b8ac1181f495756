# SPDX-License-Identifier: Apache-2.0
"""Which asyncio tasks most likely have the connections of a pool that others wait for."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.stacks import Frame
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import in_library, short_name
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.waiting_tasks import WaitingTasks

LEAST_SHARE = 0.5
"""Of the connections to the peer that most lead to: so many tasks at one place at a time, and no
more than there are connections. The rest may be idle, or in hands that move."""
_ONE_MORE = 1.5
"""Tasks beyond that: the looks are not at the same moment as the count of connections."""


def connection_holders(
    waiting: Sequence[WaitingTasks], profile: ProcessProfile
) -> tuple[ToldLine, ...]:
    """The place where as many other tasks wait as there are connections, in code that has led those
    that wait to the pool; () where there is none."""
    sockets, tasks = profile.process.sockets, profile.tasks
    if tasks is None or sockets is None or not sockets.connected:
        return ()
    connections = sockets.connected[0].connections
    ways = {function for one in waiting for function in _way(one.wait.stack)}
    rows = {id(one.wait) for one in waiting}
    places: dict[str, list[TaskWait]] = {}
    for row in tasks.rows:
        if id(row) not in rows and row.stack and ways & _way(row.stack):
            frame = row.own_stack[0]
            places.setdefault(f"{frame.place} {short_name(frame)}", []).append(row)
    means = {place: sum(row.mean for row in group) for place, group in places.items()}
    found = [
        place
        for place, mean in means.items()
        if LEAST_SHARE * connections <= mean <= connections + _ONE_MORE
    ]
    if not found:
        return ()
    place = max(found, key=means.__getitem__)
    count = plural(max(1, round(means[place])), "asyncio task")
    return (
        ToldLine(
            f"{place}: {count} at a time, of {connections} connections: most likely these have "
            "them meanwhile"
        ),
    )


def _way(stack: Sequence[Frame]) -> set[tuple[str, str]]:
    """The functions of an await chain out to the program's outermost; where it has none, all."""
    own = [place for place, frame in enumerate(stack) if not in_library(frame)]
    way = stack[: own[-1] + 1] if own else stack
    return {(frame.file, frame.function) for frame in way if "/asyncio/" not in frame.file}
