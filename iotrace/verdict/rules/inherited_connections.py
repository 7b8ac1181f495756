# SPDX-License-Identifier: Apache-2.0
"""Connections that a server has closed, and that are open still in processes it has forked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.report.surroundings import InheritedConnection
from iotrace.verdict.frames import in_library, since_fork
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rank, Rule
from iotrace.verdict.told_lines import ToldLine, frame_text
from iotrace.vocabulary.kinds import SOCKETS

LEAST_LIFETIME_NS = 2_000_000_000
"""A process that is forked for a connection reads it soon."""
MOST_NAMED = 3


def _kept_open(profile: ProcessProfile) -> Iterator[Hit]:
    """Of a server that answers itself, and children of it that read no socket."""
    if profile.process.ended_ns is not None or not any(
        row.exchanges for row in profile.process.requests
    ):
        return
    children = [one for one in profile.children if _connections(one) and _only_has_them(one)]
    found = {peer: one for child in children for peer, one in _connections(child).items()}
    if found:
        yield _hit(found, children)


def _connections(child: ProcessProfile) -> dict[str, InheritedConnection]:
    sockets = child.process.sockets
    return {one.peer: one for one in (sockets.inherited if sockets else ())}


def _only_has_them(child: ProcessProfile) -> bool:
    """Whether it takes part in no serving: it has read, accepted and watched nothing."""
    seen = child.total
    return (
        child.wall_ns >= LEAST_LIFETIME_NS
        and child.process.ended_ns is None
        and not child.process.loops
        and not child.process.requests
        and not seen.accepts.calls
        and not any(row.kind in SOCKETS for rows in child.calls.values() for row in rows)
    )


def _hit(found: dict[str, InheritedConnection], children: Sequence[ProcessProfile]) -> Hit:
    peers = list(found)
    unread = sum(one.unread_bytes for one in found.values())
    pids = [f"{one.process.pid} {one.process.name}" for one in children]
    named = ", ".join(peers[:MOST_NAMED]) + (", ..." if len(peers) > MOST_NAMED else "")
    where = "a process" if len(children) == 1 else f"{len(children)} processes"
    verb = "is" if len(peers) == 1 else "are"
    return Hit(
        {
            "peer": peers[0],
            "connections": len(peers),
            "unread_bytes": unread,
            "open_in": ", ".join(pids[:MOST_NAMED]),
        },
        None,
        severity="high",
        lines=_lines(children),
        title=f"{plural(len(peers), 'connection')} that this server no longer has {verb} still "
        f"open in {where} forked from it ({named}): {unread:,} bytes that came there are read by "
        "nobody, and the client gets no answer",
    )


def _lines(children: Sequence[ProcessProfile]) -> tuple[ToldLine, ...]:
    places = dict.fromkeys(frame for child in children for frame in _forked_at(child))
    return tuple(ToldLine(f"{frame_text(frame)}: forked there") for frame in places)[:MOST_NAMED]


def _forked_at(child: ProcessProfile) -> Iterator[Frame]:
    """The program's own innermost frame in which its parent was."""
    stacks = [row.in_call.stack for row in child.process.threads if row.in_call]
    for stack in (*stacks, *(row.stack for row in child.process.lines)):
        outer = stack[len(since_fork(stack)) :]
        yield from [frame for frame in outer if not in_library(frame)][:1]


INHERITED = Rule(
    "IO206",
    "Forked processes keep open what the server has closed",
    "A process that is forked (multiprocessing, ProcessPoolExecutor: start method fork) has all "
    "connections of that moment open as well, and TCP ends one only when all who have it have "
    "closed it: the client hears nothing of the server's close(), sends its next request into it, "
    "and waits. Start the processes before the server accepts, or have them started afresh "
    "(ProcessPoolExecutor(mp_context=multiprocessing.get_context('forkserver')) or 'spawn'). Where "
    "that cannot be, shutdown() before close() tells the client.",
    _kept_open,
    rank=Rank.STUCK,
)
