# SPDX-License-Identifier: Apache-2.0
"""A server that was told to end, and waits for clients or tasks that do not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.report.task_waits import TaskWait
from iotrace.verdict.ending_tasks import OF_CHILDREN, for_children, lines_of, own_tasks
from iotrace.verdict.frames import in_library, named
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.stuck import long_ns, whereabouts
from iotrace.verdict.told_lines import ToldLine, frame_text
from iotrace.vocabulary.calls import FAMILIES

PRESENT_SHARE = 0.9
"""Of the looks at the tasks, at which one was ending the server."""
LEAST_WATCHED_NS = 1_000_000_000
LEAST_LOOKS = 3
"""Who ends in less need not be asked why."""
GRACE_NS = 10_000_000_000
"""Who began to end in the trace may need so long to finish what is under way: supervisors give as
much at least (docker stop 10 s, Kubernetes 30 s)."""
MOST_PEERS = 3
_ENDS = re.compile(
    r"/\w*(?:server|runners?|serving|base_events|arbiter)\w*\.py:"
    r"_?(?:shutdown|shutdown_default_executor|wait_closed|cleanup|server_close|close|stop|aclose"
    r"|close_all_connections|_?wait_tasks_to_complete)$"
)
"""Functions of servers and event loops that end them, and wait for what they still have to do."""


def _does_not_end(profile: ProcessProfile) -> Iterator[Hit]:
    found = _ending(profile)
    if found is None:
        return
    frame, waited_ns, tid = found
    workers = [one for one in profile.children if one.process.ended_ns is None]
    family = (profile, *workers)
    clients = sum(map(_clients, family), Counter[str]())
    peers = ", ".join(host for host, _ in clients.most_common(MOST_PEERS))
    number = sum(clients.values())
    own = [one for each in family for one in _own_tasks(each)]
    tasks = sum(one.tasks for one in own)
    waits_for = [plural(number, "connection") + f" of clients ({peers})"] if number else []
    waits_for += [plural(tasks, "asyncio task") + for_children(own, profile)] if tasks else []
    waits_for += [plural(len(workers), "worker process")] if workers else []
    at_all_looks = tid is None
    grave = at_all_looks or waited_ns >= min(GRACE_NS, PRESENT_SHARE * profile.wall_ns)
    verb = "is" if number + tasks + len(workers) == 1 else "are"
    yield Hit(
        {
            "waits_in": frame_text(frame),
            "waited_ns": waited_ns,
            "connections_of_clients": number,
            **({"clients": peers} if peers else {}),
            "asyncio_tasks_of_the_program": tasks,
            **({"worker_processes": len(workers)} if workers else {}),
        },
        min(profile.wall_ns, waited_ns),
        tid,
        severity="high" if grave else "low",
        lines=lines_of(own) or _at_work(family),
        title=f"The {'server' if number else 'program'} is shutting down"
        f"{' and does not come to its end' if grave else ''}: {frame.function} ({frame.place}) has "
        f"been waiting for {duration(waited_ns)}{' and more' if grave else ''}"
        + (f", while {' and '.join(waits_for)} {verb} still there" if waits_for else ""),
        advice=OF_CHILDREN if for_children(own, profile) else "",
    )


def _ending(profile: ProcessProfile) -> tuple[Frame, int, int | None] | None:
    """Where, for how long at least, in which thread (None: in a task).

    Who still listens may as well wait for its end from the start on (Server.wait_closed)."""
    sockets = profile.process.sockets
    if sockets is None or sockets.count is None or sockets.listening:
        return None
    tasks = profile.tasks
    if tasks and tasks.looks >= LEAST_LOOKS and tasks.watched_ns >= LEAST_WATCHED_NS:
        for one in tasks.rows:
            frame = _outermost(one.stack)
            if frame and one.mean >= PRESENT_SHARE:
                return frame, tasks.watched_ns, None
    least_ns = max(LEAST_WATCHED_NS, long_ns(profile))
    for thread in whereabouts(profile):
        frame = _outermost(thread.call.stack)
        looks_ns = sum(
            line.wait_ns
            for line in profile.process.lines
            if line.tid == thread.tid and _outermost(line.stack) == frame
        )
        if frame and max(thread.held_ns, looks_ns) >= least_ns:
            return frame, max(thread.held_ns, looks_ns), thread.tid
    return None


def _own_tasks(profile: ProcessProfile) -> list[TaskWait]:
    return [one for one in own_tasks(profile) if _outermost(one.stack) is None]


def _at_work(family: Sequence[ProcessProfile]) -> tuple[ToldLine, ...]:
    """Where threads are that still do something of the program's own."""
    told = (
        waiting_lines(
            (
                line
                for line in one.process.lines
                if line.syscall not in FAMILIES and not in_library(line.own_stack[0])
            ),
            one.process,
        )
        for one in family
        if any(line.stack for line in one.process.lines)
    )
    return tuple(line for lines in told for line in lines)[:3]


def _outermost(stack: Sequence[Frame]) -> Frame | None:
    return next((one for one in reversed(stack) if _is_end(one)), None)


def _is_end(frame: Frame) -> bool:
    return in_library(frame) and _ENDS.search(named(frame)) is not None


def _clients(profile: ProcessProfile) -> Counter[str]:
    """Connections that it has accepted and that were open at the last look, by the clients'
    addresses."""
    outgoing = {one.fd for one in profile.outgoing()}
    return Counter(
        one.peer.rpartition(":")[0]
        for one in profile.process.descriptors
        if one.kind == "tcp"
        and one.peer
        and one.fd not in outgoing
        and one.unsent_bytes is not None
    )


ENDLESS = Rule(
    "IO193",
    "The server is shutting down and does not come to its end",
    "A graceful end waits until everybody has got an answer; event streams, WebSockets and long "
    "polls never have. End them when the server does (an asyncio.Event that the generator looks "
    "at, set by the shutdown; sse-starlette and websockets do so), and give the wait a limit: "
    "uvicorn --timeout-graceful-shutdown 10, gunicorn and hypercorn --graceful-timeout, aiohttp "
    "web.run_app(shutdown_timeout=10), grpc server.stop(grace=10). It should be shorter than what "
    "the supervisor gives (Kubernetes: terminationGracePeriodSeconds; systemd: TimeoutStopSec).",
    _does_not_end,
    explains={"IO140": always, "IO141": always, "IO170": always, "IO185": always, "IO208": always},
    rank=Rank.STUCK,
)
