# SPDX-License-Identifier: Apache-2.0
"""Objects that are pickled from process to process, again and again: the work itself is less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Call
from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.cpu_samples import LEAST_SAMPLES, busy_lines, cpu_ns_of
from iotrace.verdict.frames import named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, covers
from iotrace.verdict.stuck import Stuck, in_calls, place_text
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import READS, WRITES
from iotrace.vocabulary.kinds import PIPES

CPU_SHARE = 0.3
"""Of the CPU time of a process, pickling or unpickling."""
WALL_SHARE = 0.1
"""Of the time traced."""
LEAST_BYTES_PER_SECOND = 1_000_000
"""Through pipes: less can be no large objects."""
_DUMPS = ("/multiprocessing/reduction.py:dumps", "/loky/backend/reduction.py:dumps")
_LOADS = (
    "/multiprocessing/queues.py:get",
    "/multiprocessing/connection.py:recv",
    "/loky/backend/queues.py:get",
)
"""Functions in which pickle runs: it is C, and has no frame of its own."""
PARENT = "pool_of"


def _pickling(profile: ProcessProfile) -> Iterator[Hit]:
    samples = profile.process.cpu_samples
    total = sum(one.samples for one in samples)
    dumps, loads = (_inside(samples, names) for names in (_DUMPS, _LOADS))
    seen = sum(one.samples for one in (*dumps, *loads))
    if seen < LEAST_SAMPLES or seen < CPU_SHARE * total:
        return
    cpu_ns = cpu_ns_of((*dumps, *loads))
    sent, received = (_bytes(profile, calls) for calls in (WRITES, READS))
    if (
        cpu_ns < WALL_SHARE * profile.wall_ns
        or profile.per_second(sent + received) < LEAST_BYTES_PER_SECOND
    ):
        return
    waited = sum(one.wait_ns for one in profile.process.calls if _writes_to_pipe(one))
    pickles = sum(one.samples for one in dumps) >= sum(one.samples for one in loads)
    waits = [one for one in in_calls(profile) if one.purpose is Purpose.RESULT and one.own]
    moved = max(sent, received)
    yield Hit(
        {
            PARENT: profile.process.pid if pickles else profile.process.parent or 0,
            "pickling_estimated_ns": cpu_ns,
            "of_cpu_time_ratio": round(seen / total, 3),
            "asleep_in_writes_to_pipes_ns": waited,
            "bytes_through_pipes": moved,
        },
        cpu_ns + (waited if pickles else 0),
        lines=(*map(_waits_line, waits[:1]), *busy_lines(profile.process)[:2]),
        title=f"{'Pickles objects for' if pickles else 'Unpickles objects of'} other processes: "
        f"{seen / total:.0%} of its CPU time, {profile.per_second(moved) / 1e6:,.0f} MB a second "
        "through pipes",
    )


def _inside(samples: Sequence[CpuSample], names: Sequence[str]) -> list[CpuSample]:
    """Samples whose innermost Python function is one of these."""
    return [one for one in samples if one.stack and _is_one_of(one.stack[0], names)]


def _is_one_of(frame: Frame, names: Sequence[str]) -> bool:
    return named(frame).endswith(tuple(names))


def _bytes(profile: ProcessProfile, calls: frozenset[str]) -> int:
    return sum(
        one.bytes or 0
        for one in profile.process.calls
        if one.syscall in calls and (one.kind in PIPES or one.kind == "unix")
    )


def _writes_to_pipe(one: Call) -> bool:
    return one.syscall in WRITES and one.kind in PIPES


def _waits_line(one: Stuck) -> ToldLine:
    return ToldLine(f"{place_text(one)} -> waits for a result")


PICKLED = Rule(
    "IO176",
    "Objects are pickled from process to process most of the time",
    "Give the workers what is large once, in place of with each task: as a global that is there "
    "before the pool forks, in its initializer=, in multiprocessing.shared_memory or a file that "
    "they map (numpy.memmap, joblib). Hand out keys and ranges, let workers return small results, "
    "and put many small tasks into one (chunksize=).",
    _pickling,
    explains={"IO132": covers, "IO133": always, "IO135": covers},
    shared=PARENT,
    cost=Cost.TIME,
)
