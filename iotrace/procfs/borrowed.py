# SPDX-License-Identifier: Apache-2.0
"""Descriptors of another process, borrowed: pidfd_getfd(2).

It gives a descriptor of the same open file, in whatever namespace that is, for as long as a
question takes; nothing of it is changed.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable
from typing import TypeVar

from iotrace.procfs.files import PROC, ProcessErrors, is_absent

_PIDFD_GETFD = 438  # the same number on every architecture: kernel commit 8649c322f75c, 5.6
_libc = ctypes.CDLL(None, use_errno=True)

_T = TypeVar("_T")


def ask_descriptors(
    pid: int, fds: Iterable[int], ask: Callable[[int, int], _T], root: str = PROC
) -> dict[int, _T]:
    """What ``ask(number, copy)`` says of each of these descriptors, by its number in the process.

    Left out are those that cannot be had, or of which ``ask`` raises OSError: it is no such file.
    It must not close the copy. {} where the kernel gives no copies. Raises as ``ProcessErrors``
    says.
    """
    if is_absent("pidfd_getfd") or not hasattr(os, "pidfd_open"):
        return {}
    with ProcessErrors(pid, root):
        process = os.pidfd_open(pid)
    answers: dict[int, _T] = {}
    try:
        for fd in fds:
            copy = _libc.syscall(_PIDFD_GETFD, process, fd, 0)
            if copy < 0:
                continue  # closed meanwhile, or not to be had
            try:
                answers[fd] = ask(fd, copy)
            except OSError:
                continue
            finally:
                os.close(copy)
    finally:
        os.close(process)
    return answers
