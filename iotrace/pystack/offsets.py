# SPDX-License-Identifier: Apache-2.0
"""Where CPython keeps its threads, frames and code objects, by version (x86-64, glibc).

3.9 to 3.12 are tables, from the debugging information of their builds. From 3.13 on a build
describes itself: ``_Py_DebugOffsets``, Include/internal/pycore_runtime.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from iotrace.pystack.memory import Memory, Unreadable


@dataclass(frozen=True, slots=True)
class Offsets:
    """Byte offsets; None: this version has no such member.

    ``interpreters``: of ``interpreters.head`` in ``_PyRuntime``. ``thread_cframe``: of what a
    thread state's ``thread_frame`` leads to first (3.11). ``gil_in_runtime``: of the GIL in
    ``_PyRuntime``; else ``gil_pointer``: of the pointer to it in an interpreter.
    ``gc_collecting``: of ``gc.collecting`` in an interpreter (an int: 1 while it collects).
    ``instruction_bytes``: what frame_instruction counts in; 0: it is an address in the code.
    """

    interpreters: int
    interpreter_next: int
    interpreter_threads: int
    thread_next: int
    thread_ident: int
    thread_native: int | None
    thread_frame: int
    thread_cframe: int | None
    frame_code: int
    frame_previous: int
    frame_instruction: int
    frame_owner: int | None
    code_file: int
    code_name: int
    code_linetable: int
    code_first_line: int
    code_flags: int
    code_instructions: int
    text_data: int
    bytes_data: int
    instruction_bytes: int
    gil_in_runtime: int | None
    gil_pointer: int | None
    gc_collecting: int | None


COLLECTING = 200
"""``collecting`` in struct _gc_runtime_state (pycore_gc.h), the same in 3.9 to 3.13."""

_3_9 = Offsets(
    interpreters=32,
    interpreter_next=0,
    interpreter_threads=8,
    thread_next=8,
    thread_ident=176,
    thread_native=None,
    thread_frame=24,
    thread_cframe=None,
    frame_code=32,
    frame_previous=24,
    frame_instruction=104,
    frame_owner=None,
    code_file=104,
    code_name=112,
    code_linetable=120,
    code_first_line=40,
    code_flags=36,
    code_instructions=0,
    text_data=48,
    bytes_data=32,
    instruction_bytes=1,
    gil_in_runtime=352,
    gil_pointer=None,
    gc_collecting=616 + COLLECTING,
)
_3_10 = replace(_3_9, frame_instruction=96, instruction_bytes=2)
_3_11 = Offsets(
    interpreters=40,
    interpreter_next=0,
    interpreter_threads=16,
    thread_next=8,
    thread_ident=152,
    thread_native=160,
    thread_frame=56,
    thread_cframe=8,
    frame_code=32,
    frame_previous=48,
    frame_instruction=56,
    frame_owner=69,
    code_file=112,
    code_name=128,
    code_linetable=136,
    code_first_line=72,
    code_flags=48,
    code_instructions=184,
    text_data=48,
    bytes_data=32,
    instruction_bytes=0,
    gil_in_runtime=360,
    gil_pointer=None,
    gc_collecting=648 + COLLECTING,
)
_3_12 = replace(
    _3_11,
    interpreter_threads=72,
    thread_ident=136,
    thread_native=144,
    thread_cframe=0,
    frame_code=0,
    frame_previous=8,
    frame_owner=70,
    code_first_line=68,
    code_instructions=192,
    text_data=40,
    gil_in_runtime=None,
    gil_pointer=384,
    gc_collecting=112 + COLLECTING,
)
TABLES = {(3, 9): _3_9, (3, 10): _3_10, (3, 11): _3_11, (3, 12): _3_12}

_COOKIE = b"xdebugpy"
_DESCRIBED_3_13 = (
    "free_threaded runtime_size runtime_finalizing interpreters "
    "interpreter_size interpreter_id interpreter_next interpreter_threads interpreter_gc "
    "imports sysdict builtins gil_pointer gil_state gil_enabled gil_locked gil_holder "
    "thread_size thread_previous thread_next thread_interpreter thread_frame thread_ident "
    "thread_native stack_chunk thread_status "
    "frame_size frame_previous frame_code frame_instruction frame_locals frame_owner "
    "code_size code_file code_short_name code_name code_linetable code_first_line "
    "argument_count names kinds code_instructions "
    "object_size object_type type_size type_name type_repr type_flags tuple_size tuple_item "
    "tuple_count list_size list_item list_count dict_size dict_keys dict_values float_size "
    "float_value long_size long_tag long_digit bytes_size bytes_count bytes_data "
    "text_size text_state text_length text_data"
).split()
"""The members of ``_Py_DebugOffsets`` after cookie and version, each of 8 bytes, in 3.13."""
_FLAGS_BEFORE_FIRST_LINE = 20  # five ints: struct PyCodeObject, Include/cpython/code.h, 3.12 on
FRAME_BYTES, CODE_BYTES = 112, 256
"""As much of a frame and of a code object is read at once."""
_HIGHEST = {"frame": FRAME_BYTES - 8, "code": CODE_BYTES - 8}
_HIGHEST_ELSEWHERE = 1 << 20


def described_offsets(memory: Memory, runtime: int) -> Offsets:
    """What a 3.13 says of itself. Raises Unreadable where that cannot be."""
    size = 8 * len(_DESCRIBED_3_13)
    head = memory.read(runtime, 16 + size)
    version = int.from_bytes(head[8:16], "little")
    if not head.startswith(_COOKIE) or version >> 16 != 0x030D:
        raise Unreadable("the interpreter does not describe itself as Python 3.13")
    told = dict(zip(_DESCRIBED_3_13, struct.unpack_from(f"<{size // 8}Q", head, 16), strict=True))
    wanted = {name: told[name] for name in Offsets.__dataclass_fields__ if name in told}
    wanted["code_flags"] = told["code_first_line"] - _FLAGS_BEFORE_FIRST_LINE
    wanted["gc_collecting"] = told["interpreter_gc"] + COLLECTING
    for name, offset in wanted.items():
        if not 0 <= offset <= _HIGHEST.get(name.partition("_")[0], _HIGHEST_ELSEWHERE):
            raise Unreadable(f"the interpreter says that {name} is at {offset}")
    return replace(_3_12, **wanted, thread_cframe=None)
