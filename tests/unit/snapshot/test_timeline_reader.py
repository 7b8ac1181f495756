"""Events of the ring buffer, taken at once or kept until somebody asks."""

from __future__ import annotations

import struct
import types
from typing import Any

from iotrace.snapshot.timeline import TimelineReader
from iotrace.vocabulary.events import EventKind


def _event(at_ns: int) -> bytes:
    return struct.pack("<QqIIiHH", at_ns, 0, 7, 7, -1, EventKind.WAKE, 0)


class _Ring:
    """Gives back what it has, once."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def records(self) -> list[bytes]:
        taken, self.waiting = self.waiting, []
        return taken

    def close(self) -> None:
        """Nothing."""


def _reader(ring: _Ring) -> TimelineReader:
    probes: Any = types.SimpleNamespace(ring=lambda name: ring, call_names={})
    return TimelineReader(probes)


def test_what_was_kept_comes_first_and_once() -> None:
    ring = _Ring()
    reader = _reader(ring)
    ring.waiting = [_event(1), _event(2)]
    reader.keep()
    assert not ring.waiting
    ring.waiting = [_event(3)]
    assert reader.take_packed() == _event(1) + _event(2) + _event(3)
    assert reader.take_packed() == b""


def test_kept_events_are_sorted_among_the_others() -> None:
    ring = _Ring()
    reader = _reader(ring)
    ring.waiting = [_event(5)]
    reader.keep()
    ring.waiting = [_event(4)]
    assert [event.at_ns for event in reader.take()] == [4, 5]


def test_no_more_is_kept_than_memory_allows(monkeypatch: Any) -> None:
    monkeypatch.setattr("iotrace.snapshot.timeline._MOST_KEPT", 1)
    ring = _Ring()
    reader = _reader(ring)
    ring.waiting = [_event(1)]
    reader.keep()
    ring.waiting = [_event(2)]
    reader.keep()
    assert ring.waiting == [_event(2)], "the kernel counts what has no room there"
