# SPDX-License-Identifier: Apache-2.0
"""Holds a report against what a good diagnosis of the case must contain.

right     the first two findings have all of ``must``, and the report nothing of ``must_not``
partly    there are findings, and all of ``must`` is in some of them or in the printed report
silent    no finding of medium or high severity
wrong     something else is blamed; of a healthy case: a false alarm
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clinic.case import Case
from clinic.stage import Recorded

FIRST = 2
"""Findings that somebody reads."""
_ALL_CLEAR = "Nothing wrong"
"""What a sick case's report must not say."""
_SERIOUS = ("high", "medium")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``findings``: the first ones' ids, severities and titles; ``lacks``: of ``must``, what the
    first findings have not; ``says``: what it must not."""

    verdict: str
    findings: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = ["; ".join(self.findings) or "no finding"]
        if self.lacks:
            parts.append(f"lacks: {', '.join(self.lacks)}")
        if self.says:
            parts.append(f"but says: {', '.join(self.says)}")
        return " | ".join(parts)


def judged(case: Case, recorded: Recorded, first: int = FIRST) -> Verdict:
    findings: list[dict[str, Any]] = recorded.report["findings"]
    serious = [one for one in findings if one["severity"] in _SERIOUS]
    heads = tuple(_head(one) for one in (serious if case.healthy else findings)[: FIRST + 1])
    if case.healthy:
        return Verdict("wrong" if serious else "right", heads)
    told = [_text(one) for one in findings]
    lacks = _lacking(case, "\n".join(told[:first]))
    forbidden = (_ALL_CLEAR, *case.must_not)
    says = tuple(word for word in forbidden if re.search(word, recorded.text, re.IGNORECASE))
    nowhere = _lacking(case, "\n".join((*told, recorded.text)))
    if not lacks and not says:
        verdict = "right"
    elif not serious:
        verdict = "silent"
    else:
        verdict = "wrong" if nowhere else "partly"
    return Verdict(verdict, heads, lacks, says)


def _lacking(case: Case, text: str) -> tuple[str, ...]:
    return tuple(one.what for one in case.must if not one.met_by(text))


def _head(finding: dict[str, Any]) -> str:
    return f"{finding['severity']} {finding['id']} {finding['title']}"


def _text(finding: dict[str, Any]) -> str:
    """All that it says, a line for each string or figure."""
    return "\n".join(_strings(finding))


def _strings(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _strings(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
    else:
        yield f"{name} {value}".strip()
