# SPDX-License-Identifier: Apache-2.0
"""How much data lies in the pipes of another process: pipe(7).

/proc does not tell. pidfd_getfd(2) gives a descriptor of the same pipe for as long as FIONREAD
takes. The kernel takes the pipe's mutex for that, which whoever moves data may keep for long.
"""

from __future__ import annotations

import array
import ctypes
import fcntl
import os
import stat
import termios
from collections.abc import Iterable

from iotrace.procfs.files import PROC, ProcessErrors, is_absent
from iotrace.procfs.tcp_state import PIDFD_GETFD

_libc = ctypes.CDLL(None, use_errno=True)


def read_unread_pipes(pid: int, fds: Iterable[int], root: str = PROC) -> dict[int, int]:
    """The bytes in those of these descriptors that are pipes; none where the kernel gives none.

    Raises as ``ProcessErrors`` says.
    """
    if is_absent("pidfd_getfd") or not hasattr(os, "pidfd_open"):
        return {}
    with ProcessErrors(pid, root):
        process = os.pidfd_open(pid)
    try:
        found = {fd: _unread(process, fd) for fd in fds}
    finally:
        os.close(process)
    return {fd: unread for fd, unread in found.items() if unread}


def _unread(process: int, fd: int) -> int:
    copy = _libc.syscall(PIDFD_GETFD, process, fd, 0)
    if copy < 0:
        return 0  # closed meanwhile, or not to be had
    try:
        if not stat.S_ISFIFO(os.fstat(copy).st_mode):
            return 0
        size = array.array("i", [0])
        fcntl.ioctl(copy, termios.FIONREAD, size)
        return size[0]
    except OSError:
        return 0
    finally:
        os.close(copy)
