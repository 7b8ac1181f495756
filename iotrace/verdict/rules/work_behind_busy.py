# SPDX-License-Identifier: Apache-2.0
"""Work that lies in the pipe of a worker that is at something long, while others have none.

Each worker has a pipe of its own here: what its parent has written into it, nobody else can take.
"""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.surroundings import UnreadPipe
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rank, Rule
from iotrace.verdict.stuck import long_ns, stuck_lines, stuck_threads
from iotrace.vocabulary.calls import READS
from iotrace.vocabulary.kinds import PIPE

LEAST_IDLE = 2
"""Workers that wait at pipes of their own: of a pool that shares one pipe, one does at most, and
the others wait for their turn."""


def _behind(profile: ProcessProfile) -> Iterator[Hit]:
    parent, process = profile.parent, profile.process
    if parent is None or process.ended_ns is not None or profile.wall_ns < long_ns(profile):
        return
    idle = {
        one.process.pid: place
        for one in profile.siblings
        if (place := _waits_at(one, parent.process.pid))
    }
    apart = len(set(idle.values())) == len(idle)
    if len(idle) < LEAST_IDLE or not apart or _waits_at(profile, parent.process.pid):
        return
    for pipe in process.unread_pipes:
        # Workers that were forked later have inherited this end: they wait at others.
        elsewhere = all(pid in idle and idle[pid] != pipe.pipe for pid in pipe.others)
        if pipe.reads == 0 and elsewhere:
            yield _hit(profile, pipe, len(idle))


def _waits_at(profile: ProcessProfile, parent: int) -> str:
    """The pipe from its parent at which it has been waiting for long, "": none."""
    for row in profile.process.threads:
        call = row.in_call
        if (
            call is not None
            and call.syscall in READS
            and call.kind == PIPE
            and parent in call.others
            and call.wait_ns >= long_ns(profile)
        ):
            return call.peer
    return ""


def _hit(profile: ProcessProfile, pipe: UnreadPipe, idle: int) -> Hit:
    name = f"{profile.process.pid} {profile.process.name}"
    return Hit(
        {
            "unread_bytes": pipe.unread_bytes,
            "pipe": pipe.pipe,
            "not_read_for_ns": profile.wall_ns,
            "idle_workers": idle,
        },
        profile.wall_ns,
        fd=pipe.fd,
        severity="high",
        lines=stuck_lines(stuck_threads(profile)) or busy_lines(profile.process),
        title=f"{BEHIND.title}: {plural(pipe.unread_bytes, 'byte')} lie unread in the pipe of "
        f"{name}, which has not read it for {duration(profile.wall_ns)}; "
        f"{plural(idle, 'other worker')} of its parent wait for work",
    )


BEHIND = Rule(
    "IO201",
    "Work waits behind a busy worker while others are idle",
    "Give a worker its next job when it has done the one before, not ahead of it: celery: no "
    "-O fast, worker_prefetch_multiplier = 1 and task_acks_late for long tasks; DataLoader: "
    "prefetch_factor; or let all workers take from one queue (multiprocessing.Pool, "
    "ProcessPoolExecutor). Send long jobs to workers of their own, and give them a time limit.",
    _behind,
    rank=Rank.STUCK,
)
