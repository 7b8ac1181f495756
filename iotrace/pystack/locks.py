# SPDX-License-Identifier: Apache-2.0
"""What lies at the address that a thread is parked on: Python/parking_lot.c, from 3.13 on."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.pystack.memory import Memory, Unreadable, read_u64
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.runtime import Runtime, ThreadState

STOPPED = "stopped by another thread (garbage collection, fork)"
STOPS = "stops all other threads (garbage collection, fork)"
_OBJECT_MUTEX = 10  # ob_mutex in struct _object of a build without a GIL
_NAME_LENGTHS = (64, 16)
_METATYPES = 3


def lock_at(memory: Memory, runtime: Runtime, states: Iterable[ThreadState], address: int) -> str:
    """In words, what a thread waits for that is parked on this address; "": that is not known."""
    offsets = runtime.offsets
    free_threaded = offsets.gil_enabled is not None
    if free_threaded and any(_within(address, one.address, offsets.thread_size) for one in states):
        return STOPPED
    interpreters = [(one, offsets.interpreter_size) for one in runtime.interpreters(memory)]
    for start, size in (*interpreters, (runtime.address, offsets.runtime_size)):
        if _within(address, start, size):
            return STOPS if free_threaded else "a lock of the interpreter itself"
    owner = _type_name(memory, offsets, address - _OBJECT_MUTEX) if free_threaded else ""
    if owner:
        return f"the own lock of a {owner}"
    inside = _type_name(memory, offsets, address - offsets.object_size)
    return f"a {inside}" if inside else ""


def _within(address: int, start: int, size: int) -> bool:
    return start <= address < start + size


def _type_name(memory: Memory, offsets: Offsets, address: int) -> str:
    """Of the object at an address, "": there is none."""
    if offsets.type_name is None:
        return ""
    try:
        of = read_u64(memory, address + offsets.object_type)
        kind = of
        # Every type's type is a type, in the end "type", which is its own.
        for _ in range(_METATYPES):
            kind = read_u64(memory, kind + offsets.object_type)
        if read_u64(memory, kind + offsets.object_type) != kind:
            return ""
        return _name(memory, read_u64(memory, of + offsets.type_name))
    except Unreadable:
        return ""


def _name(memory: Memory, address: int) -> str:
    for length in _NAME_LENGTHS:
        try:
            raw = memory.read(address, length).partition(b"\0")[0]
        except Unreadable:
            continue
        name = raw.decode("ascii", "replace")
        return name if all(part.isidentifier() for part in name.split(".")) else ""
    return ""
