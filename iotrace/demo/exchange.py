# SPDX-License-Identifier: Apache-2.0
"""The exchange of the request that is shown, as the ledger of requests has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.snapshot.timeline import Event
from iotrace.vocabulary.events import EventKind


@dataclass(frozen=True, slots=True)
class Exchange:
    """When the request arrived, and the parts of its latency (docs/requests.md)."""

    arrived_ns: int
    queue_ns: int
    pickup_ns: int
    service_ns: int

    @property
    def latency_ns(self) -> int:
        """Until the answer's first write is called."""
        return self.queue_ns + self.pickup_ns + self.service_ns


def exchange_of(pid: int, fd: int, events: Sequence[Event]) -> Exchange | None:
    """The last one that is read and answered on this descriptor in these events.

    None: there is none, as with io_uring, whose operations are not seen as exchanges.
    """
    read: Event | None = None
    found: tuple[Event, Event] | None = None
    queued: dict[int, int] = {}
    for event in events:
        if event.kind is EventKind.EXCHANGE_QUEUED:  # by the parent, where a child reads
            queued[event.at_ns] = event.value
        elif (event.pid, event.fd) != (pid, fd):
            continue
        elif event.kind is EventKind.EXCHANGE_READ:
            read = event
        elif event.kind is EventKind.EXCHANGE_ANSWERED and read is not None:
            found, read = (read, event), None
    if found is None:
        return None
    read, answered = found
    accepted_ns = read.at_ns - read.value
    queue_ns = queued.get(accepted_ns, 0)
    return Exchange(accepted_ns - queue_ns, queue_ns, read.value, answered.value)
