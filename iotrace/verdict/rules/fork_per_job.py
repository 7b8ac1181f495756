# SPDX-License-Identifier: Apache-2.0
"""A process for each job, or a program that is started again and again, which reads its modules
anew before it does anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from iotrace.report.model import Process
from iotrace.report.stacks import Frame
from iotrace.verdict.cpu_samples import LEAST_SAMPLES, LEAST_SHARE, package_lines
from iotrace.verdict.frames import UNNAMED, in_library
from iotrace.verdict.number_formats import duration, figure, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.told_lines import MOST, ToldLine, frame_text
from iotrace.vocabulary.calls import CHILD_WAITS, FILE_LOOKS, FILE_OPENS

LEAST_JOBS = 4
JOBS_PER_SECOND = 0.5
BUSY_SHARE = 0.2
"""Of the time traced, that these processes take on a CPU."""
MOSTLY_SHARE = 0.5
"""The same: so much is no little whose number alone counts, however long each takes."""
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
    cpu_ns = sum(one.total.cpu_ns for one in ended)
    often = profile.per_second(len(ended)) >= JOBS_PER_SECOND
    if len(ended) < LEAST_JOBS or not (often or cpu_ns >= MOSTLY_SHARE * profile.wall_ns):
        return
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
    program = _program(ended, profile)
    if program and not any(one.process.python for one in ended if one.process.name == program):
        return  # it has no modules: a search through files opens as many
    started = {"program": program} if program else {}
    yield Hit(
        {
            **started,
            "processes_started": len(ended),
            "per_second": round(profile.per_second(len(ended)), 1),
            "cpu_per_process_ns": each,
            "files_opened_each": opened,
            "looks_at_paths_each": looks,
            "cpu_ns": cpu_ns,
        },
        cpu_ns,
        lines=((*_starts(program, profile), *_lines(ended)) if program else _lines(ended))[:MOST],
        title=(
            f"{program} is started again and again, and imports its modules anew each time"
            if program
            else "A process is started for each job, and each imports its modules anew"
        )
        + f": {opened} files are opened and {duration(each)} of CPU time taken, "
        f"{figure(profile.per_second(len(ended)))} times a second",
        advice=_PROGRAM if program else "",
    )


def _program(jobs: Sequence[ProcessProfile], profile: ProcessProfile) -> str:
    """What they run, where that is a program of its own, and neither a copy of their parent nor
    one that multiprocessing starts for it; "": not known."""
    own = Counter(one.process.name for one in jobs if _is_other(one.process, profile.process))
    name, count = own.most_common(1)[0] if own else ("", 0)
    return name if 2 * count > len(jobs) else ""


def _is_other(job: Process, parent: Process) -> bool:
    """A process that was met late, or not at all, has told no arguments."""
    if not job.cmdline:
        return job.name != parent.name
    return job.cmdline != parent.cmdline and not any(map(_of_multiprocessing, job.cmdline))


def _of_multiprocessing(word: str) -> bool:
    return "multiprocessing" in word


def _starts(program: str, profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where the parent starts it, or waits for it."""
    places = Counter[Frame]()
    for one in profile.process.lines:
        starts = any(frame.file.endswith("/subprocess.py") for frame in one.stack)
        if one.stack and (starts or one.syscall in CHILD_WAITS):
            places[one.own_stack[0]] += one.total_ns
    return tuple(
        ToldLine(f"{frame_text(frame)} -> starts {program}, and waits for it")
        for frame, _ in places.most_common(1)
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
    lines = tuple(
        ToldLine(f"{frame_text(frame)}: {share(count, total)} of their {total:,} CPU samples")
        for frame, count in places.most_common(MOST)
        if count >= LEAST_SHARE * total
    )
    return lines or package_lines([one for job in jobs for one in job.process.cpu_samples])


def _calls(profile: ProcessProfile, names: Collection[str]) -> int:
    return sum(one.calls or 0 for one in profile.process.calls if one.syscall in names)


_PROGRAM = (
    "Import large packages where they are used, inside of functions, and not at the top of what "
    "each start runs (`python -X importtime` tells what each module costs): --version, --help and "
    "a wrong argument need none of them. Who starts it: give it many inputs at once, keep one "
    "process that is asked, or import its functions."
)
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
