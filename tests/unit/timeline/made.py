"""Events made by hand, and at random."""

from __future__ import annotations

import random

from iotrace.timeline.recorded_events import EVENT, Opened, Timeline
from iotrace.timeline.tracks import (
    COPY,
    ENTER,
    EXIT,
    PREEMPT,
    READY,
    RUN,
    SIGNAL,
    SLEEP,
    WAKE,
)
from iotrace.vocabulary.waits import WAIT_REASONS

CALLS = {45: "recvfrom", 44: "sendto", 232: "epoll_wait"}
RECV = WAIT_REASONS.index("recv")


def packed(*events: tuple[int, int, int, int, int, int, int]) -> bytes:
    """(at_ns, value, pid, tid, fd, kind, number) each."""
    return b"".join(EVENT.pack(*event) for event in events)


def blocking_read(at: int = 1_000, pid: int = 7, tid: int = 7, fd: int = 3) -> Timeline:
    """A thread sleeps in recvfrom; data arrives; it wakes, gets a CPU, copies, returns."""
    return Timeline(
        packed(
            (at, 65_536, pid, tid, fd, ENTER, 45),
            (at + 100, RECV, pid, tid, fd, SLEEP, 45),
            (at + 5_000, 99, 0, 0, -1, READY, 0xFFFF),
            (at + 5_100, 0, pid, tid, fd, WAKE, 45),
            (at + 5_600, 0, pid, tid, fd, RUN, 45),
            (at + 5_700, 0, pid, tid, fd, COPY, 45),
            (at + 5_900, 1_000, pid, tid, fd, EXIT, 45),
            (at + 7_000, 0, pid, tid, -1, PREEMPT, 0xFFFF),
            (at + 8_000, 0, pid, tid, -1, RUN, 0xFFFF),
            (at + 9_000, 10, pid, tid, -1, SIGNAL, 0xFFFF),
        ),
        CALLS,
        (Opened(pid, fd, 99, at - 500),),
    )


def random_timeline(seed: int, events: int = 997) -> Timeline:
    """Any event after any other, as after drops; several at the same moment."""
    dice = random.Random(seed)
    at = 10**9
    rows = []
    for _ in range(events):
        at += dice.choice((0, 0, 1, 7, 1_000, 10**6))
        kind = dice.randint(1, 11)
        tid = 0 if kind == READY else dice.choice((7, 8, 9))
        value = dice.choice((99, 98, 3, -11, 2**40)) if kind != SLEEP else dice.randrange(20)
        rows.append((at, value, 7, tid, dice.choice((-1, 3, 4)), kind, dice.choice((45, 44, 1))))
    dice.shuffle(rows)
    opened = (Opened(7, 3, 99, 0), Opened(7, 4, 98, 0), Opened(7, 4, 97, 10**9 + 10**8))
    return Timeline(packed(*rows), CALLS, opened)
