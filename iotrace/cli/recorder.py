"""The sink of ``record``: a recording."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from iotrace.output import units
from iotrace.output.text import escape
from iotrace.recording.writer import RecordingWriter
from iotrace.report.model import Report
from iotrace.tracing.caller import sudo_caller


class Recorder:
    """Interval reports become samples; the file appears when the trace is over."""

    def __init__(self, output: str, max_bytes: int) -> None:
        """Raises UsageError where the file cannot be written."""
        self._output = output
        self._writer = RecordingWriter(Path(output), sudo_caller(), max_bytes)

    def interval(self, report: Report) -> None:
        """Keep it as a sample."""
        self._writer.add_sample(report)

    def finish(self, report: Report) -> None:
        """Let the file appear, and say so on standard error."""
        self._writer.finish(report)
        said = (
            f"{units.format_duration(report.duration_ns)}, "
            f"{units.plural(self._writer.samples, 'sample')}, "
            f"{units.format_size(self._writer.size_bytes)}"
        )
        file = escape(shlex.quote(self._output))
        click.echo(f"recorded {said}; to see it: iotrace report {file}", err=True)

    def close(self) -> None:
        """A recording that was not finished leaves no file."""
        self._writer.abort()
