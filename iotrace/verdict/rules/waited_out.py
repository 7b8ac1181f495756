# SPDX-License-Identifier: Apache-2.0
"""Requests that poll for something until a timeout runs out: what they wait for does not come."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from iotrace.report.requests import Requests, SlowRequest
from iotrace.report.stacks import Line, LongestWait
from iotrace.verdict.accepted import waits_for_client
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import serves
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import HIGH_SHARE, Hit, Rule, always
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.vocabulary.calls import FAMILIES

LEAST_COUNT = 3
POLLED_SHARE = 0.5
"""Of the service of the slow requests, asleep in polls;"""
ONE_WAIT_SHARE = 0.5
"""and of a slow one's latency, in one poll."""
RAN_OUT_SHARE = 0.5
"""Polls that had waited and ended with nothing ready, for each slow request: it makes others, too,
that are quickly over."""
THEIRS_SHARE = 0.5
"""Of that time: where the peers' own answers took so long, it is they that are slow."""


def _waited_out(profile: ProcessProfile) -> Iterator[Hit]:
    theirs = sum(
        one.theirs_ns.p50 * one.calls for one in profile.process.upstreams if one.theirs_ns
    )
    for row in profile.process.requests:
        slow = [one for one in row.tiers if one.count and one.latency_ns >= NOTICED_NS * one.count]
        count = sum(one.count for one in slow)
        polled = sum(one.service_ns.get("poll", 0) for one in slow)
        service = sum(sum(one.service_ns.values()) for one in slow)
        lines = _places(profile, row)
        if (
            count >= LEAST_COUNT
            and lines
            and polled >= POLLED_SHARE * service
            and _ran_out(lines, profile) >= RAN_OUT_SHARE * count
            and theirs < THEIRS_SHARE * polled
        ):
            yield _hit(profile, row, count, polled, lines)


def _ran_out(lines: Sequence[Line], profile: ProcessProfile) -> int:
    """How often such polls have, in threads that serve: the timers of an event loop, which has
    another multiplexer, are none."""
    calls = {one.syscall for one in lines}
    return sum(
        loop.timeouts or 0
        for seen in profile.threads.values()
        for loop in seen.loops
        if seen.requests and loop.multiplexer in calls
    )


def _places(profile: ProcessProfile, row: Requests) -> list[Line]:
    """Where the program's own code made the polls that were most of its slowest requests; not of
    their own clients, for whose next message it waits until it is time to send something."""
    loops = profile.loop_threads()
    places = {
        (one.longest_wait.syscall, one.longest_wait.own_stack[0])
        for one in row.exemplars
        if one.longest_wait and _is_one_wait(one, one.longest_wait, loops)
    }
    return [
        one
        for one in profile.process.lines
        if one.calls
        and one.stack
        and (one.syscall, one.own_stack[0]) in places
        and not waits_for_client(one.fd, profile)
    ]


def _is_one_wait(one: SlowRequest, wait: LongestWait, loops: Collection[int]) -> bool:
    """An event loop's own poll is none: no server has called it to handle a request."""
    return (
        wait.syscall in FAMILIES
        and wait.wait_ns >= ONE_WAIT_SHARE * one.latency_ns
        and bool(wait.stack)
        and (one.tid not in loops or serves(wait.stack))
    )


def _typical(row: Requests, loops: Collection[int]) -> int:
    """The median of these waits."""
    waits = sorted(
        one.longest_wait.wait_ns
        for one in row.exemplars
        if one.longest_wait and _is_one_wait(one, one.longest_wait, loops)
    )
    return waits[len(waits) // 2]


def _hit(profile: ProcessProfile, row: Requests, count: int, polled: int, lines: list[Line]) -> Hit:
    calls = sum(one.calls for one in lines)
    first = max(lines, key=lambda one: one.wait_ns)
    typical = _typical(row, profile.loop_threads())
    evidence: dict[str, float | int | str] = {
        "listener": row.listener,
        "slow_requests": count,
        "requests": row.exchanges,
        "polls": calls,
        "typical_wait_ns": typical,
    }
    asked = max(profile.process.upstreams, key=lambda one: one.calls, default=None)
    meanwhile = ""
    if asked is not None and asked.calls and asked.theirs_ns:
        evidence |= {"peer": asked.peer, "peer_answers_in_ns": asked.theirs_ns.p50}
        meanwhile = (
            f"; {asked.peer} answers within {duration(asked.theirs_ns.p50)} once it is asked"
        )
    return Hit(
        evidence,
        polled,
        severity="high" if polled >= HIGH_SHARE * profile.wall_ns else "medium",
        lines=waiting_lines(lines, profile.process),
        title=f"Requests wait until a timeout runs out: {first.syscall} at "
        f"{first.own_stack[0].place} sleeps for {duration(typical)}, and nothing comes{meanwhile}",
    )


WAITED_OUT = Rule(
    "IO191",
    "Requests wait until a timeout runs out",
    "What the line waits for does not come, and it goes on without. An HTTP client that sends "
    "`Expect: 100-continue` waits a second for a server that does not know of it, before it sends "
    "the body (libcurl, with large bodies: set an empty `Expect:` header, or "
    "expect_100_timeout_ms). Else find out who should have answered, and whether the wait is "
    "needed.",
    _waited_out,
    explains={"IO105": always},
)
