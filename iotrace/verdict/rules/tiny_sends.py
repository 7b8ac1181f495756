# SPDX-License-Identifier: Apache-2.0
"""Answers that are sent in a great many small pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Descriptor
from iotrace.report.stacks import Frame
from iotrace.verdict.cpu_samples import busy_lines, most_sampled
from iotrace.verdict.frames import short_name
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.pool_threads import woken_by_threads
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.rules.rule import Cost, Hit, Rule
from iotrace.verdict.told_lines import MOST

SMALL_BYTES = 512
"""A mean send below it: a segment of Ethernet holds three times as much."""
LEAST_PER_SECOND = 200
"""On one connection: people, tokens of a language model and ticks of a market come more slowly."""
SENDS_PER_EXCHANGE = 50
BUSY_SHARE = 0.3
"""Of one CPU, that the process takes or waits for: else the pieces come from elsewhere."""
HANDED_SHARE = 0.5
"""Of the sends, before which another thread wakes the loop: each piece is made in a thread."""
LEAST_FANNED, LEAST_FAN, MOST_FAN = 20, 0.5, 2.0
"""Connections, and of their number: so often a message that comes is sent on. What goes to all
others is sent about as often as there are connections."""
_SENDS = ("write", "send", "sendall", "writelines", "sender", "_send", "flush", "drain")


def _tiny(profile: ProcessProfile) -> Iterator[Hit]:
    rows = _answered(profile)
    sends = sum(one.calls or 0 for one in rows)
    exchanges = sum(row.exchanges + row.unanswered for row in profile.process.requests)
    seen = profile.total
    busy = seen.cpu_ns + seen.runq_ns >= BUSY_SHARE * profile.wall_ns
    fanned = _fans_out(profile, len(rows), sends / max(1, exchanges))
    if not rows or not busy or not (fanned or sends >= SENDS_PER_EXCHANGE * exchanges):
        return
    size = sum(one.bytes_out or 0 for one in rows) // sends
    waking = woken_by_threads(profile)
    handed = waking >= HANDED_SHARE * sends
    cost = _spent_ns(profile)
    on = plural(len(rows), "connection")
    yield Hit(
        {
            "sends": sends,
            "mean_send_bytes": size,
            "sends_per_second": round(profile.per_second(sends)),
            "connections": len(rows),
            **({"sends_per_answer": sends // exchanges} if exchanges else {}),
            **({"wake_ups_from_threads": waking} if handed else {}),
            "cpu_ns": seen.cpu_ns,
        },
        cost,
        lines=(
            *most_sampled(profile.process, _caller, "send, each piece by itself"),
            *busy_lines(profile.process),
        )[:MOST],
        title=f"Each message that comes is sent on to all, most likely: {exchanges:,} messages "
        f"made {sends:,} sends of {plural(size, 'byte')} each on {on}, and "
        f"the process computes {share(seen.cpu_ns, profile.wall_ns)} of the time"
        if fanned
        else f"Answers are sent in tiny pieces: {sends:,} sends of {plural(size, 'byte')} each on "
        f"{on} in {duration(profile.wall_ns)}"
        + (", each piece made in another thread and handed over to the loop" if handed else ""),
        advice=_FANNED if fanned else (_HANDED if handed else "") + _LARGER,
    )


def _fans_out(profile: ProcessProfile, connections: int, sends: float) -> bool:
    """Whether what one client says goes to all, ``sends`` for each message; not as answers, which
    nobody could tell from each other."""
    mixed = any(row.several_at_once for row in profile.process.requests)
    many = connections >= LEAST_FANNED
    return mixed and many and LEAST_FAN * connections <= sends <= MOST_FAN * connections


def _answered(profile: ProcessProfile) -> list[Descriptor]:
    """Connections that it has accepted, on which one small piece follows another."""
    ports = profile.listening_ports() | profile.served_ports
    return [
        one
        for one in profile.process.descriptors
        if one.kind == "tcp"
        and port_of(one.local) in ports
        and profile.per_second(one.calls or 0) >= LEAST_PER_SECOND
        and 0 < (one.bytes_out or 0) < SMALL_BYTES * (one.calls or 0)
        and (one.bytes_in or 0) < (one.bytes_out or 0)
    ]


def _spent_ns(profile: ProcessProfile) -> int:
    """From the first byte of the answers to their last; else the CPU time."""
    spent = sum(
        max(0, total_ns(row.last_byte_ns) - total_ns(row.latency_ns))
        for row in profile.process.requests
        if row.last_byte_ns and row.latency_ns
    )
    return min(profile.wall_ns, max(spent, profile.total.cpu_ns))


def _caller(stack: Sequence[Frame]) -> Frame | None:
    """Who calls the functions that send."""
    for place, frame in enumerate(stack):
        if short_name(frame) not in _SENDS:
            return frame if place else None
    return None


_HANDED = (
    "A synchronous iterator is asked for one piece after the other, each time in a thread of the "
    "pool (Starlette's StreamingResponse: iterate_in_threadpool; Django: sync iterators under "
    "ASGI), and a file or BytesIO gives a line at a time. Make it an `async def` generator, or "
    "hand a file over whole (FileResponse, Response). "
)
_LARGER = (
    "Send larger pieces: collect 64 KiB before each yield or write "
    "(iter(lambda: file.read(65536), b'')), write through io.BufferedWriter, set a chunk_size. "
    "Each piece costs a system call, a chunk's head, and often a wake-up."
)
_FANNED = (
    "The work grows with the square of the number of clients. Collect what has happened, and send "
    "each client all of it in one message some 20 times a second; encode a message once, not for "
    "each client; send it only to those whom it concerns. One thread, or one event loop, does not "
    "use more than a CPU: spread clients over several processes, with a broker between them."
)

TINY = Rule(
    "IO167",
    "Tiny sends: answers go out in thousands of small pieces",
    _LARGER,
    _tiny,
    cost=Cost.CPU,
)
