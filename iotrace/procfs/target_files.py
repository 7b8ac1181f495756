# SPDX-License-Identifier: Apache-2.0
"""Files of another process's tree, opened so that nothing but a regular file is ever opened.

The tree belongs to the process: any name in it may be a device, a FIFO, or a link to the host's
files. O_PATH (open(2)) finds what a name leads to without opening it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

from iotrace.procfs.files import PROC

_OPENAT2 = 437  # the same number on every architecture: kernel commit fddb5d430ad9, 5.6
# include/uapi/linux/openat2.h
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10
_FIND = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    """struct open_how."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_mapped(pid: int, start: int, end: int, path: str, root: str = PROC) -> int:
    """A descriptor of the regular file that a process maps from ``start`` to ``end``.

    ``path`` names it where this user may not follow /proc/PID/map_files. Raises ``OSError``, for
    anything but a regular file too.
    """
    try:
        # The mapped file itself, even if it is deleted or another has its name by now.
        found = os.open(f"{root}/{pid}/map_files/{start:x}-{end:x}", _FIND)
    except OSError:
        found = find_inside(pid, path, root)
    return _opened(found)


def open_inside(pid: int, path: str, root: str = PROC) -> int:
    """A descriptor of the regular file that a process calls ``path``. Raises as ``open_mapped``."""
    return _opened(find_inside(pid, path, root))


def find_inside(pid: int, path: str, root: str = PROC) -> int:
    """An O_PATH descriptor of whatever a process calls ``path``. Raises ``OSError``."""
    return _find_below(f"{root}/{pid}/root", path)


def _opened(found: int) -> int:
    """Open what an O_PATH descriptor stands for, which is closed."""
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return os.open(f"/proc/self/fd/{found}", _READ)
    finally:
        os.close(found)


def _find_below(tree: str, path: str) -> int:
    """An O_PATH descriptor of a name in a tree; its links lead to places in the tree."""
    top = os.open(tree, _FIND | os.O_DIRECTORY)
    try:
        found = _openat2(top, path)
        return _walk(top, path) if found is None else found
    finally:
        os.close(top)


def _openat2(top: int, path: str) -> int | None:
    """None: this kernel has no such call."""
    how = _How(_FIND, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    name = ctypes.create_string_buffer(os.fsencode(path))
    found = _libc.syscall(
        ctypes.c_long(_OPENAT2),
        ctypes.c_int(top),
        name,
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if found >= 0:
        return int(found)
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EPERM):  # EPERM: an old seccomp filter's word for it
        return None
    raise OSError(number, os.strerror(number), path)


def _walk(top: int, path: str) -> int:
    """The same for names without any link: the kernel gives mapped files such names."""
    *above, last = [part for part in path.split("/") if part] or ["."]
    if ".." in (*above, last):
        raise OSError(errno.EXDEV, "leads upwards", path)
    here = os.dup(top)
    try:
        for part in above:
            # A link is no directory: O_NOFOLLOW makes it ENOTDIR.
            below = os.open(part, _FIND | os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        return os.open(last, _FIND | os.O_NOFOLLOW, dir_fd=here)
    finally:
        os.close(here)
