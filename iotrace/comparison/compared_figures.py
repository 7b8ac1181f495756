# SPDX-License-Identifier: Apache-2.0
"""The figures of a report that can be compared with another one's.

Process ids, thread ids and descriptors mean nothing in another run: processes are known by
their names (those of one name are added up), calls by name and kind of descriptor, event loops
by their multiplexer, requests by the listener, calls upstream by the peer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iotrace.report.model import Call, Durations, Loop, Process, Report, Requests, Upstream
from iotrace.report.worker_sums import by_parent
from iotrace.vocabulary.calls import WAITS_FOR_WORK

_SECOND_NS = 1_000_000_000


class Key(NamedTuple):
    """Whose and which figure. ``section``: a field of Comparison."""

    section: str
    process: str
    what: str
    figure: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """``less_is_better``: a rise is a regression. ``resolution``: see statistic.noise.

    ``whole``: the figure that this one is a part of, "": none. A part is not told apart by less
    than the whole is.
    """

    less_is_better: bool
    resolution: float
    whole: str = ""


# Bins of the histograms, see snapshot/histogram.py; sums are exact, but 1 % is nobody's loss.
_BINNED = 0.07
_EXACT = 0.01


_REQUESTS = {
    "p50_ns": ("latency_ns", "p50", ""),
    "p99_ns": ("latency_ns", "p99", ""),
    "p99_queue_ns": ("queue_ns", "p99", "p99_ns"),
    "p50_pickup_ns": ("pickup_ns", "p50", "p50_ns"),
    "p99_pickup_ns": ("pickup_ns", "p99", "p99_ns"),
    "p50_service_ns": ("service_ns", "p50", "p50_ns"),
    "p99_service_ns": ("service_ns", "p99", "p99_ns"),
    "p99_last_byte_ns": ("last_byte_ns", "p99", "p99_ns"),
}
_UPSTREAMS = {
    "p50_theirs_ns": ("theirs_ns", "p50", ""),
    "p99_theirs_ns": ("theirs_ns", "p99", ""),
    "p50_pickup_ns": ("pickup_ns", "p50", "p50_theirs_ns"),
    "p99_pickup_ns": ("pickup_ns", "p99", "p99_theirs_ns"),
    "p99_connect_ns": ("connect_ns", "p99", ""),
}
_TIMES = {"requests": _REQUESTS, "upstreams": _UPSTREAMS}
"""Section -> figure -> field of a row, percentile, and the figure that it is a part of."""


def meaning(key: Key) -> Meaning:
    """What it means for a figure to differ."""
    if key.section in _TIMES and key.figure != "per_s":
        return Meaning(True, _BINNED, _TIMES[key.section][key.figure][2])
    resolution = _BINNED if key.figure.startswith("p99") else _EXACT
    if key.figure in ("mean_ns", "p99_ns") and key.section == "calls":
        return Meaning(key.what.split(" ")[0] not in WAITS_FOR_WORK, resolution)
    return Meaning(key.figure in ("p99_busy_ns", "runq_share", "cpu_ns_per_call"), resolution)


def figures_of(report: Report) -> dict[Key, float]:
    """All figures; a time of calls that were not made is not among them."""
    seconds = report.duration_ns / _SECOND_NS
    if seconds <= 0:
        return {}
    figures: dict[Key, float] = {}
    by_name: dict[str, list[Process]] = defaultdict(list)
    for process in by_parent(report).processes:
        by_name[process.name].append(process)
    for name, processes in by_name.items():
        figures.update(_of_process(name, processes, seconds))
        figures.update(_of_calls(name, (call for one in processes for call in one.calls), seconds))
        figures.update(_of_loops(name, (loop for one in processes for loop in one.loops), seconds))
        if knows_requests(report):
            figures.update(_of_requests(name, processes, seconds))
    return figures


def knows_requests(report: Report) -> bool:
    """Whether requests were looked for: files of version 1 and light detail have none."""
    return "requests" not in report.quality.unavailable


def _of_process(name: str, processes: list[Process], seconds: float) -> dict[Key, float]:
    threads = [thread for process in processes for thread in process.threads]
    states: dict[str, int] = defaultdict(int)
    for thread in threads:
        own = thread.states_ns
        for state in ("user", "kernel", "copy", "runq", "unaccounted"):
            if getattr(own, state) is not None:
                states[state] += getattr(own, state)
        for reason, time in own.wait.items():
            states[f"wait.{reason}"] += time
    on_cpu = sum(thread.states_ns.on_cpu for thread in threads)
    syscalls = sum(thread.syscalls or 0 for thread in threads)
    figures = {
        Key("states", name, state, "s_per_s"): time / _SECOND_NS / seconds
        for state, time in states.items()
    }
    if all(thread.syscalls is not None for thread in threads):
        figures[Key("processes", name, "system calls", "per_s")] = syscalls / seconds
    figures[Key("processes", name, "on a CPU", "s_per_s")] = on_cpu / _SECOND_NS / seconds
    if syscalls:
        figures[Key("processes", name, "CPU per call", "cpu_ns_per_call")] = on_cpu / syscalls
    if on_cpu + states["runq"]:
        share = states["runq"] / (on_cpu + states["runq"])
        figures[Key("processes", name, "waited for a CPU", "runq_share")] = share
    return figures


def _of_calls(name: str, calls: Iterable[Call], seconds: float) -> dict[Key, float]:
    rows: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        rows[f"{call.syscall} {call.kind}".rstrip()].append(call)
    figures = {}
    for what, parts in rows.items():
        counts = [part.calls for part in parts if part.calls is not None]
        if counts:
            figures[Key("calls", name, what, "per_s")] = sum(counts) / seconds
        sleeps = [part.sleeps for part in parts if part.sleeps is not None]
        if sleeps:
            figures[Key("calls", name, what, "sleeps_per_s")] = sum(sleeps) / seconds
        timed = [(part.calls, part.latency_ns) for part in parts if part.latency_ns and part.calls]
        count = sum(calls for calls, _ in timed)
        if count:
            total = sum(part.total_ns or 0 for part in parts if part.latency_ns and part.calls)
            figures[Key("calls", name, what, "mean_ns")] = total / count
            # Percentiles do not add up: the mean of the threads' own, weighted by their calls.
            p99 = sum(calls * latency.p99 for calls, latency in timed) / count
            figures[Key("calls", name, what, "p99_ns")] = p99
    return figures


def _of_loops(name: str, loops: Iterable[Loop], seconds: float) -> dict[Key, float]:
    rows: dict[str, list[Loop]] = defaultdict(list)
    for loop in loops:
        rows[loop.multiplexer].append(loop)
    figures = {}
    for what, parts in rows.items():
        count = sum(part.iterations or 0 for part in parts)
        if any(part.iterations is not None for part in parts):
            figures[Key("loops", name, what, "per_s")] = count / seconds
        timed = [(part.iterations or 0, part.busy_ns) for part in parts if part.busy_ns]
        weight = sum(iterations for iterations, _ in timed)
        if weight:
            p99 = sum(iterations * busy.p99 for iterations, busy in timed) / weight
            figures[Key("loops", name, what, "p99_busy_ns")] = p99
    return figures


def _of_requests(name: str, processes: list[Process], seconds: float) -> dict[Key, float]:
    listeners: dict[str, list[Requests]] = defaultdict(list)
    peers: dict[str, list[Upstream]] = defaultdict(list)
    for process in processes:
        for row in process.requests:
            listeners[row.listener].append(row)
        for peer in process.upstreams:
            peers[peer.peer].append(peer)
    figures = {}
    for listener, answered in listeners.items():
        count = sum(row.exchanges for row in answered)
        figures[Key("requests", name, listener, "per_s")] = count / seconds
        figures.update(_of_times("requests", name, listener, answered))
    for where, called in peers.items():
        count = sum(row.calls for row in called)
        figures[Key("upstreams", name, where, "per_s")] = count / seconds
        figures.update(_of_times("upstreams", name, where, called))
    return figures


def _of_times(
    section: str, name: str, what: str, rows: Sequence[Requests | Upstream]
) -> dict[Key, float]:
    """Percentiles of several rows: their mean, weighted by what each counts."""
    figures = {}
    for figure, (field, percentile, _) in _TIMES[section].items():
        timed: list[Durations] = [times for row in rows if (times := getattr(row, field))]
        count = sum(times.count for times in timed)
        if count:
            total = sum(times.count * getattr(times, percentile) for times in timed)
            figures[Key(section, name, what, figure)] = total / count
    return figures
