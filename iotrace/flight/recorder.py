# SPDX-License-Identifier: Apache-2.0
"""Keeps the last seconds of a trace, and writes them as a recording when a trigger fires."""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from iotrace.errors import IotraceError
from iotrace.flight.triggers import Triggers
from iotrace.flight.window import Window
from iotrace.privileges.caller import sudo_caller
from iotrace.recording.recording_writer import RecordingWriter
from iotrace.report.model import Report
from iotrace.snapshot.snapshot import Snapshot
from iotrace.timeline.recorded_events import MOST_OPENED, Opened, encode_names
from iotrace.tracing.trace import Trace

_MEMORY_BYTES = 64 << 20
"""Of packed events: 30 s of 65,000 events a second are 11 MB."""


@dataclass(frozen=True, slots=True)
class FlightOptions:
    """``last_ns``: how much is kept; ``after_ns``: how much of that is what followed the trigger.

    ``cool_down_ns``: no other dump so long after one; ``most_dumps``: then no more are written.
    ``directory``: where; ``most_bytes``: of one of them. ``timeline``: with single events.
    """

    directory: Path
    last_ns: int
    after_ns: int
    cool_down_ns: int
    most_dumps: int
    most_bytes: int
    timeline: bool


class FlightRecorder:
    """A sink that writes nothing until a trigger fires."""

    def __init__(
        self, options: FlightOptions, triggers: Triggers, *, keeps_ended: bool = True
    ) -> None:
        """Raises UsageError where nothing could be written: better now than too late.

        ``keeps_ended``: as that of the trace. Without it, a dump has no totals of threads that
        ended an interval or more before it.
        """
        self._keeps_ended = keeps_ended
        self._options = options
        self._triggers = triggers
        self._window = Window(options.last_ns, _MEMORY_BYTES)
        self._samples: deque[Report] = deque()
        self._opened: dict[tuple[int, int], Opened] = {}
        self._history: deque[Opened] = deque(maxlen=MOST_OPENED)
        self._calls: dict[int, str] = {}
        self._streaming = False
        self._reason = ""
        self._at_ns = self._due_ns = self._quiet_until_ns = 0
        self._dump: Report | None = None
        self.dumps: list[Path] = []
        RecordingWriter(self._path("trial"), sudo_caller(), options.most_bytes).abort()

    def tick(self, trace: Trace) -> None:
        """Take the events out of the ring buffer."""
        if not self._options.timeline:
            return
        if not self._streaming:
            self._streaming = True
            self._calls = dict(trace.probes.call_names)
            trace.timeline(True)  # the agent's, others stream already
        now_ns = time.monotonic_ns()
        self._window.add_events(now_ns, trace.packed_events())
        for pid, fd, inode in trace.opened():
            known = self._opened.get((pid, fd))
            if known is None or known.inode != inode:
                self._opened[pid, fd] = Opened(pid, fd, inode, now_ns)
                self._history.append(self._opened[pid, fd])

    def snapshot(self, snapshot: Snapshot, trace: Trace) -> None:
        """Of what a trigger has fired for, the report is made at once: no other may come."""
        self._window.add_snapshot(snapshot)
        self._at_ns = snapshot.at_ns
        if self._reason:
            report = trace.report(self._window.part(snapshot))
            note = f"recorded because of {self._reason}"
            notes = (*report.quality.notes, note, *self._missing_events(snapshot))
            self._dump = replace(report, quality=replace(report.quality, notes=notes))
        if not self._keeps_ended:
            self._window.forget_sums()

    def _missing_events(self, snapshot: Snapshot) -> tuple[str, ...]:
        begins_ns = self._window.dropped_before_ns
        if not begins_ns:
            return ()
        seconds = (snapshot.at_ns - begins_ns) / 1e9
        return (f"the timeline has the last {seconds:.1f} s only: more did not fit into memory",)

    def interval(self, report: Report) -> None:
        """Does it fulfil a condition? Is a dump to be written?"""
        self._samples.append(report)
        while sum(one.duration_ns for one in self._samples) - self._samples[0].duration_ns > (
            self._options.last_ns
        ):
            self._samples.popleft()
        if self._dump is not None and self._at_ns >= self._due_ns:
            self._write(self._dump)
            self._dump, self._reason = None, ""
        now_ns = time.monotonic_ns()
        reason = self._triggers.fired(report)
        ready = not self._reason and now_ns >= self._quiet_until_ns
        if reason and ready and len(self.dumps) < self._options.most_dumps:
            self._reason, self._due_ns = reason, now_ns + self._options.after_ns
            self._quiet_until_ns = self._due_ns + self._options.cool_down_ns

    def finish(self, report: Report) -> None:
        """A trigger that has just fired gets its dump, be it short of what follows."""
        if self._dump is not None:
            self._write(self._dump)
        _say(f"{len(self.dumps)} dumps were written")

    def close(self) -> None:
        """There is nothing half done."""

    def _write(self, report: Report) -> None:
        """The dump; what fails is told, and the recorder goes on."""
        path = self._path(_stamp(report))
        try:
            writer = RecordingWriter(path, sudo_caller(), self._options.most_bytes)
            try:
                for sample in self._samples:
                    writer.add_sample(sample)
                if self._options.timeline:
                    for events in self._window.events():
                        if not writer.add_events(events):
                            break
                    writer.add_names(encode_names(self._calls, tuple(self._history)))
                writer.finish(report)
            finally:
                writer.abort()  # after finish: nothing
        except (IotraceError, OSError) as error:
            _say(f"{path} was not written: {error}")
            return
        self.dumps.append(path)
        _say(f"{self._reason}; written: {path}")

    def _path(self, when: str) -> Path:
        number = f"-{len(self.dumps) + 1}"
        return self._options.directory / f"iotrace-{when}{number}.iot"


def _stamp(report: Report) -> str:
    """When what it tells of began, for a file's name: 20261126-113827."""
    day, _, clock = report.started_at.partition("T")
    return f"{day.replace('-', '')}-{clock[:8].replace(':', '')}"


def _say(what: str) -> None:
    from iotrace.output.text import escape

    sys.stderr.write(f"iotrace: {escape(what)}\n")
    sys.stderr.flush()
