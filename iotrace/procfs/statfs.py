# SPDX-License-Identifier: Apache-2.0
"""fstatfs(2): what kind of file system a file is on. Python's os.statvfs does not tell it."""

from __future__ import annotations

import ctypes
import os

_BYTES = 256
"""struct statfs has 120 bytes on 64-bit machines."""

_libc = ctypes.CDLL(None, use_errno=True)


def file_system_type(fd: int) -> int:
    """``f_type``: include/uapi/linux/magic.h. Raises ``OSError``."""
    buffer = (ctypes.c_long * (_BYTES // ctypes.sizeof(ctypes.c_long)))()
    if _libc.fstatfs(fd, buffer):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(buffer[0])
