"""Receive messages of known sizes, one a round, each in one call: copies.py PORT ROUNDS SIZE..."""

import signal
import socket
import sys

from gate import finished, ready

SO_RCVBUFFORCE = 33


def main():
    port, rounds, *sizes = map(int, sys.argv[1:])
    peer = socket.socket()
    # Room for a whole message, so that it can lie there before it is asked for.
    peer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 * max(sizes))
    peer.connect(("127.0.0.1", port))
    buffer = bytearray(max(sizes))
    ready()
    for size in sizes:
        for _ in range(rounds):
            peer.recv_into(buffer, size, socket.MSG_WAITALL)
            peer.send(b"!")
            signal.sigwait({signal.SIGUSR1})
    finished()


main()
