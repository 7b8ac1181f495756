"""Enter running processes: each of their threads in the state that it is in.

Order matters. The probes are attached first, then a process becomes a target (its new threads
are now entered by task_newtask), then its existing threads are entered: none is missed, none is
entered twice. What a thread is doing is looked up in /proc once it is entered: whatever it does
afterwards the probes see, so what /proc says holds unless they have seen something.
"""

from __future__ import annotations

import struct
import time

from iotrace.engine.bpf_map import NOEXIST
from iotrace.engine.constants import HINT_SHARED, THREAD_HINTS, State
from iotrace.engine.initial_state import asleep
from iotrace.engine.probes import Probes
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.children import read_children
from iotrace.procfs.stat import read_stat
from iotrace.procfs.task import TaskActivity, read_activity, read_schedstat, read_tids

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_NO_HINT = _U64.pack(0)
_PROBE_RUN_S = 0.001
"""Longer than any probe runs: after that nobody writes to a record that was taken out."""


class TargetTable:
    """Enters processes into attached probes; ``reserved`` slots of the thread table are its own.

    ``untold``: threads of which /proc did not tell what they were doing.
    """

    def __init__(self, probes: Probes, reserved: int) -> None:
        self._probes = probes
        self._index = probes.map("thread_index")
        self._hints = probes.map("thread_hints")
        self._free = list(reversed(range(reserved)))
        self.untold = 0

    def enter(self, pid: int, children: bool, *, running: bool = True) -> tuple[int, ...]:
        """Trace a process, and its descendants if ``children``; the pids that were entered.

        ``running``: its threads ran before; False: they may have begun while it was traced.
        Raises NoSuchProcess if ``pid`` itself is gone; descendants may go at any time.
        """
        entered = self._enter_family(pid, children, running)
        self._share_hints()
        return entered

    def _enter_family(self, pid: int, children: bool, running: bool) -> tuple[int, ...]:
        self._enter_one(pid, children, running)
        entered = [pid]
        if not children:
            return tuple(entered)
        seen = {pid}
        # A child born while we look is entered by the probes, for its parent is a target by then.
        pending = [pid]
        while pending:
            for child in _descendants(pending.pop()):
                if child in seen:
                    continue
                seen.add(child)
                try:
                    self._enter_one(child, children, running)
                except NoSuchProcess:
                    continue
                entered.append(child)
                pending.append(child)
        return tuple(entered)

    def _enter_one(self, pid: int, children: bool, running: bool) -> None:
        parent = read_stat(pid).parent
        self._probes.follow(pid, children)
        known: set[int] = set()
        while True:
            fresh = [tid for tid in read_tids(pid) if tid not in known]
            if not fresh:
                return
            for tid in fresh:
                known.add(tid)
                try:
                    self._enter_thread(pid, tid, parent if tid == pid else 0, running)
                except NoSuchProcess:
                    continue

    def _enter_thread(self, pid: int, tid: int, parent: int, running: bool) -> None:
        if self._index.get(_U32.pack(tid)) is not None:
            return
        stat = read_stat(pid, tid)
        if stat.ended:
            return
        scheduled = _scheduled(pid, tid)
        slot = self._free_slot()
        if slot is None:
            raise Unsupported(
                "There are more threads than this trace has room for.",
                why="More began while they were being counted than are held in reserve "
                f"({self._probes.limits.reserved} in all).",
                paste="sudo iotrace attach PID   # again: room is made for those there are now",
            )
        now = time.monotonic_ns()
        values: dict[str, int | bytes] = {
            "tid": tid,
            "pid": pid,
            "parent_pid": parent,
            "started_ns": now,
            "since_ns": now,
            "state": State.UNKNOWN,
            "resume_state": State.UNKNOWN,
            **scheduled,
            "name": stat.name.encode(errors="surrogateescape")[:15],
            "io_worker": int(stat.io_worker),
            "found": int(running),
        }
        self._probes.threads.write(slot, self._probes.threads.layout.pack(values))
        if not self._index.update(_U32.pack(tid), _U32.pack(slot), NOEXIST):
            # The probes entered it meanwhile, or there is no room (they count that themselves).
            self._probes.threads.clear(slot)
            self._free.append(slot)
            return
        self._hint(tid, slot)
        self._find_state(pid, tid, slot)

    def _find_state(self, pid: int, tid: int, slot: int) -> None:
        """What the thread is doing, unless the probes have seen it do something by now."""
        try:
            activity, stat = _activity(pid, tid), read_stat(pid, tid)
            self.untold += activity is None
        except NoSuchProcess:
            self._end(tid, slot)
            return
        if stat.ended:
            self._end(tid, slot)
        elif not self._probes.threads.changed(slot):
            members = asleep(pid, activity, stat, self._probes.call_specs)
            for name, value in members.items():
                self._probes.threads.set(slot, name, value)

    def _end(self, tid: int, slot: int) -> None:
        """It ended before we could follow it: unless the probes saw that too, nobody will."""
        self._index.delete(_U32.pack(tid))
        self._hints.update(_U32.pack(tid & (THREAD_HINTS - 1)), _U64.pack(HINT_SHARED))
        time.sleep(_PROBE_RUN_S)
        layout, record = self._probes.threads.layout, self._probes.threads.read(slot)
        self._probes.threads.set(slot, "regs", 0)
        if not layout.unpack(record)["ended_ns"]:
            self._probes.threads.set(slot, "ended_ns", time.monotonic_ns())

    def _free_slot(self) -> int | None:
        """A slot of our own; when those are used up, one that an ended thread has left."""
        if self._free:
            return self._free.pop()
        left = self._probes.map("free_threads").pop()
        return _U32.unpack(left)[0] if left else None

    def _hint(self, tid: int, slot: int) -> None:
        place = _U32.pack(tid & (THREAD_HINTS - 1))
        taken = self._hints.get(place) != _NO_HINT
        self._hints.update(place, _U64.pack(HINT_SHARED if taken else slot + 1))

    def _share_hints(self) -> None:
        """A thread that began while we entered another may have lost its place to it."""
        for raw_tid, raw_slot in self._index.items():
            place = _U32.pack(_U32.unpack(raw_tid)[0] & (THREAD_HINTS - 1))
            mine = _U64.pack(_U32.unpack(raw_slot)[0] + 1)
            if self._hints.get(place) != mine:
                self._hints.update(place, _U64.pack(HINT_SHARED))


def _descendants(pid: int) -> tuple[int, ...]:
    try:
        return read_children(pid)
    except NoSuchProcess:
        return ()


def _activity(pid: int, tid: int) -> TaskActivity | None:
    try:
        return read_activity(pid, tid)
    except (PermissionDenied, Unsupported):
        return None  # the probes find out at its next event


def _scheduled(pid: int, tid: int) -> dict[str, int]:
    try:
        schedstat = read_schedstat(pid, tid)
    except (PermissionDenied, Unsupported):
        return {}
    return {"slices": schedstat.slices, "run_delay_ns": schedstat.runq_ns}
