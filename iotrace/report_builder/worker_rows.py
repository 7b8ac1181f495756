# SPDX-License-Identifier: Apache-2.0
"""Worker processes: who serves a listener together, and the sum of what they did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import replace

from iotrace.engine.constants import EXEMPLARS
from iotrace.report.requests import Workers
from iotrace.report_builder.request_rows import request_rows, together, upstream_rows
from iotrace.report_builder.stack_rows import NO_PLACES, CallPlaces
from iotrace.snapshot.arithmetic import add_under
from iotrace.snapshot.exchanges import (
    EndpointKey,
    EndpointTotals,
    ExchangeStates,
    Owed,
    SlowExchange,
)
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.snapshot import Snapshot


def workers_of(snapshot: Snapshot, parents: Mapping[int, int | None]) -> dict[int, frozenset[int]]:
    """By the parent: processes of which several have answered on one listener.

    The parent may be one of them. ``parents``: by process; a negative one is the sum of the ended
    children of the process of that number.
    """
    sharing: dict[tuple[int, str, int], set[int]] = defaultdict(set)
    for key, totals in snapshot.endpoints.items():
        if key.role != "server" or not (sum(totals.latency) or totals.accepted):
            continue
        for parent in {parents.get(key.pid), abs(key.pid)}:
            if parent is not None and parent in parents:
                sharing[parent, key.kind, key.port].add(key.pid)
    families: dict[int, set[int]] = defaultdict(set)
    for (parent, _, _), pids in sharing.items():
        if len(pids) > 1:
            families[parent] |= pids
    return {parent: frozenset(pids) for parent, pids in families.items()}


def worker_rows(
    parent: int,
    workers: Set[int],
    snapshot: Snapshot,
    facts: Mapping[int, ProcessFacts],
    unaccepted: Mapping[int, Mapping[int, Owed]],
    calls: CallPlaces = NO_PLACES,
) -> Workers:
    """All exchanges of these processes, as if one process had had them."""
    waiting: dict[int, Owed] = {}
    for pid in workers | {parent}:
        for port, owed in unaccepted.get(pid, {}).items():
            waiting[port] = together(waiting.get(port), owed) or owed
    summed = _as_one(parent, workers, snapshot)
    return Workers(
        pids=tuple(sorted(max(pid, 0) for pid in workers)),
        requests=request_rows(parent, summed, _facts(parent, workers, facts), waiting, calls),
        upstreams=upstream_rows(parent, summed),
    )


def _as_one(parent: int, workers: Set[int], snapshot: Snapshot) -> Snapshot:
    endpoints: dict[EndpointKey, EndpointTotals] = {}
    for key, totals in snapshot.endpoints.items():
        if key.pid in workers:
            add_under(endpoints, key._replace(pid=parent), totals)
    owed: dict[EndpointKey, Owed] = {}
    slowest: dict[EndpointKey, list[SlowExchange]] = defaultdict(list)
    states = snapshot.exchanges
    for key, one in states.owed.items():
        if key.pid in workers:
            target = key._replace(pid=parent)
            owed[target] = together(owed.get(target), one) or one
    for key, slow in states.slowest.items():
        if key.pid in workers:
            slowest[key._replace(pid=parent)] += slow
    kept = {
        key: tuple(sorted(slow, key=lambda one: -one.latency_ns)[:EXEMPLARS])
        for key, slow in slowest.items()
    }
    exchanges = ExchangeStates(owed, states.unaccepted, kept)
    return replace(snapshot, endpoints=endpoints, exchanges=exchanges)


def _facts(
    parent: int, workers: Set[int], facts: Mapping[int, ProcessFacts]
) -> ProcessFacts | None:
    """Of any of them, with the sockets of all: the listener's address is in one of them."""
    known = [facts[pid] for pid in (parent, *sorted(workers)) if pid in facts]
    if not known:
        return None
    sockets = {
        inode: socket for one in known[::-1] for inode, socket in (one.sockets or {}).items()
    }
    tcp = {inode: state for one in known[::-1] for inode, state in one.tcp.items()}
    return replace(known[0], sockets=sockets, tcp=tcp)
