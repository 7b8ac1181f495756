# SPDX-License-Identifier: Apache-2.0
"""Files for the user who called sudo: with that user's rights, and no trick of another's."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TextIO

from iotrace.errors import UsageError
from iotrace.privileges.caller import acting_as, sudo_caller
from iotrace.privileges.output_place import Place, find_place, kind_that_is_no_file
from iotrace.privileges.safe_file import SafeFile

_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_WHY = {
    errno.ELOOP: "It is a link, and links are not followed.",
    errno.ENXIO: "It is a pipe that nobody reads.",
}


class CallerFile:
    """What a report is printed to: a file, a pipe, /dev/null."""

    def __init__(self, stream: TextIO, whole: SafeFile | None = None) -> None:
        self.stream = stream
        self._whole = whole

    def commit(self) -> None:
        """All is written: now the file is there. Raises UsageError."""
        self.stream.flush()
        if self._whole is not None:
            self._whole.commit()

    def close(self) -> None:
        """What was not committed leaves no file."""
        with contextlib.suppress(OSError):
            self.stream.close()
        if self._whole is not None:
            self._whole.abort()


def open_as_caller(name: str, *, growing: bool = False) -> CallerFile:
    """Make a file or replace one. Raises UsageError.

    ``growing``: the file is there from the beginning, for one who reads the reports of intervals
    as they come; else it is there when it is whole. Where no file can be made beside one that can
    be written (a directory that is not ours to write to, a file that is a mount point), that one
    is emptied and written.
    Never through a link, never to a pipe or a file that another user can have put there.
    """
    path = Path(name)
    try:
        with acting_as(sudo_caller()):
            stream = _open_in_place(path)
        if stream is not None:
            return CallerFile(stream)
    except OSError as error:
        number = error.errno or 0
        raise UsageError(
            f"{name} cannot be written.",
            why=_WHY.get(number, f"{os.strerror(number)}."),
            paste=f"ls -ld {path.parent}",
        ) from error
    file = SafeFile(path, sudo_caller())
    stream = file.stream()
    if growing:
        file.commit()
        return CallerFile(stream)
    return CallerFile(stream, file)


def _open_in_place(path: Path) -> TextIO | None:
    """What cannot be replaced by a file; None: nothing, or a file that can be."""
    place = find_place(path)
    try:
        found = place.look()
        if found is None or _can_be_replaced(place, found):
            return None
        _check(place, found)
        descriptor = os.open(place.name, _WRITE, dir_fd=place.directory)
        try:
            opened = os.fstat(descriptor)
            _check(place, opened)  # what was looked at may have been replaced
            if stat.S_ISREG(opened.st_mode):
                os.ftruncate(descriptor, 0)
            os.set_blocking(descriptor, True)
            return os.fdopen(descriptor, "w", encoding="utf-8")
        except BaseException:
            os.close(descriptor)
            raise
    finally:
        os.close(place.directory)


def _check(place: Place, found: os.stat_result) -> None:
    why = kind_that_is_no_file(found)
    if why is not None:
        raise place.refusal(why)
    place.require_own(found)


def _can_be_replaced(place: Place, found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    return os.access(
        ".", os.W_OK | os.X_OK, dir_fd=place.directory, effective_ids=True
    ) and not _is_mount_point(place)


def _is_mount_point(place: Place) -> bool:
    descriptor = os.open(place.name, os.O_PATH | os.O_NOFOLLOW, dir_fd=place.directory)
    try:
        return _mount_of(descriptor) != _mount_of(place.directory)
    finally:
        os.close(descriptor)


def _mount_of(descriptor: int) -> str:
    """The id of the mount that a descriptor lies in (man proc_pid_fdinfo(5))."""
    try:
        info = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    except OSError:
        return ""  # no /proc; before Linux 5.14 it is closed to a process that was root's
    return next(line for line in info.splitlines() if line.startswith("mnt_id:"))
