# SPDX-License-Identifier: Apache-2.0
"""Waits for somebody else while serving: to connect, for a name, for an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from iotrace.report.detail import Detail
from iotrace.report.model import Descriptor
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import serves
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.request_time import LEAST_REQUESTS, whole_of
from iotrace.verdict.rules.rule import Hit, Rule, Tells, always
from iotrace.verdict.rules.silent_dns import is_dns, look_ups
from iotrace.verdict.slow_limits import LATE_NS, NOTICED_NS
from iotrace.verdict.told_lines import MOST
from iotrace.verdict.upstream_time import asked_ns
from iotrace.verdict.upstreams import Upstream, lines_on, upstreams
from iotrace.verdict.waiting_tasks import WaitingTasks, resolving_tasks, task_lines
from iotrace.verdict.work_sources import has_time, waits_for_work
from iotrace.vocabulary.waits import FOR_PEERS

CONNECT_SHARE = 0.02
ROUNDS_PER_CONNECTION = 1.8
"""Of queries for names: with one for each, names are looked up as they are."""
LEAST_CONNECT_NS = 10_000_000

PEER_SHARE = 0.3
"""Of the time of the threads that serve, asleep for one peer that the server itself called."""
LEAST_CALLS = 10
QUICK_NS, NO_LONGER_NS = 100_000_000, 250_000_000
"""Nearly all (p99) and the longest of the answers that a script may wait for with nothing wrong:
nobody waits for the script, and its upstream answers quickly and evenly."""
ACCOUNTED_SHARE = 0.8
"""Of what was waited for a peer, the time until its answers begin: else they are slow to end, or
connections slow to be made."""
IN_TURN_SHARE = 0.8
"""Of the time, that a call to the peer is under way, and never two at once, though clients have
several connections: each begins as soon as the one before is answered."""
DOMINATES = 0.5
"""Of what is waited for all peers: one that takes less is one of several."""
BUSY_SHARE = 0.8
"""Of the most calls that were in flight at a time, on average: its callers are always busy."""
BLOCKED_SHARE = 0.5
"""Of a single thread's time, asleep for one client while others wait."""


def _connecting(profile: ProcessProfile) -> Iterator[Hit]:
    seen = profile.total
    names = [one for one in profile.process.descriptors if is_dns(one)]
    lookups = Counter[str]()
    for one in names:
        lookups[one.peer] += one.opened
    resolving = sum(one.wait_ns + one.polled_ns for one in names)
    waited = seen.connects.wait_ns + resolving
    whole = whole_of(waited, profile, NOTICED_NS, FOR_PEERS)
    if waited < max(LEAST_CONNECT_NS, CONNECT_SHARE * whole.ns):
        return
    rows = [one for one in profile.process.calls if one.syscall == "connect" and one.wait_ns]
    tids = {one.tid for one in rows}
    targets = [one for one in profile.outgoing() if one.opened]
    worst = max(targets, key=lambda one: one.opened) if targets else None
    evidence: dict[str, float | int | str] = {
        "connects" if profile.detail is Detail.FULL else "sleeps": seen.connects.calls,
        "connect_wait_ns": seen.connects.wait_ns,
        # A look-up opens a socket for each server that it asks.
        "dns_lookups": max(lookups.values(), default=0),
        "dns_wait_ns": resolving,
    }
    title = _connecting_title(
        seen.connects.wait_ns, resolving, serves=bool(seen.accepts.ok or profile.listening_ports())
    )
    advice = ""
    tasks: tuple[WaitingTasks, ...] = ()
    lines = lines_of_category(profile.process, "connects")
    if resolving > seen.connects.wait_ns:
        server = max(names, key=lambda one: one.wait_ns + one.polled_ns).peer
        evidence["mostly_for"] = server
        title, advice = _resolving(server, lookups[server], resolving, targets, evidence)
        lines, tasks = look_ups(profile, names) or lines, resolving_tasks(profile)
    elif worst is not None:
        evidence["most_often_to"] = worst.peer
    yield Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        title=title,
        advice=advice,
        lines=(*waiting_lines(lines, profile.process), *task_lines(tasks))[:MOST],
        whole=whole,
    )


def _connecting_title(connecting: int, resolving: int, *, serves: bool) -> str:
    """For what it waits, where it is one of the two."""
    what = "to connect or for DNS"
    if not connecting:
        what = "for DNS (the look-up of names)"
    elif not resolving:
        what = "to connect"
    return f"Waits {what} while serving" if serves else f"Waits {what}"


def _resolving(
    server: str,
    rounds: int,
    waited: int,
    targets: Sequence[Descriptor],
    evidence: dict[str, float | int | str],
) -> tuple[str, str]:
    """Title and advice where names are what is waited for: a look-up of a name by libc is a round
    of queries, on a socket of its own, for each domain of the search list that is tried."""
    connections = sum(one.opened for one in targets if one.kind == "tcp")
    title = (
        f"Look-ups of names take {duration(waited)}: {rounds:,} rounds of queries to the DNS "
        f"server {server}, {duration(waited / max(1, rounds))} each"
    )
    if not connections or rounds < ROUNDS_PER_CONNECTION * connections:
        return title, _NAMES
    each = rounds / connections
    evidence["rounds_per_connection"] = round(each, 1)
    return f"{title}, {each:.1f} for each connection made", f"{_SEARCHED} {_NAMES}"


def _one_peer(profile: ProcessProfile) -> Iterator[Hit]:
    its = sum(
        one.lifetime_ns
        for tid, one in profile.threads.items()
        if profile.styles[tid].role in ("reader", "loop")
    )
    serving, whose = (
        its or profile.total.lifetime_ns,
        "threads that serve" if its else "its threads",
    )
    found = upstreams(profile)
    for upstream in found:
        waited, calls = upstream.waited_ns, upstream.calls
        whole = whole_of(waited, profile, LATE_NS, FOR_PEERS, serving)
        if (
            calls >= (LEAST_REQUESTS if whole.requests else LEAST_CALLS)
            and waited >= PEER_SHARE * whole.ns > 0
            and not upstream.is_work_source
            and not _is_at_its_pace(upstream, profile)
            and not has_time({line.tid for line in upstream.lines}, profile)
        ):
            in_turn = _one_at_a_time(upstream, profile)
            dominates = waited >= DOMINATES * sum(one.waited_ns for one in found)
            busy, text = _busy_callers(upstream, profile)
            yield Hit(
                {
                    "peer": upstream.peer,
                    "connections": len(upstream.rows),
                    "waited_ns": waited,
                    **_asked(upstream, profile),
                    "share_of_serving_ratio": round(waited / whole.ns, 3),
                    **busy,
                },
                waited,
                fd=upstream.rows[0].fd if len(upstream.rows) == 1 else None,
                title=(
                    f"One peer dominates the wait: {upstream.peer}"
                    if dominates
                    else f"Waits for {upstream.peer}: {duration(waited)}, as long as "
                    f"{share(waited, whole.ns)} of "
                    + (whole.name if whole.requests else f"the time of {whose}")
                )
                + (_IN_TURN if in_turn else text),
                lines=waiting_lines(upstream.lines, profile.process),
                advice=_ONE_AT_A_TIME if in_turn else "",
                whole=whole,
            )
    yield from _one_client(profile)


def _asked(upstream: Upstream, profile: ProcessProfile) -> dict[str, int]:
    """How often it was asked; where that is not known, the system calls of it, several each."""
    if profile.detail is not Detail.FULL:
        return {"sleeps": upstream.calls}
    rows = [one for one in profile.process.upstreams if one.peer == upstream.peer]
    answers = sum(one.theirs_ns.count for one in rows if one.theirs_ns)
    return {"answers": answers} if answers else {"calls": upstream.calls}


def _one_at_a_time(upstream: Upstream, profile: ProcessProfile) -> bool:
    """What serves several clients asks this peer for one of them after the other."""
    model = profile.process.model
    rows = [one for one in profile.process.upstreams if one.peer == upstream.peer]
    return (
        model is not None
        and model.shape != "single thread"
        and sum(one.connections for one in profile.process.requests) > 1
        and bool(rows)
        and sum(one.in_flight_max for one in rows) == 1
        and upstream.waited_ns >= IN_TURN_SHARE * profile.wall_ns
    )


def _busy_callers(
    upstream: Upstream, profile: ProcessProfile
) -> tuple[dict[str, float | int | str], str]:
    """Where as many threads as ever ask it at the same time nearly always do: what they are to do
    next, whatever it is, waits for them."""
    row = next((one for one in profile.process.upstreams if one.peer == upstream.peer), None)
    if row is None or row.theirs_ns is None or not 2 <= row.in_flight_max < len(profile.threads):
        return {}, ""
    took = asked_ns(row)
    slow = sum(line.wait_ns for line in upstream.lines)
    waited = max(upstream.waited_ns, slow)
    blocked = waited >= ACCOUNTED_SHARE * took  # else tasks ask, and no threads
    # Calls that were under way when the trace began are not known as such: they are the rest of
    # what was waited where that is no more than as many, as long as the longest, could be.
    if waited - took <= row.in_flight_max * row.theirs_ns.max:
        took = max(took, waited)
    mean = min(took, waited) / max(1, profile.wall_ns)
    if not blocked or mean < BUSY_SHARE * row.in_flight_max:
        return {}, ""
    how = share(int(1000 * mean), 1000 * row.in_flight_max)
    return (
        {"at_once_max": row.in_flight_max, "at_once_mean": round(mean, 1)},
        f"; no more than {row.in_flight_max} threads ask it at once, and those are busy with that "
        f"{how} of the time: what else they are to do queues for them",
    )


def _is_at_its_pace(upstream: Upstream, profile: ProcessProfile) -> bool:
    """Whether a program that nobody waits for asks a service that answers quickly each time."""
    sockets = profile.process.sockets
    if profile.served_ports or profile.process.requests or profile.total.accepts.ok:
        return False
    if sockets is None or sockets.listening or any(one.retransmits for one in upstream.rows):
        return False
    if any(serves(one.stack) or waits_for_work(one) for one in profile.process.lines):
        return False
    answers = [one for one in profile.process.upstreams if one.peer == upstream.peer]
    times = [one.theirs_ns for one in answers if one.theirs_ns]
    return (
        sum(one.count for one in times) >= LEAST_CALLS
        and all(one.p99 <= QUICK_NS and one.max <= NO_LONGER_NS for one in times)
        and all((one.oldest_unanswered_ns or 0) <= QUICK_NS for one in answers)
        and sum(map(total_ns, times)) >= ACCOUNTED_SHARE * upstream.waited_ns
    )


def _one_client(profile: ProcessProfile) -> Iterator[Hit]:
    """One thread for all, asleep for one client while others wait to be accepted."""
    model, sockets = profile.process.model, profile.process.sockets
    if model is None or model.shape != "single thread" or model.id != "blocking":
        return
    if sockets is None or sockets.pending is None or sockets.unread is None:
        return
    waiting = sockets.pending + sockets.unread
    outgoing = {(one.fd, one.kind) for one in profile.outgoing()}
    clients = [one for one in profile.connections() if (one.fd, one.kind) not in outgoing]
    if not clients or not waiting:
        return
    worst = max(clients, key=lambda one: one.wait_ns + one.polled_ns)
    waited = worst.wait_ns + worst.polled_ns
    if waited >= BLOCKED_SHARE * profile.total.lifetime_ns:
        yield Hit(
            {
                "peer": worst.peer,
                "waited_ns": waited,
                "connections_waiting": waiting,
            },
            waited,
            fd=worst.fd,
            title=f"One client keeps the only thread waiting: {worst.peer}",
            lines=waiting_lines(lines_on(profile, [worst]), profile.process),
        )


_IN_TURN = ", which is asked for one thing at a time"
_ONE_AT_A_TIME = (
    "Calls to it follow one another and are never under way at once, as where one worker takes "
    "them from a queue, or a lock or a limit of 1 is around them: requests that come at the same "
    "time wait for their turn. "
    "Allow several at once (more workers, a higher limit: in Gradio concurrency_limit), or make "
    "that peer quicker: cache its answers, ask it less."
)
_SEARCHED = (
    "A name is looked up several times: most likely each domain of the search list in "
    "/etc/resolv.conf is tried before the name as it is (Kubernetes: options ndots:5). Write names "
    "of the outside with a dot at their end (api.example.com.), or set ndots:1 (dnsConfig)."
)
_NAMES = (
    "Look names up once: keep connections open and share them (a pool, requests.Session, one "
    "aiohttp.ClientSession), or have a cache on this host (systemd-resolved, dnsmasq, NodeLocal "
    "DNSCache)."
)

CONNECTING = Rule(
    "IO118",
    "Waits to connect or for DNS while serving",
    "Keep connections open and share them (a pool, requests.Session, one aiohttp.ClientSession); "
    "resolve names once or run a local cache; connect in the background where the caller need not "
    "wait.",
    _connecting,
    least=Detail.LIGHT,
)
ONE_PEER = Rule(
    "IO119",
    "One peer dominates the wait",
    "Make that peer quicker or ask it less: cache its answers, send several requests at once, "
    "give the call a timeout; where it is a client, serve the others from other threads or from "
    "an event loop.",
    _one_peer,
    explains={"IO105": always},
    tells=Tells.PEER,
    least=Detail.LIGHT,
)
