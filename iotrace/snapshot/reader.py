# SPDX-License-Identifier: Apache-2.0
"""Read the probes' tables into a Snapshot."""

from __future__ import annotations

import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from iotrace.engine.constants import Cause, Counter, State
from iotrace.engine.probes import Probes
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.files import text_of
from iotrace.procfs.task import read_schedstat
from iotrace.report.detail import Detail
from iotrace.snapshot import decode, histogram
from iotrace.snapshot.arithmetic import add_under
from iotrace.snapshot.decode import Record
from iotrace.snapshot.exchange_reader import read_exchanges
from iotrace.snapshot.exchanges import NO_EXCHANGES
from iotrace.snapshot.in_flight import SUSPICIOUS_NS, InFlight, charge, ready_for_ns
from iotrace.snapshot.iterations import Away, away_of, with_iterations
from iotrace.snapshot.rows import read_calls, read_descriptors, read_loops
from iotrace.snapshot.task_note import NoteKey, TaskNote, line_note, read_notes, stall_note
from iotrace.snapshot.totals import (
    CallKey,
    CallTotals,
    CodeKey,
    DescriptorKey,
    DescriptorTotals,
    LineKey,
    LineTotals,
    LoopKey,
    LoopTotals,
    Losses,
    OperationTotals,
    SampleKey,
    SampleTotals,
    Snapshot,
    StallCauseKey,
    StallCauseTotals,
    ThreadKey,
    ThreadTotals,
    Waiting,
    WakeKey,
    WakeTotals,
)
from iotrace.vocabulary.kinds import LABELS, Kind

_SIGNAL_KEY = struct.Struct("<II")
_LINE_KEY = struct.Struct("<QIHH")
_WAKE_KEY = struct.Struct("<QQII")
_STALL_CAUSE_KEY = struct.Struct("<QIBBH")
_SAMPLE_KEY = struct.Struct("<QII")
_CODE_KEY = struct.Struct("<QQII")
_CODE_SAMPLES = struct.Struct("<Q")
_OPERATION_KEY = struct.Struct("<II")
_NO_PHASES = (0,) * histogram.COARSE_BUCKETS
_NO_CALL = CallTotals(
    *(0, 0, {}, 0, 0, 0, 0, 0, 0, 0, 0), (0,) * histogram.BUCKETS, _NO_PHASES, _NO_PHASES
)
_NO_DESCRIPTOR = DescriptorTotals(
    *(1, 0, 0, 0, b"", 0, b"", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (0,) * (histogram.BUCKETS // 2)
)


class SnapshotReader:
    """Takes snapshots of attached probes; ``from_ns``: when counting began."""

    def __init__(self, probes: Probes, from_ns: int) -> None:
        self._probes = probes
        self._from_ns = from_ns

    def records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """(slot, scalar members) of every thread in the table, dead or alive."""
        table = self._probes.threads
        for slot in table.taken(self._probes.used(Counter.THREADS), "tid"):
            record = table.layout.unpack(table.read(slot))
            if record["tid"]:
                yield slot, record

    def take(self, only: Mapping[int, ThreadKey] | None = None) -> Snapshot:
        """Everything that the tables hold now.

        ``only``: of the threads in these slots alone, which have ended, added up under these keys.
        """
        keys, threads, in_calls, away = self._threads(only)
        # The rows are read after the threads: some hold by now what was a thread's call in flight.
        calls, calls_upto = read_calls(self._probes, keys)
        sockets = dict(self._probes.map("readiness").items())
        descriptors, descriptors_upto = read_descriptors(self._probes, keys, sockets)
        loops, loops_upto = read_loops(self._probes, keys)
        notes = read_notes(self._probes)
        endpoints, exchanges = (
            ({}, NO_EXCHANGES) if only else read_exchanges(self._probes, notes, sockets)
        )
        waiting = []
        for slot, (record, flight) in in_calls.items():
            call, descriptor, loop = _rows_of_call(keys[slot], record)
            awake = self._awake(record)
            if calls_upto.get(call, 0) <= record["syscalls"]:
                known_call = calls.get(call, _NO_CALL)
                if awake:
                    calls[call] = _with_sleep(known_call, record)
                else:
                    calls[call] = _with_call(known_call, record, flight)
                    waiting.append(_waiting(keys[slot], record, flight))
            if descriptor and descriptors_upto.get(descriptor, 0) <= record["syscalls"]:
                known = descriptors.get(descriptor, _NO_DESCRIPTOR)
                descriptors[descriptor] = _with_descriptor(known, record, flight, awake)
            elif (
                polled := _polled_alone(keys[slot], record, descriptors_upto)
            ) and descriptors_upto[polled] <= record["syscalls"]:
                known = descriptors[polled]
                asleep = record["call_wait_ns"] + flight.asleep_ns
                descriptors[polled] = replace(known, polled_ns=known.polled_ns + asleep)
            if loop in loops and loops_upto[loop] <= record["syscalls"]:
                loops[loop] = _with_loop(loops[loop], record, flight, awake)
        loop_table = self._probes.loops
        loops = with_iterations(
            loops, away, lambda index: loop_table.layout.unpack(loop_table.read(index))
        )
        return Snapshot(
            from_ns=self._from_ns,
            at_ns=time.monotonic_ns(),
            threads=threads,
            calls=calls,
            descriptors=descriptors,
            loops=loops,
            operations=self._operations(),
            signals=self._signals(keys),
            lines=self._lines(notes) if only is None else {},
            wakes=self._wakes() if only is None else {},
            samples=self._samples() if only is None else {},
            stall_code=self._stall_code() if only is None else {},
            stall_causes=self._stall_causes(keys, notes),
            waiting=tuple(waiting),
            losses=self._losses(),
            endpoints=endpoints,
            exchanges=exchanges,
        )

    def _awake(self, record: Record) -> bool:
        """Without full detail a call is entered when it sleeps, and added up at the next switch."""
        full = self._probes.limits.detail is Detail.FULL
        return not full and record["state"] != State.SLEEP

    def _threads(
        self, only: Mapping[int, ThreadKey] | None
    ) -> tuple[
        dict[int, ThreadKey],
        dict[ThreadKey, ThreadTotals],
        dict[int, tuple[Record, InFlight]],
        dict[ThreadKey, Away],
    ]:
        """By slot the key of every thread, and the records of those that are in a call now; which
        are away from their event loop's multiplexer.

        The others' are not kept: there may be tens of thousands, and they are large.
        """
        table = self._probes.threads
        keys = dict(only or {})
        threads: dict[ThreadKey, ThreadTotals] = {}
        in_calls: dict[int, tuple[Record, InFlight]] = {}
        away: dict[ThreadKey, Away] = {}
        for slot in table.taken(self._probes.used(Counter.THREADS), "tid"):
            if only is not None and slot not in only:
                continue
            clock_ns = time.monotonic_ns()  # before the read: what it tells still held then
            raw = table.read(slot)
            record = table.layout.unpack(raw)
            if not record["tid"]:
                continue
            now_ns = record["ended_ns"] or clock_ns
            flight = charge(record, now_ns, _run_delay_ns(record, now_ns))
            key = keys[slot] = only[slot] if only else decode.thread_key(record)
            add_under(threads, key, decode.thread_totals(table.layout, raw, record, flight))
            if record["in_call"] and not record["ended_ns"]:
                in_calls[slot] = record, flight
            if one := away_of(record, flight):
                away[key] = one
        return keys, threads, in_calls, away

    def _operations(self) -> dict[tuple[int, int], OperationTotals]:
        if not self._probes.has_map("operations"):
            return {}
        layout = self._probes.layout("operations")
        operations = {}
        for raw_key, raw in self._probes.map("operations").items():
            opcode, pid = _OPERATION_KEY.unpack(raw_key)
            operations[pid, opcode] = decode.operation_totals(layout, raw)
        return operations

    def _signals(self, keys: Mapping[int, ThreadKey]) -> dict[tuple[ThreadKey, int], int]:
        if not self._probes.has_map("signals"):
            return {}
        signals: dict[tuple[ThreadKey, int], int] = defaultdict(int)
        for raw_key, raw in self._probes.map("signals").items():
            number, slot = _SIGNAL_KEY.unpack(raw_key)
            if slot in keys:
                signals[keys[slot], number] += int.from_bytes(raw, "little")
        return signals

    def _lines(self, notes: Mapping[NoteKey, TaskNote]) -> dict[LineKey, LineTotals]:
        if not self._probes.has_map("lines"):
            return {}
        layout = self._probes.layout("lines")
        paths = self._line_paths()
        lines = {}
        for raw_key, raw in self._probes.map("lines").items():
            stack, pid, number, kind = _LINE_KEY.unpack(raw_key)
            values = layout.unpack(raw)
            if values["calls"]:
                key = pid, stack, number, Kind(kind).label
                task = notes.get(line_note(stack, pid, number, kind))
                path = paths.get(raw_key, "")
                lines[key] = decode.decoded(LineTotals, layout, raw, values, task=task, path=path)
        return lines

    def _line_paths(self) -> dict[bytes, str]:
        if not self._probes.has_map("line_paths"):
            return {}
        return {
            key: text_of(raw.partition(b"\0")[0])
            for key, raw in self._probes.map("line_paths").items()
        }

    def _wakes(self) -> dict[WakeKey, WakeTotals]:
        if not self._probes.has_map("wakes"):
            return {}
        layout = self._probes.layout("wakes")
        wakes = {}
        for raw_key, raw in self._probes.map("wakes").items():
            waiter, waker, pid, kind = _WAKE_KEY.unpack(raw_key)
            values = layout.unpack(raw)
            if values["calls"]:
                key = pid, waiter, waker, Kind(kind).label
                wakes[key] = decode.decoded(WakeTotals, layout, raw, values)
        return wakes

    def _samples(self) -> dict[SampleKey, SampleTotals]:
        if not self._probes.has_map("samples"):
            return {}
        layout = self._probes.layout("samples")
        samples = {}
        for raw_key, raw in self._probes.map("samples").items():
            stack, pid, of = _SAMPLE_KEY.unpack(raw_key)
            samples[pid, stack, of] = decode.decoded(SampleTotals, layout, raw, layout.unpack(raw))
        return samples

    def _stall_code(self) -> dict[CodeKey, int]:
        if not self._probes.has_map("stall_code"):
            return {}
        found = {}
        for raw_key, raw in self._probes.map("stall_code").items():
            stack, page, pid, _reserved = _CODE_KEY.unpack(raw_key)
            found[pid, stack, page] = _CODE_SAMPLES.unpack(raw)[0]
        return found

    def _stall_causes(
        self, keys: Mapping[int, ThreadKey], notes: Mapping[NoteKey, TaskNote]
    ) -> dict[StallCauseKey, StallCauseTotals]:
        if not self._probes.has_map("stall_causes"):
            return {}
        layout, loops = self._probes.layout("stall_causes"), self._probes.loops
        stall_causes: dict[StallCauseKey, StallCauseTotals] = {}
        for raw_key, raw in self._probes.map("stall_causes").items():
            stack, index, cause, kind, number = _STALL_CAUSE_KEY.unpack(raw_key)
            loop, values = loops.layout.unpack(loops.read(index)), layout.unpack(raw)
            if loop["slot"] in keys and values["stalls"]:
                why = Cause(cause).name.lower()
                thread = keys[loop["slot"]]
                key = thread, loop["nr"], why, stack, number, Kind(kind).label
                task = notes.get(stall_note(stack, index, cause, kind, number))
                totals = decode.decoded(StallCauseTotals, layout, raw, values, task=task)
                add_under(stall_causes, key, totals)
        return stall_causes

    def _losses(self) -> Losses:
        counters = self._probes.counters
        skipped_runs, undated_events = self._probes.skipped_runs()
        return Losses(
            threads=counters[Counter.LOST_THREADS],
            calls=counters[Counter.LOST_CALLS],
            descriptors=counters[Counter.LOST_DESCRIPTORS],
            loops=counters[Counter.LOST_LOOPS],
            errors=counters[Counter.LOST_ERRORS],
            operations=counters[Counter.LOST_OPERATIONS],
            skipped_runs=skipped_runs,
            undated_events=undated_events,
            repaired_calls=counters[Counter.REPAIRED],
            unknown_results=counters[Counter.UNKNOWN_RESULTS],
            long_vectors=counters[Counter.LONG_VECTORS],
            events=counters[Counter.LOST_EVENTS],
            stacks=counters[Counter.LOST_STACKS],
            endpoints=counters[Counter.LOST_ENDPOINTS],
            untold_connections=counters[Counter.UNTOLD_CONNECTIONS],
        )


def _run_delay_ns(record: Record, now_ns: int) -> int | None:
    """The scheduler's own figure, if it has given the thread a CPU that we have not seen.

    None: it has not, or was not asked, or cannot tell. It also grows where a thread that is ready
    moves to the queue of another CPU.
    """
    if record["ended_ns"] or ready_for_ns(record, now_ns) < SUSPICIOUS_NS:
        return None
    try:
        schedstat = read_schedstat(record["pid"], record["tid"])
    except (NoSuchProcess, PermissionDenied, Unsupported):
        return None
    return schedstat.runq_ns if schedstat.slices > record["slices"] else None


def _waiting(thread: ThreadKey, record: Record, flight: InFlight) -> Waiting:
    wait = record["call_wait_ns"] + flight.asleep_ns
    runq = record["call_runq_ns"] + flight.runq_ns
    copy = record["call_copy_ns"] + flight.copy_ns
    return Waiting(
        thread=thread,
        number=record["call_nr"],
        kind=Kind(record["call_kind"]).label,
        fd=record["call_fd"],
        total_ns=wait + runq + copy + record["call_kernel_ns"] + flight.kernel_ns,
        wait_ns=wait,
        runq_ns=runq,
        copy_ns=copy,
        entry_ns=0 if record["from_proc"] else record["call_entry_ns"],
    )


def _rows_of_call(
    thread: ThreadKey, record: Record
) -> tuple[CallKey, DescriptorKey | None, LoopKey | None]:
    """The rows that a thread's call in flight belongs to."""
    number, kind, fd = record["call_nr"], record["call_kind"], record["call_fd"]
    has_descriptor = fd >= 0 and kind != Kind.NONE
    return (
        (thread, number, Kind(kind).label),
        (thread, fd, Kind(kind).label) if has_descriptor else None,
        (thread, number) if record["call_loop"] else None,
    )


def _polled_alone(
    thread: ThreadKey, record: Record, upto: Mapping[DescriptorKey, int]
) -> DescriptorKey | None:
    """The row of the descriptor that a poll in flight waits for alone: probes/loops.c."""
    fd = record["call_fd"]
    if fd < 0 or not (record["call_loop"] or record["call_polls"]):
        return None
    rows = [(thread, fd, kind) for kind in LABELS.values() if (thread, fd, kind) in upto]
    return max(rows, key=lambda row: upto[row], default=None)


def _with_call(known: CallTotals, record: Record, flight: InFlight) -> CallTotals:
    return replace(
        known,
        wait_ns=known.wait_ns + record["call_wait_ns"] + flight.asleep_ns,
        runq_ns=known.runq_ns + record["call_runq_ns"] + flight.runq_ns,
        copy_ns=known.copy_ns + record["call_copy_ns"] + flight.copy_ns,
        kernel_ns=known.kernel_ns + record["call_kernel_ns"] + flight.kernel_ns,
        in_flight=known.in_flight + 1,
    )


def _with_sleep(known: CallTotals, record: Record) -> CallTotals:
    return replace(
        known,
        sleeps=known.sleeps + 1,
        wait_ns=known.wait_ns + record["call_wait_ns"],
        runq_ns=known.runq_ns + record["call_runq_ns"],
    )


def _with_descriptor(
    known: DescriptorTotals, record: Record, flight: InFlight, slept: bool
) -> DescriptorTotals:
    return replace(
        known,
        wait_ns=known.wait_ns + record["call_wait_ns"] + flight.asleep_ns,
        copy_ns=known.copy_ns + record["call_copy_ns"] + flight.copy_ns,
        sleeps=known.sleeps + slept,
    )


def _with_loop(known: LoopTotals, record: Record, flight: InFlight, slept: bool) -> LoopTotals:
    return replace(
        known,
        wait_ns=known.wait_ns + record["call_wait_ns"] + flight.asleep_ns,
        sleeps=known.sleeps + slept,
    )
