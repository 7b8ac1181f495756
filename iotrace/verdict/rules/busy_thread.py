# SPDX-License-Identifier: Apache-2.0
"""A thread that never sleeps, and serves nobody meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import busy_lines
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.thread_activity import Activity

NEVER_SLEEPS_SHARE = 0.95
"""Of its lifetime that it runs, or would run if it had a CPU or the GIL."""
LEAST_LIFETIME_NS = 1_000_000_000
CPU_SHARE = 0.1
"""Of its lifetime that it has run at least: else the lack of a CPU or of the GIL is the matter."""
STALLS_SHARE = 0.5
"""Of its CPU time."""
CPU_PER_OPERATION_NS = 10_000_000
"""CPU time for each call that moved data or accepted: a thread that serves has less of it."""


def _never_sleeps(profile: ProcessProfile) -> Iterator[Hit]:
    serves = bool(profile.listening_ports()) or bool(profile.loop_threads())
    for tid, seen in profile.threads.items():
        if not tid or not _is_busy(seen) or _stalls(seen):
            continue
        evidence: dict[str, float | int | str] = {
            "cpu_ns": seen.cpu_ns,
            "cpu_share_ratio": round(seen.cpu_ns / seen.lifetime_ns, 3),
            "sleeps": seen.voluntary,
            "useful_io_calls": seen.operations,
        }
        commonest = max(profile.calls[tid], key=lambda one: one.calls or 0, default=None)
        if commonest is not None and commonest.calls:
            evidence["commonest_call"] = commonest.syscall
            evidence["calls_per_second"] = round(profile.per_second(commonest.calls))
            errors = commonest.errors or {}
            if errors:
                evidence["its_commonest_error"] = max(errors, key=lambda name: errors[name])
        yield Hit(
            evidence,
            seen.cpu_ns,
            tid,
            severity="medium" if serves else "low",
            lines=busy_lines(profile.process, tid),
        )


def _is_busy(seen: Activity) -> bool:
    wants = seen.cpu_ns + seen.runq_ns + seen.gil.wait_ns
    return (
        seen.lifetime_ns >= LEAST_LIFETIME_NS
        and wants >= NEVER_SLEEPS_SHARE * seen.lifetime_ns
        and seen.cpu_ns >= CPU_SHARE * seen.lifetime_ns
        and seen.operations * CPU_PER_OPERATION_NS <= seen.cpu_ns
    )


def _stalls(seen: Activity) -> bool:
    """It is an event loop whose long iterations take most of its CPU time: IO103 tells of them."""
    in_stalls = sum(loop.stalls.cpu_ns for loop in seen.multiplexers if loop.stalls)
    return in_stalls >= STALLS_SHARE * seen.cpu_ns


NEVER_SLEEPS = Rule(
    "IO133",
    "A thread never sleeps: it takes all the CPU time that it gets",
    "If it computes, move the work to another process (ProcessPoolExecutor): it keeps the GIL from "
    "the threads that serve. If it goes round in a loop, let it wait for an event, a queue or "
    "readiness instead of looking again.",
    _never_sleeps,
    explains={"IO105": always, "IO113": always},
)
