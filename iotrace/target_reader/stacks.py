# SPDX-License-Identifier: Apache-2.0
"""The Python of a process: its interpreter, its threads' frames, their names.

All of that lies in the memory of the process. A reader remembers what it has read of it; a fresh
one reads it anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.maps import read_maps
from iotrace.procfs.python import read_python
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.memory import ProcessMemory
from iotrace.pystack.offsets import Offsets
from iotrace.pystack.recognition import NoStacks, TooEarly, find_runtime
from iotrace.pystack.runtime import Runtime
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import RawFrame, Sleeper, Walker
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.programs import members

_LONGEST_NS = 2_000_000_000
"""Threads that are not walked by then are left out."""

_INTERPRETER = re.compile(r"(?:lib)?python\d?[.\d]")
"""Files that hold CPython."""

RawStack: TypeAlias = "Sequence[RawFrame]"
Pieces: TypeAlias = "Mapping[int, bytes]"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of a process. ``gone``: it has ended, and only what was learned can be named."""

    pid: int
    runtime: Runtime
    gone: bool = False

    @property
    def plain(self) -> Any:
        """As a reader takes it."""
        return self.pid, _plain_runtime(self.runtime), self.gone


@dataclass(frozen=True, slots=True)
class Unread:
    """A Python whose stacks cannot be read, ``early``: not yet."""

    reason: str
    early: bool


def read_interpreter(
    reader: Asker, pid: int
) -> tuple[Interpreter, tuple[int, ...]] | Unread | None:
    """The interpreter and its GILs; why its stacks cannot be read; None: it is no Python.

    Raises what ``Asker.ask`` raises, as all of these do.
    """
    answer = reader.ask("interpreter", pid)
    if answer is None:
        return None
    is_read, *answer = answer
    if not is_read:
        return Unread(*answer)
    plain, gils = answer
    return Interpreter(pid, runtime_of(plain)), tuple(gils)


def read_gils(reader: Asker, of: Interpreter) -> tuple[int, ...]:
    """Where its GILs are now; () where they cannot be told."""
    pid, *where = of.plain
    return tuple(reader.ask("gils", pid, *where))


def learn_codes(reader: Asker, of: Interpreter, codes: Iterable[tuple[int, Pieces]]) -> None:
    """Code objects as they were when they were first seen: address, and pieces by address."""
    pid, *where = of.plain
    reader.ask("learn", pid, *where, [(address, dict(pieces)) for address, pieces in codes])


def name_stacks(
    reader: Asker, of: Interpreter, stacks: Sequence[RawStack]
) -> list[tuple[Frame, ...]]:
    """The frames of each stack with their names, innermost first."""
    pid, *where = of.plain
    plain = [[members(frame) for frame in stack] for stack in stacks]
    frames, named = reader.ask("name", pid, *where, plain)
    known = [Frame(*frame) for frame in frames]
    return [tuple([known[place] for place in stack]) for stack in named]


def walk_threads(
    reader: Asker, of: Interpreter, threads: Sequence[tuple[int, int | None, int]]
) -> list[Sleeper]:
    """Threads that sleep in a system call (tid, its number if it matters, which argument is a
    path, -1: none): their raw frames and what they sleep on; nothing of one that does not.
    """
    pid, *where = of.plain
    answers = reader.ask("walk", pid, *where, tuple(threads))
    return [Sleeper(tuple([RawFrame(*frame) for frame in stack]), *on) for stack, *on in answers]


def shared_objects(reader: Asker, pid: int, addresses: Sequence[int]) -> list[str]:
    """The names of the shared objects that instructions are in: "libopenblas"; "": in the
    interpreter itself, or in none."""
    return list(reader.ask("objects_at", pid, tuple(addresses)))


def forget_interpreter(reader: Asker, of: Interpreter) -> None:
    """The process has ended or runs another program: let go of its memory."""
    reader.ask("forget", of.pid)


def runtime_of(plain: Any) -> Runtime:
    """A runtime from ``Interpreter.plain``."""
    address, offsets, *others = plain
    return Runtime(address, Offsets(*offsets), *others)


def _plain_runtime(runtime: Runtime) -> Any:
    address, offsets, *others = members(runtime)
    return (address, members(offsets), *others)


@dataclass(slots=True)
class _Known:
    """In the reader: a process; ``memory`` None: it is gone."""

    runtime: Runtime
    memory: ProcessMemory | None
    symbols: Symbols


Session: TypeAlias = "dict[int, _Known]"
"""What a reader remembers between two questions, by pid."""


def _process(session: Session, pid: int, plain: Any, gone: bool) -> _Known:
    """A process, met again if this reader is a new one."""
    known = session.get(pid)
    if known is None:
        runtime = runtime_of(plain)
        memory = None if gone else _memory(pid)
        known = session[pid] = _Known(
            runtime, memory, Symbols(runtime.offsets, memory, runtime.code_type)
        )
    return known


def _memory(pid: int) -> ProcessMemory | None:
    try:
        return ProcessMemory(pid)
    except (NoSuchProcess, PermissionDenied):
        return None


def interpreter(session: Session, pid: int) -> Any:
    """In the reader, as all that follows."""
    build = read_python(pid)
    if build is None:
        return None
    forget(session, pid)
    memory = ProcessMemory(pid)
    try:
        runtime = find_runtime(pid, build, memory)
        gils = runtime.gils(memory)
    except BaseException as error:
        memory.close()
        if isinstance(error, NoStacks):
            return False, str(error), isinstance(error, TooEarly)
        raise
    session[pid] = _Known(runtime, memory, Symbols(runtime.offsets, memory, runtime.code_type))
    return True, _plain_runtime(runtime), gils


def gils(session: Session, pid: int, runtime: Any, gone: bool) -> tuple[int, ...]:
    """See ``read_gils``."""
    known = _process(session, pid, runtime, gone)
    return known.runtime.gils(known.memory) if known.memory else ()


def learn(session: Session, pid: int, runtime: Any, gone: bool, codes: Any) -> None:
    """See ``learn_codes``."""
    symbols = _process(session, pid, runtime, gone).symbols
    for address, pieces in codes:
        symbols.learn(address, pieces)


def name(session: Session, pid: int, runtime: Any, gone: bool, stacks: Any) -> Any:
    """(distinct frames, stacks as places among them): see ``name_stacks``."""
    symbols = _process(session, pid, runtime, gone).symbols
    places: dict[Any, int] = {}
    named = [
        [
            places.setdefault(members(frame), len(places))
            for frame in symbols.name([RawFrame(*raw) for raw in stack])
        ]
        for stack in stacks
    ]
    return list(places), named


def walk(session: Session, pid: int, runtime: Any, gone: bool, threads: Any) -> list[Any]:
    """See ``walk_threads``."""
    until_ns = time.monotonic_ns() + _LONGEST_NS
    known = _process(session, pid, runtime, gone)
    if known.memory is None:
        return [_plain(Sleeper())] * len(threads)
    walker = Walker(pid, known.runtime, known.memory)
    found: list[Any] = []
    for tid, number, path_at in threads:
        sleeper = Sleeper()
        if time.monotonic_ns() < until_ns:
            with suppress(NoSuchProcess, PermissionDenied, Unsupported):
                sleeper = walker.walk(tid, number, path_at)
        found.append(_plain(sleeper))
    return found


def objects_at(_session: Session, pid: int, addresses: Sequence[int]) -> list[str]:
    """See ``shared_objects``."""
    mappings = read_maps(pid)
    found = []
    for address in addresses:
        paths = (one.path for one in mappings if one.start <= address < one.end)
        name = next(paths, "").rpartition("/")[2]
        found.append("" if _INTERPRETER.match(name) else name.partition(".")[0])
    return found


def _plain(one: Sleeper) -> Any:
    return [members(frame) for frame in one.frames], *members(one)[1:]


def forget(session: Session, pid: int) -> None:
    """See ``forget_interpreter``."""
    known = session.pop(pid, None)
    if known and known.memory:
        known.memory.close()
