"""Apply every rule to every process; what is found is ranked by what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.model import Finding
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules import late_pickup
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Hit, Rule, severity

_RANK = {"high": 0, "medium": 1, "low": 2}


def findings_of(profiles: Sequence[ProcessProfile]) -> tuple[Finding, ...]:
    """The findings, the costliest first. Workers that are alike are reported once, together."""
    found = [finding for profile in profiles for finding in _of_process(profile)]
    merged = _alike_together(found, profiles)
    return tuple(sorted(merged, key=lambda one: (-(one.cost_ns or 0), _RANK[one.severity], one.id)))


def unchecked(detail: Detail) -> tuple[str, ...]:
    """The ids of the rules that this detail does not know enough for."""
    return tuple(sorted(rule.id for rule in RULES if not detail.gives(rule.least)))


def _of_process(profile: ProcessProfile) -> list[Finding]:
    hits = {
        rule.id: (rule, list(rule.check(profile)))
        for rule in RULES
        if profile.detail.gives(rule.least)
    }
    explained = any(rule.explains_lateness and found for rule, found in hits.values())
    if explained:
        hits.pop(late_pickup.LATE.id, None)
    return [_finding(rule, hit, profile) for rule, found in hits.values() for hit in found]


def _finding(rule: Rule, hit: Hit, profile: ProcessProfile) -> Finding:
    return Finding(
        id=rule.id,
        severity=hit.severity or severity(hit.cost_ns or 0, profile.wall_ns),
        title=rule.title,
        pid=profile.process.pid,
        tid=hit.tid,
        fd=hit.fd,
        evidence=hit.evidence,
        advice=rule.advice,
        cost_ns=hit.cost_ns,
        lines=hit.lines,
    )


def _alike_together(found: list[Finding], profiles: Sequence[ProcessProfile]) -> list[Finding]:
    """One finding for the same trouble in several children of one parent: the costliest's."""
    parents = {
        profile.process.pid: (
            profile.process.parent,
            profile.process.model.title if profile.process.model else "",
        )
        for profile in profiles
    }
    groups: dict[object, list[Finding]] = {}
    for finding in found:
        parent, title = parents[finding.pid]
        traced = parent in parents
        groups.setdefault((finding.id, parent, title) if traced else object(), []).append(finding)
    return [_together(group) for group in groups.values()]


def _together(group: list[Finding]) -> Finding:
    worst = max(group, key=lambda one: one.cost_ns or 0)
    more = {
        "processes": len({one.pid for one in group}),
        "places": len(group),
    }
    several = {name: count for name, count in more.items() if count > 1}
    return replace(worst, evidence={**worst.evidence, **several})
