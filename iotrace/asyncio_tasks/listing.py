# SPDX-License-Identifier: Apache-2.0
"""Finds the tasks: from 3.14 on in linked lists, before in weak sets of ``asyncio.tasks``."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from iotrace.asyncio_tasks.instances import Instances
from iotrace.asyncio_tasks.object_layout import Layout
from iotrace.asyncio_tasks.objects import NO_TYPE, Objects, word_at
from iotrace.pystack.memory import Unreadable, read_u64
from iotrace.pystack.runtime import Runtime, ThreadState

MOST_TASKS = 50_000
_STARTS = 8
"""So often a list is walked again that changed meanwhile."""
_MODULE = "asyncio.tasks"
_REFERENT = 0  # PyWeakReference, behind its head
_WEAK_SETS = {(3, 9): ("_all_tasks",), (3, 10): ("_all_tasks",), (3, 11): ("_all_tasks",)}
_LATER_WEAK_SETS = ("_scheduled_tasks", "_eager_tasks")
_TASK = "_asyncio.Task"


class NoAsyncio(Exception):
    """The process has not imported asyncio."""


@dataclass(slots=True)
class Listing:
    """``threads``: address of a task -> native id of its thread, None: not known. ``running``: of
    threads that run a task, its address."""

    threads: dict[int, int | None] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)
    incomplete: list[str] = field(default_factory=list)


class TaskFinder:
    """The tasks of all interpreters of a process."""

    def __init__(self, runtime: Runtime, objects: Objects) -> None:
        self._runtime = runtime
        self._objects = objects
        self._memory = objects.memory
        self._layout: Layout = objects.layout
        self._instances = Instances(objects)

    def find(self) -> Listing:
        """Raises NoAsyncio, Unreadable."""
        interpreters = tuple(self._runtime.interpreters(self._memory))
        modules = [one for one in (self._module(i) for i in interpreters) if one]
        if not modules:
            raise NoAsyncio
        found = Listing()
        if self._layout.task.node is None:
            for module in modules:
                self._from_sets(module, found)
        else:
            self._from_lists(interpreters, found)
        if len(found.threads) >= MOST_TASKS:
            found.incomplete.append(
                f"there are more tasks than {MOST_TASKS}: the others are left out"
            )
        return found

    def _module(self, interpreter: int) -> int:
        """The dictionary of asyncio.tasks in an interpreter, 0: it is not imported."""
        modules = read_u64(self._memory, interpreter + self._layout.modules)
        module = self._instances.item(modules, _MODULE) if modules else 0
        return read_u64(self._memory, module + self._layout.offsets.object_size) if module else 0

    def _from_lists(self, interpreters: Sequence[int], found: Listing) -> None:
        task = self._layout.task
        states = tuple(self._runtime.thread_states(self._memory))
        heads: list[tuple[int, ThreadState | None]] = [
            (state.address + (task.thread_head or 0), state) for state in states
        ]
        heads += [(one + (task.interpreter_head or 0), None) for one in interpreters]
        for head, state in heads:
            if not self._walk(head, state.native if state else None, found):
                found.incomplete.append("a list of tasks changed whenever it was read")
        for state in states:
            running = read_u64(self._memory, state.address + (task.running_task or 0))
            if running:
                found.running.add(running)

    def _walk(self, head: int, thread: int | None, found: Listing) -> bool:
        """Whether the whole list was read: a node whose predecessor is another one than we came
        from was moved meanwhile. What was met by then are tasks all the same."""
        node = self._layout.task.node or 0
        threads = found.threads
        for _ in range(_STARTS):
            before, at, left = head, 0, MOST_TASKS
            try:
                at = read_u64(self._memory, head)
                while at != head and left and len(threads) < MOST_TASKS:
                    left -= 1
                    following, previous = struct.unpack("<QQ", self._memory.read(at, 16))
                    if previous != before:
                        break
                    threads[at - node] = thread
                    before, at = at, following
                else:
                    return True
            except Unreadable:
                pass
        return False

    def _from_sets(self, module: int, found: Listing) -> None:
        references: list[int] = []
        for name in _WEAK_SETS.get(self._layout.version, _LATER_WEAK_SETS):
            weak_set = self._instances.item(module, name)
            try:
                # _eager_tasks is a plain set of tasks, not of references.
                data = self._instances.attribute(weak_set, "data") if weak_set else 0
                members = self._objects.members(data or weak_set) if weak_set else []
            except Unreadable:
                found.incomplete.append(f"{_MODULE}.{name} could not be read")
                continue
            if data:
                references += members[:MOST_TASKS]
            else:
                self._add(members, found)
        at = self._layout.offsets.object_size + _REFERENT
        words = self._memory.read_many([(one + at, 8) for one in references])
        self._add([word_at(word, 0) for word in words if word is not None], found)

    def _add(self, addresses: Iterable[int], found: Listing) -> None:
        wanted = list(addresses)
        for address, type_ in zip(wanted, self._objects.types_of(wanted), strict=True):
            if type_ is not NO_TYPE and self._objects.is_a(type_, _TASK):
                if len(found.threads) >= MOST_TASKS:
                    return
                found.threads[address] = None
