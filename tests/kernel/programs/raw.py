"""System calls that Python's library does not make itself, through libc."""

import ctypes
import errno
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

SYS_SELECT, SYS_NANOSLEEP, SYS_CLONE, SYS_FUTEX, SYS_EPOLL_PWAIT2 = 23, 35, 56, 202, 441  # x86-64
FUTEX_WAIT, FUTEX_WAKE = 128, 129  # with FUTEX_PRIVATE_FLAG


# Without releasing the GIL, which would take a call of its own in the child.
holding_gil = ctypes.PyDLL(None, use_errno=True)
holding_gil.syscall.restype = ctypes.c_long


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vector", ctypes.POINTER(Iovec)),
        ("vector_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("header", Msghdr), ("length", ctypes.c_uint)]


class Pollfd(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


class EpollEvent(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("events", ctypes.c_uint32), ("data", ctypes.c_uint64)]


def check(result, *allowed):
    """The result; raises unless it went well or failed with an allowed errno."""
    if result < 0 and ctypes.get_errno() not in allowed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def fork():
    """One clone(2) and no other call: the child may only end, by os._exit.

    os.fork() reads /proc/self/stat from Python 3.12 on, and glibc's fork() blocks signals from 2.41
    on, so that a child's SIGCHLD, which is ignored, is delivered all the same.
    """
    return check(holding_gil.syscall(SYS_CLONE, signal.SIGCHLD, 0, 0, 0, 0))


def messages(sizes):
    """A message vector with a buffer for each of ``sizes``; keep the second while it is used."""
    buffers = [ctypes.create_string_buffer(size) for size in sizes]
    iovecs = [Iovec(ctypes.addressof(b), size) for b, size in zip(buffers, sizes, strict=True)]
    vector = (Mmsghdr * len(sizes))()
    for message, iovec in zip(vector, iovecs, strict=True):
        message.header.vector = ctypes.pointer(iovec)
        message.header.vector_length = 1
    return vector, (buffers, iovecs)


def sendmmsg(fd, vector, flags=0):
    return check(libc.sendmmsg(fd, vector, len(vector), flags))


def recvmmsg(fd, vector, flags=0):
    return check(libc.recvmmsg(fd, vector, len(vector), flags, None), errno.EAGAIN)


def accept(fd):
    """accept(2) itself: Python's accept is accept4."""
    return check(libc.accept(fd, None, None), errno.EAGAIN)


def select(fds, timeout_us):
    """select(2) itself on descriptors below 64: libc's select is pselect6."""
    readable = ctypes.c_ulong(sum(1 << fd for fd in fds))
    words = (ctypes.c_ulong * 16)(readable)
    timeout = Timespec(0, timeout_us)  # a timeval looks the same
    count = max(fds, default=-1) + 1
    return check(
        libc.syscall(SYS_SELECT, count, ctypes.byref(words), None, None, ctypes.byref(timeout))
    )


def pselect6(fds, timeout_ns):
    words = (ctypes.c_ulong * 16)(sum(1 << fd for fd in fds))
    timeout = Timespec(0, timeout_ns)
    return check(
        libc.pselect(
            max(fds, default=-1) + 1, ctypes.byref(words), None, None, ctypes.byref(timeout), None
        )
    )


def ppoll(fds, timeout_ns):
    entries = (Pollfd * len(fds))(*((fd, 1, 0) for fd in fds))
    timeout = Timespec(0, timeout_ns)
    return check(libc.ppoll(entries, len(fds), ctypes.byref(timeout), None))


def epoll_pwait(fd, timeout_ms):
    return check(libc.epoll_pwait(fd, (EpollEvent * 8)(), 8, timeout_ms, None))


def epoll_pwait2(fd, timeout_ns):
    timeout = Timespec(0, timeout_ns)
    return check(
        libc.syscall(SYS_EPOLL_PWAIT2, fd, (EpollEvent * 8)(), 8, ctypes.byref(timeout), None, 8)
    )


def nanosleep(nanoseconds):
    return check(libc.syscall(SYS_NANOSLEEP, ctypes.byref(Timespec(0, nanoseconds)), None))


def futex_wake(word):
    return check(libc.syscall(SYS_FUTEX, ctypes.byref(word), FUTEX_WAKE, 1, None, None, 0))


def futex_wait(word, expected, timeout_ns):
    timeout = Timespec(0, timeout_ns)
    return check(
        libc.syscall(
            SYS_FUTEX, ctypes.byref(word), FUTEX_WAIT, expected, ctypes.byref(timeout), None, 0
        ),
        errno.EAGAIN,
        errno.ETIMEDOUT,
    )
