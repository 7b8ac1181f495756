# SPDX-License-Identifier: Apache-2.0
"""Workers that are replaced all the time, and take long until they serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Line
from iotrace.verdict.classify.process_tree import does_io, forks
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.family_evidence import REPLACED
from iotrace.verdict.frames import is_import
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.told_lines import ToldLine, ToldWait, frame_text, wait_at
from iotrace.vocabulary.calls import ACCEPTS, FAMILIES, LOCKS, READS
from iotrace.vocabulary.waits import WAITS

_WAITS = frozenset((*READS, *ACCEPTS, *LOCKS, *FAMILIES))
LEAST_REPLACED = 3
LEAST_JOBS = 2
"""Of a worker: with one for each it is no worker, IO115 tells of these."""
LEAST_START_NS = 200_000_000
START_SHARE = 0.1
"""Of the life of the workers, that they need until they serve."""
_IDLE = tuple(reason.name for reason in WAITS if reason.brings_work)
"""Waits in which a worker that serves has nothing to do; while it imports, they are for something.
"""


def _replaced(profile: ProcessProfile) -> Iterator[Hit]:
    workers = [one for one in profile.children if does_io(one) and _jobs(one) >= LEAST_JOBS]
    begun = [one for one in profile.children if forks([one]) and (one in workers or _is_new(one))]
    ended = [one for one in workers if one.process.ended_ns is not None]
    number = min(forks(begun), sum(one.process.count for one in ended))
    if number < LEAST_REPLACED:
        return
    served = [one for one in begun if one in workers and _has_main_thread(one)]
    starting = sum(map(_starting_ns, served))
    lived = sum(one.lived_ns for one in served)
    each = starting // max(1, sum(one.process.count for one in served))
    if each < LEAST_START_NS or starting < START_SHARE * lived:
        return
    mean_life = lived // max(1, sum(one.process.count for one in served))
    yield Hit(
        {
            REPLACED: number,
            "begun": forks(begun),
            "mean_life_ns": mean_life,
            "start_up_ns": each,
            "start_up_share_ratio": round(starting / max(1, lived), 3),
        },
        min(starting, profile.wall_ns),
        lines=_lines(begun),
        title=f"Workers are replaced again and again: {plural(number, 'worker')} ended and as many "
        f"were started in {duration(profile.wall_ns)}; each lives {duration(mean_life)} and spends "
        f"{duration(each)} of it ({share(starting, lived)}) starting up before it serves",
    )


def _jobs(one: ProcessProfile) -> int:
    """About so many requests or tasks for each of its processes."""
    done = sum(row.exchanges for row in one.process.requests) or one.total.pipe_reads.ok
    return done // max(1, one.process.count)


def _is_new(one: ProcessProfile) -> bool:
    """It has not come to its first request."""
    return bool(one.process.pid) and one.process.ended_ns is None and not _jobs(one)


def _has_main_thread(one: ProcessProfile) -> bool:
    """Where processes were added up, the threads of each were as well, unless it had but one."""
    return bool(one.process.pid) or one.total.threads <= one.process.count


def _starting_ns(one: ProcessProfile) -> int:
    """The time in which its main thread neither waited for work nor served."""
    main = one.threads.get(one.process.pid, one.total)
    idle = sum(main.wait_ns[reason] for reason in _IDLE)
    idle -= sum(line.wait_ns for line in one.process.lines if _waits(line) and _imports(line))
    served = sum(total_ns(row.service_ns) for row in one.process.requests if row.service_ns)
    return max(0, main.lifetime_ns - max(0, idle) - served)


def _waits(line: Line) -> bool:
    return line.syscall in _WAITS


def _imports(line: Line) -> bool:
    return any(map(is_import, line.stack))


def _lines(workers: Sequence[ProcessProfile]) -> tuple[ToldLine, ...]:
    """Where they sleep while they start, longest first; else where they compute."""
    sums: dict[str, list[int]] = {}
    told: dict[str, ToldWait] = {}
    for one in workers:
        for line in one.process.lines:
            if line.own_stack and (_imports(line) or not _waits(line)):
                frame = line.own_stack[0]
                named = f"{frame_text(frame)} -> {line.syscall}"
                sums.setdefault(named, []).append(line.wait_ns)
                told[named] = wait_at(frame, line.syscall)
    slow = {named: waits for named, waits in sums.items() if max(waits) >= LEAST_START_NS // 2}
    ranked = sorted(slow.items(), key=lambda item: -sum(item[1]))
    longest = max(workers, key=lambda one: one.total.cpu_ns)
    return (
        *(
            ToldLine(
                f"{named}: in {plural(len(waits), 'worker')}, {duration(max(waits))} at most",
                told[named],
            )
            for named, waits in ranked[:2]
        ),
        *busy_lines(longest.process),
    )[:3]


REPLACES = Rule(
    "IO166",
    "Workers are replaced again and again, and take long to start",
    "While a worker starts it serves nobody, and connections wait. Find out why they end: a limit "
    "of requests or tasks (gunicorn: --max-requests, with --max-requests-jitter so that not all "
    "go at once; celery: worker_max_tasks_per_child; Pool: maxtasksperchild), a time-out, a crash "
    "or the OOM killer (the server's log, dmesg). Raise the limit. Make the start quick: load "
    "what all share before the fork (gunicorn: --preload), import and connect when it is first "
    "wanted. Have a worker more than the load needs.",
    _replaced,
    cost=Cost.TIME,
)
