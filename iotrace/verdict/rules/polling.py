# SPDX-License-Identifier: Apache-2.0
"""Asking again and again for what is not there: by spinning, or with sleeps in between."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, wastes_its_cpu

REFUSALS_PER_USEFUL = 10
"""Refused calls for each that was of use; a loop that drains its sockets has 1."""
REFUSALS_PER_SECOND = 200
CPU_SHARE = 0.02
"""Of one CPU, spent on the refused calls."""

SLEEP_SHARE = 0.2
"""Of its time that a thread sleeps between two tries."""
LEAST_SLEEP_NS = 1_000_000
LEAST_USEFUL = 5


def _busy(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        refused = seen.reads.eagain + seen.accepts.eagain
        useful = seen.reads.ok + seen.accepts.ok
        cost = int(seen.cpu_ns * refused / max(1, seen.syscalls))
        if (
            refused >= REFUSALS_PER_USEFUL * useful
            and profile.per_second(refused) >= REFUSALS_PER_SECOND
            and cost >= CPU_SHARE * profile.wall_ns
            and profile.styles[tid].role != "loop"
        ):
            evidence: dict[str, float | int | str] = {
                "eagain_calls": refused,
                "useful_calls": useful,
                "eagain_per_useful_call": round(refused / max(1, useful), 1),
                "cpu_ns": cost,
                "cpu_share_ratio": round(cost / profile.wall_ns, 3),
            }
            if seen.reads.bytes:
                evidence["cpu_per_useful_byte_ns"] = round(seen.cpu_ns / seen.reads.bytes, 1)
            asked = max(profile.process.descriptors, key=lambda one: one.eagain or 0, default=None)
            fd = None
            if asked is not None and 2 * (asked.eagain or 0) >= refused:
                fd = asked.fd
                if asked.peer:
                    evidence["peer"] = asked.peer
            yield Hit(evidence, cost, tid, fd, lines=busy_lines(profile.process, tid))


def _with_sleeps(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        refused = seen.reads.eagain + seen.accepts.eagain
        useful = seen.reads.ok + seen.accepts.ok
        if (
            profile.styles[tid].id != "nonblocking"
            or useful < LEAST_USEFUL
            or not seen.sleeps.calls
        ):
            continue
        mean = seen.sleeps.wait_ns // seen.sleeps.calls
        if mean < LEAST_SLEEP_NS or seen.sleeps.wait_ns < SLEEP_SHARE * seen.lifetime_ns:
            continue
        pickups = [one.pickup_ns for one in profile.process.descriptors if one.pickup_ns]
        late = sum(one.count * one.p50 for one in pickups)
        evidence: dict[str, float | int | str] = {
            "sleeps": seen.sleeps.calls,
            "mean_sleep_ns": mean,
            "eagain_calls": refused,
            "useful_calls": useful,
        }
        if pickups:
            worst = max(pickups, key=lambda one: one.p50)
            evidence |= {"pickup_p50_ns": worst.p50, "pickup_p99_ns": worst.p99}
        # Data that comes at any time waits for half a sleep on average.
        lines = waiting_lines(lines_of_category(profile.process, "sleeps", tid), profile.process)
        yield Hit(evidence, late or useful * mean // 2, tid, lines=lines)


BUSY = Rule(
    "IO101",
    "Busy polling: sockets are asked for data that is not there",
    "Wait for readiness instead: register the sockets with selectors.DefaultSelector() and call "
    "select(), or use asyncio; or make the socket blocking, with settimeout() where it must not "
    "block for ever. Where a library asks, tell it how long it may wait (redis-py: get_message("
    "timeout=1)), or use what waits by itself (listen()).",
    _busy,
    explains={"IO112": wastes_its_cpu, "IO133": always},
)
WITH_SLEEPS = Rule(
    "IO102",
    "Polling with sleeps: data waits until the sleep is over",
    "Replace the sleep by a wait that ends when data arrives: selectors.DefaultSelector().select("
    "timeout), or asyncio. A shorter sleep only trades lateness for CPU time.",
    _with_sleeps,
    explains={"IO105": always},
    cost=Cost.CPU,
)
