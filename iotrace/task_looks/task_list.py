# SPDX-License-Identifier: Apache-2.0
"""The list of tasks from what was seen of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from iotrace import __version__
from iotrace.asyncio_tasks.task_look import Look, Place, Task, WaitedDescriptor
from iotrace.report.stacks import Frame
from iotrace.report.task_list import SCHEMA, AsyncioTask, Suspension, TaskDescriptor, TaskList
from iotrace.task_looks.watch import Watched


def build(watched: Watched, pid: int, process: str, *, timers: bool) -> TaskList:
    """The list. ``process``: its name. ``timers``: its clock is ours (time_namespaces(7))."""
    look = watched.look
    ordered = sorted(
        look.tasks, key=lambda one: (_unmoved_ns(one, look.end_ns, timers), one.address)
    )
    ids = {one.address: number for number, one in enumerate(ordered, 1)}
    return TaskList(
        schema=SCHEMA,
        iotrace=__version__,
        pid=pid,
        process=process,
        python=look.version,
        looks=look.looks,
        watched_ns=watched.watched_ns,
        resolution_ns=look.gap_ns,
        incomplete=look.incomplete,
        tasks=tuple([_row(one, ids, watched, timers) for one in ordered]),
    )


def _row(one: Task, ids: Mapping[int, int], watched: Watched, timers: bool) -> AsyncioTask:
    look = watched.look
    return AsyncioTask(
        id=ids[one.address],
        name=one.name,
        name_length=one.name_length,
        state=one.state,
        loop=one.loop,
        thread=one.thread,
        suspended=_suspension(one, look, timers),
        wakes_in_ns=one.timer.until_ns - look.end_ns if timers and one.timer else None,
        awaits=one.awaits,
        awaits_tasks=_ids(one.awaits_tasks, ids),
        awaited_by=_ids(one.awaited_by, ids),
        descriptor=_descriptor(one.descriptor, watched),
        chain=tuple([_frame(place) for place in one.chain]),
        certain=one.certain,
    )


@cache
def _frame(place: Place) -> Frame:
    return Frame(place.function, place.file, place.line, suspends=True)


def _ids(addresses: Sequence[int], ids: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(sorted(ids[address] for address in addresses if address in ids))


def _suspension(one: Task, look: Look, timers: bool) -> Suspension | None:
    if one.state != "suspended" or one.unmoved is None:
        return None
    least_ns = max(0, look.begin_ns - one.unmoved.latest_ns)
    earliest_ns = one.unmoved.earliest_ns
    most_ns = None if earliest_ns is None else look.end_ns - earliest_ns
    if timers and one.timer is not None:
        passed_ns = look.end_ns - one.timer.since_ns
        # A timer that says otherwise than the looks is none that can be trusted.
        if passed_ns >= least_ns and (most_ns is None or passed_ns <= most_ns):
            return Suspension("timer", passed_ns, passed_ns)
    return Suspension("looks", least_ns, most_ns)


def _unmoved_ns(one: Task, end_ns: int, timers: bool) -> int:
    """To sort by: the longest suspended first, then those that are not."""
    if one.unmoved is None or one.state != "suspended":
        return 1
    if timers and one.timer is not None:
        return min(0, one.timer.since_ns - end_ns)
    return min(0, one.unmoved.latest_ns - end_ns)


def _descriptor(one: WaitedDescriptor | None, watched: Watched) -> TaskDescriptor | None:
    if one is None:
        return None
    descriptor = watched.descriptors.get(one.fd)
    if descriptor is None:  # closed since, or what was read was no descriptor
        return None
    socket = watched.sockets.get(descriptor.inode or -1)
    local, peer = (socket.local, socket.peer) if socket else ("", "")
    kind = socket.kind if socket else descriptor.kind
    return TaskDescriptor(one.fd, kind, local, peer, one.found_in)
