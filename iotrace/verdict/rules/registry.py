"""All rules, by their ids."""

from __future__ import annotations

from iotrace.verdict.rules import (
    blocking_in_loop,
    forks,
    herd,
    late_pickup,
    leftover,
    locks,
    many_descriptors,
    polling,
    senders,
    sleeps,
    spin,
    stalls,
    starvation,
    threads,
    tiny_reads,
    upstream,
)
from iotrace.verdict.rules.rule import Rule

RULES: tuple[Rule, ...] = (
    polling.BUSY,
    polling.WITH_SLEEPS,
    stalls.STALLED,
    blocking_in_loop.BLOCKED,
    late_pickup.LATE,
    spin.UNSERVED,
    leftover.LEFT,
    many_descriptors.SEARCHED,
    many_descriptors.NEAR_LIMIT,
    tiny_reads.TINY,
    senders.BLOCKED,
    starvation.STARVED,
    locks.CONTENDED,
    threads.TOO_MANY,
    forks.PRICE,
    herd.HERD,
    sleeps.ASLEEP,
    upstream.CONNECTING,
    upstream.ONE_PEER,
    spin.ZERO_TIMEOUT,
)
"""In the order of their ids."""
