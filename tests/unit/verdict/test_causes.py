"""Findings as causes with their symptoms."""

from __future__ import annotations

from graphlib import TopologicalSorter

from iotrace.verdict.causes import stories_of
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers


def _rule(name: str, rank: Rank = Rank.SHARE, **explains: object) -> Rule:
    return Rule(name, name, "", lambda _: (), explains, rank)  # type: ignore[arg-type]


def _told(*found: tuple[Rule, Hit]) -> list[tuple[str, list[str]]]:
    return [(story.rule.id, [rule.id for rule, _ in story.symptoms]) for story in stories_of(found)]


SLOW = _rule("slow")
LATE = _rule("late", slow=always)
BLOCKED = _rule("blocked", late=covers)


def test_what_nothing_explains_stands_alone() -> None:
    assert _told((SLOW, Hit({}, 3))) == [("slow", [])]
    assert _told((SLOW, Hit({}, 3)), (BLOCKED, Hit({}, 5))) == [("slow", []), ("blocked", [])]


def test_a_symptom_of_a_symptom_is_told_under_the_first_cause() -> None:
    found = ((SLOW, Hit({}, 50)), (LATE, Hit({}, 5)), (BLOCKED, Hit({}, 5)))
    assert _told(*found) == [("blocked", ["slow", "late"])]


def test_a_cause_that_costs_too_little_explains_nothing() -> None:
    assert _told((LATE, Hit({}, 11)), (BLOCKED, Hit({}, 5))) == [("late", []), ("blocked", [])]


def test_other_threads_have_causes_of_their_own() -> None:
    found = ((SLOW, Hit({}, 3, tid=7)), (LATE, Hit({}, 3, tid=8)))
    assert _told(*found) == [("slow", []), ("late", [])]
    found = ((SLOW, Hit({}, 3, tid=None)), (LATE, Hit({}, 3, tid=8)))
    assert _told(*found) == [("late", ["slow"])]


def test_of_several_causes_a_hang_is_told_before_the_costliest() -> None:
    hang = _rule("hang", Rank.STUCK, slow=always)
    found = ((LATE, Hit({}, 9)), (hang, Hit({}, 5)), (SLOW, Hit({}, 2)))
    assert _told(*found) == [("late", []), ("hang", ["slow"])]


def test_the_rules_order_has_no_circles_and_no_unknown_rule() -> None:
    ids = {rule.id for rule in RULES}
    for rule in RULES:
        assert set(rule.explains) <= ids, f"{rule.id} explains rules that the registry lacks"
    tuple(TopologicalSorter({rule.id: set(rule.explains) for rule in RULES}).static_order())
