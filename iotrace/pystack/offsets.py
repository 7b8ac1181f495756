# SPDX-License-Identifier: Apache-2.0
"""Where CPython keeps its threads, frames and code objects, by version (x86-64, glibc).

3.9 to 3.12 are tables, from the debugging information of their builds. From 3.13 on a build
describes itself (described.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from iotrace.pystack.described import Described
from iotrace.pystack.memory import Unreadable


@dataclass(frozen=True, slots=True)
class Offsets:
    """Byte offsets; None: this version has no such member.

    ``interpreters``: of ``interpreters.head`` in ``_PyRuntime``. ``thread_cframe``: of what a
    thread state's ``thread_frame`` leads to first (3.11). ``gil_in_runtime``: of the GIL in
    ``_PyRuntime``; else ``gil_pointer``: of the pointer to it in an interpreter.
    ``gc_collecting``: of ``gc.collecting`` in an interpreter (an int: 1 while it collects).
    ``instruction_bytes``: what frame_instruction counts in; 0: it is an address in the code.
    ``text_wide_bytes``: of what is between a str's ``text_data`` and its text if that is not ASCII.
    ``code_tags``: bits of a frame's pointer to its code that are none of the address (3.14 on).
    ``base_frame_end``: a frame below that in a thread state is no function's (3.15).
    ``frame_copy``: which copy of the code's instructions (``code_copies``) a frame runs, in builds
    without a GIL from 3.14 on. ``gil_shift``: from what ``gil_pointer`` leads to on, to what is
    laid out as in other builds. ``gil_enabled``: of an int there, 0 while there is no GIL.
    ``gil_requested``: of a thread state: 1 while it waits for the GIL (3.15).
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
    text_wide_bytes: int
    bytes_data: int
    instruction_bytes: int
    gil_in_runtime: int | None
    gil_pointer: int | None
    gc_collecting: int | None
    text_length: int = 16
    text_state: int = 32
    text_kind_shift: int = 2
    bytes_size: int = 16
    object_type: int = 8
    object_size: int = 16
    type_name: int | None = None
    thread_size: int = 0
    interpreter_size: int = 0
    runtime_size: int = 0
    code_tags: int = 0
    base_frame_end: int = 0
    frame_copy: int | None = None
    code_copies: int = 0
    gil_shift: int = 0
    gil_enabled: int | None = None
    gil_requested: int | None = None


COLLECTING = 200
"""``collecting`` in struct _gc_runtime_state (pycore_gc.h), the same in 3.9 to 3.12."""

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
    text_wide_bytes=24,
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
    text_wide_bytes=24,
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
    text_wide_bytes=16,
    gil_in_runtime=None,
    gil_pointer=384,
    gc_collecting=112 + COLLECTING,
)
TABLES = {(3, 9): _3_9, (3, 10): _3_10, (3, 11): _3_11, (3, 12): _3_12}

_DESCRIBED = {
    "interpreters": "runtime_state.interpreters_head",
    "interpreter_next": "interpreter_state.next",
    "interpreter_threads": "interpreter_state.threads_head",
    "gil_pointer": "interpreter_state.ceval_gil",
    "thread_next": "thread_state.next",
    "thread_ident": "thread_state.thread_id",
    "thread_native": "thread_state.native_thread_id",
    "thread_frame": "thread_state.current_frame",
    "frame_code": "interpreter_frame.executable",
    "frame_previous": "interpreter_frame.previous",
    "frame_instruction": "interpreter_frame.instr_ptr",
    "frame_owner": "interpreter_frame.owner",
    "code_file": "code_object.filename",
    "code_name": "code_object.qualname",
    "code_linetable": "code_object.linetable",
    "code_first_line": "code_object.firstlineno",
    "code_instructions": "code_object.co_code_adaptive",
    "text_length": "unicode_object.length",
    "text_state": "unicode_object.state",
    "text_data": "unicode_object.asciiobject_size",
    "bytes_size": "bytes_object.ob_size",
    "bytes_data": "bytes_object.ob_sval",
    "object_type": "pyobject.ob_type",
    "object_size": "pyobject.size",
    "type_name": "type_object.tp_name",
    "thread_size": "thread_state.size",
    "interpreter_size": "interpreter_state.size",
    "runtime_size": "runtime_state.size",
}
"""Our name: the section and member of ``_Py_DebugOffsets``."""
# What is not described. Five ints before co_firstlineno: struct PyCodeObject, 3.12 on.
_FLAGS_BEFORE_FIRST_LINE = 20
_ENABLED_IN_GIL_T, _GIL_SHIFT_T = 0, 8  # first is "enabled" in a build that can do without a GIL
# Bits of "interned" before "kind": struct PyASCIIObject. A whole byte in 3.14t.
_KIND_SHIFT, _KIND_SHIFT_3_14T = 2, 8
_STACK_REFERENCE_TAGS = 7  # _PyStackRef, pycore_stackref.h
FRAME_BYTES, CODE_BYTES = 112, 256
"""As much of a frame and of a code object is read at once."""
_HIGHEST = {"frame": FRAME_BYTES - 8, "code": CODE_BYTES - 8}
_ALIGNED = {
    "frame_owner": 1,
    "frame_copy": 4,
    "code_first_line": 4,
    "code_flags": 4,
    "gc_collecting": 4,
    "gil_requested": 4,
    "text_state": 4,
}
"""To so many bytes; all others are as wide as an address."""


def described_offsets(described: Described) -> Offsets:
    """What a build says of itself, as far as it is read here. Raises Unreadable where it cannot
    be so."""
    offsets = {name: described[member] for name, member in _DESCRIBED.items()}
    offsets["code_flags"] = offsets["code_first_line"] - _FLAGS_BEFORE_FIRST_LINE
    offsets["gc_collecting"] = described["interpreter_state.gc"] + described["gc.collecting"]
    if "thread_state.base_frame" in described.members:
        offsets["base_frame_end"] = offsets["thread_size"] + described["interpreter_frame.size"]
    if "thread_state.gil_requested" in described.members:
        offsets["gil_requested"] = described["thread_state.gil_requested"]
    if described.free_threaded and "code_object.co_tlbc" in described.members:
        offsets["frame_copy"] = described["interpreter_frame.tlbc_index"]
        offsets["code_copies"] = described["code_object.co_tlbc"]
    for name, offset in offsets.items():
        highest = _HIGHEST.get(name.partition("_")[0], offset)
        if not 0 <= offset <= highest or offset % _ALIGNED.get(name, 8):
            raise Unreadable(f"the interpreter says that {name} is at {offset}")
    tags = _STACK_REFERENCE_TAGS if "interpreter_frame.tlbc_index" in described.members else 0
    found = replace(_3_12, **offsets, thread_cframe=None, code_tags=tags)
    if not described.free_threaded:
        return found
    return replace(
        found,
        text_kind_shift=_KIND_SHIFT_3_14T if found.frame_copy is not None else _KIND_SHIFT,
        gil_shift=_GIL_SHIFT_T,
        gil_enabled=_ENABLED_IN_GIL_T,
    )
