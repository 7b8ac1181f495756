# SPDX-License-Identifier: Apache-2.0
"""A step of an event loop that starts tasks in masses: none of them runs before it awaits."""

from __future__ import annotations

import re
from itertools import takewhile

from iotrace.report.stacks import CpuSample
from iotrace.verdict.cpu_samples import LEAST_SAMPLES
from iotrace.verdict.frames import in_package, library_frames, named, package_of
from iotrace.verdict.process_profile import ProcessProfile

STARTS_SHARE = 0.5
"""Of the samples of a thread."""
STARTING = "starts_tasks_ratio"
"""The evidence that says so."""
_STARTS = re.compile(
    r"/trio/_core/\w+\.py:(?:start_soon|spawn_impl)$|/anyio/\S+:(?:start_soon|_spawn)$"
    r"|/asyncio/(?:tasks\.py:(?:create_task|ensure_future|_ensure_future|gather|as_completed)"
    r"|base_events\.py:create_task|taskgroups\.py:create_task)$"
)

_OWN_PACKAGES = ("trio", "anyio")


def starting_share(profile: ProcessProfile, tid: int) -> float:
    """Of a thread's samples, those in which the program's own code starts tasks of asyncio, trio or
    anyio; 0 if it has come back to its multiplexer while it was traced, or samples are too few."""
    rows = [one for one in profile.process.cpu_samples if one.tid == tid and one.stack]
    starting = sum(one.samples for one in rows if _starts(one))
    if profile.threads[tid].multiplexers or starting < LEAST_SAMPLES:
        return 0.0
    return starting / sum(one.samples for one in rows)


def _starts(one: CpuSample) -> bool:
    """Not where it is in another package by then: with an eager task factory (Python 3.12), what
    was started runs at once."""
    library = library_frames(one.stack)
    inside = list(takewhile(lambda frame: not _STARTS.search(named(frame)), library))
    return len(inside) < len(library) < len(one.stack) and not any(
        in_package(frame) and package_of(frame) not in _OWN_PACKAGES for frame in inside
    )


STARTS_ONLY = (
    "An event loop's thread starts one task after the other and awaits nothing: none of them, and "
    "nothing else of the loop, has run meanwhile"
)
START_FEWER = (
    "A task that was started runs when whoever started it awaits something. Start as many as are "
    "to be under way at a time, and let each take one item after the other (from an iterator they "
    "share, a queue, a memory channel); or take the limiter or semaphore before a task is started, "
    "not in it. Each task takes some kilobytes until then, and Python's garbage collector visits "
    "them all again and again."
)
