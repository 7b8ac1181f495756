# SPDX-License-Identifier: Apache-2.0
"""What a reader gives up before it looks at a traced process.

It may hang for good. So it holds nothing that others wait for, or that keeps probes in the kernel:
no descriptor of its parent's, no terminal, no directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys
from collections.abc import Collection
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_NO_NEW_PRIVS = 1, 15, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPSET_VERSION_3 = 0x20080522
_DAC_READ_SEARCH, _SYS_PTRACE, _CHECKPOINT_RESTORE = 2, 19, 40
_KEPT = 1 << _DAC_READ_SEARCH | 1 << _SYS_PTRACE | 1 << _CHECKPOINT_RESTORE
"""To look into other users' processes and files, and to open the very file that one has mapped
(/proc/PID/map_files): man capabilities(7)."""
_KEPT_SIGNALS = {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}
_MORE_DATA_BYTES = 80 << 20
_STANDARD_FDS = 3

_libc = ctypes.CDLL(None, use_errno=True)


def leave_the_parent(kept: Collection[int], name: str) -> None:
    """Be a process that shares nothing with the one that forked it but the pipes ``kept``."""
    gc.disable()  # objects of the parent must not be finalised here
    sys.dont_write_bytecode = True
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(_STANDARD_FDS):
        os.dup2(nothing, standard)
    keep_only(kept)
    # Those that Python ignores stay ignored: with no file size allowed, a write is an error.
    for number in signal.valid_signals() - _KEPT_SIGNALS:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def keep_only(kept: Collection[int]) -> None:
    """Close every descriptor but the standard ones and these."""
    try:
        opened = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
    except OSError:  # not the /proc of this PID namespace
        opened = list(range(os.sysconf("SC_OPEN_MAX")))
    for fd in opened:
        if fd >= _STANDARD_FDS and fd not in kept:
            with contextlib.suppress(OSError):
                os.close(fd)


def drop_privileges() -> None:
    """Keep what looking into processes takes, if it is there. This process has one thread."""
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPSET_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)()
    if _libc.capget(header, data):
        raise OSError(ctypes.get_errno(), "capget")
    kept = (data[1] | data[4] << 32) & _KEPT
    low, high = kept & 0xFFFFFFFF, kept >> 32
    data = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    if _libc.capset(header, data):
        raise OSError(ctypes.get_errno(), "capset")


def limit_resources() -> None:
    """Memory enough for any honest process; no file grows, no core is dumped."""
    data_bytes = _data_bytes() + _MORE_DATA_BYTES
    for kind, most in (
        (resource.RLIMIT_DATA, data_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # a lower limit is in force already
            resource.setrlimit(kind, (most, most))
    _, most_fds = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most_fds, most_fds))


def end_with_parent(parent: int) -> None:
    """Be killed as soon as the process that forked us has ended."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _data_bytes() -> int:
    for line in Path("/proc/self/status").read_bytes().splitlines():
        if line.startswith(b"VmData:"):
            return int(line.split()[1]) << 10
    return 0
