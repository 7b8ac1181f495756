"""io_uring(7) as far as an echo server needs it, over the PyPI package ``liburing``.

The package offers the functions of C's liburing under their own names, so their man pages hold.
It is an optional dependency (``iotrace[uring]``) and may be missing, as may the kernel's support.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

try:
    import liburing as lib  # type: ignore[import-untyped,import-not-found,unused-ignore]
except ImportError:
    lib = None

ENTRIES = 1024
_SEND = 1 << 32  # in user_data: the operation is a send, on the descriptor of the lower bits
_DISABLED = Path("/proc/sys/kernel/io_uring_disabled")


class Ring:
    """A submission queue and a completion queue, shared with the kernel.

    Operations are only written down here; ``wait`` hands them over and collects results, in one
    system call. Buffers belong to the kernel until their operation has been reported. Raises
    OSError when the kernel refuses.
    """

    def __init__(self) -> None:
        self._ring = lib.Ring()
        # The kernel completes operations while we wait for them, not amidst other work.
        flags = lib.IORING_SETUP_SINGLE_ISSUER | lib.IORING_SETUP_DEFER_TASKRUN
        lib.io_uring_queue_init(ENTRIES, self._ring, flags)
        self._cqe = lib.Cqe()

    @property
    def skips_success(self) -> bool:
        """The kernel can leave out the report of an operation that succeeded."""
        return bool(self._ring.features & lib.IORING_FEAT_CQE_SKIP)

    def accept(self, fd: int) -> None:
        """Accept a connection on ``fd``; its result is the new descriptor."""
        self._room_for(1)
        sqe = lib.io_uring_get_sqe(self._ring)
        lib.io_uring_prep_accept(sqe, fd, None, socket.SOCK_CLOEXEC)
        sqe.user_data = fd

    def receive(self, fd: int, buffer: bytearray, *, after_sending: bytes = b"") -> None:
        """Receive into ``buffer``; its result is the number of bytes.

        With ``after_sending`` the kernel sends that first, all of it, and only then receives.
        There is one result for both: if the sending fails, it is EPIPE and nothing is received.
        """
        self._room_for(2)  # a chain must be handed over as a whole
        if after_sending:
            sqe = lib.io_uring_get_sqe(self._ring)
            lib.io_uring_prep_send(sqe, fd, after_sending, socket.MSG_WAITALL)
            sqe.flags = lib.IOSQE_IO_LINK | lib.IOSQE_CQE_SKIP_SUCCESS
            sqe.user_data = fd | _SEND
        sqe = lib.io_uring_get_sqe(self._ring)
        lib.io_uring_prep_recv(sqe, fd, buffer)
        sqe.user_data = fd

    def wait(self) -> list[tuple[int, int]]:
        """Hand over what was written down, sleep until something is done: (descriptor, result).

        A negative result is an errno.
        """
        with contextlib.suppress(InterruptedError):
            lib.io_uring_submit_and_wait(self._ring, 1)
        done = []
        ready = lib.io_uring_cq_ready(self._ring)
        completions = lib.CqeIter(self._ring, self._cqe)
        for _ in range(ready):
            next(completions)
            entry = self._cqe[0]
            if entry.user_data & _SEND:
                # It has failed or fallen short: successes are not reported, and what is linked
                # to a failure neither (IOSQE_CQE_SKIP_SUCCESS in io_uring_enter(2)).
                done.append((entry.user_data & ~_SEND, -errno.EPIPE))
            else:
                done.append((entry.user_data, _result(entry)))
        lib.io_uring_cq_advance(self._ring, ready)
        return done

    def close(self) -> None:
        """Give the queues back; what is still under way is cancelled."""
        lib.io_uring_queue_exit(self._ring)

    def _room_for(self, entries: int) -> None:
        if lib.io_uring_sq_space_left(self._ring) < entries:
            lib.io_uring_submit(self._ring)


def _result(entry: lib.CQE) -> int:
    try:
        return int(entry.res)
    except OSError as error:  # the binding raises what the kernel reports as a negative number
        return -(error.errno or errno.EIO)


def unavailable() -> str | None:
    """Why this host cannot do it, and what to do about it; None when it can."""
    if lib is None:
        return "the Python package liburing is missing: pip install 'iotrace[uring]'"
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
    skips_success = ring.skips_success
    ring.close()
    return None if skips_success else "this kernel's io_uring is too old (no IORING_FEAT_CQE_SKIP)"
