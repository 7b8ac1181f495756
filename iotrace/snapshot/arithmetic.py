# SPDX-License-Identifier: Apache-2.0
"""Snapshots as numbers: add up threads that have ended, subtract an earlier snapshot.

How a single total adds and subtracts is said in its dataclass: see merging.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from iotrace.snapshot.exchanges import EndpointKey, EndpointTotals
from iotrace.snapshot.merging import Owner, add, subtract
from iotrace.snapshot.snapshot import TABLES, Snapshot
from iotrace.snapshot.totals import ThreadKey

_OF_THREADS = tuple(name for name, owner in TABLES.items() if owner is Owner.THREAD)

Table = Mapping[Any, Any]
"""Totals by key."""


def interval(later: Snapshot, earlier: Snapshot) -> Snapshot:
    """What happened between an earlier snapshot of the same trace and this one."""
    earlier = fold(earlier, later.folded)
    tables: dict[str, Any] = {
        name: _differences(getattr(later, name), getattr(earlier, name)) for name in TABLES
    }
    losses = subtract(later.losses, earlier.losses)
    return Snapshot(
        from_ns=earlier.at_ns,
        at_ns=later.at_ns,
        losses=losses,
        exchanges=later.exchanges,
        **tables,
    )


def fold(snapshot: Snapshot, folded: Mapping[ThreadKey, ThreadKey]) -> Snapshot:
    """The same totals with these threads (and all that is theirs) added up under other keys."""
    if not folded:
        return snapshot

    def place(key: Any) -> Any:
        if isinstance(key, ThreadKey):
            return folded.get(key, key)
        return (folded.get(key[0], key[0]), *key[1:])

    def add_up(table: Table) -> Table:
        result: dict[Any, Any] = {}
        for key, totals in table.items():
            add_under(result, place(key), totals)
        return result

    tables: dict[str, Any] = {name: add_up(getattr(snapshot, name)) for name in _OF_THREADS}
    gone = {key.pid: target.pid for key, target in folded.items() if target.pid < 0}
    endpoints: dict[EndpointKey, EndpointTotals] = {}
    for key, totals in snapshot.endpoints.items():
        add_under(endpoints, key._replace(pid=gone.get(key.pid, key.pid)), totals)
    return replace(snapshot, **tables, endpoints=endpoints)


def threads_only(snapshot: Snapshot) -> Snapshot:
    """Threads, their loops, and what they exchange with others: no rows of calls or descriptors."""
    left_out: dict[str, Any] = {
        name: {} for name in _OF_THREADS if name not in ("threads", "loops")
    }
    return replace(snapshot, **left_out)


def without_sums(snapshot: Snapshot) -> Snapshot:
    """Only what is of a single thread, and of a process that is told apart."""
    tables: dict[str, Any] = {
        name: {
            key: totals
            for key, totals in getattr(snapshot, name).items()
            if (key if isinstance(key, ThreadKey) else key[0]).tid
        }
        for name in _OF_THREADS
    }
    endpoints = {key: totals for key, totals in snapshot.endpoints.items() if key.pid > 0}
    return replace(snapshot, **tables, endpoints=endpoints)


def add_snapshots(one: Snapshot, other: Snapshot) -> Snapshot:
    """``one`` with the threads of ``other``, and what is theirs, added under their keys."""

    tables: dict[str, Any] = {
        name: add_tables(getattr(one, name), getattr(other, name)) for name in _OF_THREADS
    }
    return replace(one, **tables)


def add_tables(one: Table, other: Table) -> dict[Any, Any]:
    """All totals of both."""
    result = dict(one)
    for key, totals in other.items():
        add_under(result, key, totals)
    return result


def add_under(table: dict[Any, Any], key: Any, totals: Any) -> None:
    """To what is there under the same key."""
    table[key] = add(table[key], totals) if key in table else totals


def _differences(later: Table, earlier: Table) -> Table:
    return {
        key: subtract(totals, earlier[key]) if key in earlier else totals
        for key, totals in later.items()
    }
