# SPDX-License-Identifier: Apache-2.0
"""A child process that is waited for: by looking for its end again and again, or in requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Line
from iotrace.verdict.child_names import child_names
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import captures_output, serves
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import QUEUES, Hit, Rule, always
from iotrace.verdict.slow_limits import LATE_NS, NOTICED_NS
from iotrace.verdict.slow_places import tiers_of
from iotrace.vocabulary.calls import CHILD_WAITS

LEAST_SHARE = 0.05
LEAST_WAIT_NS = 200_000_000
LEAST_SLOW = 3
"""Requests that took long: fewer are no habit."""
REQUESTS_SHARE = 0.5
"""Of the time of slow requests, in which threads that serve waited for a child."""
_FILE = "/subprocess.py"
_FUNCTIONS = ("_wait", "wait")


def _polled(profile: ProcessProfile) -> Iterator[Hit]:
    lines = [one for one in lines_of_category(profile.process, "sleeps") if _waits_for_child(one)]
    waited = sum(one.wait_ns for one in lines)
    whole = whole_of(waited, profile, NOTICED_NS, ("sleep",))
    if waited < max(LEAST_WAIT_NS, LEAST_SHARE * whole.ns):
        return
    tids = {one.tid for one in lines}
    yield Hit(
        {
            "looks": sum(one.calls + one.in_flight for one in lines),
            "waited_ns": waited,
        },
        waited,
        tids.pop() if len(tids) == 1 else None,
        lines=waiting_lines(lines, profile.process),
        whole=whole,
    )


def _served(profile: ProcessProfile) -> Iterator[Hit]:
    """Slow requests that wait for a child's end, or for the end of its output."""
    slow, _ = tiers_of(profile, LATE_NS)
    count = sum(one.count for one in slow)
    lines = [one for one in profile.process.lines if _of_request(one)]
    waited = _waited_ns(lines, profile)
    if count < LEAST_SLOW or waited < REQUESTS_SHARE * sum(one.latency_ns for one in slow):
        return
    tids = {one.tid for one in lines}
    waits = sum(one.calls + one.in_flight for one in lines)
    mean_ns = sum(one.wait_ns for one in lines) // max(1, waits)
    if mean_ns < LATE_NS:
        return
    most = max(lines, key=lambda one: one.wait_ns).own_stack[0]
    yield Hit(
        {"slow_requests": count, "waits": waits, "mean_wait_ns": mean_ns, "waited_ns": waited},
        waited,
        tids.pop() if len(tids) == 1 else None,
        lines=waiting_lines(lines, profile.process),
        title=f"Requests wait for a child process{child_names(profile)} at {most.place} "
        f"{most.function}: {duration(mean_ns)} on average, and {plural(count, 'request')} took "
        f"{duration(LATE_NS)} or longer",
        advice="The program that is run takes that long: its own rows tell where its time goes. "
        "Do the work in this process, start the program once and talk to it, keep what it gave, or "
        "hand it to a task queue and answer at once; limit it by a timeout.",
    )


def _of_request(line: Line) -> bool:
    ends = line.syscall in CHILD_WAITS or captures_output(line.stack)
    return bool(line.wait_ns) and ends and serves(line.stack)


def _waited_ns(lines: Sequence[Line], profile: ProcessProfile) -> int:
    """By lines, which may be followed later than waits; or all waits for children of these threads,
    where none has a line elsewhere."""
    tids = {one.tid for one in lines}
    told = [one for one in profile.process.lines if one.tid in tids and one not in lines]
    elsewhere = any(one.syscall in CHILD_WAITS for one in told)
    of_threads = sum(
        profile.threads[tid].wait_ns["child"] for tid in tids if tid in profile.threads
    )
    return max(sum(one.wait_ns for one in lines), 0 if elsewhere else of_threads)


def _all(profile: ProcessProfile) -> Iterator[Hit]:
    polled = list(_polled(profile))
    yield from polled or _served(profile)


def _waits_for_child(line: Line) -> bool:
    return any(
        frame.file.endswith(_FILE) and frame.plain_function in _FUNCTIONS
        for frame in line.stack[:2]
    )


POLLED = Rule(
    "IO158",
    "Waits for a child process: subprocess polls, with sleeps",
    "These sleeps are not the program's: Popen.wait(timeout) looks every 50 ms at most whether the "
    "child has ended. What takes the time is the child: trace that one, or run it elsewhere (a "
    "queue and a worker). Without a timeout it sleeps in wait4 and does not look; in "
    "asyncio: asyncio.create_subprocess_exec().",
    _all,
    explains={"IO117": always, **QUEUES},
)
