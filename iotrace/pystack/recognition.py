# SPDX-License-Identifier: Apache-2.0
"""From a CPython in a process to its runtime, or why its stacks can't be read."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from dataclasses import replace

from iotrace.errors import NoSuchProcess
from iotrace.procfs.files import PROC
from iotrace.procfs.maps import read_maps
from iotrace.procfs.python import PythonBuild
from iotrace.procfs.status import read_status
from iotrace.procfs.task import read_tids
from iotrace.pystack.described import SECTIONS, read_described
from iotrace.pystack.live_check import (
    Live,
    Mismatch,
    NothingToSee,
    check_gil,
    check_sizes,
    check_stacks,
)
from iotrace.pystack.memory import Memory, Unreadable
from iotrace.pystack.offsets import TABLES, Offsets, described_offsets
from iotrace.pystack.runtime import Runtime

_VERSION = re.compile(r"(\d+)\.(\d+)(\S*)")
_MUSL = re.compile(r"/(ld-musl-|libc\.musl-)[^/]*$")
_FIRST_DESCRIBED = min(SECTIONS)
_TRIED_ON = {"aarch64": ((3, 11),)}
"""Machine type -> versions, beside x86-64: docs/kernels.md."""
_LOOKS = 12
_NATIVE_IDS = 4096


class NoStacks(Exception):
    """The Python stacks of a process can't be read; the text says why."""


class TooEarly(NoStacks):
    """They can't be read yet: the process has just begun."""


def find_runtime(pid: int, build: PythonBuild, memory: Memory, root: str = PROC) -> Runtime:
    """The runtime of a CPython that was recognised. Raises NoStacks, with the reason."""
    match = _VERSION.match(build.version)
    if match is None or build.runtime_address is None:
        raise NoStacks(f"Python {build.version} keeps its stacks in another way")
    version = int(match[1]), int(match[2])
    machine = platform.machine()
    if machine != "x86_64" and version not in _TRIED_ON.get(machine, ()):
        raise NoStacks(f"Python {build.version} was not tried on {machine}")
    musl = any(_MUSL.search(mapping.path) for mapping in read_maps(pid, root))
    if version >= _FIRST_DESCRIBED:
        found = _described(pid, build, version, memory, root)
    elif version in TABLES and not musl:
        found = Runtime(build.runtime_address, TABLES[version], None)
    else:
        where = " with musl" if musl else ""
        raise NoStacks(
            f"Python {build.version}{where} was not tried: 3.9 to 3.12 with glibc were, and 3.13 on"
        )
    found = replace(found, code_type=build.code_type)
    if musl and found.offsets.gil_requested is not None:
        found = replace(found, gil_by_request=True)
    elif musl:
        reason = "musl keeps the lock's word on the waiting thread's stack"
        found = replace(found, no_gil=reason)
    if _tells_collecting(found, memory):
        return found
    return replace(found, offsets=replace(found.offsets, gc_collecting=None))


def _described(
    pid: int, build: PythonBuild, version: tuple[int, int], memory: Memory, root: str
) -> Runtime:
    """By what the build says of itself, read as its own version says it or else as another does:
    whichever is true of the process."""
    reasons = []
    early = False
    for layout in sorted(SECTIONS, key=lambda one: (one != version, -one[0], -one[1])):
        own = layout == version
        try:
            offsets = _offsets_by(layout, own, pid, build, memory, root)
        except NothingToSee:
            early = True
            continue
        except (Mismatch, Unreadable) as error:
            reasons.append(str(error))
            continue
        runtime = Runtime(build.runtime_address or 0, offsets, None)
        return runtime if own else _read_as(layout, runtime, memory)
    if early:
        raise TooEarly(f"no thread of Python {build.version} has run Python code")
    raise NoStacks(f"Python {build.version} does not say where it keeps them: {reasons[0]}")


def _offsets_by(
    layout: tuple[int, int], own: bool, pid: int, build: PythonBuild, memory: Memory, root: str
) -> Offsets:
    """Raises NothingToSee, Mismatch, Unreadable. The list of its ``own`` version needs no more
    than not to be refuted."""
    if not own and (build.code_type is None or build.text_type is None):
        raise Mismatch("its file does not tell where its types are")
    described = read_described(memory, build.runtime_address or 0, layout)
    check_sizes(described)
    offsets = described_offsets(described)
    error: Exception = NothingToSee()
    for _ in range(_LOOKS):
        # Threads come and go: each look is at those of its own moment. After a fork behind
        # Python's back, their ids are their parent's.
        live = Live(build.code_type, build.text_type, None if own else _native_ids(pid, root))
        try:
            check_stacks(memory, build.runtime_address or 0, described, offsets, live)
        except NothingToSee as nothing:
            error = nothing
            if own:
                break
        except Mismatch as mismatch:
            error = mismatch
        else:
            return offsets
    if own and isinstance(error, NothingToSee):
        return offsets
    raise error


def _native_ids(pid: int, root: str) -> frozenset[int] | None:
    """The threads of a process as they see themselves; None: there are too many."""
    tids = read_tids(pid, root)
    if len(tids) > _NATIVE_IDS:
        return None
    if len(read_status(pid, root=root).namespaced_ids) == 1:
        return frozenset(tids)
    found = set()
    for tid in tids:
        with suppress(NoSuchProcess):
            found.add(read_status(pid, tid, root).namespaced_ids[-1])
    return frozenset(found)


def _read_as(layout: tuple[int, int], runtime: Runtime, memory: Memory) -> Runtime:
    """A build of another version, of which also the GIL is where it says."""
    runtime = replace(runtime, read_as=f"{layout[0]}.{layout[1]}")
    why = ""
    for _ in range(_LOOKS):
        states = {state.address for state in runtime.thread_states(memory)}
        try:
            for gil in runtime.gils(memory):
                check_gil(memory, gil, states)
        except Mismatch as mismatch:
            why = str(mismatch)
        else:
            return runtime
    return replace(runtime, no_gil=why)


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
