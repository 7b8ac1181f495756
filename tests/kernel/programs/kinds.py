"""Reads of every kind of descriptor, and numbers that become something else unnoticed."""

import contextlib
import ctypes
import os
import signal
import socket
import threading

from gate import finished, ready
from raw import check, libc

KEPT = []  # what must stay open


def every_kind():
    mask = (ctypes.c_ulong * 16)(1 << (signal.SIGWINCH - 1))
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    return {
        "timerfd": check(libc.timerfd_create(1, os.O_NONBLOCK)),
        "signalfd": check(libc.signalfd(-1, mask, os.O_NONBLOCK)),
        "inotify": check(libc.inotify_init1(os.O_NONBLOCK)),
        "epoll": check(libc.epoll_create1(0)),
        "netlink": netlink.detach(),
        "char": os.open("/dev/zero", os.O_RDONLY),
        "dir": os.open("/", os.O_RDONLY),
        "file": os.open("/proc/self/cmdline", os.O_RDONLY),
        "memfd": os.memfd_create("iotrace-test"),
    }


def read_once(fd):
    """Whatever comes of it."""
    with contextlib.suppress(OSError):
        os.read(fd, 8)


def changed_by_close_range():
    """A number is a socket, then, after close_range(2), a pipe."""
    one, other = socket.socketpair()
    fd = other.detach()
    one.send(b"by a socket")
    os.read(fd, 64)
    os.closerange(fd, fd + 1)
    return read_from_pipe_at(fd)


def changed_by_a_thread():
    """The same, but another thread closes the number and opens it anew."""
    one, other = socket.socketpair()
    fd = other.detach()
    one.send(b"by a socket")
    os.read(fd, 64)
    thread = threading.Thread(target=lambda: os.dup2(full_pipe(), fd))
    thread.start()
    thread.join()
    os.read(fd, 64)
    return fd


def changed_by_close_range_of_a_thread():
    one, other = socket.socketpair()
    fd = other.detach()
    one.send(b"by a socket")
    os.read(fd, 64)
    thread = threading.Thread(target=os.closerange, args=(fd, fd + 1))
    thread.start()
    thread.join()
    return read_from_pipe_at(fd)


def full_pipe():
    reader, writer = os.pipe()
    os.write(writer, b"by a pipe")
    return reader


def read_from_pipe_at(fd):
    """The lowest free number is taken first; others are filled until it is that one."""
    reader = full_pipe()
    while reader != fd:
        assert reader < fd
        reader = full_pipe()
    os.read(fd, 64)
    return fd


def many_numbers():
    """More numbers than a thread remembers: 101 sockets, three reads each."""
    pairs = [socket.socketpair() for _ in range(101)]
    for _ in range(3):
        for one, other in pairs:
            one.send(b"12345")
            other.recv(64)
    KEPT.extend(pairs)
    return [other.fileno() for _, other in pairs]


def truncated():
    """Datagrams that are longer than the buffer; MSG_TRUNC returns their whole length."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for _ in range(5):
        one.send(bytes(100))
        other.recv(10)
    for _ in range(3):
        one.send(bytes(100))
        other.recv(10, socket.MSG_TRUNC)
    return other.fileno()


def main():
    kinds = every_kind()
    ready(kinds=kinds)
    for fd in kinds.values():
        for _ in range(7):
            read_once(fd)
    finished(
        close_range=changed_by_close_range(),
        thread=changed_by_a_thread(),
        close_range_of_a_thread=changed_by_close_range_of_a_thread(),
        many=many_numbers(),
        truncated=truncated(),
    )


main()
