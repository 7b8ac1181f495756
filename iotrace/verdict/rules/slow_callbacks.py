# SPDX-License-Identifier: Apache-2.0
"""Callbacks for messages that wait for others, while nobody reads what the messages came over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.stacks import Frame, Line
from iotrace.verdict.frames import package_of
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.verdict.upstreams import reconnects
from iotrace.verdict.work_sources import called_back_by

LEAST_WAIT_NS = 1_000_000_000
"""One callback: heartbeats and pings of brokers go by seconds."""
LEAST_SHARE = 0.2
"""Of the time traced, in callbacks."""


def _slow(profile: ProcessProfile) -> Iterator[Hit]:
    found: dict[tuple[int, str], list[tuple[Line, Frame]]] = {}
    for line in profile.process.lines:
        caller = called_back_by(line) if line.wait_ns else None
        if caller is not None:
            found.setdefault((line.tid, package_of(caller)), []).append((line, caller))
    for (tid, package), calls in found.items():
        lines = [line for line, _ in calls]
        waited = sum(line.wait_ns for line in lines)
        longest = max(line.max_ns for line in lines)
        if package and longest >= LEAST_WAIT_NS and waited >= LEAST_SHARE * profile.wall_ns:
            lost = _made_anew(lines, profile)
            if lost is not None:
                yield _hit(tid, package, lines, lost, profile)


def _made_anew(lines: Sequence[Line], profile: ProcessProfile) -> tuple[str, int] | None:
    """The peer that was connected to again while all of this went on, though not by the callbacks,
    and how often: no more often than callbacks were called."""
    waits = sum(line.calls + line.in_flight for line in lines)
    waited_on = {line.fd for line in lines}
    theirs = {one.peer for one in profile.process.descriptors if one.fd in waited_on}
    made = {
        peer: times
        for peer, times in reconnects(profile).items()
        if times <= waits and peer not in theirs
    }
    read = [row.peer for row in profile.outgoing() if row.peer in made and row.bytes_in]
    most = max(read, key=lambda peer: made[peer], default=None)
    return None if most is None else (most, made[most])


def _hit(
    tid: int, package: str, lines: Sequence[Line], lost: tuple[str, int], profile: ProcessProfile
) -> Hit:
    peer, times = lost
    again = "once" if times == 1 else plural(times, "time")
    waited, longest = sum(line.wait_ns for line in lines), max(line.max_ns for line in lines)
    return Hit(
        {
            "peer": peer,
            "reconnects": times,
            "waited_in_callbacks_ns": waited,
            "longest_ns": longest,
        },
        waited,
        tid,
        lines=waiting_lines(lines, profile.process),
        title=f"Callbacks of {package} wait for up to {duration(longest)}, and meanwhile nobody "
        f"reads the connection to {peer}, which was made anew {again}",
    )


SLOW = Rule(
    "IO197",
    "Slow callbacks for messages: their connection is lost meanwhile",
    "The thread that calls them back also answers heartbeats and pings: a broker or server closes "
    "a connection that does not (AMQP, MQTT, STOMP, WebSocket), and delivers again what was not "
    "acknowledged. Hand the work to another thread (a queue.Queue, a ThreadPoolExecutor) and "
    "return at once; acknowledge in the client's own thread (pika: connection."
    "add_callback_threadsafe). A longer heartbeat only helps up to the longest callback.",
    _slow,
    explains={"IO104": covers, "IO103": covers, "IO119": covers, "IO105": always},
)
