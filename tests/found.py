"""What a report says is wrong, causes and symptoms alike."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.report.model import Finding, Symptom

Found = dict[str, Finding | Symptom]


STARVED = ("IO112", "IO194")
"""What a busy machine, or its hypervisor, does to any server."""


def starvation(found: Found) -> str:
    """What is said of that; "" if nothing is."""
    return "; ".join(f"{found[rule].evidence}" for rule in STARVED if rule in found)


def faults(found: Found) -> Found:
    """What is said to be wrong with the program itself: not that, nor where its time goes (IO225),
    which a server under load is told though it is healthy."""
    return {rule: one for rule, one in found.items() if rule not in (*STARVED, "IO225")}


def by_rule(findings: Iterable[Finding]) -> Found:
    """Each finding and each symptom by its rule; a finding before a symptom of the same rule."""
    findings = tuple(findings)
    symptoms = {one.id: one for finding in findings for one in finding.symptoms}
    return symptoms | {one.id: one for one in findings}
