# SPDX-License-Identifier: Apache-2.0
"""System calls for the probes: numbers and register layout per architecture, and what to do with
each. The calls themselves are in vocabulary/calls.py.

Numbers are those of arch/x86/entry/syscalls/syscall_64.tbl and
include/uapi/asm-generic/unistd.h (aarch64); a call that an architecture lacks is not in its table.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.engine.constants import NO_ARGUMENT, WAIT_BY_KIND, CallFlag
from iotrace.vocabulary.calls import CALLS, CallClass, SystemCall
from iotrace.vocabulary.waits import WAIT_REASONS


@dataclass(frozen=True, slots=True)
class CallSpec:
    """One system call. Arguments are indices (0 to 5), -1: it has none of that sort."""

    name: str
    wait: str | None
    """A wait reason; None: recv, send or file, as the descriptor is."""
    fd: int
    flags: CallFlag
    loop: int
    """Number of a multiplexer, from 1 on; 0: it is none."""
    size: int
    timeout: int
    nfds: int
    buffer: int
    msg_flags: int
    path: int

    @property
    def wait_class(self) -> int:
        """The reason as the probes' number."""
        return WAIT_BY_KIND if self.wait is None else WAIT_REASONS.index(self.wait)


@dataclass(frozen=True, slots=True)
class Architecture:
    """Where a kernel of one machine type keeps a call's number, its arguments and the user's stack
    pointer in pt_regs."""

    machine: str
    bcc_target: str
    number_offset: int
    stack_offset: int
    instruction_offset: int
    arguments_offset: int
    argument_words: tuple[int, int, int, int, int, int]
    """Index of each argument in the words that start at ``arguments_offset``."""
    words: int
    restart_number: int
    """Of restart_syscall(2): the kernel goes on with a call that a signal interrupted."""
    execve: int
    execveat: int
    result_offset: int | None
    """Of the call's result, which is -ENOSYS until the call returns; None: it is not."""
    stores_in_order: bool
    """Other CPUs see stores in the order of the program: barriers cost nothing."""
    numbers: dict[str, int]

    def word(self, argument: int) -> int:
        """The word of the saved registers with that argument; ``NO_ARGUMENT`` for -1."""
        return self.argument_words[argument] if argument >= 0 else NO_ARGUMENT


_FLAGS = {
    CallClass.READ: CallFlag.IN,
    CallClass.WRITE: CallFlag.OUT,
    CallClass.ACCEPT: CallFlag.ACCEPTS,
    CallClass.REPLACE: CallFlag.REPLACES,
    CallClass.WATCH: CallFlag.WATCHES,
}
_FUTEX = "futex"
"""The one call on a lock whose arguments the probes read."""
_MULTIPLEXERS = tuple(call.name for call in CALLS if call.does is CallClass.MULTIPLEX)


def _flags(call: SystemCall) -> CallFlag:
    flags = _FLAGS.get(call.does, CallFlag(0))
    if call.does is CallClass.CLOSE:
        flags |= CallFlag.CLOSES if call.place("fd") >= 0 else CallFlag.CLOSES_RANGE
    if call.place("msgvec") >= 0:
        flags |= CallFlag.MESSAGES
    if call.place("fd_sets") >= 0:
        flags |= CallFlag.FD_SETS
    if call.place("timespec") >= 0:
        flags |= CallFlag.TIMEOUT_POINTER
    return flags | CallFlag.FUTEX if call.name == _FUTEX else flags


def _spec(call: SystemCall) -> CallSpec:
    return CallSpec(
        name=call.name,
        wait=call.wait,
        fd=call.place("fd"),
        flags=_flags(call),
        loop=_MULTIPLEXERS.index(call.name) + 1 if call.name in _MULTIPLEXERS else 0,
        size=call.place("size"),
        timeout=call.place("timeout_ms", "timespec"),
        nfds=call.place("nfds"),
        buffer=call.place("msgvec"),
        msg_flags=call.place("msg_flags"),
        path=call.place("path", "oldpath"),
    )


SPECS: tuple[CallSpec, ...] = tuple(map(_spec, CALLS))

_X86_64 = dict(
    read=0, write=1, open=2, close=3, stat=4, fstat=5, lstat=6, poll=7, pread64=17, pwrite64=18,
    readv=19, writev=20, access=21, select=23, sched_yield=24, msync=26, dup2=33, pause=34,
    nanosleep=35, sendfile=40, connect=42, accept=43, sendto=44, recvfrom=45, sendmsg=46,
    recvmsg=47, clone=56, vfork=58, wait4=61, fcntl=72, flock=73, fsync=74, fdatasync=75,
    truncate=76, ftruncate=77, rename=82, mkdir=83, rmdir=84, link=86, unlink=87, readlink=89,
    chmod=90, fchmod=91, fchown=93, rt_sigtimedwait=128, rt_sigsuspend=130, statfs=137, sync=162,
    futex=202, getdents64=217, clock_nanosleep=230, epoll_wait=232, epoll_ctl=233, waitid=247,
    inotify_init=253, inotify_add_watch=254, openat=257, mkdirat=258, newfstatat=262, unlinkat=263,
    renameat=264, linkat=265, readlinkat=267, fchmodat=268, faccessat=269, pselect6=270, ppoll=271,
    splice=275, sync_file_range=277, utimensat=280, epoll_pwait=281, fallocate=285, accept4=288,
    dup3=292, inotify_init1=294, preadv=295, pwritev=296, recvmmsg=299, syncfs=306, sendmmsg=307,
    renameat2=316, copy_file_range=326, preadv2=327, pwritev2=328, statx=332, io_uring_enter=426,
    clone3=435, close_range=436, openat2=437, faccessat2=439, epoll_pwait2=441, futex_waitv=449,
    futex_wait=455,
)  # fmt: skip
_AARCH64 = dict(
    epoll_ctl=21, epoll_pwait=22, dup3=24, fcntl=25, inotify_init1=26, inotify_add_watch=27,
    flock=32, mkdirat=34, unlinkat=35, linkat=37, renameat=38, statfs=43, truncate=45, ftruncate=46,
    fallocate=47, faccessat=48, fchmod=52, fchmodat=53, fchown=55, openat=56, close=57,
    getdents64=61, read=63, write=64, readv=65, writev=66, pread64=67, pwrite64=68, preadv=69,
    pwritev=70, sendfile=71, pselect6=72, ppoll=73, splice=76, readlinkat=78, newfstatat=79,
    fstat=80, sync=81, fsync=82, fdatasync=83, sync_file_range=84, utimensat=88, waitid=95,
    futex=98, nanosleep=101, clock_nanosleep=115, sched_yield=124, rt_sigsuspend=133,
    rt_sigtimedwait=137, accept=202, connect=203, sendto=206, recvfrom=207, sendmsg=211,
    recvmsg=212, clone=220, msync=227, accept4=242, recvmmsg=243, wait4=260, syncfs=267,
    sendmmsg=269, renameat2=276, copy_file_range=285, preadv2=286, pwritev2=287, statx=291,
    io_uring_enter=426, clone3=435, close_range=436, openat2=437, faccessat2=439, epoll_pwait2=441,
    futex_waitv=449, futex_wait=455,
)  # fmt: skip

ARCHITECTURES = {
    # struct pt_regs: r9 +64, r8 +72, (r10) +56, ..., dx +96, si +104, di +112, orig_ax +120,
    # ip +128, cs, flags, sp +152.
    "x86_64": Architecture(
        "x86_64", "x86", 120, 152, 128, 56, (7, 6, 5, 0, 2, 1), 8, 219, 59, 322, 80, True, _X86_64
    ),
    # struct pt_regs: regs[31] +0, sp, pc, pstate, orig_x0, syscallno. x0 is overwritten by the
    # result only at the exit, so at sys_enter it still is the first argument.
    "aarch64": Architecture(
        "aarch64",
        "arm64",
        280,
        248,
        256,
        0,
        (0, 1, 2, 3, 4, 5),
        6,
        128,
        221,
        281,
        None,
        False,
        _AARCH64,
    ),
}


def call_names(architecture: Architecture) -> dict[int, str]:
    """Number -> name of every listed call."""
    return {number: name for name, number in architecture.numbers.items()}


def call_specs(architecture: Architecture) -> dict[int, CallSpec]:
    """Number -> spec of every listed call that this architecture has."""
    return {
        architecture.numbers[spec.name]: spec for spec in SPECS if spec.name in architecture.numbers
    }


def cflags(architecture: Architecture) -> list[str]:
    """Register layout and memory order as compiler flags."""
    words = [f"-DARGUMENT_{i}={word}" for i, word in enumerate(architecture.argument_words)]
    return [
        *words,
        f"-DARGUMENT_WORDS={architecture.words}",
        f"-DOFFSET_ARGUMENTS={architecture.arguments_offset}",
        f"-DOFFSET_CALL_NUMBER={architecture.number_offset}",
        f"-DOFFSET_STACK_POINTER={architecture.stack_offset}",
        f"-DOFFSET_INSTRUCTION_POINTER={architecture.instruction_offset}",
        f"-DRESTART_SYSCALL={architecture.restart_number}",
        f"-DNUMBER_EXECVE={architecture.execve}",
        f"-DNUMBER_EXECVEAT={architecture.execveat}",
        f"-DSTORES_IN_ORDER={int(architecture.stores_in_order)}",
        f"-DHAVE_RESULT={int(architecture.result_offset is not None)}",
        f"-DOFFSET_RESULT={architecture.result_offset or 0}",
    ]
