"""Which Python line a finding is about, where stacks were kept."""

from __future__ import annotations

from iotrace.report.model import Loop, Process
from iotrace.report.stacks import Culprit, Frame

_CAUSES = {
    "cpu": "computing",
    "gil": "holding the GIL that the loop waits for",
    "runq": "ready, but without a CPU",
}


def spell(frame: Frame) -> str:
    """``orders.py:88 fetch_price``."""
    return f"{frame.file.rpartition('/')[2]}:{frame.line or '?'} {frame.function}"


def stalled_line(process: Process, loop: Loop) -> str | None:
    """The line that is to be blamed for most of a loop's stalls, and what it did.

    ``orders.py:88 fetch_price -> blocking recvfrom to 10.0.0.7:443``; None: it is not known.
    """
    culprits = [one for one in (loop.stalls.culprits if loop.stalls else ()) if one.stack]
    if not culprits:
        return None
    worst = max(culprits, key=lambda one: one.total_ns)
    return f"{spell(worst.own_stack[0])} -> {_deed(process, worst)}"


def _deed(process: Process, one: Culprit) -> str:
    if one.cause != "call":
        return _CAUSES[one.cause]
    peers = {row.peer for row in process.descriptors if (row.fd, row.kind) == (one.fd, one.kind)}
    peer = peers.pop() if len(peers) == 1 else ""
    return f"blocking {one.syscall}" + (f" to {peer}" if peer else "")


def calling_line(process: Process, tid: int, syscall: str, kind: str) -> str | None:
    """The line from which a thread waited longest in such a call; None: it is not known."""
    lines = [
        one
        for one in process.lines
        if (one.tid, one.syscall, one.kind) == (tid, syscall, kind) and one.stack
    ]
    if not lines:
        return None
    worst = max(lines, key=lambda one: one.wait_ns)
    return spell(worst.own_stack[0])
