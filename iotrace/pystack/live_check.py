# SPDX-License-Identifier: Apache-2.0
"""Whether what an interpreter says of its structures is true: by what lies there in the process.

The members of ``_Py_DebugOffsets`` have no names in it, and each minor version adds some in the
middle. So a list of members, the version's own or another's, counts only if the threads, frames
and code objects that it leads to are what they must be. The process goes on meanwhile: a look
that finds something half changed says nothing, and is repeated by whoever asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from iotrace.pystack.code_objects import read_code
from iotrace.pystack.described import Described
from iotrace.pystack.gil import GIL_HOLDER, GIL_LOCKED
from iotrace.pystack.memory import Memory, Unreadable, read_u32, read_u64
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.walk import RawFrame, walk_thread

_STATES, _FRAMES = 64, 12
_RIGHT_FOR_ONE_WRONG = 8
"""Frames of a thread that runs may be gone when they are read, but not many of them."""
_SECTIONS = ("thread_state", "interpreter_frame", "code_object", "pyobject", "bytes_object")
_BEFORE_FIRST_INSTRUCTION, _LONGEST_CODE = -2, 1 << 22
_HIGHEST_FLAG = 1 << 30
_HIGHEST_LINE = 1 << 24


class Mismatch(Exception):
    """Something is not what it must be; the text says what."""


class NothingToSee(Exception):
    """No thread runs Python code yet."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of a process without its interpreter's help; None: it cannot be told.

    ``code_type``, ``text_type``: see PythonBuild. ``native_ids``: of its threads, as they see
    them themselves.
    """

    code_type: int | None
    text_type: int | None
    native_ids: Collection[int] | None


def check_sizes(described: Described) -> None:
    """Each member is within its struct. Raises Mismatch."""
    for member, offset in described.members.items():
        section, _, name = member.partition(".")
        if section in _SECTIONS and name != "size" and offset >= described[f"{section}.size"]:
            raise Mismatch(f"{member} would be beyond the end of its struct")


def check_stacks(
    memory: Memory, runtime: int, described: Described, offsets: Offsets, live: Live
) -> None:
    """Thread states, frames and code objects, in one look. Raises Mismatch, NothingToSee."""
    right, wrong, why = 0, 0, ""
    try:
        for state in _states(memory, runtime, described, offsets, live.native_ids):
            for frame in walk_thread(memory, offsets, state)[:_FRAMES]:
                if not frame.code:
                    continue
                try:
                    _check_code(memory, offsets, live, frame)
                    right += 1
                except (Mismatch, Unreadable, ValueError) as error:
                    wrong, why = wrong + 1, str(error)
    except Unreadable as error:
        raise Mismatch(f"a thread state cannot be read: {error}") from error
    if wrong * _RIGHT_FOR_ONE_WRONG > right:
        raise Mismatch(why)
    if not right:
        raise NothingToSee


def check_gil(memory: Memory, gil: int, states: Collection[int]) -> None:
    """What should be a GIL: nobody has it, or one of the thread states. Raises Mismatch."""
    try:
        locked = read_u32(memory, gil + GIL_LOCKED)
        holder = read_u64(memory, gil + GIL_HOLDER)
    except Unreadable as error:
        raise Mismatch(f"its GIL cannot be read: {error}") from error
    if locked not in (0, 1, 0xFFFFFFFF) or (holder and holder not in states):
        raise Mismatch("its GIL is held by no thread")


def _states(
    memory: Memory,
    runtime: int,
    described: Described,
    offsets: Offsets,
    native_ids: Collection[int] | None,
) -> Iterator[int]:
    """The newest thread states of the newest interpreter."""
    interpreter = read_u64(memory, runtime + offsets.interpreters)
    state = read_u64(memory, interpreter + offsets.interpreter_threads) if interpreter else 0
    for _ in range(_STATES):
        if not state:
            return
        if read_u64(memory, state + described["thread_state.interp"]) != interpreter:
            raise Mismatch("a thread state is of another interpreter")
        native = read_u64(memory, state + described["thread_state.native_thread_id"])
        if native_ids is not None and native not in native_ids:
            raise Mismatch("a thread state is of no thread")
        yield state
        state = read_u64(memory, state + offsets.thread_next)


def _check_code(memory: Memory, offsets: Offsets, live: Live, frame: RawFrame) -> None:
    """Raises Mismatch, Unreadable, ValueError."""
    if live.code_type and read_u64(memory, frame.code + offsets.object_type) != live.code_type:
        raise Mismatch("a frame has no code object")
    name = read_u64(memory, frame.code + offsets.code_name)
    if live.text_type and read_u64(memory, name + offsets.object_type) != live.text_type:
        raise Mismatch("the name of a code object is no str")
    code = read_code(memory, offsets, frame.code)
    if not code.function.isprintable() or not code.file:
        raise Mismatch("a code object has no name")
    if code.first_line > _HIGHEST_LINE or code.flags >= _HIGHEST_FLAG:
        raise Mismatch("a code object has no first line")
    place = frame.instruction - frame.code - offsets.code_instructions
    if not _BEFORE_FIRST_INSTRUCTION <= place < _LONGEST_CODE:
        raise Mismatch("an instruction is outside of its code object")
