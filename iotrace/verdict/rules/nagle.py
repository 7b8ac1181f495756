# SPDX-License-Identifier: Apache-2.0
"""Two small sends and a peer that acknowledges late: Nagle's algorithm against delayed ACKs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from iotrace.report.model import Descriptor
from iotrace.report.times import Percentiles, Phase
from iotrace.verdict.histograms import summed
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, covers
from iotrace.vocabulary.calls import FAMILIES, READS

DELAYED_ACK_NS = 40_000_000
"""What Linux delays an acknowledgement by, at least (TCP_DELACK_MIN)."""
FROM_NS, TO_NS = 33_000_000, 51_000_000
"""A wait for the next data of so long is one for a delayed acknowledgement and an answer."""
LATE_NS = 68_000_000
"""On a busy machine some of them are longer, as the thread waits for a CPU: up to so long, and no
more of them than come in time."""
PEAK_SHARE = 0.6
"""Of the slow reads."""
LEAST_WAITS = 10
SENDS_PER_WAIT = 1.6
"""Two for each, of each exchange as well, with room for what was sent at once."""
MOST_SENDS_PER_EXCHANGE = 10
"""More are no answer in pieces, but a stream, or messages that go to others as well (IO167)."""
LEAST_UNSENT = 3
"""Data is under way for a round trip of any send: one or two may be seen so by chance."""
UNSENT_SHARE = 0.5
"""Of the connections of a server that has several, with data that is not sent or acknowledged at
the end."""
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
    held, slow = _waits_of((one.latency_ns for one in lines), profile)
    sent = profile.total.writes
    if held < LEAST_WAITS or held < PEAK_SHARE * slow:
        yield from _of_loop(profile, rows)
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


def _of_loop(profile: ProcessProfile, rows: Sequence[Descriptor]) -> Iterator[Hit]:
    """A server that waits for all connections at once, and sends each answer in pieces. Of a
    single connection it sleeps, between two requests, as long as an acknowledgement is delayed; of
    several, most have such a piece unsent whenever one looks."""
    ports = profile.listening_ports() | profile.served_ports
    served = [one for one in rows if port_of(one.local) in ports]
    exchanges = sum(one.exchanges for one in profile.process.requests)
    sends = sum(
        (one.calls or 0) - (one.eagain or 0) - (one.pickup_ns.count if one.pickup_ns else 0)
        for one in served
    )
    sent_bytes = sum(one.bytes_out or 0 for one in served)
    if exchanges < LEAST_WAITS:
        return
    if not SENDS_PER_WAIT * exchanges <= sends <= MOST_SENDS_PER_EXCHANGE * exchanges:
        return
    if sent_bytes > MOST_BYTES * exchanges:
        return
    unsent = [one for one in served if one.unsent_bytes]
    if len(served) == 1:
        held = _slept_so_long(profile)
        if held < PEAK_SHARE * exchanges:
            return
    elif len(unsent) < max(LEAST_UNSENT, UNSENT_SHARE * len(served)):
        return
    else:
        held = exchanges * len(unsent) // len(served)
    worst = max(served, key=lambda one: one.unsent_bytes or 0)
    yield Hit(
        {
            **({"waits_of_40_ms": held} if len(served) == 1 else {}),
            "answers": exchanges,
            "sends": sends,
            "mean_send_bytes": sent_bytes // max(1, sends),
            "connections_without_nodelay": len(served),
            "connections_with_unsent_data": len(unsent),
            "peer": worst.peer,
        },
        min(profile.wall_ns, held * DELAYED_ACK_NS),
        fd=worst.fd if len(served) == 1 else None,
        advice=_LOOP + HELD.advice,
    )


def _slept_so_long(profile: ProcessProfile) -> int:
    """How often loops slept as long as an acknowledgement is delayed."""
    loops = profile.loop_threads()
    names = {one.multiplexer for seen in loops.values() for one in seen.multiplexers}
    calls = (one for tid in loops for one in profile.calls[tid] if one.syscall in names)
    return _waits_of((one.waits_ns for one in calls), profile)[0]


def _waits_of(
    times: Iterable[Percentiles | Phase | None], profile: ProcessProfile
) -> tuple[int, int]:
    """Those that are as long as a delayed acknowledgement, and all."""
    waits = summed(one.histogram for one in times if one)
    in_time = sum(count for low, high, count in waits if low >= FROM_NS and high <= TO_NS)
    late = sum(count for _, high, count in waits if TO_NS < high <= LATE_NS)
    held = in_time + (min(late, in_time) if profile.contended else 0)
    return held, sum(count for _, _, count in waits)


def _exchanges(profile: ProcessProfile) -> int:
    """Requests and calls upstream; 0: not known."""
    return sum(one.exchanges for one in profile.process.requests) + sum(
        one.calls for one in profile.process.upstreams
    )


_LOOP = (
    "asyncio sets TCP_NODELAY only on sockets that were made with proto=socket.IPPROTO_TCP (create_"
    "server(host, port) does); a server that makes its own with socket.socket(family, type) goes "
    "without (hypercorn; uvloop sets it always). "
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
