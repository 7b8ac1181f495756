# SPDX-License-Identifier: Apache-2.0
"""Where a version of CPython keeps objects, suspended coroutines and tasks (x86-64).

3.13 and later describe most of that themselves (``_Py_DebugOffsets``), 3.14 and later their tasks
too (``.AsyncioDebug``). The rest are tables, from the headers and measured on the builds.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

from iotrace.pystack.described import Described
from iotrace.pystack.memory import Unreadable
from iotrace.pystack.offsets import TABLES as OFFSETS
from iotrace.pystack.offsets import Offsets, described_offsets

_SMALL = 4096
"""Above every offset that is used here but those in the state of an interpreter or thread."""
_LARGE = 1 << 20

# States of a frame: Include/internal/pycore_frame.h; -1 byte: 255.
CREATED, SUSPENDED, AWAITING, RUNNING = "created", "suspended", "awaiting", "running"
_STATES_3_9 = {0: AWAITING, 1: RUNNING}  # f_executing; see frames.py for the others
_STATES_3_10 = {254: CREATED, 255: AWAITING, 0: RUNNING}
_STATES_3_13 = {253: CREATED, 254: SUSPENDED, 255: AWAITING, 0: RUNNING}
_STATES_3_15 = {0: CREATED, 1: SUSPENDED, 2: AWAITING, 3: AWAITING, 4: RUNNING}


@dataclass(frozen=True, slots=True)
class TaskMembers:
    """Of struct TaskObj (Modules/_asynciomodule.c); None: before 3.14 there is none.

    ``waiter``: the future that it waits for. ``node``: its place in a list of tasks, whose heads
    are at ``thread_head`` in a thread's state and at ``interpreter_head`` in an interpreter's.
    """

    size: int
    name: int
    coro: int
    awaited_by: int | None = None
    awaited_by_is_set: int | None = None
    is_task: int | None = None
    node: int | None = None
    thread_head: int | None = None
    running_task: int | None = None
    interpreter_head: int | None = None

    @property
    def waiter(self) -> int:
        return self.coro - 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Byte offsets, beside those that walks of running threads use as well (``offsets``).

    ``modules``: of sys.modules in an interpreter's state. ``frame``: of a generator's frame in it,
    or of the pointer to the frame (``far_frame``). ``frame_state``: in a generator, or in a far
    frame. ``stack_top``: an address, or with ``counted_stack`` the number of words from
    ``frame_locals`` on (3.10: from ``value_stack``). ``resume_tells``: whether a generator awaits
    shows in the argument of its next instruction.
    """

    version: tuple[int, int]
    offsets: Offsets
    modules: int
    type_name: int
    cached_keys: int
    int_digit: int
    set_used: int
    set_mask: int
    set_table: int
    frame: int
    far_frame: bool
    frame_state: int
    states: Mapping[int, str]
    frame_locals: int
    stack_top: int
    counted_stack: bool
    value_stack: int | None
    resume_tells: bool
    task: TaskMembers


_3_9 = Layout(
    version=(3, 9),
    offsets=OFFSETS[3, 9],
    modules=856,
    type_name=24,
    cached_keys=864,
    int_digit=24,
    set_used=24,
    set_mask=32,
    set_table=40,
    frame=16,
    far_frame=True,
    frame_state=116,
    states=_STATES_3_9,
    frame_locals=360,
    stack_top=72,
    counted_stack=False,
    value_stack=64,
    resume_tells=False,
    task=TaskMembers(size=184, name=160, coro=152),
)
_3_10 = replace(
    _3_9,
    version=(3, 10),
    offsets=OFFSETS[3, 10],
    cached_keys=872,
    frame_state=108,
    states=_STATES_3_10,
    frame_locals=352,
    stack_top=80,
    counted_stack=True,
    task=TaskMembers(size=192, name=168, coro=160),
)
_3_11 = replace(
    _3_10,
    version=(3, 11),
    offsets=OFFSETS[3, 11],
    modules=888,
    frame=80,
    far_frame=False,
    frame_state=75,
    frame_locals=72,
    stack_top=64,
    value_stack=None,
    resume_tells=True,
    task=TaskMembers(size=176, name=144, coro=136),
)
_3_12 = replace(
    _3_11,
    version=(3, 12),
    offsets=OFFSETS[3, 12],
    modules=944,
    cached_keys=880,
    frame=72,
    frame_state=67,
)
TABLES: Mapping[tuple[int, int], Layout] = {one.version: one for one in (_3_9, _3_10, _3_11, _3_12)}
_TASK_3_13 = TaskMembers(size=144, name=128, coro=120)


def described_layout(told: Described, tasks: bytes) -> Layout:
    """Of a version that describes itself; ``tasks``: its .AsyncioDebug, b"" in 3.13.

    Raises Unreadable: what is said cannot be.
    """
    layout = replace(
        _3_12,
        version=told.version,
        offsets=described_offsets(told),
        modules=told["interpreter_state.imports_modules"],
        type_name=told["type_object.tp_name"],
        cached_keys=told.members.get("heap_type_object.ht_cached_keys", _3_12.cached_keys),
        int_digit=told["long_object.ob_digit"],
        frame_locals=told["interpreter_frame.localsplus"],
        states=_STATES_3_15 if told.version >= (3, 15) else _STATES_3_13,
        resume_tells=False,
        task=_TASK_3_13,
    )
    if told.version >= (3, 14):
        layout = replace(
            layout,
            set_used=told["set_object.used"],
            set_mask=told["set_object.mask"],
            set_table=told["set_object.table"],
            frame=told["gen_object.gi_iframe"],
            frame_state=told["gen_object.gi_frame_state"],
            stack_top=told["interpreter_frame.stackpointer"],
            counted_stack=False,
            task=described_tasks(tasks, told),
        )
    _check(layout)
    return layout


ASYNCIO_DEBUG_BYTES = 13 * 8


def described_tasks(section: bytes, told: Described) -> TaskMembers:
    """``struct _Py_AsyncioModuleDebugOffsets``. Raises Unreadable: it cannot be that."""
    if len(section) < ASYNCIO_DEBUG_BYTES:
        raise Unreadable("asyncio does not describe its tasks")
    (
        size, name, awaited_by, is_task, awaited_by_is_set, coro, node,
        interpreter_size, interpreter_head,
        thread_size, _running_loop, running_task, thread_head,
    ) = struct.unpack_from("<13Q", section)  # fmt: skip
    members = (name, awaited_by, is_task, awaited_by_is_set, coro, node)
    inside = interpreter_head < interpreter_size and max(running_task, thread_head) < thread_size
    if (
        not inside
        or max(members) + 8 > size
        or min(members) < told["pyobject.size"]
        or size > _SMALL
        or thread_size > _LARGE
        or interpreter_size > _LARGE
        or told["llist_node.next"] != 0
        or told["llist_node.prev"] != 8
    ):
        raise Unreadable("what asyncio says of its tasks cannot be")
    return TaskMembers(
        size, name, coro, awaited_by, awaited_by_is_set, is_task, node,
        thread_head, running_task, interpreter_head,
    )  # fmt: skip


_USED = (
    "object_type", "object_size", "text_state", "text_length", "text_data", "frame_code",
    "frame_instruction",
)  # fmt: skip
"""Of the offsets, here."""


def _check(layout: Layout) -> None:
    values = {name: getattr(layout, name) for name in Layout.__dataclass_fields__}
    values |= {name: getattr(layout.offsets, name) for name in _USED}
    for name, value in values.items():
        if isinstance(value, int) and name != "modules" and not 0 <= value < _SMALL:
            raise Unreadable(f"the interpreter says that {name} is at {value}")
    frame_ends = layout.frame_locals, layout.offsets.frame_instruction + 8, layout.stack_top + 8
    if max(frame_ends[1:]) > layout.frame_locals or layout.frame_state > layout.frame:
        raise Unreadable("what the interpreter says of its frames cannot be")
