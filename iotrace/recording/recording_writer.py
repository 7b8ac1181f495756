# SPDX-License-Identifier: Apache-2.0
"""Write a recording while the trace goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from iotrace.errors import UsageError
from iotrace.privileges.caller import Caller
from iotrace.privileges.safe_file import PRIVATE, SafeFile
from iotrace.recording import container
from iotrace.recording.kept_parts import MOST_SAMPLES_BYTES
from iotrace.recording.recording import as_sample
from iotrace.report import big_json
from iotrace.report.codec import to_dict
from iotrace.report.model import Report
from iotrace.timeline.recorded_events import EVENT, MOST_EVENTS

DEFAULT_MAX_BYTES = 256 * 1024 * 1024

# What is left for the report at the end.
_SAMPLES_SHARE = 0.75


class RecordingWriter:
    """Samples one by one, the report at last; then the file is there, not before."""

    def __init__(self, path: Path, caller: Caller | None, max_bytes: int) -> None:
        """Raises UsageError where the file cannot be written."""
        self._file = SafeFile(path, caller, PRIVATE)
        self._digest = hashlib.sha256()
        self._max_bytes = max_bytes
        self._samples_bytes = self._events = 0
        self.samples = 0
        self.left_out = 0
        self._write(container.header())

    @property
    def size_bytes(self) -> int:
        """The file's size so far."""
        return self._file.bytes

    def add_sample(self, interval: Report) -> None:
        """Keep the report of an interval, if there is room for it."""
        text = _encoded(as_sample(interval))
        part = container.part(container.SAMPLE, text)
        self._samples_bytes += len(text)
        too_many = self._samples_bytes > MOST_SAMPLES_BYTES
        if too_many or self._file.bytes + len(part) > self._max_bytes * _SAMPLES_SHARE:
            self.left_out += 1
            return
        self.samples += 1
        self._write(part)

    def add_events(self, packed: bytes) -> bool:
        """Keep events of the timeline; False: there is no room, and they were left out."""
        if not packed:
            return True
        part = container.part(container.EVENTS, packed)
        self._events += len(packed) // EVENT.size
        too_many = self._events > MOST_EVENTS
        if too_many or self._file.bytes + len(part) > self._max_bytes * _SAMPLES_SHARE:
            return False
        self._write(part)
        return True

    def add_names(self, names: bytes) -> None:
        """Keep what the events refer to; there is a timeline then."""
        self._write(container.part(container.NAMES, names))

    def finish(self, report: Report) -> None:
        """Write the report, and let the file appear. Raises UsageError; then it does not."""
        if self.left_out:
            note = (
                f"{self.left_out} of {self.left_out + self.samples} interval samples were left "
                "out of the recording: there is no room for them (--max-size)"
            )
            quality = replace(report.quality, notes=(*report.quality.notes, note))
            report = replace(report, quality=quality)
        part = container.part(container.REPORT, _readable(report))
        end_bytes = len(container.end(self._digest.digest()))
        if self._file.bytes + len(part) + end_bytes > self._max_bytes:
            self.abort()
            raise UsageError(
                f"{self._file.path} would be larger than --max-size.",
                why=f"The report alone takes {len(part):,} bytes.",
                paste="iotrace record --max-size 1G ...",
            )
        self._write(part)
        self._file.write(container.end(self._digest.digest()))
        self._file.commit()

    def abort(self) -> None:
        """Leave nothing behind; after ``finish``: nothing happens."""
        self._file.abort()

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


def _readable(report: Report) -> bytes:
    """The report, without its details where it would be too large to be read."""
    text = _encoded(report)
    try:
        if len(text) > big_json.MOST_BYTES:
            raise big_json.TooLarge(f"it takes {len(text):,} bytes")
        big_json.parse(text)
    except big_json.TooLarge as error:
        note = f"descriptors, command lines and histograms were left out of the recording: {error}"
        quality = replace(report.quality, notes=(*report.quality.notes, note))
        processes = as_sample(report).processes
        text = _encoded(replace(report, processes=processes, quality=quality))
    return text


def _encoded(report: Report) -> bytes:
    return json.dumps(to_dict(report), separators=(",", ":"), allow_nan=False).encode("ascii")
