"""The Python stack of a thread that sleeps in a system call, from outside, without stopping it.

The frames of a thread can't change while it sleeps; that it slept all the while is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from iotrace.errors import NoSuchProcess
from iotrace.procfs.files import PROC
from iotrace.procfs.task import Blocked, read_activity
from iotrace.pystack.memory import Memory, Unreadable, read_u64
from iotrace.pystack.offsets import FRAME_BYTES, Offsets
from iotrace.pystack.runtime import Runtime, ThreadState

MAX_DEPTH = 128
OWNER_SHIM = 3
"""FRAME_OWNED_BY_CSTACK: a frame between C and Python, no function's own (3.12, 3.13)."""
_NO_OWNER = 0
_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame before it is given names: the address of its code, the instruction as it has it."""

    code: int
    instruction: int


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a process's memory."""

    start: int
    end: int
    name: str


def read_areas(pid: int, root: str = PROC) -> tuple[Area, ...]:
    """The writable parts of a process's memory. Raises NoSuchProcess."""
    try:
        text = Path(f"{root}/{pid}/maps").read_text(errors="replace")
    except OSError as error:
        raise NoSuchProcess(
            f"There is no process {pid}.", why="It has ended.", paste="pgrep -af python"
        ) from error
    return tuple(
        Area(int(start, 16), int(end, 16), name)
        for start, end, permissions, name in _MAPPING.findall(text)
        if permissions.startswith("rw")
    )


def walk_thread(memory: Memory, offsets: Offsets, state: int) -> tuple[RawFrame, ...]:
    """The frames of a thread state, innermost first, shims left out; what can be read of them."""
    frames: list[RawFrame] = []
    try:
        frame = read_u64(memory, state + offsets.thread_frame)
        if offsets.thread_cframe is not None:
            frame = read_u64(memory, frame + offsets.thread_cframe)
        for _ in range(MAX_DEPTH):
            if not frame:
                break
            raw = memory.read(frame, FRAME_BYTES)
            owner = _NO_OWNER if offsets.frame_owner is None else raw[offsets.frame_owner]
            if owner != OWNER_SHIM:
                frames.append(
                    RawFrame(_word(raw, offsets.frame_code), _word(raw, offsets.frame_instruction))
                )
            frame = _word(raw, offsets.frame_previous)
    except Unreadable:
        pass
    return tuple(frames)


def _word(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little")


def thread_of(
    states: Sequence[ThreadState], tid: int, is_first: bool, sp: int, areas: Iterable[Area]
) -> tuple[ThreadState, ...]:
    """The thread's states (one an interpreter), by where its stack is, or else by its id.

    ``sp``: its stack pointer. Threads that pthread_create(3) made have their pthread_self() at
    the top of the very area that their stack is in; the process's first thread (``is_first``)
    has it elsewhere, and is the oldest. Ids are the last resort: they are stale after some forks,
    and others inside a container.
    """
    area = next((area for area in areas if area.start <= sp < area.end), None)
    if area is not None:
        above = [state.ident for state in states if sp < state.ident < area.end]
        if above:
            return _with_ident(states, min(above))
        if is_first and area.name == "[stack]" and states:
            return _with_ident(states, states[-1].ident)
    return tuple(state for state in states if state.native == tid)


def _with_ident(states: Sequence[ThreadState], ident: int) -> tuple[ThreadState, ...]:
    return tuple(state for state in states if state.ident == ident)


def walk_blocked(
    pid: int, tid: int, runtime: Runtime, memory: Memory, root: str = PROC
) -> tuple[RawFrame, ...]:
    """The Python frames of a thread; () unless it sleeps in one system call all the while.

    Raises what procfs.task.read_activity raises.
    """
    before = read_activity(pid, tid, root)
    if not isinstance(before, Blocked):
        return ()
    states = tuple(runtime.thread_states(memory))
    mine = thread_of(states, tid, tid == pid, before.sp, read_areas(pid, root))
    walks = (walk_thread(memory, runtime.offsets, state.address) for state in mine)
    frames = next((walked for walked in walks if walked), ())
    return frames if read_activity(pid, tid, root) == before else ()
