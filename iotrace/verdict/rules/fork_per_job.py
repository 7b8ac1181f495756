# SPDX-License-Identifier: Apache-2.0
"""A process for each job that reads its modules anew before it does anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.cpu_samples import LEAST_SAMPLES, LEAST_SHARE
from iotrace.verdict.frames import UNNAMED, in_library
from iotrace.verdict.number_formats import duration, figure, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.told_lines import MOST, ToldLine, frame_text
from iotrace.vocabulary.calls import FILE_LOOKS, FILE_OPENS

LEAST_JOBS = 4
JOBS_PER_SECOND = 0.5
BUSY_SHARE = 0.2
"""Of the time traced, that these processes take on a CPU."""
OPENED_EACH = 150
"""Files: an interpreter that starts and does nothing opens some 100 (strace, CPython 3.11)."""
CPU_PER_FILE_NS = 1_500_000
"""CPU time for each: a module that is imported takes 0.2 to 0.7 ms; with more it is the job that
computes."""
LOOKS_EACH = 150
"""Looks at paths, with which imports search for their files."""
STARTING_SHARE = 0.5
"""Of its life that such a process wants a CPU: who waits does a job that takes long."""


def _jobs(profile: ProcessProfile) -> Iterator[Hit]:
    ended = [one for one in profile.children if _was_born_and_ended(one)]
    if len(ended) < LEAST_JOBS or profile.per_second(len(ended)) < JOBS_PER_SECOND:
        return
    cpu_ns = sum(one.total.cpu_ns for one in ended)
    lived_ns = sum(one.wall_ns for one in ended)
    opened = sum(_calls(one, FILE_OPENS) for one in ended) // len(ended)
    looks = sum(_calls(one, tuple(FILE_LOOKS)) for one in ended) // len(ended)
    wanted_ns = sum(one.total.wants_cpu_ns for one in ended)
    if (
        cpu_ns < BUSY_SHARE * profile.wall_ns
        or wanted_ns < STARTING_SHARE * lived_ns
        or opened < OPENED_EACH
        or looks < LOOKS_EACH
        or cpu_ns > CPU_PER_FILE_NS * opened * len(ended)
    ):
        return
    each = cpu_ns // len(ended)
    yield Hit(
        {
            "processes_started": len(ended),
            "per_second": round(profile.per_second(len(ended)), 1),
            "cpu_per_process_ns": each,
            "files_opened_each": opened,
            "looks_at_paths_each": looks,
            "cpu_ns": cpu_ns,
        },
        cpu_ns,
        lines=_lines(ended),
        title=f"A process is started for each job, and each imports its modules anew: {opened} "
        f"files are opened and {duration(each)} of CPU time taken, "
        f"{figure(profile.per_second(len(ended)))} times a second",
    )


def _was_born_and_ended(one: ProcessProfile) -> bool:
    process = one.process
    return bool(process.pid) and process.started_ns > 0 and process.ended_ns is not None


def _lines(jobs: Sequence[ProcessProfile]) -> tuple[ToldLine, ...]:
    """Where the program's own code was when samples found any of them on a CPU: each is too brief
    to say by itself."""
    places, total = Counter[Frame](), 0
    for sample in (one for job in jobs for one in job.process.cpu_samples):
        total += sample.samples
        own = (one for one in sample.stack if one.file != UNNAMED and not in_library(one))
        place = next(own, None)
        if place is not None:
            places[place] += sample.samples
    if total < LEAST_SAMPLES:
        return ()
    return tuple(
        ToldLine(f"{frame_text(frame)}: {share(count, total)} of their {total:,} CPU samples")
        for frame, count in places.most_common(MOST)
        if count >= LEAST_SHARE * total
    )


def _calls(profile: ProcessProfile, names: Collection[str]) -> int:
    return sum(one.calls or 0 for one in profile.process.calls if one.syscall in names)


IMPORTING = Rule(
    "IO175",
    "A process for each job, and each imports its modules anew",
    "Import what the jobs need before the processes are forked: they have it then (rq: a script of "
    "your own that imports it and calls Worker.work(); multiprocessing: in the parent, or set_"
    "forkserver_preload), or let one process do many jobs (rq: SimpleWorker; Pool without "
    "maxtasksperchild=1; celery: worker_max_tasks_per_child). `python -X importtime` tells what "
    "each module costs.",
    _jobs,
    cost=Cost.CPU,
)
