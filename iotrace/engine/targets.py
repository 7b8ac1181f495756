# SPDX-License-Identifier: Apache-2.0
"""Enter running processes: each of their threads in the state that it is in.

Order matters. The probes are attached first, then a process becomes a target (its new threads
are now entered by task_newtask), then its existing threads are entered: none is missed, none is
entered twice. What a thread is doing is looked up in /proc once it is entered: whatever it does
afterwards the probes see, so what /proc says holds unless they have seen something.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping, Sequence

from iotrace.engine.bpf_map import NOEXIST
from iotrace.engine.constants import HINT_SHARED, THREAD_HINTS, State
from iotrace.engine.initial_state import asleep, descriptor_of
from iotrace.engine.probes import Probes
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.access import lacking, why_refused
from iotrace.procfs.children import read_children
from iotrace.procfs.stat import read_stat
from iotrace.procfs.task import TaskActivity, is_frozen, read_schedstat, read_tids
from iotrace.target_reader.reader import TargetReader
from iotrace.target_reader.threads import read_activities, read_kinds

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_NO_HINT = _U64.pack(0)
_PROBE_RUN_S = 0.001
"""Longer than any probe runs: after that nobody writes to a record that was taken out."""


_ROUNDS = 8
"""A thread that is there when its process becomes a target is seen in the first: the list that
/proc gives is no snapshot. Who begins threads for ever must not keep us here."""
_ENTERING_NS = 10_000_000_000
"""No more children are looked for then: who begins children for ever must not keep us here."""


class TargetTable:
    """Enters processes into attached probes; ``reserved`` slots of the thread table are its own.

    ``untold``: threads of which /proc did not tell what they were doing; ``untold_reason``: what
    was in the way, if it is known. ``left_out``: processes that were not entered, or not with all
    of their threads, and why.
    """

    def __init__(self, probes: Probes, reserved: int, reader: TargetReader) -> None:
        self._probes = probes
        self._reader = reader
        self._index = probes.map("thread_index")
        self._hints = probes.map("thread_hints")
        self._free = list(reversed(range(reserved)))
        self.untold = 0
        self.untold_reason = ""
        self.left_out: dict[int, str] = {}

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
        until_ns = time.monotonic_ns() + _ENTERING_NS
        # A child born while we look is entered by the probes, for its parent is a target by then,
        # and so is whatever it begins.
        pending = [pid]
        while pending:
            for child in _descendants(pending.pop()):
                if child in seen:
                    continue
                seen.add(child)
                if time.monotonic_ns() > until_ns:
                    self.left_out[pid] = "it began children faster than they could be entered"
                    return tuple(entered)
                born_a_target = self._probes.follows(child)
                try:
                    self._enter_one(child, children, running)
                except (NoSuchProcess, PermissionDenied):
                    continue
                except Unsupported as error:
                    self.left_out[child] = error.what
                    continue
                entered.append(child)
                if not born_a_target:
                    pending.append(child)
        return tuple(entered)

    def _enter_one(self, pid: int, children: bool, running: bool) -> None:
        parent = read_stat(pid).parent
        self._probes.follow(pid, children)
        known: set[int] = set()
        for _ in range(_ROUNDS):
            fresh = [tid for tid in read_tids(pid) if tid not in known]
            if not fresh:
                return
            known.update(fresh)
            entered: dict[int, int] = {}
            try:
                for tid in fresh:
                    try:
                        slot = self._enter_thread(pid, tid, parent if tid == pid else 0, running)
                    except NoSuchProcess:
                        continue
                    if slot is not None:
                        entered[tid] = slot
            finally:
                self._find_states(pid, entered)

    def _enter_thread(self, pid: int, tid: int, parent: int, running: bool) -> int | None:
        """Its slot; None: the probes know it already, or it has ended."""
        if self._index.get(_U32.pack(tid)) is not None:
            return None
        stat = read_stat(pid, tid)
        if stat.ended:
            return None
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
            return None
        self._hint(tid, slot)
        return slot

    def _find_states(self, pid: int, entered: Mapping[int, int]) -> None:
        """What these threads (slots by tid) are doing, unless the probes have seen that by now."""
        if not entered:
            return
        specs = self._probes.call_specs
        activities = self._activities(pid, tuple(entered))
        fds = {descriptor_of(activity, specs) for activity in activities.values()} - {None}
        kinds = self._kinds(pid, tuple(fd for fd in fds if fd is not None))
        frozen = _is_frozen(pid)
        for tid, slot in entered.items():
            try:
                stat = read_stat(pid, tid)
            except NoSuchProcess:
                stat = None
            if stat is None or stat.ended or tid not in activities:
                self._end(tid, slot)
                continue
            activity = activities[tid]
            if activity is None:
                self.untold += 1
                self.untold_reason = self.untold_reason or _what_is_lacking(pid)
            if not self._probes.threads.changed(slot):
                for name, value in asleep(activity, stat, specs, kinds, frozen=frozen).items():
                    self._probes.threads.set(slot, name, value)

    def _activities(self, pid: int, tids: Sequence[int]) -> Mapping[int, TaskActivity | None]:
        try:
            return read_activities(self._reader, pid, tids)
        except NoSuchProcess:
            return {}
        except (PermissionDenied, Unsupported):
            return dict.fromkeys(tids)  # the probes find out at their next events

    def _kinds(self, pid: int, fds: Sequence[int]) -> Mapping[int, str]:
        try:
            return read_kinds(self._reader, pid, fds) if fds else {}
        except (NoSuchProcess, PermissionDenied, Unsupported):
            return {}

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


def _is_frozen(pid: int) -> bool:
    try:
        return is_frozen(pid, pid)
    except NoSuchProcess:
        return False


def _what_is_lacking(pid: int) -> str:
    return why_refused(pid) if lacking(pid) else ""


def _scheduled(pid: int, tid: int) -> dict[str, int]:
    try:
        schedstat = read_schedstat(pid, tid)
    except (PermissionDenied, Unsupported):
        return {}
    return {"slices": schedstat.slices, "run_delay_ns": schedstat.runq_ns}
