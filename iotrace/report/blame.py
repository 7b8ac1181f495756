"""What held a loop up, added up by the place in the program: many stacks lead to one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from iotrace.report.stacks import Culprit, Frame


@dataclass(frozen=True, slots=True)
class Blamed:
    """Stalls of one place and cause. ``frame``: the program's own, innermost, of the costliest
    stack (None: nothing was sampled); ``culprit``: that stack's row."""

    frame: Frame | None
    culprit: Culprit
    count: int
    total_ns: int
    max_ns: int


def blamed(culprits: Iterable[Culprit]) -> tuple[Blamed, ...]:
    """The costliest first.

    A call has its line. Where a function computes, each stall was seen at some line of it: those
    are one place, named by the costliest.
    """
    sums: dict[object, Blamed] = {}
    for one in sorted(culprits, key=lambda one: -one.total_ns):
        frame = next(iter(one.own_stack), None)
        line = frame and (frame.file, frame.function, frame.line if one.cause == "call" else None)
        key = line, one.cause, one.syscall, one.kind
        known = sums.get(key, Blamed(frame, one, 0, 0, 0))
        sums[key] = replace(
            known,
            count=known.count + one.count,
            total_ns=known.total_ns + one.total_ns,
            max_ns=max(known.max_ns, one.max_ns),
        )
    return tuple(sorted(sums.values(), key=lambda one: -one.total_ns))
