# SPDX-License-Identifier: Apache-2.0
"""What threads do inside the functions that take a lock that others wait for, by their stacks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iotrace.report.stacks import CpuSample, Frame, Line, Wake
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.calls import LOCKS

_LOCKS = "/threading.py"
_TAKES = re.compile(r"^_*(?:\w*acquire\w*|(?:\w+_)?lock|enter|take|wait)_*$", re.IGNORECASE)
"""In the names of functions that return with a lock."""
_Places = frozenset[tuple[str, str, int | None]]


def samples_inside(wakes: Sequence[Wake], profile: ProcessProfile) -> list[CpuSample]:
    """Of CPU time there, past the line that waits."""
    taking = places_taking(wakes)
    return [one for one in profile.process.cpu_samples if _is_inside(one.stack, taking)]


def slow_calls_inside(wakes: Sequence[Wake], profile: ProcessProfile) -> list[Line]:
    """Those whose stack is in the function that takes the lock, past the line that waits."""
    taking = places_taking(wakes)
    return [
        one
        for one in profile.process.lines
        if one.syscall not in LOCKS and _is_inside(one.stack, taking)
    ]


def places_taking(wakes: Sequence[Wake]) -> _Places:
    """The lines at which functions take the lock: (file, function, line)."""
    return frozenset(
        (one.file, one.function, one.line) for wake in wakes for one in taking_frames(wake)
    )


def _is_inside(stack: Sequence[Frame], taking: _Places) -> bool:
    functions = {one[:2] for one in taking}
    return any(
        (frame.file, frame.function) in functions
        and (frame.file, frame.function, frame.line) not in taking
        for frame in stack
    )


def taking_frames(wake: Wake) -> Sequence[Frame]:
    """The frames that take the lock: a library's, where one takes it, else the program's own."""
    library = [one for one in library_frames(wake.stack) if not one.file.endswith(_LOCKS)]
    return library or wake.stack[len(library_frames(wake.stack)) :][:1]


def may_keep(wake: Wake) -> Iterator[Frame]:
    """The frames that go on with the lock once they have it: the innermost one; what calls it, too,
    where by its name it only takes the lock, and returns with it."""
    library = library_frames(wake.stack)
    for frame in wake.stack[: len(library) + 1]:
        yield frame
        if not _TAKES.search(short_name(frame)) and not frame.file.endswith(_LOCKS):
            return
