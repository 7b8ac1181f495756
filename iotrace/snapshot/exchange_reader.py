# SPDX-License-Identifier: Apache-2.0
"""Read the probes' records of exchanges: endpoints, their tiers and exemplars, what is owed."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from iotrace.engine.constants import EXEMPLARS, Counter, Phase, Role
from iotrace.engine.probes import Probes
from iotrace.snapshot.arithmetic import add_under
from iotrace.snapshot.exchanges import (
    PARTS,
    EndpointKey,
    EndpointTotals,
    ExchangeStates,
    Owed,
    SlowExchange,
    TierKey,
)
from iotrace.snapshot.task_note import NoteKey, TaskNote, exchange_note
from iotrace.vocabulary.kinds import Kind

_COUNTS = (
    "accepted undated unknown handed_over unasked connect_errors cut_off cut_off_ns "
    "late late_idle_ns late_after_ns late_at_ns late_family in_flight_max "
    "latency_max_ns setup_max_ns pickup_max_ns service_max_ns last_byte_max_ns".split()
)
_SLOW_FIGURES = (
    "tid arrived_ns latency_ns queue_ns family peer_port "
    "stack call_wait_ns call_nr call_kind".split()
)
_HISTOGRAMS = ("latency", "setup", "pickup", "service", "last_byte")
_OWED: dict[int, tuple[int, ...]] = {
    Role.SERVER: (Phase.ARRIVED, Phase.SERVED),
    Role.CLIENT: (Phase.ASKED,),
}
_OWED_MEMBERS = "role phase sock since_ns arrived_ns read_ns endpoint generation port".split()
_U64 = struct.Struct("<Q")
_SIGN = 1 << 63


def read_exchanges(
    probes: Probes, notes: Mapping[NoteKey, TaskNote], sockets: Mapping[bytes, bytes]
) -> tuple[dict[EndpointKey, EndpointTotals], ExchangeStates]:
    """The sums of each endpoint, and what is under way now.

    ``sockets``: the entries of the map "readiness".
    """
    table = probes.table("endpoints")
    endpoints: dict[EndpointKey, EndpointTotals] = {}
    slowest: dict[EndpointKey, tuple[SlowExchange, ...]] = {}
    places: dict[tuple[int, int], EndpointKey] = {}
    for index, raw in table.read_all(probes.used(Counter.ENDPOINTS)):
        record = table.layout.unpack(raw)
        if record["pid"]:
            key = endpoint_key(record, bytes(table.layout.array(raw, "address")))
            places[index, record["generation"]] = key
            counts: dict[str, Any] = {name: record[name] for name in _COUNTS}
            histograms: dict[str, Any] = {
                name: table.layout.array(raw, name) for name in _HISTOGRAMS
            }
            counts["late_peer"] = bytes(table.layout.array(raw, "late_peer"))
            tiers = _tiers(probes, table.layout.array(raw, "tiers"))
            # A process has two records of one endpoint where its threads were in each other's way.
            add_under(endpoints, key, EndpointTotals(**counts, **histograms, tiers=tiers))
            slowest[key] = slowest.get(key, ()) + _slowest(probes, index, notes)
    return endpoints, ExchangeStates(*_owed(probes, places, sockets), slowest)


def endpoint_key(record: Mapping[str, Any], address: bytes) -> EndpointKey:
    """Whose record it is."""
    unix = record["kind"] == Kind.UNIX
    return EndpointKey(
        pid=record["pid"],
        role=Role(record["role"]).name.lower(),
        kind=Kind(record["kind"]).label,
        family=record["family"],
        address=address,
        port=0 if unix else record["port"],
        path=record["path"],
    )


def _signed(number: int) -> int:
    return number - 2 * _SIGN if number >= _SIGN else number


def _parts(values: Iterable[int]) -> dict[str, int]:
    return {state: _signed(ns) for state, ns in zip(PARTS, values, strict=True) if ns}


def _tiers(probes: Probes, places: Iterable[int]) -> dict[TierKey, int]:
    table = probes.table("tiers")
    tiers: dict[TierKey, int] = {}
    for number, place in enumerate(places):
        if place:
            raw = table.read(place - 1)
            if queue_ns := table.layout.unpack(raw)["queue_ns"]:
                tiers[TierKey(number, "queue", "")] = queue_ns
            for phase in ("pickup", "service"):
                cpu = table.layout.array(raw, phase)
                off_cpu = table.layout.array(raw, f"{phase}_off_cpu")
                for state, ns in _parts((*cpu, *off_cpu)).items():
                    tiers[TierKey(number, phase, state)] = ns
    return tiers


def _slowest(
    probes: Probes, endpoint: int, notes: Mapping[NoteKey, TaskNote]
) -> tuple[SlowExchange, ...]:
    table = probes.table("exemplars")
    found = []
    for index in range(endpoint * EXEMPLARS, (endpoint + 1) * EXEMPLARS):
        raw = table.read(index)
        record = table.layout.unpack(raw)
        if record["arrived_ns"] and record["latency_ns"]:
            note = notes.get(exchange_note(index))
            found.append(
                SlowExchange(
                    peer=bytes(table.layout.array(raw, "peer")),
                    pickup_ns=_parts(table.layout.array(raw, "pickup")),
                    service_ns=_parts(table.layout.array(raw, "service")),
                    # One of an exchange that was kept here before is not of this one.
                    task=note if note and note.longest_ns == record["latency_ns"] else None,
                    **{name: record[name] for name in _SLOW_FIGURES},
                )
            )
    return tuple(sorted(found, key=lambda one: -one.latency_ns))


def _owed(
    probes: Probes,
    places: Mapping[tuple[int, int], EndpointKey],
    sockets: Mapping[bytes, bytes],
) -> tuple[dict[EndpointKey, Owed], dict[int, tuple[int, ...]]]:
    table = probes.table("exchanges")
    used = probes.used(Counter.EXCHANGES)
    exchange_at = table.all_unguarded(used, table.layout.members(*_OWED_MEMBERS))
    where = probes.layout("readiness").members("exchange")
    owed: dict[EndpointKey, list[int]] = defaultdict(list)
    waiting: dict[int, list[int]] = defaultdict(list)
    for index in table.taken(used, "phase"):
        exchange = exchange_at(index)
        role, phase, sock, since_ns, arrived_ns, read_ns, endpoint, generation, port = exchange
        if phase not in _OWED.get(role, ()):
            continue
        entry = sockets.get(_U64.pack(sock))
        if entry is None or where.unpack_from(entry) != (index + 1,):
            continue  # of a connection that is gone
        if phase != Phase.ARRIVED:
            since_ns = arrived_ns if role == Role.SERVER else read_ns
        key = places.get((endpoint - 1, generation))
        if key is not None:
            owed[key].append(since_ns)
        elif port:
            waiting[port].append(since_ns)
    together = {key: Owed(len(dates), min(dates)) for key, dates in owed.items()}
    return together, {port: tuple(sorted(dates)) for port, dates in waiting.items()}
