# SPDX-License-Identifier: Apache-2.0
"""Peers whose TCP acknowledges nothing: what is sent there is lost, or nobody is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Silent
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rank, Rule
from iotrace.verdict.stuck import Stuck, in_calls, stuck_lines
from iotrace.verdict.waiting_tasks import WaitingTasks, task_lines, waiting_tasks

LEAST_TRIES = 2
LEAST_NS = 1_000_000_000
"""Without an acknowledgement, though it was sent again twice: a network that loses a segment now
and then has brought the second or third one within 0.6 s."""


def _silent(profile: ProcessProfile) -> Iterator[Hit]:
    sockets = profile.process.sockets
    for one in sockets.silent if sockets else ():
        if one.tries < LEAST_TRIES or one.silent_ns < LEAST_NS or not _called(one, profile):
            continue
        purpose = Purpose.CONNECTION if one.connecting else Purpose.ANSWER
        tasks = [task for task in waiting_tasks(profile) if task.purpose is purpose]
        threads = [row for row in in_calls(profile) if row.call.peer == one.peer]
        yield _hit(one, tasks, threads, profile)


def _called(one: Silent, profile: ProcessProfile) -> bool:
    """This process has opened the connection: a client that is gone without a word holds up nobody
    but itself."""
    sockets = profile.process.sockets
    known = {row.peer for row in sockets.connected} if sockets else set()
    return one.connecting or one.peer in known


def _hit(
    one: Silent, tasks: Sequence[WaitingTasks], threads: Sequence[Stuck], profile: ProcessProfile
) -> Hit:
    waited = max(
        [one.silent_ns, *(row.held_ns for row in threads), *(row.wait.longest_ns for row in tasks)]
    )
    cost = min(waited, profile.wall_ns)
    waiting = sum(row.wait.tasks for row in tasks)
    evidence: dict[str, float | int | str] = {
        "peer": one.peer,
        "connections": one.connections,
        "sent_again": one.tries,
        "silent_for_at_least_ns": one.silent_ns,
    }
    if threads:
        evidence["threads_waiting"] = len(threads)
    if waiting:
        evidence["tasks_waiting"] = waiting
    return Hit(
        evidence,
        cost,
        threads[0].tid if len(threads) == 1 and not tasks else None,
        severity="high",
        lines=(*stuck_lines(threads), *task_lines(tasks))[:3],
        title=_title(one),
        advice=_CONNECTING if one.connecting else _GONE,
    )


def _title(one: Silent) -> str:
    since = f"for {duration(one.silent_ns)} or more"
    if one.connecting:
        return (
            f"{one.peer} does not answer: {plural(one.connections, 'connect')} under way {since}, "
            f"the SYN was sent again {_times(one.tries)}"
        )
    return (
        f"{one.peer} acknowledges nothing {since}: what is sent on "
        f"{plural(one.connections, 'connection')} is lost, TCP sent it again {_times(one.tries)}"
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


_CONNECTING = (
    "Nobody has answered the SYN, not even with a refusal: the host is down, a firewall drops the "
    "packets, the address is wrong or leads nowhere (IPv6), or the listener there has a full "
    "accept queue. Try it from here: `nc -vz -w 3 HOST PORT`. The kernel tries for two minutes: "
    "give the connect a timeout of a second or two (aiohttp: ClientTimeout(sock_connect=2); "
    "httpx: Timeout(5, connect=2); requests: timeout=(2, 10); sockets: "
    "create_connection(timeout=2))."
)
_GONE = (
    "The peer, or what lies between (NAT, firewall, load balancer, a container that was moved), "
    "has forgotten this connection, and nobody says so: TCP tries for a quarter of an hour. Give "
    "calls a timeout and close the connection where it runs out; TCP keep-alive below the idle "
    "limit of the network (SO_KEEPALIVE, TCP_KEEPIDLE=60), TCP_USER_TIMEOUT; do not use "
    "connections again that have been idle for long (httpx: keepalive_expiry; pools: recycle, "
    "pre_ping)."
)


def _same_peer(cause: Hit, symptom: Hit) -> bool:
    return symptom.evidence.get("peer") in (None, cause.evidence["peer"])


SILENT = Rule(
    "IO164",
    "A peer acknowledges nothing: TCP sends again and again",
    "See whether the peer is up and reachable from here; give the call a timeout.",
    _silent,
    explains={
        "IO118": _same_peer, "IO119": _same_peer, "IO140": _same_peer, "IO157": _same_peer,
        "IO165": _same_peer, "IO171": _same_peer,
    },
    rank=Rank.STUCK,
)  # fmt: skip
