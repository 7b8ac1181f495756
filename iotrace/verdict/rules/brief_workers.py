# SPDX-License-Identifier: Apache-2.0
"""Processes that are forked for a little work and end: a pool that is made anew for each batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.classify.process_tree import forks, is_short_lived
from iotrace.verdict.cpu_samples import LEAST_SAMPLES, cpu_ns_of, most_sampled
from iotrace.verdict.frames import library_frames
from iotrace.verdict.number_formats import duration, figure
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.told_lines import MOST, ToldLine

LEAST_WORKERS = 10
PER_SECOND = 5.0
MOST_CPU_NS = 20_000_000
"""CPU time of each: forking one, its exit and what the parent does for it take some 5 ms (measured,
CPython 3.11: 1.7 + 0.9 ms of the parent, 0.8 ms of the child's kernel time, page faults); of more
work that is a small part."""
PARENT_NS = 2_600_000
"""Of that the parent's, for each, where its samples do not tell."""
MOST_LIFE_NS = 250_000_000
BUSY_SHARE = 0.2
"""Of the time traced, that the children compute, and the parent for them: else it costs nothing."""
_POOL = re.compile(r"/(?:multiprocessing/\w+|concurrent/futures/process)\.py$")
"""Who has them started: by this it is Python's own pools and processes, not commands."""


def _brief(profile: ProcessProfile) -> Iterator[Hit]:
    born = [one for one in profile.children if forks([one]) and _is_brief_fork(one, profile)]
    number = forks(born)
    if number < LEAST_WORKERS or profile.per_second(number) < PER_SECOND:
        return
    lived = sum(one.lived_ns for one in born) // number
    theirs = sum(one.total.cpu_ns for one in born)
    cpu_ns = theirs + _parents_ns(number, profile)
    if (
        lived > MOST_LIFE_NS
        or theirs > MOST_CPU_NS * number
        or cpu_ns < BUSY_SHARE * profile.wall_ns
    ):
        return
    lines = _lines(profile)
    if not lines:
        return
    a_second = figure(profile.per_second(number))
    yield Hit(
        {
            "processes_started": number,
            "per_second": round(profile.per_second(number), 1),
            "mean_life_ns": lived,
            "cpu_per_process_ns": theirs // number,
            "cpu_ns": cpu_ns,
        },
        min(cpu_ns, profile.wall_ns),
        lines=lines,
        title=f"Processes are started and end again and again, {a_second} a second: each lives "
        f"{duration(lived)} and computes for {duration(theirs // number)} of that, and to start "
        "and end a process takes milliseconds as well; most likely a pool is made anew for each "
        "batch of work",
    )


def _parents_ns(number: int, profile: ProcessProfile) -> int:
    """The CPU time that the parent takes for them, of all that it does."""
    samples = profile.process.cpu_samples
    if sum(one.samples for one in samples) < LEAST_SAMPLES:
        return min(PARENT_NS * number, profile.total.cpu_ns)
    return cpu_ns_of([one for one in samples if _by_pool(one.stack)])


def _is_brief_fork(one: ProcessProfile, parent: ProcessProfile) -> bool:
    """A command has another name than the program that has started it."""
    return is_short_lived(one) and one.process.name == parent.process.name


def _lines(profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where the program's own code has them started, which is the line to change, and waits for
    them."""
    waits = [one for one in profile.process.lines if one.wait_ns and _by_pool(one.stack)]
    computes = most_sampled(profile.process, _by_pool, "starts and ends them: most CPU samples")
    return (*computes, *waiting_lines(waits, profile.process))[:MOST]


def _by_pool(stack: Sequence[Frame]) -> Frame | None:
    """The program's own frame that has called Python's pools; None: it has not."""
    library = library_frames(stack)
    called = any(_POOL.search(frame.file) for frame in library)
    return stack[len(library)] if called and len(library) < len(stack) else None


BRIEF = Rule(
    "IO203",
    "Processes start and end again and again, for a little work each",
    "Make the pool once and keep it (one ProcessPoolExecutor or multiprocessing.Pool for the whole "
    "program, not `with ...:` around each batch; no maxtasksperchild=1), and give it larger pieces "
    "(map(..., chunksize=...)): starting a process costs milliseconds in the parent and in the "
    "child. For work of less than a millisecond threads, or none of it, may be quicker.",
    _brief,
    cost=Cost.CPU,
)
