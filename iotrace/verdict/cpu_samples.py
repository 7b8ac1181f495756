# SPDX-License-Identifier: Apache-2.0
"""Where samples found a process on a CPU: the lines that findings tell of what computes.

``models.py:39 to_json: 62 % of its CPU time, about 3.1 s``
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import takewhile

from iotrace.report.model import Process
from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.common_way import common_way
from iotrace.verdict.frames import UNNAMED, computes_in_import, imported_for, is_import, package_of
from iotrace.verdict.middleware_time import middleware_lines
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.outer_callers import called_from
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.told_lines import COMPUTES, MOST, ToldLine, frame_text, wait_at

LEAST_SAMPLES = 20
LEAST_SHARE = 0.05
"""Places with fewer samples say nothing of where the time goes."""
SEEN_SHARE = 0.7
"""Of the CPU time, that samples stand for: else native threads have taken the rest, or stacks could
not be read, and what the samples are of is not all of it."""
SPREAD_SHARE = 0.3
"""Where no function has so much of it, packages tell more."""
INSIDE_SHARE = 0.3
"""Of a function's samples, in what it calls of one installed package, for that to be named."""
WAY_SHARE = 0.8
"""Of them, that go by way of one function of that package: it tells what was called, or which loop
of a package's spins."""
_LOOP_CODE = re.compile(r"/(?:selectors|asyncio/(?:base_events|events|runners)|uvloop/.*)\.py$")


def busy_lines(
    process: Process, tid: int | None = None, *, callbacks: bool = False
) -> tuple[ToldLine, ...]:
    """Where a thread (None: all) was on a CPU, by samples; () if there are too few to say.

    ``callbacks``: what an event loop calls, without the loop's own code; the shares are of all.
    """
    rows = [one for one in process.cpu_samples if tid is None or one.tid == tid]
    total = sum(one.samples for one in rows)
    if total < LEAST_SAMPLES:
        return ()
    known = sum(one.states_ns.on_cpu for one in process.threads if tid in (None, one.tid))
    all_seen = sum(one.cpu_ns for one in rows) >= SEEN_SHARE * known

    its = "all CPU time of its thread, that is" if callbacks else "its CPU time,"
    samples = (
        f"all {total:,} CPU samples of its thread" if callbacks else f"its {total:,} CPU samples"
    )

    def whole(group: list[CpuSample]) -> str:
        cpu_ns = sum(one.cpu_ns for one in group)
        return f"{its} about {duration(cpu_ns)}" if all_seen else samples

    ranked = by_function(
        one
        for one in rows
        if not (callbacks and one.stack and _LOOP_CODE.search(one.stack[0].file))
    )
    ranked = [group for group in ranked if group[0].own_stack[0].file != UNNAMED]
    lines = [
        ToldLine(
            f"{_function_text(group)}: {share(_samples(group), total)} of {whole(group)}",
            wait_at(group[0].own_stack[0], COMPUTES),
        )
        for group in ranked[:MOST]
        if _samples(group) >= LEAST_SHARE * total
    ]
    caller = called_from(rows, process)
    if ranked and _samples(ranked[0]) >= SPREAD_SHARE * total:
        return (*lines[: MOST - len(caller)], *caller)
    way = caller or common_way(rows)
    around = (*package_lines(rows), *middleware_lines(rows), *way)
    return (*around, *lines[: max(1, MOST - len(around))])


def package_lines(rows: Iterable[CpuSample]) -> tuple[ToldLine, ...]:
    """Where no function stands out: the installed packages that the time went to."""
    counts = Counter[str]()
    for one in rows:
        name = next(filter(None, map(package_of, one.stack)), "")
        if one.stack:
            counts[name] += one.samples
    total = sum(counts.values())
    named = [
        f"{name} {share(count, total)}"
        for name, count in counts.most_common(MOST + 1)
        if name and count >= LEAST_SHARE * total
    ]
    if not named:
        return ()
    packages = ", ".join(named[:MOST])
    return (ToldLine(f"by package, of its CPU time with a known stack: {packages}"),)


def importing(process: Process, tid: int) -> bool:
    """Whether a thread with an event loop was on a CPU mostly to import modules, in a callback.
    Stacks of nested imports are too deep to be read to their end."""
    rows = [one for one in process.cpu_samples if one.tid == tid]
    total = _samples(rows)
    inside = sum(one.samples for one in rows if _imports_in_callback(one))
    return total >= LEAST_SAMPLES and 2 * inside >= total


def _imports_in_callback(one: CpuSample) -> bool:
    called = takewhile(lambda frame: not _LOOP_CODE.search(frame.file), one.stack)
    return any(map(is_import, called))


def import_share(process: Process, tids: Collection[int]) -> float:
    """Of the samples of these threads, those in which modules were imported; 0: too few to say."""
    rows = [one for one in process.cpu_samples if one.tid in tids]
    total = _samples(rows)
    inside = _samples(one for one in rows if computes_in_import(one.stack))
    return inside / total if total >= LEAST_SAMPLES else 0.0


def import_lines(process: Process, tids: Collection[int]) -> tuple[ToldLine, ...]:
    """Where the program's own code imports what most samples of these threads are of."""
    return most_sampled(process, imported_for, "import", tids)


def busiest_place(process: Process) -> str:
    """Where samples found a process on a CPU in more than half of all cases; "" if nowhere."""
    total = _samples(process.cpu_samples)
    first = next(iter(by_function(process.cpu_samples)), [])
    if total < LEAST_SAMPLES or 2 * _samples(first) <= total:
        return ""
    return _function_text(first)


def by_function(rows: Iterable[CpuSample]) -> list[list[CpuSample]]:
    """By the program's own innermost function, most samples first."""
    functions: dict[object, list[CpuSample]] = {}
    for one in rows:
        if one.stack:
            frame = one.own_stack[0]
            functions.setdefault((frame.file, frame.function), []).append(one)
    return sorted(functions.values(), key=lambda group: -_samples(group))


def cpu_ns_of(rows: Iterable[CpuSample]) -> int:
    """CPU time of these, as the table of Python lines on a CPU says. What no sample stands for
    (native threads, stacks that could not be read) may have been spent elsewhere."""
    return sum(one.cpu_ns for one in rows)


def all_cpu_ns(profile: ProcessProfile) -> int:
    """What CPU time of samples is a share of: what all of them stand for, where that is most of
    what the process took; else that."""
    known, total = cpu_ns_of(profile.process.cpu_samples), profile.total.cpu_ns
    return known if known >= SEEN_SHARE * total else total


def _samples(rows: Iterable[CpuSample]) -> int:
    return sum(one.samples for one in rows)


def _function_text(group: list[CpuSample]) -> str:
    """The line with the most samples; what it called, if that was so in most of all of them."""
    first = max(group, key=lambda one: one.samples)
    if 2 * first.samples >= _samples(group):
        return _sampled_place(first)
    inside = Counter[str]()
    for one in group:
        called_in = map(package_of, one.stack[: max(0, one.own)])
        inside[next(filter(None, called_in), "")] += one.samples
    called = [
        f"{share(count, _samples(group))} of it in {name}{_way_text(group, name)}"
        for name, count in inside.most_common(2)
        if name and count >= INSIDE_SHARE * _samples(group)
    ]
    return _lines_text(group) + (f" ({', '.join(called)})" if called else "")


def _way_text(group: list[CpuSample], package: str) -> str:
    """ ", by way of sync.py:62 run": the innermost function of a package that nearly all of these
    samples are in or below, at the line with the most of them."""
    counts = Counter[tuple[str, str]]()
    lines = Counter[Frame]()
    depths: dict[tuple[str, str], int] = {}
    for one in group:
        seen = set()
        called = one.stack[: max(0, one.own)]
        for place, frame in enumerate(called):
            function = frame.file, frame.function
            if package_of(frame) == package and function not in seen:
                seen.add(function)
                counts[function] += one.samples
                lines[frame] += one.samples
                depth = len(called) - place
                depths[function] = max(depths.get(function, 0), depth)
    common = [one for one, count in counts.items() if count >= WAY_SHARE * _samples(group)]
    if not common:
        return ""
    deepest = max(common, key=depths.__getitem__)
    inner = max(
        (frame for frame in lines if (frame.file, frame.function) == deepest),
        key=lines.__getitem__,
    )
    return f", by way of {frame_text(inner)}"


def _lines_text(group: list[CpuSample]) -> str:
    """ "models.py:39 and models.py:40 to_json": the function's line with the most samples, and
    another that has much of them."""
    counts = Counter[Frame]()
    for one in group:
        counts[one.own_stack[0]] += one.samples
    frames = sorted(counts, key=lambda frame: -counts[frame])[:2]
    if len(frames) < 2 or counts[frames[1]] < INSIDE_SHARE * _samples(group):
        return frame_text(frames[0])
    places = " and ".join(frame.place for frame in frames)
    return f"{places} {frames[0].function}"


def asking_share(process: Process, tid: int | None = None) -> float:
    """Of a thread's CPU time (None: of all threads') what is spent on asking others, as far as
    stacks are known: of the program's function that makes most of the system calls, what is in
    those or in libraries. 0: too few samples were in calls to say."""
    calls, inside, total = Counter[tuple[str, str]](), Counter[tuple[str, str]](), 0
    for one in process.cpu_samples:
        if not one.stack or tid not in (None, one.tid):
            continue
        total += one.samples
        place = one.own_stack[0].file, one.own_stack[0].function
        calls[place] += one.in_calls
        inside[place] += one.samples if one.own > 0 else one.in_calls
    ((most, count),) = calls.most_common(1) or [(("", ""), 0)]
    enough = calls.total() >= LEAST_SAMPLES and 2 * count >= calls.total()
    return inside[most] / total if enough else 0.0


def most_sampled(
    process: Process,
    frame_of: Callable[[Sequence[Frame]], Frame | None],
    does: str,
    tids: Collection[int] | None = None,
) -> tuple[ToldLine, ...]:
    """The place with the most samples, of those that ``frame_of`` finds in a stack of these threads
    (None: of all), and what it does; () if it finds none."""
    places = Counter[Frame]()
    for one in process.cpu_samples:
        frame = frame_of(one.stack) if tids is None or one.tid in tids else None
        if frame is not None:
            places[frame] += one.samples
    return tuple(ToldLine(f"{frame_text(frame)} -> {does}") for frame, _ in places.most_common(1))


def faulting_lines(process: Process) -> tuple[ToldLine, ...]:
    """Where major page faults were taken."""
    rows = [one for one in process.cpu_samples if one.stack and one.faults]
    return tuple(
        ToldLine(f"{_sampled_place(one)}: {plural(one.faults, 'major page fault')}")
        for one in sorted(rows, key=lambda one: -one.faults)[:MOST]
    )


def _sampled_place(one: CpuSample) -> str:
    """``server.py:13 weather -> ssl.py:713 create_default_context``."""
    inner = f" -> {frame_text(one.stack[0])}" if one.own > 0 else ""
    return f"{frame_text(one.own_stack[0])}{inner}"
