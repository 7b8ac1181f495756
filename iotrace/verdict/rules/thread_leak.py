# SPDX-License-Identifier: Apache-2.0
"""Threads that are started again and again, wait for good, and never end."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Thread
from iotrace.verdict.frames import entry_of, short_name
from iotrace.verdict.number_formats import duration
from iotrace.verdict.pool_threads import pool_of
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.stuck import Stuck, in_calls, place_text, stuck_lines
from iotrace.vocabulary.kinds import SOCKETS

LEAST_THREADS = 20
"""Started while it was traced, and alive at the end."""
PARTS = 3
PART_SHARE = 0.2
"""So many of them began in each third of the trace: a pool that fills up stops growing."""
WAITS_SHARE = 0.8
"""Of its life, that such a thread has been in its last call."""


def _leaked(profile: ProcessProfile) -> Iterator[Hit]:
    rows = [row for row in profile.process.threads if row.started_ns > profile.process.started_ns]
    alive = {row.tid: row for row in rows if row.ended_ns is None and row.count == 1}
    groups: dict[tuple[str, str], list[Stuck]] = {}
    for one in in_calls(profile):
        entry = entry_of(one.call.stack)
        row = alive.get(one.tid)
        if row is not None and entry is not None and _waits_for_good(one, row):
            groups.setdefault((entry.file, entry.function), []).append(one)
    entered_ns = profile.duration_ns - profile.wall_ns  # maybe long after the trace began
    for group in groups.values():
        began = [max(0, alive[one.tid].started_ns - entered_ns) for one in group]
        if len(group) >= LEAST_THREADS and _goes_on(began, profile.wall_ns):
            yield _hit(group, profile)


def _waits_for_good(one: Stuck, row: Thread) -> bool:
    """Threads that serve a connection each have that to wait for; those of a pool are kept for
    work."""
    return (
        one.call.kind not in SOCKETS
        and not one.serves
        and not pool_of(one.call.stack)
        and one.held_ns >= WAITS_SHARE * row.lifetime_ns
    )


def _goes_on(began_ns: list[int], wall_ns: int) -> bool:
    parts = [0] * PARTS
    for one in began_ns:
        parts[min(PARTS - 1, PARTS * one // wall_ns)] += 1
    return min(parts) >= PART_SHARE * len(began_ns)


def _hit(group: list[Stuck], profile: ProcessProfile) -> Hit:
    first = group[0]
    entry = entry_of(first.call.stack)
    assert entry is not None
    where = place_text(first) or f"{entry.place} {short_name(entry)}"
    return Hit(
        {
            "threads_started": len(group),
            "per_second": round(profile.per_second(len(group)), 1),
            "threads_at_the_end": sum(
                row.count for row in profile.process.threads if row.ended_ns is None
            ),
            "runs": short_name(entry),
        },
        None,
        severity="medium",
        lines=stuck_lines(group),
        title=f"Threads leak: {len(group)} were started in {duration(profile.wall_ns)} and do not "
        f"end, they wait at {where}",
    )


LEAKED = Rule(
    "IO163",
    "Threads leak: they are started again and again, and never end",
    "Look for what starts them (Thread(target=...) of this function, or an object that has such a "
    "thread and is made for each request): make it once and share it, have a ThreadPoolExecutor "
    "with a limit, or end the thread when its work is done (a None through its queue, an Event, "
    "close() in finally). Each has a stack, and at the limit no thread can be started any more "
    "(RuntimeError: can't start new thread; ulimit -u, pids.max).",
    _leaked,
    explains={"IO114": always},
)
