# SPDX-License-Identifier: Apache-2.0
"""An event loop that is kept from its multiplexer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Loop
from iotrace.report.stacks import StallCause
from iotrace.verdict.advice import instead_of_blocking, instead_of_computing
from iotrace.verdict.cpu_samples import busy_lines, by_function, cpu_ns_of, importing
from iotrace.verdict.frames import in_library
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import stalled_lines
from iotrace.verdict.rules.rule import Cost, Hit, Rule, Tells, always
from iotrace.verdict.stack import in_green_thread, stack_of
from iotrace.verdict.told_lines import MOST
from iotrace.verdict.work_sources import has_time

OWN_SHARE = 0.5
"""Of the stalls' time that is not in the run queue: else the cause is a lack of CPU time..."""
SAMPLED_SHARE = 0.5
"""Of the CPU time of the stalls, and of the thread: in a function of the program that no stall was
seen in."""
STALL_NS = 50_000_000
"""... unless that time alone makes each of them a stall. A call that blocks for less is named only
where blocking takes most of the time."""


def _stalled(profile: ProcessProfile) -> Iterator[Hit]:
    turn_takers = profile.turn_takers()
    for tid, seen in profile.loop_threads().items():
        for loop in seen.multiplexers:
            stalls = loop.stalls
            if stalls is None or not stalls.count:
                continue
            own = stalls.total_ns - stalls.runq_ns
            if own < min(OWN_SHARE * stalls.total_ns, STALL_NS * stalls.count):
                continue
            waits = {reason: ns for reason, ns in stalls.wait_ns.items() if ns}
            if tid in turn_takers and waits.get("lock", 0) > OWN_SHARE * stalls.total_ns:
                continue
            evidence: dict[str, float | int | str] = {
                "stalls": stalls.count,
                "longest_ns": loop.busy_ns.max if loop.busy_ns else stalls.total_ns,
                "mean_ns": stalls.total_ns // stalls.count,
                "on_cpu_ns": stalls.cpu_ns,
                "runq_ns": stalls.runq_ns,
                **{f"blocked_in_{reason}_ns": ns for reason, ns in waits.items()},
            }
            fd = None
            blocks = stalls.cpu_ns <= OWN_SHARE * own
            if stalls.worst is not None and (blocks or stalls.worst.wait_ns >= STALL_NS):
                evidence |= {
                    "longest_blocking_call": stalls.worst.syscall,
                    "longest_block_ns": stalls.worst.wait_ns,
                }
                fd = stalls.worst.fd
            stack = stack_of(profile, tid)
            imports = not blocks and importing(profile.process, tid)
            if imports:
                advice = _IMPORT
            elif waits and blocks:
                advice = instead_of_blocking(stack, max(waits, key=lambda reason: waits[reason]))
            else:
                green = _GREEN if in_green_thread(profile, tid) else ""
                advice = green + instead_of_computing(stack)
            lines = stalled_lines(profile.process, loop)
            if not blocks and (not lines or _is_elsewhere(loop, tid, stalls.cpu_ns, profile)):
                busy = busy_lines(profile.process, tid, callbacks=True)
                lines = (*busy, *lines)[:MOST]
            low = "low" if has_time({tid}, profile) else None
            title = "" if blocks else _IMPORTS if imports else _COMPUTES
            yield Hit(evidence, own, tid, fd, severity=low, lines=lines, title=title, advice=advice)


def _is_elsewhere(loop: Loop, tid: int, stalled_ns: int, profile: ProcessProfile) -> bool:
    """Whether stalls were seen in a framework's code only, where a function of the program had just
    returned to it, and samples find the thread in that function for most of as long."""
    if any(not in_library(frame) for one in _causes(loop) for frame in one.stack):
        return False
    rows = [one for one in profile.process.cpu_samples if one.tid == tid]
    most = next(iter(by_function(rows)), [])
    return (
        bool(most)
        and not in_library(most[0].own_stack[0])
        and cpu_ns_of(most) >= SAMPLED_SHARE * max(stalled_ns, cpu_ns_of(rows))
    )


def _causes(loop: Loop) -> Sequence[StallCause]:
    return loop.stalls.causes if loop.stalls else ()


_GREEN = (
    "Threads are patched here (gevent, eventlet): what a Thread or a ThreadPoolExecutor runs is a "
    "greenlet of the loop's own thread, and nothing else runs while it computes. "
)
_IMPORTS = "Event loop stalled: it imports modules for over 50 ms at a time, and delays the others"
_IMPORT = (
    "Import what is needed before the loop starts, or in a thread (asyncio: await "
    "asyncio.to_thread(importlib.import_module, name)); an import inside of a function runs when "
    "it is first called, in a request."
)
_COMPUTES = "Event loop stalled: it computes for over 50 ms at a time, and delays the others"

STALLED = Rule(
    "IO103",
    "Event loop stalled: iterations of over 50 ms delay the others",
    "Take the long part out of the loop's thread: await loop.run_in_executor(None, work) for "
    "blocking calls, a process pool for computing; or split it and give way with "
    "await asyncio.sleep(0). Where no line is named above, asyncio's debug mode names it "
    "(loop.slow_callback_duration).",
    _stalled,
    explains={"IO105": always},
    tells=Tells.WAIT,
    cost=Cost.TIME,
)
