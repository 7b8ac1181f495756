# SPDX-License-Identifier: Apache-2.0
"""Iterations of event loops that have not ended by the time of a snapshot.

The probes add an iteration up when its thread is back at the multiplexer. One that computes for
seconds may be all that a trace sees of its loop. Those that sleep in a call are told of with that
call, which is in flight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from iotrace.engine.constants import STALL_NS
from iotrace.procfs.descriptors import is_epoll
from iotrace.snapshot.decode import Record
from iotrace.snapshot.in_flight import InFlight
from iotrace.snapshot.totals import LoopKey, LoopTotals, ThreadKey


@dataclass(frozen=True, slots=True)
class Away:
    """A thread that is not in its multiplexer: the loop's record, and its sums by ``at_ns``."""

    loop: int
    at_ns: int
    cpu_ns: int
    runq_ns: int


def away_of(record: Record, flight: InFlight) -> Away | None:
    """None: it has no loop, or is in its multiplexer."""
    if not record["current_loop"] or record["ended_ns"]:
        return None
    if record["in_call"] and record["call_loop"]:
        return None
    passed = flight.user_ns + flight.kernel_ns + flight.copy_ns
    return Away(
        loop=record["current_loop"] - 1,
        at_ns=record["since_ns"] + passed + flight.runq_ns + flight.asleep_ns,
        cpu_ns=record["user_ns"] + record["kernel_ns"] + record["copy_ns"] + passed,
        runq_ns=record["runq_ns"] + flight.runq_ns,
    )


def with_iterations(
    loops: Mapping[LoopKey, LoopTotals],
    away: Mapping[ThreadKey, Away],
    record_of: Callable[[int], Record],
    still_open: Callable[[int, int], bool] = is_epoll,
) -> dict[LoopKey, LoopTotals]:
    """``loops``, with the stalls that have not ended; ``record_of`` reads a loop's record.

    Only of epolls that are ``still_open``: a thread that has closed its loop computes for itself,
    and nothing tells whether one that polled will ever do so again. The histogram has iterations
    that have ended: the length of this one changes from one snapshot to the next.
    """
    found = dict(loops)
    for thread, one in away.items():
        record = record_of(one.loop)
        key = thread, record["nr"]
        returned_ns = record["returned_ns"]
        if key not in found or not returned_ns or not record["epoll_fd"]:
            continue
        length = one.at_ns - returned_ns
        cpu, runq = (
            one.cpu_ns - record["cpu_at_return_ns"],
            one.runq_ns - record["runq_at_return_ns"],
        )
        if length <= STALL_NS or cpu < 0 or runq < 0 or 2 * (cpu + runq) < length:
            continue
        if still_open(thread.pid, record["epoll_fd"]):
            found[key] = _with_stall(found[key], length, cpu, runq)
    return found


def _with_stall(known: LoopTotals, length: int, cpu: int, runq: int) -> LoopTotals:
    return replace(
        known,
        busy_sum_ns=known.busy_sum_ns + length,
        busy_max_ns=max(known.busy_max_ns, length),
        stalls=known.stalls + 1,
        stall_ns=known.stall_ns + length,
        stall_cpu_ns=known.stall_cpu_ns + cpu,
        stall_runq_ns=known.stall_runq_ns + runq,
    )
