# SPDX-License-Identifier: Apache-2.0
"""Where a process has its tasks, for the probes, and how the names that they bring are read."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from iotrace.asyncio_tasks.object_layout import Layout

_ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
_TYPE_BYTES = 8
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class TaskOffsets:
    """Byte offsets, by the names of struct python (probes/python.c); ``running_task``: in a thread
    state. The last ones are of texts: ``text_type`` is the address of the type of str objects."""

    running_task: int
    task_name: int
    task_coro: int
    task_awaited_by: int
    task_awaited_by_is_set: int
    task_is_task: int
    coroutine_frame: int
    set_table: int
    set_mask: int
    object_type: int
    text_type: int
    text_state: int
    text_length: int
    text_data: int
    text_kind_shift: int
    int_digit: int

    def name(self, raw: bytes) -> str:
        """A task's name from the first bytes of it: a str, or the int N of "Task-N"; "?" if it is
        neither. "..." ends one that is longer."""
        try:
            return self._text(raw)
        except struct.error:
            return UNKNOWN

    def _text(self, raw: bytes) -> str:
        if int.from_bytes(raw[self.object_type : self.object_type + _TYPE_BYTES], "little") == 0:
            return UNKNOWN
        if struct.unpack_from("<Q", raw, self.object_type)[0] != self.text_type:
            return f"Task-{struct.unpack_from('<I', raw, self.int_digit)[0]}"
        (length,) = struct.unpack_from("<Q", raw, self.text_length)
        state = struct.unpack_from("<I", raw, self.text_state)[0] >> self.text_kind_shift
        kind, compact, ascii_only = state & 7, state >> 3 & 1, state >> 4 & 1
        if not compact or kind not in _ENCODINGS:
            return UNKNOWN
        start = self.text_data if ascii_only else self.text_data + 16
        data = raw[start : start + kind * length]
        text = data[: len(data) - len(data) % kind].decode(_ENCODINGS[kind], "replace")
        return text if len(text) >= length else f"{text}..."


def task_offsets(layout: Layout, text_type: int) -> TaskOffsets | None:
    """None: this version's futures do not tell what awaits them."""
    task = layout.task
    if (
        task.running_task is None
        or task.awaited_by is None
        or task.awaited_by_is_set is None
        or task.is_task is None
    ):
        return None
    return TaskOffsets(
        running_task=task.running_task,
        task_name=task.name,
        task_coro=task.coro,
        task_awaited_by=task.awaited_by,
        task_awaited_by_is_set=task.awaited_by_is_set,
        task_is_task=task.is_task,
        coroutine_frame=layout.frame,
        set_table=layout.set_table,
        set_mask=layout.set_mask,
        object_type=layout.offsets.object_type,
        text_type=text_type,
        text_state=layout.offsets.text_state,
        text_length=layout.offsets.text_length,
        text_data=layout.offsets.text_data,
        text_kind_shift=layout.offsets.text_kind_shift,
        int_digit=layout.int_digit,
    )
