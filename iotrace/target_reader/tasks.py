# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks of a process, and which of them have moved since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from iotrace.asyncio_tasks.bulk_memory import BulkProcessMemory
from iotrace.asyncio_tasks.debug_section import find_layout
from iotrace.asyncio_tasks.listing import NoAsyncio
from iotrace.asyncio_tasks.look import TaskLooks
from iotrace.asyncio_tasks.objects import Objects
from iotrace.asyncio_tasks.task_look import Look, Place, Task, Timer, Unmoved, WaitedDescriptor
from iotrace.errors import IotraceError, NoSuchProcess, Unsupported
from iotrace.procfs.python import read_python
from iotrace.pystack.memory import ProcessMemory, Unreadable, read_u64
from iotrace.pystack.recognition import NoStacks, find_runtime
from iotrace.pystack.symbols import Symbols
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.programs import members

_KEY = "tasks"
"""Of what a session remembers of a process."""


def look_at_tasks(reader: Asker, pid: int) -> int:
    """Begin a look at all tasks of a process; the number of tasks that are left to be read.

    Raises what ``Asker.ask`` raises, and Unsupported: no Python, no asyncio, an unknown version.
    """
    return int(reader.ask("task_look", pid))


def read_more_tasks(reader: Asker, pid: int) -> int:
    """Read some of those that are left; how many are left then. Raises what ``ask`` raises."""
    return int(reader.ask("more_tasks", pid))


def read_tasks(reader: Asker, pid: int) -> Look:
    """What the looks since ``look_at_tasks`` was first called have found. Raises as it does."""
    raw_tasks, places, about = reader.ask("tasks", pid)
    known = [Place(*place) for place in places]
    tasks = [_task(known, *one) for one in raw_tasks]
    return Look(tasks=tuple(tasks), **about)


def _task(
    places: list[Place], chain: Any, descriptor: Any, timer: Any, unmoved: Any, rest: Any
) -> Task:
    return Task(
        **dict(zip(_PLAIN, rest, strict=True)),
        chain=tuple([places[place] for place in chain]),
        descriptor=None if descriptor is None else WaitedDescriptor(*descriptor),
        timer=None if timer is None else Timer(*timer),
        unmoved=None if unmoved is None else Unmoved(*unmoved),
    )


def task_look(session: dict[Any, Any], pid: int) -> int:
    """In the reader, as all that follows."""
    return _read(session.get((_KEY, pid)) or _begin(session, pid), TaskLooks.look)


def more_tasks(session: dict[Any, Any], pid: int) -> int:
    """See ``read_more_tasks``."""
    return _read(session[_KEY, pid], TaskLooks.read_part)


def _read(known: _Known, read: Callable[[TaskLooks], int]) -> int:
    try:
        left = read(known.looks)
        read_u64(known.memory, known.address)
    except NoAsyncio as error:
        raise Unsupported(
            f"Process {known.pid} does not use asyncio.",
            why="Python runs there, and has not imported asyncio.",
            paste=f"sudo iotrace attach {known.pid}",
        ) from error
    except Unreadable as error:
        raise _gone_or_unreadable(known, error) from error
    return left


def tasks(session: dict[Any, Any], pid: int) -> Any:
    """See ``read_tasks``."""
    look = session[_KEY, pid].looks.told()
    places: dict[Place, int] = {}
    found = []
    for one in look.tasks:
        chain = [places.setdefault(place, len(places)) for place in one.chain]
        nested = [
            None if value is None else members(value)
            for value in (one.descriptor, one.timer, one.unmoved)
        ]
        found.append((chain, *nested, _plain(one)))
    named = [members(place) for place in places]
    return found, named, {name: getattr(look, name) for name in _ABOUT}


_ABOUT = ("version", "begin_ns", "end_ns", "looks", "gap_ns", "incomplete")
_PLAIN = (
    "address", "name", "name_length", "state", "loop", "thread", "awaits", "awaits_tasks",
    "awaited_by", "certain",
)  # fmt: skip
_plain = attrgetter(*_PLAIN)


@dataclass(slots=True)
class _Known:
    """In the reader: a process; ``address``: of its runtime."""

    pid: int
    memory: ProcessMemory
    address: int
    looks: TaskLooks


def _begin(session: dict[Any, Any], pid: int) -> _Known:
    build = read_python(pid)
    if build is None:
        raise Unsupported(
            f"Process {pid} is not CPython.",
            why="Only the tasks of CPython's asyncio can be read.",
            paste="pgrep -af python",
        )
    memory = ProcessMemory(pid)
    try:
        runtime = find_runtime(pid, build, memory)
        layout = find_layout(pid, build, runtime, memory)
    except BaseException as error:
        memory.close()
        if isinstance(error, NoStacks | Unreadable):
            raise _unreadable(pid, str(error)) from error
        raise
    bulk = BulkProcessMemory(pid, memory)
    symbols = Symbols(runtime.offsets, memory)
    looks = TaskLooks(build.version, runtime, Objects(bulk, layout), symbols.name)
    known = session[_KEY, pid] = _Known(pid, memory, runtime.address, looks)
    return known


def _gone_or_unreadable(known: _Known, error: Unreadable) -> IotraceError:
    try:
        read_u64(known.memory, known.address)
    except Unreadable:
        return NoSuchProcess(
            f"Process {known.pid} has ended or runs another program.",
            why="Its memory is gone since it was first looked at.",
            paste="pgrep -af python",
        )
    return _unreadable(known.pid, str(error))


def _unreadable(pid: int, why: str) -> Unsupported:
    return Unsupported(
        f"The asyncio tasks of process {pid} cannot be read.",
        why=f"{why}.",
        paste=f"sudo iotrace attach {pid}",
    )
