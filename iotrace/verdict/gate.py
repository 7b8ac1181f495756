# SPDX-License-Identifier: Apache-2.0
"""Which findings are a failure, for ``--fail-on``."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.report.model import SEVERITIES, Finding
from iotrace.verdict.rules.registry import RULES


def names_of(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(known, unknown) names of severities and rules; ids in capitals, severities not."""
    ids = {rule.id for rule in RULES}
    known, unknown = [], []
    for name in names:
        if name.lower() in SEVERITIES:
            known.append(name.lower())
        elif name.upper() in ids:
            known.append(name.upper())
        else:
            unknown.append(name)
    return tuple(known), tuple(unknown)


def fires(findings: Iterable[Finding], wanted: tuple[str, ...]) -> bool:
    """Whether one of them is wanted by its id or a symptom's, or is as severe as a severity wanted
    or worse."""
    ranks = [SEVERITIES.index(name) for name in wanted if name in SEVERITIES]
    worst = max(ranks, default=-1)
    return any(
        finding.id in wanted
        or SEVERITIES.index(finding.severity) <= worst
        or any(symptom.id in wanted for symptom in finding.symptoms)
        for finding in findings
    )
