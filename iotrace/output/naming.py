# SPDX-License-Identifier: Apache-2.0
"""What processes and threads are called, also those that have ended and were added up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iotrace.output import units
from iotrace.report.model import Process, Thread
from iotrace.report.process_totals import totals_of

_ENDED = "ended"


def is_sum(process: Process) -> bool:
    """Whether it stands for the ended child processes of its parent."""
    return process.pid == 0


def process_title(process: Process, everyone: Iterable[Process]) -> str:
    """``Process 4242 python (Python 3.11.2), traced for 10.0 s``, for a heading.

    A sum is ``997 ended child processes of 30895 (python), 41.2 s of wall time in all``.
    """
    if is_sum(process):
        lifetime = units.format_duration(totals_of(process).lifetime_ns)
        return f"{_ended_children(process, everyone)}, {lifetime} of wall time in all"
    python = f" (Python {process.python})" if process.python else ""
    ended = ", ended" if process.ended_ns is not None else ""
    traced = units.format_duration(_traced_ns(process))
    return f"Process {process.pid} {process.name}{python}, traced for {traced}{ended}"


def name_pid(process: Process) -> str:
    """Its number; ``x997`` for a sum of ended child processes."""
    return f"x{units.format_count(process.count)}" if is_sum(process) else str(process.pid)


def name_process(process: Process) -> str:
    """Its name; a sum's tells whose children they were."""
    return f"{process.name} ({_ENDED}, of {process.parent})" if is_sum(process) else process.name


def name_thread(thread: Thread) -> str:
    """A thread's number; ``x12`` for a row that adds up twelve ended ones."""
    return f"x{units.format_count(thread.count)}" if thread.count > 1 else name_tid(thread.tid)


def name_tid(tid: int) -> str:
    """A thread's number; threads that have ended are added up under 0."""
    return str(tid) if tid else _ENDED


def of_thread(tid: int) -> str:
    """``of thread 4242``, ``of ended threads``, for a title."""
    return f"of thread {tid}" if tid else "of ended threads"


def after_parents(processes: Sequence[Process]) -> list[Process]:
    """The same order, but each directly after its parent, if that is among them."""
    there = {process.pid for process in processes if not is_sum(process)}
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent if process.parent in there else 0, []).append(process)
    ordered: list[Process] = []
    waiting = children.pop(0, [])[::-1]
    while waiting or children:
        # A report from elsewhere may tell of two that are each other's parents.
        waiting = waiting or children.pop(next(iter(children)))[::-1]
        process = waiting.pop()
        ordered.append(process)
        if not is_sum(process):
            waiting += children.pop(process.pid, [])[::-1]
    return ordered


def _ended_children(process: Process, everyone: Iterable[Process]) -> str:
    children = "child process" if process.count == 1 else "child processes"
    title = f"{units.format_count(process.count)} {_ENDED} {children}"
    if process.parent is None:
        return title
    names = [one.name for one in everyone if one.pid == process.parent]
    return f"{title} of {process.parent}" + (f" ({names[0]})" if names else "")


def _traced_ns(process: Process) -> int:
    """How long the thread that was there longest was there."""
    alone = [thread.lifetime_ns for thread in process.threads if thread.count == 1]
    return max(alone, default=0)
