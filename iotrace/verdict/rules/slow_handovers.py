# SPDX-License-Identifier: Apache-2.0
"""Slow requests whose threads wait until another thread of the program has done something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.stacks import Wake
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.handovers import awaited_text, in_view
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, short_name
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.slow_places import LATE_NS, LEAST_COUNT, LEAST_SHARE, tiers_of
from iotrace.verdict.stuck import Stuck, in_calls, place_text, stuck_lines
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import LOCKS

_AWAITED = (Purpose.WORK, Purpose.RESULT)
COMPUTES_SHARE = 0.5
"""Of a thread's time, on a CPU or ready: its lines are where it computes."""


def _handed_over(profile: ProcessProfile) -> Iterator[Hit]:
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
    explains={"IO105": always, "IO119": always},
    least=Detail.FULL,
)
