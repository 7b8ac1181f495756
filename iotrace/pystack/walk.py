# SPDX-License-Identifier: Apache-2.0
"""The Python stack of a thread that sleeps in a system call, from outside, without stopping it.

The frames of a thread can't change while it sleeps; that it slept all the while is checked.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_process_lines, text_of
from iotrace.procfs.task import Blocked, read_activity
from iotrace.pystack.locks import lock_at
from iotrace.pystack.memory import Memory, Unreadable, read_u64
from iotrace.pystack.offsets import FRAME_BYTES, Offsets
from iotrace.pystack.runtime import Runtime, ThreadState

MAX_DEPTH = 128
OWNERS_SHIM = (3, 4)
"""FRAME_OWNED_BY_CSTACK (3.12, 3.13, and 4 in 3.14), FRAME_OWNED_BY_INTERPRETER (3.14 on): a frame
between C and Python, no function's own."""
_ENTRIES = 8
"""In struct _PyCodeArray, pycore_code.h: the copies of a code object's instructions."""
_NO_OWNER = 0
_PARKED_BYTES = 8
_PATH_BYTES = 192
_PAGE_BYTES = 4096
HASHED_DEPTH = 32
"""The probes walk so deep (MAX_DEPTH)."""
_HASH_START = 0xCBF29CE484222325
_WRITABLE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ \S+ *(\[stack\]$)?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame before it is given names: the address of its code, the instruction as it has it."""

    code: int
    instruction: int


SHIM = RawFrame(0, 0)


@dataclass(frozen=True, slots=True)
class Sleeper:
    """A thread that sleeps in a system call: its frames, and what the call sleeps on.

    ``address``: the call's first argument. From Python 3.13 on locks sleep on a semaphore on the
    sleeper's own stack, behind the address of the lock (Python/parking_lot.c, struct wait_entry):
    it is that of the lock then. ``word``: the eight bytes at the first argument, 0: unreadable.
    ``second`` and ``fourth``: these arguments. ``lock``: what lies at the address of the lock, in
    words.
    ``path``: that of a call which takes one, cut where it is long; "": not known.
    """

    frames: tuple[RawFrame, ...] = ()
    address: int = 0
    word: int = 0
    second: int = 0
    lock: str = ""
    fourth: int = 0
    path: str = ""


def stack_hash(pid: int, frames: Sequence[RawFrame]) -> int:
    """The number that the probes give this stack of this process (walk, probes/python_stack.c)."""
    hashed = _mixed(_HASH_START, pid)
    for place in range(HASHED_DEPTH):
        frame = frames[place] if place < len(frames) else SHIM
        hashed = _mixed(_mixed(hashed, frame.code), frame.instruction)
    return hashed


def _mixed(hashed: int, word: int) -> int:
    hashed = ((hashed ^ word) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    return hashed ^ (hashed >> 29)


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a process's memory; ``first_stack``: its first thread's stack is in it."""

    start: int
    end: int
    first_stack: bool = False


def read_areas(pid: int, root: str = PROC) -> tuple[Area, ...]:
    """The writable parts of a process's memory, by address.

    Raises NoSuchProcess, PermissionDenied, TooLarge.
    """
    return tuple(
        Area(int(start, 16), int(end, 16), bool(stack))
        for lines in read_process_lines(pid, "maps", root)
        for start, end, stack in _WRITABLE.findall(lines)
    )


def area_at(areas: Sequence[Area], address: int) -> Area | None:
    """The one of ``areas``, which are in the order of addresses, that holds an address."""
    place = bisect_right(areas, address, key=lambda area: area.start) - 1
    return areas[place] if place >= 0 and address < areas[place].end else None


def walk_thread(memory: Memory, offsets: Offsets, state: int) -> tuple[RawFrame, ...]:
    """The frames of a thread state, innermost first; what can be read of them.

    Shims, which are no function's own, are there as ``SHIM``.
    """
    frames: list[RawFrame] = []
    try:
        frame = read_u64(memory, state + offsets.thread_frame)
        if offsets.thread_cframe is not None:
            frame = read_u64(memory, frame + offsets.thread_cframe)
        for _ in range(MAX_DEPTH):
            if not frame or 0 <= frame - state < offsets.base_frame_end:
                break
            raw = memory.read(frame, FRAME_BYTES)
            owner = _NO_OWNER if offsets.frame_owner is None else raw[offsets.frame_owner]
            instruction = _word(raw, offsets.frame_instruction)
            if offsets.instruction_bytes:
                instruction &= 0xFFFFFFFF
            code = _word(raw, offsets.frame_code) & ~offsets.code_tags
            if owner in OWNERS_SHIM:
                frames.append(SHIM)
            else:
                instruction += _to_original(memory, offsets, code, raw)
                frames.append(RawFrame(code, instruction))
            frame = _word(raw, offsets.frame_previous)
    except Unreadable:
        pass
    return tuple(frames)


def _to_original(memory: Memory, offsets: Offsets, code: int, frame: bytes) -> int:
    """From the copy of the instructions that a frame runs to those of its code object.

    Without a GIL each thread has copies of its own, from 3.14 on.
    """
    at = offsets.frame_copy
    copy = 0 if at is None else int.from_bytes(frame[at : at + 4], "little")
    if not copy:
        return 0
    copies = read_u64(memory, code + offsets.code_copies)
    start = read_u64(memory, copies + _ENTRIES + 8 * copy)
    return code + offsets.code_instructions - start


def _word(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little")


def thread_of(
    states: Sequence[ThreadState], tid: int, is_first: bool, sp: int, areas: Sequence[Area]
) -> tuple[ThreadState, ...]:
    """The thread's states (one an interpreter), by where its stack is, or else by its id.

    ``sp``: its stack pointer. Threads that pthread_create(3) made have their pthread_self() at
    the top of the very area that their stack is in; the process's first thread (``is_first``)
    has it elsewhere, and is the oldest. Ids are the last resort: they are stale after some forks,
    and others inside a container.
    """
    area = area_at(areas, sp)
    if area is not None:
        above = [state.ident for state in states if sp < state.ident < area.end]
        if above:
            return _with_ident(states, min(above))
        if is_first and area.first_stack and states:
            return _with_ident(states, states[-1].ident)
    return tuple(state for state in states if state.native == tid)


def running_on(
    memory: Memory, offsets: Offsets, states: Sequence[ThreadState], sp: int, top: int
) -> tuple[ThreadState, ...]:
    """The state that a thread runs in, by its C stack (``sp`` to ``top`` at most); () if none.

    In 3.11 and 3.12 a state leads to its frames by way of the stack of the thread that runs in
    it: of several, the innermost is the thread's. A subinterpreter's state may bear the id of the
    thread that made it, which need not be the one that runs in it.
    """
    top = min([top, *(state.ident for state in states if state.ident > sp)])
    found: list[tuple[int, ThreadState]] = []
    for state in states:
        try:
            place = read_u64(memory, state.address + offsets.thread_frame)
        except Unreadable:
            continue
        if sp < place < top:
            found.append((place, state))
    return (min(found, key=lambda one: one[0])[1],) if found else ()


def _with_ident(states: Sequence[ThreadState], ident: int) -> tuple[ThreadState, ...]:
    return tuple(state for state in states if state.ident == ident)


class Walker:
    """Walks the sleeping threads of one process as it is now; for one look, not to be kept."""

    def __init__(self, pid: int, runtime: Runtime, memory: Memory, root: str = PROC) -> None:
        """Raises as ``read_areas``."""
        self._pid = pid
        self._runtime = runtime
        self._offsets = runtime.offsets
        self._memory = memory
        self._root = root
        self._areas = read_areas(pid, root)
        self._states = tuple(runtime.thread_states(memory))
        self._has_subinterpreters = len({one.interpreter for one in self._states}) > 1

    def walk(self, tid: int, number: int | None = None, path_at: int = -1) -> Sleeper:
        """A thread that sleeps in one system call all the while; nothing of any other.

        ``number``: of the only call that it may sleep in. ``path_at``: which argument of that
        is a path, -1: none. Raises what procfs.task.read_activity raises.
        """
        before = read_activity(self._pid, tid, self._root)
        if not isinstance(before, Blocked) or number not in (None, before.number):
            return Sleeper()
        mine = self._states_of(tid, before.sp)
        walks = (walk_thread(self._memory, self._offsets, state.address) for state in mine)
        frames = next((walked for walked in walks if walked), ())
        first, second, _, fourth = before.args[:4]
        area = area_at(self._areas, before.sp)
        on_stack = area is not None and before.sp < first < area.end
        lock = self._word_at(first - _PARKED_BYTES) if on_stack else 0
        told, word = self._told(lock), self._word_at(first)
        path = self._text_at(before.args[path_at]) if path_at >= 0 else ""
        found = Sleeper(frames, lock or first, word, second, told, fourth, path)
        return found if read_activity(self._pid, tid, self._root) == before else Sleeper()

    def _told(self, lock: int) -> str:
        return lock_at(self._memory, self._runtime, self._states, lock) if lock else ""

    def _word_at(self, address: int) -> int:
        try:
            return read_u64(self._memory, address)
        except Unreadable:
            return 0

    def _text_at(self, address: int) -> str:
        """Up to its 0; the page behind may not be there, and is not needed for most."""
        text = b""
        for size in (min(_PATH_BYTES, _PAGE_BYTES - address % _PAGE_BYTES), _PATH_BYTES):
            try:
                text += self._memory.read(address + len(text), size - len(text))
            except Unreadable:
                break
            if b"\0" in text or len(text) == _PATH_BYTES:
                break
        return text_of(text.partition(b"\0")[0])

    def _states_of(self, tid: int, sp: int) -> tuple[ThreadState, ...]:
        if self._offsets.thread_cframe is not None and self._has_subinterpreters:
            area = area_at(self._areas, sp)
            top = area.end if area else 0
            return running_on(self._memory, self._offsets, self._states, sp, top)
        return thread_of(self._states, tid, tid == self._pid, sp, self._areas)
