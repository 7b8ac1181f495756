# SPDX-License-Identifier: Apache-2.0
"""Give the room of threads that have ended back to the probes."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable

from iotrace.engine.constants import EXEMPLARS, Counter
from iotrace.engine.probes import Probes
from iotrace.engine.record_tables import RecordTable
from iotrace.snapshot.exchanges import SlowExchange

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_ENDPOINT_KEY = struct.Struct("<5I16s")
"""struct endpoint_key (probes/maps.c)."""
_LOOP_AT = 8
"""In struct stall_key (probes/python.c)."""


def release(probes: Probes, slots: Collection[int]) -> None:
    """Clear the records of these threads and hand their indices to the probes again."""
    _release_calls(probes, slots)
    _release_descriptors(probes, slots)
    _release_loops(probes, slots)
    for name, place in (("errors", 0), ("signals", 4)):
        if probes.has_map(name):
            counts = probes.map(name)
            keys = [key for key, _ in counts.items() if _U32.unpack_from(key, place)[0] in slots]
            counts.delete_all(keys)
    _give_back(probes, probes.threads, "free_threads", slots)


def _release_calls(probes: Probes, slots: Collection[int]) -> None:
    members = probes.calls.members_of(
        slots, probes.used(Counter.CALLS), "slot", "nr", "kind", "calls", "sleeps"
    )
    keys = {
        index: _U64.pack(slot << 32 | number << 8 | kind)
        for index, (slot, number, kind, calls, sleeps) in members
        if calls or sleeps
    }
    probes.map("call_index").delete_all(list(keys.values()))
    _give_back(probes, probes.calls, "free_calls", keys)


def _release_descriptors(probes: Probes, slots: Collection[int]) -> None:
    members = probes.descriptors.members_of(
        slots, probes.used(Counter.DESCRIPTORS), "slot", "fd", "kind", "opened", "sleeps"
    )
    keys = {
        index: _U64.pack(slot << 40 | kind << 32 | fd & 0xFFFFFFFF)
        for index, (slot, fd, kind, opened, sleeps) in members
        if opened or sleeps
    }
    probes.map("descriptor_index").delete_all(list(keys.values()))
    _give_back(probes, probes.descriptors, "free_descriptors", keys)


def _release_loops(probes: Probes, slots: Collection[int]) -> None:
    members = probes.loops.members_of(slots, probes.used(Counter.LOOPS), "nr")
    indices = [index for index, (number,) in members if number]
    if not indices:
        return
    stall_causes = _stall_causes_by_loop(probes)
    if stall_causes:
        keys = [key for index in indices for key in stall_causes.get(index, ())]
        probes.map("stall_causes").delete_all(keys)
    _give_back(probes, probes.loops, "free_loops", indices)


def _stall_causes_by_loop(probes: Probes) -> dict[int, list[bytes]]:
    """Keys of the map of causes of stalls by the index of the loop that they stalled."""
    keys: dict[int, list[bytes]] = defaultdict(list)
    if probes.has_map("stall_causes"):
        for raw_key, _ in probes.map("stall_causes").items():
            keys[_U32.unpack_from(raw_key, _LOOP_AT)[0]].append(raw_key)
    return keys


def release_endpoints(probes: Probes, pids: Collection[int]) -> None:
    """The same for what these processes exchanged with others: they have ended.

    A connection that another process holds still finds the record's generation changed.
    """
    endpoints, tiers = probes.table("endpoints"), probes.table("tiers")
    for index, raw in endpoints.read_all(probes.used(Counter.ENDPOINTS)):
        record = endpoints.layout.unpack(raw)
        if record["pid"] not in pids:
            continue
        address = bytes(endpoints.layout.array(raw, "address"))
        members = (record[name] for name in ("pid", "role", "kind", "port", "family"))
        probes.map("endpoint_index").delete(_ENDPOINT_KEY.pack(*members, address))
        places = [place - 1 for place in endpoints.layout.array(raw, "tiers") if place]
        for exemplar in range(index * EXEMPLARS, (index + 1) * EXEMPLARS):
            probes.table("exemplars").clear(exemplar)
        fresh = {"generation": record["generation"] + 1}
        endpoints.write(index, endpoints.layout.pack(fresh))
        probes.map("free_endpoints").push(_U32.pack(index))
        _give_back(probes, tiers, "free_tiers", places)


def forget_slowest(probes: Probes, told: Iterable[SlowExchange]) -> None:
    """These have been told of, and make room for the slowest requests of the next interval.

    What has ended since they were read is counted there, and stays. A probe that writes to one at
    this moment wins, or loses it.
    """
    used = probes.used(Counter.ENDPOINTS)
    if not used:
        return
    known = {(one.tid, one.arrived_ns, one.latency_ns) for one in told}
    endpoints, exemplars = probes.table("endpoints"), probes.table("exemplars")
    members = exemplars.layout.members("tid", "arrived_ns", "latency_ns")
    figures_of = exemplars.all_unguarded(used * EXEMPLARS, members)
    for index in range(used):
        left = []
        for place in range(index * EXEMPLARS, (index + 1) * EXEMPLARS):
            tid, arrived_ns, latency_ns = figures_of(place)
            if (tid, arrived_ns, latency_ns) in known:
                exemplars.set(place, "latency_ns", 0)
                latency_ns = 0
            left.append(latency_ns)
        # After the others: a request that ends meanwhile computes it from what it finds there.
        endpoints.set(index, "slowest_ns", min(left))


def _give_back(probes: Probes, table: RecordTable, queue: str, indices: Iterable[int]) -> None:
    """The records are as new; nothing may lead to them any more."""
    free = probes.map(queue)
    for index in indices:
        table.clear(index)
        free.push(_U32.pack(index))
