# SPDX-License-Identifier: Apache-2.0
"""Who has called what computes, where the stacks do not reach the program's own code.

Of a stack the innermost frames are kept: the program's own code may be further out (templates that
include each other). In a greenlet of a library that bridges asyncio (SQLAlchemy) the stack ends
where the greenlet began: the coroutine that has called it is in the tasks alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from iotrace.report.model import Process
from iotrace.report.stacks import CpuSample, Frame
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.frames import in_library, in_package, library_frames, package_of
from iotrace.verdict.number_formats import share
from iotrace.verdict.told_lines import ToldLine, frame_text

DEEPEST = 32
"""Frames that the probes keep of a stack (MAX_DEPTH in probes/python.c)."""
LOST_SHARE = 0.3
"""Of the samples, in stacks that end before the program's own code: else the lines tell enough."""
_LEAST_SAMPLES = 5
"""That show who is further out: fewer may be of anything."""


def called_from(rows: Sequence[CpuSample], process: Process) -> tuple[ToldLine, ...]:
    """The program's own place that most likely calls what these samples are of; () if their stacks
    tell, or nothing does."""
    total = sum(one.samples for one in rows if one.stack)
    lost = [one for one in rows if one.stack and all(map(in_library, one.stack))]
    deep = sum(one.samples for one in lost if len(one.stack) >= DEEPEST)
    if total and deep >= LOST_SHARE * total:
        return _from_further_out(rows, deep, total)
    loops = {one.tid for one in process.loops}
    bridged = [one for one in lost if one.tid in loops and _ends_in_package(one.stack)]
    if total and sum(one.samples for one in bridged) >= LOST_SHARE * total:
        return _from_tasks(bridged, total, process)
    return ()


def _from_further_out(rows: Sequence[CpuSample], deep: int, total: int) -> tuple[ToldLine, ...]:
    """Of the deepest stacks some reach so far: where the program's own code is at their end."""
    places = Counter[Frame]()
    for one in rows:
        inner = library_frames(one.stack)
        if len(one.stack) >= DEEPEST and len(inner) < len(one.stack):
            places[one.stack[len(inner)]] += one.samples
    if places.total() < _LEAST_SAMPLES:
        return ()
    ((frame, count),) = places.most_common(1)
    return (
        ToldLine(
            f"{frame_text(frame)}: most likely calls it: {share(count, places.total())} of the "
            "deepest stacks that reach the program's own code come from there; "
            f"{share(deep, total)} of all are deeper than the {DEEPEST} frames that are kept"
        ),
    )


def _ends_in_package(stack: Sequence[Frame]) -> bool:
    """Whether it began in an installed package, as no thread does: in a greenlet."""
    return len(stack) < DEEPEST and in_package(stack[-1])


def _from_tasks(bridged: Sequence[CpuSample], total: int, process: Process) -> tuple[ToldLine, ...]:
    """Where tasks were seen to await the package whose greenlets these samples are of."""
    packages = Counter[str]()
    for one in bridged:
        packages[package_of(one.stack[-1])] += one.samples
    ((package, count),) = packages.most_common(1)
    frame = _awaiting(package, process) or _only_caller(package, process)
    if frame is None:
        return ()
    return (
        ToldLine(
            f"{frame_text(frame)}: most likely calls it: {package} is called there; "
            f"{share(count, total)} of it runs in {package}'s greenlets, whose stacks begin in them"
        ),
    )


def _awaiting(package: str, process: Process) -> Frame | None:
    """Where most tasks were seen to await the package."""
    places: dict[Frame, float] = {}
    for row in process.tasks.rows if process.tasks else ():
        if _awaits(package, row):
            place = row.stack[len(library_frames(row.stack))]
            places[place] = places.get(place, 0) + row.mean
    return max(places, key=places.__getitem__, default=None)


def _only_caller(package: str, process: Process) -> Frame | None:
    """No task waits while it computes. Where samples of one function of the program's only call the
    package: its line, best one that awaits a coroutine of the package's."""
    calls, awaits, functions = Counter[Frame](), Counter[Frame](), set[tuple[str, str]]()
    for one in process.cpu_samples:
        inner = library_frames(one.stack)
        if not inner or len(inner) == len(one.stack) or package_of(inner[-1]) != package:
            continue
        place = one.stack[len(inner)]
        if place.file.startswith("<"):  # code that the package has generated
            continue
        functions.add((place.file, place.function.split(".<locals>")[0]))
        calls[place] += one.samples
        if inner[-1].suspends and place.suspends:
            awaits[place] += one.samples
    if len(functions) != 1 or calls.total() < _LEAST_SAMPLES:
        return None
    return (awaits or calls).most_common(1)[0][0]


def _awaits(package: str, row: TaskWait) -> bool:
    inner = library_frames(row.stack)
    return len(inner) < len(row.stack) and any(package_of(one) == package for one in inner)
