# SPDX-License-Identifier: Apache-2.0
"""Servers that can do no more: what serves wants to compute all of the time.

That is no fault: any server is there under enough load. But it is what all of its requests wait
for, and the lines say what it computes for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.number_formats import figure, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.time_places import TimePlace
from iotrace.verdict.told_lines import ToldLine

LEAST_REQUESTS = 100
FULL_SHARE = 0.9
"""Of the time of the thread that serves, on a CPU, ready, or without the GIL: it has no time left
(a queue that is so busy is ten times as long as one that is half busy)."""
LEAST_LIFETIME = 0.5
"""Of the time traced: a thread for a single request does nothing else in its short life."""
ON_CPU_SHARE = 0.5
"""Of it, on a CPU: else the lack of a CPU or of the GIL is the matter."""
GIL_SHARE = 0.5
"""Of the time, that threads wait for the GIL, added up, while one has it."""


def at_its_limit(family: Sequence[ProcessProfile]) -> TimePlace | None:
    """The process that serves and computes all of the time, and what; None: it could do more."""
    for profile in family:
        requests = sum(row.exchanges for row in profile.process.requests)
        if requests >= LEAST_REQUESTS:
            rate = f"at {figure(profile.per_second(requests))} requests a second"
            place = _of_thread(rate, profile) or _of_all_threads(rate, profile)
            if place:
                return place
    return None


def _of_thread(rate: str, profile: ProcessProfile) -> TimePlace | None:
    """One thread serves, and its time is full."""
    serving = {tid: one for tid, one in profile.threads.items() if one.requests and tid}
    serving |= profile.loop_threads()
    if not serving:
        return None
    tid, seen = max(serving.items(), key=lambda item: item[1].wants_cpu_ns)
    whole = seen.lifetime_ns
    if whole < LEAST_LIFETIME * profile.wall_ns:
        return None
    if seen.wants_cpu_ns < FULL_SHARE * whole or seen.cpu_ns < ON_CPU_SHARE * whole:
        return None
    lines = busy_lines(profile.process, tid)
    return TimePlace(
        f"thread {tid}, which serves, computes, or waits for a CPU to compute, for "
        f"{share(seen.wants_cpu_ns, whole)} of its time, {rate}: it can do no more of them, and "
        "others wait.",
        profile,
        lines,
        _evidence(seen),
        seen.cpu_ns,
        _advice(lines),
    )


def _of_all_threads(rate: str, profile: ProcessProfile) -> TimePlace | None:
    """Threads that compute in turn: all of them together have one CPU, and the GIL is asked for."""
    seen, wall_ns = profile.total, profile.wall_ns
    waited_ns = sum(one.wait_ns["gil"] for one in profile.threads.values())
    if seen.cpu_ns < ON_CPU_SHARE * wall_ns or waited_ns < GIL_SHARE * wall_ns:
        return None
    lines = busy_lines(profile.process)
    return TimePlace(
        f"its threads compute for {share(seen.cpu_ns, wall_ns)} of the time, {rate}, one at a "
        f"time: others wait for Python's GIL meanwhile, {share(waited_ns, wall_ns)} of the time "
        "added up.",
        profile,
        lines,
        {**_evidence(seen), "gil_waited_ns": waited_ns},
        seen.cpu_ns,
        _advice(lines),
    )


def _advice(lines: Sequence[ToldLine]) -> str:
    starlette = any("starlette/middleware/base.py" in line.text for line in lines)
    return _LESS + (_PURE_ASGI if starlette else "")


def _evidence(seen: Activity) -> dict[str, float | int | str]:
    return {"on_cpu_ns": seen.cpu_ns, "without_cpu_ns": seen.runq_ns}


_LESS = (
    "Any server is there under enough load, so that is no fault. For more requests make cheaper "
    "what runs for each of them (the lines). More threads or tasks do not help, as one "
    "interpreter runs one of them at a time; more processes do (workers), where there are CPUs."
)
_PURE_ASGI = (
    " Each BaseHTTPMiddleware of Starlette (@app.middleware, many packages) makes a task group and "
    "streams for each request: a middleware of plain ASGI, or a dependency, does not."
)
