# SPDX-License-Identifier: Apache-2.0
"""Two small sends and a peer that acknowledges late: Nagle's algorithm against delayed ACKs."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.verdict.upstreams import summed
from iotrace.vocabulary.calls import FAMILIES, READS

DELAYED_ACK_NS = 40_000_000
"""What Linux delays an acknowledgement by, at least (TCP_DELACK_MIN)."""
FROM_NS, TO_NS = 33_000_000, 51_000_000
"""A wait for the next data of so long is one for a delayed acknowledgement and an answer."""
PEAK_SHARE = 0.6
"""Of the slow reads."""
LEAST_WAITS = 10
SENDS_PER_WAIT = 1.6
"""Two for each, of each exchange as well, with room for what was sent at once."""
MOST_BYTES = 65_536
"""Sent for each wait: what fills segments is not held back (on loopback they have 64 KiB)."""


def _nagle(profile: ProcessProfile) -> Iterator[Hit]:
    rows = [
        one
        for one in profile.process.descriptors
        if one.kind == "tcp" and one.nodelay is False and one.bytes_out and one.bytes_in
    ]
    if not rows:
        return
    fds = {one.fd for one in rows}
    lines = [
        one
        for one in profile.process.lines
        if one.latency_ns is not None
        and one.fd in fds
        and (
            (one.kind == "tcp" and one.syscall in READS)
            or (one.kind == "" and one.syscall in FAMILIES)
        )
    ]
    waits = summed(line.latency_ns.histogram for line in lines if line.latency_ns)
    slow = sum(count for _, _, count in waits)
    held = sum(count for low, high, count in waits if low >= FROM_NS and high <= TO_NS)
    sent = profile.total.writes
    if held < LEAST_WAITS or held < PEAK_SHARE * slow:
        return
    if sent.ok < SENDS_PER_WAIT * max(held, _exchanges(profile)):
        return  # not all waits are kept: clients that pause for so long are told by one send each
    waited_on = {line.fd for line in lines}
    if sum(one.bytes_out or 0 for one in rows if one.fd in waited_on) > MOST_BYTES * held:
        return
    worst = max(rows, key=lambda one: one.wait_ns + one.polled_ns)
    yield Hit(
        {
            "waits_of_40_ms": held,
            "sends": sent.ok,
            "mean_send_bytes": sent.bytes // max(1, sent.ok),
            "connections_without_nodelay": len(rows),
            "peer": worst.peer,
        },
        held * DELAYED_ACK_NS,
        fd=worst.fd if len(rows) == 1 else None,
        lines=waiting_lines(lines, profile.process),
    )


def _exchanges(profile: ProcessProfile) -> int:
    """Requests and calls upstream; 0: not known."""
    return sum(one.exchanges for one in profile.process.requests) + sum(
        one.calls for one in profile.process.upstreams
    )


HELD = Rule(
    "IO154",
    "Nagle holds the second of two small sends for a delayed ACK",
    "Send head and body in one call (one sendall of both, sendmsg, a buffered file: wfile with "
    "wbufsize = -1 and one flush), or set TCP_NODELAY on the connection: "
    "sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); in http.server and socketserver: "
    "disable_nagle_algorithm = True in the handler class.",
    _nagle,
    explains={"IO119": covers, "IO105": always},
)
