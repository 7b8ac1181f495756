# SPDX-License-Identifier: Apache-2.0
"""Rows with Python stacks: places that made slow calls, stalled loops, were found on a CPU."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from iotrace.engine.constants import SAMPLES_HZ, Sample
from iotrace.pystack import code_objects
from iotrace.report.stacks import (
    AwaitingTask,
    CpuSample,
    Frame,
    Line,
    LongestWait,
    RunningTask,
    StallCause,
    Wake,
)
from iotrace.report_builder.call_rows import percentiles
from iotrace.report_builder.file_places import file_system_of, full_path
from iotrace.snapshot.exchanges import SlowExchange
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.stack_totals import LineTotals, SampleTotals, StallCauseTotals, WakeTotals
from iotrace.snapshot.task_note import TaskNote
from iotrace.vocabulary.kinds import Kind

Stacks = Mapping[int, tuple[code_objects.Frame, ...]]
"""Frames by the hash of their stack, innermost first."""

_STANDARD_LIBRARY = re.compile(
    r"/lib(?:64)?/python\d(?:\.\d+)?/(?!(?:site|dist)-packages/)|^<frozen "
)
_LIBRARY = re.compile(r"/(?:site|dist)-packages/|" + _STANDARD_LIBRARY.pattern)
_CONSOLE_SCRIPT = re.compile(r"/bin/[^/]+$")
"""What pip makes of an entry point: its module's code calls a function of a package."""
_FORKS = "/multiprocessing/popen_fork.py"
_MOST_PLACES = 100
"""Places of a process at which samples were taken; the rest is one row more, without a stack."""


_NO_FILES = frozenset(("<string>", "?"))


def own_place(stack: Sequence[Frame]) -> int:
    """Place of the innermost frame that no library has; if there is none, of the innermost one
    that is not Python's own; else of the innermost one.

    Code from a string is the program's own only where no file is: ``python -c``, not what
    multiprocessing.managers and namedtuple make up. So is code that has no name any more, such as
    a module's once it is imported: who had it run is told. What a forked process has inherited of
    its parent's stack (multiprocessing) is not where it is."""
    stack = _since_fork(stack)
    own = [place for place, frame in enumerate(stack) if not _is_library(frame)]
    in_files = (place for place in own if stack[place].file not in _NO_FILES)
    installed = (
        place for place, frame in enumerate(stack) if not _STANDARD_LIBRARY.search(frame.file)
    )
    return next(in_files, next(iter(own), next(installed, 0)))


def _since_fork(stack: Sequence[Frame]) -> Sequence[Frame]:
    for place, frame in enumerate(stack):
        if place and frame.file.endswith(_FORKS) and frame.function.endswith("_launch"):
            return stack[:place]
    return stack


def _is_library(frame: Frame) -> bool:
    script = frame.function == "<module>" and _CONSOLE_SCRIPT.search(frame.file)
    return bool(script or _LIBRARY.search(frame.file))


def line_row(
    syscall: str,
    kind: str,
    totals: LineTotals,
    frames: Sequence[code_objects.Frame],
    facts: ProcessFacts | None = None,
) -> Line:
    """One row; ``frames`` () where the stack could not be kept."""
    path = full_path(totals.path, facts)
    stack = named_stack(frames)
    return Line(
        tid=totals.tid,
        syscall=syscall,
        kind=kind,
        fd=None if totals.fd < 0 else totals.fd,
        calls=totals.calls,
        in_flight=totals.in_flight,
        total_ns=totals.total_ns,
        wait_ns=totals.wait_ns,
        runq_ns=totals.runq_ns,
        copy_ns=totals.copy_ns,
        max_ns=totals.max_ns,
        own=own_place(stack),
        stack=stack,
        latency_ns=percentiles(totals.latency, totals.max_ns) if totals.calls else None,
        task=task_row(totals.task),
        path=path,
        file_system=file_system_of(path, facts) if path else "",
    )


def task_row(note: TaskNote | None) -> RunningTask | None:
    """The task of a row, None: there was none."""
    if note is None or not note.names:
        return None
    name, *awaiting = note.names
    chain = named_stack(note.frames)
    frames = chain if len(chain) == len(awaiting) else (None,) * len(awaiting)
    return RunningTask(
        name=name,
        awaited_by=tuple(map(AwaitingTask, awaiting, frames)),
        several=note.several,
        more=note.more,
    )


@dataclass(frozen=True, slots=True)
class CallPlaces:
    """What names calls and the stacks that made them. ``names``: of calls by number."""

    names: Mapping[int, str]
    stacks: Stacks

    def longest_wait(self, one: SlowExchange) -> LongestWait:
        """That of a slow exchange."""
        stack = named_stack(self.stacks.get(one.stack, ()))
        return LongestWait(
            syscall=self.names.get(one.call_nr, f"call {one.call_nr}"),
            kind=Kind(one.call_kind).label,
            wait_ns=one.call_wait_ns,
            own=own_place(stack),
            stack=stack,
        )


NO_PLACES = CallPlaces({}, {})


def wake_row(
    kind: str,
    totals: WakeTotals,
    frames: Sequence[code_objects.Frame],
    waker: Sequence[code_objects.Frame],
) -> Wake:
    """One row; ``waker``: the frames of the thread that ended the waits."""
    stack, waker_stack = named_stack(frames), named_stack(waker)
    return Wake(
        kind=kind,
        calls=totals.calls,
        wait_ns=totals.wait_ns,
        max_ns=totals.max_ns,
        tid=totals.tid,
        own=own_place(stack),
        stack=stack,
        waker_own=own_place(waker_stack),
        waker_stack=waker_stack,
    )


IN_A_POLL = "poll"
"""A cause that the probes do not know: what they measured is the smaller part of a stall."""


def stall_cause_row(
    cause: str,
    syscall: str,
    kind: str,
    totals: StallCauseTotals,
    frames: Sequence[code_objects.Frame],
    native: str,
) -> StallCause:
    """One row; ``syscall`` "" where the cause is no call; ``native``: where its thread computed."""
    stack = named_stack(frames)
    seen_ns = totals.cpu_ns + totals.runq_ns + totals.gil_ns + totals.call_ns
    if cause != "call" and 2 * seen_ns < totals.total_ns:
        cause, native = IN_A_POLL, ""
    return StallCause(
        cause=cause,
        syscall=syscall,
        kind=kind,
        fd=None if totals.fd < 0 else totals.fd,
        count=totals.stalls,
        total_ns=totals.total_ns,
        cpu_ns=totals.cpu_ns,
        runq_ns=totals.runq_ns,
        gil_ns=totals.gil_ns,
        call_ns=totals.call_ns,
        max_ns=totals.max_ns,
        own=own_place(stack),
        stack=stack,
        native="" if cause == "call" else native,
        task=task_row(totals.task),
    )


def named_stack(frames: Sequence[code_objects.Frame]) -> tuple[Frame, ...]:
    """The frames as a report has them."""
    return tuple(Frame(frame.function, frame.file, frame.line, frame.suspends) for frame in frames)


def sample_rows(
    totals: Iterable[tuple[int, int, SampleTotals]], stacks: Stacks
) -> tuple[CpuSample, ...]:
    """One row a place, the most samples first. ``totals``: (hash of the stack, what, how often)."""
    rows: dict[object, CpuSample] = {}
    for key, of, one in totals:
        stack = named_stack(stacks.get(key, ()))
        row = _sample_row(one, of, stack)
        place = one.tid, stack[row.own] if stack else None, stack[0].function if stack else ""
        rows[place] = _added(rows[place], row) if place in rows else row
    ranked = sorted(rows.values(), key=lambda row: -(row.samples + row.faults))
    kept, rest = ranked[:_MOST_PLACES], ranked[_MOST_PLACES:]
    if rest:
        others = reduce(_added, rest)
        kept.append(replace(others, tid=0, own=0, stack=()))
    return tuple(kept)


def _sample_row(one: SampleTotals, of: int, stack: tuple[Frame, ...]) -> CpuSample:
    samples = one.count if of == Sample.CPU else 0
    return CpuSample(
        tid=one.tid,
        samples=samples,
        cpu_ns=samples * 1_000_000_000 // SAMPLES_HZ,
        in_calls=one.in_calls if samples else 0,
        collecting=one.collecting if samples else 0,
        faults=one.count if of == Sample.FAULT else 0,
        own=own_place(stack),
        stack=stack,
    )


def _added(one: CpuSample, other: CpuSample) -> CpuSample:
    """The stack is that of the larger one."""
    larger = max(one, other, key=lambda row: row.samples + row.faults)
    return replace(
        larger,
        samples=one.samples + other.samples,
        cpu_ns=one.cpu_ns + other.cpu_ns,
        in_calls=one.in_calls + other.in_calls,
        collecting=one.collecting + other.collecting,
        faults=one.faults + other.faults,
    )
