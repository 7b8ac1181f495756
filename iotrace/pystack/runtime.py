# SPDX-License-Identifier: Apache-2.0
"""The interpreter in a process: its thread states and its GILs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.pystack.memory import Memory, Unreadable, read_u32, read_u64
from iotrace.pystack.offsets import Offsets

MAX_INTERPRETERS = 32
MAX_THREADS = 4096


@dataclass(frozen=True, slots=True)
class ThreadState:
    """One thread in one interpreter; ``ident``: pthread_self() of the thread, its native id None
    before 3.11."""

    interpreter: int
    address: int
    ident: int
    native: int | None


@dataclass(frozen=True, slots=True)
class Runtime:
    """``_PyRuntime`` at ``address``; ``no_gil``: why GIL waits can't be told, None: they can.

    ``read_as``: the version whose structures it was found to have, if that is not its own.
    ``gil_by_request``: GIL waits are told by the thread states, not by the futex.
    ``code_type``: the address of the type of code objects, None: the file does not tell.
    """

    address: int
    offsets: Offsets
    no_gil: str | None
    read_as: str | None = None
    code_type: int | None = None
    gil_by_request: bool = False

    def interpreters(self, memory: Memory) -> Iterator[int]:
        """The newest first; ends early where memory can't be read."""
        try:
            one = read_u64(memory, self.address + self.offsets.interpreters)
            for _ in range(MAX_INTERPRETERS):
                if not one:
                    return
                yield one
                one = read_u64(memory, one + self.offsets.interpreter_next)
        except Unreadable:
            return

    def thread_states(self, memory: Memory) -> Iterator[ThreadState]:
        """Of every interpreter, the newest first; ends early where memory can't be read."""
        o, left = self.offsets, MAX_THREADS
        for interpreter in self.interpreters(memory):
            try:
                state = read_u64(memory, interpreter + o.interpreter_threads)
                while state and left:
                    left -= 1
                    native = o.thread_native
                    yield ThreadState(
                        interpreter=interpreter,
                        address=state,
                        ident=read_u64(memory, state + o.thread_ident),
                        native=None if native is None else read_u64(memory, state + native),
                    )
                    state = read_u64(memory, state + o.thread_next)
            except Unreadable:
                continue

    def gils(self, memory: Memory) -> tuple[int, ...]:
        """Addresses of all GILs, the main interpreter's first; () where they can't be told."""
        if self.no_gil is not None:
            return ()
        if self.offsets.gil_in_runtime is not None:
            return (self.address + self.offsets.gil_in_runtime,)
        found = []
        for interpreter in self.interpreters(memory):
            try:
                found.append(self._gil(memory, interpreter))
            except Unreadable:
                continue
        # Interpreters share the main one's unless they were made to have their own.
        return tuple(dict.fromkeys(gil for gil in reversed(found) if gil))

    def _gil(self, memory: Memory, interpreter: int) -> int:
        """Of one interpreter; 0: it has none."""
        gil = read_u64(memory, interpreter + (self.offsets.gil_pointer or 0))
        enabled = self.offsets.gil_enabled
        if gil and enabled is not None and not read_u32(memory, gil + enabled):
            return 0
        return gil + self.offsets.gil_shift if gil else 0
