# SPDX-License-Identifier: Apache-2.0
"""What a recording keeps of single events, and what is drawn of them."""

from __future__ import annotations

import json
import re
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from iotrace.errors import ExitCode, IotraceError
from iotrace.report import big_json
from iotrace.vocabulary.waits import WAIT_REASONS

EVENT = struct.Struct("<QqIIiHH")
"""One event: at_ns, value, pid, tid, fd, kind (EventKind), number of the call (struct event)."""

MOST_EVENTS = 100_000_000
"""Of a recording: 25 minutes of 65,000 events a second."""
MOST_OPENED = 100_000
"""Descriptors that the events' sockets are looked up in."""
MOST_NAMES_BYTES = 8 * 1024 * 1024

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_NEVER = 2**64 - 1
_BLOCK_BYTES = 8192 * EVENT.size
_MOST_HELD = 131_072
_at_ns = attrgetter("at_ns")


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

    ``packed``: as a whole, or in blocks of whole events.
    ``reasons``: the reasons to sleep by the number that events have for them.
    """

    packed: bytes | bytearray | Iterable[bytes]
    calls: Mapping[int, str] = field(default_factory=dict)
    opened: tuple[Opened, ...] = ()
    reasons: tuple[str, ...] = WAIT_REASONS

    def events(self) -> Iterator[RawEvent]:
        """In the order of time. Raises BadTimeline where they are in no order at all.

        They are nearly so already (each CPU's are), and by the million: a block is put in order at
        a time, and what is later than something in a later block is held back until then.
        """
        earliest = self._earliest_after()
        held: list[RawEvent] = []
        for number, block in enumerate(self._blocks()):
            held.extend(map(RawEvent._make, EVENT.iter_unpack(block)))
            held.sort()
            ready = bisect_left(held, earliest[number], key=_at_ns)
            yield from held[:ready]
            del held[:ready]
            if len(held) > _MOST_HELD:
                raise _senseless(f"more than {_MOST_HELD:,} events are out of order")
        yield from held

    def _blocks(self) -> Iterator[bytes | bytearray]:
        if not isinstance(self.packed, bytes | bytearray):
            yield from self.packed
            return
        for at in range(0, len(self.packed), _BLOCK_BYTES):
            yield self.packed[at : at + _BLOCK_BYTES]

    def _earliest_after(self) -> array[int]:
        """Of each block, when the earliest event of those behind it was."""
        earliest = array("Q")
        for block in self._blocks():
            earliest.append(min(memoryview(block).cast("B").cast("Q")[:: EVENT.size // 8]))
        least = _NEVER
        for number in range(len(earliest) - 1, -1, -1):
            earliest[number], least = least, min(least, earliest[number])
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
    packed: bytes | bytearray | Iterable[bytes],
    names: bytes,
    reasons: tuple[str, ...] = WAIT_REASONS,
) -> Timeline:
    """The timeline of these parts. Raises BadTimeline.

    ``reasons``: what they are where the names do not say so, as in older files.
    """
    if isinstance(packed, bytes | bytearray) and len(packed) % EVENT.size:
        raise _senseless("half an event at its end")
    try:
        data = big_json.parse(names)
        calls = {int(number): _word(name) for number, name in data["calls"].items()}
        opened = tuple(Opened(*map(int, row)) for row in islice(data["opened"], MOST_OPENED + 1))
        reasons = tuple(map(_word, islice(data.get("reasons", reasons), 99)))
    except big_json.TooLarge as error:
        raise _senseless(f"of its names, {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _senseless("its names are unreadable") from None
    if len(opened) > MOST_OPENED:
        raise _senseless(f"it names more than {MOST_OPENED:,} descriptors")
    return Timeline(packed, calls, opened, reasons)


def _word(name: object) -> str:
    """A name that the export repeats as it is. Raises ValueError for what names no call."""
    if not isinstance(name, str) or not _WORD.fullmatch(name):
        raise ValueError(name)
    return name


def _senseless(why: str) -> BadTimeline:
    return BadTimeline("this recording's timeline is damaged", why=why, paste="record it again")
