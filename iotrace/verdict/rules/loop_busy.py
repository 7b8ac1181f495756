# SPDX-License-Identifier: Apache-2.0
"""Iterations of an event loop that are no stall each, and come to much together."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Loop
from iotrace.verdict.cpu_samples import busy_lines, import_lines, import_share
from iotrace.verdict.idle_siblings import UNEVEN_ADVICE, idle_siblings
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, Tells, always, covers
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.work_sources import has_time

LONG_NS = 10_000_000
"""An iteration from here on is felt by whoever waits for the next."""
STALL_NS = 50_000_000
"""From here on it is a stall, which IO103 tells of."""
LEAST_COUNT = 10
SHARE = 0.2
"""Of the time traced, on a CPU in such iterations: then a fifth of all requests meet one."""
SATURATED_SHARE = 0.95
"""Of the loop's time on a CPU, or without one or the GIL: it never waits for anything to do."""
CPU_SHARE = 0.5
"""Of its time on a CPU: else the lack of one is the matter (IO112, IO113)."""
CPU_PER_REQUEST_NS = 500_000
"""CPU time for each request, where a loop at its limit serves less than two thousand a second; with
a framework and JSON it takes a half of that or less."""
LEAST_REQUESTS = 50
REQUESTS_PER_ITERATION = 0.2
"""A loop that spins has far fewer; IO106 and IO120 tell of that."""

IMPORT_SHARE = 0.5
"""Of its thread's CPU samples, in which modules were imported."""
_IMPORTS = "Event loop imports modules for 10 to 50 ms at a time, again and again: all others wait"

_ONCE = (
    "Import when the program starts, and not in the functions that requests call: a module that is "
    "imported is kept (sys.modules), unless importing it fails, which is tried anew each time (an "
    "optional package that is not installed: try it once, and keep the answer), or something takes "
    "it out again (reload)."
)


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
                others, evidence = idle_siblings(profile)
                imports = import_share(profile.process, [tid]) >= IMPORT_SHARE
                title, advice = (_IMPORTS, _ONCE) if imports else (LONG.title, LONG.advice)
                yield Hit(
                    {
                        "iterations_over_10_ms": count,
                        "mean_ns": total_ns // count,
                        "on_cpu_ns": computing_ns,
                        "loop_busy_ratio": round((loop.busy_total_ns or 0) / profile.wall_ns, 3),
                        **evidence,
                    },
                    computing_ns,
                    tid,
                    severity="low" if has_time({tid}, profile) else None,
                    lines=(import_lines(profile.process, [tid]) if imports else ())
                    or busy_lines(profile.process, tid),
                    title=f"{title}{others}",
                    advice=f"{advice}{UNEVEN_ADVICE if others else ''}",
                )


def _saturated(profile: ProcessProfile) -> Iterator[Hit]:
    loops = profile.loop_threads()
    served = [one for one in profile.process.requests if one.latency_ns and one.pickup_ns]
    requests = sum(one.exchanges for one in served)
    if len(loops) != 1 or requests < LEAST_REQUESTS:
        return
    ((tid, seen),) = loops.items()
    in_stalls = sum(loop.stalls.cpu_ns for loop in seen.multiplexers if loop.stalls)
    iterations = sum(loop.iterations or 0 for loop in seen.multiplexers)
    if (
        seen.wants_cpu_ns < SATURATED_SHARE * seen.lifetime_ns
        or seen.cpu_ns < max(CPU_SHARE * seen.lifetime_ns, CPU_PER_REQUEST_NS * requests)
        or in_stalls >= CPU_SHARE * seen.cpu_ns  # IO103 tells of them
        or requests < REQUESTS_PER_ITERATION * iterations
    ):
        return
    busiest = max(served, key=lambda one: one.exchanges)
    assert busiest.latency_ns and busiest.pickup_ns
    each = duration(seen.cpu_ns // requests)
    others, uneven = idle_siblings(profile)
    yield Hit(
        {
            "cpu_per_request_ns": seen.cpu_ns // requests,
            "requests": requests,
            "request_p50_ns": busiest.latency_ns.p50,
            "until_read_p50_ns": busiest.pickup_ns.p50,
            "cpu_ns": seen.cpu_ns,
            **uneven,
        },
        seen.cpu_ns,
        tid,
        severity="medium",
        lines=busy_lines(profile.process, tid, callbacks=True),
        title=f"Event loop is at its limit: it computes all the time, {each} of CPU for each "
        f"request, and the next ones wait in line{others}",
        advice="The lines say what the CPU time goes to: logging that formats and writes each "
        "record, serialising, validation, middleware. Do less of it for each request (log to a "
        "queue: logging.handlers.QueueHandler; a quicker JSON library), or run more processes "
        "(uvicorn --workers, gunicorn -w)." + (UNEVEN_ADVICE if others else ""),
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


def _all(profile: ProcessProfile) -> Iterator[Hit]:
    long = list(_busy(profile))
    yield from long or _saturated(profile)


LONG = Rule(
    "IO132",
    "Event loop computes 10 to 50 ms at a time: all others wait",
    "Do the work once instead of in each request (build clients, TLS contexts, parsers and "
    "templates at the start), or take it out of the loop's thread: await "
    "loop.run_in_executor(pool, work) with a process pool.",
    _all,
    explains={"IO105": always, "IO103": covers},
    tells=Tells.WAIT,
    cost=Cost.CPU,
)
