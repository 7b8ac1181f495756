# SPDX-License-Identifier: Apache-2.0
"""Which finding is the cause, and which are its symptoms.

By what the rules say they explain; and by two facts that hold whatever the rules are. What two
findings say of the same wait, at the same line of the same thread, has one cause. Those who wait
for a thread (in its accept queue, or for a lock that it has) wait because of what that thread does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.verdict.rules.rule import Hit, Rank, Rule, Tells
from iotrace.verdict.told_lines import COMPUTES, ToldWait

LINE_SHARE = 0.2
"""Of what a line takes, that its cause must have cost."""

_Found = tuple[Rule, Hit]


@dataclass(frozen=True, slots=True)
class Story:
    """A cause and all that follows from it, directly or by way of another symptom.

    ``same``: other views of the cause's own wait, which are no effects of it.
    """

    rule: Rule
    hit: Hit
    symptoms: tuple[_Found, ...] = ()
    same: tuple[_Found, ...] = ()


def stories_of(found: Sequence[_Found]) -> list[Story]:
    """What was found in one process, as causes with their symptoms; each hit is in one story.

    A symptom with several causes is told under the one that ranks first and costs most.
    """
    by_weight = sorted(found, key=lambda one: (one[0].rank, -(one[1].cost_ns or 0), one[0].id))
    causes = _causes(by_weight)
    symptoms: dict[int, list[_Found]] = {}
    same: dict[int, list[_Found]] = {}
    for one in by_weight:
        first = _first_cause(one, causes)
        if first is not one:
            kind = same if _is_same_wait(first, one) else symptoms
            kind.setdefault(id(first[1]), []).append(one)
    return [
        Story(rule, hit, tuple(symptoms.get(id(hit), ())), tuple(same.get(id(hit), ())))
        for rule, hit in found
        if id(hit) not in causes
    ]


def _causes(by_weight: Sequence[_Found]) -> dict[int, _Found]:
    """The cause of each hit that has one, by its id. What the rules declare comes first; the
    order of that has no circles (a test says so), and what the lines tell makes none."""
    causes: dict[int, _Found] = {}
    for declared in (True, False):
        for place, one in enumerate(by_weight):
            if id(one[1]) in causes:
                continue
            for above, other in enumerate(by_weight):
                if other is one or not _same_thread(other[1], one[1]):
                    continue
                follows = (
                    _explains(other, one)
                    if declared
                    else _is_told_by(other, one) or (above < place and _is_twin(other, one))
                )
                if follows and _first_cause(other, causes) is not one:
                    causes[id(one[1])] = other
                    break
    return causes


def _first_cause(one: _Found, causes: dict[int, _Found]) -> _Found:
    """The cause of its cause, and so on."""
    while id(one[1]) in causes:
        one = causes[id(one[1])]
    return one


def _explains(cause: _Found, symptom: _Found) -> bool:
    follows = cause[0].explains.get(symptom[0].id)
    return follows is not None and follows(cause[1], symptom[1])


def _is_told_by(cause: _Found, symptom: _Found) -> bool:
    """Whether the cause is about the wait that the symptom's lines tell of."""
    wait, own = _wait(cause), _wait(symptom)
    if wait is None or own is None or cause[0].id == symptom[0].id:
        return False
    if cause[0].tells < symptom[0].tells:
        return wait == own and _is_enough(cause, symptom) and _may_compute(wait, cause, symptom)
    if cause[0].rank > symptom[0].rank or _knows(cause, symptom):
        return False
    return own.is_for_lock and wait in [line.wait for line in symptom[1].lines[1:]]


def _is_enough(cause: _Found, symptom: _Found) -> bool:
    """What costs others, or is stuck, does not tell how much of a wait it is; else the costs do."""
    if symptom[0].tells is Tells.QUEUE or cause[0].rank is Rank.STUCK:
        return True
    return (cause[1].cost_ns or 0) >= LINE_SHARE * (symptom[1].cost_ns or 0)


def _may_compute(wait: ToldWait, cause: _Found, symptom: _Found) -> bool:
    """What is told of all threads does not tell which of them one that computes is stalled by."""
    return wait.does != COMPUTES or cause[1].tid == symptom[1].tid


def _is_twin(one: _Found, other: _Found) -> bool:
    """Whether both are about the same wait, and as near to its cause."""
    wait = _wait(one)
    if wait is None or wait != _wait(other) or one[0].id == other[0].id:
        return False
    if one[0].tells is not other[0].tells:
        return False
    # What computes in one function may well have several causes (garbage, the file system, ...).
    is_cause = one[0].tells is Tells.CAUSE
    return not is_cause or (wait.does != COMPUTES and not _knows(one, other))


def _knows(one: _Found, other: _Found) -> bool:
    """Whether a rule says when the other's finding follows from its own: then that decides."""
    return one[0].id in other[0].explains or other[0].id in one[0].explains


def _is_same_wait(cause: _Found, one: _Found) -> bool:
    wait, peer = _wait(cause), cause[1].evidence.get("waits_for")
    of_peer = bool(peer) and peer == one[1].evidence.get("peer")
    return one[0].tells is not Tells.QUEUE and (
        of_peer or (wait is not None and wait == _wait(one))
    )


def _wait(one: _Found) -> ToldWait | None:
    """What its costliest line tells."""
    return one[1].lines[0].wait if one[1].lines else None


def _same_thread(a: Hit, b: Hit) -> bool:
    return a.tid is None or b.tid is None or a.tid == b.tid
