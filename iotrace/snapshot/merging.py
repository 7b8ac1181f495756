# SPDX-License-Identifier: Apache-2.0
"""How two values of a field become one. Each field of a total says so in its type.

``calls: Total`` adds and subtracts; ``name: State[str]`` is kept; ``max_ns: Maximum``, or
``Annotated[int, maximum_of("latency")]`` where a histogram has the same samples, is the larger
one. ``@mergeable`` reads the rules when the class is made: a field without one is an error.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_type_hints

from iotrace.snapshot import histogram

T = TypeVar("T")
_Operator: TypeAlias = Callable[[Any, Any], Any]
_Class = TypeVar("_Class", bound=type[Any])


@dataclass(frozen=True, slots=True)
class Rule:
    """``add``: of two totals, in any order of time. ``subtract``: an earlier one of the same.

    ``column``: the same as ``add`` for any number of integers. ``of``: the histogram that this is
    the maximum of. ``at``: the maximum that this belongs to. ``unlike``: what names the last of the
    things that this counts: of two with the same, that is counted once.
    """

    name: str
    add: _Operator
    subtract: _Operator
    column: Callable[[Sequence[int]], int]
    of: str = ""
    at: str = ""
    unlike: str = ""


def _first(one: Any, other: Any) -> Any:
    return one


def _add_counts(one: Mapping[Any, int], other: Mapping[Any, int]) -> Mapping[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _subtract_counts(later: Mapping[Any, int], earlier: Mapping[Any, int]) -> Mapping[Any, int]:
    return {key: count - earlier.get(key, 0) for key, count in later.items()}


FIRST = Rule("state", _first, _first, operator.itemgetter(0))
_TOTAL = Rule("total", operator.add, operator.sub, sum)
_MEMBERS = Rule("members", operator.add, _first, sum)
_EACH = Rule("histogram", histogram.add, histogram.subtract, sum)
_COUNTS = Rule("counts", _add_counts, _subtract_counts, sum)
_MAXIMUM = Rule("maximum", max, _first, max)

Total: TypeAlias = Annotated[int, _TOTAL]
"""A sum: adds and subtracts."""
Members: TypeAlias = Annotated[int, _MEMBERS]
"""How many were added up here: adds; a difference is still about so many."""
State: TypeAlias = Annotated[T, FIRST]
"""No sum: of two the first one's, in a difference the later one's."""
Histogram: TypeAlias = Annotated[tuple[int, ...], _EACH]
"""Sums by place (a bucket, a wait reason): each adds and subtracts."""
Key = TypeVar("Key")
CountsBy: TypeAlias = Annotated[Mapping[Key, int], _COUNTS]
"""Sums by key."""
Counts: TypeAlias = CountsBy[int]
NamedCounts: TypeAlias = CountsBy[str]
Maximum: TypeAlias = Annotated[int, _MAXIMUM]
"""The larger one; in a difference the later one, which is that of all time."""


class Owner(Enum):
    """Whose the totals of a table are: what its keys begin with."""

    THREAD = "thread"
    PROCESS = "process"


K = TypeVar("K")
V = TypeVar("V")
OfThreads: TypeAlias = Annotated[Mapping[K, V], Owner.THREAD]
"""Totals by a thread's key, or by a tuple that begins with it: threads that end are added up."""
OfProcesses: TypeAlias = Annotated[Mapping[K, V], Owner.PROCESS]


def owned_tables(kind: type) -> dict[str, Owner]:
    """The tables of a dataclass, by name."""
    return {
        name: owner
        for name, hint in _hints(kind).items()
        for owner in get_args(hint)[1:]
        if isinstance(owner, Owner)
    }


def maximum_of(name: str) -> Rule:
    """A maximum of the samples of a histogram, which knows about that of a difference."""
    return Rule("maximum", max, _first, max, of=name)


def at_maximum(name: str) -> Rule:
    """A state at the time of a maximum: of two, that of the larger one."""
    return Rule("state at a maximum", _first, _first, operator.itemgetter(0), at=name)


def count_unlike(name: str) -> Rule:
    """A number of things, of which the field ``name`` tells one from another."""
    return Rule("count", operator.add, _first, sum, unlike=name)


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of a class by field, in order. ``values`` gets all fields at once.

    ``adders`` and ``subtractors``: of each field; ``maxima``: (place, place of the histogram);
    ``at_maxima``: (place, place of the maximum), ``counts``: (place, place of what it counts).
    """

    rules: Mapping[str, Rule]
    values: Callable[[Any], tuple[Any, ...]]
    adders: tuple[_Operator, ...]
    subtractors: tuple[_Operator, ...]
    maxima: tuple[tuple[int, int], ...]
    at_maxima: tuple[tuple[int, int], ...]
    counts: tuple[tuple[int, int], ...]


_PLANS: dict[type, Plan] = {}


def _hints(kind: type) -> dict[str, Any]:
    """The types of the fields. A field called ``bytes`` hides no type of that name."""
    return get_type_hints(kind, localns={}, include_extras=True)


def mergeable(kind: _Class) -> _Class:
    """Of a dataclass whose every field has a rule. Raises TypeError on one that has none."""
    hints = _hints(kind)
    rules = {member.name: _rule(kind, member, hints[member.name]) for member in fields(kind)}
    for name, rule in rules.items():
        if rule.of and rules.get(rule.of) is not _EACH:
            raise TypeError(f"{_place(kind, name)} is the maximum of {rule.of}: no histogram")
        if rule.at and (rule.at not in rules or rules[rule.at].add is not max):
            raise TypeError(f"{_place(kind, name)} belongs to {rule.at}: no maximum")
    names = list(rules)
    _PLANS[kind] = Plan(
        rules=rules,
        values=attrgetter(*names),
        adders=tuple(rule.add for rule in rules.values()),
        subtractors=tuple(rule.subtract for rule in rules.values()),
        maxima=tuple(
            (names.index(name), names.index(rule.of)) for name, rule in rules.items() if rule.of
        ),
        at_maxima=tuple(
            (names.index(name), names.index(rule.at)) for name, rule in rules.items() if rule.at
        ),
        counts=tuple(
            (names.index(name), names.index(rule.unlike))
            for name, rule in rules.items()
            if rule.unlike
        ),
    )
    return kind


def _rule(kind: type, member: Field[Any], hint: Any) -> Rule:
    for one in get_args(hint)[1:]:
        if isinstance(one, Rule):
            return one
    raise TypeError(
        f"{_place(kind, member.name)} has no rule: is it a Total, a State, a Maximum? "
        "See iotrace/snapshot/merging.py"
    )


def _place(kind: type, name: str) -> str:
    return f"{kind.__module__}, {kind.__qualname__}.{name}"


def plan_of(kind: type) -> Plan:
    """The rules of a mergeable class."""
    return _PLANS[kind]


def add(one: T, other: T) -> T:
    """The two together; plain numbers are sums."""
    if isinstance(one, int):
        return one + other  # type: ignore[operator,return-value]
    plan = _PLANS[type(one)]
    ours, others = plan.values(one), plan.values(other)
    values = [add_two(a, b) for add_two, a, b in zip(plan.adders, ours, others, strict=True)]
    for place, at in plan.at_maxima:
        if others[at] > ours[at]:
            values[place] = others[place]
    for place, unlike in plan.counts:
        if ours[unlike] == others[unlike] and ours[place] and others[place]:
            values[place] -= 1
    return type(one)(*values)


def add_all(totals: Iterable[T]) -> T:
    """All together. Raises StopIteration where there are none."""
    totals = iter(totals)
    result = next(totals)
    for one in totals:
        result = add(result, one)
    return result


def subtract(later: T, earlier: T) -> T:
    """What happened between an earlier total of the same and this one."""
    if isinstance(later, int):
        return later - earlier  # type: ignore[operator,return-value]
    plan = _PLANS[type(later)]
    after, before = plan.values(later), plan.values(earlier)
    changes = [take(a, b) for take, a, b in zip(plan.subtractors, after, before, strict=True)]
    for place, of in plan.maxima:
        # Where the maximum has not grown since, only the histogram knows this interval's.
        if after[place] == before[place]:
            changes[place] = histogram.highest_ns(changes[of], after[place])
    return type(later)(*changes)
