# SPDX-License-Identifier: Apache-2.0
"""Add the calls that are in flight at a snapshot to the rows that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from iotrace.engine.constants import State
from iotrace.snapshot import histogram
from iotrace.snapshot.decode import Record
from iotrace.snapshot.in_flight import InFlight
from iotrace.snapshot.rows import Rows
from iotrace.snapshot.totals import (
    CallKey,
    CallTotals,
    DescriptorKey,
    DescriptorTotals,
    LoopKey,
    LoopTotals,
    ThreadKey,
    Waiting,
)
from iotrace.vocabulary.kinds import LABELS, Kind

_NO_PHASES = (0,) * histogram.COARSE_BUCKETS
_NO_CALL = CallTotals(
    *(0, 0, {}, 0, 0, 0, 0, 0, 0, 0, 0), (0,) * histogram.BUCKETS, _NO_PHASES, _NO_PHASES
)
_NO_DESCRIPTOR = DescriptorTotals(
    *(1, 0, 0, 0, b"", 0, b"", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (0,) * (histogram.BUCKETS // 2)
)


def add_in_flight(
    in_calls: Mapping[ThreadKey, tuple[Record, InFlight]],
    calls: Rows[CallKey, CallTotals],
    descriptors: Rows[DescriptorKey, DescriptorTotals],
    loops: Rows[LoopKey, LoopTotals],
    full: bool,
) -> tuple[Waiting, ...]:
    """Change the rows; what waits now. A row that is ``upto`` a later call holds this one already.

    Without ``full`` detail a call is entered when it sleeps, and added up at the next switch.
    """
    waiting = []
    for thread, (record, flight) in in_calls.items():
        call, descriptor, loop = _rows_of_call(thread, record)
        awake = not full and record["state"] != State.SLEEP
        if calls.upto.get(call, 0) <= record["syscalls"]:
            known_call = calls.totals.get(call, _NO_CALL)
            if awake:
                calls.totals[call] = _with_sleep(known_call, record)
            else:
                calls.totals[call] = _with_call(known_call, record, flight)
                waiting.append(_waiting(thread, record, flight))
        if descriptor and descriptors.upto.get(descriptor, 0) <= record["syscalls"]:
            known = descriptors.totals.get(descriptor, _NO_DESCRIPTOR)
            descriptors.totals[descriptor] = _with_descriptor(known, record, flight, awake)
        elif (polled := _polled_alone(thread, record, descriptors.upto)) and descriptors.upto[
            polled
        ] <= record["syscalls"]:
            known = descriptors.totals[polled]
            asleep = record["call_wait_ns"] + flight.asleep_ns
            descriptors.totals[polled] = replace(known, polled_ns=known.polled_ns + asleep)
        if loop in loops.totals and loops.upto[loop] <= record["syscalls"]:
            loops.totals[loop] = _with_loop(loops.totals[loop], record, flight, awake)
    return tuple(waiting)


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
