"""Reads and writes on sockets and pipes without an end, in two threads."""

import os
import select
import signal
import socket
import threading

from gate import ready

BYTES = 10_000


def exchange(stopped):
    one, other = socket.socketpair()
    reader, writer = os.pipe()
    epoll = select.epoll()
    epoll.register(other.fileno(), select.EPOLLIN)
    while not stopped:
        one.send(bytes(BYTES))
        epoll.poll()
        other.recv(BYTES)
        os.write(writer, bytes(BYTES))
        os.read(reader, BYTES)


def main():
    stopped = []
    ready()
    signal.signal(signal.SIGUSR2, lambda number, frame: stopped.append(number))
    threading.Thread(target=exchange, args=(stopped,)).start()
    exchange(stopped)
    signal.pause()


main()
