"""What a recording keeps of single events, and what is drawn of them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from iotrace.errors import ExitCode, IotraceError

EVENT = struct.Struct("<QqIIiHH")
"""One event: at_ns, value, pid, tid, fd, kind (EventKind), number of the call (struct event)."""


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
    """All events, packed one after the other; names of the calls by number."""

    packed: bytes
    calls: Mapping[int, str] = field(default_factory=dict)
    opened: tuple[Opened, ...] = ()

    def events(self) -> Iterator[RawEvent]:
        """In the order of time."""
        return iter(sorted(map(RawEvent._make, EVENT.iter_unpack(self.packed))))


def encode_names(calls: Mapping[int, str], opened: tuple[Opened, ...]) -> bytes:
    """What the events refer to, as a part of a recording."""
    data = {"calls": {str(number): name for number, name in calls.items()}, "opened": opened}
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def decode(packed: bytes, names: bytes) -> Timeline:
    """The timeline of these parts. Raises BadTimeline."""
    if len(packed) % EVENT.size:
        raise _senseless("half an event at its end")
    try:
        data = json.loads(names)
        calls = {int(number): str(name) for number, name in data["calls"].items()}
        opened = tuple(Opened(*map(int, row)) for row in data["opened"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _senseless("its names are unreadable") from None
    return Timeline(packed, calls, opened)


def _senseless(why: str) -> BadTimeline:
    return BadTimeline("this recording's timeline is damaged", why=why, paste="record it again")
