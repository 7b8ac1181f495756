"""What a recording keeps of single events, and what is drawn of them."""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from iotrace.errors import ExitCode, IotraceError
from iotrace.vocabulary.waits import WAIT_REASONS

EVENT = struct.Struct("<QqIIiHH")
"""One event: at_ns, value, pid, tid, fd, kind (EventKind), number of the call (struct event)."""

_NEVER = 2**64 - 1


class BadTimeline(IotraceError):
    """What a recording holds of single events makes no sense, or there is nothing."""

    code = ExitCode.USAGE


class RawEvent(NamedTuple):
    """As it is kept; ``kind``: an EventKind, ``number``: of the system call."""

    at_ns: int
    value: int
    pid: int
    tid: int
    fd: int
    kind: int
    number: int


class Opened(NamedTuple):
    """Descriptor ``fd`` of ``pid`` was found to be this inode at ``at_ns``."""

    pid: int
    fd: int
    inode: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """All events, packed one after the other; names of the calls by number.

    ``reasons``: the reasons to sleep by the number that events have for them.
    """

    packed: bytes | bytearray
    calls: Mapping[int, str] = field(default_factory=dict)
    opened: tuple[Opened, ...] = ()
    reasons: tuple[str, ...] = WAIT_REASONS

    def events(self) -> Iterator[RawEvent]:
        """In the order of time.

        They are nearly so already (each CPU's are), and by the million: only stretches that are
        out of order are put in order, one at a time.
        """
        stretch: list[RawEvent] = []
        latest = -1
        earliest_after = _earliest_after(self.packed)
        for number, event in enumerate(map(RawEvent._make, EVENT.iter_unpack(self.packed))):
            latest = max(latest, event.at_ns)
            if not stretch and event.at_ns < earliest_after[number]:
                yield event
                continue
            stretch.append(event)
            if latest < earliest_after[number]:
                yield from sorted(stretch)
                stretch.clear()


def _earliest_after(packed: bytes | bytearray) -> array[int]:
    """Of each event, when the earliest of those behind it was."""
    times = memoryview(packed).cast("B").cast("Q")[:: EVENT.size // 8]
    earliest = array("Q", bytes(8 * len(times)))
    least = _NEVER
    for number in range(len(times) - 1, -1, -1):
        earliest[number] = least
        least = min(least, times[number])
    return earliest


def encode_names(calls: Mapping[int, str], opened: tuple[Opened, ...]) -> bytes:
    """What the events refer to, as a part of a recording."""
    data = {
        "calls": {str(number): name for number, name in calls.items()},
        "opened": opened,
        "reasons": WAIT_REASONS,
    }
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def decode(
    packed: bytes | bytearray, names: bytes, reasons: tuple[str, ...] = WAIT_REASONS
) -> Timeline:
    """The timeline of these parts. Raises BadTimeline.

    ``reasons``: what they are where the names do not say so, as in older files.
    """
    if len(packed) % EVENT.size:
        raise _senseless("half an event at its end")
    try:
        data = json.loads(names)
        calls = {int(number): str(name) for number, name in data["calls"].items()}
        opened = tuple(Opened(*map(int, row)) for row in data["opened"])
        reasons = tuple(map(str, data.get("reasons", reasons)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _senseless("its names are unreadable") from None
    return Timeline(packed, calls, opened, reasons)


def _senseless(why: str) -> BadTimeline:
    return BadTimeline("this recording's timeline is damaged", why=why, paste="record it again")
