# SPDX-License-Identifier: Apache-2.0
"""Apply every rule to every process; what is found is told as causes, hangs and the costliest
first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from iotrace.report.detail import Detail
from iotrace.report.model import SEVERITIES, Finding, Symptom
from iotrace.verdict.across_processes import told_once
from iotrace.verdict.causes import Story, stories_of
from iotrace.verdict.outcome import Outcome
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Hit, Rank, Rule, Tells, severity_of
from iotrace.verdict.rules.time_goes import WHERE
from iotrace.verdict.told_lines import texts_of

MOST_ALIKE = 3
"""Findings of one rule in one process, of more there is one, with their number."""

NEARLY = 0.99
"""Of the largest cost: what processes share costs each of them about the same."""
BRIEF_NS = 100_000_000
BRIEF_SHARE = 0.1
"""Of the trace: a process that has lived for less than both takes a share of nothing."""

_PID = re.compile(r"\bPID\b")
_COSTS_ONCE = frozenset(("cgroup", "listener"))
"""What is shared costs each process all of it: a sum would count it again and again."""
_RANK_OF_RULE = {rule.id: rule.rank for rule in RULES}
_TELLS = {rule.id: rule.tells for rule in RULES}
_SHARED = {rule.id: rule.shared for rule in RULES if rule.shared}


def findings_of(profiles: Sequence[ProcessProfile]) -> tuple[Finding, ...]:
    """The findings: by the rank of their rules, of high severity, of low severity last; of these
    what says why something takes long, then what says whom it waits for; the costliest first.

    Workers that are alike are reported once, together.
    """
    found = [finding for profile in profiles for finding in _of_process(profile)]
    merged = _alike_together(found, profiles)
    order = partial(_order, workers=_workers(profiles))
    told = told_once(sorted(merged, key=order), profiles)
    return tuple(map(_with_pid, sorted(told, key=order)))


def findings_where_time_goes(told: Iterable[Outcome]) -> tuple[Finding, ...]:
    """Of what no other finding explains: they stand behind all others."""
    return tuple(
        _with_pid(_finding(Story(WHERE, one.hit), one.profile))
        for one in told
        if one.hit and one.profile and one.profile.detail.gives(WHERE.least)
    )


def _workers(profiles: Sequence[ProcessProfile]) -> frozenset[int]:
    """Pids of processes that accept where two others do, of which one is their parent."""
    places = [one.process.sockets.listening if one.process.sockets else () for one in profiles]
    counts = Counter(address for listening in places for address in listening)
    return frozenset(
        one.process.pid
        for one, listening in zip(profiles, places, strict=True)
        if any(counts[address] > 2 for address in listening)
    )


def _order(one: Finding, workers: Collection[int]) -> tuple[object, ...]:
    # A queue in front of several workers is seen in the one that gets to accept: what keeps that
    # one from it is no nearer to the cause than what keeps the others.
    symptoms = (
        two.id for two in one.symptoms if not (two.pid in workers and _TELLS[two.id] is Tells.QUEUE)
    )
    ids = (one.id, *symptoms)
    # A low one of Rank.STUCK says that it may be as it should be.
    rank = Rank.SHARE if one.severity == "low" else min(map(_RANK_OF_RULE.__getitem__, ids))
    return (
        rank,
        SEVERITIES.index(one.severity),  # what the program is not to blame for may cost most
        _TELLS[one.id] is Tells.PEER,
        -(one.cost_ns or 0),
        one.id,
    )


def _with_pid(finding: Finding) -> Finding:
    """Commands in the advice are of its process: ``iotrace tasks PID``. Not before, as findings
    with the same advice are told together."""
    if not finding.pid:
        return finding
    return replace(finding, advice=_PID.sub(str(finding.pid), finding.advice))


def unchecked(detail: Detail) -> tuple[str, ...]:
    """The ids of the rules that this detail does not know enough for."""
    return tuple(sorted(rule.id for rule in RULES if not detail.gives(rule.least)))


def _of_process(profile: ProcessProfile) -> list[Finding]:
    brief = _is_brief(profile)
    found = [
        (rule, hit)
        for rule in RULES
        if profile.detail.gives(rule.least) and not (rule.rank is Rank.SHARE and brief)
        for hit in rule.check(profile)
    ]
    return [_finding(story, profile) for story in stories_of(found)]


def _is_brief(profile: ProcessProfile) -> bool:
    return profile.wall_ns < min(BRIEF_NS, BRIEF_SHARE * profile.duration_ns)


def _finding(story: Story, profile: ProcessProfile) -> Finding:
    rule, hit = story.rule, story.hit
    return Finding(
        id=rule.id,
        severity=min(_severities(story, profile), key=SEVERITIES.index),
        title=hit.title or rule.title,
        pid=profile.process.pid,
        tid=hit.tid,
        fd=hit.fd,
        evidence=hit.evidence,
        advice=hit.advice or rule.advice,
        cost_ns=hit.cost_ns,
        lines=texts_of(hit.lines),
        symptoms=(
            *(_symptom(*same, profile, same_wait=True) for same in story.same),
            *(_symptom(*symptom, profile) for symptom in story.symptoms),
        ),
        cost_kind=rule.cost.value,
        requests_ns=hit.whole.ns if hit.whole and hit.whole.requests else None,
    )


def _severities(story: Story, profile: ProcessProfile) -> Iterator[str]:
    """Its own, and those of findings which would stand by themselves if the lines did not tell
    that this is their cause, or which stand before all others: no gate misses them."""
    yield _severity(story.hit, profile)
    for rule, hit in (*story.same, *story.symptoms):
        if rule.rank is Rank.STUCK or rule.id not in story.rule.explains:
            yield _severity(hit, profile)


def _symptom(rule: Rule, hit: Hit, profile: ProcessProfile, *, same_wait: bool = False) -> Symptom:
    return Symptom(
        id=rule.id,
        severity=_severity(hit, profile),
        title=hit.title or rule.title,
        pid=profile.process.pid,
        tid=hit.tid,
        fd=hit.fd,
        evidence=hit.evidence,
        cost_ns=hit.cost_ns,
        lines=texts_of(hit.lines),
        same_wait=same_wait,
    )


def _severity(hit: Hit, profile: ProcessProfile) -> str:
    return severity_of(hit, profile.wall_ns)


def _alike_together(found: list[Finding], profiles: Sequence[ProcessProfile]) -> list[Finding]:
    """One finding for the same trouble in several children of one parent, in processes that share
    what is short, or in many places of one process: the costliest's."""
    kinds = _kinds(profiles)
    parents = {one.process.pid: (one.process.parent, kinds[one.process.pid]) for one in profiles}
    many = Counter((one.id, one.pid, one.advice) for one in found)
    groups: dict[object, list[Finding]] = {}
    for finding in found:
        parent, kind = parents[finding.pid]
        what = (finding.id, finding.advice)  # what asks for something else is something else
        key: object = object()
        shared = finding.evidence.get(_SHARED.get(finding.id, ""))
        if shared:
            key = (*what, shared)
        elif parent in parents:
            key = (*what, parent, kind)
        elif many[finding.id, finding.pid, finding.advice] > MOST_ALIKE:
            key = (*what, finding.pid)
        groups.setdefault(key, []).append(finding)
    wanted = {one.process.pid: one.total.cpu_ns + one.total.runq_ns for one in profiles}
    return [_together(group, wanted) for group in groups.values()]


def _kinds(profiles: Sequence[ProcessProfile]) -> dict[int, str]:
    """What children of one parent have in common, by pid: their label; of those that accept at the
    same addresses the same one, as workers of a server do the same work, and only look different
    where some have not been seen with all that they do."""
    titles = {
        one.process.pid: one.process.model.title if one.process.model else "" for one in profiles
    }
    servers: dict[object, list[int]] = {}
    for one in profiles:
        sockets = one.process.sockets
        if sockets and sockets.listening:
            servers.setdefault((one.process.parent, frozenset(sockets.listening)), []).append(
                one.process.pid
            )
    same = {pid: min(titles[one] for one in pids) for pids in servers.values() for pid in pids}
    return titles | same


def _together(group: list[Finding], wanted: Mapping[int, int]) -> Finding:
    """The costliest's; of nearly equal ones that of the process that wants most CPU time. It costs
    what they cost together, and as evidence what its own part is."""
    most = max(one.cost_ns or 0 for one in group)
    least = min(most, NEARLY * most)  # of a recording from elsewhere a cost may be below 0
    alike = [one for one in group if (one.cost_ns or 0) >= least]
    worst = max(alike, key=lambda one: (wanted[one.pid], one.cost_ns or 0))
    more = {
        "processes": len({one.pid for one in group}),
        "places": len(group),
    }
    several = {name: count for name, count in more.items() if count > 1}
    together = sum(one.cost_ns or 0 for one in group)
    if _SHARED.get(worst.id) in _COSTS_ONCE or worst.cost_ns in (None, together):
        return replace(worst, evidence={**worst.evidence, **several})
    own = {"costs_here_ns": worst.cost_ns or 0}
    parts = [one.requests_ns for one in group if one.requests_ns]
    return replace(
        worst,
        evidence={**worst.evidence, **several, **own},
        cost_ns=together,
        requests_ns=sum(parts) if len(parts) == len(group) else None,
    )
