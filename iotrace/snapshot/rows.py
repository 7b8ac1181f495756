# SPDX-License-Identifier: Apache-2.0
"""Read the tables of calls, descriptors and loops: what belongs to some threads, by key."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from iotrace.engine.constants import CALL_OTHER, Counter
from iotrace.engine.probes import Probes
from iotrace.snapshot import decode
from iotrace.snapshot.arithmetic import add_under
from iotrace.snapshot.raw_sums import added_up
from iotrace.snapshot.totals import (
    CallKey,
    CallTotals,
    DescriptorKey,
    DescriptorTotals,
    LoopKey,
    LoopTotals,
    ThreadKey,
)
from iotrace.vocabulary.kinds import LABELS, Kind

_CLEARED = 0
"""The call of a loop's record that is kept for use again: no multiplexer has that number."""
_ERROR_KEY = struct.Struct("<IHHI")

_Key = TypeVar("_Key")
_Totals = TypeVar("_Totals")


class Rows(NamedTuple, Generic[_Key, _Totals]):
    """``upto``: how many calls its thread had made when a row was last added to."""

    totals: dict[_Key, _Totals]
    upto: dict[_Key, int]


def read_calls(probes: Probes, keys: Mapping[int, ThreadKey]) -> Rows[CallKey, CallTotals]:
    """Of the threads in the slots ``keys``; those under the same key are added up."""
    table = probes.calls
    members = table.layout.members("slot", "nr", "kind", "upto", "calls", "sleeps")
    raws: dict[CallKey, list[bytes]] = defaultdict(list)
    upto: dict[CallKey, int] = {}
    for _, raw in table.read_of(keys, probes.used(Counter.CALLS)):
        slot, number, kind, until, calls, sleeps = members.unpack_from(raw)
        if calls or sleeps:
            key = keys[slot], number, LABELS[kind]
            raws[key].append(raw)
            upto[key] = until
    errors = _errors(probes, keys)
    found: dict[CallKey, CallTotals] = {}
    for key, same in raws.items():
        for raw in added_up(table.layout, same, CallTotals):
            add_under(found, key, decode.call_totals(table.layout, raw, errors.pop(key, {})))
    return Rows(found, upto)


def _errors(probes: Probes, keys: Mapping[int, ThreadKey]) -> dict[CallKey, dict[int, int]]:
    """How often which error, by number."""
    errors: dict[CallKey, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for raw_key, raw_count in probes.map("errors").items():
        slot, number, error, kind = _ERROR_KEY.unpack(raw_key)
        if slot in keys:
            place = errors[keys[slot], number, Kind(kind).label]
            place[error] += int.from_bytes(raw_count, "little")
    return errors


def read_descriptors(
    probes: Probes, keys: Mapping[int, ThreadKey], sockets: Mapping[bytes, bytes]
) -> Rows[DescriptorKey, DescriptorTotals]:
    """As read_calls. ``sockets``: the entries of the map "readiness"."""
    table = probes.descriptors
    members = table.layout.members("slot", "fd", "kind", "upto", "calls", "inode", "sleeps")
    raws: dict[DescriptorKey, tuple[list[int], list[bytes]]] = {}
    upto: dict[DescriptorKey, int] = {}
    for _, raw in table.read_of(keys, probes.used(Counter.DESCRIPTORS)):
        slot, fd, kind, until, calls, inode, sleeps = members.unpack_from(raw)
        if (calls or sleeps) and kind != Kind.NONE:
            key = keys[slot], fd, LABELS[kind]
            upto[key] = until
            inodes, same = raws.setdefault(key, ([], []))
            inodes.append(inode)
            same.append(raw)
    unread = _unread(probes, sockets)
    decoded = decode.descriptor_decoder(table.layout)
    found: dict[DescriptorKey, DescriptorTotals] = {}
    for key, (inodes, same) in raws.items():
        since_ns = unread.get(inodes[0])
        sums = added_up(table.layout, same, DescriptorTotals)
        for raw in sums:
            add_under(found, key, decoded(raw, since_ns))
        if len(sums) < len(same):  # the sum has counted what threads shared once for each
            shared = len(same) - len(set(inodes))
            found[key] = replace(found[key], opened=found[key].opened - shared)
    return Rows(found, upto)


def _unread(probes: Probes, sockets: Mapping[bytes, bytes]) -> dict[int, int]:
    """Socket inode -> since when data has been lying there unread.

    Where there is an exchange on the connection, that has the date.
    """
    members = probes.layout("readiness").members("inode", "since_ns", "exchange")
    exchanges = probes.table("exchanges")
    dated = exchanges.all_unguarded(
        probes.used(Counter.EXCHANGES), exchanges.layout.members("sock", "since_ns")
    )
    unread = {}
    for sock, raw in sockets.items():
        inode, since_ns, exchange = members.unpack_from(raw)
        if exchange:
            known, since_ns = dated(exchange - 1)
            if known != int.from_bytes(sock, "little"):
                continue
        if since_ns:
            unread[inode] = since_ns
    return unread


def read_loops(probes: Probes, keys: Mapping[int, ThreadKey]) -> Rows[LoopKey, LoopTotals]:
    """As read_calls."""
    table = probes.loops
    found: dict[LoopKey, LoopTotals] = {}
    upto: dict[LoopKey, int] = {}
    for _, raw in table.read_of(keys, probes.used(Counter.LOOPS)):
        record = table.layout.unpack(raw)
        if record["nr"] not in (_CLEARED, CALL_OTHER):
            key = keys[record["slot"]], record["nr"]
            add_under(found, key, decode.loop_totals(table.layout, raw, record))
            upto[key] = record["upto"]
    return Rows(found, upto)
