"""Snapshots of a program at work: no figure ever goes back, and intervals add up to the whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from iotrace.snapshot.arithmetic import interval
from iotrace.snapshot.snapshot import Snapshot
from tests.kernel.targets import Target
from tests.kernel.tracing import tracing

SNAPSHOTS = 101
# Members that are sums: what may only grow.
THREAD = "lifetime_ns user_ns kernel_ns copy_ns runq_ns unaccounted_ns voluntary syscalls".split()
CALL = "calls eagain bytes wait_ns runq_ns copy_ns kernel_ns estimated".split()
DESCRIPTOR = "calls bytes_in bytes_out wait_ns copy_ns pickups".split()
LOOP = "iterations empty ready_sum wait_ns busy_sum_ns".split()


@pytest.fixture(scope="module")
def snapshots() -> Iterator[list[Snapshot]]:
    with Target("busy.py") as target, tracing(target.pid) as trace:
        first = trace.snapshot()
        target.go()
        taken = [first, *(trace.snapshot() for _ in range(SNAPSHOTS))]
        os.kill(target.pid, signal.SIGUSR2)
        target.wait_until_finished()
        yield [*taken, trace.snapshot()]


def _sums(one: Snapshot) -> Iterator[tuple[str, int]]:
    tables: list[tuple[Any, list[str]]] = [
        (one.threads, THREAD),
        (one.calls, CALL),
        (one.descriptors, DESCRIPTOR),
        (one.loops, LOOP),
    ]
    for table, members in tables:
        for key, totals in table.items():
            for member in members:
                yield f"{key} {member}", getattr(totals, member)
    for key, totals in one.threads.items():
        for reason, ns in enumerate(totals.wait_ns):
            yield f"{key} wait {reason}", ns


def test_nothing_goes_back(snapshots: list[Snapshot]) -> None:
    for earlier, later in pairwise(snapshots):
        negative = {name: value for name, value in _sums(interval(later, earlier)) if value < 0}
        assert negative == {}


def test_intervals_add_up_to_the_whole(snapshots: list[Snapshot]) -> None:
    parts: dict[str, int] = {}
    for earlier, later in pairwise(snapshots):
        for name, value in _sums(interval(later, earlier)):
            parts[name] = parts.get(name, 0) + value
    first = dict(_sums(snapshots[0]))
    whole = {name: value - first.get(name, 0) for name, value in _sums(snapshots[-1])}
    assert {name: parts.get(name) for name in whole} == whole


def test_work_was_seen_in_most_of_them(snapshots: list[Snapshot]) -> None:
    syscalls = [
        sum(totals.syscalls for totals in interval(later, earlier).threads.values())
        for earlier, later in pairwise(snapshots)
    ]
    assert sum(count > 0 for count in syscalls) > SNAPSHOTS // 2
