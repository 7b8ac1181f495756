# SPDX-License-Identifier: Apache-2.0
"""A file that is there whole or not at all.

It is written under another name in the same directory, synced, and renamed at last (man
rename(2): there is no moment at which the name is missing or leads to a half-written file).
What is there already is replaced and never opened, so that nobody who has it open sees the new
contents, and other names of it (hard links) keep the old ones.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from iotrace.errors import UsageError
from iotrace.privileges.caller import Caller, acting_as
from iotrace.privileges.output_place import Place, find_place

PRIVATE = 0o600
"""The mode of what holds more than its reader asked for: recordings."""
PUBLIC = 0o644
"""The mode, less the umask, of what was asked for as a text."""

_PASTE = "df -h . && ls -ld ."


class SafeFile:
    """Opened at once, so that what cannot be written is known before anything is traced."""

    def __init__(self, path: Path, caller: Caller | None, mode: int = PUBLIC) -> None:
        """``caller``: whose rights are used and whose file it will be; None: our own.

        A file that is replaced hands down its mode if that gives others less than ``mode``.
        Raises UsageError where it cannot be written, where the name is taken by something that is
        no file (a link, a device, a directory), or where another user put a file or a link of the
        path there.
        """
        self.path = path
        self.bytes = 0
        self._caller = caller
        self._descriptor: int | None = None
        self._temporary = f".{path.name[:200]}.{secrets.token_hex(8)}.tmp"
        with self._errors(), acting_as(caller):
            # Whatever happens to the path's directories from here on, this is the one.
            self._place = find_place(path)
            try:
                found = _require_file_or_nothing(self._place)
                if found is not None:
                    mode &= stat.S_IMODE(found.st_mode)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(
                    self._temporary, flags, mode | stat.S_IWUSR, dir_fd=self._place.directory
                )
            except BaseException:
                os.close(self._place.directory)
                raise

    def write(self, data: bytes) -> None:
        """Append. Raises UsageError (disk full, quota...); the file is given up then."""
        assert self._descriptor is not None
        with self._errors():
            view = memoryview(data)
            while view:
                written = os.write(self._descriptor, view)
                view = view[written:]
        self.bytes += len(data)

    def stream(self) -> TextIO:
        """The file as a stream of text, to be closed by the caller; also after ``commit``."""
        assert self._descriptor is not None
        return os.fdopen(os.dup(self._descriptor), "w", encoding="utf-8")

    def commit(self) -> None:
        """Let the name lead to the file. Raises UsageError; then nothing has changed."""
        assert self._descriptor is not None
        directory = self._place.directory
        with self._errors(), acting_as(self._caller):
            os.fsync(self._descriptor)
            _require_file_or_nothing(self._place)
            os.rename(self._temporary, self._place.name, src_dir_fd=directory, dst_dir_fd=directory)
            _sync(directory)
        self._release()

    def abort(self) -> None:
        """Leave nothing behind; after ``commit``: nothing happens."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError), acting_as(self._caller):
            os.unlink(self._temporary, dir_fd=self._place.directory)
        self._release()

    def _release(self) -> None:
        assert self._descriptor is not None
        os.close(self._descriptor)
        os.close(self._place.directory)
        self._descriptor = None

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.abort()
            raise UsageError(
                f"{self.path} cannot be written.",
                why=f"{os.strerror(error.errno or 0)}.",
                paste=_PASTE,
            ) from error


def _require_file_or_nothing(place: Place) -> os.stat_result | None:
    found = place.look()
    if found is None:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(
            f"{place.path} is no file.",
            why="A link, a pipe, a device or a directory is not replaced by a file.",
            paste=f"ls -ld {place.path.parent}",
        )
    place.require_own(found)
    return found


def _sync(directory: int) -> None:
    """Let the name outlast a power failure; a directory that cannot be read cannot be synced."""
    with contextlib.suppress(OSError):
        readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
        try:
            os.fsync(readable)
        finally:
            os.close(readable)
