# SPDX-License-Identifier: Apache-2.0
"""Which Python lines a finding is about, where stacks were kept.

``orders.py:88 fetch_price -> blocking recvfrom from 10.0.0.7:443: 12 times, 2.76 s``
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iotrace.report.model import Loop, Process
from iotrace.report.places import stall_places
from iotrace.report.stacks import Frame, Line, StallCause
from iotrace.verdict.call_sums import category_of
from iotrace.verdict.call_texts import call_text, library_text
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.reused_descriptors import misnamed
from iotrace.verdict.told_lines import COMPUTES, MOST, ToldLine, ToldWait, frame_text, wait_at

LEAST_OF_COSTLIEST = 0.01
"""A line that waited for less than this share of the costliest one's wait is not told."""
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
            f"{frame_text(frame)} -> {_cause_text(peers, paths, one.stall_cause)}: "
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
            f"{frame_text(one.own_stack[0])} -> {call_text(one.syscall, peer)}{library_text(one)}"
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
    """The places that made these calls, where it is not how long they took that counts."""
    places = dict.fromkeys(
        ToldLine(
            f"{frame_text(one.own_stack[0])} -> {one.syscall}",
            wait_at(one.own_stack[0], one.syscall),
        )
        for one in lines
        if one.stack
    )
    return tuple(places)[:MOST]


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
        called = [frame_text(inner)] if inner else []
        called += [one.native] if one.native and one.cause != "runq" else []
        return _CAUSES[one.cause] + (f" in {', '.join(called)}" if called else "")
    on = peers.get((one.fd, one.kind), "") or paths.get((one.syscall, one.stack), "")
    return f"blocking {call_text(one.syscall, on)}"


def _peers(process: Process) -> _Peers:
    """The peer by descriptor and kind, of those whose one peer is known."""
    found: dict[tuple[int | None, str], set[str]] = {}
    other = misnamed(process)
    for row in process.descriptors:
        found.setdefault((row.fd, row.kind), set()).add(row.peer)
        if row.polled_ns:  # the kind of what a poll waits for is not kept with the poll
            is_other = other is not None and (row.fd, row.kind) in other.rows
            peer = other.peer if other and is_other else row.peer
            found.setdefault((row.fd, ""), set()).add(peer)
    return {key: next(iter(peers)) for key, peers in found.items() if len(peers) == 1}


def _paths(process: Process) -> _Paths:
    """ "/mnt/home/1.txt" by call and stack, of calls that take a path."""
    return {(one.syscall, one.stack): one.path for one in process.lines if one.path}
