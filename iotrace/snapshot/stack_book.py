# SPDX-License-Identifier: Apache-2.0
"""Python stacks by their hash, named as soon as they are new: a process takes its names with it."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from iotrace.engine.constants import CALL_OTHER, GILS, Counter
from iotrace.engine.probes import Probes
from iotrace.engine.python_table import PythonTable
from iotrace.engine.syscalls import ARCHITECTURES, call_specs
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.symbols import UNKNOWN
from iotrace.pystack.walk import RawFrame, stack_hash
from iotrace.snapshot.native_code import NativeCode
from iotrace.snapshot.running_tasks import RunningTasks
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.stack_totals import LineTotals
from iotrace.snapshot.totals import Waiting
from iotrace.target_reader.reader import TargetReader
from iotrace.target_reader.stacks import (
    Interpreter,
    Unread,
    forget_interpreter,
    learn_codes,
    name_stacks,
    read_gils,
    read_interpreter,
    walk_threads,
)

_PATH_AT = {
    number: spec.path
    for number, spec in call_specs(ARCHITECTURES[platform.machine()]).items()
    if spec.path >= 0
}
"""Calls by number -> which argument is a path."""
_TRIES = 31
"""Looks at a process that maps no interpreter (yet: its loader may be at it)."""
_MOST_REASONS = 64
_TEXT_LENGTH = 1 << 23
"""Of the names in all frames, in characters."""
_PIECES = (
    ("address", "head"),
    ("file_address", "file"),
    ("name_address", "name"),
    ("table_address", "table"),
)
_Owner = tuple[int, int]
"""Pid, and address of its runtime."""


@dataclass(slots=True)
class _Known:
    """A process whose Python can be read."""

    interpreter: Interpreter
    gils: tuple[int, ...] = ()


@dataclass(slots=True)
class _Tried:
    """A process whose Python can't be read; ``reason`` None: it has none so far."""

    looks: int = 0
    reason: str | None = None


class StackBook:
    """Meets processes, tells the probes of their Pythons, names the stacks that come from them.

    ``min_latency_ns``: calls in flight that are younger get no stack.
    """

    def __init__(self, probes: Probes, min_latency_ns: int, reader: TargetReader) -> None:
        self._probes = probes
        self._reader = reader
        self._min_latency_ns = min_latency_ns
        self._table = PythonTable(probes, min_latency_ns)
        self._tasks = RunningTasks(reader)
        self._native_code = NativeCode(reader)
        self._raw_stacks = probes.table("stacks")
        self._raw_codes = probes.table("codes")
        self._known: dict[int, _Known] = {}
        self._tried: dict[int, _Tried] = {}
        self._reasons: dict[int, str] = {}
        """Of processes that have ended."""
        self._stacks: dict[int, tuple[Frame, ...]] = {}
        self._frames: dict[Frame, Frame] = {}
        self._text_left = _TEXT_LENGTH
        self._seen_stacks = 0
        self._seen_codes = 0
        self._seen_execs = 0

    def poll(self, alive: Iterable[int]) -> None:
        """Meet the processes that are new, name the stacks that are new."""
        execs = self._probes.counters[Counter.EXECS]
        if execs != self._seen_execs:
            self._seen_execs = execs
            self._forget_replaced()
        for pid in alive:
            known = self._known.get(pid)
            if known is None:
                self._meet(pid)
            elif not known.interpreter.gone:
                if known.interpreter.runtime.offsets.gil_pointer is not None:
                    self._watch_gils(pid, known)
                if self._tasks.found(known.interpreter):
                    self._enter(known)
        self._read_new()

    def forget(self, pids: Iterable[int]) -> None:
        """These processes have ended; their stacks stay."""
        self._read_new()
        for pid in pids:
            self._drop(pid)
            tried = self._tried.pop(pid, None)
            if tried and tried.reason is not None and len(self._reasons) < _MOST_REASONS:
                self._reasons[pid] = tried.reason
            self._table.forget(pid)

    def natives(self, snapshot: Snapshot) -> dict[tuple[int, int], str]:
        """By process and stack: the shared object in which it computed, but for the interpreter."""
        return self._native_code.natives(snapshot)

    def stacks(self) -> Mapping[int, tuple[Frame, ...]]:
        """The frames by hash, innermost first."""
        return self._stacks

    def reasons(self) -> dict[str, str]:
        """Why some processes have no Python stacks, or no GIL waits."""
        alive = {pid: one.reason for pid, one in self._tried.items() if one.reason is not None}
        told = {
            f"python lines and GIL waits of process {pid}": reason
            for pid, reason in {**self._reasons, **alive}.items()
        }
        for pid, known in self._known.items():
            runtime = known.interpreter.runtime
            no_gil = runtime.no_gil
            if runtime.offsets.gil_enabled is not None and not known.gils:
                no_gil = "it is built without a GIL"
            if no_gil is not None:
                told[f"GIL waits of process {pid}"] = no_gil
            elif len(known.gils) > GILS:
                told[f"some GIL waits of process {pid}"] = (
                    f"of {len(known.gils)} GILs only {GILS} are told from other locks"
                )
        return told

    def remarks(self) -> list[str]:
        """What is out of the ordinary in how some Pythons are read."""
        told = []
        for pid, known in self._known.items():
            runtime = known.interpreter.runtime
            if runtime.read_as is not None:
                told.append(
                    f"the Python of process {pid} is read as {runtime.read_as} is:"
                    " checked against the live process, not tried"
                )
            if runtime.offsets.gil_enabled is not None and known.gils:
                told.append(f"the Python of process {pid} is free-threaded, but its GIL is on")
        return told

    def complete(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the stacks of the threads that sleep in a long call just now."""
        self._native_code.find(snapshot)
        lines = dict(snapshot.lines)
        waiting: dict[int, list[Waiting]] = defaultdict(list)
        others = []
        for one in snapshot.waiting:
            known = self._known.get(one.thread.pid)
            if known and not known.interpreter.gone and one.total_ns >= self._min_latency_ns:
                waiting[one.thread.pid].append(one)
            else:
                others.append(one)
        for pid, threads in waiting.items():
            for one in self._walked(pid, threads):
                others.append(one)
                if one.stack:
                    place = pid, one.stack, one.number, one.kind
                    lines[place] = _add(lines.get(place), one)
        completed = replace(snapshot, lines=lines, waiting=tuple(others))
        return self._tasks.complete(completed, self._stacks)

    def _walked(self, pid: int, waiting: Sequence[Waiting]) -> Iterator[Waiting]:
        """The same with what these threads of a process sleep on, and their stacks. Not of those
        that are awake by now; no stacks of those that run no Python."""
        numbers = [None if one.number == CALL_OTHER else one.number for one in waiting]
        tids = [one.thread.tid for one in waiting]
        paths = [_PATH_AT.get(one.number, -1) for one in waiting]
        try:
            sleepers = walk_threads(
                self._reader,
                self._known[pid].interpreter,
                tuple(zip(tids, numbers, paths, strict=True)),
            )
        except (NoSuchProcess, PermissionDenied, Unsupported):
            yield from waiting
            return
        keys = [stack_hash(pid, one.frames) if one.frames else 0 for one in sleepers]
        fresh = {
            key: one.frames
            for key, one in zip(keys, sleepers, strict=True)
            if key and key not in self._stacks
        }
        self._name(pid, fresh)
        for one, sleeper, key in zip(waiting, sleepers, keys, strict=True):
            yield replace(one, sleeper=sleeper if sleeper.address else None, stack=key)

    def _name(self, pid: int, stacks: Mapping[int, Sequence[RawFrame]]) -> None:
        """Find the names of the frames of these stacks (by hash)."""
        known = self._known.get(pid)
        if not stacks or known is None:
            return
        try:
            named = name_stacks(self._reader, known.interpreter, tuple(stacks.values()))
        except (NoSuchProcess, PermissionDenied, Unsupported):
            named = [tuple([UNKNOWN for raw in stack if raw.code]) for stack in stacks.values()]
        for key, frames in zip(stacks, named, strict=True):
            self._stacks[key] = tuple([self._kept(frame) for frame in frames])

    def _kept(self, frame: Frame) -> Frame:
        """One frame for all that are alike; UNKNOWN beyond as much text as honest programs have."""
        if frame not in self._frames:
            self._text_left -= len(frame.function) + len(frame.file)
            self._frames[frame] = frame if self._text_left >= 0 else UNKNOWN
        return self._frames[frame]

    def _drop(self, pid: int) -> None:
        known = self._known.pop(pid, None)
        if known:
            with suppress(NoSuchProcess, PermissionDenied, Unsupported):
                forget_interpreter(self._reader, known.interpreter)

    def _forget_replaced(self) -> None:
        """An exec took a process's interpreter away; the probes forgot it then."""
        self._read_new()
        for pid in [pid for pid in self._known if not self._table.knows(pid)]:
            self._drop(pid)
        self._tried.clear()

    def _meet(self, pid: int) -> None:
        tried = self._tried.setdefault(pid, _Tried())
        if tried.reason is not None or tried.looks >= _TRIES:
            return
        tried.looks += 1
        try:
            found = read_interpreter(self._reader, pid)
        except PermissionDenied as error:
            tried.reason = error.why
            return
        except (NoSuchProcess, Unsupported):
            return
        if found is None:
            return
        if isinstance(found, Unread):
            if not found.early or tried.looks >= _TRIES:
                tried.reason = found.reason
            return
        interpreter, gils = found
        known = self._known[pid] = _Known(interpreter, gils)
        self._tried.pop(pid)
        self._tasks.found(interpreter)
        self._enter(known)

    def _watch_gils(self, pid: int, known: _Known) -> None:
        """From 3.12 on interpreters that begin later may bring a GIL of their own."""
        try:
            gils = read_gils(self._reader, known.interpreter)
        except (NoSuchProcess, PermissionDenied, Unsupported):
            return
        if gils != known.gils:
            known.gils = gils
            self._enter(known)

    def _enter(self, known: _Known) -> None:
        """Tell the probes of a process."""
        pid = known.interpreter.pid
        tasks = self._tasks.offsets(pid)
        self._table.enter(pid, known.interpreter.runtime, known.gils, tasks)

    def _read_new(self) -> None:
        self._learn_codes()
        self._name_stacks()

    def _learn_codes(self) -> None:
        used = min(self._probes.counters[Counter.CODES], self._raw_codes.entries)
        layout = self._raw_codes.layout
        fresh: dict[_Owner, list[tuple[int, dict[int, bytes]]]] = defaultdict(list)
        while self._seen_codes < used:
            raw = self._raw_codes.read(self._seen_codes)
            record = layout.unpack(raw)
            if not record["address"]:
                break  # a probe is at it just now
            self._seen_codes += 1
            pieces = {record[place]: bytes(layout.array(raw, piece)) for place, piece in _PIECES}
            fresh[record["pid"], record["runtime"]].append((record["address"], pieces))
        for (pid, runtime), codes in fresh.items():
            known = self._owner(pid, runtime)
            if known:
                with suppress(NoSuchProcess, PermissionDenied, Unsupported):
                    learn_codes(self._reader, known.interpreter, codes)

    def _name_stacks(self) -> None:
        used = min(self._probes.counters[Counter.STACKS], self._raw_stacks.entries)
        layout = self._raw_stacks.layout
        fresh: dict[_Owner, dict[int, Sequence[RawFrame]]] = defaultdict(dict)
        while self._seen_stacks < used:
            raw = self._raw_stacks.read(self._seen_stacks)
            record: Mapping[str, Any] = layout.unpack(raw)
            if not record["hash"]:
                break  # a probe is at it just now
            self._seen_stacks += 1
            codes, at = layout.array(raw, "codes"), layout.array(raw, "instructions")
            frames = [RawFrame(codes[i], at[i]) for i in range(min(record["depth"], len(at)))]
            fresh[record["pid"], record["runtime"]][record["hash"]] = frames
        for (pid, runtime), stacks in fresh.items():
            if self._owner(pid, runtime):
                self._name(pid, stacks)

    def _owner(self, pid: int, runtime: int) -> _Known | None:
        """A process; one that was forked and has ended before we met it is like its kin, which have
        their runtime at the same address."""
        known = self._known.get(pid)
        if known is None:
            self._meet(pid)
            known = self._known.get(pid)
        if known is None:
            others = (one.interpreter.runtime for one in self._known.values())
            kin = next((one for one in others if one.address == runtime), None)
            if kin is not None:
                known = self._known[pid] = _Known(Interpreter(pid, kin, gone=True))
        return known


def _add(known: LineTotals | None, one: Waiting) -> LineTotals:
    if known is None:
        known = LineTotals(0, 0, 0, 0, 0, 0, one.fd, one.thread.tid)
    path = one.sleeper.path if one.sleeper else ""
    return replace(
        known,
        total_ns=known.total_ns + one.total_ns,
        wait_ns=known.wait_ns + one.wait_ns,
        runq_ns=known.runq_ns + one.runq_ns,
        copy_ns=known.copy_ns + one.copy_ns,
        max_ns=max(known.max_ns, one.total_ns),
        in_flight=known.in_flight + 1,
        path=path if path and one.total_ns >= known.max_ns else known.path,
    )
