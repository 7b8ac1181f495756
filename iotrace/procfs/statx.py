# SPDX-License-Identifier: Apache-2.0
"""What a file is, without asking the file system's server for it: statx(2)."""

from __future__ import annotations

import ctypes
import os
import struct

_AT_NO_AUTOMOUNT = 0x800
_AT_STATX_DONT_SYNC = 0x4000
_STATX_TYPE_AND_MODE = 0x3
_STATX_BYTES = 256
_MODE = struct.Struct("=H")
_MODE_AT = 28
_DEVICE = struct.Struct("=II")
_DEVICE_AT = 128
"""Members of struct statx, include/uapi/linux/stat.h."""

_libc = ctypes.CDLL(None, use_errno=True)


def cached_mode(name: str, dir_fd: int) -> tuple[int, int]:
    """(``st_mode``, ``st_rdev``) of a name in a directory, as the kernel knows them already.

    A FUSE or NFS server that doesn't answer is not waited for. Raises ``OSError``.
    """
    if not hasattr(_libc, "statx"):
        status = os.stat(name, dir_fd=dir_fd)
        return status.st_mode, status.st_rdev
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    flags = _AT_NO_AUTOMOUNT | _AT_STATX_DONT_SYNC
    if _libc.statx(dir_fd, os.fsencode(name), flags, _STATX_TYPE_AND_MODE, buffer):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    (mode,) = _MODE.unpack_from(buffer, _MODE_AT)
    return mode, os.makedev(*_DEVICE.unpack_from(buffer, _DEVICE_AT))
