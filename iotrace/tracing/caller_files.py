"""Files for the user who called sudo: with that user's rights, and no trick of another's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TextIO

from iotrace.errors import UsageError
from iotrace.tracing.caller import acting_as, sudo_caller


def open_as_caller(path: str) -> TextIO:
    """Make or empty a file. Raises UsageError.

    Never through a link; in a directory that others may write to (/tmp), never a file of theirs:
    they could have planted it to read the report, or a pipe to hold us up.
    """
    try:
        with acting_as(sudo_caller()):
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o644)
            try:
                _check(descriptor, path)
            except BaseException:
                os.close(descriptor)
                raise
    except OSError as error:
        number = error.errno or 0
        why = {
            errno.ELOOP: "It is a link, and links are not followed.",
            errno.ENXIO: "It is a pipe that nobody reads.",
            errno.EEXIST: "Another user put it there.",
        }.get(number, f"{os.strerror(number)}.")
        raise UsageError(
            f"{path} cannot be written.", why=why, paste=f"ls -ld {Path(path).parent}"
        ) from error
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def _check(descriptor: int, path: str) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return
    directory = Path(path).absolute().parent.stat()
    shared = directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if shared and status.st_uid != os.geteuid():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    os.ftruncate(descriptor, 0)
