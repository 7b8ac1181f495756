# SPDX-License-Identifier: Apache-2.0
"""Where a report goes: standard output, standard error, or a file of the caller's."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from iotrace.cli.options import Shown
from iotrace.errors import UsageError
from iotrace.output import color
from iotrace.output.formats import ONE_ONLY, check, render
from iotrace.output.view_options import DEFAULT_WIDTH, View
from iotrace.privileges.caller_files import CallerFile, open_as_caller
from iotrace.report.model import Report

if TYPE_CHECKING:  # a report is printed where there is no bcc, too
    from iotrace.snapshot.snapshot import Snapshot
    from iotrace.tracing.trace import Trace


class Printer:
    """Renders in one format to one place. The file is opened at once: better now than too late.

    To be made when privileges were given back: whatever it opens, it opens as the caller.
    """

    def __init__(self, shown: Shown, *, to_stderr: bool = False, intervals: bool = False) -> None:
        """Raises UsageError where the format cannot show that, or the file cannot be written."""
        self._fmt = shown.fmt
        self._view = View(
            top=shown.top,
            sort=shown.sort,
            columns=shown.columns,
            only=shown.only or "",
            all_frames=shown.all_frames,
            by_worker=shown.by == "worker",
        )
        check(self._fmt, self._view)
        if intervals and self._fmt in ONE_ONLY:
            raise UsageError(
                f"{self._fmt} holds one report, and -i prints several.",
                why="Pages one after the other are no page.",
                paste="sudo iotrace record -o x.iot PID && iotrace report x.iot -f html-report",
            )
        self._stream: TextIO = sys.stderr if to_stderr else sys.stdout
        self._file: CallerFile | None = None
        if shown.output is not None:
            self._file = open_as_caller(shown.output, growing=intervals)
            self._stream = self._file.stream
        self._color = color.wanted_here(shown.color, self._stream.isatty())

    def interval(self, report: Report) -> None:
        """Print the report of an interval."""
        self.print(report)

    def snapshot(self, snapshot: Snapshot, trace: Trace) -> None:
        """Only reports are printed."""

    def finish(self, report: Report) -> None:
        """Print the report of the whole trace; nothing comes after it."""
        self.print(report)
        self.commit()

    def tick(self, trace: Trace) -> None:
        """Nothing is printed between intervals."""

    def commit(self) -> None:
        """All is printed: now a file is there. Raises UsageError where it cannot be written."""
        if self._file is not None:
            with self._errors():
                self._file.commit()

    def close(self) -> None:
        """What was not committed leaves no file."""
        if self._file is not None:
            self._file.close()

    def print(self, report: Report) -> None:
        """The report, at once."""
        self.write(self.text(report))

    def text(self, report: Report) -> str:
        """The report as it would be printed."""
        return render(report, self._fmt, self.view())

    def view(self) -> View:
        """What the caller asked for, with the width and the colours of where it goes."""
        return replace(self._view, width=self.width(), color=self._color)

    def width(self) -> int:
        """Columns of the place that it is printed to."""
        if not self._stream.isatty():
            return DEFAULT_WIDTH
        return max(DEFAULT_WIDTH, shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)

    def write(self, text: str) -> None:
        """A text as it is, at once."""
        with self._errors():
            self._stream.write(text if text.endswith("\n") else text + "\n")
            self._stream.flush()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UsageError(
                "The report could not be written.",
                why=f"{os.strerror(error.errno or 0)}.",
                paste="df -h .",
            ) from error
