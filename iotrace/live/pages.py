# SPDX-License-Identifier: Apache-2.0
"""The pages as lines of text: a picture in, styled lines out, nothing computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iotrace.live import ordering
from iotrace.live.cells import bytes_rate, count, if_any, pid, rate, share, time
from iotrace.live.page_rows import FindingRow, LoopRow, Picture
from iotrace.live.requests_page import requests
from iotrace.live.styled_lines import STATES, Column, Line, bar, figures, span, table, texts
from iotrace.output.finding_blocks import alike, evidence, symptom, where
from iotrace.output.naming import name_tid
from iotrace.output.tables.threads_table import reasons
from iotrace.output.text import escape, wrap
from iotrace.output.units import (
    UNKNOWN,
    format_count,
    format_duration,
    plural,
)

_WORDS = {
    "cpu": "on a CPU",
    "user": "user",
    "kernel": "kernel",
    "copy": "copy",
    "runq": "ready, no CPU",
    "wait": "asleep",
    "unaccounted": "unaccounted",
}
_SEVERITIES = {"high": "alarm", "medium": "warning", "low": "notice"}
_NONE = "-"
_NARROWEST_BAR = 10
_WIDEST_BAR = 100
_WORTH_DRAWING = 0.005


def threads(picture: Picture, order: str, room: int) -> list[Line]:
    """A bar a thread, and what it slept in."""
    rows = ordering.ordered(picture.threads, ordering.THREADS, order)
    legend: Line = []
    for state, character in STATES.items():
        seldom = state in ("unaccounted", "cpu")
        if not seldom or any(getattr(row.shares, state) >= _WORTH_DRAWING for row in rows):
            legend += [(character * 2, state), (f" {_WORDS[state]}   ", "faint")]
    if not rows:
        return [legend, [], [("No thread was alive.", "faint")]]
    left = table(
        [
            *pid([row.pid for row in rows]),
            figures("tid", [name_tid(row.tid) for row in rows], by=order == "tid"),
            texts("name", [(row.name,) for row in rows], least=9),
            figures("calls/s", [rate(row.calls_per_s) for row in rows], by=order == "calls"),
            figures("CPU %", [share(row.shares.on_cpu) for row in rows], by=order == "on CPU"),
            figures("ready", [share(row.shares.runq) for row in rows], by=order == "ready"),
        ],
        room * 11 // 20,
    )
    used = sum(len(text) for text, _ in left[0])
    right = table(
        [
            Column(
                "asleep in, %",
                [reasons(row.waits, row.wall_ns) for row in rows],
                right=False,
                gives=True,
                least=12,
                sorted_by=order == "asleep",
            )
        ],
        max(18, (room - used) // 2 - 2),
    )
    wide = min(_WIDEST_BAR, room - used - len(right[0][0][0]) - 2)
    if wide < _NARROWEST_BAR:
        return [legend, *left]
    heading: Line = [(f"its time{' ' * wide}"[:wide], "faint"), ("  ", "")]
    bars: list[Line] = [heading, *([*bar(row.shares, wide), ("  ", "")] for row in rows)]
    return [legend, *(a + b + c for a, b, c in zip(left, bars, right, strict=True))]


def calls(picture: Picture, order: str, room: int) -> list[Line]:
    """A line a system call of a thread."""
    rows = ordering.ordered(picture.calls, ordering.CALLS, order)
    note = span(
        "In the last interval. time: of its thread's; counted when a call returns.", "faint"
    )
    if not rows:
        return [[note], [], [("No system call was made.", "faint")]]
    return [
        [note],
        *table(
            [
                *pid([row.pid for row in rows]),
                figures("tid", [name_tid(row.tid) for row in rows]),
                texts("call", [(row.call,) for row in rows], least=16),
                figures("calls/s", [rate(row.calls_per_s) for row in rows], by=order == "calls"),
                *if_any("errors", [row.errors for row in rows], spare=2),
                figures(
                    "bytes/s",
                    [bytes_rate(row.bytes_per_s) for row in rows],
                    by=order == "bytes",
                    spare=1,
                ),
                figures("time %", [share(row.share) for row in rows], by=order == "time"),
                figures("mean", [time(row.mean_ns) for row in rows], spare=3),
                figures("p99", [time(row.p99_ns) for row in rows], by=order == "p99"),
                figures("max", [time(row.max_ns) for row in rows], by=order == "max"),
                *if_any("now in it", [row.in_flight for row in rows], spare=4),
            ],
            room,
        ),
    ]


def loops(picture: Picture, order: str, room: int) -> list[Line]:
    """A line a loop; below, the worst stall of each so far."""
    rows = ordering.ordered(picture.loops, ordering.LOOPS, order)
    note = "lag: from a return of the call to the next one; all others wait meanwhile."
    if not rows:
        return [
            [span(note, "faint")],
            [],
            [("No select, poll or epoll was called: no event loop so far.", "faint")],
        ]
    lines = [
        [span(note, "faint")],
        *table(
            [
                *pid([row.pid for row in rows]),
                figures("tid", [name_tid(row.tid) for row in rows]),
                texts("call", [(row.multiplexer,) for row in rows], least=10),
                figures("fds", [format_count(row.watched) for row in rows], spare=2),
                figures(
                    "iter/s", [rate(row.iterations_per_s) for row in rows], by=order == "iterations"
                ),
                figures(
                    "ready",
                    [UNKNOWN if row.ready is None else f"{row.ready:.1f}" for row in rows],
                    spare=1,
                ),
                _lag("lag p50", rows, "p50", order),
                _lag("p99", rows, "p99", order),
                _lag("max", rows, "max", order),
                figures("stalls", [count(row.stalls) for row in rows], by=order == "stalls"),
            ],
            room,
        ),
        [],
        [("stalls: iterations of the loop that took over 50 ms, since the beginning", "faint")],
    ]
    stalled = [row for row in rows if row.stalls]
    for row in stalled:
        style = "alarm" if row.new_stalls else "warning"
        lines += [[(one, style)] for one in wrap(escape(_stalls(row)), room)]
    return lines if stalled else [*lines, [("None so far.", "")]]


def _lag(title: str, rows: Sequence[LoopRow], which: str, order: str) -> Column:
    cells = [time(getattr(row.busy, which) if row.busy else None) for row in rows]
    return figures(title, cells, by=order == which)


def _stalls(row: LoopRow) -> str:
    text = f"thread {name_tid(row.tid)}: {plural(row.stalls, 'stall')}, "
    text += f"{format_duration(row.stalled_ns)} in all"
    if row.new_stalls:
        text += f", {format_count(row.new_stalls)} just now"
    if row.worst:
        text += f"; longest wait in one call: {format_duration(row.worst_ns)} in {row.worst}"
    return text


def findings(picture: Picture, order: str, room: int) -> list[Line]:
    """Each with its place, its cost, what shows it and what to do."""
    if not picture.findings:
        return [
            [("What is wrong, judged by the whole trace so far.", "faint")],
            [],
            *([(escape(cut_to), "")] for text in picture.outcomes for cut_to in wrap(text, room)),
        ]
    lines: list[Line] = [[("What is wrong, judged by the whole trace so far.", "faint")]]
    for row in picture.findings:
        lines += [[], *_finding(row, room)]
    return lines


def _finding(row: FindingRow, room: int) -> list[Line]:
    found = row.finding
    title = escape(f"{found.severity.upper()} {found.id}: {found.title}")
    lines: list[Line] = [[(one, _SEVERITIES.get(found.severity, ""))] for one in wrap(title, room)]
    place = f"{where(found, row.process)}; first seen at {format_duration(row.since_ns)}"
    if found.cost_ns is not None:
        place += f"; costs {format_duration(found.cost_ns)}"
    lines += [[(one, "")] for one in wrap(escape(place), room, indent="  ")]
    told = [("line", line) for line in found.lines]
    follows = [("then", symptom(one)) for one in found.symptoms]
    for label, text in (
        *told,
        ("alike", alike(found)),
        ("seen", evidence(found)),
        *follows,
        ("do", found.advice),
    ):
        first = f"  {label:<5} "
        if text:
            wrapped = wrap(escape(text), room, indent=" " * len(first), first=first)
            lines += [[(one, "faint" if label == "seen" else "")] for one in wrapped]
    return lines


_Page = Callable[[Picture, str, int], list[Line]]

PAGES: dict[str, tuple[_Page, list[str]]] = {
    "threads": (threads, list(ordering.THREADS)),
    "calls": (calls, list(ordering.CALLS)),
    "loops": (loops, list(ordering.LOOPS)),
    "requests": (requests, list(ordering.REQUESTS)),
    "findings": (findings, []),
}
"""Name -> the page and its orders."""
