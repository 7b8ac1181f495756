# SPDX-License-Identifier: Apache-2.0
"""Where an output file goes: its directory, found without a detour that another user planted.

The kernel follows any link in a path, fs.protected_symlinks only guards sticky directories, and
neither looks at the owner of a directory. So the path is walked component by component.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from iotrace.errors import UsageError

_MOST_LINKS = 40  # as in the kernel, fs/namei.c: MAXSYMLINKS
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

_KINDS = (
    (stat.S_ISLNK, "It is a link, and links are not followed."),
    (stat.S_ISDIR, "It is a directory."),
    (stat.S_ISBLK, "It is a block device."),
    (stat.S_ISSOCK, "It is a socket."),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a directory. ``directory`` is an O_PATH descriptor; whoever asked closes it.

    ``guarded``: nobody but this user and root can put something there.
    """

    path: Path
    directory: int
    name: str
    guarded: bool

    def look(self) -> os.stat_result | None:
        """What is there already, not followed if it is a link. Raises OSError."""
        try:
            return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def require_own(self, found: os.stat_result) -> None:
        """Refuse what another user put there. Raises UsageError."""
        if stat.S_ISFIFO(found.st_mode) and not is_ours(found):
            raise self.refusal("It is a pipe of another user, who would read what is written.")
        if self.guarded:
            return
        if found.st_uid != os.geteuid():
            raise self.refusal(
                "Another user put it there, in a directory that is not only yours to write to."
            )
        if found.st_nlink > 1:
            raise self.refusal("It has other names (hard links), which another user can have made.")

    def refusal(self, why: str) -> UsageError:
        """The error for this path."""
        return UsageError(
            f"{self.path} cannot be written.", why=why, paste=f"ls -ld {self.path.parent}"
        )


def kind_that_is_no_file(found: os.stat_result) -> str | None:
    """Why nothing can be written to it; None for a file, a pipe, a terminal, /dev/null..."""
    return next((why for is_kind, why in _KINDS if is_kind(found.st_mode)), None)


def is_ours(status: os.stat_result) -> bool:
    """Whether it belongs to this user or to root, who are trusted."""
    return status.st_uid in (0, os.geteuid())


def find_place(path: Path) -> Place:
    """The directory of a path, with the rights of this process.

    A link on the way is followed if its directory is guarded, or is sticky and the link is ours.
    Raises OSError, and UsageError for any other link.
    """
    if path.name in ("", ".."):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    directory = _walk(path)
    try:
        status = os.fstat(directory)
        # The links of /proc lead elsewhere than their text says (/proc/PID/root).
        if not os.path.samestat(status, path.parent.stat()):
            raise UsageError(
                f"{path} cannot be written.",
                why="A link on the way is none of a file system (/proc has such).",
                paste=f"ls -ld {path.parent}",
            )
    except BaseException:
        os.close(directory)
        raise
    return Place(path, directory, path.name, _is_guarded(status))


def _walk(path: Path) -> int:
    """A descriptor of the directory that holds the path's last component."""
    steps = deque(path.parent.parts)
    current = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    links = 0
    try:
        while steps:
            step = steps.popleft()
            following = os.open(step, _LOOK, dir_fd=current)
            status = os.fstat(following)
            if not stat.S_ISLNK(status.st_mode):
                os.close(current)
                current = following
                if not stat.S_ISDIR(status.st_mode):
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
                continue
            try:
                _require_trusted_link(os.fstat(current), status, path, step)
                target = os.readlink("", dir_fd=following)
            finally:
                os.close(following)
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            steps.extendleft(reversed(Path(target).parts))
    except BaseException:
        os.close(current)
        raise
    return current


def _require_trusted_link(
    directory: os.stat_result, link: os.stat_result, path: Path, name: str
) -> None:
    sticky = directory.st_mode & stat.S_ISVTX and is_ours(directory)
    if _is_guarded(directory) or (sticky and is_ours(link)):
        return
    raise UsageError(
        f"{path} cannot be written.",
        why=f"{name} is a link that another user can have made.",
        paste=f"ls -ld {path.parent}",
    )


def _is_guarded(directory: os.stat_result) -> bool:
    return is_ours(directory) and not directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
