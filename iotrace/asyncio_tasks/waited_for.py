# SPDX-License-Identifier: Apache-2.0
"""What lies at the end of an await chain: the descriptor of a transport or a socket, or a timer."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeAlias

from iotrace.asyncio_tasks.bulk_memory import Piece
from iotrace.asyncio_tasks.frames import SuspendedFrame
from iotrace.asyncio_tasks.instances import Instances
from iotrace.asyncio_tasks.objects import Objects, word_at
from iotrace.asyncio_tasks.task_look import Place, Timer, WaitedDescriptor
from iotrace.pystack.memory import Unreadable, read_u64

_INNERMOST = 3
"""Frames of a chain that are looked at, from its end on."""
_TRANSPORTS = ("_transport", "transport")
_DESCRIPTORS = ("_sock_fd", "_fileno")
_SSL = "_ssl_protocol"
_SOCKET_WAITS = ("sock_recv", "sock_send", "sock_accept", "sock_connect")
_SELECTOR_EVENTS = "asyncio/selector_events.py"
_SOCKET_TYPE = "_socket.socket"
_MOST_FD = 1 << 30
# uvloop: a handle's first member is the transport itself (uv_handle_t.data): so it is recognised.
_UVLOOP = "uvloop.loop."
_UVLOOP_WORDS = 16
_UV_TYPE, _UV_STREAM_FD = 16, 184  # uv_handle_t.type, uv_stream_t.io_watcher.fd: uv.h, 1.x
_UV_STREAMS = (7, 12, 14)  # UV_NAMED_PIPE, UV_TCP, UV_TTY
_SLEEP, _TASKS = "sleep", "asyncio/tasks.py"
_SLEEP_LOCALS = 8
_TIMER = "TimerHandle"
_TIMER_WORDS = 16
_LONGEST_S = 1e9
_MOST_KNOWN = 1 << 16


Evidence: TypeAlias = "tuple[tuple[Piece, ...], tuple[int, ...]]"
"""Pieces of memory, and a hash of each as it was."""


class EndOfChain:
    """Looks at the variables of the innermost frames of a chain."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._memory = objects.memory
        self._instances = Instances(objects)
        self._known: dict[int, int | None] = {}
        """Object -> its descriptor: many tasks may wait for the same."""

    def descriptor(
        self, frames: Sequence[SuspendedFrame], places: Sequence[Place]
    ) -> WaitedDescriptor | None:
        """Of the innermost function whose first argument has a transport, or of loop.sock_*."""
        for frame, place in zip(frames[::-1][:_INNERMOST], places[::-1], strict=False):
            try:
                fd = self._of_frame(frame, place)
            except (Unreadable, struct.error):
                continue
            if fd is not None:
                return WaitedDescriptor(fd, place.function)
        return None

    def timer(
        self, frames: Sequence[SuspendedFrame], places: Sequence[Place]
    ) -> tuple[Timer, Evidence] | None:
        """Of asyncio.sleep(), by asyncio's own loops; None: it is not that. A sleep that follows
        may have its objects at the same addresses, so the time itself tells one from the other.
        """
        if not places or not _is(places[-1], _SLEEP, _TASKS):
            return None
        try:
            raw = self._memory.read(frames[-1].locals_at, 8 * _SLEEP_LOCALS)
            variables = [self._untagged(word_at(raw, at)) for at in range(0, len(raw), 8)]
            types = self._objects.types_of(variables)
            handle = next(
                one for one, type_ in zip(variables, types, strict=True) if type_.name == _TIMER
            )
            delay_s = self._seconds(variables[0])
            when_s, evidence = self._when(handle)
        except (Unreadable, StopIteration):
            return None
        if not (0 <= delay_s <= _LONGEST_S and 0 <= when_s <= _LONGEST_S):
            return None
        return Timer(round((when_s - delay_s) * 1e9), round(when_s * 1e9)), evidence

    def _of_frame(self, frame: SuspendedFrame, place: Place) -> int | None:
        if place.file.endswith(_SELECTOR_EVENTS):
            name = place.function.rpartition(".")[2]
            if name.startswith(_SOCKET_WAITS):
                return self._of_socket(self._second(frame))
        first = frame.first
        if not first:
            return None
        if first not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[first] = None  # if it cannot be read
            self._known[first] = self._of_owner(self._inside_cell(first))
        return self._known[first]

    def _of_owner(self, owner: int) -> int | None:
        """Of an object that has a transport."""
        for name in _TRANSPORTS:
            transport = self._instances.attribute(owner, name)
            if transport:
                return self._of_transport(transport)
        return None

    def _of_transport(self, transport: int) -> int | None:
        type_ = self._objects.type_of(transport)
        if type_.name.startswith(_UVLOOP):
            return self._of_uvloop(transport)
        for name in _DESCRIPTORS:
            number = self._instances.attribute(transport, name)
            if number:
                fd = self._objects.integer(number)
                return fd if fd < _MOST_FD else None
        ssl = self._instances.attribute(transport, _SSL)
        inner = self._instances.attribute(ssl, _TRANSPORTS[0]) if ssl else 0
        if not inner or inner == transport:
            return None
        number = self._instances.attribute(inner, _DESCRIPTORS[0])
        return self._objects.integer(number) if number else None

    def _of_uvloop(self, transport: int) -> int | None:
        first = self._objects.layout.offsets.object_size
        raw = self._memory.read(transport + first, 8 * _UVLOOP_WORDS)
        pointers = [word_at(raw, at) for at in range(0, len(raw), 8)]
        heads = self._memory.read_many([(one, _UV_STREAM_FD + 4) for one in pointers])
        for head in heads:
            if head is None or word_at(head, 0) != transport:
                continue
            kind = int.from_bytes(head[_UV_TYPE : _UV_TYPE + 4], "little")
            fd = int.from_bytes(head[_UV_STREAM_FD : _UV_STREAM_FD + 4], "little", signed=True)
            if kind in _UV_STREAMS and 0 <= fd < _MOST_FD:
                return fd
        return None

    def _of_socket(self, address: int) -> int | None:
        type_ = self._objects.type_of(address)
        if not address or not self._objects.is_a(type_, _SOCKET_TYPE):
            return None
        raw = self._memory.read(address + self._objects.layout.offsets.object_size, 4)
        fd = int.from_bytes(raw, "little", signed=True)
        return fd if 0 <= fd < _MOST_FD else None

    def _second(self, frame: SuspendedFrame) -> int:
        """The second variable of a frame."""
        return self._inside_cell(self._untagged(read_u64(self._memory, frame.locals_at + 8)))

    def _inside_cell(self, variable: int) -> int:
        """A variable that closures share is in a cell."""
        if variable and self._objects.type_of(variable).name == "cell":
            return read_u64(self._memory, variable + self._objects.layout.offsets.object_size)
        return variable

    def _untagged(self, word: int) -> int:
        return word & ~self._objects.layout.offsets.code_tags

    def _seconds(self, number: int) -> float:
        type_ = self._objects.type_of(number)
        if type_.is_int:
            return float(self._objects.integer(number))
        if type_.name != "float":
            raise Unreadable(f"no number at {number:#x}")
        return self._float(number)

    def _when(self, handle: int) -> tuple[float, Evidence]:
        """A TimerHandle has one float: TimerHandle._when. And the memory that says so."""
        first = self._objects.layout.offsets.object_size
        size = min(self._objects.type_of(handle).basicsize - first, 8 * _TIMER_WORDS)
        raw = self._memory.read(handle + first, max(size, 8))
        words = [word_at(raw, at) for at in range(0, len(raw) - 7, 8)]
        types = self._objects.types_of(words)
        floats = [one for one, type_ in zip(words, types, strict=True) if type_.name == "float"]
        if len(floats) != 1:
            raise Unreadable("not one time in a timer")
        value = self._memory.read(floats[0] + first, 8)
        pieces = (handle + first, len(raw)), (floats[0] + first, 8)
        return float(struct.unpack("<d", value)[0]), (pieces, (hash(raw), hash(value)))

    def _float(self, address: int) -> float:
        raw = self._memory.read(address + self._objects.layout.offsets.object_size, 8)
        return float(struct.unpack("<d", raw)[0])


def _is(place: Place, function: str, file: str) -> bool:
    return place.function.rpartition(".")[2] == function and place.file.endswith(file)
