# SPDX-License-Identifier: Apache-2.0
"""Threads that were all along in a function of the program's own that a library has called."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import (
    in_package,
    library_frames,
    package_of,
)
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import (
    WHOLE_SHARE,
    Stuck,
    in_calls,
    place_text,
    stuck_lines,
    total_ns,
)
from iotrace.verdict.time_places import TimePlace
from iotrace.vocabulary.calls import LOCKS


def called_back(profile: ProcessProfile) -> TimePlace | None:
    """Those that wait there for what a library is to bring; None if there are none.

    A request that hangs looks like that, and so does a handler of a stream in which nothing comes:
    nothing is proven.
    """
    groups: dict[str, list[Stuck]] = {}
    for one in in_calls(profile):
        if one.held_ns >= WHOLE_SHARE * profile.duration_ns and _waits_inside(one):
            groups.setdefault(place_text(one), []).append(one)
    if not groups:
        return None
    place, group = max(groups.items(), key=lambda item: len(item[1]))
    stack = group[0].call.stack
    inner, caller = next(filter(in_package, library_frames(stack))), _caller(stack)
    assert caller is not None
    threads, were = plural(len(group), "thread"), "was" if len(group) == 1 else "were"
    return TimePlace(
        f"{threads} {were} at {place} all along, which {package_of(caller)} has called, and "
        f"waited in {inner.function} of {inner.place}: if that is to answer a request, it hangs.",
        profile,
        stuck_lines(group),
        {"threads": len(group)},
        total_ns(group),
    )


def _waits_inside(one: Stuck) -> bool:
    """Its own code, called by an installed package, waits in such a package for something."""
    if one.purpose is not Purpose.WORK or one.call.syscall not in LOCKS or not one.own:
        return False
    inside = any(map(in_package, library_frames(one.call.stack)))
    return inside and _caller(one.call.stack) is not None


def _caller(stack: Sequence[Frame]) -> Frame | None:
    """The package's frame next to the program's own outermost ones."""
    outer = stack[len(library_frames(stack)) :]
    return next(filter(in_package, outer), None)
