# SPDX-License-Identifier: Apache-2.0
"""io_uring(7) as far as an echo server needs it, over the PyPI package ``uring-api``.

It is an optional dependency (``iotrace[uring]``) and may be missing, as may the kernel's support.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass
from pathlib import Path

try:
    import uring_api as lib
except ImportError:
    lib = None  # type: ignore[assignment,unused-ignore]

ENTRIES = 1024
_DISABLED = Path("/proc/sys/kernel/io_uring_disabled")


@dataclass(slots=True)
class _Exchange:
    """What is under way on one descriptor: its result is told when all of it is done."""

    sending: bool
    receiving: bool = True
    result: int = 0


class Ring:
    """A submission queue and a completion queue, shared with the kernel.

    Operations are only written down here; ``wait`` hands them over and collects results. Buffers
    belong to the kernel until their operation has been reported. Raises OSError when the kernel
    refuses.
    """

    def __init__(self) -> None:
        # The kernel completes operations while we wait for them, not amidst other work.
        flags = lib.IORING_SETUP_SINGLE_ISSUER | lib.IORING_SETUP_DEFER_TASKRUN
        self._ring = lib.Ring(ENTRIES, flags)
        self._under_way: dict[int, _Exchange] = {}

    def accept(self, fd: int) -> None:
        """Accept a connection on ``fd``; its result is the new descriptor."""
        self._under_way[fd] = _Exchange(sending=False)
        self._ring.prepare_accept(fd, socket.SOCK_CLOEXEC, fd)

    def receive(self, fd: int, buffer: bytearray, *, after_sending: bytes = b"") -> None:
        """Receive into ``buffer``; its result is the number of bytes.

        With ``after_sending`` the kernel also sends that, all of it. There is one result for
        both: if the sending fails, it is EPIPE.
        """
        self._under_way[fd] = _Exchange(sending=bool(after_sending))
        if after_sending:
            self._ring.prepare_send_all(fd, after_sending, 0, fd)
        self._ring.prepare_recv(fd, buffer, 0, fd)

    def wait(self) -> list[tuple[int, int]]:
        """Hand over what was written down, sleep until something is done: (descriptor, result).

        A negative result is an errno.
        """
        done = []
        with contextlib.suppress(InterruptedError):
            for completion in self._ring.wait() or ():
                fd: int = completion.take_user_data()
                exchange = self._under_way[fd]
                if completion.kind == lib.COMPLETION_KIND_SEND_ALL:
                    exchange.sending = False
                    if completion.res < 0:
                        exchange.result = -errno.EPIPE
                        self._ring.prepare_shutdown_nowait(fd, socket.SHUT_RDWR)
                        self._ring.submit()
                else:
                    exchange.receiving = False
                    exchange.result = exchange.result or completion.res
                if not exchange.sending and not exchange.receiving:
                    done.append((fd, exchange.result))
        return done

    def close(self) -> None:
        """Give the queues back; what is still under way is cancelled."""
        self._ring.close()


def unavailable() -> str | None:
    """Why this host cannot do it, and what to do about it; None when it can."""
    if lib is None:
        return "the Python package uring-api is missing: pip install 'iotrace[uring]'"
    try:
        ring = Ring()
    except OSError as error:
        if error.errno == errno.ENOSYS:
            return "this kernel has no io_uring (CONFIG_IO_URING)"
        if error.errno == errno.EPERM:
            with contextlib.suppress(OSError):
                if (setting := _DISABLED.read_text().strip()) != "0":
                    return (
                        f"kernel.io_uring_disabled is {setting}:"
                        " sudo sysctl kernel.io_uring_disabled=0"
                    )
            return "io_uring is not permitted here (a container's seccomp filter, as a rule)"
        if error.errno == errno.EINVAL:
            return "this kernel's io_uring is too old (no IORING_SETUP_DEFER_TASKRUN)"
        return f"io_uring cannot be set up: {error}"
    ring.close()
    return None
