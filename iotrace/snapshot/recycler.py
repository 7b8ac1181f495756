# SPDX-License-Identifier: Apache-2.0
"""Threads come and go by the thousand: add up those that have ended, give their room back.

Only what has ended is taken out of a table, and by user space alone: the probes let go of a
record when they mark it as ended.
"""

from __future__ import annotations

from collections import Counter as Multiset
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain

from iotrace.engine.constants import Counter
from iotrace.engine.probes import Probes
from iotrace.snapshot.arithmetic import add_snapshots, add_tables, add_under, fold, without_sums
from iotrace.snapshot.decode import Record, thread_key
from iotrace.snapshot.exchange_reader import read_exchanges
from iotrace.snapshot.reader import SnapshotReader
from iotrace.snapshot.release import forget_slowest, release, release_endpoints
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.totals import NO_LOSSES, ThreadKey

KEPT = 128
"""So many ended threads keep rows of their own before they are added up."""


class Recycler:
    """Keeps the sums of what it took out of the tables."""

    def __init__(self, probes: Probes, reader: SnapshotReader, from_ns: int) -> None:
        self._probes = probes
        self._reader = reader
        self._sums = Snapshot(from_ns=from_ns, at_ns=from_ns)
        self._recycled = 0
        self._parents: dict[int, int] = {}
        self._shown: frozenset[ThreadKey] = frozenset()
        self._folded: dict[ThreadKey, ThreadKey] = {}

    def take(self) -> Snapshot:
        """A snapshot of everything: the tables and the sums."""
        whole = add_snapshots(self._reader.take(), self._sums)
        whole = replace(whole, endpoints=add_tables(whole.endpoints, self._sums.endpoints))
        folded, self._folded = self._folded, {}
        self._shown = frozenset(whole.threads)
        return replace(whole, folded=folded)

    def discard(self, snapshot: Snapshot) -> Snapshot:
        """Forget its slowest requests and the sums of what has ended; ``snapshot`` without those.

        The interval that begins with it has what ends from then on. For traces without an end.
        """
        self._sums = Snapshot(from_ns=snapshot.at_ns, at_ns=snapshot.at_ns)
        forget_slowest(self._probes, chain.from_iterable(snapshot.exchanges.slowest.values()))
        return without_sums(snapshot)

    def recycle(self, roots: Collection[int]) -> frozenset[int]:
        """Where many threads have ended: add them up and give their room back.

        The first thread of each process in ``roots`` keeps its row. Returns the processes that
        are no longer told apart.
        """
        if self._probes.counters[Counter.ENDED] - self._recycled < KEPT:
            return frozenset()
        records = dict(self._reader.records())
        living = {record["pid"] for record in records.values() if not record["ended_ns"]}
        self._parents |= {
            record["pid"]: record["parent_pid"] for record in records.values() if _is_first(record)
        }
        places = {
            slot: self._place(record, living, roots)
            for slot, record in records.items()
            if record["ended_ns"] and not (record["tid"] == record["pid"] in roots)
        }
        self._recycled += len(places)
        # The kernel waits for room meanwhile: it gets back what there is, part by part.
        slots = sorted(places)
        for begin in range(0, len(slots), KEPT):
            part = {slot: places[slot] for slot in slots[begin : begin + KEPT]}
            self._add_up(part, records)
            release(self._probes, part)
        for pid in {records[slot]["pid"] for slot in places} - living:
            self._probes.forget(pid)
        gone = frozenset(records[s]["pid"] for s, place in places.items() if place.pid < 0)
        self._add_up_endpoints(gone)
        self._move_sums(gone)
        return gone

    def _add_up_endpoints(self, gone: frozenset[int]) -> None:
        """What processes that are gone exchanged belongs to their parents' children."""
        if not gone:
            return
        endpoints, _ = read_exchanges(self._probes, {}, {})
        sums = dict(self._sums.endpoints)
        for key, totals in endpoints.items():
            if key.pid in gone:
                add_under(sums, key._replace(pid=-self._parents.get(key.pid, 0)), totals)
        self._sums = replace(self._sums, endpoints=sums)
        release_endpoints(self._probes, gone)

    def _place(self, record: Record, living: set[int], roots: Collection[int]) -> ThreadKey:
        """The sum that this ended thread belongs to."""
        pid = record["pid"]
        parent = self._parents.get(pid, 0)
        if pid in living or pid in roots or not parent:
            return ThreadKey(pid, 0, 0)
        return ThreadKey(-parent, 0, 0)

    def _add_up(self, places: Mapping[int, ThreadKey], records: Mapping[int, Record]) -> None:
        folded = {thread_key(records[slot]): place for slot, place in places.items()}
        first = Multiset(place for slot, place in places.items() if _is_first(records[slot]))
        part = self._reader.take(places)
        part = replace(
            part,
            threads={
                place: replace(totals, processes=first[place])
                for place, totals in part.threads.items()
            },
            operations={},
            losses=NO_LOSSES,
        )
        self._sums = add_snapshots(self._sums, part)
        self._folded |= {key: place for key, place in folded.items() if key in self._shown}

    def _move_sums(self, gone: frozenset[int]) -> None:
        """A process has ended after some of its threads: its sums join those of its kind."""
        moves = {
            ThreadKey(pid, 0, 0): ThreadKey(-self._parents.pop(pid, 0), 0, 0)
            for pid in gone
            if ThreadKey(pid, 0, 0) in self._sums.threads
        }
        self._sums = fold(self._sums, moves)
        self._folded |= {key: place for key, place in moves.items() if key in self._shown}


def _is_first(record: Record) -> bool:
    """Of its process; one that has taken over the number by an exec has no parent."""
    return bool(record["tid"] == record["pid"] and record["parent_pid"])
