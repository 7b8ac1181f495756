# SPDX-License-Identifier: Apache-2.0
"""Which finding is the cause, and which are its symptoms, by what the rules say they explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.verdict.rules.rule import Hit, Rule


@dataclass(frozen=True, slots=True)
class Story:
    """A cause and all that follows from it, directly or by way of another symptom."""

    rule: Rule
    hit: Hit
    symptoms: tuple[tuple[Rule, Hit], ...] = ()


def stories_of(found: Sequence[tuple[Rule, Hit]]) -> list[Story]:
    """What was found in one process, as causes with their symptoms; each hit is in one story.

    A symptom with several causes is told under the one that ranks first and costs most.
    """
    by_weight = sorted(found, key=lambda one: (one[0].rank, -(one[1].cost_ns or 0), one[0].id))
    causes = {
        id(hit): [other for other in by_weight if _explains(other, (rule, hit))]
        for rule, hit in by_weight
    }
    symptoms: dict[int, list[tuple[Rule, Hit]]] = {}
    for rule, hit in by_weight:
        first = _first_cause((rule, hit), causes)
        if first is not hit:
            symptoms.setdefault(id(first), []).append((rule, hit))
    return [
        Story(rule, hit, tuple(symptoms.get(id(hit), ())))
        for rule, hit in found
        if not causes[id(hit)]
    ]


def _first_cause(one: tuple[Rule, Hit], causes: dict[int, list[tuple[Rule, Hit]]]) -> Hit:
    """The cause of its cause, and so on; the rules' order has no circles (a test says so)."""
    while causes[id(one[1])]:
        one = causes[id(one[1])][0]
    return one[1]


def _explains(cause: tuple[Rule, Hit], symptom: tuple[Rule, Hit]) -> bool:
    follows = cause[0].explains.get(symptom[0].id)
    return (
        follows is not None and _same_thread(cause[1], symptom[1]) and follows(cause[1], symptom[1])
    )


def _same_thread(a: Hit, b: Hit) -> bool:
    return a.tid is None or b.tid is None or a.tid == b.tid
