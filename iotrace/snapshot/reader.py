# SPDX-License-Identifier: Apache-2.0
"""Read the probes' tables into a Snapshot."""

from __future__ import annotations

import struct
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from iotrace.engine.constants import Counter
from iotrace.engine.probes import Probes
from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.task import read_schedstat
from iotrace.report.detail import Detail
from iotrace.snapshot import decode
from iotrace.snapshot.arithmetic import add_under
from iotrace.snapshot.calls_in_flight import add_in_flight
from iotrace.snapshot.decode import Record
from iotrace.snapshot.exchange_reader import read_exchanges
from iotrace.snapshot.exchanges import NO_EXCHANGES
from iotrace.snapshot.in_flight import SUSPICIOUS_NS, InFlight, charge, ready_for_ns
from iotrace.snapshot.iterations import Away, away_of, with_iterations
from iotrace.snapshot.rows import read_calls, read_descriptors, read_loops
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.stack_rows import (
    read_lines,
    read_samples,
    read_stall_causes,
    read_stall_code,
    read_wakes,
)
from iotrace.snapshot.task_note import read_notes
from iotrace.snapshot.totals import Losses, OperationTotals, ThreadKey, ThreadTotals

_SIGNAL_KEY = struct.Struct("<II")
_OPERATION_KEY = struct.Struct("<II")


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
        calls = read_calls(self._probes, keys)
        sockets = dict(self._probes.map("readiness").items())
        descriptors = read_descriptors(self._probes, keys, sockets)
        loops = read_loops(self._probes, keys)
        notes = read_notes(self._probes)
        endpoints, exchanges = (
            ({}, NO_EXCHANGES) if only else read_exchanges(self._probes, notes, sockets)
        )
        full = self._probes.limits.detail is Detail.FULL
        waiting = add_in_flight(in_calls, calls, descriptors, loops, full)
        loop_table = self._probes.loops
        iterated = with_iterations(
            loops.totals, away, lambda index: loop_table.layout.unpack(loop_table.read(index))
        )
        return Snapshot(
            from_ns=self._from_ns,
            at_ns=time.monotonic_ns(),
            threads=threads,
            calls=calls.totals,
            descriptors=descriptors.totals,
            loops=iterated,
            operations=self._operations(),
            signals=self._signals(keys),
            lines=read_lines(self._probes, notes) if only is None else {},
            wakes=read_wakes(self._probes) if only is None else {},
            samples=read_samples(self._probes) if only is None else {},
            stall_code=read_stall_code(self._probes) if only is None else {},
            stall_causes=read_stall_causes(self._probes, keys, notes),
            waiting=waiting,
            losses=self._losses(),
            endpoints=endpoints,
            exchanges=exchanges,
        )

    def _threads(
        self, only: Mapping[int, ThreadKey] | None
    ) -> tuple[
        dict[int, ThreadKey],
        dict[ThreadKey, ThreadTotals],
        dict[ThreadKey, tuple[Record, InFlight]],
        dict[ThreadKey, Away],
    ]:
        """By slot the key of every thread, and the records of those that are in a call now; which
        are away from their event loop's multiplexer.

        The others' are not kept: there may be tens of thousands, and they are large.
        """
        table = self._probes.threads
        keys = dict(only or {})
        threads: dict[ThreadKey, ThreadTotals] = {}
        in_calls: dict[ThreadKey, tuple[Record, InFlight]] = {}
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
                in_calls[key] = record, flight
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
