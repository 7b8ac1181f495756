# SPDX-License-Identifier: Apache-2.0
"""One record of the probes' tables (see probes/records.h) to one frozen total.

The fields of a total's dataclass that a record has are taken from there, by name.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from iotrace.engine.record_layout import Field, Layout
from iotrace.snapshot.in_flight import InFlight, idle_ns
from iotrace.snapshot.merging import plan_of
from iotrace.snapshot.totals import (
    CallTotals,
    DescriptorTotals,
    LoopTotals,
    OperationTotals,
    ThreadKey,
    ThreadTotals,
)
from iotrace.vocabulary.kinds import Kind
from iotrace.vocabulary.waits import WAIT_REASONS

Record = Mapping[str, Any]
"""The scalar members of a record by name."""

_Totals = TypeVar("_Totals")
_OTHER = WAIT_REASONS.index("other")


def thread_key(record: Record) -> ThreadKey:
    """Whose record it is."""
    return ThreadKey(record["pid"], record["tid"], record["started_ns"])


def decoded(
    kind: type[_Totals], layout: Layout, raw: bytes, record: Record | None = None, **known: Any
) -> _Totals:
    """A total of this kind: its fields ``known``, the others those of the record.

    ``record``: the scalar members, where they are unpacked already. A field that is neither known
    nor in the record has its default. Raises TypeError where it has none.
    """
    record = layout.unpack(raw) if record is None else record
    hashable: type = kind
    scalars, arrays = _members(hashable, layout.names, layout.arrays, tuple(known))
    return kind(
        **known,
        **{name: record[name] for name in scalars},
        **{name: layout.array(raw, name) for name in arrays},
    )


@cache
def _members(
    kind: type, scalars: tuple[str, ...], arrays: tuple[str, ...], known: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(scalars, arrays) of a record that are fields of a total, without those known otherwise."""
    wanted = [name for name in plan_of(kind).rules if name not in known]
    return (
        tuple(name for name in wanted if name in scalars),
        tuple(name for name in wanted if name in arrays),
    )


def thread_totals(layout: Layout, raw: bytes, record: Record, flight: InFlight) -> ThreadTotals:
    """The ledger of a thread; ``flight``: what is to be added for the time since its last event."""
    wait = list(layout.array(raw, "wait_ns"))
    wait[record["sleep_class"]] += flight.asleep_ns
    idle = list(layout.array(raw, "idle_ns"))
    idle[record["sleep_class"]] += idle_ns(record, flight.asleep_ns)
    in_flight_ns = (
        flight.user_ns + flight.kernel_ns + flight.copy_ns + flight.runq_ns + flight.asleep_ns
    )
    at_ns = record["ended_ns"] or record["since_ns"] + in_flight_ns
    return decoded(
        ThreadTotals,
        layout,
        raw,
        record,
        name=record["name"].decode(errors="surrogateescape"),
        ended_ns=record["ended_ns"] or None,
        at_ns=at_ns,
        lifetime_ns=at_ns - record["started_ns"],
        user_ns=record["user_ns"] + flight.user_ns,
        kernel_ns=record["kernel_ns"] + flight.kernel_ns,
        copy_ns=record["copy_ns"] + flight.copy_ns,
        runq_ns=record["runq_ns"] + flight.runq_ns,
        wait_ns=_by_reason(wait),
        idle_ns=_by_reason(idle),
        found=bool(record["found"]),
    )


def _by_reason(wait_ns: Sequence[int]) -> tuple[int, ...]:
    """A wait for each reason. What was charged to none of them is a wait for something else."""
    reasons = list(wait_ns[: len(WAIT_REASONS)])
    reasons[_OTHER] += sum(wait_ns[len(WAIT_REASONS) :])
    return tuple(reasons)


def call_totals(layout: Layout, raw: bytes, errors: Mapping[int, int]) -> CallTotals:
    """A call; ``errors`` by number, without EAGAIN."""
    return decoded(CallTotals, layout, raw, errors=dict(errors), in_flight=0)


def descriptor_decoder(layout: Layout) -> Callable[[bytes, int | None], DescriptorTotals]:
    """Makes a descriptor of a record, and since when data lies there unread.

    There may be tens of thousands: what does not differ between them is found out once.
    """
    names = [one.name for one in fields(DescriptorTotals)]
    scalars = sorted(
        (name for name in names if name in layout.names),
        key=lambda name: layout.fields[name].offset,
    )
    members = layout.members(*scalars)
    pickup = layout.fields["pickup"]
    pickups = struct.Struct(pickup.format)
    local, peer = (_bytes_of(layout.fields[name]) for name in ("local", "peer"))
    found = [*scalars, "pickup", "local", "peer", "unread_since_ns"]
    in_order = itemgetter(*map(found.index, names))

    def decode(raw: bytes, unread_since_ns: int | None) -> DescriptorTotals:
        histogram = pickups.unpack_from(raw, pickup.offset)
        values = *members.unpack_from(raw), histogram, raw[local], raw[peer], unread_since_ns
        return DescriptorTotals(*in_order(values))

    return decode


def _bytes_of(field: Field) -> slice:
    return slice(field.offset, field.offset + field.count)


def loop_totals(layout: Layout, raw: bytes, record: Record) -> LoopTotals:
    """A loop."""
    return decoded(
        LoopTotals,
        layout,
        raw,
        record,
        stall_call_kind=Kind(record["stall_call_kind"]).label,
        stall_wait_ns=_by_reason(layout.array(raw, "stall_wait_ns")),
    )


def operation_totals(layout: Layout, raw: bytes) -> OperationTotals:
    """Asynchronous operations."""
    return decoded(OperationTotals, layout, raw)
