# SPDX-License-Identifier: Apache-2.0
"""Requests that are slow because they compute, in servers that are no event loops."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.requests import Requests, RequestTier
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.gil_waits import like_the_gil_ns
from iotrace.verdict.long_forks import FORK_ADVICE, long_forks
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.received_data import FETCH_LESS, Received, received_by
from iotrace.verdict.rules.accept_queue import keeps_the_gil
from iotrace.verdict.rules.cpu_starvation import takes_them_itself
from iotrace.verdict.rules.rule import HIGH_SHARE, Cost, Hit, Rule, Tells, covers
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.upstreams import lines_on
from iotrace.vocabulary.calls import FAMILIES, FILE_LOOKS, SLEEPS

LEAST_COUNT = 2
"""Slow requests; a single one may have been the first, which imports and connects."""
ALONE_NS = 2_000_000_000
"""A single request that computes for so long is told, answered or not: a first one takes less."""
COMPUTED_SHARE = 0.5
"""Of their service, without what they waited for a CPU or the GIL, and of NOTICED_NS for each:
spent on a CPU."""
ASKS = frozenset(("wait4", "waitid", *FAMILIES, *SLEEPS, *FILE_LOOKS))
"""Calls that look whether something is there."""
ASKS_PER_SECOND = 5_000
_ON_CPU = ("cpu", "user", "kernel", "copy")
_NOT_THEIRS = ("runq", "gil", "elsewhere")
"""What a quieter machine, or a program with one thread, would not have waited for."""


def _computes(profile: ProcessProfile) -> Iterator[Hit]:
    if profile.loop_threads():  # a loop that computes is IO103's and IO132's
        return
    found = False
    alike_ns = like_the_gil_ns(profile)
    for row in profile.process.requests:
        slow = [one for one in row.tiers if one.count and one.latency_ns >= NOTICED_NS * one.count]
        count = sum(one.count for one in slow)
        on_cpu_ns = _in(slow, _ON_CPU)
        service_ns = sum(sum(one.service_ns.values()) for one in slow) - _in(slow, _NOT_THEIRS)
        service_ns -= min(_in(slow, ("lock",)), alike_ns)
        least_ns = COMPUTED_SHARE * max(NOTICED_NS * count, service_ns)
        received = received_by(slow, on_cpu_ns, profile) if count >= LEAST_COUNT else None
        if received and on_cpu_ns + received.waited_ns >= least_ns:
            found = True
            yield _receiving_hit(profile, row, slow, received)
        elif (count >= LEAST_COUNT or on_cpu_ns >= ALONE_NS) and on_cpu_ns >= least_ns:
            found = True
            yield _hit(profile, row, count, slow)
    if not found:
        yield from _still_computes(profile)


def _still_computes(profile: ProcessProfile) -> Iterator[Hit]:
    """A request that was not answered within the trace, by a thread that computed meanwhile."""
    owed = [row for row in profile.process.requests if row.unanswered and row.oldest_unanswered_ns]
    if not owed:
        return
    row = max(owed, key=lambda one: one.oldest_unanswered_ns or 0)
    owed_ns = row.oldest_unanswered_ns or 0
    readers = [one for one in profile.process.threads if one.requests and one.in_call is None]
    reader = max(readers, key=lambda one: profile.threads[one.tid].cpu_ns, default=None)
    if reader is None or not reader.tid or owed_ns < ALONE_NS:
        return
    tid, seen = reader.tid, profile.threads[reader.tid]
    # What it rested with a request in its hands: any part of it may be of that one.
    rested_ns = seen.lifetime_ns - seen.wants_cpu_ns - sum((reader.idle_ns or {}).values())
    if rested_ns > (1 - COMPUTED_SHARE) * owed_ns or 2 * seen.cpu_ns < seen.wants_cpu_ns:
        return
    if seen.wants_cpu_ns < COMPUTED_SHARE * owed_ns:  # it has hardly lived, and another has it
        return
    yield Hit(
        {
            "listener": row.listener,
            "unanswered": row.unanswered,
            "owed_for_ns": owed_ns,
            "on_cpu_ns": seen.cpu_ns,
        },
        seen.cpu_ns,
        tid,
        severity="high" if seen.cpu_ns >= HIGH_SHARE * profile.wall_ns else "medium",
        lines=busy_lines(profile.process, tid),
        title=f"Slow requests compute: one has had no answer for {duration(owed_ns)}, and the "
        f"thread that has read it is on a CPU, as for {share(seen.cpu_ns, seen.lifetime_ns)} of "
        "its time",
    )


def _hit(profile: ProcessProfile, row: Requests, count: int, slow: list[RequestTier]) -> Hit:
    on_cpu_ns = _in(slow, _ON_CPU)
    mean_ns = sum(one.latency_ns for one in slow) // count
    readers = [tid for tid, seen in profile.threads.items() if seen.requests]
    tid = readers[0] if len(readers) == 1 else None
    evidence: dict[str, float | int | str] = {
        "listener": row.listener,
        "slow_requests": count,
        "requests": row.exchanges,
        "mean_latency_ns": mean_ns,
        "mean_on_cpu_ns": on_cpu_ns // count,
    }
    if row.latency_ns:
        evidence["all_requests_p50_ns"] = row.latency_ns.p50
    calling = ""
    forks = long_forks(profile)
    if forks is not None:
        evidence |= forks.evidence
        calling = f", most of that {forks.words}"
    commonest = None if forks else _commonest(profile)
    if commonest:
        name, per_second = commonest
        evidence |= {"commonest_call": name, "calls_per_second": per_second}
        calling = f", going round in a loop that calls {name} again and again"
    return Hit(
        evidence,
        on_cpu_ns,
        tid,
        severity="high" if on_cpu_ns >= HIGH_SHARE * profile.wall_ns else "medium",
        lines=busy_lines(profile.process, tid),
        title=f"Slow requests compute: {count:,} of {row.exchanges:,} took {duration(mean_ns)} on "
        f"average, {duration(on_cpu_ns // count)} of it on a CPU{calling}",
        advice=FORK_ADVICE if forks else _LOOKS if commonest else "",
    )


def _receiving_hit(
    profile: ProcessProfile, row: Requests, slow: list[RequestTier], received: Received
) -> Hit:
    count = sum(one.count for one in slow)
    mean_ns = sum(one.latency_ns for one in slow) // count
    cost = _in(slow, _ON_CPU) + received.waited_ns
    rows = [one for one in profile.outgoing() if one.peer == received.peer]
    busy, waits = busy_lines(profile.process), lines_on(profile, rows)
    return Hit(
        {
            "listener": row.listener,
            "slow_requests": count,
            "requests": row.exchanges,
            "mean_latency_ns": mean_ns,
            "peer": received.peer,
            "received_bytes_each": received.each_bytes,
        },
        cost,
        severity="high" if cost >= HIGH_SHARE * profile.wall_ns else "medium",
        lines=busy or waiting_lines(waits, profile.process),
        title=f"Slow requests receive much data: {count:,} of {row.exchanges:,} took "
        f"{duration(mean_ns)} on average, and {received.words}",
        advice=FETCH_LESS,
    )


def _commonest(profile: ProcessProfile) -> tuple[str, int] | None:
    """The call that is made so often, and moves nothing, that the time goes to that."""
    counts: dict[str, int] = {}
    for one in profile.process.calls:
        if one.syscall in ASKS and one.syscall not in FAMILIES:
            counts[one.syscall] = counts.get(one.syscall, 0) + (one.calls or 0)
    for loop in profile.process.loops:  # one that is told of data does not look in vain
        counts[loop.multiplexer] = counts.get(loop.multiplexer, 0) + (loop.empty or 0)
    name = max(counts, key=lambda key: counts[key], default="")
    per_second = round(profile.per_second(counts.get(name, 0)))
    return (name, per_second) if per_second >= ASKS_PER_SECOND else None


def _in(tiers: list[RequestTier], states: tuple[str, ...]) -> int:
    return sum(one.service_ns.get(state, 0) for one in tiers for state in states)


_LOOKS = (
    "Wait for what it looks for in place of asking again and again: child.wait() or communicate() "
    "for Popen.poll(), an Event, a queue, or readiness (select) without a timeout of 0. It takes a "
    "CPU, and the GIL from the threads that serve."
)


def _receives_from(cause: Hit, symptom: Hit) -> bool:
    return "received_bytes_each" in cause.evidence and (
        cause.evidence["peer"] == symptom.evidence.get("peer")
    )


COMPUTING = Rule(
    "IO178",
    "Slow requests compute: most of their time is spent on a CPU",
    "The lines say where. Do it once and keep the result, fetch and format only what is shown "
    "(pages, fewer columns), use a library that does it in C, or hand it to a job queue and answer "
    "at once. More threads do not help, for they share the GIL; more processes serve others "
    "meanwhile, as long as there are CPUs.",
    _computes,
    explains={
        "IO105": covers, "IO112": takes_them_itself, "IO113": covers, "IO119": _receives_from,
        "IO171": keeps_the_gil,
    },
    tells=Tells.WAIT,
    cost=Cost.CPU,
)  # fmt: skip
