"""Waits for somebody else while serving: to connect, for a name, for an answer."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail, known
from iotrace.report.model import Descriptor, Process
from iotrace.report.stacks import Line
from iotrace.verdict.lines import of_sort, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.view import ProcessView

CONNECT_SHARE = 0.02
LEAST_CONNECT_NS = 10_000_000
DNS_PORT = ":53"

PEER_SHARE = 0.3
"""Of the time of the threads that serve, asleep for one peer that the server itself called."""
LEAST_CALLS = 10
BLOCKED_SHARE = 0.5
"""Of a single thread's time, asleep for one client while others wait."""


def _connecting(view: ProcessView) -> Iterator[Hit]:
    seen = view.total
    if not seen.accepts.ok and not view.listening_ports():
        return
    names = [one for one in view.process.descriptors if _is_dns(one)]
    lookups = sum(one.opened for one in names)
    resolving = sum(one.wait_ns + one.polled_ns for one in names)
    waited = seen.connects.wait_ns + resolving
    if waited < max(LEAST_CONNECT_NS, CONNECT_SHARE * view.wall_ns):
        return
    rows = [one for one in view.process.calls if one.syscall == "connect" and one.wait_ns]
    tids = {one.tid for one in rows}
    targets = [one for one in view.outgoing() if one.opened]
    worst = max(targets, key=lambda one: one.opened) if targets else None
    evidence: dict[str, float | int | str] = {
        "connects" if view.detail is Detail.FULL else "sleeps": seen.connects.calls,
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
        lines=waiting_lines(of_sort(view.process, "connects"), view.process),
    )


def _is_dns(one: Descriptor) -> bool:
    return one.kind == "udp" and one.peer.endswith(DNS_PORT)


def _one_peer(view: ProcessView) -> Iterator[Hit]:
    serving = sum(
        one.lifetime_ns
        for tid, one in view.threads.items()
        if view.styles[tid].role in ("reader", "loop")
    )
    by_peer: dict[str, list[Descriptor]] = {}
    for one in view.outgoing():
        if one.bytes_out or (one.bytes_out is None and one.wait_ns + one.polled_ns):
            by_peer.setdefault(one.peer, []).append(one)
    for peer, rows in by_peer.items():
        waited = sum(one.wait_ns + one.polled_ns for one in rows)
        counts = [one.sleeps if one.calls is None else one.calls for one in rows]
        calls = sum(map(known, counts))
        if calls >= LEAST_CALLS and waited >= PEER_SHARE * max(1, serving):
            yield Hit(
                {
                    "peer": peer,
                    "connections": len(rows),
                    "waited_ns": waited,
                    "calls" if view.detail is Detail.FULL else "sleeps": calls,
                    "share_of_serving_ratio": round(waited / serving, 3),
                },
                waited,
                fd=rows[0].fd if len(rows) == 1 else None,
                lines=waiting_lines(_on(rows, view.process), view.process),
            )
    yield from _one_client(view)


def _on(rows: list[Descriptor], process: Process) -> list[Line]:
    """The slow calls on these descriptors, by the latest of each stack."""
    wanted = {(one.fd, one.kind) for one in rows}
    return [one for one in process.lines if (one.fd, one.kind) in wanted]


def _one_client(view: ProcessView) -> Iterator[Hit]:
    """One thread for all, asleep for one client while others wait to be accepted."""
    model, sockets = view.process.model, view.process.sockets
    if model is None or model.shape != "single thread" or model.id != "blocking":
        return
    if sockets is None or sockets.pending is None or sockets.unread is None:
        return
    waiting = sockets.pending + sockets.unread
    clients = [one for one in view.connections() if one not in view.outgoing()]
    if not clients or not waiting:
        return
    worst = max(clients, key=lambda one: one.wait_ns + one.polled_ns)
    waited = worst.wait_ns + worst.polled_ns
    if waited >= BLOCKED_SHARE * view.total.lifetime_ns:
        yield Hit(
            {
                "peer": worst.peer,
                "waited_ns": waited,
                "connections_waiting": waiting,
            },
            waited,
            fd=worst.fd,
            lines=waiting_lines(_on([worst], view.process), view.process),
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
    explains_lateness=True,
    least=Detail.LIGHT,
)
