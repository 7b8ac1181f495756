# SPDX-License-Identifier: Apache-2.0
"""Process rows: everything of a snapshot, sorted by whom it belongs to."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

from iotrace.engine.constants import CALL_OTHER
from iotrace.report.detail import Detail
from iotrace.report.model import (
    GroupLimits,
    OpenSockets,
    Process,
    Signal,
    TaskWaits,
    Workers,
)
from iotrace.report.stacks import Line, StallCause, Wake
from iotrace.report_builder.call_rows import call_row
from iotrace.report_builder.child_output import inherited_by
from iotrace.report_builder.descriptor_rows import descriptor_row, open_sockets, pickup_of_all
from iotrace.report_builder.host_looks import looks
from iotrace.report_builder.in_call_rows import in_call_row
from iotrace.report_builder.inherited_sockets import inherited_connections
from iotrace.report_builder.loop_rows import loop_row
from iotrace.report_builder.open_file_rows import lock_wait_rows, unread_pipe_rows
from iotrace.report_builder.operation_rows import operation_row
from iotrace.report_builder.request_rows import request_rows, unaccepted_of, upstream_rows
from iotrace.report_builder.stack_rows import (
    CallPlaces,
    Stacks,
    line_row,
    sample_rows,
    stall_cause_row,
    wake_row,
)
from iotrace.report_builder.task_rows import task_rows
from iotrace.report_builder.thread_rows import thread_row
from iotrace.report_builder.unavailable_fields import clear_unavailable
from iotrace.report_builder.worker_rows import worker_rows, workers_of
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.stack_totals import SampleTotals
from iotrace.snapshot.task_book import ProcessTasks
from iotrace.snapshot.totals import LoopKey, ThreadKey
from iotrace.vocabulary.calls import OTHER

Natives: TypeAlias = "Mapping[tuple[int, int], str]"
"""Process and stack -> the shared object that the thread was in."""


def process_rows(
    snapshot: Snapshot,
    facts: Mapping[int, ProcessFacts],
    call_names: Mapping[int, str],
    stacks: Stacks,
    detail: Detail = Detail.FULL,
    tasks: Mapping[int, ProcessTasks] = MappingProxyType({}),
    natives: Natives = MappingProxyType({}),
) -> tuple[Process, ...]:
    """The processes as they began, parents first; rows in order of their cost."""
    by_pid: dict[int, list[ThreadKey]] = defaultdict(list)
    for key in snapshot.threads:
        by_pid[key.pid].append(key)
    parts = _Parts(snapshot, facts, {**call_names, CALL_OTHER: OTHER}, stacks, tasks, natives)
    found = {
        pid: parts.process(pid, sorted(keys, key=_leader_first)) for pid, keys in by_pid.items()
    }
    families = workers_of(snapshot, {pid: row.parent for pid, row in found.items()})
    rows = [
        clear_unavailable(
            replace(row, workers=parts.workers(pid, families[pid])) if pid in families else row,
            detail,
        )
        for pid, row in found.items()
    ]
    pids = {row.pid for row in rows}
    return tuple(sorted(rows, key=lambda row: (row.started_ns, row.parent in pids, row.pid)))


def _leader_first(key: ThreadKey) -> tuple[bool, int, int]:
    return key.tid != key.pid, key.started_ns, key.tid


class _Parts:
    """A snapshot's totals by process."""

    def __init__(
        self,
        snapshot: Snapshot,
        facts: Mapping[int, ProcessFacts],
        names: Mapping[int, str],
        stacks: Stacks,
        tasks: Mapping[int, ProcessTasks],
        natives: Natives,
    ) -> None:
        self._snapshot = snapshot
        self._tasks = tasks
        self._facts = facts
        self._names = names
        self._places = CallPlaces(names, stacks)
        self._calls = _by_pid(snapshot.calls)
        self._descriptors = _by_pid(snapshot.descriptors)
        self._loops = _by_pid(snapshot.loops)
        self._signals = _by_pid(snapshot.signals)
        self._unaccepted = unaccepted_of(snapshot, facts)
        self._stall_causes: dict[LoopKey, list[StallCause]] = defaultdict(list)
        for (thread, loop, cause, stack, number, kind), one in snapshot.stall_causes.items():
            call = self._name(number) if cause == "call" else ""
            frames = stacks.get(stack, ())
            if one.stalls:
                native = natives.get((thread.pid, stack), "")
                row = stall_cause_row(cause, call, kind, one, frames, native)
                self._stall_causes[thread, loop].append(row)
        self._host = looks()
        self._in_calls = {
            one.thread: in_call_row(
                one, self._name(one.number), snapshot.from_ns, facts, stacks, self._host
            )
            for one in snapshot.waiting
        }
        self._lines: dict[int, list[Line]] = defaultdict(list)
        for (pid, stack, number, kind), line in snapshot.lines.items():
            if line.calls or line.in_flight:
                frames = stacks.get(stack, ())
                named = line_row(self._name(number), kind, line, frames, facts.get(pid))
                self._lines[pid].append(named)

        self._wakes: dict[int, list[Wake]] = defaultdict(list)
        for (pid, waiter, waker, kind), wake in snapshot.wakes.items():
            if wake.calls:
                frames = stacks.get(waiter, ())
                self._wakes[pid].append(wake_row(kind, wake, frames, stacks.get(waker, ())))
        self._stacks = stacks
        self._samples: dict[int, list[tuple[int, int, SampleTotals]]] = defaultdict(list)
        for (pid, stack, of), sample in snapshot.samples.items():
            if sample.count:
                self._samples[pid].append((stack, of, sample))

    def _name(self, number: int) -> str:
        return self._names.get(number, f"call {number}")

    def process(self, pid: int, keys: list[ThreadKey]) -> Process:
        threads, from_ns = self._snapshot.threads, self._snapshot.from_ns
        facts = self._facts.get(pid)
        ended = [threads[key].ended_ns for key in keys]
        last_end = None if None in ended else max(end or 0 for end in ended)
        first = threads[keys[0]]
        loops = [
            loop_row(
                key.tid,
                self._name(number),
                totals,
                facts,
                self._name(totals.stall_call_nr),
                tuple(self._stall_causes[key, number]),
            )
            for (key, number), totals in self._loops[pid]
        ]
        rows = tuple(
            thread_row(key, threads[key], from_ns, self._in_calls.get(key)) for key in keys
        )
        return Process(
            pid=max(pid, 0),
            parent=-pid if pid < 0 else first.parent_pid or (facts.parent if facts else None),
            name=facts.name if facts else first.name,
            cmdline=facts.cmdline if facts else (),
            python=facts.python.version if facts and facts.python else None,
            started_ns=min(row.started_ns for row in rows),
            ended_ns=None if last_end is None else last_end - from_ns,
            model=None,
            threads=rows,
            calls=tuple(
                sorted(
                    (
                        call_row(key.tid, self._name(number), kind, totals)
                        for (key, number, kind), totals in self._calls[pid]
                        if totals.calls or totals.sleeps or totals.in_flight
                    ),
                    key=lambda row: -(row.total_ns or 0),
                )
            ),
            descriptors=self._descriptor_rows(pid, facts),
            loops=tuple(sorted(loops, key=lambda row: (-(row.iterations or 0), -row.wait_ns))),
            operations=tuple(
                operation_row(opcode, totals)
                for (owner, opcode), totals in sorted(self._snapshot.operations.items())
                if owner == pid
            ),
            signals=tuple(
                Signal(key.tid, _signal_name(number), count)
                for (key, number), count in self._signals[pid]
                if count
            ),
            wakes=tuple(sorted(self._wakes[pid], key=lambda row: -row.wait_ns)),
            lines=tuple(sorted(self._lines[pid], key=lambda row: -row.total_ns)),
            pickup_ns=pickup_of_all(totals for _, totals in self._descriptors[pid]),
            count=max(1, sum(threads[key].processes for key in keys)),
            sockets=self._sockets(facts),
            limits=_limits(facts),
            file_lock_waits=lock_wait_rows(pid, facts, self._descriptors[pid]),
            cpu_samples=sample_rows(self._samples[pid], self._stacks),
            major_faults=facts.limits.major_faults if facts and facts.limits else None,
            requests=request_rows(
                pid, self._snapshot, facts, self._unaccepted.get(pid, {}), self._places
            ),
            upstreams=upstream_rows(pid, self._snapshot),
            tasks=self._task_rows(pid, facts),
            unread_pipes=unread_pipe_rows(facts, self._descriptors[pid], self._facts),
        )

    def workers(self, parent: int, pids: frozenset[int]) -> Workers:
        return worker_rows(
            parent, pids, self._snapshot, self._facts, self._unaccepted, self._places
        )

    def _sockets(self, facts: ProcessFacts | None) -> OpenSockets:
        parent = self._facts.get(facts.parent) if facts else None
        return replace(open_sockets(facts), inherited=inherited_connections(facts, parent))

    def _task_rows(self, pid: int, facts: ProcessFacts | None) -> TaskWaits | None:
        tasks = task_rows(self._tasks.get(pid))
        if tasks is None:
            return None
        return replace(tasks, inherited_by=inherited_by(tasks, facts, self._host.writers_of))

    def _descriptor_rows(self, pid: int, facts: ProcessFacts | None) -> tuple[Any, ...]:
        merged = defaultdict(list)
        for (_, fd, kind), totals in self._descriptors[pid]:
            merged[fd, kind].append(totals)
        at_ns = self._snapshot.at_ns
        rows = [
            descriptor_row(fd, kind, parts, facts, at_ns) for (fd, kind), parts in merged.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-(row.wait_ns + (row.copy_ns or 0)), row.fd)))


def _by_pid(totals: Mapping[Any, Any]) -> dict[int, list[tuple[Any, Any]]]:
    """Totals keyed by (thread, ...), by the thread's process."""
    result: dict[int, list[tuple[Any, Any]]] = defaultdict(list)
    for key, one in totals.items():
        result[key[0].pid].append((key, one))
    return result


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if number > 31 else f"signal {number}"


def _limits(facts: ProcessFacts | None) -> GroupLimits | None:
    if facts is None or facts.limits is None:
        return None
    cpu, memory, machine = facts.limits.cpu, facts.limits.memory, facts.limits.machine
    own = facts.limits.own
    return GroupLimits(
        cpu_group=cpu.group if cpu else "",
        cpu_quota_cpus=cpu.quota_cpus if cpu else None,
        throttled_ns=cpu.throttled_ns if cpu else None,
        memory_group=memory.group if memory else "",
        memory_limit_bytes=memory.limit_bytes if memory else None,
        memory_used_bytes=memory.usage_bytes if memory else None,
        memory_idle_cache_bytes=memory.idle_cache_bytes if memory else None,
        oom_kills=memory.oom_kills if memory else None,
        cpus=facts.limits.cpus,
        swapped_bytes=facts.limits.swapped_bytes,
        swapped_in_pages=facts.limits.swapped_in_pages,
        machine_running_ns=machine.running_ns if machine else None,
        machine_stolen_ns=machine.stolen_ns if machine else None,
        open_files=len(facts.descriptors) or None,
        most_open_files=facts.limits.most_open_files,
        own_bytes=own.now_bytes if own else None,
        own_grown_bytes=own.grown_bytes if own else None,
        own_watched_ns=own.watched_ns if own else None,
    )
