# SPDX-License-Identifier: Apache-2.0
"""Put a report together: the processes, and how far to trust it all. It has no verdict yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from iotrace import __version__
from iotrace.procfs.host import HostFacts
from iotrace.report.detail import Detail
from iotrace.report.model import SCHEMA, Host, Lost, Process, Quality, Report
from iotrace.report_builder.process_rows import process_rows
from iotrace.report_builder.stack_rows import Stacks
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.task_book import ProcessTasks
from iotrace.snapshot.totals import Losses


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a report tells beside the totals."""

    started_at: datetime
    host: HostFacts
    facts: Mapping[int, ProcessFacts]
    call_names: Mapping[int, str]
    stacks: Stacks
    unavailable: Mapping[str, str]
    tracer_cpu_ns: int
    kernel_memory_bytes: int
    detail: Detail = Detail.FULL
    remarks: tuple[str, ...] = ()
    tasks: Mapping[int, ProcessTasks] = field(default_factory=dict)
    natives: Mapping[tuple[int, int], str] = field(default_factory=dict)


def build_report(snapshot: Snapshot, around: Circumstances) -> Report:
    """The report of one interval (or of a whole trace)."""
    processes = process_rows(
        snapshot,
        around.facts,
        around.call_names,
        around.stacks,
        around.detail,
        around.tasks,
        around.natives,
    )
    return Report(
        schema=SCHEMA,
        iotrace=__version__,
        started_at=around.started_at.isoformat(timespec="milliseconds"),
        duration_ns=snapshot.at_ns - snapshot.from_ns,
        host=Host(around.host.kernel, around.host.machine, around.host.cpus),
        processes=processes,
        findings=(),
        quality=_quality(snapshot, processes, around),
        detail=around.detail.value,
    )


def _quality(snapshot: Snapshot, processes: tuple[Process, ...], around: Circumstances) -> Quality:
    threads = snapshot.threads.values()
    lifetime = sum(thread.lifetime_ns for thread in threads)
    unaccounted = sum(thread.unaccounted_ns for thread in threads)
    losses = snapshot.losses
    return Quality(
        lost=Lost(
            ring=losses.events,
            threads=losses.threads,
            calls=losses.calls + losses.errors + losses.operations,
            descriptors=losses.descriptors,
            loops=losses.loops,
            stacks=losses.stacks,
            requests=losses.endpoints,
            probes=sum(losses.skipped_runs.values()),
        ),
        unaccounted_ratio=unaccounted / lifetime if lifetime else 0.0,
        in_flight=sum(call.in_flight for process in processes for call in process.calls),
        tracer_cpu_ns=around.tracer_cpu_ns,
        probe_ns=None,
        unavailable={**around.detail.unavailable, **around.unavailable},
        kernel_memory_bytes=around.kernel_memory_bytes,
        notes=(*_notes(losses, processes), *around.remarks),
    )


def _notes(losses: Losses, processes: tuple[Process, ...]) -> list[str]:
    notes = []
    if losses.long_vectors:
        notes.append(
            f"{losses.long_vectors} message vectors held more than 64 messages: the bytes of the "
            "rest were not counted"
        )
    skipped = {name: count for name, count in losses.skipped_runs.items() if count}
    if skipped:
        runs = ", ".join(f"{count} of {name}" for name, count in sorted(skipped.items()))
        notes.append(f"the kernel skipped runs of probes: {runs}")
    if losses.repaired_calls:
        notes.append(
            f"the beginning of {losses.repaired_calls} calls was not seen, because the kernel had "
            "preempted a probe: the calls are counted, how long they took is not"
        )
    if losses.unknown_results:
        notes.append(
            f"the end of {losses.unknown_results} calls was not seen, because the kernel had "
            "preempted a probe: the calls are counted, what they returned is not"
        )
    if losses.undated_events:
        notes.append(
            f"{losses.undated_events} wake-ups, arrivals or copies somewhere on this host were not "
            "seen: a run-queue delay may count as wait, and a copy is estimated"
        )
    if losses.untold_connections:
        notes.append(
            f"{losses.untold_connections} connections are older than the trace and nothing tells "
            "who made them: what moved on them is neither in requests nor in calls upstream"
        )
    not_python = [process.pid for process in processes if process.python is None]
    if not_python and len(not_python) == len(processes):
        notes.append("no process here is a CPython that iotrace knows; it was traced all the same")
    return notes
