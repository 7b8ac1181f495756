# SPDX-License-Identifier: Apache-2.0
"""The live screen's figures, computed here and in ``request_figures`` and nowhere else.

A picture is made of two reports: the last interval's (threads, calls, loops: what happens now) and
the whole trace's (findings, stalls, quality: what is known by now). Shares are 0 to 1, of the
interval's wall time of the thread; rates are a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from iotrace.live.page_rows import (
    CallRow,
    FindingKey,
    FindingRow,
    Head,
    LoopRow,
    Picture,
    Shares,
    ThreadRow,
)
from iotrace.live.request_figures import request_rows, upstream_rows
from iotrace.output.naming import is_sum
from iotrace.report.model import Call, Finding, Loop, Process, Report, Thread
from iotrace.report.worker_sums import by_parent

_S = 1_000_000_000


def advance(previous: Picture | None, whole: Report, part: Report, began_ns: int = 0) -> Picture:
    """The next picture. ``part``: the last interval, ``whole``: from the beginning to its end.

    ``began_ns``: so long after the beginning of ``whole`` all that is wanted was seen. The duration
    that was asked for begins there, and so does the time that the picture tells.
    """
    passed_ns = max(0, whole.duration_ns - began_ns)
    since = {row.key: row.since_ns for row in previous.findings} if previous else {}
    processes = {process.pid: process for process in whole.processes}
    answered, answered_now = by_parent(whole), by_parent(part)
    seconds = part.duration_ns / _S
    return Picture(
        head=_head(whole, part, seconds, passed_ns),
        threads=tuple(_threads(part)),
        calls=tuple(_calls(part, seconds)),
        loops=tuple(_loops(whole, part, seconds)),
        requests=tuple(request_rows(answered, answered_now, seconds)),
        upstreams=tuple(upstream_rows(answered, answered_now, seconds)),
        findings=tuple(
            _finding(found, processes.get(found.pid), since, passed_ns) for found in whole.findings
        ),
        outcomes=tuple(process.outcome for process in whole.processes if process.outcome),
        quality=whole.quality,
        interval_ns=part.duration_ns,
        whole_ns=whole.duration_ns,
        no_requests=whole.quality.unavailable.get("requests", ""),
    )


def _head(whole: Report, part: Report, seconds: float, passed_ns: int) -> Head:
    alive = [process for process in whole.processes if not is_sum(process)]
    first = alive[0] if alive else None
    named = first.model if first and first.model and first.model.confidence else None
    return Head(
        pid=first.pid if first else 0,
        name=first.name if first else "",
        processes=sum(process.ended_ns is None for process in alive),
        threads=sum(
            thread.ended_ns is None and thread.count == 1
            for process in alive
            for thread in process.threads
        ),
        model=named.title if named else "",
        confidence=named.confidence if named else 0.0,
        passed_ns=passed_ns,
        calls_per_s=_rate(_all_calls(part), seconds),
    )


def _all_calls(part: Report) -> int | None:
    counts = [thread.syscalls for process in part.processes for thread in process.threads]
    return None if None in counts else sum(count or 0 for count in counts)


def _ready(loop: Loop | None) -> float | None:
    """Descriptors a return; None: its returns are not seen."""
    if loop is not None and loop.ready is None:
        return None
    return loop.ready.mean if loop and loop.ready and loop.iterations else 0.0


def shares(thread: Thread) -> Shares:
    """Where a thread's time went, as parts of it."""
    states, wall = thread.states_ns, thread.lifetime_ns
    return Shares(
        user=_part(states.user or 0, wall),
        kernel=_part(states.kernel or 0, wall),
        copy=_part(states.copy or 0, wall),
        cpu=_part(states.cpu or 0, wall),
        runq=_part(states.runq, wall),
        wait=_part(sum(states.wait.values()), wall),
        unaccounted=_part(states.unaccounted, wall),
    )


def _threads(part: Report) -> Iterator[ThreadRow]:
    """Those that lived in the interval."""
    for process in part.processes:
        for thread in process.threads:
            if thread.lifetime_ns > 0:
                yield ThreadRow(
                    pid=process.pid,
                    tid=thread.tid,
                    name=thread.name,
                    shares=shares(thread),
                    waits=thread.states_ns.wait,
                    wall_ns=thread.lifetime_ns,
                    calls_per_s=_rate(thread.syscalls, thread.lifetime_ns / _S),
                )


def _calls(part: Report, seconds: float) -> Iterator[CallRow]:
    for process in part.processes:
        walls = {thread.tid: thread.lifetime_ns for thread in process.threads}
        for call in process.calls:
            if call.calls or call.sleeps or call.in_flight or call.total_ns:
                yield _call(process, call, walls.get(call.tid, 0), seconds)


def _call(process: Process, call: Call, wall_ns: int, seconds: float) -> CallRow:
    times = call.latency_ns if call.calls else call.slept_ns
    return CallRow(
        pid=process.pid,
        tid=call.tid,
        call=f"{call.syscall} {call.kind}".rstrip(),
        calls_per_s=_rate(call.calls, seconds),
        bytes_per_s=_rate(call.bytes, seconds),
        share=_part(
            call.wait_ns + call.runq_ns if call.total_ns is None else call.total_ns, wall_ns
        ),
        mean_ns=(call.total_ns or 0) / call.calls if call.calls else None,
        p99_ns=times.p99 if times else None,
        max_ns=times.max if times else None,
        errors=call.failed or 0,
        in_flight=call.in_flight,
    )


def _loops(whole: Report, part: Report, seconds: float) -> Iterator[LoopRow]:
    """A thread's loops are told apart by their order: a report keeps it."""
    now = {key: loop for key, _, loop in _all_loops(part)}
    for key, process, loop in _all_loops(whole):
        recent = now.get(key)
        stalls = loop.stalls
        worst = stalls.worst if stalls else None
        yield LoopRow(
            pid=process.pid,
            tid=loop.tid,
            multiplexer=loop.multiplexer,
            watched=loop.watched,
            iterations_per_s=_rate(recent.iterations, seconds) if recent else 0.0,
            ready=_ready(recent),
            busy=recent.busy_ns if recent else None,
            new_stalls=recent.stalls.count if recent and recent.stalls else 0,
            stalls=stalls.count if stalls else 0,
            stalled_ns=stalls.total_ns if stalls else 0,
            worst=f"{worst.syscall} {worst.kind}".rstrip() if worst else "",
            worst_ns=worst.wait_ns if worst else 0,
        )


_LoopKey = tuple[int, int, str, int]


def _all_loops(report: Report) -> Iterator[tuple[_LoopKey, Process, Loop]]:
    for process in report.processes:
        seen: dict[tuple[int, str], int] = {}
        for loop in process.loops:
            same = (loop.tid, loop.multiplexer)
            number = seen[same] = seen.get(same, -1) + 1
            yield (process.pid, *same, number), process, loop


def _finding(
    found: Finding, process: Process | None, since: Mapping[FindingKey, int], now_ns: int
) -> FindingRow:
    row = FindingRow(found, process, now_ns)
    return replace(row, since_ns=since.get(row.key, now_ns))


def _part(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _rate(count: float | None, seconds: float) -> float | None:
    if count is None:
        return None
    return count / seconds if seconds > 0 else 0.0
