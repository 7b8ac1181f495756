"""Rounds of one call each: rounds.py PORT ROUNDS MODE...

Each round begins at the gate; the program asks its peer (one byte), then makes the call that the
mode names and waits in it for what the peer does after a delay.
"""

import os
import select
import signal
import socket
import sys

import raw
from gate import finished, ready


class Rounds:
    def __init__(self, port):
        self.peer = socket.create_connection(("127.0.0.1", port))
        self.fd = self.peer.fileno()
        self.epoll = select.epoll()
        self.epoll.register(self.fd, select.EPOLLIN)
        self.poll = select.poll()
        self.poll.register(self.fd, select.POLLIN)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def recv(self):
        self.peer.recv(64)

    def recvmsg(self):
        self.peer.recvmsg(64)

    def read(self):
        os.read(self.fd, 64)

    def select(self):
        select.select([self.fd], [], [])
        self.peer.recv(64)

    def old_select(self):
        raw.select([self.fd], 900_000)
        self.peer.recv(64)

    def poll_(self):
        self.poll.poll()
        self.peer.recv(64)

    def ppoll(self):
        raw.ppoll([self.fd], 900_000_000)
        self.peer.recv(64)

    def epoll_(self):
        self.epoll.poll()
        self.peer.recv(64)

    def epoll_pwait(self):
        raw.epoll_pwait(self.epoll.fileno(), 5000)
        self.peer.recv(64)

    def epoll_pwait2(self):
        raw.epoll_pwait2(self.epoll.fileno(), 900_000_000)
        self.peer.recv(64)

    def accept(self):
        self.listener.accept()[0].close()


def main():
    port, rounds, *modes = sys.argv[1:]
    work = Rounds(int(port))
    ready(port=work.port)
    for mode in modes:
        call = getattr(work, mode)
        for _ in range(int(rounds)):
            work.peer.send(b"?")
            call()
            signal.sigwait({signal.SIGUSR1})
    finished()


main()
