# SPDX-License-Identifier: Apache-2.0
"""Requests whose asyncio tasks wait for another service: no thread is blocked, no call is slow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from iotrace.verdict.asked_in_vain import asked_in_vain
from iotrace.verdict.frames import has_own
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.one_sided import mute_peers, unanswered_requests
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, serves
from iotrace.verdict.request_entries import handles_one
from iotrace.verdict.rules.awaited_work import consumers_wait
from iotrace.verdict.rules.rule import Hit, Rule, always
from iotrace.verdict.slow_limits import LATE_NS
from iotrace.verdict.stuck import LEAST_NS, in_calls
from iotrace.verdict.upstream_time import answered_ns
from iotrace.verdict.upstreams import connecting_lines, upstreams
from iotrace.verdict.waiting_tasks import (
    LEAST_LOOKS,
    WaitingTasks,
    client_way,
    long_task_ns,
    longest_of,
    mean_of,
    owed,
    task_lines,
    waiting_tasks,
)

LEAST_SHARE = 0.5
"""Of the time of the requests, waited for that service."""
BLOCKED_SHARE = 0.5
"""Of that, asleep in calls for it: then threads wait, or the loop's does (IO104, IO119, IO142)."""
LEAST_ANSWERS = 5
"""Slow requests, answered or still waiting."""
LEAST_LONG, LONG_NS = 2, 1_000_000_000
"""Of those so long: no first import and no first connection takes that twice."""
FOR_EACH = 0.9
"""Connections that were made to the service, for each answered request."""
LEAST_OWED_NS = 1_000_000_000
LEAST_MADE = 3
TWICE = 2
"""Times as many connections as queries were ever under way at once: a pool that keeps them makes
no more than that, each for one of the first requests."""
MANY = 10
"""Times the usual answer, in a request: some of its answers take much longer, or it asks often."""
NO_LONGER = 1.25
"""Times the requests' own time that an answer may seem to take: buckets are an eighth wide. What
takes longer is waited for beside the requests: a consumer's next message."""
SAME_MOMENT_NS = 100_000_000
"""What is asked for a request is asked after it came; the kernel dates both by its ticks."""
_AWAITED = (Purpose.ANSWER, Purpose.CONNECTION)


def _awaited(profile: ProcessProfile) -> Iterator[Hit]:
    hang_ns = min(long_task_ns(profile), max(LEAST_NS, profile.wall_ns))
    waiting = [
        _since_before(one, profile)
        for one in waiting_tasks(profile)
        if one.purpose in _AWAITED and (serves(one.wait.stack) or _owes(profile))
    ]
    slow = _slow_upstream(profile)
    hanging = [one for one in waiting if one.wait.longest_ns >= hang_ns]
    if slow is not None:
        yield _slow_hit(slow, waiting, profile)
    elif hanging:
        yield _hanging_hit(hanging, profile)
    elif (work := consumers_wait(profile)) is not None:
        yield work
    else:
        yield from _mute_hits(profile)
        yield from asked_in_vain(profile)


def _since_before(one: WaitingTasks, profile: ProcessProfile) -> WaitingTasks:
    """Where nothing was sent or read, what is waited for was asked for before the trace, whether
    tasks were looked at often enough to say so or not."""
    seen = profile.total
    if seen.reads.calls or seen.writes.calls or seen.connects.calls or seen.operations:
        return one
    whole_ns = max(one.wait.longest_ns, profile.wall_ns)
    return replace(one, wait=replace(one.wait, longest_ns=whole_ns))


def _owes(profile: ProcessProfile) -> bool:
    return any((row.oldest_unanswered_ns or 0) >= LEAST_OWED_NS for row in profile.process.requests)


def _slow_upstream(profile: ProcessProfile) -> Upstream | None:
    """The service that takes most of the time of requests that take long, in an event loop: whom
    they wait for is seen, so that it need not be as long as where nobody knows (SLOW_NS)."""
    if not profile.loop_threads() or _only_a_library_waits(profile):
        return None
    rows = [one for one in profile.process.requests if one.latency_ns]
    slow = [one for one in rows if one.latency_ns and one.latency_ns.p50 >= LATE_NS]
    owed_now = sum(one.unanswered for one in slow if (one.oldest_unanswered_ns or 0) >= LATE_NS)
    typical = max((one.latency_ns.p50 for one in slow if one.latency_ns), default=0)
    least = LEAST_LONG if typical >= LONG_NS else LEAST_ANSWERS
    if sum(one.exchanges for one in slow) + owed_now < least:
        return None
    spent = sum(total_ns(one.latency_ns) for one in rows if one.latency_ns)
    blocked = {row.peer: row.waited_ns for row in upstreams(profile)}
    found = [
        one
        for one in profile.process.upstreams
        if blocked.get(one.peer, 0) < BLOCKED_SHARE * answered_ns(one)
        and (one.theirs_ns is None or one.theirs_ns.p50 <= NO_LONGER * typical)
    ]
    worst = max(found, key=answered_ns, default=None)
    return worst if worst is not None and answered_ns(worst) >= LEAST_SHARE * spent else None


def _only_a_library_waits(profile: ProcessProfile) -> bool:
    """No task with code of the program, or of a server, was seen at any look: what is read and
    written are the messages of a library's own protocol, which both sides send when they like
    (distributed, between a scheduler and its workers)."""
    tasks = profile.tasks
    if tasks is None or tasks.looks < LEAST_LOOKS or not tasks.rows:
        return False
    return not any(
        has_own(one.stack) or serves(one.stack) or handles_one(one.stack) for one in tasks.rows
    )


def _slow_hit(upstream: Upstream, waiting: Sequence[WaitingTasks], profile: ProcessProfile) -> Hit:
    rows = [one for one in profile.process.requests if one.latency_ns]
    spent = sum(total_ns(one.latency_ns) for one in rows if one.latency_ns)
    typical = max(one.latency_ns.p50 for one in rows if one.latency_ns)
    theirs = upstream.theirs_ns
    assert theirs is not None
    waited = answered_ns(upstream)
    made, served = _made(upstream), sum(one.exchanges for one in rows)
    anew = made >= max(LEAST_MADE, FOR_EACH * served, TWICE * upstream.in_flight_max)
    way = client_way(waiting[0].wait.stack) if waiting else ""
    return Hit(
        {
            "peer": upstream.peer,
            "answers": theirs.count,
            "p50_ns": theirs.p50,
            "p99_ns": theirs.p99,
            "at_once": upstream.in_flight_max,
            "of_the_requests_time_ratio": round(min(1.0, waited / max(1, spent)), 3),
            "requests_p50_ns": typical,
            **({"asked_in": way} if way else {}),
            **({"connections_made": made} if anew else {}),
            **owed(profile),
        },
        min(waited, profile.wall_ns),
        lines=task_lines(waiting) or connecting_lines(profile, upstream.peer),
        title=f"Requests wait for {upstream.peer}: {_answers_text(theirs, typical)}, "
        f"which is {share(min(waited, spent), spent)} of the time of the requests (typically "
        f"{duration(typical)})" + (", on a new connection for each request" if anew else ""),
        advice=f"{AWAITED.advice} {_ANEW}{_ASKED if way else ''}" if anew else "",
    )


def _answers_text(theirs: Durations, typical_ns: int) -> str:
    if MANY * theirs.p50 < typical_ns:
        longest, mostly = duration(theirs.max), duration(theirs.p50)
        return f"its answers take up to {longest} (half of them {mostly} or less)"
    return f"half of its answers take {duration(theirs.p50)} or longer"


def _made(upstream: Upstream) -> int:
    made = upstream.connect_ns.count if upstream.connect_ns else 0
    return made - upstream.connect_errors


def _hanging_hit(waiting: Sequence[WaitingTasks], profile: ProcessProfile) -> Hit:
    longest, count = longest_of(waiting), max(1, round(mean_of(waiting)))
    peer = _peer(profile)
    connects = all(one.purpose is Purpose.CONNECTION for one in waiting)
    what = "a connection" if connects else "an answer"
    return Hit(
        {
            **({"peer": peer} if peer else {}),
            "tasks_waiting": sum(one.wait.tasks for one in waiting),
            "longest_ns": longest,
            **owed(profile),
        },
        profile.wall_ns,
        lines=task_lines(waiting),
        title=f"Requests hang: {plural(count, 'asyncio task')} wait for {what}"
        f"{f' of {peer}' if peer else ''} at {waiting[0].place}, which has not come in "
        f"{duration(longest)} and more",
    )


def _mute_hits(profile: ProcessProfile) -> Iterator[Hit]:
    """Requests from before the trace, and what was asked for them; of whoever waits for it only
    that no thread does (IO140): tasks of another kind, greenlets, callbacks."""
    asleep_for = {row.call.peer for row in in_calls(profile)}
    requests = unanswered_requests(profile)
    oldest = max((one.silent_ns for one in requests), default=0)
    for peer in mute_peers(profile):
        if peer.silent_ns > oldest + SAME_MOMENT_NS or peer.address in asleep_for:
            continue
        count = sum(one.connections for one in requests)
        served = sum(row.exchanges for row in profile.process.requests)
        yield Hit(
            {
                "peer": peer.address,
                "connections_without_an_answer": peer.connections,
                "asked_ago_ns": peer.silent_ns,
                "requests_without_an_answer": count,
                "oldest_request_ns": oldest,
                "requests_answered_meanwhile": served,
            },
            min(oldest, profile.wall_ns),
            severity="high",
            title=f"Requests hang: {peer.address} does not answer. It was asked on "
            f"{plural(peer.connections, 'connection')}, first {duration(peer.silent_ns)} ago, and "
            f"has said nothing since it accepted them; {plural(count, 'request')} that came before "
            "and have no answer most likely wait for it",
            advice=_MUTE,
        )


_ANEW = (
    "And keep connections and use them again (a pool as large as requests are at work at once): "
    "what a driver asks first on each, it then asks once: login, settings, the types and the "
    "prepared form of each statement."
)
_ASKED = (
    " See the way to the wait above: whether it is the query itself that takes so long, or what "
    "the driver asks before it."
)
_MUTE = (
    "What listens there accepts and does not answer: it is starting, it hangs, all of its workers "
    "are busy, or it speaks another protocol (TLS). No thread is asleep for it: greenlets, "
    "callbacks or tasks wait. Look at that service (trace it), and give each call a timeout, the "
    "connect with its handshake too (gevent.Timeout, eventlet.Timeout, asyncio.timeout; psycopg2: "
    "connect_timeout does not count where a wait callback waits)."
)


def _peer(profile: ProcessProfile) -> str:
    """The one that owes an answer; else the only one that connections lead to; "": not known."""
    rows = [one for one in profile.process.upstreams if one.unanswered]
    if rows:
        return max(rows, key=lambda one: (one.oldest_unanswered_ns or 0, one.unanswered)).peer
    sockets = profile.process.sockets
    peers = {one.peer for one in sockets.connected + sockets.silent} if sockets else set()
    return peers.pop() if len(peers) == 1 else ""


def _keeps_from_ending(cause: Hit, symptom: Hit) -> bool:
    """Who waits for a startup to be over looks at no signal before."""
    return bool(cause.evidence.get("before_it_serves"))


AWAITED = Rule(
    "IO165",
    "Requests wait for another service, in asyncio tasks",
    "The loop itself is free: only those wait who need that answer. Look at the lines and at what "
    "the service does meanwhile. Give the call a timeout (httpx: timeout=5; aiohttp: "
    "ClientTimeout(total=5); asyncio.timeout), ask for several things at once (asyncio.gather), "
    "cache what it answers; and where nobody needs the answer, do not let the request wait: send "
    "it from a queue's worker or a task of its own (a background task of Starlette's still keeps "
    "its connection, and behind BaseHTTPMiddleware its request).",
    _awaited,
    explains={"IO105": always, "IO119": always, "IO185": always, "IO208": _keeps_from_ending},
)
