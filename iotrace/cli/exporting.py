"""Export a recording's timeline to a file."""

from __future__ import annotations

import sys
from pathlib import Path

from iotrace.cli.options import Shown
from iotrace.errors import UsageError
from iotrace.output.text import escape
from iotrace.recording.model import Recording
from iotrace.recording.safe_file import SafeFile
from iotrace.report.model import Report
from iotrace.timeline import chrome, perfetto
from iotrace.timeline.model import BadTimeline
from iotrace.timeline.tracks import tracks_of
from iotrace.tracing.caller import sudo_caller


def export(recording: Recording, shown: Shown) -> None:
    """Write it as ``shown.fmt`` to ``shown.output``, or to a standard output that is a pipe.

    Raises BadTimeline where nothing was recorded, UsageError where it cannot be written.
    """
    if recording.timeline is None:
        raise BadTimeline(
            "this recording has no timeline",
            why="it was recorded without --timeline",
            paste="sudo iotrace record --timeline -o FILE PID",
        )
    if shown.output is None and sys.stdout.isatty():
        raise UsageError(
            "A timeline is no text for a terminal.",
            why="It is a file for ui.perfetto.dev.",
            paste=f"iotrace report FILE -f {shown.fmt} -o timeline.{shown.fmt}",
        )
    tracks, names = tracks_of(recording.timeline), _names(recording.report)
    if shown.fmt == "chrome":
        data = chrome.render(tracks, names).encode("utf-8")
    else:
        data = perfetto.render(tracks, names)
    if shown.output is None:
        sys.stdout.buffer.write(data)
        return
    file = SafeFile(Path(shown.output), sudo_caller())
    file.write(data)
    file.commit()


def _names(report: Report) -> dict[int, str]:
    """Processes and threads by number; the first thread has the number of its process."""
    names = {}
    for process in report.processes:
        for thread in process.threads:
            names[thread.tid] = escape(thread.name)
        names[process.pid] = escape(process.name)
    return names
