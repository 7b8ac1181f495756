"""Asynchronous operations: what was submitted to io_uring and how long it took."""

from __future__ import annotations

from iotrace.report.model import Interval, Operation
from iotrace.snapshot.histogram import percentile_ns, used
from iotrace.snapshot.model import OperationTotals

_NAMES = (
    "nop readv writev fsync read_fixed write_fixed poll_add poll_remove sync_file_range sendmsg "
    "recvmsg timeout timeout_remove accept async_cancel link_timeout connect fallocate openat "
    "close files_update statx read write fadvise madvise send recv openat2 epoll_ctl splice "
    "provide_buffers remove_buffers tee shutdown renameat unlinkat mkdirat symlinkat linkat "
    "msg_ring fsetxattr setxattr fgetxattr getxattr socket uring_cmd send_zc sendmsg_zc "
    "read_multishot waitid futex_wait futex_wake futex_waitv fixed_fd_install ftruncate bind "
    "listen recv_zc epoll_wait readv_fixed writev_fixed pipe"
).split()
"""enum io_uring_op, include/uapi/linux/io_uring.h, in order."""
_MOVES_DATA = frozenset(
    "readv writev read_fixed write_fixed sendmsg recvmsg read write send recv splice tee send_zc "
    "sendmsg_zc read_multishot recv_zc readv_fixed writev_fixed".split()
)


def operation_row(opcode: int, totals: OperationTotals) -> Operation:
    """One row. Only operations that move data return bytes."""
    name = _NAMES[opcode] if opcode < len(_NAMES) else f"opcode {opcode}"
    counts = totals.submit_to_complete
    return Operation(
        op=name,
        count=totals.completed,
        errors={"any": totals.errors} if totals.errors else {},
        bytes=totals.bytes if name in _MOVES_DATA else 0,
        submit_to_complete_ns=Interval(
            p50=percentile_ns(counts, 0.5, totals.max_ns),
            p99=percentile_ns(counts, 0.99, totals.max_ns),
            max=totals.max_ns,
            histogram=used(counts, totals.max_ns),
        )
        if totals.completed
        else None,
    )
