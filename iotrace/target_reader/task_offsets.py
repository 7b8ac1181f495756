# SPDX-License-Identifier: Apache-2.0
"""Where a traced process has its asyncio tasks: for the probes."""

from __future__ import annotations

from typing import Any

from iotrace.asyncio_tasks.debug_section import find_layout
from iotrace.asyncio_tasks.task_offsets import TaskOffsets
from iotrace.asyncio_tasks.task_offsets import task_offsets as offsets_in
from iotrace.procfs.python import read_python
from iotrace.pystack.memory import ProcessMemory, Unreadable
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.programs import members
from iotrace.target_reader.stacks import Interpreter, runtime_of


def read_task_offsets(reader: Asker, of: Interpreter) -> TaskOffsets | None:
    """None: it has not imported asyncio (yet), or does not tell. Raises what ``ask`` raises."""
    pid, runtime, _ = of.plain
    answer = reader.ask("task_offsets", pid, runtime)
    return None if answer is None else TaskOffsets(*answer)


def task_offsets(_session: object, pid: int, runtime: Any) -> Any:
    """In the reader."""
    build = read_python(pid)
    if build is None or build.text_type is None:
        return None
    with ProcessMemory(pid) as memory:
        try:
            layout = find_layout(pid, build, runtime_of(runtime), memory)
        except Unreadable:
            return None
    found = offsets_in(layout, build.text_type)
    return None if found is None else members(found)
