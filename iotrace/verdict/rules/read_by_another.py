# SPDX-License-Identifier: Apache-2.0
"""Threads that wait until another thread has read something for them, and that reads nothing.

A library whose threads share a connection lets one of them read it: the others sleep in the same
function until what they wait for has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import entry_of, in_library, in_package, library_frames
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.stuck import (
    Stuck,
    began_text,
    group_held_text,
    held_text,
    in_calls,
    long_ns,
    stuck_lines,
)
from iotrace.verdict.work_sources import waits_for_work
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import SOCKETS


def _waiting(profile: ProcessProfile) -> Iterator[Hit]:
    long = [one for one in in_calls(profile) if one.held_ns >= long_ns(profile)]
    groups: dict[tuple[str, str], list[Stuck]] = {}
    for one in long:
        function = _receives_in(one, profile)
        if function is not None:
            groups.setdefault((function.file, function.function), []).append(one)
    for (file, name), group in groups.items():
        readers = [one for one in long if _reads(one) and _is_in(file, name, one.call.stack)]
        if len(readers) == 1:  # of several it is not known whose connection they wait for
            yield _hit(group, readers[0], name, profile)


def _receives_in(one: Stuck, profile: ProcessProfile) -> Frame | None:
    """The innermost function of a package in which a thread sleeps in a lock, that the program's
    own code has called, which a library has called: it is asked for something."""
    stack = one.call.stack
    inner = library_frames(stack)
    outer = stack[len(inner) :]
    if one.call.syscall not in LOCKS or not outer or not one.own:
        return None
    if outer[0] == entry_of(stack) or not any(map(in_package, outer)):
        return None
    if any(waits_for_work(line) for line in profile.process.lines if line.stack == stack):
        return None
    return next(filter(in_package, inner), None)


def _reads(one: Stuck) -> bool:
    """Whether it waits for a peer in library code alone."""
    call = one.call
    return (
        call.kind in SOCKETS
        and one.purpose is Purpose.ANSWER
        and bool(call.peer)
        and all(map(in_library, call.stack))
    )


def _is_in(file: str, name: str, stack: Sequence[Frame]) -> bool:
    return any((frame.file, frame.function) == (file, name) for frame in stack)


def _hit(group: Sequence[Stuck], reader: Stuck, name: str, profile: ProcessProfile) -> Hit:
    first = max(group, key=lambda one: one.held_ns)
    who = "1 thread waits" if len(group) == 1 else f"{plural(len(group), 'thread')} wait"
    return Hit(
        {
            "threads": len(group),
            "waited_ns": first.held_ns,
            "began": began_text(first),
            "peer": reader.call.peer,
            "reader": f"thread {reader.tid}",
        },
        first.held_ns,
        severity="low",
        lines=(*stuck_lines(group)[:2], *stuck_lines([reader])),
        title=f"{who} {group_held_text(group, profile)} in {name} until another thread has read "
        f"something: most likely thread {reader.tid}, which is there as well, and to which "
        f"{reader.call.peer} has sent nothing {held_text(reader, profile)}; if that is to answer a "
        "request, it hangs",
    )


ANOTHER = Rule(
    "IO202",
    "Threads wait for what another one is to read, and nothing comes",
    "See what the peer was asked, and whether it reads and answers requests at all: a client that "
    "has handed over a callback or an object has to serve calls of it (rpyc: BgServingThread, "
    "conn.serve_all()). Give the request a timeout (rpyc: sync_request_timeout). Hand over plain "
    "values, which need nobody to be asked.",
    _waiting,
)
