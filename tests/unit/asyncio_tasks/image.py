"""Made memory of a process with asyncio tasks, laid out as CPython 3.14 has it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from iotrace.asyncio_tasks.bulk_memory import Piece, read_each
from iotrace.asyncio_tasks.look import TaskLooks
from iotrace.asyncio_tasks.object_layout import Layout, described_layout
from iotrace.asyncio_tasks.objects import Objects
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.described import Described, member_names
from iotrace.pystack.memory import Unreadable
from iotrace.pystack.offsets import TABLES
from iotrace.pystack.runtime import Runtime
from iotrace.pystack.walk import RawFrame

# As Debian's 3.14.10 tells them.
TOLD = {
    "runtime_state.interpreters_head": 808,
    "interpreter_state.next": 7272,
    "interpreter_state.threads_head": 7344,
    "interpreter_state.imports_modules": 7688,
    "thread_state.next": 8,
    "thread_state.thread_id": 152,
    "thread_state.native_thread_id": 160,
    "code_object.firstlineno": 68,
    "interpreter_frame.executable": 0,
    "interpreter_frame.instr_ptr": 56,
    "interpreter_frame.localsplus": 80,
    "interpreter_frame.stackpointer": 64,
    "pyobject.size": 16,
    "pyobject.ob_type": 8,
    "type_object.tp_name": 24,
    "set_object.used": 24,
    "set_object.table": 40,
    "set_object.mask": 32,
    "long_object.ob_digit": 24,
    "unicode_object.state": 32,
    "unicode_object.length": 16,
    "unicode_object.asciiobject_size": 40,
    "gen_object.gi_iframe": 72,
    "gen_object.gi_frame_state": 67,
    "llist_node.prev": 8,
}
ASYNCIO_DEBUG = (168, 136, 96, 108, 109, 128, 152, 225864, 10880, 936, 864, 872, 880)
"""size, name, awaited_by, is_task, awaited_by_is_set, coro, node; interpreter's size and head;
thread's size, running loop, running task, head."""
RUNTIME, INTERPRETER, THREAD = 0x10000, 0x20000, 0x40000
THREAD_ID = 4711
_LOOP, _WAITER, _CORO, _NAME, _NODE = 16, 120, 128, 136, 152
_AWAITING, _CREATED, _EXECUTING = 255, 253, 0


def described(changed: dict[str, int] | None = None) -> Described:
    """What such an interpreter tells of itself."""
    members = dict.fromkeys(member_names((3, 14)), 0) | TOLD | (changed or {})
    return Described((3, 14), False, members)


def layout() -> Layout:
    """Where it has what."""
    return described_layout(described(), struct.pack("<13Q", *ASYNCIO_DEBUG))


class Image:
    """Memory that grows; ``reads`` counts."""

    def __init__(self) -> None:
        self._data = bytearray(1 << 20)
        self._top = 0x80000
        self.reads = 0
        self._types: dict[str, int] = {}
        self.tasks: list[int] = []
        self.word(RUNTIME + 808, INTERPRETER)
        self.word(INTERPRETER + 7344, THREAD)
        self.word(THREAD + 160, THREAD_ID)
        for head in (THREAD + ASYNCIO_DEBUG[12], INTERPRETER + ASYNCIO_DEBUG[8]):
            self.link([head])
        self.word(INTERPRETER + 7688, self._modules())
        self.loop = self.object("_UnixSelectorEventLoop", 32)

    def read(self, address: int, size: int) -> bytes:
        """Exactly ``size`` bytes. Raises Unreadable."""
        self.reads += 1
        assert 0 < size <= 1 << 22
        if address < 0x1000 or address + size > len(self._data):
            raise Unreadable(hex(address))
        return bytes(self._data[address : address + size])

    def read_many(self, pieces: Sequence[Piece]) -> list[bytes | None]:
        """Each piece, or None."""
        return read_each(self, pieces)

    def word(self, address: int, value: int) -> None:
        """Put 8 bytes."""
        struct.pack_into("<Q", self._data, address, value & (1 << 64) - 1)

    def place(self, data: bytes) -> int:
        """Put bytes where there is room."""
        at = self._top
        self._top += -(-len(data) // 16) * 16
        if self._top > len(self._data):
            self._data += bytes(max(1 << 20, self._top - len(self._data)))
        self._data[at : at + len(data)] = data
        return at

    def type(self, name: str, flags: int = 0) -> int:
        """A type object."""
        if name not in self._types:
            raw = bytearray(416)
            struct.pack_into("<Q", raw, 24, self.place(name.encode() + bytes(64)))
            struct.pack_into("<Q", raw, 168, flags)
            self._types[name] = self.place(bytes(raw))
        return self._types[name]

    def object(self, type_name: str, size: int, words: dict[int, int] | None = None) -> int:
        """An object; ``words``: by offset."""
        at = self.place(bytes(size))
        self.word(at, 1)
        self.word(at + 8, self.type(type_name))
        for offset, word in (words or {}).items():
            self.word(at + offset, word)
        return at

    def text(self, value: str) -> int:
        """A str object."""
        kind = 1 if value.isascii() else 4
        data = value.encode("latin-1" if kind == 1 else "utf-32-le")
        state = kind << 2 | 1 << 5 | value.isascii() << 6
        head = struct.pack("<QQQqII", 1, self.type("str", 1 << 28), len(value), -1, state, 0)
        return self.place(head + bytes(0 if kind == 1 else 16) + data + bytes(4))

    def integer(self, value: int) -> int:
        """An int object."""
        return self.place(struct.pack("<QQQII", 1, self.type("int", 1 << 24), 8, value, 0))

    def future(self, type_name: str = "_asyncio.Future") -> int:
        """Something that can be awaited."""
        return self.object(type_name, 168, {_LOOP: self.loop})

    def awaits(self, future: int) -> int:
        """What the stack of a coroutine has that awaits a future."""
        return self.object("_asyncio.FutureIter", 24, {16: future})

    def coroutine(self, code: int, awaited: int, type_name: str = "coroutine") -> int:
        """One that is suspended in an await; ``awaited`` 0: has not begun; -1: runs."""
        at = self.object(type_name, 300)
        state = _AWAITING if awaited > 0 else _CREATED if not awaited else _EXECUTING
        self._data[at + 67] = state
        self.word(at + 72, code)
        self.word(at + 72 + 56, code + 100)
        self.word(at + 72 + 64, at + 72 + 80 + 8)
        self.word(at + 72 + 80, max(awaited, 0))
        return at

    def task(self, name: int, coroutine: int, waiter: int = 0) -> int:
        """A task, which ``link_tasks`` puts into the thread's list."""
        words = {_LOOP: self.loop, _WAITER: waiter, _CORO: coroutine, _NAME: name}
        self.tasks.append(self.object("_asyncio.Task", 168, words))
        return self.tasks[-1]

    def awaited_by(self, task: int, awaiters: Sequence[int]) -> None:
        """By one, or by a set."""
        if len(awaiters) == 1:
            self.word(task + 96, awaiters[0])
            return
        size = 1 << (2 * len(awaiters)).bit_length()
        table = bytearray(16 * size)
        for place, one in enumerate(awaiters):
            struct.pack_into("<Q", table, 32 * place, one)
        words = {24: len(awaiters), 32: size - 1, 40: self.place(bytes(table))}
        self.word(task + 96, self.object("set", 200, words))
        self._data[task + 109] = 1

    def link(self, nodes: Sequence[int]) -> None:
        """A list in a circle; the first is its head."""
        for node, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            self.word(node, following)
            self.word(following + 8, node)

    def link_tasks(self) -> None:
        """All tasks into the thread's list."""
        self.link([THREAD + ASYNCIO_DEBUG[12], *(task + _NODE for task in self.tasks)])

    def looks(self) -> TaskLooks:
        """What looks at it. Code objects have the name of their address."""
        offsets = replace(
            TABLES[3, 12],
            interpreters=808,
            interpreter_next=7272,
            interpreter_threads=7344,
            thread_next=8,
            thread_ident=152,
            thread_native=160,
        )

        def named(frames: Sequence[RawFrame]) -> list[Frame]:
            return [Frame(f"f{one.code:x}", "/srv/app.py", one.code, True) for one in frames]

        runtime = Runtime(RUNTIME, offsets, None)
        return TaskLooks("3.14.0", runtime, Objects(self, layout()), named)

    def _modules(self) -> int:
        """sys.modules with asyncio.tasks in it."""
        module = self.object("module", 64, {16: self.object("dict", 48)})
        entry = struct.pack("<QQ", self.text("asyncio.tasks"), module)
        keys = struct.pack("<QBBBBIQQ", 1, 3, 3, 1, 0, 0, 5, 1) + bytes(8) + entry
        return self.object("dict", 48, {32: self.place(keys)})
