# SPDX-License-Identifier: Apache-2.0
"""Calls that put an event loop's thread to sleep anywhere but in its multiplexer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.model import Call, Descriptor
from iotrace.report.stacks import Line
from iotrace.verdict.advice import instead_of_blocking
from iotrace.verdict.frames import named
from iotrace.verdict.handovers import called_by_loop
from iotrace.verdict.number_formats import plural
from iotrace.verdict.pipe_readers import output_name, reader_of
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.stack import stack_of
from iotrace.verdict.stuck import whereabouts
from iotrace.verdict.thread_activity import Activity, polled_alone, polled_within_iterations
from iotrace.verdict.upstreams import reconnects
from iotrace.verdict.work_sources import has_time
from iotrace.vocabulary.calls import READS, WRITES
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, NO_FDS, PIPE, SOCKETS
from iotrace.vocabulary.waits import BLOCKS_A_LOOP

LEAST_SHARE = 0.01
"""Of the thread's time that it is blocked."""
LEAST_BLOCKED_NS = 5_000_000
AWAY_SHARE = 0.8
"""Of a thread's sleep, in what an asyncio loop has called: it is there for the loop then."""
LEAST_HEARTBEAT_NS = 1_000_000_000
"""The shortest interval of heartbeats that clients of brokers know: seconds."""
LEAST_RECONNECTS = 2
"""One may be a restart of the peer: who is dropped for its silence is so again and again."""
_HEARTBEATS = (
    " A broker closes a connection that answers no heartbeats (AMQP, MQTT, pings of WebSockets), "
    "and delivers again what was not acknowledged: let another thread do the work, and the loop's "
    "acknowledge it (pika: connection.add_callback_threadsafe)."
)


def _blocked(profile: ProcessProfile) -> Iterator[Hit]:
    loops = {
        tid: seen
        for tid, seen in profile.loop_threads().items()
        if profile.styles[tid].id in ("select", "poll", "epoll", "epoll-et")
    }
    for tid, seen in (_away_from_multiplexer(profile) | loops).items():
        waits = {reason: seen.wait_ns[reason] for reason in BLOCKS_A_LOOP if seen.wait_ns[reason]}
        polled = max(polled_within_iterations(seen, profile.calls[tid]), polled_alone(seen))
        if polled:
            waits["poll_of_one"] = polled
        blocked = sum(waits.values())
        states = [*waits, *(("poll",) if polled else ())]
        whole = whole_of(blocked, profile, NOTICED_NS, states, seen.lifetime_ns)
        if blocked >= max(LEAST_BLOCKED_NS, LEAST_SHARE * whole.ns):
            yield replace(_hit(profile, tid, seen, waits, blocked), whole=whole)


def _away_from_multiplexer(profile: ProcessProfile) -> dict[int, Activity]:
    """Threads of loops that were in callbacks nearly all along, as their stacks tell: they have
    hardly called a multiplexer, so that nothing else tells of the loop. Nobody may mind, where
    there is no other task, request or newcomer."""
    tasks, sockets = profile.tasks, profile.process.sockets
    owed = any(row.unanswered for row in profile.process.requests)
    if not (owed or (sockets and sockets.pending) or (tasks and tasks.tasks > 1)):
        return {}
    found = {}
    for one in whereabouts(profile):
        seen = profile.threads[one.tid]
        if called_by_loop(one.call.stack) and (
            one.held_ns >= AWAY_SHARE * seen.asleep_ns or _is_inside(one.tid, seen, profile)
        ):
            found[one.tid] = seen
    return found


def _is_inside(tid: int, seen: Activity, profile: ProcessProfile) -> bool:
    """Whether the waits that have a line were there, and nearly all waits were of these calls.
    Stacks may be followed later than waits."""
    lines = [one for one in profile.process.lines if one.tid == tid]
    inside = [one for one in lines if called_by_loop(one.stack)]
    names = {one.syscall for one in inside}
    alike = sum(one.wait_ns for one in profile.calls[tid] if one.syscall in names)
    return (
        sum(one.wait_ns for one in inside) >= AWAY_SHARE * sum(one.wait_ns for one in lines)
        and alike >= AWAY_SHARE * seen.asleep_ns
    )


def _hit(
    profile: ProcessProfile, tid: int, seen: Activity, waits: dict[str, int], blocked: int
) -> Hit:
    evidence: dict[str, float | int | str] = {
        f"blocked_in_{reason}_ns": ns for reason, ns in waits.items()
    }
    names = {loop.multiplexer for loop in seen.multiplexers}

    def blocks(one: Call | Line) -> bool:
        return (one.syscall not in names or one.kind == NO_FDS) and not (
            one.syscall == "futex" and one.kind in ("", *INTERPRETER_KINDS)
        )

    calls = [one for one in profile.calls[tid] if one.wait_ns and blocks(one)]
    fd = None
    if calls:
        worst = max(calls, key=lambda one: one.wait_ns)
        evidence |= {"call": worst.syscall, **_count_of(worst, profile)}
        if worst.kind:
            evidence["kind"] = worst.kind
        longest = worst.latency_ns or worst.slept_ns
        if longest is not None:
            evidence["longest_ns"] = longest.max
        fd = _descriptor(profile, worst, seen)
    lines = [one for one in profile.process.lines if one.tid == tid and blocks(one)]
    lost = _made_anew(profile, seen, fd)
    if lost is not None:
        evidence |= {"reconnects_to": lost[0], "reconnects": lost[1]}
    full = bool(calls) and worst.kind == PIPE and worst.syscall in WRITES
    reader = reader_of(profile, fd, PIPE) if full else ""
    if reader:
        evidence["reader"] = reader
    alone = _serves_itself(profile, seen) or has_time({tid}, profile)
    return Hit(
        evidence,
        blocked,
        tid,
        fd,
        severity="low" if lost is None and alone else None,
        lines=waiting_lines(lines, profile.process),
        title=_reconnecting(*lost)
        if lost
        else _writing(output_name(profile, fd, PIPE), reader)
        if full
        else "",
        advice=instead_of_blocking(
            stack_of(profile, tid),
            "child" if _mostly(_AWAITS, lines) else max(waits, key=lambda reason: waits[reason]),
            output_pipe=full,
            input_pipe=bool(calls) and worst.kind == PIPE and worst.syscall in READS,
            starts_child=_mostly(_STARTS, lines),
        )
        + (_HEARTBEATS if lost else ""),
    )


def _serves_itself(profile: ProcessProfile, seen: Activity) -> bool:
    """The loop of a client with a single connection, such as a consumer of a broker: what it calls
    in between keeps nobody else waiting, and no heartbeat for long."""
    tasks, sockets = profile.tasks, profile.process.sockets
    if sockets is None or sockets.count is None or sockets.listening or (tasks and tasks.tasks > 1):
        return False
    longest = max((loop.busy_ns.max for loop in seen.multiplexers if loop.busy_ns), default=0)
    connections = {(one.fd, one.peer) for one in profile.outgoing()}
    return len(connections) == 1 and 0 < longest < LEAST_HEARTBEAT_NS


def _made_anew(
    profile: ProcessProfile, seen: Activity, blocked_on: int | None
) -> tuple[str, int] | None:
    """The peer of a connection which the loop reads, that was made again and again, and how often:
    no more often than the loop was held up, for longer than a heartbeat may take."""
    longest = max((loop.busy_ns.max for loop in seen.multiplexers if loop.busy_ns), default=0)
    if longest < LEAST_HEARTBEAT_NS:
        return None
    held_up = sum(loop.stalls.count for loop in seen.multiplexers if loop.stalls)
    made = {
        peer: times
        for peer, times in reconnects(profile).items()
        if LEAST_RECONNECTS <= times <= held_up
    }
    found = [
        row
        for row in profile.outgoing()
        if row.peer in made and row.nonblocking and row.bytes_in and row.fd != blocked_on
    ]
    if not found:
        return None
    most = max(found, key=lambda row: made[row.peer])
    return most.peer, made[most.peer]


def _reconnecting(peer: str, times: int) -> str:
    return (
        "Blocking call inside the event loop's thread: meanwhile nobody reads the connection to "
        f"{peer}, which was made anew {plural(times, 'time')}"
    )


def _writing(name: str, reader: str) -> str:
    return (
        f"Blocking call inside the event loop's thread: it writes to {name}, which is full, and "
        f"waits for {f'{reader}, ' if reader else ''}its reader"
    )


_STARTS = re.compile(r"/subprocess\.py:_execute_child$")
_AWAITS = re.compile(r"/subprocess\.py:(?:_?communicate|_?wait)$")
"""It waits for a child's end or for its output: in a poll of its pipes, in wait4 or in a sleep."""


def _mostly(in_function: re.Pattern[str], lines: Sequence[Line]) -> bool:
    """Most of the wait is in such a function of a library, or in what that calls."""
    waited = sum(one.wait_ns for one in lines)
    inside = sum(
        one.wait_ns for one in lines if any(map(in_function.search, map(named, one.stack)))
    )
    return 2 * inside > waited


def _descriptor(profile: ProcessProfile, call: Call, seen: Activity) -> int | None:
    """The descriptor that the call waited on: the one with the longest wait of its kind."""
    waited = [one for one in profile.process.descriptors if _wait(one, call)]
    alone = not any(
        (one.syscall, one.kind) == (call.syscall, call.kind) and one.wait_ns
        for tid, rows in profile.calls.items()
        if tid != call.tid
        for one in rows
    )
    if not alone:  # what others wait on is in the descriptors, too
        fds = _fds_of_lines(profile, call) or _fd_of_stalls(call, seen)
        waited = [one for one in waited if one.fd in fds] if fds else waited
    return max(waited, key=lambda one: _wait(one, call)).fd if waited else None


def _fds_of_lines(profile: ProcessProfile, call: Call) -> frozenset[int | None]:
    """The descriptor of the costliest line of these calls."""
    lines = [
        one
        for one in profile.process.lines
        if (one.tid, one.syscall, one.kind) == (call.tid, call.syscall, call.kind)
        and one.fd is not None
    ]
    return frozenset((max(lines, key=lambda one: one.wait_ns).fd,)) if lines else frozenset()


def _fd_of_stalls(call: Call, seen: Activity) -> frozenset[int | None]:
    worst = [loop.stalls.worst for loop in seen.multiplexers if loop.stalls]
    return frozenset(
        one.fd
        for one in worst
        if one and (one.syscall, one.kind) == (call.syscall, call.kind) and one.fd is not None
    )


def _count_of(call: Call, profile: ProcessProfile) -> dict[str, int]:
    """How many of these calls slept: a loop's own reads, which do not, are of the same call."""
    if call.calls is None or call.waits_ns is None:
        return profile.count_of(call)
    return {"blocking_calls": call.waits_ns.count + call.in_flight}


def _wait(one: Descriptor, call: Call) -> int:
    if call.kind in SOCKETS or call.kind == PIPE:
        return one.wait_ns if one.kind == call.kind else 0
    return one.polled_ns if call.syscall in ("poll", "ppoll") else 0


BLOCKED = Rule(
    "IO104",
    "Blocking call inside the event loop's thread",
    "Use the loop's own form of the call (await asyncio.sleep(), asyncio streams, an async "
    "database driver), or hand it to a thread: await asyncio.to_thread(call).",
    _blocked,
    explains={
        "IO103": covers,
        "IO105": always,
        "IO111": covers,
        "IO117": always,
        "IO118": covers,
        "IO119": covers,
        "IO146": always,
        "IO150": covers,
        "IO152": covers,
        "IO160": covers,
    },
    least=Detail.LIGHT,
)
