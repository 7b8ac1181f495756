# SPDX-License-Identifier: Apache-2.0
"""Iterations of an event loop that are no stall each, and come to much together."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Loop
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import busy_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.verdict.thread_activity import Activity

LONG_NS = 10_000_000
"""An iteration from here on is felt by whoever waits for the next."""
STALL_NS = 50_000_000
"""From here on it is a stall, which IO103 tells of."""
LEAST_COUNT = 10
SHARE = 0.2
"""Of the time traced, on a CPU in such iterations: then a fifth of all requests meet one."""


def _busy(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.loop_threads().items():
        for loop in seen.multiplexers:
            count, total_ns = _long_iterations(loop)
            computing_ns = int(total_ns * _on_cpu_share(seen))
            if (
                count >= LEAST_COUNT
                and computing_ns >= SHARE * profile.wall_ns
                and computing_ns >= LONG_NS * count
            ):
                yield Hit(
                    {
                        "iterations_over_10_ms": count,
                        "mean_ns": total_ns // count,
                        "on_cpu_ns": computing_ns,
                        "loop_busy_ratio": round((loop.busy_total_ns or 0) / profile.wall_ns, 3),
                    },
                    computing_ns,
                    tid,
                    lines=busy_lines(profile.process, tid),
                )


def _long_iterations(loop: Loop) -> tuple[int, int]:
    """How many, and how long together, by the middle of their buckets."""
    buckets = loop.busy_ns.histogram if loop.busy_ns else ()
    long = [(n, (low + high) // 2) for low, high, n in buckets if LONG_NS <= low < STALL_NS]
    return sum(n for n, _ in long), sum(n * middle for n, middle in long)


def _on_cpu_share(seen: Activity) -> float:
    """Of the time that the thread was not in its multiplexers."""
    away_ns = seen.lifetime_ns - sum(loop.wait_ns for loop in seen.loops)
    return min(1.0, seen.cpu_ns / away_ns) if away_ns > 0 else 0.0


LONG = Rule(
    "IO132",
    "Event loop computes 10 to 50 ms at a time: all others wait",
    "Do the work once instead of in each request (build clients, TLS contexts, parsers and "
    "templates at the start), or take it out of the loop's thread: await "
    "loop.run_in_executor(pool, work) with a process pool.",
    _busy,
    explains={"IO105": always, "IO103": covers},
)
