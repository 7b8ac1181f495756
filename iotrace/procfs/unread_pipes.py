# SPDX-License-Identifier: Apache-2.0
"""How much data lies in the pipes of another process: pipe(7).

/proc does not tell, FIONREAD does. The kernel takes the pipe's mutex for that, which whoever moves
data may keep for long.
"""

from __future__ import annotations

import array
import fcntl
import os
import stat
import termios
from collections.abc import Iterable

from iotrace.procfs.borrowed import ask_descriptors
from iotrace.procfs.files import PROC


def read_unread_pipes(pid: int, fds: Iterable[int], root: str = PROC) -> dict[int, int]:
    """The bytes in those of these descriptors that are pipes; none where the kernel gives none.

    Raises as ``ProcessErrors`` says.
    """
    return {fd: unread for fd, unread in ask_descriptors(pid, fds, _unread, root).items() if unread}


def _unread(_: int, copy: int) -> int:
    """0 where it is no pipe."""
    if not stat.S_ISFIFO(os.fstat(copy).st_mode):
        return 0
    size = array.array("i", [0])
    fcntl.ioctl(copy, termios.FIONREAD, size)
    return size[0]
