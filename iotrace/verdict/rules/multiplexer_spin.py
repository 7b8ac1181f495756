# SPDX-License-Identifier: Apache-2.0
"""A multiplexer that returns at once, again and again, for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Descriptor, Loop, ReadyWatch
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, wastes_its_cpu
from iotrace.verdict.stack import Stack, stack_of
from iotrace.verdict.thread_activity import Activity, waits_for_one
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import CONNECTS
from iotrace.vocabulary.kinds import SOCKETS

UNSERVED_SHARE = 0.5
"""Of the returns with something ready, those after which nothing was read, written, accepted."""
UNSERVED_SHARE_OF_ONE = 0.9
"""The same for a poll of one descriptor: at the end of each connection one is of no use."""
RETURNS_PER_SECOND = 500
CPU_SHARE = 0.02
RETURNS_PER_CONNECT = 2
"""Ends of connects are reported too: each once, and once more where an event loop stops to watch
the socket only in its next iteration (asyncio: a callback of the future that has the result)."""
HANDED_OVER_SHARE = 0.2
"""So many operations of other threads for each such return: it hands over, it does not spin."""
HAND_OVER_NS = 5_000_000
"""So long a thread may go round after each of its sleeps, until another one has served what is
ready: as long as that one waits for the GIL (sys.getswitchinterval).
multiprocessing.Pool's worker handler does so: it polls the pipe that its result handler reads."""

EMPTY_PER_USEFUL = 5
"""Empty zero-timeout returns for each that found something; asyncio has about 1."""
EMPTY_PER_SLEEP = 50
"""Such returns for each call that may wait: a request that goes through a dozen tasks (Quart) takes
as many iterations, and then the loop sleeps; a loop that spins hardly ever does."""
LONGEST_ITERATION_NS = 100_000
"""Longer iterations do work in between (callbacks, coroutines): the loop is busy, not spinning."""
SPIN_SHARE = 0.05


def _unserved(profile: ProcessProfile) -> Iterator[Hit]:
    operations = sum(one.operations for one in profile.threads.values())
    for tid, seen in profile.threads.items():
        for loop in seen.loops:
            if not _is_unserved(profile, tid, loop, operations - seen.operations):
                continue
            cost = _cost(seen, loop.unserved or 0)
            if cost >= CPU_SHARE * profile.wall_ns:
                yield _unserved_hit(profile, tid, loop, cost)


def _is_unserved(profile: ProcessProfile, tid: int, loop: Loop, operations_of_others: int) -> bool:
    seen = profile.threads[tid]
    unserved = (loop.unserved or 0) - RETURNS_PER_CONNECT * _begun_connects(profile, tid)
    found = (loop.iterations or 0) - (loop.empty or 0)
    share = UNSERVED_SHARE_OF_ONE if waits_for_one(loop) else UNSERVED_SHARE
    return (
        unserved >= share * max(1, found)
        and profile.per_second(unserved) >= RETURNS_PER_SECOND
        and operations_of_others < HANDED_OVER_SHARE * unserved
        and not _waits_for_another(profile, tid, loop, operations_of_others)
        and seen.accepts.eagain < unserved / 2
    )


def _begun_connects(profile: ProcessProfile, tid: int) -> int:
    """Those that a multiplexer reports the end of."""
    return sum(
        (one.errors or {}).get("EINPROGRESS", 0)
        for one in profile.calls.get(tid, ())
        if one.syscall in CONNECTS
    )


def _unserved_hit(profile: ProcessProfile, tid: int, loop: Loop, cost: int) -> Hit:
    evidence: dict[str, float | int | str] = {
        "call": loop.multiplexer,
        "returns_unserved": loop.unserved or 0,
        "returns": loop.iterations or 0,
        "unserved_per_second": round(profile.per_second(loop.unserved or 0)),
        "cpu_ns": cost,
    }
    event, ready = _commonest_event(loop.ready_watches)
    if ready:
        evidence |= {"ready": event, "descriptors_ready": len(ready)}
        if ready[0].peer:
            evidence["peer"] = ready[0].peer
    unread = [one for one in profile.process.descriptors if one.unread_ns]
    oldest = max(unread, key=lambda one: one.unread_ns or 0) if unread else None
    if oldest is not None:
        evidence["unread_ns"] = oldest.unread_ns or 0
    fd = ready[0].fd if ready else oldest.fd if oldest else None
    title, advice = _BY_EVENT.get(event, ("", ""))
    if event == "EPOLLOUT" and stack_of(profile, tid) is Stack.ASYNCIO:
        advice += _IN_ASYNCIO
    failed = _failed_socket(profile, tid) if not ready and oldest is None else None
    if failed is not None:
        error, row = failed
        evidence |= {"error": error, "peer": row.peer}
        fd, advice = row.fd, _ERRORS
        title = (
            f"Spin on a socket that has an error: {row.peer} refuses or is gone ({error}), the "
            f"{loop.multiplexer} returns for that, and nobody takes the error"
        )
    elif fd is None and loop.multiplexer in _POLLS:
        advice = _OF_POLL
    lines = _lines(profile, tid, loop)
    return Hit(evidence, cost, tid, fd, lines=lines, title=title, advice=advice)


def _lines(profile: ProcessProfile, tid: int, loop: Loop) -> tuple[ToldLine, ...]:
    """Where its CPU time goes; where too few samples tell, who makes the call."""
    slow = [one for one in profile.process.lines if one.syscall == loop.multiplexer]
    return busy_lines(profile.process, tid, callbacks=True) or calling_lines(
        [one for one in slow if one.tid == tid] or slow
    )


def _failed_socket(profile: ProcessProfile, tid: int) -> tuple[str, Descriptor] | None:
    """The socket whose peer refuses what it is sent, where there is only one that it could be: it
    has an error then, which is reported whatever was asked for, until somebody takes it."""
    errors = {
        error: call.kind
        for call in profile.calls.get(tid, ())
        for error in call.errors or {}
        if error in _OF_PEERS and call.kind in SOCKETS
    }
    rows = [
        one
        for one in profile.process.descriptors
        if one.peer and one.kind in errors.values() and not one.unread_bytes
    ]
    if len(rows) != 1 or not errors:
        return None
    return next(error for error, kind in errors.items() if kind == rows[0].kind), rows[0]


def _commonest_event(watches: tuple[ReadyWatch, ...]) -> tuple[str, list[ReadyWatch]]:
    """What was ready at the last look, and where; of equals what nobody can read away."""
    found: dict[str, list[ReadyWatch]] = {event: [] for event in ("EPOLLRDHUP", *_EVENTS)}
    for one in watches:
        found.setdefault(one.event, []).append(one)
    event = max(found, key=lambda name: len(found[name]))
    return (event, found[event]) if found[event] else ("", [])


def _waits_for_another(
    profile: ProcessProfile, tid: int, loop: Loop, operations_of_others: int
) -> bool:
    """Whether each round of returns for nothing was short, and ended because of another thread."""
    calls = [one for one in profile.calls.get(tid, ()) if one.syscall == loop.multiplexer]
    sleeps = sum(one.waits_ns.count for one in calls if one.waits_ns)
    cost = _cost(profile.threads[tid], loop.unserved or 0)
    return operations_of_others >= sleeps > 0 and cost <= HAND_OVER_NS * sleeps


def _zero_timeout(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        for loop in seen.loops:
            empty = (loop.empty or 0) - (loop.timeouts or 0)
            found = (loop.iterations or 0) - (loop.empty or 0)
            sleeps = 0  # where it is not known
            if loop.zero_timeout is not None:
                sleeps = (loop.iterations or 0) - loop.zero_timeout
            busy_ns = loop.busy_ns.p50 if loop.busy_ns else 0
            if (
                empty < max(EMPTY_PER_USEFUL * max(1, found), EMPTY_PER_SLEEP * sleeps)
                or profile.per_second(empty) < RETURNS_PER_SECOND
                or busy_ns > LONGEST_ITERATION_NS
            ):
                continue
            cost = _cost(seen, empty)
            if cost >= SPIN_SHARE * profile.wall_ns:
                yield Hit(
                    {
                        "call": loop.multiplexer,
                        "empty_returns": empty,
                        "useful_returns": found,
                        "empty_per_second": round(profile.per_second(empty)),
                        "cpu_ns": cost,
                    },
                    cost,
                    tid,
                    lines=_lines(profile, tid, loop),
                )


def _cost(seen: Activity, wasted: int) -> int:
    """The thread's CPU time, by the share of its iterations that were wasted."""
    iterations = sum(one.iterations or 0 for one in seen.loops)
    return seen.cpu_ns * wasted // max(1, iterations)


_OF_PEERS = frozenset(("ECONNREFUSED", "ECONNRESET", "EPIPE", "EHOSTUNREACH", "ENETUNREACH"))
_ERRORS = (
    "EPOLLERR and EPOLLHUP (POLLERR, POLLHUP) are reported whether asked for or not, until the "
    "error is taken: look for them among the events, take the error (recv, or getsockopt with "
    "SO_ERROR), and unregister and close the socket of a peer that is gone."
)
_POLLS = frozenset(("poll", "ppoll"))
_OF_POLL = (
    "`strace -e trace=poll,ppoll -p PID` shows which descriptor it is and what is reported. "
    "POLLNVAL (32 among Python's events): the descriptor was closed and is still registered, which "
    "is reported at once, each time: unregister before close(); where a client's library closes "
    "its socket by itself, in its callback for that (paho: on_socket_close). POLLHUP, POLLERR: the "
    "peer has hung up; both are reported whether asked for or not: unregister and close. POLLOUT: "
    "ask for it only while there is something to send. POLLIN: read or accept."
)
_IN_ASYNCIO = " In asyncio that is loop.remove_writer(sock)."
_EVENTS = ("EPOLLOUT", "EPOLLIN")
_BY_EVENT = {
    "EPOLLOUT": (
        "Spin on writable sockets: EVENT_WRITE (EPOLLOUT) is watched with nothing to send",
        "A socket is writable nearly always: ask for EVENT_WRITE only while there is something "
        "to send (selector.modify(sock, EVENT_READ) once the buffer is empty).",
    ),
    "EPOLLRDHUP": (
        "Spin on a connection that the peer has closed: its end is never read",
        "Read until recv returns b'', then unregister the socket and close it.",
    ),
}
"""(title, advice) where it is known what was ready."""

UNSERVED = Rule(
    "IO106",
    "Level-triggered spin: what is ready is not served",
    "Read, write or accept what is reported, or stop watching it: unregister a listener while no "
    "connection can be taken, and ask for EVENT_WRITE only while there is something to send. "
    "Errors and hang-ups (EPOLLERR, EPOLLHUP) are reported whether asked for or not: close the "
    "descriptor.",
    _unserved,
    explains={"IO105": always, "IO112": wastes_its_cpu, "IO133": always},
    cost=Cost.CPU,
)
ZERO_TIMEOUT = Rule(
    "IO120",
    "Zero-timeout loop: it polls without waiting, and finds nothing",
    "Pass the time until the next timer as timeout, or None to wait for readiness. In asyncio, "
    "wait for an event instead of looping over await asyncio.sleep(0). Where the line is in an "
    "installed package, it is that package's fault: look for a newer version.",
    _zero_timeout,
    explains={"IO112": wastes_its_cpu, "IO133": always},
    cost=Cost.CPU,
)
