"""Waits for somebody else while serving: to connect, for a name, for an answer."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.model import Descriptor, Process
from iotrace.report.stacks import Line
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always

CONNECT_SHARE = 0.02
LEAST_CONNECT_NS = 10_000_000
DNS_PORT = ":53"

PEER_SHARE = 0.3
"""Of the time of the threads that serve, asleep for one peer that the server itself called."""
LEAST_CALLS = 10
BLOCKED_SHARE = 0.5
"""Of a single thread's time, asleep for one client while others wait."""


def _connecting(profile: ProcessProfile) -> Iterator[Hit]:
    seen = profile.total
    if not seen.accepts.ok and not profile.listening_ports():
        return
    names = [one for one in profile.process.descriptors if _is_dns(one)]
    lookups = sum(one.opened for one in names)
    resolving = sum(one.wait_ns + one.polled_ns for one in names)
    waited = seen.connects.wait_ns + resolving
    if waited < max(LEAST_CONNECT_NS, CONNECT_SHARE * profile.wall_ns):
        return
    rows = [one for one in profile.process.calls if one.syscall == "connect" and one.wait_ns]
    tids = {one.tid for one in rows}
    targets = [one for one in profile.outgoing() if one.opened]
    worst = max(targets, key=lambda one: one.opened) if targets else None
    evidence: dict[str, float | int | str] = {
        "connects" if profile.detail is Detail.FULL else "sleeps": seen.connects.calls,
        "connect_wait_ns": seen.connects.wait_ns,
        "dns_lookups": lookups,
        "dns_wait_ns": resolving,
    }
    if worst is not None:
        evidence["most_often_to"] = worst.peer
    yield Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        lines=waiting_lines(lines_of_category(profile.process, "connects"), profile.process),
    )


def _is_dns(one: Descriptor) -> bool:
    return one.kind == "udp" and one.peer.endswith(DNS_PORT)


def _one_peer(profile: ProcessProfile) -> Iterator[Hit]:
    serving = sum(
        one.lifetime_ns
        for tid, one in profile.threads.items()
        if profile.styles[tid].role in ("reader", "loop")
    )
    by_peer: dict[str, list[Descriptor]] = {}
    for one in profile.outgoing():
        if one.bytes_out or (one.bytes_out is None and one.wait_ns + one.polled_ns):
            by_peer.setdefault(one.peer, []).append(one)
    for peer, rows in by_peer.items():
        waited = sum(one.wait_ns + one.polled_ns for one in rows)
        counts = [one.sleeps if one.calls is None else one.calls for one in rows]
        calls = sum(count or 0 for count in counts)
        if calls >= LEAST_CALLS and waited >= PEER_SHARE * max(1, serving):
            yield Hit(
                {
                    "peer": peer,
                    "connections": len(rows),
                    "waited_ns": waited,
                    "calls" if profile.detail is Detail.FULL else "sleeps": calls,
                    "share_of_serving_ratio": round(waited / serving, 3),
                },
                waited,
                fd=rows[0].fd if len(rows) == 1 else None,
                lines=waiting_lines(_on(rows, profile.process), profile.process),
            )
    yield from _one_client(profile)


def _on(rows: list[Descriptor], process: Process) -> list[Line]:
    """The slow calls on these descriptors, by the latest of each stack."""
    wanted = {(one.fd, one.kind) for one in rows}
    return [one for one in process.lines if (one.fd, one.kind) in wanted]


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
            lines=waiting_lines(_on([worst], profile.process), profile.process),
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
    least=Detail.LIGHT,
)
