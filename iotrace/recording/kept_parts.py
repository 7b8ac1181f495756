# SPDX-License-Identifier: Apache-2.0
"""Parts of a recording that are unpacked as they are gone through: samples and events.

So a reader's memory holds them packed, and one sample or a block of events beside that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from iotrace.recording.container import BadRecording, Part
from iotrace.report import big_json, codec
from iotrace.report.codec import BadReport
from iotrace.report.model import Report
from iotrace.timeline.recorded_events import EVENT, MOST_EVENTS, BadTimeline

MOST_SAMPLES_BYTES = 512 * 1024 * 1024
"""Of all samples' JSON together."""

_BLOCK_BYTES = 8192 * EVENT.size


def report_json(part: Part) -> bytes:
    """The JSON of a report or a sample. Raises BadRecording."""
    if part.plain_bytes > big_json.MOST_BYTES:
        raise too_large(f"a report of more than {big_json.MOST_BYTES >> 20} MiB of JSON")
    return part.plain()


def too_large(what: str) -> BadRecording:
    """The error for what is whole, and more than is read."""
    return BadRecording("this recording is too large to be read", why=f"it holds {what}")


class KeptSamples(Sequence[Report]):
    """The samples, each decoded anew when it is asked for.

    Raises BadRecording and BadReport then, naming the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: list[Part] = []
        self._bytes = 0

    def keep(self, part: Part) -> None:
        """One more. Raises BadRecording where they are too many."""
        self._bytes += part.plain_bytes
        if self._bytes > MOST_SAMPLES_BYTES:
            raise too_large(f"samples of more than {MOST_SAMPLES_BYTES >> 20} MiB of JSON")
        self._parts.append(part)

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, at: int) -> Report: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Report]: ...
    def __getitem__(self, at: int | slice) -> Report | Sequence[Report]:
        if isinstance(at, slice):
            return tuple(map(self._decoded, self._parts[at]))
        return self._decoded(self._parts[at])

    def __iter__(self) -> Iterator[Report]:
        return map(self._decoded, self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def _decoded(self, part: Part) -> Report:
        try:
            return codec.loads(report_json(part))
        except (BadRecording, BadReport) as error:
            raise type(error)(f"{self._path}: {error.what}", why=error.why) from None


class KeptEvents:
    """The events of a timeline, packed one after the other; iterating gives blocks of whole ones.

    Its length is that of all blocks, in bytes.
    """

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._bytes = 0
        self._packed_bytes = 0

    def keep(self, part: Part) -> None:
        """One more part of them. Raises BadRecording where they are too many."""
        self._bytes += part.plain_bytes
        self._packed_bytes += len(part.packed)
        events = self._bytes // EVENT.size
        if events > MOST_EVENTS:
            raise too_large(f"more than {MOST_EVENTS:,} events")
        # The low bytes of a time cannot be guessed from the one before: an event takes 3 or more.
        if events > self._packed_bytes + _BLOCK_BYTES:
            raise too_large(f"{events:,} events in {self._packed_bytes:,} bytes")
        if part.plain_bytes % EVENT.size:
            raise BadTimeline(
                "this recording's timeline is damaged",
                why="half an event at its end",
                paste="record it again",
            )
        self._parts.append(part)

    def check(self) -> None:
        """Unpack all of them once. Raises BadRecording."""
        for _ in self:
            pass

    def __len__(self) -> int:
        return self._bytes

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            yield from part.blocks(_BLOCK_BYTES)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, KeptEvents):
            other = b"".join(other)
        return b"".join(self) == other

    __hash__ = None  # type: ignore[assignment]
