"""Python stacks by their hash, named as soon as they are new: a process takes its names with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from iotrace.engine.constants import CALL_OTHER, GILS, Counter
from iotrace.engine.probes import Probes
from iotrace.engine.python_table import PythonTable
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.python import read_python
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.memory import ProcessMemory
from iotrace.pystack.runtime import NoStacks, Runtime, find_runtime
from iotrace.pystack.symbols import Symbols
from iotrace.pystack.walk import RawFrame, Walker, stack_hash
from iotrace.snapshot.totals import LineKey, LineTotals, Snapshot, Waiting

_TRIES = 31
"""Looks at a process that maps no interpreter (yet: its loader may be at it)."""
_PIECES = (
    ("address", "head"),
    ("file_address", "file"),
    ("name_address", "name"),
    ("table_address", "table"),
)


@dataclass(slots=True)
class _Known:
    """A process whose Python can be read; ``memory`` None: it is gone."""

    runtime: Runtime
    memory: ProcessMemory | None
    symbols: Symbols
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

    def __init__(self, probes: Probes, min_latency_ns: int) -> None:
        self._probes = probes
        self._min_latency_ns = min_latency_ns
        self._table = PythonTable(probes, min_latency_ns)
        self._raw_stacks = probes.table("stacks")
        self._raw_codes = probes.table("codes")
        self._known: dict[int, _Known] = {}
        self._tried: dict[int, _Tried] = {}
        self._stacks: dict[int, tuple[Frame, ...]] = {}
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
            elif known.memory and known.runtime.offsets.gil_pointer is not None:
                self._watch_gils(pid, known)
        self._read_new()

    def forget(self, pids: Iterable[int]) -> None:
        """These processes have ended; their stacks stay."""
        self._read_new()
        for pid in pids:
            self._drop(pid)
            self._tried.pop(pid, None)
            self._table.forget(pid)

    def stacks(self) -> Mapping[int, tuple[Frame, ...]]:
        """The frames by hash, innermost first."""
        return self._stacks

    def reasons(self) -> dict[str, str]:
        """Why some processes have no Python stacks, or no GIL waits."""
        told = {
            f"python lines and GIL waits of process {pid}": tried.reason
            for pid, tried in self._tried.items()
            if tried.reason is not None
        }
        for pid, known in self._known.items():
            if known.runtime.no_gil is not None:
                told[f"GIL waits of process {pid}"] = known.runtime.no_gil
            elif len(known.gils) > GILS:
                told[f"some GIL waits of process {pid}"] = (
                    f"of {len(known.gils)} GILs only {GILS} are told from other locks"
                )
        return told

    def complete(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the stacks of the threads that sleep in a long call just now."""
        lines = dict(snapshot.lines)
        walkers: dict[int, Walker | None] = {}
        for one in snapshot.waiting:
            pid = one.thread.pid
            if one.total_ns < self._min_latency_ns or pid not in self._known:
                continue
            if pid not in walkers:
                walkers[pid] = self._walker(pid)
            key = self._line_of(one, walkers[pid])
            if key is not None:
                lines[key] = _add(lines.get(key), one)
        return replace(snapshot, lines=lines)

    def close(self) -> None:
        """Let go of the memory of all processes."""
        for pid in tuple(self._known):
            self._drop(pid)

    def _drop(self, pid: int) -> None:
        known = self._known.pop(pid, None)
        if known and known.memory:
            known.memory.close()

    def _walker(self, pid: int) -> Walker | None:
        known = self._known[pid]
        try:
            return Walker(pid, known.runtime, known.memory) if known.memory else None
        except NoSuchProcess:
            return None

    def _line_of(self, one: Waiting, walker: Walker | None) -> LineKey | None:
        """Where the thread sleeps; None: it is awake by now, or runs no Python."""
        pid = one.thread.pid
        try:
            number = None if one.number == CALL_OTHER else one.number
            raw = walker.walk(one.thread.tid, number) if walker else ()
        except (NoSuchProcess, PermissionDenied, Unsupported):
            return None
        if not raw:
            return None
        key = stack_hash(pid, raw)
        if key not in self._stacks:
            self._stacks[key] = self._known[pid].symbols.name(raw)
        return pid, key, one.number, one.kind

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
            build = read_python(pid)
            if build is None:
                return
            memory = ProcessMemory(pid)
            try:
                runtime = find_runtime(pid, build, memory)
            except NoStacks as reason:
                memory.close()
                tried.reason = str(reason)
                return
        except (NoSuchProcess, PermissionDenied):
            return
        known = _Known(runtime, memory, Symbols(runtime.offsets, memory), runtime.gils(memory))
        self._known[pid] = known
        self._tried.pop(pid)
        self._table.enter(pid, runtime, known.gils)

    def _watch_gils(self, pid: int, known: _Known) -> None:
        """From 3.12 on interpreters that begin later may bring a GIL of their own."""
        gils = known.runtime.gils(known.memory) if known.memory else ()
        if gils and gils != known.gils:
            known.gils = gils
            self._table.enter(pid, known.runtime, gils)

    def _read_new(self) -> None:
        self._learn_codes()
        self._name_stacks()

    def _learn_codes(self) -> None:
        used = min(self._probes.counters[Counter.CODES], self._raw_codes.entries)
        layout = self._raw_codes.layout
        while self._seen_codes < used:
            raw = self._raw_codes.read(self._seen_codes)
            record = layout.unpack(raw)
            if not record["address"]:
                return  # a probe is at it just now
            self._seen_codes += 1
            known = self._owner(record["pid"])
            if known:
                pieces = {
                    record[place]: bytes(layout.array(raw, piece)) for place, piece in _PIECES
                }
                known.symbols.learn(record["address"], pieces)

    def _name_stacks(self) -> None:
        used = min(self._probes.counters[Counter.STACKS], self._raw_stacks.entries)
        layout = self._raw_stacks.layout
        while self._seen_stacks < used:
            raw = self._raw_stacks.read(self._seen_stacks)
            record: Mapping[str, Any] = layout.unpack(raw)
            if not record["hash"]:
                return  # a probe is at it just now
            self._seen_stacks += 1
            known = self._owner(record["pid"])
            if known:
                codes, at = layout.array(raw, "codes"), layout.array(raw, "instructions")
                frames = [RawFrame(codes[i], at[i]) for i in range(min(record["depth"], len(at)))]
                self._stacks[record["hash"]] = known.symbols.name(frames)

    def _owner(self, pid: int) -> _Known | None:
        """A process; one that was forked and has ended before we met it is like its kin."""
        known = self._known.get(pid)
        if known is None:
            self._meet(pid)
            known = self._known.get(pid)
        if known is None and self._known:
            runtime = next(reversed(self._known.values())).runtime
            known = _Known(runtime, None, Symbols(runtime.offsets, None))
            self._known[pid] = known
        return known


def _add(known: LineTotals | None, one: Waiting) -> LineTotals:
    if known is None:
        known = LineTotals(0, 0, 0, 0, 0, 0, one.fd, one.thread.tid)
    return replace(
        known,
        total_ns=known.total_ns + one.total_ns,
        wait_ns=known.wait_ns + one.wait_ns,
        runq_ns=known.runq_ns + one.runq_ns,
        copy_ns=known.copy_ns + one.copy_ns,
        max_ns=max(known.max_ns, one.total_ns),
        in_flight=known.in_flight + 1,
    )
