"""Line rows: which places in a Python program made slow calls, which stalled its loops."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from iotrace.pystack import code_objects
from iotrace.report.stacks import Culprit, Frame, Line, Wake
from iotrace.report_builder.call_rows import percentiles
from iotrace.snapshot.totals import CulpritTotals, LineTotals, WakeTotals

Stacks = Mapping[int, tuple[code_objects.Frame, ...]]
"""Frames by the hash of their stack, innermost first."""

_LIBRARY = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python\d(?:\.\d+)?/|^<frozen ")


def own_place(stack: Sequence[Frame]) -> int:
    """Place of the innermost frame that no library has; of the innermost one if there is none."""
    return next((place for place, frame in enumerate(stack) if not _LIBRARY.search(frame.file)), 0)


def line_row(
    syscall: str, kind: str, totals: LineTotals, frames: Sequence[code_objects.Frame]
) -> Line:
    """One row; ``frames`` () where the stack could not be kept."""
    stack = named_stack(frames)
    return Line(
        tid=totals.tid,
        syscall=syscall,
        kind=kind,
        fd=None if totals.fd < 0 else totals.fd,
        calls=totals.calls,
        in_flight=totals.in_flight,
        total_ns=totals.total_ns,
        wait_ns=totals.wait_ns,
        runq_ns=totals.runq_ns,
        copy_ns=totals.copy_ns,
        max_ns=totals.max_ns,
        own=own_place(stack),
        stack=stack,
        latency_ns=percentiles(totals.latency, totals.max_ns) if totals.calls else None,
    )


def wake_row(
    kind: str,
    totals: WakeTotals,
    frames: Sequence[code_objects.Frame],
    waker: Sequence[code_objects.Frame],
) -> Wake:
    """One row; ``waker``: the frames of the thread that ended the waits."""
    stack, waker_stack = named_stack(frames), named_stack(waker)
    return Wake(
        kind=kind,
        calls=totals.calls,
        wait_ns=totals.wait_ns,
        max_ns=totals.max_ns,
        tid=totals.tid,
        own=own_place(stack),
        stack=stack,
        waker_own=own_place(waker_stack),
        waker_stack=waker_stack,
    )


def culprit_row(
    cause: str, syscall: str, kind: str, totals: CulpritTotals, frames: Sequence[code_objects.Frame]
) -> Culprit:
    """One row; ``syscall`` "" where the cause is no call."""
    stack = named_stack(frames)
    return Culprit(
        cause=cause,
        syscall=syscall,
        kind=kind,
        fd=None if totals.fd < 0 else totals.fd,
        count=totals.stalls,
        total_ns=totals.total_ns,
        cpu_ns=totals.cpu_ns,
        runq_ns=totals.runq_ns,
        gil_ns=totals.gil_ns,
        call_ns=totals.call_ns,
        max_ns=totals.max_ns,
        own=own_place(stack),
        stack=stack,
    )


def named_stack(frames: Sequence[code_objects.Frame]) -> tuple[Frame, ...]:
    """The frames as a report has them."""
    return tuple(Frame(frame.function, frame.file, frame.line, frame.suspends) for frame in frames)
