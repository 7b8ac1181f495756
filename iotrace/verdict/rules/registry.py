"""All rules, by their ids."""

from __future__ import annotations

from iotrace.verdict.rules import (
    accept_herd,
    blocked_senders,
    blocking_in_loop,
    busy_thread,
    cpu_starvation,
    cpu_throttling,
    edge_leftover,
    failing_calls,
    fork_per_request,
    gil_contention,
    late_pickup,
    loop_busy,
    loop_stalls,
    major_faults,
    many_descriptors,
    multiplexer_spin,
    polling,
    sleep_in_request,
    thread_per_connection,
    tiny_reads,
    upstream,
)
from iotrace.verdict.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    polling.BUSY,
    polling.WITH_SLEEPS,
    loop_stalls.STALLED,
    blocking_in_loop.BLOCKED,
    late_pickup.LATE,
    multiplexer_spin.UNSERVED,
    edge_leftover.LEFT,
    many_descriptors.SEARCHED,
    many_descriptors.NEAR_LIMIT,
    tiny_reads.TINY,
    blocked_senders.BLOCKED,
    cpu_starvation.STARVED,
    gil_contention.CONTENDED,
    thread_per_connection.TOO_MANY,
    fork_per_request.PRICE,
    accept_herd.HERD,
    sleep_in_request.ASLEEP,
    upstream.CONNECTING,
    upstream.ONE_PEER,
    multiplexer_spin.ZERO_TIMEOUT,
    cpu_throttling.THROTTLED,
    failing_calls.EXHAUSTED,
    failing_calls.FAILING,
    loop_busy.LONG,
    busy_thread.NEVER_SLEEPS,
    major_faults.FAULTING,
)
"""In the order of their ids."""
