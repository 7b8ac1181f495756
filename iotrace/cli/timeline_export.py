# SPDX-License-Identifier: Apache-2.0
"""Export a recording's timeline to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from iotrace.cli.options import Shown
from iotrace.errors import UsageError
from iotrace.output.text import escape
from iotrace.privileges.caller import sudo_caller
from iotrace.privileges.safe_file import SafeFile
from iotrace.recording.recording import Recording
from iotrace.report.model import Report
from iotrace.timeline import chrome, perfetto
from iotrace.timeline.recorded_events import BadTimeline
from iotrace.timeline.tracks import drawn

_BLOCK = 1 << 20


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
    things, names = drawn(recording.timeline), _names(recording.report)
    pieces: Iterator[bytes]
    if shown.fmt == "chrome":
        pieces = map(str.encode, chrome.render(things, names))
    else:
        pieces = perfetto.render(things, names)
    if shown.output is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    file = SafeFile(Path(shown.output), sudo_caller())
    try:
        for block in _blocks(pieces):
            file.write(block)
        file.commit()
    finally:
        file.abort()


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Many small pieces as few large ones."""
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) > _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _names(report: Report) -> dict[int, str]:
    """Processes and threads by number; the first thread has the number of its process."""
    names = {}
    for process in report.processes:
        for thread in process.threads:
            names[thread.tid] = escape(thread.name)
        names[process.pid] = escape(process.name)
    return names
