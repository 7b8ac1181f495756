"""Threads come and go by the thousand: add up those that have ended, give their room back.

Only what has ended is taken out of a table, and by user space alone: the probes let go of a
record when they mark it as ended.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace

from iotrace.engine.constants import Counter
from iotrace.engine.probes import Probes
from iotrace.engine.tables import RecordTable
from iotrace.snapshot.arithmetic import add_snapshots, fold
from iotrace.snapshot.decode import Record, thread_key
from iotrace.snapshot.model import Losses, Snapshot, ThreadKey
from iotrace.snapshot.reader import SnapshotReader

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_LOOP_AT = 8
"""In struct culprit_key."""
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
        folded, self._folded = self._folded, {}
        self._shown = frozenset(whole.threads)
        return replace(whole, folded=folded)

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
        self._add_up(places, records)
        self._release(places)
        for pid in {records[slot]["pid"] for slot in places} - living:
            self._probes.forget(pid)
        gone = frozenset(records[s]["pid"] for s, place in places.items() if place.pid < 0)
        self._move_sums(gone)
        return gone

    def _place(self, record: Record, living: set[int], roots: Collection[int]) -> ThreadKey:
        """The sum that this ended thread belongs to."""
        pid = record["pid"]
        parent = self._parents.get(pid, 0)
        if pid in living or pid in roots or not parent:
            return ThreadKey(pid, 0, 0)
        return ThreadKey(-parent, 0, 0)

    def _add_up(self, places: Mapping[int, ThreadKey], records: Mapping[int, Record]) -> None:
        part = self._reader.take(places)
        folded = {thread_key(records[slot]): place for slot, place in places.items()}
        first = {thread_key(records[slot]) for slot in places if _is_first(records[slot])}
        part = replace(
            part,
            threads={
                key: replace(totals, processes=int(key in first))
                for key, totals in part.threads.items()
            },
            operations={},
            losses=Losses(),
        )
        self._sums = add_snapshots(self._sums, fold(part, folded))
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

    def _release(self, slots: Collection[int]) -> None:
        """Clear the records of these threads and hand their indices to the probes again."""
        probes = self._probes
        for index, record in _records_of(probes.calls, slots, probes.used(Counter.CALLS)):
            if record["calls"] or record["sleeps"]:
                key = record["slot"] << 32 | record["nr"] << 8 | record["kind"]
                probes.map("call_index").delete(_U64.pack(key))
                _give_back(probes, probes.calls, "free_calls", index)
        used = probes.used(Counter.DESCRIPTORS)
        for index, record in _records_of(probes.descriptors, slots, used):
            if record["opened"] or record["sleeps"]:
                key = record["slot"] << 40 | record["kind"] << 32 | record["fd"] & 0xFFFFFFFF
                probes.map("descriptor_index").delete(_U64.pack(key))
                _give_back(probes, probes.descriptors, "free_descriptors", index)
        culprits = _culprits_by_loop(probes)
        for index, record in _records_of(probes.loops, slots, probes.used(Counter.LOOPS)):
            if record["nr"]:
                _give_back(probes, probes.loops, "free_loops", index)
                for raw_key in culprits.pop(index, ()):
                    probes.map("culprits").delete(raw_key)
        for name, place in (("errors", 0), ("signals", 4)):
            if probes.has_map(name):
                counts = probes.map(name)
                for raw_key in [raw_key for raw_key, _ in counts.items()]:
                    if _U32.unpack_from(raw_key, place)[0] in slots:
                        counts.delete(raw_key)
        for slot in slots:
            _give_back(probes, probes.threads, "free_threads", slot)


def _is_first(record: Record) -> bool:
    """Of its process; one that has taken over the number by an exec has no parent."""
    return bool(record["tid"] == record["pid"] and record["parent_pid"])


def _records_of(
    table: RecordTable, slots: Collection[int], used: int
) -> list[tuple[int, dict[str, int]]]:
    return [(index, table.layout.unpack(raw)) for index, raw in table.read_of(slots, used)]


def _culprits_by_loop(probes: Probes) -> dict[int, list[bytes]]:
    """Keys of the map of culprits by the index of the loop that they held up."""
    keys: dict[int, list[bytes]] = defaultdict(list)
    if probes.has_map("culprits"):
        for raw_key, _ in probes.map("culprits").items():
            keys[_U32.unpack_from(raw_key, _LOOP_AT)[0]].append(raw_key)
    return keys


def _give_back(probes: Probes, table: RecordTable, queue: str, index: int) -> None:
    table.clear(index)
    probes.map(queue).push(_U32.pack(index))
