"""Hand-made totals of endpoints, and who listens."""

from __future__ import annotations

import socket
from dataclasses import replace

from iotrace.procfs.net_tables import Socket
from iotrace.snapshot import histogram
from iotrace.snapshot.exchanges import (
    NO_EXCHANGES,
    EndpointKey,
    EndpointTotals,
    ExchangeStates,
    SlowExchange,
)
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.snapshot import Snapshot

_NONE = (0,) * histogram.FINE_BUCKETS
MS = 1_000_000
LISTENER = EndpointKey(7, "server", "tcp", 0, bytes(16), 8000, b"")
PEER = EndpointKey(7, "client", "tcp", socket.AF_INET, bytes([10, 0, 0, 7, *[0] * 12]), 5432, b"")
SLOW = SlowExchange(
    8, 150, 2 * MS, 5, socket.AF_INET, bytes([127, 0, 0, 1, *[0] * 12]), 4242,
    {"user": 2 * MS - 6}, {"runq": 1},
)  # fmt: skip


def times(*buckets: int) -> tuple[int, ...]:
    """A histogram with these buckets, each as often as it is named."""
    return tuple(buckets.count(bucket) for bucket in range(histogram.FINE_BUCKETS))


def totals(**figures: object) -> EndpointTotals:
    """Totals of nothing but these figures."""
    nothing = EndpointTotals(*[0] * 13, b"", *[0] * 6, *[_NONE] * 5, tiers={})
    return replace(nothing, **figures)  # type: ignore[arg-type]


def snapshot(
    endpoints: dict[EndpointKey, EndpointTotals], states: ExchangeStates = NO_EXCHANGES
) -> Snapshot:
    """10 ms from 100 ns on."""
    return Snapshot(from_ns=100, at_ns=100 + 10 * MS, endpoints=endpoints, exchanges=states)


def facts(pid: int, *listeners: Socket) -> ProcessFacts:
    """A process that listens there."""
    sockets = {one.inode: one for one in listeners}
    return ProcessFacts(pid, 1, "python", (), None, None, sockets=sockets)


def listening(local: str, pending: int, inode: int = 5) -> Socket:
    """A listening TCP socket."""
    return Socket(inode, "tcp", socket.AF_INET, local, "", "listen", None, None, pending)
