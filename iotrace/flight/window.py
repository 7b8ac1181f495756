# SPDX-License-Identifier: Apache-2.0
"""What a flight recorder keeps in memory: events and totals of the last seconds."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator

from iotrace.snapshot.arithmetic import fold, interval, without_sums
from iotrace.snapshot.snapshot import Snapshot

_LEVEL = 1
_LEAST_BYTES = 1 << 18
"""Smaller pieces are packed together."""


class Window:
    """Holds ``length_ns`` at least, and a third of it more at most.

    ``most_bytes``: of packed events; the oldest go when there are more.
    """

    def __init__(self, length_ns: int, most_bytes: int) -> None:
        self._length_ns = length_ns
        self._most_bytes = most_bytes
        self._snapshots: deque[Snapshot] = deque()
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._loose: list[bytes] = []
        self._loose_bytes = self._packed_bytes = 0
        self.dropped_before_ns = 0
        """Events before this time had no room; 0: all are there."""

    def add_events(self, now_ns: int, events: bytes) -> None:
        """Events that came up to now."""
        if not events:
            return
        self._loose.append(events)
        self._loose_bytes += len(events)
        if self._loose_bytes >= _LEAST_BYTES:
            self._pack(now_ns)

    def _pack(self, now_ns: int) -> None:
        packed = zlib.compress(b"".join(self._loose), _LEVEL)
        self._loose.clear()
        self._loose_bytes = 0
        self._pieces.append((now_ns, packed))
        self._packed_bytes += len(packed)
        while self._pieces and self._packed_bytes > self._most_bytes:
            self.dropped_before_ns, gone = self._pieces.popleft()
            self._packed_bytes -= len(gone)

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """The totals up to now; those that are too old go."""
        # Threads that have ended since are added up in later snapshots, so in earlier ones too.
        self._snapshots = deque(fold(one, snapshot.folded) for one in self._snapshots)
        oldest_ns = snapshot.at_ns - self._length_ns
        while len(self._snapshots) > 1 and self._snapshots[1].at_ns <= oldest_ns:
            self._snapshots.popleft()
        if not self._snapshots or self._is_due(snapshot):
            self._snapshots.append(snapshot)
        begins_ns = self._snapshots[0].at_ns
        while self._pieces and self._pieces[0][0] < begins_ns:
            self._packed_bytes -= len(self._pieces.popleft()[1])
        if self.dropped_before_ns < begins_ns:
            self.dropped_before_ns = 0

    def _is_due(self, snapshot: Snapshot) -> bool:
        """Few are kept: each holds the totals of all threads."""
        return snapshot.at_ns - self._snapshots[-1].at_ns >= self._length_ns // 3

    def forget_sums(self) -> None:
        """Of a trace without an end, which forgets what has ended: so do earlier snapshots."""
        self._snapshots = deque(map(without_sums, self._snapshots))

    def part(self, snapshot: Snapshot) -> Snapshot:
        """What happened from the beginning of the window to this snapshot, the last one added."""
        first = self._snapshots[0]
        return snapshot if first is snapshot else interval(snapshot, first)

    def events(self) -> Iterator[bytes]:
        """Those of the window, piece by piece."""
        for _, packed in self._pieces:
            yield zlib.decompress(packed)
        yield from self._loose
