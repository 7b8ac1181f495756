# SPDX-License-Identifier: Apache-2.0
"""Whether work is given to a pool all the time, or was given at once: what a process that has done
so keeps are the results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_library
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import awaits_result

GOING_ON_SHARE = 1 / 3
"""Of the trace without the thread's waits for a CPU, it gives work, or is in the function that does
between two pieces: a single burst is over sooner."""


def goes_on(
    profile: ProcessProfile,
    places: Collection[Frame],
    tids: Collection[int],
    gives: Callable[[Sequence[Frame]], bool],
) -> bool:
    """Whether threads ``tids`` are at giving work for a large part of the trace, and longer than
    they wait for results. ``places``: the program's own frames that give; ``gives``: a stack that
    leads through the pool's functions which take work."""
    functions = {(one.file, one.function) for one in places}
    giving = awaiting = 0
    for tid, spent_ns, stack in _spent(profile):
        if tid not in tids:
            continue
        own = next((one for one in stack if not in_library(one)), None)
        if awaits_result(stack):
            awaiting += spent_ns
        elif gives(stack) or (own is not None and (own.file, own.function) in functions):
            giving += spent_ns
    waited = max((_for_cpu_ns(profile, tid) for tid in tids), default=0)
    return giving > awaiting and giving >= GOING_ON_SHARE * (profile.wall_ns - waited)


def _spent(profile: ProcessProfile) -> Iterator[tuple[int, int, Sequence[Frame]]]:
    """(thread, time, stack) of samples and of slow calls."""
    for sample in profile.process.cpu_samples:
        yield sample.tid, sample.cpu_ns, sample.stack
    for line in profile.process.lines:
        yield line.tid, line.total_ns, line.stack


def _for_cpu_ns(profile: ProcessProfile, tid: int) -> int:
    row = profile.threads.get(tid)
    return row.runq_ns if row else 0
