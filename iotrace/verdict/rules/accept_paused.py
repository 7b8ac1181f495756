# SPDX-License-Identifier: Apache-2.0
"""A server whose loop is idle and does not accept those who connect: it has as many as it may have,
or it waits for what is in its threads' hands."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.stuck import whereabouts

LEAST_PENDING = 2
"""Connections in the accept queue at the end; a single one may have come that moment."""
IN_HAND_SHARE = 0.5
"""Of its open connections, with a request that is not answered: it is at work on those."""
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
    owed = _in_hand(profile)
    newcomers = f"{plural(pending, 'newcomer')} wait in the accept queue"
    return Hit(
        {
            "listener": listener,
            "connections_waiting_to_be_accepted": pending,
            "connections_open": has,
            "accepted_while_traced": 0,
            **({_IN_HAND: owed} if owed else {}),
        },
        profile.wall_ns,
        None if owed else tid,
        severity="high",
        title=f"The server accepts nobody: {newcomers} while it has {plural(has, 'connection')} "
        f"open and {plural(owed, 'request')} in hand; most likely it may have no more, or it is to "
        "end when these are done"
        if owed
        else f"The server accepts nobody, though it is idle: {newcomers} while it has "
        f"{plural(has, 'connection')} open, most likely as many as it may have",
        advice=_AT_WORK + PAUSED.advice if owed else "",
    )


def _in_hand(profile: ProcessProfile) -> int:
    """Requests that are owed an answer; or threads that work at one, whose request may have come
    before the trace."""
    at_work = sum(one.serves and one.purpose is not Purpose.WORK for one in whereabouts(profile))
    return max(at_work, sum(one.unanswered for one in profile.process.requests))


def keeps_from_accepting(cause: Hit, symptom: Hit) -> bool:
    """Whether those that nobody accepts wait until what the cause holds up is done, most likely:
    other connections are hardly there."""
    has, in_hand = symptom.evidence["connections_open"], symptom.evidence.get(_IN_HAND, 0)
    return float(in_hand) >= IN_HAND_SHARE * float(has) > 0


_IN_HAND = "requests_in_hand"
_AT_WORK = (
    "See what the requests in hand wait for. A worker that is to be replaced or told to end "
    "(gunicorn: max_requests, a reload) accepts nobody while they last. Otherwise: "
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
