"""Rounds of two reads, in a new pair of sockets each: one that waits for a byte that another thread
sends later, one that is refused. pairs.py ROUNDS
"""

import contextlib
import socket
import sys
import threading

from gate import finished, ready

DELAY_S = 0.02


def main():
    ready()
    for _ in range(int(sys.argv[1])):
        ours, theirs = socket.socketpair()
        sender = threading.Timer(DELAY_S, theirs.send, (b"!",))
        sender.start()
        ours.recv(64)
        with contextlib.suppress(BlockingIOError):
            ours.recv(64, socket.MSG_DONTWAIT)
        sender.join()
        ours.close()
        theirs.close()
    finished()


main()
