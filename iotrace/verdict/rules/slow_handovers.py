# SPDX-License-Identifier: Apache-2.0
"""Slow requests whose threads wait until another thread of the program has done something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.stacks import Wake
from iotrace.verdict.call_texts import call_text
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.frames import short_name
from iotrace.verdict.handovers import awaited_text, in_view
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.pooled_requests import PooledRequests, pooled_requests
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, Tells, always
from iotrace.verdict.slow_limits import LATE_NS
from iotrace.verdict.slow_places import LEAST_COUNT, LEAST_SHARE, tiers_of
from iotrace.verdict.stuck import Stuck, in_calls, place_text, stuck_lines
from iotrace.verdict.told_lines import ToldLine, frame_text
from iotrace.vocabulary.calls import LOCKS, SLEEPS

_AWAITED = (Purpose.WORK, Purpose.RESULT)
COMPUTES_SHARE = 0.5
"""Of a thread's time, on a CPU or ready: its lines are where it computes."""


def _handed_over(profile: ProcessProfile) -> Iterator[Hit]:
    pooled = pooled_requests(profile)
    if pooled is not None:
        yield _pooled_hit(pooled, profile)
        return
    if profile.loop_threads():
        return
    slow, _ = tiers_of(profile, LATE_NS)
    count = sum(one.count for one in slow)
    latency = sum(one.latency_ns for one in slow)
    in_locks = sum(
        states.get("lock", 0) for one in slow for states in (one.pickup_ns, one.service_ns)
    )
    waiting = _waiting(profile)
    if count >= LEAST_COUNT and in_locks >= LEAST_SHARE * latency and waiting:
        yield _hit(waiting, count, latency, in_locks, profile)


def _waiting(profile: ProcessProfile) -> list[Stuck]:
    """Threads with a request that were at one place at the end, in a wait without a time-out: one
    that has one may be a long poll."""
    places: dict[str, list[Stuck]] = {}
    for one in in_calls(profile):
        serves = one.serves and bool(profile.threads[one.tid].requests)
        if (
            one.purpose in _AWAITED
            and one.call.syscall in LOCKS
            and one.call.timed is False
            and one.own
            and (serves or in_view(one.call.stack))
        ):
            places.setdefault(place_text(one), []).append(one)
    return max(places.values(), key=len, default=[])


def _hit(
    waiting: Sequence[Stuck], count: int, latency: int, in_locks: int, profile: ProcessProfile
) -> Hit:
    first = waiting[0]
    wakes = [one for one in profile.process.wakes if _is_of(one, first)]
    waker = max(wakes, key=lambda one: one.wait_ns, default=None)
    by = ""
    if waker is not None:
        by = f", until thread {waker.tid} wakes them"
        if waker.waker_stack:
            frame = waker.waker_stack[max(0, waker.waker_own)]
            by += f" at {frame.place} {short_name(frame)}"
    requests = sum(row.exchanges for row in profile.process.requests)
    return Hit(
        {
            "slow_requests": count,
            "requests": requests,
            "mean_latency_ns": latency // count,
            "in_locks_ratio": round(in_locks / latency, 3),
            "threads_waiting": len(waiting),
            **({"woken_by": f"thread {waker.tid}"} if waker else {}),
        },
        min(profile.wall_ns, in_locks),
        lines=(*stuck_lines(waiting)[:1], *_does(waker, profile)),
        title=f"Slow requests wait for another thread: {count:,} of {requests:,} took "
        f"{duration(latency // count)} on average, {share(in_locks, latency)} of it at "
        f"{place_text(first)} in {awaited_text(first)}{by}",
    )


def _pooled_hit(found: PooledRequests, profile: ProcessProfile) -> Hit:
    requests = sum(row.exchanges for row in profile.process.requests)
    mean = duration(found.latency_ns // found.count)
    line = max(found.lines, key=lambda one: one.wait_ns)
    does = "sleep" if line.syscall in SLEEPS else f"wait in {call_text(line.syscall, line.path)}"
    return Hit(
        {
            "slow_requests": found.count,
            "requests": requests,
            "mean_latency_ns": found.latency_ns // found.count,
            "pool": found.pool,
            "waited_ns": found.waited_ns,
            "of_their_time_ratio": round(min(1.0, found.waited_ns / found.latency_ns), 3),
        },
        min(profile.wall_ns, found.waited_ns),
        lines=waiting_lines(found.lines, profile.process),
        title=f"Slow requests most likely {does} at {frame_text(line.own_stack[0])}, "
        f"in {found.pool}: {found.count:,} of {requests:,} took {mean} on average, "
        f"{share(min(found.waited_ns, found.latency_ns), found.latency_ns)} of it there",
        advice=_POOLED,
    )


_POOLED = (
    "The event loop, or the thread that accepts, is free: the line is what the pool's threads do "
    "for these requests. Make that quicker, or let nobody wait for it (a job queue). As many at a "
    "time are served as the pool has threads: those that come later wait for one."
)


def _is_handover(cause: Hit, symptom: Hit) -> bool:
    """Not what a pool's threads wait for: whom they wait for is said by the other finding."""
    return "pool" not in cause.evidence


def _is_of(wake: Wake, one: Stuck) -> bool:
    return bool(wake.stack) and wake.stack[max(0, wake.own)] == one.place


def _does(waker: Wake | None, profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """What the thread that they wait for does."""
    seen = profile.threads.get(waker.tid) if waker else None
    if waker is None or seen is None:
        return ()
    if seen.cpu_ns + seen.runq_ns >= COMPUTES_SHARE * seen.lifetime_ns:
        return busy_lines(profile.process, waker.tid)[:2]
    rows = [one for one in profile.process.lines if one.tid == waker.tid]
    return waiting_lines(rows, profile.process)[:2]


HANDED_OVER = Rule(
    "IO187",
    "Slow requests wait for what another thread is to do",
    "The lines say where they wait, and what that thread does meanwhile: one thread does one thing "
    "after the other, and whoever comes later stands in line. Have more of them (an executor), "
    "or make what it does quicker; answer at once where nobody needs the result. Give the wait a "
    "time-out, for a thread that has ended sets no event.",
    _handed_over,
    explains={"IO105": always, "IO119": _is_handover, "IO185": always},
    tells=Tells.WAIT,
    least=Detail.FULL,
)
