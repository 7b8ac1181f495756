"""One record of the probes' tables (see probes/records.h) to one frozen total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotrace.engine.record_layout import Layout
from iotrace.snapshot.in_flight import InFlight
from iotrace.snapshot.model import (
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

_LOOP_FIGURES = LoopTotals.__dataclass_fields__.keys() - {
    "stall_call_kind",
    "stall_wait_ns",
    "busy",
}
_CALL_FIGURES = (
    "calls eagain bytes wait_ns runq_ns copy_ns kernel_ns max_ns estimated filled gil_waits "
    "gil_ns sleeps".split()
)
_DESCRIPTOR_FIGURES = (
    "opened open_flags inode family local_port peer_port calls eagain bytes_in bytes_out wait_ns "
    "copy_ns estimated pickups pickup_max_ns polled_ns sleeps".split()
)
_THREAD_FIGURES = "parent_pid voluntary involuntary syscalls unaccounted_ns".split()


def thread_key(record: Record) -> ThreadKey:
    """Whose record it is."""
    return ThreadKey(record["pid"], record["tid"], record["started_ns"])


def thread_totals(record: Record, wait_ns: tuple[int, ...], flight: InFlight) -> ThreadTotals:
    """The ledger of a thread; ``flight``: what is to be added for the time since its last event."""
    wait = list(wait_ns[: len(WAIT_REASONS)])
    if flight.asleep_ns:
        wait[record["sleep_class"]] += flight.asleep_ns
    in_flight_ns = (
        flight.user_ns + flight.kernel_ns + flight.copy_ns + flight.runq_ns + flight.asleep_ns
    )
    at_ns = record["ended_ns"] or record["since_ns"] + in_flight_ns
    return ThreadTotals(
        name=record["name"].decode(errors="surrogateescape"),
        ended_ns=record["ended_ns"] or None,
        at_ns=at_ns,
        lifetime_ns=at_ns - record["started_ns"],
        user_ns=record["user_ns"] + flight.user_ns,
        kernel_ns=record["kernel_ns"] + flight.kernel_ns,
        copy_ns=record["copy_ns"] + flight.copy_ns,
        runq_ns=record["runq_ns"] + flight.runq_ns,
        wait_ns=tuple(wait),
        found=bool(record["found"]),
        **{name: record[name] for name in _THREAD_FIGURES},
    )


def call_totals(layout: Layout, raw: bytes, errors: Mapping[int, int]) -> CallTotals:
    """A call; ``errors`` by number, without EAGAIN."""
    record = layout.unpack(raw)
    return CallTotals(
        errors=dict(errors),
        in_flight=0,
        latency=layout.array(raw, "latency"),
        wait=layout.array(raw, "wait"),
        copy=layout.array(raw, "copy"),
        **{name: record[name] for name in _CALL_FIGURES},
    )


def descriptor_totals(layout: Layout, raw: bytes, unread_since_ns: int | None) -> DescriptorTotals:
    """A descriptor."""
    record = layout.unpack(raw)
    return DescriptorTotals(
        local=bytes(layout.array(raw, "local")),
        peer=bytes(layout.array(raw, "peer")),
        pickup=layout.array(raw, "pickup"),
        unread_since_ns=unread_since_ns,
        **{name: record[name] for name in _DESCRIPTOR_FIGURES},
    )


def loop_totals(layout: Layout, raw: bytes, record: Record) -> LoopTotals:
    """A loop."""
    return LoopTotals(
        stall_call_kind=Kind(record["stall_call_kind"]).label,
        stall_wait_ns=layout.array(raw, "stall_wait_ns")[: len(WAIT_REASONS)],
        busy=layout.array(raw, "busy"),
        **{name: record[name] for name in _LOOP_FIGURES},
    )


def operation_totals(layout: Layout, raw: bytes) -> OperationTotals:
    """Asynchronous operations."""
    record = layout.unpack(raw)
    return OperationTotals(
        completed=record["completed"],
        errors=record["errors"],
        bytes=record["bytes"],
        max_ns=record["max_ns"],
        submit_to_complete=layout.array(raw, "submit_to_complete"),
    )
