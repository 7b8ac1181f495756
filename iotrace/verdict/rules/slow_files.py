# SPDX-License-Identifier: Apache-2.0
"""Waits for a file system: reads, writes, look-ups, changes of files."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Call, Descriptor
from iotrace.report.stacks import Line
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import QUEUES, Hit, Rule, always
from iotrace.vocabulary.calls import FILE_CALLS, FILE_LOCKS
from iotrace.vocabulary.kinds import FILES

LEAST_SHARE = 0.1
"""Of the time traced, of all threads together."""
LEAST_WAIT_NS = 100_000_000
LONG_NS = 10_000_000
"""The longest call, at least: a disk that is not overloaded answers sooner."""


def _slow(profile: ProcessProfile) -> Iterator[Hit]:
    calls = [one for one in profile.process.calls if one.wait_ns and _on_files(one)]
    waited = sum(one.wait_ns for one in calls)
    if waited < max(LEAST_WAIT_NS, LEAST_SHARE * profile.wall_ns):
        return
    worst = max(calls, key=lambda one: one.wait_ns)
    longest = max((one.latency_ns.max for one in calls if one.latency_ns), default=0)
    unreturned = sum(one.in_flight for one in calls)
    if longest < LONG_NS and not unreturned:
        return
    evidence: dict[str, float | int | str] = {
        "call": worst.syscall,
        **profile.count_of(worst),
        "waited_ns": waited,
        "longest_ns": max(longest, 0 if worst.calls else worst.wait_ns),
    }
    if unreturned:
        evidence["not_returned"] = unreturned
    file = _file(profile, worst)
    if file is not None:
        evidence["path"] = file.local
        if file.file_system:
            evidence["file_system"] = file.file_system
    tids = {one.tid for one in calls}
    lines = [one for one in profile.process.lines if _on_files(one)]
    yield Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        file.fd if file is not None else None,
        lines=waiting_lines(lines, profile.process),
        title=f"The file system is slow: {worst.syscall}"
        + (f" of {file.local}" if file is not None else "")
        + " is waited for",
    )


def _on_files(one: Call | Line) -> bool:
    if one.syscall in FILE_LOCKS:
        return False
    return one.syscall in FILE_CALLS or one.kind in FILES


def _file(profile: ProcessProfile, call: Call) -> Descriptor | None:
    """The file that was waited for longest; None: calls that take a path leave none."""
    rows = [
        one
        for one in profile.process.descriptors
        if one.kind == call.kind and one.kind in FILES and one.wait_ns and one.local
    ]
    return max(rows, key=lambda one: one.wait_ns, default=None)


SLOW = Rule(
    "IO152",
    "The file system is slow, and calls on files are waited for",
    "See which disk or mount it is and who else uses it (iostat -x 1, nfsstat, df). Keep files "
    "that are written or touched for each request or heartbeat on a tmpfs (/dev/shm; gunicorn: "
    "--worker-tmp-dir /dev/shm), write in larger pieces and from another thread, fsync less often.",
    _slow,
    explains={"IO146": always, **QUEUES},
)
