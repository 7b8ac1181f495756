# SPDX-License-Identifier: Apache-2.0
"""A unix socket whose accept queue is full: connect waits for room, or is refused at once."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, covers
from iotrace.vocabulary.calls import CONNECTS
from iotrace.vocabulary.kinds import Kind

LEAST_WAIT_NS = 50_000_000
LEAST_SHARE = 0.02
"""Of the time traced: connect on a unix socket sleeps for room alone (unix(7), listen(2)), and less
in all is a burst that nobody notices."""
LEAST_REFUSED = 3
"""Each is of a full queue, but one or two may be of a burst as well."""
FULL = "EAGAIN"
"""What a socket that may not wait is told then; TCP says EINPROGRESS."""
_UNIX = Kind.UNIX.label


def _full(profile: ProcessProfile) -> Iterator[Hit]:
    rows = [one for one in profile.process.calls if one.syscall in CONNECTS and one.kind == _UNIX]
    waited = sum(one.wait_ns for one in rows)
    refused = sum((one.errors or {}).get(FULL, 0) for one in rows)
    waits = waited >= max(LEAST_WAIT_NS, LEAST_SHARE * profile.wall_ns)
    if not waits and refused < LEAST_REFUSED:
        return
    socket = _socket(profile)
    connects = sum(one.calls or 0 for one in rows)
    pending = sum(one.in_flight for one in rows)
    longest = max((one.latency_ns.max for one in rows if one.latency_ns), default=0)
    evidence: dict[str, float | int | str] = {
        "connects": connects,
        "waited_ns": waited,
        "longest_ns": max(longest, 0 if connects else waited),
    }
    if socket:
        evidence["socket"] = socket
    if pending:
        evidence["not_returned"] = pending
    if refused:
        evidence["refused"] = refused
    where = f" {socket}" if socket else ""
    what = (
        f"connect waits for room in it ({duration(waited)} in {plural(connects + pending, 'call')})"
        if waits
        else f"connect fails with {FULL}, {plural(refused, 'time')}"
    )
    tids = {one.tid for one in rows if one.wait_ns or one.errors}
    lines = [one for one in profile.process.lines if one.syscall in CONNECTS and one.kind == _UNIX]
    yield Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        severity=None if waits else "medium",
        lines=waiting_lines(lines, profile.process),
        title=f"The accept queue of the unix socket{where} is full: {what}",
    )


def _socket(profile: ProcessProfile) -> str:
    """The one that it connects to; "": nothing tells which of several."""
    peers = {one.peer for one in profile.process.upstreams if one.kind == _UNIX} or {
        one.peer for one in profile.process.descriptors if one.kind == _UNIX and one.peer
    }
    return peers.pop().removeprefix("unix:") if len(peers) == 1 else ""


FULL_QUEUE = Rule(
    "IO199",
    "The accept queue of a unix socket is full",
    "Whoever listens there accepts too slowly, and its queue is short (`ss -xl`: Recv-Q against "
    "Send-Q; who it is: `ss -xlp`). Let it serve several at a time (socketserver: "
    "ThreadingUnixStreamServer) and accept while it works; raise its backlog (listen(128); "
    "socketserver: request_queue_size, 5 unless told; asyncio.start_unix_server(backlog=); "
    "net.core.somaxconn limits all). Here: keep a connection open in place of one for each "
    "request. A socket with a timeout does not wait: it fails at once, so try again after a pause.",
    _full,
    explains={"IO118": covers, "IO119": covers},
)
