"""A file that is there whole or not at all.

It is written under another name in the same directory, synced, and renamed at last (man
rename(2): there is no moment at which the name is missing or leads to a half-written file).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from iotrace.errors import UsageError
from iotrace.tracing.caller import Caller, acting_as

_PASTE = "df -h . && ls -ld ."


class SafeFile:
    """Opened at once, so that what cannot be written is known before anything is traced."""

    def __init__(self, path: Path, caller: Caller | None) -> None:
        """``caller``: whose rights are used and whose file it will be; None: our own.

        Raises UsageError where it cannot be written, or where the name is taken by something
        that is no file: a link (somebody may have planted it), a device, a directory.
        """
        self.path = path
        self.bytes = 0
        self._caller = caller
        self._descriptor: int | None = None
        self._temporary = f".{path.name[:200]}.{secrets.token_hex(8)}.tmp"
        with self._errors(), acting_as(caller):
            # Whatever happens to the path's directories from here on, this is the one.
            self._directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._check_target()
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self._temporary, flags, 0o644, dir_fd=self._directory)
            except BaseException:
                os.close(self._directory)
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

    def commit(self) -> None:
        """Let the name lead to the whole file. Raises UsageError; then nothing has changed."""
        assert self._descriptor is not None
        with self._errors(), acting_as(self._caller):
            os.fsync(self._descriptor)
            self._check_target()
            os.rename(
                self._temporary,
                self.path.name,
                src_dir_fd=self._directory,
                dst_dir_fd=self._directory,
            )
            os.fsync(self._directory)
        self._release()

    def abort(self) -> None:
        """Leave nothing behind; after ``commit``: nothing happens."""
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError), acting_as(self._caller):
            os.unlink(self._temporary, dir_fd=self._directory)
        self._release()

    def _check_target(self) -> None:
        try:
            found = os.stat(self.path.name, dir_fd=self._directory, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(
                f"{self.path} is no file.",
                why="A link, a device or a directory is not replaced by a recording.",
                paste=f"ls -ld {self.path.parent}",
            )

    def _release(self) -> None:
        assert self._descriptor is not None
        os.close(self._descriptor)
        os.close(self._directory)
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
