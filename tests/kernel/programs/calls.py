"""Every covered system call, a prime number of times each; the test holds the figures."""

import contextlib
import ctypes
import errno
import os
import select
import signal
import socket
import tempfile
import time
import tty
from pathlib import Path

import raw
from gate import finished, ready


def expect(error, call, *arguments):
    """The call must fail with that errno."""
    try:
        call(*arguments)
    except OSError as failure:
        if failure.errno == error:
            return
        raise
    raise AssertionError(f"{call} did not fail with {errno.errorcode[error]}")


def pipes():
    reader, writer = os.pipe2(os.O_NONBLOCK)
    for _ in range(101):
        os.write(writer, b"7 bytes")
        os.read(reader, 64)
    for _ in range(23):
        os.writev(writer, [b"abc", b"defg"])
        os.readv(reader, [bytearray(5), bytearray(9)])
    for _ in range(13):
        expect(errno.EAGAIN, os.read, reader, 64)
    onward_reader, onward_writer = os.pipe2(0)
    for _ in range(11):
        os.write(writer, b"spliced")
        os.splice(reader, onward_writer, 64)
    os.close(onward_reader)
    os.close(onward_writer)
    os.close(reader)
    for _ in range(5):
        expect(errno.EPIPE, os.write, writer, b"x")
    os.close(writer)


def files(directory):
    path = f"{directory}/data"
    for _ in range(19):
        expect(errno.ENOENT, os.open, f"{directory}/missing", os.O_RDONLY)
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    for _ in range(53):
        os.write(fd, b"11 bytes...")
    for i in range(37):
        os.pread(fd, 5, i)
    for i in range(31):
        os.pwrite(fd, b"abc", i)
    for i in range(17):
        os.preadv(fd, [bytearray(2), bytearray(3)], i)
    for i in range(29):
        os.pwritev(fd, [b"a", b"bc"], i)
    for _ in range(7):
        os.fsync(fd)
    for _ in range(3):
        os.fdatasync(fd)
    os.lseek(fd, 0, os.SEEK_SET)
    for _ in range(59):  # 53 of them find 11 bytes, 6 find the end
        os.read(fd, 11)
    os.close(fd)
    for _ in range(17):
        expect(errno.EBADF, os.read, fd, 1)
    with contextlib.closing(socket.socket()) as unused:
        number = unused.fileno()
    for _ in range(2):
        expect(errno.EBADF, os.close, number)


def eventfds():
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    for _ in range(41):
        os.eventfd_write(fd, 1)
        os.eventfd_read(fd)
    for _ in range(29):
        expect(errno.EAGAIN, os.eventfd_read, fd)
    os.close(fd)


def terminals():
    master, slave = os.openpty()
    tty.setraw(slave)
    for _ in range(43):
        os.write(master, b"typed")
        os.read(slave, 64)
    os.close(slave)
    os.close(master)


def unix_sockets():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.setblocking(False)
    for _ in range(71):
        one.send(b"13 bytes sent")
        other.recv(64)
    for _ in range(67):
        one.sendmsg([b"abc", b"de"])
        other.recvmsg(64)
    for _ in range(61):
        os.write(one.fileno(), b"by write")
        os.read(other.fileno(), 64)
    for _ in range(47):
        os.writev(one.fileno(), [b"12", b"3"])
        os.readv(other.fileno(), [bytearray(2), bytearray(2)])
    for _ in range(37):
        vector, kept = raw.messages([3, 5, 7])
        raw.sendmmsg(one.fileno(), vector)
        vector, kept = raw.messages([16, 16, 16, 16, 16])
        raw.recvmmsg(other.fileno(), vector)
    for _ in range(31):
        expect(errno.EAGAIN, other.recv, 64)
    del kept
    one.close()
    other.close()


def tcp(directory):
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    path = f"{directory}/sent"
    Path(path).write_bytes(b"nineteen bytes long")
    served = os.open(path, os.O_RDONLY)
    for i in range(13):
        client = socket.socket()
        client.connect(address)
        if i < 8:
            server = listener.accept()[0]
        else:
            server = socket.socket(fileno=raw.accept(listener.fileno()))
        for _ in range(3):
            client.sendall(b"seventeen bytes..")
            server.recv(64)
        os.sendfile(server.fileno(), served, 0, 19)
        client.recv(64)
        client.close()
        server.close()
    listener.setblocking(False)
    for _ in range(11):
        expect(errno.EAGAIN, listener.accept)
    listener.close()
    for _ in range(7):
        refused = socket.socket()
        expect(errno.ECONNREFUSED, refused.connect, address)
        refused.close()
    os.close(served)


def udp():
    one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    other = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    other.bind(("::1", 0))
    address = other.getsockname()
    for _ in range(83):
        one.sendto(b"a datagram", address)
        other.recvfrom(64)
    one.close()
    other.close()


def multiplexers():
    reader, writer = socket.socketpair()
    fd = reader.fileno()
    poller, epoll = select.poll(), select.epoll()
    poller.register(fd, select.POLLIN)
    epoll.register(fd, select.EPOLLIN)
    for _ in range(7):
        epoll.modify(fd, select.EPOLLIN | select.EPOLLET)
        epoll.modify(fd, select.EPOLLIN)
    for _ in range(2):
        epoll.unregister(fd)
        epoll.register(fd, select.EPOLLIN)
    writer.send(b"x")
    for _ in range(89):
        raw.select([fd], 1000)
    for _ in range(79):
        raw.pselect6([fd], 1000)
    for _ in range(73):
        poller.poll(1000)
    for _ in range(67):
        raw.ppoll([fd], 1000)
    for _ in range(61):
        epoll.poll(1)
    for _ in range(59):
        raw.epoll_pwait(epoll.fileno(), 1000)
    for _ in range(53):
        raw.epoll_pwait2(epoll.fileno(), 1000)
    for _ in range(5):
        raw.select([], 1)
    for _ in range(3):
        poller.unregister(fd)
        poller.poll(0)
        poller.register(fd, select.POLLIN)
    epoll.close()
    for _ in range(2):
        expect(errno.EBADF, raw.epoll_pwait, 999, 0)
    reader.close()
    writer.close()


def sleeps():
    for _ in range(11):
        raw.nanosleep(1000)
    for _ in range(13):
        time.sleep(0.000001)
    word = ctypes.c_uint32(7)
    for _ in range(97):
        raw.futex_wake(word)
    for _ in range(43):
        raw.futex_wait(word, 8, 1000)  # EAGAIN: it isn't 8
    for _ in range(5):
        raw.futex_wait(word, 7, 1000)  # ETIMEDOUT
    for _ in range(3):
        raw.futex_wait(word, 8, 900_000_000)  # EAGAIN, and would not have given up soon


def children():
    for _ in range(7):
        pid = raw.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
    for _ in range(3):
        pid = raw.fork()
        if not pid:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED)
    for _ in range(23):
        expect(errno.ECHILD, os.waitpid, -1, os.WNOHANG)
    for _ in range(19):
        expect(errno.ECHILD, os.waitid, os.P_ALL, 0, os.WEXITED)


def others():
    for _ in range(997):
        os.getppid()
    for _ in range(2):
        signal.raise_signal(signal.SIGUSR2)


def main():
    with tempfile.TemporaryDirectory() as directory:
        work = (
            pipes,
            lambda: files(directory),
            eventfds,
            terminals,
            unix_sockets,
            lambda: tcp(directory),
            udp,
            multiplexers,
            sleeps,
            children,
            others,
        )
        ready()
        for part in work:
            part()
        finished()


main()
