# SPDX-License-Identifier: Apache-2.0
"""The thread that accepts connections sleeps in something else, and newcomers wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from iotrace.report.detail import Detail
from iotrace.verdict.advice import instead_of_blocking
from iotrace.verdict.call_texts import call_text
from iotrace.verdict.frames import in_library, library_frames
from iotrace.verdict.greenlets import REAL_LOCK, in_greenlet
from iotrace.verdict.handovers import in_loop
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import QUEUES, Hit, Rank, Rule, always
from iotrace.verdict.stack import Stack, in_green_thread
from iotrace.verdict.stuck import (
    Stuck,
    began_text,
    held_text,
    long_ns,
    place_text,
    stuck_lines,
    target_text,
    whereabouts,
)
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import ACCEPTS, FAMILIES, FILE_CALLS, LOCKS, READS, SLEEPS, WRITES
from iotrace.vocabulary.kinds import FILES, PIPE, SOCKETS

LEAST_NS = 500_000_000
"""In one call, for a client or something else. An answer of another service that takes no longer
than answers do keeps a worker busy: IO171, IO119."""
AWAY_SHARE = 0.95
"""Of a thread's time, asleep in one kind of call or on a CPU."""
_BLOCKED_LOOP = "The event loop's thread"
_BLOCKED_THREAD = "The thread that accepts connections"
_BLOCKED_HUB = "The thread of all greenlets"
_ACCEPTS = frozenset(
    ("accept", "get_request", "serve_forever", "accept_connection", "_handle_request_noblock")
)


def _blocked(profile: ProcessProfile) -> Iterator[Hit]:
    sockets = profile.process.sockets
    if sockets is None or not sockets.pending or not sockets.listening:
        return
    everybody = whereabouts(profile)
    if any(_ready_to_accept(one) for one in everybody):
        return
    upstream = {one.fd for one in profile.outgoing()}
    blocked = [
        one
        for one in map(partial(_all_along, profile), everybody)
        if one.held_ns >= (long_ns(profile) if one.call.fd in upstream else LEAST_NS)
        and _accepts(one, profile)
    ]
    if not blocked:
        return
    one = max(blocked, key=lambda row: row.held_ns)
    sleeps = one.call.syscall in SLEEPS
    stays = one.held_ns == one.call.wait_ns
    on = "sleep" if sleeps else call_text(one.call.syscall, target_text(one.call))
    whom = "another service" if one.call.fd in upstream else _reason(one)[1]
    does = f"waits for {whom}" if whom else "sleeps"
    shake = any(frame.file.endswith("/ssl.py") for frame in one.call.stack)
    during = "a TLS handshake, in " if shake else ""
    yield Hit(
        {
            "connections_waiting": sockets.pending,
            "waited_ns": one.held_ns,
            **({"began": began_text(one)} if stays else {}),
            "call": one.call.syscall,
            **({"peer": one.call.peer} if one.call.peer else {}),
        },
        one.held_ns,
        one.tid,
        one.call.fd,
        severity="high",
        lines=stuck_lines([one]) if stays else _slept(one, profile),
        title=f"{_who(one, profile)} {does}: "
        f"{_newcomers(sockets.pending)} to be accepted, while thread {one.tid} is "
        f"in {during}{on} at {place_text(one) or one.call.syscall} {held_text(one, profile)}",
        advice=_advice(one, green=_is_green(one, profile), shake=shake),
    )


def _who(one: Stuck, profile: ProcessProfile) -> str:
    if in_loop(one):
        return _BLOCKED_LOOP
    return _BLOCKED_HUB if in_green_thread(profile, one.tid) else _BLOCKED_THREAD


def _is_green(one: Stuck, profile: ProcessProfile) -> bool:
    return in_greenlet(one.call.stack) or in_green_thread(profile, one.tid)


def _all_along(profile: ProcessProfile, one: Stuck) -> Stuck:
    """A thread that was in nothing but calls like its last one, none of which waits for a
    connection, has been away for all of its time."""
    seen, calls = profile.threads[one.tid], profile.calls.get(one.tid, ())
    slept = sum(call.wait_ns for call in calls if call.syscall == one.call.syscall)
    waits_there = one.call.syscall in ACCEPTS or one.call.syscall in FAMILIES
    serves = seen.accepts.calls or seen.reads.ok
    if waits_there or serves or slept + seen.cpu_ns + seen.runq_ns < AWAY_SHARE * seen.lifetime_ns:
        return one
    return replace(one, held_ns=max(one.held_ns, seen.lifetime_ns))


def _slept(one: Stuck, profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """In many calls, one after the other."""
    lines = (
        line
        for line in profile.process.lines
        if line.tid == one.tid and line.syscall == one.call.syscall
    )
    return waiting_lines(lines, profile.process)


def _ready_to_accept(one: Stuck) -> bool:
    """In accept, or in a multiplexer of several descriptors: it will accept when woken."""
    return one.call.syscall in ACCEPTS or (
        one.call.syscall in FAMILIES and one.call.fd is None and one.call.kind != "no fds"
    )


def _accepts(one: Stuck, profile: ProcessProfile) -> bool:
    """It has accepted before, or its stack leads through the function that accepts."""
    if any(
        frame.function.rsplit(".", 1)[-1] in _ACCEPTS and in_library(frame)
        for frame in one.call.stack
    ):
        return True
    calls = profile.calls.get(one.tid, ())
    if any(call.syscall in ACCEPTS for call in calls):
        return True
    # A parent has the listener of its workers, who accept in its place.
    if profile.children:
        return False
    return len(profile.process.threads) == 1 or in_green_thread(profile, one.tid)


def _newcomers(number: int) -> str:
    return f"{plural(number, 'connection')} {'waits' if number == 1 else 'wait'}"


def _reason(one: Stuck) -> tuple[str, str]:
    """The wait reason, as far as advice depends on it, and what that is a wait for."""
    call = one.call
    if call.syscall in SLEEPS:
        return "sleep", ""
    if call.syscall in LOCKS:
        return "lock", "a lock"
    if call.syscall in ("wait4", "waitid"):
        return "child", "a child process"
    if call.syscall in FILE_CALLS or call.kind in FILES:
        return "file", "the file system"
    return ("peer", "one client") if call.kind in SOCKETS else ("other", "something else")


def _advice(one: Stuck, *, green: bool, shake: bool) -> str:
    if shake:
        return (
            "Accept plain connections and make the handshake in the thread that serves, not with a "
            "wrapped listener: there connection.settimeout(5), then "
            "wrap_socket(connection, do_handshake_on_connect=False) and do_handshake()."
        )
    if green:
        if one.call.syscall in LOCKS:
            return REAL_LOCK
        return (
            "A greenlet makes a call that blocks the thread, and with it the hub: no other "
            "greenlet runs, nobody accepts. Patch the standard library before all other imports "
            "(eventlet.monkey_patch(), gevent.monkey.patch_all()), or use the green call "
            "(socketio.sleep(), eventlet.sleep(), gevent.sleep()); what cannot be patched goes to "
            "real threads (eventlet.tpool, gevent's threadpool)."
        )
    if in_loop(one):
        return instead_of_blocking(
            Stack.ASYNCIO,
            _reason(one)[0],
            output_pipe=one.call.kind == PIPE and one.call.syscall in WRITES,
            input_pipe=one.call.kind == PIPE and one.call.syscall in READS,
        )
    if one.call.syscall in READS and any(
        frame.file.endswith("/http/server.py") for frame in library_frames(one.call.stack)
    ):
        return (
            "HTTPServer serves one connection at a time, and waits for the next request on it as "
            "long as the client keeps it (keep-alive: protocol_version HTTP/1.1; browsers also "
            "open connections ahead): have a thread for each (ThreadingHTTPServer), and set the "
            "handler's timeout (timeout = 5 in its class), so that a silent client is dropped."
        )
    return (
        "Let one thread do nothing but accept, and serve in others (ThreadingMixIn, an executor, "
        "an event loop); give connections a timeout (settimeout), so that a silent client is "
        "dropped."
    )


BLOCKED = Rule(
    "IO146",
    "The thread that accepts connections is held up: newcomers wait",
    "Accept in a thread that does nothing else; give connections a timeout.",
    _blocked,
    explains={"IO117": always, "IO119": always, **QUEUES},
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)
