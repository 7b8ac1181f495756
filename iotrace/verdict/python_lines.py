# SPDX-License-Identifier: Apache-2.0
"""Which Python lines a finding is about, where stacks were kept.

``orders.py:88 fetch_price -> blocking recvfrom from 10.0.0.7:443: 12 times, 2.76 s``
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from iotrace.report.model import Loop, Process
from iotrace.report.places import stall_places
from iotrace.report.stacks import CpuSample, Frame, Line, StallCause
from iotrace.verdict.call_texts import call_text, library_text
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.thread_activity import category_of
from iotrace.verdict.told_lines import COMPUTES, ToldLine, ToldWait, wait_at

LEAST_SAMPLES = 20
LEAST_SHARE = 0.05
"""Places with fewer samples say nothing of where the time goes."""
SEEN_SHARE = 0.7
"""Of the CPU time, that samples stand for: else native threads have taken the rest, or stacks could
not be read, and what the samples are of is not all of it."""
SPREAD_SHARE = 0.3
"""Where no function has so much of it, packages tell more."""
INSIDE_SHARE = 0.3
"""Of a function's samples, in what it calls of one installed package, for that to be named."""
MOST = 3
"""Lines in a finding; the tables have them all."""
LEAST_OF_COSTLIEST = 0.01
"""A line that waited for less than this share of the costliest one's wait is not told."""
_LOOP_CODE = re.compile(r"/(?:selectors|asyncio/(?:base_events|events|runners)|uvloop/.*)\.py$")
_PACKAGE = re.compile(r"/(?:site|dist)-packages/(\w+)")
_CAUSES = {
    "cpu": "computing",
    "gc": "collecting garbage",
    "gil": "holding the GIL that the loop waits for",
    "runq": "waiting for a free CPU",
    "poll": "asleep in a poll or select of its own",
}


_Peers = Mapping[tuple[int | None, str], str]
_Paths = Mapping[tuple[str, tuple[Frame, ...]], str]


def stalled_lines(process: Process, loop: Loop) -> tuple[ToldLine, ...]:
    """What stalled a loop: the costliest places and what was done there; () if none is known."""
    places = stall_places(loop.stalls.causes) if loop.stalls else ()
    named = [(one.frame, one) for one in places if one.frame][:MOST]
    if not named:
        return ()
    peers, paths = _peers(process), _paths(process)
    return tuple(
        ToldLine(
            f"{_place_text(frame)} -> {_cause_text(peers, paths, one.stall_cause)}: "
            f"{_figures(one.count, one.total_ns, one.max_ns)}{_task_text(one.stall_cause)}",
            wait_at(frame, _does(one.stall_cause)),
        )
        for frame, one in named
    )


def _does(cause: StallCause) -> str:
    does = {"call": cause.syscall, "cpu": COMPUTES}
    return does.get(cause.cause, cause.cause)


def _task_text(cause: StallCause) -> str:
    return f", task {cause.task.chain}" if cause.task else ""


def lines_of_category(process: Process, category: str, tid: int | None = None) -> list[Line]:
    """Slow calls of one category (thread_activity.category_of), of one thread or of all."""
    return [
        one
        for one in process.lines
        if category_of(one) == category and (tid is None or one.tid == tid)
    ]


def waiting_lines(lines: Iterable[Line], process: Process) -> tuple[ToldLine, ...]:
    """Where threads waited longest in these calls, and for whom; () if nothing is known."""
    waited = [one for one in lines if one.wait_ns and one.stack]
    if not waited:
        return ()
    sums: dict[str, tuple[int, int, int]] = {}
    under_way: dict[str, bool] = {}
    waits: dict[str, ToldWait] = {}
    peers = _peers(process)
    for one in waited:
        peer = one.path or peers.get((one.fd, one.kind), "")
        named = (
            f"{_place_text(one.own_stack[0])} -> {call_text(one.syscall, peer)}{library_text(one)}"
        )
        under_way[named] = under_way.get(named, True) and not one.calls
        waits[named] = wait_at(one.own_stack[0], one.syscall)
        count, wait, longest = sums.get(named, (0, 0, 0))
        sums[named] = (
            count + one.calls + one.in_flight,
            wait + one.wait_ns,
            max(longest, one.max_ns),
        )
    ranked = sorted(sums.items(), key=lambda item: -item[1][1])
    return tuple(
        ToldLine(
            f"{named}: {_under_way(*figures) if under_way[named] else _figures(*figures)}",
            waits[named],
        )
        for named, figures in ranked[:MOST]
        if figures[1] >= LEAST_OF_COSTLIEST * ranked[0][1][1]
    )


def calling_lines(lines: Iterable[Line]) -> tuple[ToldLine, ...]:
    """The places that made these calls, where only few of those were slow enough to be kept."""
    places = dict.fromkeys(
        ToldLine(
            f"{_place_text(one.own_stack[0])} -> {one.syscall}",
            wait_at(one.own_stack[0], one.syscall),
        )
        for one in lines
        if one.stack
    )
    return tuple(places)[:MOST]


def busy_lines(
    process: Process, tid: int | None = None, *, callbacks: bool = False
) -> tuple[ToldLine, ...]:
    """Where a thread (None: all) was on a CPU, by samples; () if there are too few to say.

    ``callbacks``: what an event loop calls, without the loop's own code.
    """
    rows = [one for one in process.cpu_samples if tid is None or one.tid == tid]
    total = sum(one.samples for one in rows)
    if total < LEAST_SAMPLES:
        return ()
    known = sum(one.states_ns.on_cpu for one in process.threads if tid in (None, one.tid))
    all_seen = sum(one.cpu_ns for one in rows) >= SEEN_SHARE * known

    def whole(group: list[CpuSample]) -> str:
        cpu_ns = sum(one.cpu_ns for one in group)
        return (
            f"its CPU time, about {duration(cpu_ns)}" if all_seen else f"its {total:,} CPU samples"
        )

    ranked = _by_function(
        one
        for one in rows
        if not (callbacks and one.stack and _LOOP_CODE.search(one.stack[0].file))
    )
    lines = [
        ToldLine(
            f"{_function_text(group)}: {share(_samples(group), total)} of {whole(group)}",
            wait_at(group[0].own_stack[0], COMPUTES),
        )
        for group in ranked[:MOST]
        if _samples(group) >= LEAST_SHARE * total
    ]
    if ranked and _samples(ranked[0]) >= SPREAD_SHARE * total:
        return tuple(lines)
    return (*_packages(rows), *lines[: MOST - 1])


def _packages(rows: Iterable[CpuSample]) -> tuple[ToldLine, ...]:
    """Where no function stands out: the installed packages that the time went to."""
    counts = Counter[str]()
    for one in rows:
        name = next(filter(None, map(_package_of, one.stack)), "")
        if one.stack:
            counts[name] += one.samples
    total = sum(counts.values())
    named = [
        f"{name} {share(count, total)}"
        for name, count in counts.most_common(MOST + 1)
        if name and count >= LEAST_SHARE * total
    ]
    if not named:
        return ()
    packages = ", ".join(named[:MOST])
    return (ToldLine(f"by package, of its CPU time with a known stack: {packages}"),)


def busiest_place(process: Process) -> str:
    """Where samples found a process on a CPU in more than half of all cases; "" if nowhere."""
    total = _samples(process.cpu_samples)
    first = next(iter(_by_function(process.cpu_samples)), [])
    if total < LEAST_SAMPLES or 2 * _samples(first) <= total:
        return ""
    return _function_text(first)


def _by_function(rows: Iterable[CpuSample]) -> list[list[CpuSample]]:
    """By the program's own innermost function, most samples first."""
    functions: dict[object, list[CpuSample]] = {}
    for one in rows:
        if one.stack:
            frame = one.own_stack[0]
            functions.setdefault((frame.file, frame.function), []).append(one)
    return sorted(functions.values(), key=lambda group: -_samples(group))


def _samples(rows: Iterable[CpuSample]) -> int:
    return sum(one.samples for one in rows)


def _function_text(group: list[CpuSample]) -> str:
    """The line with the most samples; what it called, if that was so in most of all of them."""
    first = max(group, key=lambda one: one.samples)
    if 2 * first.samples >= _samples(group):
        return _sampled_place(first)
    inside = Counter[str]()
    for one in group:
        called_in = map(_package_of, one.stack[: max(0, one.own)])
        inside[next(filter(None, called_in), "")] += one.samples
    called = [
        f"{share(count, _samples(group))} of it in {name}"
        for name, count in inside.most_common(2)
        if name and count >= INSIDE_SHARE * _samples(group)
    ]
    return _lines_text(group) + (f" ({', '.join(called)})" if called else "")


def _lines_text(group: list[CpuSample]) -> str:
    """ "models.py:39 and models.py:40 to_json": the function's line with the most samples, and
    another that has much of them."""
    counts = Counter[Frame]()
    for one in group:
        counts[one.own_stack[0]] += one.samples
    frames = sorted(counts, key=lambda frame: -counts[frame])[:2]
    if len(frames) < 2 or counts[frames[1]] < INSIDE_SHARE * _samples(group):
        return _place_text(frames[0])
    places = " and ".join(frame.place for frame in frames)
    return f"{places} {frames[0].function}"


def _package_of(frame: Frame) -> str:
    match = _PACKAGE.search(frame.file)
    return match[1] if match else ""


def faulting_lines(process: Process) -> tuple[ToldLine, ...]:
    """Where major page faults were taken."""
    rows = [one for one in process.cpu_samples if one.stack and one.faults]
    return tuple(
        ToldLine(f"{_sampled_place(one)}: {plural(one.faults, 'major page fault')}")
        for one in sorted(rows, key=lambda one: -one.faults)[:MOST]
    )


def _sampled_place(one: CpuSample) -> str:
    """``server.py:13 weather -> ssl.py:713 create_default_context``."""
    inner = f" -> {_place_text(one.stack[0])}" if one.own > 0 else ""
    return f"{_place_text(one.own_stack[0])}{inner}"


def _place_text(frame: Frame) -> str:
    return f"{frame.place} {frame.function}"


def _figures(count: int, total_ns: int, longest_ns: int) -> str:
    if count == 1:
        return f"once, {duration(longest_ns)}"
    return f"{plural(count, 'time')}, {duration(total_ns)}, {duration(longest_ns)} at most"


def _under_way(count: int, total_ns: int, longest_ns: int) -> str:
    """Calls that had not returned: those that had are not in the figures."""
    if count == 1:
        return f"only the call under way at the end, for {duration(longest_ns)} so far"
    return (
        f"only the {count:,} calls under way at the end, {duration(total_ns)} so far, "
        f"{duration(longest_ns)} at most"
    )


def _cause_text(peers: _Peers, paths: _Paths, one: StallCause) -> str:
    if one.cause != "call":
        inner = one.stack[0] if one.cause in ("cpu", "gc") and one.own > 0 else None
        called = [_place_text(inner)] if inner else []
        called += [one.native] if one.native and one.cause != "runq" else []
        return _CAUSES[one.cause] + (f" in {', '.join(called)}" if called else "")
    on = peers.get((one.fd, one.kind), "") or paths.get((one.syscall, one.stack), "")
    return f"blocking {call_text(one.syscall, on)}"


def _peers(process: Process) -> _Peers:
    """The peer by descriptor and kind, of those whose one peer is known."""
    found: dict[tuple[int | None, str], set[str]] = {}
    for row in process.descriptors:
        found.setdefault((row.fd, row.kind), set()).add(row.peer)
        if row.polled_ns:  # the kind of what a poll waits for is not kept with the poll
            found.setdefault((row.fd, ""), set()).add(row.peer)
    return {key: next(iter(peers)) for key, peers in found.items() if len(peers) == 1}


def _paths(process: Process) -> _Paths:
    """ "/mnt/home/1.txt" by call and stack, of calls that take a path."""
    return {(one.syscall, one.stack): one.path for one in process.lines if one.path}
