# SPDX-License-Identifier: Apache-2.0
"""All that the kernel had counted at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from iotrace.snapshot.exchanges import NO_EXCHANGES, EndpointKey, EndpointTotals, ExchangeStates
from iotrace.snapshot.merging import OfProcesses, OfThreads, Owner, owned_tables
from iotrace.snapshot.stack_totals import (
    CodeKey,
    LineKey,
    LineTotals,
    SampleKey,
    SampleTotals,
    StallCauseKey,
    StallCauseTotals,
    WakeKey,
    WakeTotals,
)
from iotrace.snapshot.totals import (
    NO_LOSSES,
    CallKey,
    CallTotals,
    DescriptorKey,
    DescriptorTotals,
    LoopKey,
    LoopTotals,
    Losses,
    OperationTotals,
    ThreadKey,
    ThreadTotals,
    Waiting,
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All totals at ``at_ns`` (CLOCK_MONOTONIC); ``from_ns`` is when counting began."""

    from_ns: int
    at_ns: int
    threads: OfThreads[ThreadKey, ThreadTotals] = field(default_factory=dict)
    calls: OfThreads[CallKey, CallTotals] = field(default_factory=dict)
    descriptors: OfThreads[DescriptorKey, DescriptorTotals] = field(default_factory=dict)
    loops: OfThreads[LoopKey, LoopTotals] = field(default_factory=dict)
    operations: OfProcesses[tuple[int, int], OperationTotals] = field(default_factory=dict)
    signals: OfThreads[tuple[ThreadKey, int], int] = field(default_factory=dict)
    losses: Losses = NO_LOSSES
    lines: OfProcesses[LineKey, LineTotals] = field(default_factory=dict)
    wakes: OfProcesses[WakeKey, WakeTotals] = field(default_factory=dict)
    stall_causes: OfThreads[StallCauseKey, StallCauseTotals] = field(default_factory=dict)
    samples: OfProcesses[SampleKey, SampleTotals] = field(default_factory=dict)
    stall_code: OfProcesses[CodeKey, int] = field(default_factory=dict)
    """Samples of what stalled loops."""
    endpoints: OfProcesses[EndpointKey, EndpointTotals] = field(default_factory=dict)
    exchanges: ExchangeStates = NO_EXCHANGES
    waiting: tuple[Waiting, ...] = ()
    folded: Mapping[ThreadKey, ThreadKey] = field(default_factory=dict)
    """Threads of earlier snapshots that have ended, and the sum that holds them now."""


TABLES: Mapping[str, Owner] = owned_tables(Snapshot)
"""The fields of a Snapshot that hold totals by key, and whose they are."""
