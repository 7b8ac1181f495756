# SPDX-License-Identifier: Apache-2.0
"""Processes that wait for each other's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from iotrace.report.model import Finding
from iotrace.verdict.process_profile import ProcessProfile

_HANG = "IO140"
_ADVICE = (
    "Do not ask another process, which may ask back, in the only thread that could answer it: ask "
    "in a thread of its own or asynchronously, and with a timeout (xmlrpc.client: a Transport "
    "whose make_connection sets one; requests: timeout=5), so that both get out of it; or let one "
    "of them only ask and the other only answer."
)


def circle_of(place: int, other: int, causes: Mapping[int, int]) -> tuple[int, ...]:
    """The findings from ``other`` by way of their causes to ``place``, which ``other`` explains."""
    found = [other]
    while found[-1] != place:
        found.append(causes[found[-1]])
    return tuple(found)


def deadlocked(
    circle: Sequence[Finding], servers: Sequence[Sequence[int]], profiles: Sequence[ProcessProfile]
) -> bool:
    """Whether each hangs, in the only thread of its process that could answer, asking the next:
    of ``servers``, who listens where each of them asks, there is one only."""
    by_pid = {profile.process.pid: profile for profile in profiles}
    return all(
        one.id == _HANG and len(pids) == 1 and _alone(one, by_pid[one.pid])
        for one, pids in zip(circle, servers, strict=True)
    )


def _alone(one: Finding, profile: ProcessProfile) -> bool:
    """Whether the thread that hangs is the only one, or runs the loop of all that it serves."""
    if one.tid is None:
        return False
    return len(profile.process.threads) == 1 or list(profile.loop_threads()) == [one.tid]


def deadlock_of_all(circle: Sequence[Finding]) -> Finding:
    """The last one, which tells of all."""
    last = circle[-1]
    lines = dict.fromkeys(line for one in reversed(circle) for line in one.lines)
    others = ", ".join(str(one.pid) for one in circle[:-1])
    pids = [str(one.pid) for one in reversed(circle)]
    who = f"{', '.join(pids[:-1])} and {pids[-1]}"
    other = "other" if len(circle) == 2 else "next one, in a circle"
    return replace(
        last,
        title=f"Deadlock of processes {who}: each waits for the answer of the {other}, in the "
        "only thread that could give its own; these calls have not returned",
        evidence={**last.evidence, "deadlock_with": f"process {others}"},
        advice=_ADVICE,
        lines=tuple(lines)[:3],
    )
