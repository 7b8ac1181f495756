# SPDX-License-Identifier: Apache-2.0
"""What stands around each page: the head, the tabs, the quality of the figures, the keys."""

from __future__ import annotations

from iotrace.live.cells import rate
from iotrace.live.page_rows import Picture
from iotrace.live.pages import PAGES
from iotrace.live.requests_page import in_short
from iotrace.live.styled_lines import Line
from iotrace.output.text import cut, escape, width
from iotrace.output.units import (
    format_count,
    format_percent,
    format_size,
    plural,
)


def head(picture: Picture, frozen: bool, until_ns: int | None, room: int) -> list[Line]:
    """Who and for how long; what it is; and how its busiest listener does."""
    one = picture.head
    who = f"{one.name} {one.pid}" + (f" and {one.processes - 1} more" if one.processes > 1 else "")
    passed = f"{one.passed_ns / 1e9:.0f} s"
    if until_ns is not None:
        passed += f" of {until_ns / 1e9:g} s"
    rest = f", {plural(one.threads, 'thread')}, {rate(one.calls_per_s)} calls/s, traced {passed} "
    mark = " FROZEN " if frozen else ""
    name = cut(escape(who), max(10, room - width(rest) - len(mark)))
    model = f"{one.model} (confidence {100 * one.confidence:.0f} %)"
    shown = escape(model) if one.model else "Which I/O model: not enough seen yet."
    lines: list[Line] = [
        [(name, "strong"), (rest, ""), (mark, "chosen")],
        [(cut(shown, room), "strong")],
    ]
    if picture.requests:
        busiest = max(picture.requests, key=lambda row: row.per_s)
        lines.append([(cut(escape(in_short(busiest)), room), "")])
    return lines


def tabs(picture: Picture | None, page: str, room: int) -> Line:
    """The pages, with how much is on them where there is room for that."""
    counts = (
        {
            "threads": len(picture.threads),
            "calls": len(picture.calls),
            "loops": len(picture.loops),
            "requests": len(picture.requests),
            "findings": len(picture.findings),
        }
        if picture
        else {}
    )
    worst = [row.finding.severity for row in picture.findings] if picture else []
    for form in (" {0} {1} ({2}) ", " {0} {1} ({2})", " {0} {1} "):
        texts = [
            form.format(number, name, counts.get(name, 0))
            for number, name in enumerate(PAGES, start=1)
        ]
        if len(texts) + sum(map(len, texts)) <= room:
            break
    line: Line = []
    for name, text in zip(PAGES, texts, strict=True):
        alarm = "alarm" if "high" in worst else "warning"
        style = "chosen" if name == page else alarm if name == "findings" and worst else ""
        line += [(text, style), (" ", "")]
    return line


def quality(picture: Picture, room: int) -> Line:
    """How far to trust it."""
    known, whole_ns = picture.quality, picture.whole_ns
    lost = known.lost.total
    text = (
        f"  unaccounted {format_percent(known.unaccounted_ratio, 1.0)}"
        f"  tracer {format_percent(known.tracer_cpu_ns, whole_ns)} of CPU"
        f"  kernel memory {format_size(known.kernel_memory_bytes)}"
    )
    losses = f"LOST {format_count(lost)}: INCOMPLETE" if lost else "lost nothing"
    return [(losses, "alarm" if lost else "faint"), (text[: max(0, room - len(losses))], "faint")]


def keys(page: str, order: str, frozen: bool, room: int) -> Line:
    """What can be pressed."""
    sort = f"s sorted by {order}" if order else ""
    parts = [
        f"1-{len(PAGES)} tab page",
        sort,
        "f go on" if frozen else "f freeze",
        "↑↓ scroll",
        "q end and report",
    ]
    return [("   ".join(part for part in parts if part)[:room], "keys")]
