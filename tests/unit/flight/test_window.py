"""What is in memory, and what has left it."""

from __future__ import annotations

import random
import struct

from iotrace.flight.window import Window
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.totals import ThreadKey
from tests.unit.snapshot.test_arithmetic import MAIN, WORKER, thread

S = 1_000_000_000
ENDED = ThreadKey(MAIN.pid, 0, 0)


def _events(second: int, count: int = 20_000) -> bytes:
    return struct.pack("<Q", second) * count


def _seconds(window: Window) -> list[int]:
    words = struct.iter_unpack("<Q", b"".join(window.events()))
    return sorted({second for (second,) in words})


def _filled(seconds: int, length_s: int, most_bytes: int = 1 << 30) -> tuple[Window, Snapshot]:
    window = Window(length_s * S, most_bytes)
    snapshot = Snapshot(0, 0)
    for second in range(1, seconds + 1):
        window.add_events(second * S, _events(second, 40_000))
        snapshot = Snapshot(0, second * S, threads={MAIN: thread(second)})
        window.add_snapshot(snapshot)
    return window, snapshot


def test_the_last_seconds_are_there_and_little_more() -> None:
    window, last = _filled(100, 30)
    part = window.part(last)
    length_s = (part.at_ns - part.from_ns) / S
    assert 30 <= length_s <= 40
    assert part.threads[MAIN].user_ns == thread(int(length_s)).user_ns
    kept = _seconds(window)
    assert kept[-1] == 100
    assert 30 <= len(kept) <= 42


def test_before_the_window_is_full_it_is_all_there_is() -> None:
    window, last = _filled(5, 30)
    assert window.part(last).at_ns - window.part(last).from_ns == 4 * S  # since the first snapshot
    assert _seconds(window) == [1, 2, 3, 4, 5]


def test_events_that_came_last_are_there_before_they_are_packed() -> None:
    window = Window(30 * S, 1 << 30)
    window.add_events(S, _events(1, 3))
    assert _seconds(window) == [1]


def test_too_many_events_cost_the_oldest_and_that_is_known() -> None:
    window = Window(30 * S, 1 << 20)
    dice = random.Random(1)
    for second in range(1, 11):
        window.add_snapshot(Snapshot(0, second * S))
        window.add_events(second * S, dice.randbytes(1 << 19))
    assert sum(map(len, window.events())) <= 1 << 20
    assert window.dropped_before_ns >= 8 * S


def test_threads_that_ended_inside_of_the_window_are_counted_once() -> None:
    """They are added up under another key by then."""
    window = Window(30 * S, 1 << 20)
    window.add_snapshot(Snapshot(0, 0, threads={WORKER: thread(2)}))
    last = Snapshot(0, S, threads={ENDED: thread(5)}, folded={WORKER: ENDED})
    window.add_snapshot(last)
    assert window.part(last).threads[ENDED].user_ns == thread(3).user_ns


def test_of_a_trace_that_forgets_what_has_ended_no_total_falls() -> None:
    window = Window(30 * S, 1 << 30)
    window.add_snapshot(Snapshot(0, S, threads={MAIN: thread(1), WORKER: thread(8)}))
    window.forget_sums()
    # The worker has ended: it is in a sum once, and in none later.
    window.add_snapshot(
        Snapshot(0, 2 * S, threads={MAIN: thread(2), ENDED: thread(9)}, folded={WORKER: ENDED})
    )
    window.forget_sums()
    later = Snapshot(0, 3 * S, threads={MAIN: thread(3), ENDED: thread(1)})
    window.add_snapshot(later)
    part = window.part(later)
    assert part.threads[MAIN].user_ns == thread(3).user_ns - thread(1).user_ns
    assert part.threads[ENDED].user_ns == thread(1).user_ns
