# SPDX-License-Identifier: Apache-2.0
"""The one family of errors: what happened, why, what to paste, and the exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command (``run`` returns its child's own)."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    PERMISSION = 3
    NO_PROCESS = 4
    UNSUPPORTED = 5
    INCOMPLETE = 6
    FAIL_ON = 10


class IotraceError(Exception):
    """Something that a user can act on.

    ``what`` is the symptom in one line, ``why`` its cause, ``paste`` the line that fixes it.
    The command line prints the three and exits with ``code``; nothing else is printed.
    ``details`` (a compiler's words, say) are for ``-v`` only.
    """

    code: ExitCode = ExitCode.UNEXPECTED

    def __init__(self, what: str, *, why: str = "", paste: str = "", details: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.paste = paste
        self.details = details


class UsageError(IotraceError):
    """The command line asks for something that cannot be."""

    code = ExitCode.USAGE


class PermissionDenied(IotraceError):
    """The caller lacks a privilege."""

    code = ExitCode.PERMISSION


class NoSuchProcess(IotraceError):
    """The process is not there, or ended before anything was seen."""

    code = ExitCode.NO_PROCESS


class Unsupported(IotraceError):
    """This kernel, or its bcc, cannot do it."""

    code = ExitCode.UNSUPPORTED
