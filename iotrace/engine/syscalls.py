"""System calls: numbers and register layout per architecture, and what iotrace does with each.

Numbers are those of arch/x86/entry/syscalls/syscall_64.tbl and
include/uapi/asm-generic/unistd.h (aarch64); a call that an architecture lacks is not in its table.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.engine.constants import NO_ARGUMENT, WAIT_BY_KIND, CallFlag
from iotrace.report.waits import WAIT_REASONS

_NONE = CallFlag(0)


@dataclass(frozen=True, slots=True)
class CallSpec:
    """One system call. Arguments are indices (0 to 5), -1: it has none of that sort."""

    name: str
    wait: str | None
    """A wait reason; None: recv, send or file, as the descriptor is."""
    fd: int = -1
    flags: CallFlag = _NONE
    loop: int = 0
    size: int = -1
    timeout: int = -1
    nfds: int = -1
    buffer: int = -1
    msg_flags: int = -1

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
    arguments_offset: int
    argument_words: tuple[int, int, int, int, int, int]
    """Index of each argument in the words that start at ``arguments_offset``."""
    words: int
    restart_number: int
    """Of restart_syscall(2): the kernel goes on with a call that a signal interrupted."""
    execve: int
    execveat: int
    numbers: dict[str, int]

    def word(self, argument: int) -> int:
        """The word of the saved registers with that argument; ``NO_ARGUMENT`` for -1."""
        return self.argument_words[argument] if argument >= 0 else NO_ARGUMENT


_IN, _OUT = CallFlag.IN, CallFlag.OUT
_POINTER = CallFlag.TIMEOUT_POINTER

CALLS: tuple[CallSpec, ...] = (
    CallSpec("read", None, fd=0, flags=_IN, size=2),
    CallSpec("readv", None, fd=0, flags=_IN),
    CallSpec("pread64", None, fd=0, flags=_IN, size=2),
    CallSpec("preadv", None, fd=0, flags=_IN),
    CallSpec("preadv2", None, fd=0, flags=_IN),
    CallSpec("recvfrom", "recv", fd=0, flags=_IN, size=2, msg_flags=3),
    CallSpec("recvmsg", "recv", fd=0, flags=_IN, msg_flags=2),
    CallSpec("recvmmsg", "recv", fd=0, flags=_IN | CallFlag.MESSAGES, buffer=1, msg_flags=3),
    CallSpec("write", None, fd=0, flags=_OUT),
    CallSpec("writev", None, fd=0, flags=_OUT),
    CallSpec("pwrite64", None, fd=0, flags=_OUT),
    CallSpec("pwritev", None, fd=0, flags=_OUT),
    CallSpec("pwritev2", None, fd=0, flags=_OUT),
    CallSpec("sendto", "send", fd=0, flags=_OUT),
    CallSpec("sendmsg", "send", fd=0, flags=_OUT),
    CallSpec("sendmmsg", "send", fd=0, flags=_OUT | CallFlag.MESSAGES, buffer=1),
    CallSpec("sendfile", None, fd=0, flags=_OUT),
    CallSpec("splice", None, fd=0, flags=_IN),
    CallSpec("accept", "accept", fd=0, flags=CallFlag.ACCEPTS),
    CallSpec("accept4", "accept", fd=0, flags=CallFlag.ACCEPTS),
    CallSpec("connect", "connect", fd=0),
    CallSpec("select", "poll", flags=CallFlag.FD_SETS | _POINTER, loop=1, nfds=0, timeout=4),
    CallSpec("pselect6", "poll", flags=CallFlag.FD_SETS | _POINTER, loop=2, nfds=0, timeout=4),
    CallSpec("poll", "poll", loop=3, nfds=1, timeout=2),
    CallSpec("ppoll", "poll", flags=_POINTER, loop=4, nfds=1, timeout=2),
    CallSpec("epoll_wait", "poll", loop=5, timeout=3),
    CallSpec("epoll_pwait", "poll", loop=6, timeout=3),
    CallSpec("epoll_pwait2", "poll", flags=_POINTER, loop=7, timeout=3),
    CallSpec("epoll_ctl", "other", flags=CallFlag.WATCHES),
    CallSpec("futex", "lock", flags=CallFlag.FUTEX),
    CallSpec("futex_waitv", "lock"),
    CallSpec("futex_wait", "lock"),
    CallSpec("nanosleep", "sleep"),
    CallSpec("clock_nanosleep", "sleep"),
    CallSpec("wait4", "child"),
    CallSpec("waitid", "child"),
    CallSpec("rt_sigtimedwait", "signal"),
    CallSpec("rt_sigsuspend", "signal"),
    CallSpec("pause", "signal"),
    CallSpec("io_uring_enter", "uring"),
    CallSpec("fsync", "file", fd=0),
    CallSpec("fdatasync", "file", fd=0),
    CallSpec("openat", "file"),
    CallSpec("close", "other", fd=0, flags=CallFlag.CLOSES),
    CallSpec("close_range", "other", flags=CallFlag.CLOSES_RANGE),
    CallSpec("dup2", "other", fd=1, flags=CallFlag.REPLACES),
    CallSpec("dup3", "other", fd=1, flags=CallFlag.REPLACES),
)

_X86_64 = dict(
    read=0, write=1, close=3, poll=7, pread64=17, pwrite64=18, readv=19, writev=20, select=23,
    dup2=33, pause=34, nanosleep=35, sendfile=40, connect=42, accept=43, sendto=44, recvfrom=45,
    sendmsg=46, recvmsg=47, wait4=61, fsync=74, fdatasync=75, rt_sigtimedwait=128,
    rt_sigsuspend=130, futex=202, clock_nanosleep=230, epoll_wait=232, epoll_ctl=233, waitid=247,
    openat=257, pselect6=270, ppoll=271, splice=275, epoll_pwait=281, accept4=288, dup3=292,
    preadv=295, pwritev=296, recvmmsg=299, sendmmsg=307, preadv2=327, pwritev2=328,
    io_uring_enter=426, close_range=436, epoll_pwait2=441, futex_waitv=449, futex_wait=455,
)  # fmt: skip
_AARCH64 = dict(
    epoll_ctl=21, dup3=24, openat=56, close=57, read=63, write=64, readv=65, writev=66, pread64=67,
    pwrite64=68, preadv=69, pwritev=70, sendfile=71, pselect6=72, ppoll=73, splice=76, fsync=82,
    fdatasync=83, waitid=95, futex=98, nanosleep=101, clock_nanosleep=115, rt_sigsuspend=133,
    rt_sigtimedwait=137, epoll_pwait=22, accept=202, connect=203, sendto=206, recvfrom=207,
    sendmsg=211, recvmsg=212, accept4=242, recvmmsg=243, wait4=260, sendmmsg=269, preadv2=286,
    pwritev2=287, io_uring_enter=426, close_range=436, epoll_pwait2=441, futex_waitv=449,
    futex_wait=455,
)  # fmt: skip

ARCHITECTURES = {
    # struct pt_regs: r9 +64, r8 +72, (r10) +56, ..., dx +96, si +104, di +112, orig_ax +120,
    # ip +128, cs, flags, sp +152.
    "x86_64": Architecture(
        "x86_64", "x86", 120, 152, 56, (7, 6, 5, 0, 2, 1), 8, 219, 59, 322, _X86_64
    ),
    # struct pt_regs: regs[31] +0, sp, pc, pstate, orig_x0, syscallno. x0 is overwritten by the
    # result only at the exit, so at sys_enter it still is the first argument.
    "aarch64": Architecture(
        "aarch64", "arm64", 280, 248, 0, (0, 1, 2, 3, 4, 5), 6, 128, 221, 281, _AARCH64
    ),
}


def call_names(architecture: Architecture) -> dict[int, str]:
    """Number -> name of every listed call."""
    return {number: name for name, number in architecture.numbers.items()}


def call_specs(architecture: Architecture) -> dict[int, CallSpec]:
    """Number -> spec of every listed call that this architecture has."""
    return {
        architecture.numbers[spec.name]: spec for spec in CALLS if spec.name in architecture.numbers
    }


def cflags(architecture: Architecture) -> list[str]:
    """Register layout as compiler flags."""
    words = [f"-DARGUMENT_{i}={word}" for i, word in enumerate(architecture.argument_words)]
    return [
        *words,
        f"-DARGUMENT_WORDS={architecture.words}",
        f"-DOFFSET_ARGUMENTS={architecture.arguments_offset}",
        f"-DOFFSET_CALL_NUMBER={architecture.number_offset}",
        f"-DOFFSET_STACK_POINTER={architecture.stack_offset}",
        f"-DRESTART_SYSCALL={architecture.restart_number}",
        f"-DNUMBER_EXECVE={architecture.execve}",
        f"-DNUMBER_EXECVEAT={architecture.execveat}",
    ]
