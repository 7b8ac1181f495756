# SPDX-License-Identifier: Apache-2.0
"""Tells the probes where the interpreters of traced processes keep their stacks and GILs."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from iotrace.asyncio_tasks.task_offsets import TaskOffsets
from iotrace.engine.constants import GILS, Counter, GilLookup
from iotrace.engine.probes import Probes
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.runtime import Runtime

_U32 = struct.Struct("<I")
_NOT_THERE = 0xFFFFFFFF
_SAME = (
    "interpreter_next interpreter_threads thread_next thread_ident thread_frame frame_code "
    "frame_previous frame_instruction code_file code_name code_linetable code_instructions "
    "code_copies code_tags thread_size interpreter_size runtime_size base_frame_end"
).split()
_TASKS = (
    "running_task task_name task_coro task_awaited_by task_awaited_by_is_set task_is_task "
    "coroutine_frame set_table set_mask"
).split()
_OPTIONAL = ("thread_cframe", "gc_collecting", "frame_owner", "frame_copy", "gil_requested")


class PythonTable:
    """Enters interpreters into attached probes; ``min_latency_ns``: of calls worth a walk."""

    def __init__(self, probes: Probes, min_latency_ns: int) -> None:
        self._probes = probes
        self._map = probes.map("pythons")
        self._layout = probes.layout("pythons")
        self._gils_at = self._layout.fields["gils"].offset
        self._walk_over_ns = min_latency_ns + 1

    def knows(self, pid: int) -> bool:
        """Whether the probes know this process's Python (they forget it at an exec)."""
        return self._map.get(_U32.pack(pid)) is not None

    def enter(
        self, pid: int, runtime: Runtime, gils: Sequence[int], tasks: TaskOffsets | None = None
    ) -> None:
        """From now on slow calls of this process's threads are walked. ``tasks``: where its
        asyncio has its tasks."""
        values = {
            "interpreters": runtime.address + runtime.offsets.interpreters,
            "runtime": runtime.address,
            "walk_over_ns": self._walk_over_ns,
            "gil_lookup": _lookup(runtime, gils),
            **_members(runtime.offsets),
            **{name: _NOT_THERE if tasks is None else getattr(tasks, name) for name in _TASKS},
        }
        raw = self._layout.pack(values)
        kept = list(gils[:GILS])
        struct.pack_into(f"<{len(kept)}Q", raw, self._gils_at, *kept)
        # First the process, then its threads: one that begins in between finds the process.
        self._map.update(_U32.pack(pid), bytes(raw))
        threads = self._probes.threads
        pid_at = threads.layout.fields["pid"].offset
        for slot, record in threads.read_all(self._probes.used(Counter.THREADS)):
            if _U32.unpack_from(record, pid_at)[0] == pid:
                threads.set(slot, "gil", kept[0] if kept else 0)
                threads.set(slot, "gil_lookup", values["gil_lookup"])
                threads.set(slot, "walk_over_ns", self._walk_over_ns)

    def forget(self, pid: int) -> None:
        """The process has ended."""
        self._map.delete(_U32.pack(pid))


def _lookup(runtime: Runtime, gils: Sequence[int]) -> GilLookup:
    if runtime.gil_by_request:
        return GilLookup.BY_REQUEST
    if not gils and runtime.offsets.gil_enabled is not None:
        return GilLookup.NONE
    return GilLookup.OF_SEVERAL if len(gils) > 1 else GilLookup.AT_ADDRESS


def _members(offsets: Offsets) -> dict[str, int]:
    optional = {name: getattr(offsets, name) for name in _OPTIONAL}
    return {
        **{name: getattr(offsets, name) for name in _SAME},
        **{name: _NOT_THERE if one is None else one for name, one in optional.items()},
        "narrow_instruction": int(offsets.instruction_bytes > 0),
    }
