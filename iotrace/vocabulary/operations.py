# SPDX-License-Identifier: Apache-2.0
"""The operations of io_uring: one row an operation, at its opcode.

enum io_uring_op, include/uapi/linux/io_uring.h. The order is the kernel's: new ones are appended.
The direction is that of the data at the operation's ``sqe->fd``: splice and tee, whose ``sqe->fd``
is their fd_out, write.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.vocabulary.calls import CallClass


@dataclass(frozen=True, slots=True)
class RingOperation:
    """One operation; ``does``: what for, None: neither I/O nor a connection."""

    name: str
    does: CallClass | None = None


_READ, _WRITE = CallClass.READ, CallClass.WRITE

OPERATIONS: tuple[RingOperation, ...] = (
    RingOperation("nop"),
    RingOperation("readv", _READ),
    RingOperation("writev", _WRITE),
    RingOperation("fsync"),
    RingOperation("read_fixed", _READ),
    RingOperation("write_fixed", _WRITE),
    RingOperation("poll_add"),
    RingOperation("poll_remove"),
    RingOperation("sync_file_range"),
    RingOperation("sendmsg", _WRITE),
    RingOperation("recvmsg", _READ),
    RingOperation("timeout"),
    RingOperation("timeout_remove"),
    RingOperation("accept", CallClass.ACCEPT),
    RingOperation("async_cancel"),
    RingOperation("link_timeout"),
    RingOperation("connect", CallClass.CONNECT),
    RingOperation("fallocate"),
    RingOperation("openat"),
    RingOperation("close"),
    RingOperation("files_update"),
    RingOperation("statx"),
    RingOperation("read", _READ),
    RingOperation("write", _WRITE),
    RingOperation("fadvise"),
    RingOperation("madvise"),
    RingOperation("send", _WRITE),
    RingOperation("recv", _READ),
    RingOperation("openat2"),
    RingOperation("epoll_ctl"),
    RingOperation("splice", _WRITE),
    RingOperation("provide_buffers"),
    RingOperation("remove_buffers"),
    RingOperation("tee", _WRITE),
    RingOperation("shutdown"),
    RingOperation("renameat"),
    RingOperation("unlinkat"),
    RingOperation("mkdirat"),
    RingOperation("symlinkat"),
    RingOperation("linkat"),
    RingOperation("msg_ring"),
    RingOperation("fsetxattr"),
    RingOperation("setxattr"),
    RingOperation("fgetxattr"),
    RingOperation("getxattr"),
    RingOperation("socket"),
    RingOperation("uring_cmd"),
    RingOperation("send_zc", _WRITE),
    RingOperation("sendmsg_zc", _WRITE),
    RingOperation("read_multishot", _READ),
    RingOperation("waitid"),
    RingOperation("futex_wait"),
    RingOperation("futex_wake"),
    RingOperation("futex_waitv"),
    RingOperation("fixed_fd_install"),
    RingOperation("ftruncate"),
    RingOperation("bind"),
    RingOperation("listen"),
    RingOperation("recv_zc", _READ),
    RingOperation("epoll_wait"),
    RingOperation("readv_fixed", _READ),
    RingOperation("writev_fixed", _WRITE),
    RingOperation("pipe"),
)


def opcode(name: str) -> int:
    """The number of an operation."""
    return [operation.name for operation in OPERATIONS].index(name)


def operation_name(number: int) -> str:
    """Of an opcode; ``opcode 99`` for one that is not known."""
    return OPERATIONS[number].name if number < len(OPERATIONS) else f"opcode {number}"


def _named(*does: CallClass) -> frozenset[str]:
    return frozenset(operation.name for operation in OPERATIONS if operation.does in does)


OPCODE_ACCEPT, OPCODE_RECV, OPCODE_SEND = map(opcode, ("accept", "recv", "send"))
RING_READS = _named(_READ)
"""Operations that bring data to the program."""
RING_TRANSFERS = _named(_READ, _WRITE)
"""Operations whose result is a number of bytes."""
RING_IO = _named(_READ, _WRITE, CallClass.ACCEPT, CallClass.CONNECT)
"""Operations that do I/O; a ring with none of them polls or sets timers, as a multiplexer does."""
