"""Which Python line a finding is about, where stacks were kept."""

from __future__ import annotations

from iotrace.report.model import Frame, Line, Loop, Process


def spell(frame: Frame) -> str:
    """``orders.py:88 fetch_price``."""
    return f"{frame.file.rpartition('/')[2]}:{frame.line or '?'} {frame.function}"


def stalled_line(loop: Loop) -> str | None:
    """The line that is to be blamed for most of a loop's stalls; None: it is not known."""
    culprits = [one for one in (loop.stalls.culprits if loop.stalls else ()) if one.stack]
    if not culprits:
        return None
    worst = max(culprits, key=lambda one: one.total_ns)
    return spell(worst.stack[worst.own])


def calling_line(process: Process, tid: int, syscall: str, kind: str) -> str | None:
    """The line from which a thread waited longest in such a call; None: it is not known."""
    lines: list[Line] = [
        one
        for one in process.lines
        if (one.tid, one.syscall, one.kind) == (tid, syscall, kind) and one.stack
    ]
    if not lines:
        return None
    worst = max(lines, key=lambda one: one.wait_ns)
    return spell(worst.stack[worst.own])
