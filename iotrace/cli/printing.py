"""Where a report goes: standard output, standard error, or a file of the caller's."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TextIO

from iotrace.errors import UsageError
from iotrace.output.formats import render
from iotrace.report.model import Report
from iotrace.tracing.caller import acting_as, sudo_caller

_DEFAULT_WIDTH = 80


class Printer:
    """Renders in one format to one place. The file is opened at once: better now than too late."""

    def __init__(
        self, fmt: str, output: str | None, top: int | None, *, to_stderr: bool = False
    ) -> None:
        """Raises UsageError where ``output`` cannot be written."""
        self._fmt = fmt
        self._top = top
        self._stream: TextIO = sys.stderr if to_stderr else sys.stdout
        if output is not None:
            self._stream = _open_as_caller(output)

    def print(self, report: Report) -> None:
        """The whole report."""
        self._write(render(report, self._fmt, width=self._width(), top=self._top))

    def print_interval(self, report: Report) -> None:
        """The report of one interval, at once."""
        self._write(render(report, self._fmt, width=self._width(), top=self._top))
        self._stream.flush()

    def _width(self) -> int:
        if not self._stream.isatty():
            return _DEFAULT_WIDTH
        return max(_DEFAULT_WIDTH, shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text if text.endswith("\n") else text + "\n")
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UsageError(
                "The report could not be written.",
                why=f"{os.strerror(error.errno or 0)}.",
                paste="df -h .",
            ) from error


def _open_as_caller(output: str) -> TextIO:
    """With the rights of the user behind sudo, never through a link."""
    try:
        with acting_as(sudo_caller()):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(output, flags, 0o644)
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written.",
            why=f"{os.strerror(error.errno or 0)}.",
            paste=f"ls -ld {Path(output).parent}",
        ) from error
    return os.fdopen(descriptor, "w", encoding="utf-8")
