# SPDX-License-Identifier: Apache-2.0
"""The interpreter in a process: its thread states, its GILs, or why its stacks can't be read."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from iotrace.procfs.files import PROC
from iotrace.procfs.maps import read_maps
from iotrace.procfs.python import PythonBuild
from iotrace.pystack.memory import Memory, Unreadable, read_u64
from iotrace.pystack.offsets import TABLES, Offsets, described_offsets

_VERSION = re.compile(r"(\d+)\.(\d+)(\S*)")
_MUSL = re.compile(r"/(ld-musl-|libc\.musl-)[^/]*$")
MAX_INTERPRETERS = 32
MAX_THREADS = 4096


class NoStacks(Exception):
    """The Python stacks of a process can't be read; the text says why."""


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
    """``_PyRuntime`` at ``address``; ``no_gil``: why GIL waits can't be told, None: they can."""

    address: int
    offsets: Offsets
    no_gil: str | None

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
                found.append(read_u64(memory, interpreter + (self.offsets.gil_pointer or 0)))
            except Unreadable:
                continue
        # Interpreters share the main one's unless they were made to have their own.
        return tuple(dict.fromkeys(gil for gil in reversed(found) if gil))


def find_runtime(pid: int, build: PythonBuild, memory: Memory, root: str = PROC) -> Runtime:
    """The runtime of a CPython that was recognised. Raises NoStacks, with the reason."""
    match = _VERSION.match(build.version)
    if match is None or build.runtime_address is None:
        raise NoStacks(f"Python {build.version} keeps its stacks in another way")
    if platform.machine() != "x86_64":
        raise NoStacks(f"not tried on {platform.machine()}")
    version = int(match[1]), int(match[2])
    if build.free_threaded:
        raise NoStacks(f"Python {build.version} is built without a GIL: not tried")
    musl = any(_MUSL.search(mapping.path) for mapping in read_maps(pid, root))
    if version == (3, 13):
        try:
            offsets = described_offsets(memory, build.runtime_address)
        except Unreadable as error:
            raise NoStacks(f"Python {build.version} does not say where it keeps them") from error
    elif version in TABLES and not musl:
        offsets = TABLES[version]
    else:
        where = " with musl" if musl else ""
        raise NoStacks(f"Python {build.version}{where} was not tried: 3.9 to 3.13 with glibc were")
    no_gil = "musl keeps the lock's word on the waiting thread's stack" if musl else None
    found = Runtime(build.runtime_address, offsets, no_gil)
    return found if _tells_collecting(found, memory) else replace(found, offsets=_no_gc(offsets))


def _tells_collecting(runtime: Runtime, memory: Memory) -> bool:
    """Whether what should be the collector's flag of each interpreter is one."""
    at = runtime.offsets.gc_collecting
    try:
        return at is not None and all(
            int.from_bytes(memory.read(one + at, 4), "little") in (0, 1)
            for one in runtime.interpreters(memory)
        )
    except Unreadable:
        return False


def _no_gc(offsets: Offsets) -> Offsets:
    return replace(offsets, gc_collecting=None)
