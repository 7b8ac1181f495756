# SPDX-License-Identifier: Apache-2.0
"""A server that is idle and does not accept those who connect: it has as many as it may have."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always

LEAST_PENDING = 2
"""Connections in the accept queue at the end; a single one may have come that moment."""
IDLE_SHARE = 0.5
"""Of the time of the thread that serves, in its multiplexer: it could accept them."""


def _paused(profile: ProcessProfile) -> Iterator[Hit]:
    sockets = profile.process.sockets
    if sockets is None or profile.total.accepts.calls or not _has_accepted(profile):
        return
    waiting = {one.local: one.pending for one in sockets.listeners}
    for listener, pending in waiting.items():
        if pending >= LEAST_PENDING and not _left_to_others(listener, profile):
            tid = _idle_thread(profile)
            if tid is not None:
                yield _hit(listener, pending, tid, profile)


def _has_accepted(profile: ProcessProfile) -> bool:
    """It is one of those that accept: not a master, nor somebody who has inherited the socket."""
    ports = profile.listening_ports()
    return bool(profile.process.requests) or any(
        one.peer and port_of(one.local) in ports for one in profile.process.descriptors
    )


def _left_to_others(listener: str, profile: ProcessProfile) -> bool:
    return any(
        child.process.sockets
        and listener in child.process.sockets.listening
        and _has_accepted(child)
        for child in profile.children
    )


def _idle_thread(profile: ProcessProfile) -> int | None:
    """The thread that waits for connections, if all of the multiplexers idle."""
    idle = {
        tid: sum(loop.wait_ns for loop in one.multiplexers) / max(1, one.lifetime_ns)
        for tid, one in profile.threads.items()
        if one.multiplexers
    }
    if not idle or min(idle.values()) < IDLE_SHARE:
        return None
    return max(idle, key=lambda tid: idle[tid])


def _hit(listener: str, pending: int, tid: int, profile: ProcessProfile) -> Hit:
    ports = profile.listening_ports()
    open_ones = {
        (one.fd, one.peer)
        for one in profile.process.descriptors
        if one.kind == "tcp" and one.peer and port_of(one.local) in ports
    }
    sockets = profile.process.sockets
    assert sockets is not None
    others = sum(one.connections for one in sockets.connected) + len(sockets.listening)
    has = max(len(open_ones), (sockets.count or 0) - others)
    return Hit(
        {
            "listener": listener,
            "connections_waiting_to_be_accepted": pending,
            "connections_open": has,
            "accepted_while_traced": 0,
        },
        profile.wall_ns,
        tid,
        severity="high",
        title=f"The server accepts nobody, though it is idle: {plural(pending, 'newcomer')} wait "
        f"in the accept queue while it has {plural(has, 'connection')} open, most likely as many "
        "as it may have",
    )


PAUSED = Rule(
    "IO186",
    "The server accepts nobody, though it is idle: its limit is reached",
    "Its limit of connections is reached, and connections that are kept alive count though nothing "
    "is asked on them. Raise it (gunicorn: worker_connections; waitress: connection_limit; gevent "
    "and eventlet: the size of the server's pool), have more workers, or close idle connections "
    "sooner than clients and load balancers do (keepalive), which should keep fewer of them open.",
    _paused,
    explains={"IO105": always, "IO155": always},
    rank=Rank.STUCK,
)
