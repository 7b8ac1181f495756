"""Snapshots as numbers: add up threads that have ended, subtract an earlier snapshot."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, replace
from functools import cache
from typing import Any, TypeAlias, TypeVar

from iotrace.snapshot import histogram
from iotrace.snapshot.model import Snapshot, ThreadKey, ThreadTotals

_Totals = TypeVar("_Totals")
_Key = TypeVar("_Key")
_Adder: TypeAlias = Callable[[Any, Any], Any]


def interval(later: Snapshot, earlier: Snapshot) -> Snapshot:
    """What happened between an earlier snapshot of the same trace and this one."""
    earlier = fold(earlier, later.folded)
    return Snapshot(
        from_ns=earlier.at_ns,
        at_ns=later.at_ns,
        threads=_differences(later.threads, earlier.threads),
        calls=_differences(later.calls, earlier.calls),
        descriptors=_differences(later.descriptors, earlier.descriptors),
        loops=_differences(later.loops, earlier.loops),
        operations=_differences(later.operations, earlier.operations),
        lines=_differences(later.lines, earlier.lines),
        culprits=_differences(later.culprits, earlier.culprits),
        signals={key: count - earlier.signals.get(key, 0) for key, count in later.signals.items()},
        losses=_difference(later.losses, earlier.losses),
    )


def fold(snapshot: Snapshot, folded: Mapping[ThreadKey, ThreadKey]) -> Snapshot:
    """The same totals with these threads (and all that is theirs) added up under other keys."""
    if not folded:
        return snapshot

    def add_up(totals: Mapping[Any, Any]) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, one in totals.items():
            target = (folded.get(key[0], key[0]), *key[1:])
            result[target] = add_totals(result[target], one) if target in result else one
        return result

    threads = {key[0]: one for key, one in add_up(_tupled(snapshot.threads)).items()}
    signals: dict[tuple[ThreadKey, int], int] = {}
    for (key, number), count in snapshot.signals.items():
        place = folded.get(key, key), number
        signals[place] = signals.get(place, 0) + count
    return replace(
        snapshot,
        threads=threads,
        calls=add_up(snapshot.calls),
        descriptors=add_up(snapshot.descriptors),
        loops=add_up(snapshot.loops),
        culprits=add_up(snapshot.culprits),
        signals=signals,
    )


def _tupled(threads: Mapping[ThreadKey, ThreadTotals]) -> dict[tuple[ThreadKey], ThreadTotals]:
    return {(key,): one for key, one in threads.items()}


STATES = frozenset(
    "parent_pid name ended_ns at_ns opened open_flags inode family local local_port peer "
    "peer_port epoll_fd nfds_max watched in_flight stall_call_nr stall_call_fd stall_call_kind "
    "unread_since_ns fd tid found".split()
)
"""Members that tell a state, not a sum: of two, the later one holds."""
MAXIMA = {
    "max_ns": ("latency", "submit_to_complete"),
    "pickup_max_ns": ("pickup",),
    "busy_max_ns": ("busy",),
    "ready_max": (),
    "stall_call_ns": (),
}
"""Members that are a maximum, and the histograms (if any) that they are the maximum of."""


def _difference(later: _Totals, earlier: _Totals) -> _Totals:
    changes: dict[str, Any] = {}
    for member in fields(later):  # type: ignore[arg-type]
        name = member.name
        if name in STATES or name in MAXIMA or name in ("count", "processes"):
            continue
        a, b = getattr(later, name), getattr(earlier, name)
        if isinstance(a, tuple):
            changes[name] = histogram.subtract(a, b)
        elif isinstance(a, Mapping):
            changes[name] = {key: count - b.get(key, 0) for key, count in a.items()}
        else:
            changes[name] = a - b
    for name, sources in MAXIMA.items():
        counts = next((changes[source] for source in sources if source in changes), None)
        # Where the maximum has not grown since, only the histogram knows this interval's.
        if counts is not None and getattr(later, name) == getattr(earlier, name):
            changes[name] = histogram.highest_ns(counts, getattr(later, name))
    return replace(later, **changes)  # type: ignore[type-var]


def add_snapshots(one: Snapshot, other: Snapshot) -> Snapshot:
    """``one`` with the threads of ``other``, and what is theirs, added under their keys."""

    def merge(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> dict[Any, Any]:
        result = dict(a)
        for key, totals in b.items():
            result[key] = add_totals(result[key], totals) if key in result else totals
        return result

    signals = dict(one.signals)
    for key, count in other.signals.items():
        signals[key] = signals.get(key, 0) + count
    return replace(
        one,
        threads=merge(one.threads, other.threads),
        calls=merge(one.calls, other.calls),
        descriptors=merge(one.descriptors, other.descriptors),
        loops=merge(one.loops, other.loops),
        culprits=merge(one.culprits, other.culprits),
        signals=signals,
    )


def add_totals(one: _Totals, other: _Totals) -> _Totals:
    """The two together; what is a state and no sum is ``one``'s."""
    members, adders = _adders(type(one))  # type: ignore[arg-type]
    pairs = zip(adders, members(one), members(other), strict=True)
    return type(one)(*[add(a, b) for add, a, b in pairs])


@cache
def _adders(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], list[_Adder]]:
    """What gets all members of such totals, and how each is added."""
    names = [member.name for member in fields(kind)]
    return operator.attrgetter(*names), [_adder(member) for member in fields(kind)]


def _adder(member: Field[Any]) -> _Adder:
    if member.name in STATES:
        return _first
    if member.name in MAXIMA:
        return max
    if str(member.type).startswith("tuple"):
        return histogram.add
    return _add_counts if str(member.type).startswith("Mapping") else operator.add


def _first(one: Any, other: Any) -> Any:
    return one


def _add_counts(one: Mapping[Any, int], other: Mapping[Any, int]) -> Mapping[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _differences(
    later: Mapping[_Key, _Totals], earlier: Mapping[_Key, _Totals]
) -> dict[_Key, _Totals]:
    return {
        key: _difference(totals, earlier[key]) if key in earlier else totals
        for key, totals in later.items()
    }
