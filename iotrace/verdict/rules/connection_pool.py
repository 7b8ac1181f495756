# SPDX-License-Identifier: Apache-2.0
"""Threads that wait for a free connection of a pool."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.stacks import InCall, Line
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.number_formats import duration
from iotrace.verdict.pool_locks import waits_in_c
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, purpose_of
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import QUEUES, Hit, Rank, Rule, always, covers
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.stuck import Stuck, group_held_text, in_calls, stuck_lines
from iotrace.verdict.told_lines import MOST, ToldLine

LEAST_NS = 500_000_000
"""Waits of all threads together."""
LEAST_SHARE = 0.1
"""Of the time traced."""


def _exhausted(profile: ProcessProfile) -> Iterator[Hit]:
    waiting = [
        one
        for one in in_calls(profile)
        if one.purpose is Purpose.POOL or waits_in_c(one.call, profile)
    ]
    lines = [
        one for one in profile.process.lines if _for_a_connection(one) or waits_in_c(one, profile)
    ]
    waited = max(sum(one.held_ns for one in waiting), sum(one.wait_ns for one in lines))
    whole = whole_of(waited, profile, NOTICED_NS, ("lock",))
    if waited < max(LEAST_NS, LEAST_SHARE * whole.ns):
        return
    longest = max([one.held_ns for one in waiting] + [one.max_ns for one in lines])
    if whole.requests and longest < NOTICED_NS:
        return
    named = _pool_name(waiting, lines)
    evidence: dict[str, float | int | str] = {
        "pool": named,
        "waits": sum(one.calls + one.in_flight for one in lines) or len(waiting),
        "waited_ns": waited,
        "longest_ns": longest,
        "threads_waiting": len(waiting),
    }
    yield Hit(
        evidence,
        waited,
        waiting[0].tid if len(waiting) == 1 else None,
        severity="high",
        lines=_lines(waiting, lines, profile),
        title=_title(waiting, named, longest, profile),
        whole=whole,
    )


def _lines(
    waiting: list[Stuck], lines: list[Line], profile: ProcessProfile
) -> tuple[ToldLine, ...]:
    """Who waits at the end, then who else has waited: that nobody does just now is chance."""
    here = {_place(one.call) for one in waiting}
    others = [one for one in lines if _place(one) not in here]
    return (*stuck_lines(waiting), *waiting_lines(others, profile.process))[:MOST]


def _place(one: InCall | Line) -> tuple[str, str] | None:
    return (one.own_stack[0].file, one.own_stack[0].function) if one.stack else None


def _for_a_connection(line: Line) -> bool:
    call = InCall(line.syscall, line.kind, line.fd, "", 0, 0, own=line.own, stack=line.stack)
    return purpose_of(call) is Purpose.POOL


def _pool_name(waiting: list[Stuck], lines: list[Line]) -> str:
    """ "QueuePool._do_get (sqlalchemy/pool/impl.py)"."""
    stack = waiting[0].call.stack if waiting else lines[0].stack
    library = library_frames(stack) or stack[:1]
    for frame in library:
        if short_name(frame) not in ("wait", "get", "acquire", "_wait") or "pool" in frame.file:
            return f"{frame.function} ({'/'.join(frame.file.rsplit('/', 2)[-2:])})"
    return library[0].function


def _title(waiting: list[Stuck], named: str, longest: int, profile: ProcessProfile) -> str:
    if not waiting:
        return f"Connection pool exhausted: threads queue for up to {duration(longest)} in {named}"
    first = max(waiting, key=lambda one: one.held_ns)
    who = "1 thread waits" if len(waiting) == 1 else f"{len(waiting)} threads wait"
    title = f"Connection pool exhausted: {who} {group_held_text(waiting, profile)} in {named}"
    return (
        f"{title}; others have waited for up to {duration(longest)}"
        if first.held_ns < longest
        else title
    )


EXHAUSTED = Rule(
    "IO143",
    "Connection pool exhausted: threads wait for a free connection",
    "All connections are taken. Give each one back (with-blocks; close() in finally): a path that "
    "keeps one for good empties the pool. Hold none while waiting for something else. If each is "
    "used briefly, raise the pool's size; give the wait a short timeout.",
    _exhausted,
    explains={
        "IO104": covers,
        "IO141": always,
        "IO142": always,
        "IO165": always,
        **QUEUES,
    },
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)
