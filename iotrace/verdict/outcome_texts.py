# SPDX-License-Identifier: Apache-2.0
"""What was seen of a family of processes in which no rule found anything, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.verdict.kept_threads import SERVES
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.waits import SUMMARIES

LEAST_ANSWERS = 5
"""Fewer tell nothing of how a server does, as with labels (classify/confidence.py)."""
LEFT_UNREAD_NS = 1_000_000_000
"""Data that nobody read for so long is an answer that somebody waits for."""
ALL_ALONG_SHARE = 0.99
"""Of the time traced, asleep for one reason: all along."""
BUSY_SHARE = 0.05
"""Of one CPU: what takes less is idle."""
WHERE_LINES = "The Python lines below say where its threads wait."


def waiting_clients(family: Sequence[ProcessProfile]) -> str:
    """For an answer, or to be accepted; "" where nobody does."""
    sockets = [one.process.sockets for one in family]
    pending = max((one.pending or 0 for one in sockets if one), default=0)  # they may share it
    owed = [
        one
        for profile in family
        for one in profile.process.requests
        if (one.oldest_unanswered_ns or 0) >= LEFT_UNREAD_NS
    ]
    told = [f"{plural(pending, 'connection')} to be accepted"] if pending else []
    if owed:
        oldest = max(one.oldest_unanswered_ns or 0 for one in owed)
        requests = plural(sum(one.unanswered for one in owed), "request")
        told.append(f"{requests} without an answer, the oldest for {duration(oldest)}")
    return ", ".join(told)


def lacking(family: Sequence[ProcessProfile]) -> str:
    reads = sum(one.total.reads.ok for one in family)
    writes = sum(one.total.writes.ok for one in family)
    seen_for = duration(max(one.wall_ns for one in family))
    if reads and not writes:
        return f"in {seen_for} data was read from sockets, and nothing was sent."
    if reads or writes:
        return f"in {seen_for} there were {reads:,} reads from sockets and {writes:,} sends only."
    return f"in {seen_for} no request was seen."


def busiest_thread(family: Sequence[ProcessProfile]) -> str:
    """Where the time of its busiest thread went, of those that serve if there are any."""
    everyone = [
        (profile.styles[tid].role in SERVES, one.cpu_ns + one.runq_ns, tid, one, profile)
        for profile in family
        for tid, one in profile.threads.items()
    ]
    if not everyone:
        return ""
    *_, tid, one, profile = max(everyone, key=lambda item: item[:2])
    process = profile.process
    who = f"Thread {tid} of {process.name}" if tid else process.name
    if one.cpu_ns >= BUSY_SHARE * one.lifetime_ns > 0:
        return f"{who} was on a CPU for {share(one.cpu_ns, one.lifetime_ns)} of its time."
    reason = max(one.wait_ns, key=lambda name: one.wait_ns[name])
    if not one.wait_ns[reason]:
        return ""
    names = sorted({loop.multiplexer for loop in one.loops}) or ["poll"]
    where = SUMMARIES[reason].format(poll=" and ".join(names))
    all_along = one.wait_ns[reason] >= ALL_ALONG_SHARE * one.lifetime_ns
    how_long = (
        "all along" if all_along else f"{share(one.wait_ns[reason], one.lifetime_ns)} of its time"
    )
    return f"{who} was {how_long} {where}."


def next_step(family: Sequence[ProcessProfile]) -> str:
    if sum(one.total.reads.ok for one in family) >= LEAST_ANSWERS:
        return WHERE_LINES
    if any(one.listening_ports() or one.total.accepts.wait_ns for one in family):
        return "Send it traffic while it is traced, or trace the process that has the traffic."
    return "Trace it while it works, for longer (-d 60), or trace the process that has the work."
