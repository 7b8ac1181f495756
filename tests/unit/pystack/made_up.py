"""The memory of a Python process that never was, laid out as one of the known versions is."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from iotrace.procfs.python import PythonBuild
from iotrace.pystack.described import SECTIONS
from iotrace.pystack.memory import Unreadable

PID, TIDS = 700, (700, 701)
FUNCTION, FILE, FIRST_LINE = "Server.serve", "/srv/app.py", 40
_HEAP, _HEAP_BYTES = 0x10000, 1 << 16
_SHIM, _OWN = 3, 0
_MASKED_TAG = 1
# One instruction a line, each a line further: kind 11 (ONE_LINE1), PEP 626.
_LINE_TABLE = bytes([0x80 | 11 << 3, 1, 2]) * 8
_AT = {
    "pyobject.ob_type": 8,
    "runtime_state.interpreters_head": 2048,
    "code_object.firstlineno": 200,
    "unicode_object.asciiobject_size": 56,
}
_GIL_HOLDER, _GIL_LOCKED = 8, 16


def members_of(layout: tuple[int, int]) -> dict[str, int]:
    """Offsets such as a build of this version could have: each member has 8 bytes."""
    found = {}
    for section, names in SECTIONS[layout].items():
        each = [name for name in names.split() if name != "size"]
        for place, name in enumerate(each):
            found[f"{section}.{name}"] = _AT.get(f"{section}.{name}", 16 + 8 * place)
        if len(each) < len(names.split()):
            found[f"{section}.size"] = max(found[f"{section}.{name}"] for name in each) + 8
    return {name: found[name] for name in _in_order(layout)}


def _in_order(layout: tuple[int, int]) -> list[str]:
    return [
        f"{section}.{name}" for section, some in SECTIONS[layout].items() for name in some.split()
    ]


@dataclass
class MadeUp:
    """A process of two threads, each two calls deep. ``version``: what it says; ``layout``: how it
    is laid out; ``words``: of its description, in place of what is true."""

    layout: tuple[int, int]
    version: tuple[int, int] | None = None
    free_threaded: bool = False
    gil_enabled: bool = True
    words: Mapping[int, int] = field(default_factory=dict)
    runs: bool = True

    def __post_init__(self) -> None:
        self._heap = bytearray(_HEAP_BYTES)
        self._end = _HEAP
        self.at = members_of(self.layout)
        words = [int(self.free_threaded), *self.at.values(), 0, 0, 0, 0]
        for place, word in self.words.items():
            words[place] = word
        major, minor = self.version or self.layout
        version = major << 24 | minor << 16 | 0xF0
        self.runtime = self._new(
            b"xdebugpy" + struct.pack(f"<Q{len(words)}Q", version, *words), 4096
        )
        self.code_type, self.text_type = self._new(b"", 8), self._new(b"", 8)
        self.interpreter = self._new(b"", 4096)
        self.gil = self._new(b"", 256)
        self.code = self._code()
        self.states = [self._state(tid) for tid in TIDS]
        self._put(self.interpreter, "interpreter_state.ceval_gil", self.gil)
        if self.runs:
            self._put(self.runtime, "runtime_state.interpreters_head", self.interpreter)
        shift = 8 if self.free_threaded else 0
        self.write(self.gil, int(self.gil_enabled) if self.free_threaded else 0)
        self.write(self.gil + shift + _GIL_HOLDER, self.states[0])
        self.write(self.gil + shift + _GIL_LOCKED, 1)

    @property
    def build(self) -> PythonBuild:
        """As its file would tell."""
        major, minor = self.version or self.layout
        return PythonBuild(
            version=f"{major}.{minor}.0",
            path="/usr/bin/python",
            load_bias=0,
            runtime_address=self.runtime,
            free_threaded=self.free_threaded,
            code_type=self.code_type,
            text_type=self.text_type,
        )

    def read(self, address: int, size: int) -> bytes:
        """See Memory."""
        at = address - _HEAP
        if at < 0 or at + size > len(self._heap):
            raise Unreadable(f"{address:#x}")
        return bytes(self._heap[at : at + size])

    def _code(self) -> int:
        code = self._new(b"", 512)
        self.write(code + self.at["pyobject.ob_type"], self.code_type)
        self._put(code, "code_object.filename", self._text(FILE))
        self._put(code, "code_object.qualname", self._text(FUNCTION))
        table = self._new(b"", 256)
        self._put(table, "bytes_object.ob_size", len(_LINE_TABLE))
        start = table + self.at["bytes_object.ob_sval"] - _HEAP
        self._heap[start : start + len(_LINE_TABLE)] = _LINE_TABLE
        self._put(code, "code_object.linetable", table)
        self._put(code, "code_object.firstlineno", FIRST_LINE)
        if self.free_threaded and "code_object.co_tlbc" in self.at:
            own = code + self.at["code_object.co_code_adaptive"]
            self._copies = [own, self._new(b"", 64)]
            self._put(code, "code_object.co_tlbc", self._new(struct.pack("<3Q", 2, *self._copies)))
        return code

    def write_text(self, at: int, text: str) -> None:
        """A str object."""
        self.write(at + self.at["pyobject.ob_type"], self.text_type)
        self._put(at, "unicode_object.length", len(text))
        shift = 8 if self.free_threaded and self.layout >= (3, 14) else 2
        self._put(at, "unicode_object.state", (1 | 1 << 3 | 1 << 4) << shift)
        start = at + self.at["unicode_object.asciiobject_size"] - _HEAP
        self._heap[start : start + len(text)] = text.encode()

    def _text(self, text: str) -> int:
        at = self._new(b"", 256)
        self.write_text(at, text)
        return at

    def _state(self, tid: int) -> int:
        state = self._new(b"", 1024)
        self._put(state, "thread_state.interp", self.interpreter)
        self._put(state, "thread_state.native_thread_id", tid)
        self._put(state, "thread_state.thread_id", 0x7F0000000000 + tid * 4096)
        sentinel = 0
        if "thread_state.base_frame" in self.at:
            sentinel = state + self.at["thread_state.size"]
        outer = self._frame(sentinel, 0)
        shim = self._frame(outer, 0, _SHIM)
        self._put(state, "thread_state.current_frame", self._frame(shim, TIDS.index(tid)))
        head = self.at["interpreter_state.threads_head"]
        self._put(state, "thread_state.next", self._read(self.interpreter + head))
        self.write(self.interpreter + head, state)
        return state

    def _frame(self, previous: int, copy: int, owner: int = _OWN) -> int:
        """At its third instruction; ``copy``: which instructions it runs."""
        frame = self._new(b"", 256)
        start = self.code + self.at["code_object.co_code_adaptive"]
        if self.free_threaded and "interpreter_frame.tlbc_index" in self.at:
            start = self._copies[copy]
            self._put(frame, "interpreter_frame.tlbc_index", copy)
        tag = _MASKED_TAG if self.layout >= (3, 14) else 0
        self._put(frame, "interpreter_frame.executable", self.code | tag)
        self._put(frame, "interpreter_frame.instr_ptr", start + 4)
        self._put(frame, "interpreter_frame.previous", previous)
        self._heap[frame - _HEAP + self.at["interpreter_frame.owner"]] = owner
        return frame

    def _new(self, data: bytes, size: int = 0) -> int:
        at, size = self._end, max(size, len(data))
        self._end += -(-size // 16) * 16
        assert self._end <= _HEAP + _HEAP_BYTES
        self._heap[at - _HEAP : at - _HEAP + len(data)] = data
        return at

    def _put(self, address: int, member: str, value: int) -> None:
        self.write(address + self.at[member], value)

    def write(self, address: int, value: int) -> None:
        """A word."""
        struct.pack_into("<Q", self._heap, address - _HEAP, value)

    def _read(self, address: int) -> int:
        return int(struct.unpack_from("<Q", self._heap, address - _HEAP)[0])


def proc_of(tmp_path: Path, library: str) -> str:
    """/proc with this process, which maps that C library."""
    process = tmp_path / str(PID)
    process.mkdir()
    line = f"7f0000000000-7f0000100000 r-xp 00000000 08:01 4711 {library}\n"
    (process / "maps").write_text(line)
    for tid in TIDS:
        (process / "task" / str(tid)).mkdir(parents=True)
    (process / "status").write_text(_STATUS)
    return str(tmp_path)


_STATUS = (
    f"Name:\tpython\nTgid:\t{PID}\nPid:\t{PID}\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t{PID}\n"
    "Threads:\t2\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t1\n"
)
