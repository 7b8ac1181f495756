# SPDX-License-Identifier: Apache-2.0
"""The sink of ``record``: a recording."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from pathlib import Path

import click

from iotrace.output import units
from iotrace.output.text import escape
from iotrace.privileges.caller import sudo_caller
from iotrace.recording.recording_writer import RecordingWriter
from iotrace.report.model import Report
from iotrace.snapshot.snapshot import Snapshot
from iotrace.timeline.recorded_events import EVENT, MOST_OPENED, Opened, encode_names
from iotrace.tracing.trace import Trace

TIMELINE_PAGES = 4096
"""Of the ring buffer: 16 MiB hold a second of 400,000 events."""


class Recorder:
    """Interval reports become samples; the file appears when the trace is over."""

    def __init__(self, output: str, max_bytes: int, *, timeline: bool) -> None:
        """Raises UsageError where the file cannot be written."""
        self._output = output
        self._writer = RecordingWriter(Path(output), sudo_caller(), max_bytes)
        self._timeline = timeline
        self._began_ns: int | None = None
        self._ended_ns: int | None = None
        self._events = 0
        self._opened: dict[tuple[int, int], Opened] = {}
        self._history: list[Opened] = []
        self._calls: dict[int, str] = {}

    def interval(self, report: Report) -> None:
        """Keep it as a sample."""
        self._writer.add_sample(report)

    def tick(self, trace: Trace) -> None:
        """Move the events from the ring buffer into the file."""
        if not self._timeline or self._ended_ns is not None:
            return
        if self._began_ns is None:
            self._began_ns = trace.started_ns
            self._calls = dict(trace.probes.call_names)
        packed = trace.packed_events()
        self._look(trace)
        if self._writer.add_events(packed):
            self._events += len(packed) // EVENT.size
        else:
            trace.timeline(False)
            self._ended_ns = time.monotonic_ns()

    def snapshot(self, snapshot: Snapshot, trace: Trace) -> None:
        """Only reports are kept."""

    def finish(self, report: Report) -> None:
        """Let the file appear, and say so on standard error."""
        if self._timeline:
            self._writer.add_names(encode_names(self._calls, tuple(self._history)))
        if self._began_ns is not None and self._ended_ns is not None:
            lasted = units.format_duration(self._ended_ns - self._began_ns)
            note = f"the timeline ends after {lasted}: --max-size has no room for more"
            quality = replace(report.quality, notes=(*report.quality.notes, note))
            report = replace(report, quality=quality)
        self._writer.finish(report)
        parts = [
            units.format_duration(report.duration_ns),
            units.plural(self._writer.samples, "sample"),
            *([units.plural(self._events, "event")] if self._timeline else []),
            units.format_size(self._writer.size_bytes),
        ]
        file = escape(shlex.quote(self._output))
        click.echo(f"recorded {', '.join(parts)}; to see it: iotrace report {file}", err=True)

    def close(self) -> None:
        """A recording that was not finished leaves no file."""
        self._writer.abort()

    def _look(self, trace: Trace) -> None:
        """Note which descriptors have become others since the last look at them."""
        now = time.monotonic_ns()
        for pid, fd, inode in trace.opened():
            known = self._opened.get((pid, fd))
            if len(self._history) == MOST_OPENED:
                return  # of later ones the arrows are missing
            if known is None or known.inode != inode:
                self._opened[pid, fd] = Opened(pid, fd, inode, now)
                self._history.append(self._opened[pid, fd])
