# SPDX-License-Identifier: Apache-2.0
"""The system calls that iotrace knows by name: one row a call.

Each row has the call's arguments as its man page has them (section 2), shortened to the words
below: the probes find a descriptor, a size or a timeout by its place among them. Numbers, which
differ by architecture, are in engine/syscalls.py.

The direction of a call is that of the data at ``fd``, the descriptor that its row in a report
names: sendfile writes to its out_fd; splice reads from its fd_in, whatever it writes to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CallClass(Enum):
    """What a call is for."""

    READ = "read"
    WRITE = "write"
    ACCEPT = "accept"
    CONNECT = "connect"
    MULTIPLEX = "multiplex"
    """It waits until one of several descriptors is ready."""
    WATCH = "watch"
    """It changes what a multiplexer waits for."""
    LOCK = "lock"
    SLEEP = "sleep"
    CHILD = "child"
    """It waits for the end of a child process."""
    SIGNAL = "signal"
    """It waits for a signal."""
    URING = "uring"
    FILE = "file"
    """Files and folders: open, sync, look up, change."""
    FILE_WATCH = "file watch"
    """It makes or extends a set of files whose changes are told (inotify(7))."""
    FILE_LOCK = "file lock"
    """It may wait for a lock on a file (flock(2), fcntl_locking(2))."""
    CLOSE = "close"
    REPLACE = "replace"
    """Its descriptor number becomes another object (dup2)."""
    FORK = "fork"
    """It makes a process or a thread."""
    YIELD = "yield"
    """It lets others have the CPU, if any want it."""


@dataclass(frozen=True, slots=True)
class SystemCall:
    """One system call.

    ``arguments``: in order; ``fd`` (the descriptor that it works on), ``size`` (bytes to read),
    ``timeout_ms``, ``timespec`` (a pointer to a timeout), ``nfds``, ``msgvec`` (messages: the call
    returns how many), ``msg_flags`` (MSG_PEEK), ``fd_sets``, ``path`` and ``oldpath``; any other
    word has no meaning here.
    ``wait``: a name of WAIT_REASONS; None: recv, send or file, as the descriptor is.
    ``family``: of a multiplexer, the mechanism that it is a form of.
    """

    name: str
    does: CallClass
    arguments: tuple[str, ...]
    wait: str | None
    family: str = ""

    def place(self, *words: str) -> int:
        """The place of the argument with one of these names, -1: it has none."""
        return next((i for i, word in enumerate(self.arguments) if word in words), -1)


def _call(
    name: str, does: CallClass, arguments: str, wait: str | None, family: str = ""
) -> SystemCall:
    return SystemCall(name, does, tuple(arguments.split()), wait, family)


_READ, _WRITE, _MULTIPLEX = CallClass.READ, CallClass.WRITE, CallClass.MULTIPLEX
_LOCK, _FILE = CallClass.LOCK, CallClass.FILE

CALLS: tuple[SystemCall, ...] = (
    _call("read", _READ, "fd buf size", None),
    _call("readv", _READ, "fd iov iovcnt", None),
    _call("pread64", _READ, "fd buf size offset", None),
    _call("preadv", _READ, "fd iov iovcnt offset", None),
    _call("preadv2", _READ, "fd iov iovcnt offset flags", None),
    _call("recvfrom", _READ, "fd buf size msg_flags addr addrlen", "recv"),
    _call("recvmsg", _READ, "fd msg msg_flags", "recv"),
    _call("recvmmsg", _READ, "fd msgvec vlen msg_flags timeout", "recv"),
    _call("write", _WRITE, "fd buf count", None),
    _call("writev", _WRITE, "fd iov iovcnt", None),
    _call("pwrite64", _WRITE, "fd buf count offset", None),
    _call("pwritev", _WRITE, "fd iov iovcnt offset", None),
    _call("pwritev2", _WRITE, "fd iov iovcnt offset flags", None),
    _call("sendto", _WRITE, "fd buf count flags addr addrlen", "send"),
    _call("sendmsg", _WRITE, "fd msg flags", "send"),
    _call("sendmmsg", _WRITE, "fd msgvec vlen flags", "send"),
    _call("sendfile", _WRITE, "fd in_fd offset count", None),
    _call("splice", _READ, "fd offset out_fd out_offset count flags", None),
    _call("accept", CallClass.ACCEPT, "fd addr addrlen", "accept"),
    _call("accept4", CallClass.ACCEPT, "fd addr addrlen flags", "accept"),
    _call("connect", CallClass.CONNECT, "fd addr addrlen", "connect"),
    _call("select", _MULTIPLEX, "nfds fd_sets writefds exceptfds timespec", "poll", "select"),
    _call("pselect6", _MULTIPLEX, "nfds fd_sets writefds exceptfds timespec", "poll", "select"),
    _call("poll", _MULTIPLEX, "fds nfds timeout_ms", "poll", "poll"),
    _call("ppoll", _MULTIPLEX, "fds nfds timespec sigmask", "poll", "poll"),
    _call("epoll_wait", _MULTIPLEX, "epfd events maxevents timeout_ms", "poll", "epoll"),
    _call("epoll_pwait", _MULTIPLEX, "epfd events maxevents timeout_ms sigmask", "poll", "epoll"),
    _call("epoll_pwait2", _MULTIPLEX, "epfd events maxevents timespec sigmask", "poll", "epoll"),
    _call("epoll_ctl", CallClass.WATCH, "epfd op watched_fd event", "other"),
    _call("futex", _LOCK, "uaddr op val timeout", "lock"),
    _call("futex_waitv", _LOCK, "waiters nr_futexes flags timeout clockid", "lock"),
    _call("futex_wait", _LOCK, "uaddr val mask flags timeout clockid", "lock"),
    _call("nanosleep", CallClass.SLEEP, "duration rem", "sleep"),
    _call("clock_nanosleep", CallClass.SLEEP, "clockid flags t remain", "sleep"),
    _call("wait4", CallClass.CHILD, "pid wstatus options rusage", "child"),
    _call("waitid", CallClass.CHILD, "idtype id infop options rusage", "child"),
    _call("rt_sigtimedwait", CallClass.SIGNAL, "set info timeout sigsetsize", "signal"),
    _call("rt_sigsuspend", CallClass.SIGNAL, "mask sigsetsize", "signal"),
    _call("pause", CallClass.SIGNAL, "", "signal"),
    _call("io_uring_enter", CallClass.URING, "ring to_submit min_complete flags argp", "uring"),
    _call("fsync", _FILE, "fd", "file"),
    _call("fdatasync", _FILE, "fd", "file"),
    _call("openat", _FILE, "dirfd path flags mode", "file"),
    _call("open", _FILE, "path flags mode", "file"),
    _call("openat2", _FILE, "dirfd path how how_size", "file"),
    _call("stat", _FILE, "path statbuf", "file"),
    _call("lstat", _FILE, "path statbuf", "file"),
    _call("fstat", _FILE, "fd statbuf", "file"),
    _call("newfstatat", _FILE, "dirfd path statbuf flags", "file"),
    _call("statx", _FILE, "dirfd path flags mask statbuf", "file"),
    _call("statfs", _FILE, "path statfsbuf", "file"),
    _call("access", _FILE, "path mode", "file"),
    _call("faccessat", _FILE, "dirfd path mode", "file"),
    _call("faccessat2", _FILE, "dirfd path mode flags", "file"),
    _call("readlink", _FILE, "path buf bufsiz", "file"),
    _call("readlinkat", _FILE, "dirfd path buf bufsiz", "file"),
    _call("getdents64", _FILE, "fd dirp count", "file"),
    _call("utimensat", _FILE, "fd path times flags", "file"),
    _call("chmod", _FILE, "path mode", "file"),
    _call("fchmod", _FILE, "fd mode", "file"),
    _call("fchmodat", _FILE, "dirfd path mode", "file"),
    _call("fchown", _FILE, "fd owner group", "file"),
    _call("truncate", _FILE, "path length", "file"),
    _call("ftruncate", _FILE, "fd length", "file"),
    _call("fallocate", _FILE, "fd mode offset length", "file"),
    _call("copy_file_range", _FILE, "in_fd in_offset fd out_offset length flags", "file"),
    _call("sync_file_range", _FILE, "fd offset nbytes flags", "file"),
    _call("syncfs", _FILE, "fd", "file"),
    _call("sync", _FILE, "", "file"),
    _call("msync", _FILE, "addr length flags", "file"),
    _call("mkdir", _FILE, "path mode", "file"),
    _call("mkdirat", _FILE, "dirfd path mode", "file"),
    _call("rmdir", _FILE, "path", "file"),
    _call("unlink", _FILE, "path", "file"),
    _call("unlinkat", _FILE, "dirfd path flags", "file"),
    _call("link", _FILE, "oldpath newpath", "file"),
    _call("linkat", _FILE, "olddirfd oldpath newdirfd newpath flags", "file"),
    _call("rename", _FILE, "oldpath newpath", "file"),
    _call("renameat", _FILE, "olddirfd oldpath newdirfd newpath", "file"),
    _call("renameat2", _FILE, "olddirfd oldpath newdirfd newpath flags", "file"),
    _call("inotify_init", CallClass.FILE_WATCH, "", "other"),
    _call("inotify_init1", CallClass.FILE_WATCH, "flags", "other"),
    _call("inotify_add_watch", CallClass.FILE_WATCH, "fd path mask", "other"),
    _call("flock", CallClass.FILE_LOCK, "fd operation", "file"),
    _call("fcntl", CallClass.FILE_LOCK, "fd cmd arg", "file"),
    _call("close", CallClass.CLOSE, "fd", "other"),
    _call("close_range", CallClass.CLOSE, "first last flags", "other"),
    _call("dup2", CallClass.REPLACE, "oldfd fd", "other"),
    _call("dup3", CallClass.REPLACE, "oldfd fd flags", "other"),
    _call("clone", CallClass.FORK, "flags stack parent_tid child_tid tls", "other"),
    _call("clone3", CallClass.FORK, "clone_args size_of_args", "other"),
    _call("vfork", CallClass.FORK, "", "other"),
    _call("sched_yield", CallClass.YIELD, "", "other"),
)


OTHER = "other"
"""Stands for all calls that are not in the list."""


def named(*does: CallClass) -> frozenset[str]:
    """Names of the calls of these classes."""
    return frozenset(call.name for call in CALLS if call.does in does)


READS = named(CallClass.READ)
WRITES = named(CallClass.WRITE)
ACCEPTS = named(CallClass.ACCEPT)
CONNECTS = named(CallClass.CONNECT)
MULTIPLEXERS = named(CallClass.MULTIPLEX)
LOCKS = named(CallClass.LOCK)
SLEEPS = named(CallClass.SLEEP)
CHILD_WAITS = named(CallClass.CHILD)
SIGNAL_WAITS = named(CallClass.SIGNAL)
URING = named(CallClass.URING)
FILE_CALLS = named(CallClass.FILE)
FILE_LOCKS = named(CallClass.FILE_LOCK)
FORKS = named(CallClass.FORK)
FILE_WATCHES = named(CallClass.FILE_WATCH)
FILE_SYNCS = frozenset(("fsync", "fdatasync", "msync"))
"""Those of FILE_CALLS that return when what was written is on the disk."""
FILE_OPENS = frozenset(("open", "openat", "openat2"))
FILE_LOOKS = frozenset(
    ("stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink",
     "readlinkat", "getdents64")
)  # fmt: skip
"""Those of FILE_CALLS that ask for the state of a file by its path, or what is in a folder."""

FAMILIES = {call.name: call.family for call in CALLS if call.family}
"""Multiplexing system call -> the mechanism that it is a form of: select, poll, epoll."""
LIBRARY_NAMES = {"pselect6": "select", "clock_nanosleep": "sleep"}
"""Calls that the textbook and Python know by another name."""
WAITS_FOR_WORK = MULTIPLEXERS | ACCEPTS | LOCKS | SLEEPS | SIGNAL_WAITS | URING | CHILD_WAITS
"""Calls that wait for work, or for as long as they were told to: longer is not worse."""
SOCKET_CALLS = frozenset(
    call.name for call in CALLS if call.name in READS | WRITES and call.place("offset") < 0
)
"""Calls that pass by the tracepoints of sockets (net/socket.c), where their descriptor is one."""
