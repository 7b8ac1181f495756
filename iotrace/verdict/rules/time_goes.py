# SPDX-License-Identifier: Apache-2.0
"""Where the time goes, where no rule found a fault that explains it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from iotrace.report.model import Finding
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, Tells
from iotrace.verdict.time_places import Evidence, TimePlace

_PLACE_ENDS = re.compile(r" -> |: ")
TITLE = "Where the time goes (nothing is proven wrong)"


def time_goes_hit(what: str, place: TimePlace, evidence: Evidence) -> Hit:
    """``what``: what takes that time, or the place in words."""
    return Hit(
        {**evidence, **place.evidence},
        place.cost_ns or None,
        severity="low",
        lines=place.lines,
        title=f"{TITLE}: {what[:1].lower()}{what[1:].rstrip('.')}",
        advice=place.advice,
    )


def is_told(hit: Hit, findings: Sequence[Finding]) -> bool:
    """Whether a finding tells of the same place, or of the same peer."""
    places = {_PLACE_ENDS.split(line.text)[0] for line in hit.lines}
    peer = hit.evidence.get("peer")
    return any(
        (peer and peer == one.evidence.get("peer"))
        or any(_PLACE_ENDS.split(line)[0] in places for line in one.lines)
        for one in findings
    )


def _after_all_others(profile: ProcessProfile) -> Iterable[Hit]:
    """None: what other rules find, and in which relative, is known only when all were asked
    (verdict/outcome.py)."""
    return ()


WHERE = Rule(
    "IO225",
    TITLE,
    "No rule found a fault in this, and it may be as it should be. Where it takes too long, look "
    "at that place first, at what is waited for or computed there: the figures beside it say how "
    "much could be won.",
    _after_all_others,
    tells=Tells.WAIT,
    cost=Cost.TIME,
)
