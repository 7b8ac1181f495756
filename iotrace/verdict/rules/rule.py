# SPDX-License-Identifier: Apache-2.0
"""What a rule is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from iotrace.report.detail import Detail
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.request_time import Whole
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.told_lines import ToldLine

HIGH_SHARE = 0.2
MEDIUM_SHARE = 0.05
"""Severity is the cost's share of the time traced: high, medium, and low below that."""
COVERED_SHARE = 0.5
"""Of a symptom's cost, that its cause must have cost to be the cause of most of it."""


class Rank(IntEnum):
    """Findings of a lower number stand first, whatever they cost."""

    STUCK = 0
    """Somebody waits for what does not come: hangs, deadlocks, answers owed, a pool that is full.
    A rule of this rank says ``severity="high"`` in its hits, or "low" where that may well be as it
    should: such a finding stands among the shares."""
    SHARE = 1
    """Takes a share of the time, by which it is ranked."""


class Tells(IntEnum):
    """How near to the cause a finding is: of two about one wait, the lower number is it."""

    CAUSE = 0
    """Why something waits or computes."""
    WAIT = 1
    """That it takes long at a line, for whatever reason."""
    PEER = 2
    """Whom it waits for, and not why: what says why stands before it."""
    QUEUE = 3
    """Who waits for the thread meanwhile; its lines are what the thread does."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule holds. ``evidence``: figures, their units in the names.

    ``lines``: the Python lines that it is about, the costliest first (verdict/python_lines.py).
    ``cost_ns``: wall or CPU time that it takes; None: a risk that costs nothing yet, whose
    ``severity`` the rule sets itself. ``whole``: what that is a share of, where it is not the time
    traced (verdict/request_time.py). ``title`` and ``advice`` stand in place of the rule's, where
    what was seen says more, or asks for something else (verdict/stack.py: what it is written with).
    """

    evidence: dict[str, float | int | str]
    cost_ns: int | None
    tid: int | None = None
    fd: int | None = None
    severity: str | None = None
    lines: tuple[ToldLine, ...] = ()
    title: str = ""
    advice: str = ""
    whole: Whole | None = None


class Cost(str, Enum):
    """What the time is that a hit costs."""

    WAIT = "wait"
    CPU = "cpu"
    TIME = "time"
    """Both, or what is neither: delays of others, time that was taken away."""


Follows = Callable[[Hit, Hit], bool]
"""(a hit of the cause, a hit of the symptom): whether the second follows from the first."""


def always(cause: Hit, symptom: Hit) -> bool:
    """Whenever both are found, in the same thread where both name one."""
    return True


def covers(cause: Hit, symptom: Hit) -> bool:
    """Where the cause costs at least half of what the symptom does."""
    return (cause.cost_ns or 0) >= COVERED_SHARE * (symptom.cost_ns or 0)


def of_the_same_peer(cause: Hit, symptom: Hit) -> bool:
    """Where the symptom is about the peer that the cause names."""
    return cause.evidence["peer"] == symptom.evidence.get("peer")


def wastes_its_cpu(cause: Hit, symptom: Hit) -> bool:
    """Where the cause took at least half of the CPU time of a process that lacks such: what it
    waits for would be wasted as well."""
    had = float(symptom.evidence["cpu_ns"])
    return (cause.cost_ns or 0) >= COVERED_SHARE * had


QUEUES: Mapping[str, Follows] = {"IO105": always, "IO155": always, "IO171": always}
"""What waits in front of a thread that is held up, whatever holds it up."""
SLEEPS: Mapping[str, Follows] = {
    "IO103": covers, "IO104": covers, "IO117": covers, "IO146": always, **QUEUES,
}  # fmt: skip
"""What else is found of a thread that sleeps for somebody else: the call, and who waits for it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A stable id, what to tell the user, and how it is recognised in one process.

    ``explains``: ids of the rules whose findings, in the same process (and thread, where both name
    one), follow from this one's, and when: they are told as its symptoms (verdict/causes.py).
    ``tells``: a finding about what its first line does, and that is nearer to the cause, is its
    cause, without being named in ``explains``.
    ``rank``: what comes first, before any cost.
    ``shared``: the name of the evidence that says what processes have in common (a control group,
    a file, a name server): of all that have the same there is one finding.
    ``least``: the detail that knows the figures which show it. ``cost``: what its hits cost.
    """

    id: str
    title: str
    advice: str
    check: Callable[[ProcessProfile], Iterable[Hit]]
    explains: Mapping[str, Follows] = field(default_factory=dict)
    rank: Rank = Rank.SHARE
    least: Detail = Detail.FULL
    shared: str = ""
    tells: Tells = Tells.CAUSE
    cost: Cost = Cost.WAIT


def severity(cost_ns: int, wall_ns: int) -> str:
    """By the cost's share of the time traced."""
    cost = cost_ns / max(1, wall_ns)
    return "high" if cost >= HIGH_SHARE else "medium" if cost >= MEDIUM_SHARE else "low"


def severity_of(hit: Hit, wall_ns: int) -> str:
    """What the rule says, or by the cost's share: of requests' time, too, but what each of them
    takes no longer for than anybody notices is not grave."""
    if hit.severity:
        return hit.severity
    cost, whole = hit.cost_ns or 0, hit.whole
    by_time = severity(cost, wall_ns)
    if whole is None or not whole.requests or by_time == "high":
        return by_time
    felt = severity(cost, whole.ns)
    return "medium" if felt == "high" and cost < NOTICED_NS * whole.slow else felt
