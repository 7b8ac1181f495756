# SPDX-License-Identifier: Apache-2.0
"""The asyncio tasks that ran in slow calls, stalls and slow exchanges: found, read, named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from iotrace.asyncio_tasks.task_offsets import TaskOffsets
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.pystack.code_objects import Frame
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.task_note import TaskNote
from iotrace.target_reader.reader import TargetReader
from iotrace.target_reader.stacks import Interpreter
from iotrace.target_reader.task_offsets import read_task_offsets

_EAGER_LOOKS, _LOOK_EVERY = 8, 16
"""A process may import asyncio late: it is looked at each time at first, then now and then."""
_MOST_PROCESSES = 4096


@dataclass(slots=True)
class _Looked:
    looks: int = 0
    offsets: TaskOffsets | None = None


class RunningTasks:
    """Knows of each process where its tasks are; names those that the probes bring."""

    def __init__(self, reader: TargetReader) -> None:
        self._reader = reader
        self._looked: dict[int, _Looked] = {}

    def offsets(self, pid: int) -> TaskOffsets | None:
        """Where a process has its tasks; None: it has none, as far as it is known."""
        known = self._looked.get(pid)
        return None if known is None else known.offsets

    def found(self, interpreter: Interpreter) -> bool:
        """Look for the tasks of a process, now and then: whether they were found just now."""
        if not interpreter.runtime.offsets.code_tags:  # before 3.14 it does not say where
            return False
        if len(self._looked) >= _MOST_PROCESSES:
            return False
        known = self._looked.setdefault(interpreter.pid, _Looked())
        known.looks += 1
        if known.offsets or (known.looks > _EAGER_LOOKS and known.looks % _LOOK_EVERY):
            return False
        try:
            known.offsets = read_task_offsets(self._reader, interpreter)
        except (NoSuchProcess, PermissionDenied, Unsupported):
            return False
        return known.offsets is not None

    def complete(self, snapshot: Snapshot, stacks: Mapping[int, tuple[Frame, ...]]) -> Snapshot:
        """The snapshot with the names of its tasks; ``stacks``: frames by the hash of a stack."""

        def named(pid: int, note: TaskNote | None) -> TaskNote | None:
            offsets = self.offsets(pid) or self._any()
            if note is None or offsets is None:
                return None
            names = tuple([offsets.name(raw) for raw in note.raw])
            return replace(note, names=names, frames=stacks.get(note.chain, ()))

        slowest = {
            key: tuple([replace(one, task=named(key.pid, one.task)) for one in slow])
            for key, slow in snapshot.exchanges.slowest.items()
        }
        return replace(
            snapshot,
            lines={
                key: replace(one, task=named(key[0], one.task)) if one.task else one
                for key, one in snapshot.lines.items()
            },
            stall_causes={
                key: replace(one, task=named(key[0].pid, one.task)) if one.task else one
                for key, one in snapshot.stall_causes.items()
            },
            exchanges=replace(snapshot.exchanges, slowest=slowest),
        )

    def _any(self) -> TaskOffsets | None:
        """A fork that ended before it was met is like its kin."""
        return next((one.offsets for one in self._looked.values() if one.offsets), None)
