# SPDX-License-Identifier: Apache-2.0
"""Slow requests that a pool's threads work on, for a thread that only reads and answers them.

By Little's law, what all slow requests took together is about what the pool's threads took for
them: a line that takes most of that, and not more, is where the requests' time goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.report.rows import Call
from iotrace.report.stacks import Line
from iotrace.verdict.frames import has_own
from iotrace.verdict.pool_threads import pool_of, threads_of_pools
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.slow_limits import LATE_NS
from iotrace.verdict.slow_places import LEAST_COUNT, LEAST_SHARE, tiers_of
from iotrace.vocabulary.calls import CONNECTS, FAMILIES, LOCKS
from iotrace.vocabulary.kinds import SOCKETS

MOST_SHARE = 1.25
"""Of the requests' time: more is work of the pool's that is for no request, or for quick ones.
Requests under way at the beginning or the end count in one of the two sums only."""
_UNKNOWN = ("poll", "elsewhere", "idle")
"""What the thread that reads and answers requests does while a pool works on them."""


@dataclass(frozen=True, slots=True)
class PooledRequests:
    """``count`` slow requests took ``latency_ns`` together; ``lines``: the calls at one place of
    the program's own, in threads of ``pool``, which took ``waited_ns`` of it."""

    pool: str
    count: int
    latency_ns: int
    waited_ns: int
    lines: tuple[Line, ...]


def pooled_requests(profile: ProcessProfile) -> PooledRequests | None:
    """What waits for peers and for locks has rules that say for which."""
    slow, _ = tiers_of(profile, LATE_NS)
    count, latency = sum(one.count for one in slow), sum(one.latency_ns for one in slow)
    unknown = sum(one.service_ns.get(part, 0) for one in slow for part in _UNKNOWN)
    if count < LEAST_COUNT or unknown < LEAST_SHARE * latency:
        return None
    groups: dict[tuple[str, str, int | None], list[Line]] = {}
    for line in profile.process.lines:
        if pool_of(line.stack) and has_own(line.stack):
            frame = line.own_stack[0]
            groups.setdefault((frame.file, frame.function, frame.line), []).append(line)
    lines = max(groups.values(), key=lambda group: sum(one.wait_ns for one in group), default=[])
    if not lines or any(map(_is_told_elsewhere, lines)):
        return None
    pool = pool_of(lines[0].stack)
    waited = sum(_of_calls(one, pool, profile) for one in lines)
    if not LEAST_SHARE * latency <= waited <= MOST_SHARE * latency:
        return None
    return PooledRequests(pool, count, latency, waited, tuple(lines))


def _of_calls(line: Line, pool: str, profile: ProcessProfile) -> int:
    """What the pool's threads waited in such calls, by this line's share of those that are known by
    line: Python's stacks may be followed only some time after the trace has begun."""
    tids = {row.tid for name, _, row in threads_of_pools(profile) if name == pool}
    rows = [call for tid in tids for call in profile.calls.get(tid, ())]
    waited = sum(one.wait_ns for one in rows if _kind(one) == _kind(line))
    known = sum(one.wait_ns for one in profile.process.lines if _kind(one) == _kind(line))
    return max(line.wait_ns, waited * line.wait_ns // max(1, known))


def _kind(one: Call | Line) -> tuple[str, str]:
    return one.syscall, one.kind


def _is_told_elsewhere(line: Line) -> bool:
    return line.kind in SOCKETS or line.syscall in (*LOCKS, *FAMILIES, *CONNECTS)
