# SPDX-License-Identifier: Apache-2.0
"""What a CPython of 3.13 or later says of its own structures: ``_Py_DebugOffsets``.

The struct is cookie, version, then sections of 8-byte members. Which members those are differs by
minor version: Include/internal/pycore_runtime.h, from 3.14 on pycore_debug_offsets.h.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from iotrace.pystack.memory import Memory, Unreadable

_COOKIE = b"xdebugpy"
_HEAD_BYTES = 16
_LARGEST = 1 << 20
"""Above any offset and size: sizeof(PyInterpreterState) is 226 kB in 3.15."""

Sections: TypeAlias = "Mapping[str, str]"
"""Section -> its members, both in the order of the struct."""

_3_13: Sections = {
    "runtime_state": "size finalizing interpreters_head",
    "interpreter_state": "size id next threads_head gc imports_modules sysdict builtins ceval_gil "
    "gil_runtime_state gil_runtime_state_enabled gil_runtime_state_locked "
    "gil_runtime_state_holder",
    "thread_state": "size prev next interp current_frame thread_id native_thread_id "
    "datastack_chunk status",
    "interpreter_frame": "size previous executable instr_ptr localsplus owner",
    "code_object": "size filename name qualname linetable firstlineno argcount localsplusnames "
    "localspluskinds co_code_adaptive",
    "pyobject": "size ob_type",
    "type_object": "size tp_name tp_repr tp_flags",
    "tuple_object": "size ob_item ob_size",
    "list_object": "size ob_item ob_size",
    "dict_object": "size ma_keys ma_values",
    "float_object": "size ob_fval",
    "long_object": "size lv_tag ob_digit",
    "bytes_object": "size ob_size ob_sval",
    "unicode_object": "size state length asciiobject_size",
    "gc": "size collecting",
}
_3_14: Sections = {
    "runtime_state": _3_13["runtime_state"],
    "interpreter_state": "size id next threads_head threads_main gc imports_modules sysdict "
    "builtins ceval_gil gil_runtime_state gil_runtime_state_enabled gil_runtime_state_locked "
    "gil_runtime_state_holder code_object_generation tlbc_generation",
    "thread_state": _3_13["thread_state"],
    "interpreter_frame": _3_13["interpreter_frame"] + " stackpointer tlbc_index",
    "code_object": _3_13["code_object"] + " co_tlbc",
    "pyobject": _3_13["pyobject"],
    "type_object": _3_13["type_object"],
    "tuple_object": _3_13["tuple_object"],
    "list_object": _3_13["list_object"],
    "set_object": "size used table mask",
    "dict_object": _3_13["dict_object"],
    "float_object": _3_13["float_object"],
    "long_object": _3_13["long_object"],
    "bytes_object": _3_13["bytes_object"],
    "unicode_object": _3_13["unicode_object"],
    "gc": _3_13["gc"],
    "gen_object": "size gi_name gi_iframe gi_frame_state",
    "llist_node": "next prev",
    "debugger_support": "eval_breaker remote_debugger_support remote_debugging_enabled "
    "debugger_pending_call debugger_script_path debugger_script_path_size",
}
_3_15: Sections = {
    "runtime_state": _3_14["runtime_state"],
    "interpreter_state": _3_14["interpreter_state"],
    "thread_state": "size prev next interp current_frame base_frame last_profiled_frame "
    "last_profiled_frame_seq thread_id native_thread_id datastack_chunk status holds_gil "
    "gil_requested current_exception exc_state",
    "err_stackitem": "exc_value",
    "interpreter_frame": _3_14["interpreter_frame"],
    "code_object": _3_14["code_object"],
    "pyobject": _3_14["pyobject"],
    "type_object": _3_14["type_object"] + " tp_basicsize tp_dictoffset",
    "heap_type_object": "size ht_cached_keys",
    "tuple_object": _3_14["tuple_object"],
    "list_object": _3_14["list_object"],
    "set_object": _3_14["set_object"],
    "dict_object": _3_14["dict_object"],
    "float_object": _3_14["float_object"],
    "long_object": _3_14["long_object"],
    "bytes_object": _3_14["bytes_object"],
    "unicode_object": _3_14["unicode_object"] + " compactunicodeobject_size",
    "gc": _3_14["gc"] + " frame generation_stats_size generation_stats",
    "gen_object": _3_14["gen_object"],
    "llist_node": _3_14["llist_node"],
    "debugger_support": _3_14["debugger_support"],
}
SECTIONS: Mapping[tuple[int, int], Sections] = {(3, 13): _3_13, (3, 14): _3_14, (3, 15): _3_15}
"""By version."""


@dataclass(frozen=True, slots=True)
class Described:
    """``members``: "section.member" -> byte offset (``size``: bytes of the struct)."""

    version: tuple[int, int]
    free_threaded: bool
    members: Mapping[str, int]

    def __getitem__(self, member: str) -> int:
        return self.members[member]


def member_names(version: tuple[int, int]) -> tuple[str, ...]:
    """The members after cookie, version and ``free_threaded``, in the order of the struct."""
    sections = SECTIONS[version].items()
    return tuple([f"{section}.{name}" for section, some in sections for name in some.split()])


def read_described(
    memory: Memory, runtime: int, layout: tuple[int, int] | None = None
) -> Described:
    """What ``_PyRuntime`` at an address says. Whoever uses it checks it against what is there.

    ``layout``: the version whose members are taken for those of the struct, None: its own.
    Raises Unreadable: it does not describe itself, in an order that is not known, or with offsets
    that cannot be.
    """
    head = memory.read(runtime, _HEAD_BYTES)
    number = int.from_bytes(head[8:16], "little")
    version = number >> 24, number >> 16 & 0xFF
    layout = layout or version
    if not head.startswith(_COOKIE) or layout not in SECTIONS:
        raise Unreadable("the interpreter does not describe itself as a known Python")
    names = member_names(layout)
    raw = memory.read(runtime + _HEAD_BYTES, 8 * (1 + len(names)))
    free_threaded, *offsets = struct.unpack(f"<{1 + len(names)}Q", raw)
    members = dict(zip(names, offsets, strict=True))
    for name, offset in members.items():
        if offset > _LARGEST:
            raise Unreadable(f"the interpreter says that {name} is at {offset}")
    return Described(version, bool(free_threaded), members)
