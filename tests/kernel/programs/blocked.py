"""One thread for every call that one can sleep in; each sleeps in its own for good."""

import ctypes
import fcntl
import os
import pty
import select
import signal
import socket
import tempfile
import threading
import time

from gate import finished, ready

KEPT = []  # what must stay open


def keep(*things):
    KEPT.extend(things)
    return things[0]


def connected():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    keep(client, listener.accept()[0], listener)
    return client


def datagrams():
    sock = keep(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind(("127.0.0.1", 0))
    return sock


def full(fd):
    """Fill what a descriptor writes to."""
    os.set_blocking(fd, False)
    try:
        while os.write(fd, bytes(65536)):
            pass
    except BlockingIOError:
        os.set_blocking(fd, True)
    return fd


def idle_child():
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(writer)
        os.read(reader, 1)  # until the parent has ended
        os._exit(0)
    keep(reader, writer)
    return pid


LIBC = ctypes.CDLL(None, use_errno=True)


def empty_queue():
    """A POSIX message queue: to receive from it is a call that iotrace does not know by name."""
    name = f"/iotrace-{os.getpid()}".encode()
    queue = LIBC.mq_open(name, os.O_CREAT | os.O_RDONLY, 0o600, None)
    assert queue >= 0, os.strerror(ctypes.get_errno())
    LIBC.mq_unlink(name)
    return queue


def receive_of(queue):
    room = ctypes.create_string_buffer(65536)
    return lambda: LIBC.mq_receive(queue, room, len(room), None)


def prepare(directory):
    """name -> (descriptor or None, what to call)"""
    tcp, udp = connected(), datagrams()
    pipe_reader, _ = keep(os.pipe())
    _, full_writer = keep(os.pipe())
    terminal = keep(pty.openpty())[1]
    listener = keep(socket.create_server(("127.0.0.1", 0)))
    sender = keep(socket.socketpair())[0]
    epoll, poll = keep(select.epoll()), select.poll()
    epoll.register(pipe_reader, select.EPOLLIN)
    poll.register(pipe_reader, select.POLLIN)
    lock = threading.Lock()
    lock.acquire()
    fifo = f"{directory}/fifo"
    os.mkfifo(fifo)
    crowded = keep(socket.socket(socket.AF_UNIX))
    crowded.bind(f"{directory}/socket")
    crowded.listen(0)
    keep(socket.socket(socket.AF_UNIX)).connect(f"{directory}/socket")
    queued = keep(socket.socket(socket.AF_UNIX))
    locked, waiting = (os.open(f"{directory}/lock", os.O_CREAT | os.O_RDWR) for _ in range(2))
    fcntl.flock(locked, fcntl.LOCK_EX)
    child = idle_child()
    return {
        "recvfrom": (tcp.fileno(), lambda: tcp.recv(1)),
        "recvmsg": (udp.fileno(), lambda: udp.recvmsg(1)),
        "read": (pipe_reader, lambda: os.read(pipe_reader, 1)),
        "readv": (terminal, lambda: os.readv(terminal, [bytearray(1)])),
        "accept4": (listener.fileno(), listener.accept),
        "sendto": (full(sender.fileno()), lambda: sender.send(bytes(65536))),
        "write": (full(full_writer), lambda: os.write(full_writer, bytes(4096))),
        "connect": (queued.fileno(), lambda: queued.connect(f"{directory}/socket")),
        "epoll_wait": (None, epoll.poll),
        "poll": (None, poll.poll),
        "pselect6": (None, lambda: select.select([pipe_reader], [], [])),
        "futex": (None, lock.acquire),
        "clock_nanosleep": (None, lambda: time.sleep(10_000)),
        "wait4": (None, lambda: os.waitpid(child, 0)),
        "rt_sigtimedwait": (None, lambda: signal.sigwait({signal.SIGWINCH})),
        "openat": (None, lambda: os.open(fifo, os.O_RDONLY)),
        "flock": (waiting, lambda: fcntl.flock(waiting, fcntl.LOCK_EX)),
        "other": (None, receive_of(empty_queue())),
        "no fds": (None, lambda: select.poll().poll()),
    }


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGWINCH})
    with tempfile.TemporaryDirectory() as directory:
        work = prepare(directory)
        tids = {}

        def sleep_in(name, call):
            tids[name] = threading.get_native_id()
            started.release()
            call()

        started = threading.Semaphore(0)
        for name, (_, call) in work.items():
            threading.Thread(target=sleep_in, args=(name, call), daemon=True).start()
            started.acquire()
        # Everything is set up: the directory's names are not needed any more.
        ready(threads={name: {"tid": tids[name], "fd": fd} for name, (fd, _) in work.items()})
        finished()


main()
