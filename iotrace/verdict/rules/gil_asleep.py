"""A native call that sleeps and keeps the GIL: all of Python waits, and no CPU is used."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Call
from iotrace.report.stacks import Line
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.vocabulary.calls import FAMILIES, LOCKS
from iotrace.vocabulary.kinds import GIL_KINDS

LEAST_NS = 100_000_000
"""A thread that computes gives the GIL up after 5 ms: no turn of several threads takes as long."""
MOST_CPU_SHARE = 0.5
"""Of the wait: if the process used more CPU than that, the holder may have computed."""
NEAREST, FARTHEST = 0.7, 1.5
"""The holder's longest call against the longest wait."""


def _asleep(profile: ProcessProfile) -> Iterator[Hit]:
    waits = [
        one
        for one in profile.process.calls
        if one.syscall == "futex" and one.kind in GIL_KINDS and _longest(one) >= LEAST_NS
    ]
    if not waits:
        return
    worst = max(waits, key=lambda one: one.wait_ns)
    if profile.total.cpu_ns > MOST_CPU_SHARE * worst.wait_ns:
        return
    longest = max(map(_longest, waits))
    holder = _holder(profile, {one.tid for one in waits}, longest)
    waiting = [
        one for one in profile.process.lines if one.syscall == "futex" and one.kind in GIL_KINDS
    ]
    evidence: dict[str, float | int | str] = {
        "threads_waiting": len(waits),
        "waited_ns": worst.wait_ns,
        "longest_ns": longest,
        "cpu_of_the_process_ns": profile.total.cpu_ns,
    }
    lines = waiting_lines(waiting, profile.process)
    if holder is None:
        who = "its holder sleeps, for the process hardly uses a CPU"
    else:
        evidence |= {"holder": holder.tid, "holder_sleeps_in": holder.syscall}
        frame = holder.own_stack[0]
        who = f"held by thread {holder.tid}, asleep in {holder.syscall} at {frame.place}"
        lines = (*waiting_lines([holder], profile.process), *lines)[:3]
    yield Hit(
        evidence,
        worst.wait_ns,
        worst.tid or None,
        severity="high",
        lines=lines,
        title=f"Python's GIL is kept by a native call that sleeps: threads wait up to "
        f"{duration(longest)} for it, {who}",
    )


def _longest(call: Call) -> int:
    return call.latency_ns.max if call.latency_ns else 0


def _holder(profile: ProcessProfile, waiting: set[int], longest_ns: int) -> Line | None:
    """The slow call of another thread that took as long as the wait."""
    found = [
        one
        for one in profile.process.lines
        if one.own_stack
        and one.syscall not in LOCKS | frozenset(FAMILIES)
        and (one.tid not in waiting or len(waiting) > 1)
        and NEAREST * longest_ns <= one.max_ns <= FARTHEST * longest_ns
    ]
    return min(found, key=lambda one: abs(one.max_ns - longest_ns), default=None)


ASLEEP = Rule(
    "IO145",
    "Python's GIL is kept by a native call that sleeps",
    "The call must let go of the GIL while it waits: ctypes.CDLL in place of PyDLL, "
    "Py_BEGIN_ALLOW_THREADS in an extension (Cython: with nogil). Until then make it in a process "
    "of its own.",
    _asleep,
    explains={"IO103": always, "IO105": always, "IO113": always},
    rank=Rank.STUCK,
)
