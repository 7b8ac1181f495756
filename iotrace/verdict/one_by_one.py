# SPDX-License-Identifier: Apache-2.0
"""A program whose messages a library's own thread sends, and that waits for each of them.

The thread is native: no call of the program's own names the peer.
"""

from __future__ import annotations

from collections import Counter

from iotrace.report.stacks import Line
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.time_places import TimePlace
from iotrace.vocabulary.calls import LOCKS
from iotrace.vocabulary.kinds import INTERPRETER_KINDS

LEAST_WAITS = 50
LEAST_SHARE = 0.5
"""Of a thread's time, at one line."""
FOR_EACH = (0.5, 1.5)
"""Round trips for each wait that was long enough to be seen: more or fewer are not made for it."""
MOST_EACH_BYTES = 16_384
"""Sent with each: of more, the data itself takes the time."""


def one_by_one(profile: ProcessProfile) -> TimePlace | None:
    """A line that waits for one small message after the other to be sent and answered; None: there
    is none. What asks for the next message gets more data than it sends."""
    found = _waits(profile)
    if found is None:
        return None
    line, waker = found
    seen = profile.threads[line.tid]
    for one in profile.process.upstreams:
        sent, received = _moved(one.peer, profile)
        answered = one.theirs_ns
        if (
            one.in_flight_max == 1
            and answered
            and FOR_EACH[0] * line.calls <= one.calls <= FOR_EACH[1] * line.calls
            and received < sent <= MOST_EACH_BYTES * one.calls
        ):
            each_ns = line.wait_ns // line.calls
            return TimePlace(
                f"for {share(line.wait_ns, seen.lifetime_ns)} of its time a thread waits until "
                f"another one, of a library, has sent what it was given: {one.calls:,} round trips "
                f"to {one.peer}, one at a time, {duration(each_ns)} for each wait, though half of "
                f"the answers are there in {duration(answered.p50)}.",
                profile,
                waiting_lines([line], profile.process),
                {
                    "peer": one.peer,
                    "round_trips": one.calls,
                    "bytes_sent_each": sent // one.calls,
                    "wait_each_ns": each_ns,
                    "answered_p50_ns": answered.p50,
                    "sender": f"thread {waker}",
                },
                line.wait_ns,
                _TOGETHER,
            )
    return None


def _waits(profile: ProcessProfile) -> tuple[Line, int] | None:
    """The line where a thread is mostly asleep until a native one wakes it; and that one."""
    own = [one for one in profile.process.lines if one.syscall in LOCKS and one.stack]
    own = [one for one in own if one.kind not in INTERPRETER_KINDS and one.tid in profile.threads]
    line = max(own, key=lambda one: one.wait_ns, default=None)
    if line is None or line.calls < LEAST_WAITS:
        return None
    if line.wait_ns < LEAST_SHARE * profile.threads[line.tid].lifetime_ns:
        return None
    wakers = Counter[int]()
    for wake in profile.process.wakes:
        if wake.stack == line.stack and not wake.waker_stack and wake.tid != line.tid:
            wakers[wake.tid] += wake.calls
    if not wakers or wakers.total() < LEAST_SHARE * line.calls:
        return None
    tid, _ = wakers.most_common(1)[0]
    with_python = {*(one.tid for one in profile.process.lines if one.stack)}
    with_python |= {one.tid for one in profile.process.cpu_samples if one.stack}
    return None if tid in with_python else (line, tid)


def _moved(peer: str, profile: ProcessProfile) -> tuple[int, int]:
    """Bytes (sent, received)."""
    rows = [one for one in profile.outgoing() if one.peer == peer]
    return sum(one.bytes_out or 0 for one in rows), sum(one.bytes_in or 0 for one in rows)


_TOGETHER = (
    "No rule found a fault: it may have to know of each message before the next one. If not, hand "
    "over many messages before you wait: then the library sends them together, and a round trip is "
    "for all of them (Kafka: produce() in a loop, poll(0) in between, flush() at the end; a "
    "smaller linger.ms only where each is waited for)."
)
