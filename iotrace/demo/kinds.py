"""What system calls are for, as the textbook tells them apart."""

from __future__ import annotations

from iotrace.engine.constants import CallFlag
from iotrace.engine.syscalls import CALLS

READS = frozenset(call.name for call in CALLS if call.flags & CallFlag.IN)
WRITES = frozenset(call.name for call in CALLS if call.flags & CallFlag.OUT)
ACCEPTS = frozenset(call.name for call in CALLS if call.flags & CallFlag.ACCEPTS)
MULTIPLEXERS = frozenset(call.name for call in CALLS if call.loop)
SLEEPS = frozenset(call.name for call in CALLS if call.wait == "sleep")
LOCKS = frozenset(call.name for call in CALLS if call.wait == "lock")
SIGNAL_WAITS = frozenset(call.name for call in CALLS if call.wait == "signal")
URING = frozenset(call.name for call in CALLS if call.wait == "uring")

TELLING = READS | WRITES | ACCEPTS | MULTIPLEXERS | SLEEPS | SIGNAL_WAITS | URING
"""Calls that belong to an I/O model; the others are housekeeping unless a thread sleeps in one."""

URING_RECEIVES = frozenset({"readv", "read_fixed", "recvmsg", "read", "recv", "read_multishot"})
"""io_uring operations that bring data (Operation.op)."""

OPCODE_SEND = 26
OPCODE_RECV = 27
OPCODE_ACCEPT = 13
"""enum io_uring_op, include/uapi/linux/io_uring.h."""
