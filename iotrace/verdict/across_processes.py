# SPDX-License-Identifier: Apache-2.0
"""Findings of one process that another's explain: one cause is told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from iotrace.report.model import SEVERITIES, Finding, Symptom
from iotrace.verdict.circles import circle_of, deadlock_of_all, deadlocked
from iotrace.verdict.family_evidence import DEADLOCKED_CHILD, HANGING_CHILDREN, REPLACED
from iotrace.verdict.local_servers import LocalServers
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Rank, Tells

_WHILE_THEY_START = frozenset(("IO105", "IO133", "IO146", "IO171"))
"""What that makes of connections, in the workers or in their parent, and what they compute."""
_MOST_LOOKED_AT = 8
"""Findings with the same line."""
_OF_PEERS = frozenset(
    rule.id for rule in RULES if rule.rank is Rank.STUCK or rule.tells is Tells.PEER
)
"""Findings that a peer is waited for: why it is, the peer knows better. Others are of what the
process itself does with the peer: makes connections anew, asks in thousands of small calls."""


def told_once(
    findings: Sequence[Finding], profiles: Sequence[ProcessProfile]
) -> tuple[Finding, ...]:
    """The findings in their order, without those that another process's finding explains: these
    are its symptoms.

    A finding is explained where its lines are among the other's (a parent that waits for a child
    tells what the child does); or where it is about a peer or a child, and that is a process that
    was traced as well, with a finding of its own: of a child one that is as grave. Of a deadlock
    with a child the parent's is the one that is told: it says how they wait for each other. Where
    workers are replaced all the time, that is why connections wait for them. Of processes that
    wait for each other's answers one is told, with the others. A cause is as grave as what follows
    from it.
    """
    servers_at = LocalServers(profiles)
    first_of: dict[int, int] = {}
    with_line: dict[str, list[int]] = {}
    for place, one in enumerate(findings):
        first_of.setdefault(one.pid, place)
        for line in one.lines:
            with_line.setdefault(line, []).append(place)
    parents = {
        child: place
        for place, one in enumerate(findings)
        if DEADLOCKED_CHILD in one.evidence
        for child in _children_that_hang(one)
    }
    family = {profile.process.pid: profile.process.parent for profile in profiles}
    replacing = {one.pid: place for place, one in enumerate(findings) if REPLACED in one.evidence}
    causes: dict[int, int] = {}
    circles: dict[int, tuple[int, ...]] = {}
    for place, one in enumerate(findings):
        above = replacing.get(family.get(one.pid) or 0, replacing.get(one.pid))
        if above is not None and one.id in _WHILE_THEY_START:
            causes[place] = above
            continue
        others = with_line[one.lines[0]][:_MOST_LOOKED_AT] if one.lines else []
        children = () if DEADLOCKED_CHILD in one.evidence else _children_that_hang(one)
        servers = servers_at.pids(_peer(one)) if one.id in _OF_PEERS else []
        answers = sorted(first_of[pid] for pid in servers if pid in first_of)
        waited_for = [first_of[pid] for pid in children if pid in first_of]
        waited_for += [parents[one.pid]] if one.pid in parents else []
        for other in (*others, *answers, *waited_for):
            explained = (
                _tells(findings[other], one)
                or (other in answers and findings[other].severity != "low")
                or (other in waited_for and _is_as_grave(findings[other], one))
            )
            if not explained or findings[other].pid == one.pid:
                continue
            if _first(other, causes) != place:
                causes[place] = other
                break
            circle = circle_of(place, other, causes)
            asked = [servers_at.pids(_peer(findings[each])) for each in circle]
            if deadlocked([findings[each] for each in circle], asked, profiles):
                circles[place] = circle
    told = list(findings)
    for place, circle in circles.items():
        told[place] = deadlock_of_all([findings[each] for each in circle])
    for place in reversed(range(len(findings))):  # what follows from a symptom goes along with it
        if place in causes:
            first = _first(place, causes)
            own = told[place]
            its = (replace(one, same_wait=False) for one in own.symptoms)
            told[first] = replace(
                told[first],
                severity=min(told[first].severity, own.severity, key=SEVERITIES.index),
                symptoms=(*told[first].symptoms, _symptom(own), *its),
            )
            told[place] = replace(own, symptoms=())
    return tuple(one for place, one in enumerate(told) if place not in causes)


def _tells(cause: Finding, one: Finding) -> bool:
    return bool(one.lines) and set(one.lines) < set(cause.lines)


def _is_as_grave(cause: Finding, one: Finding) -> bool:
    return SEVERITIES.index(cause.severity) <= SEVERITIES.index(one.severity)


def _peer(one: Finding) -> str:
    return str(one.evidence.get("peer", ""))


def _children_that_hang(one: Finding) -> list[int]:
    """Pids, where a parent waits for children that do not end."""
    return [int(pid) for pid in str(one.evidence.get(HANGING_CHILDREN, "")).split(", ") if pid]


def _first(place: int, causes: Mapping[int, int]) -> int:
    """The cause of its cause, and so on: ``told_once`` makes no circles."""
    while place in causes:
        place = causes[place]
    return place


def _symptom(one: Finding) -> Symptom:
    return Symptom(
        id=one.id,
        severity=one.severity,
        title=one.title,
        pid=one.pid,
        tid=one.tid,
        fd=one.fd,
        evidence=one.evidence,
        cost_ns=one.cost_ns,
        lines=one.lines,
    )
