"""A receive that a thread of io_uring makes: uring_workers.py before|during (the trace)."""

import socket
import sys

import liburing
from gate import finished, ready


def main():
    when = sys.argv[1]
    ring = liburing.Ring()
    liburing.io_uring_queue_init(8, ring, 0)
    ours, _theirs = socket.socketpair()
    buffer = bytearray(64)

    def receive():
        sqe = liburing.io_uring_get_sqe(ring)
        liburing.io_uring_prep_recv(sqe, ours.fileno(), buffer)
        sqe.flags = liburing.IOSQE_ASYNC
        liburing.io_uring_submit(ring)

    if when == "before":
        receive()
    ready()
    if when == "during":
        receive()
    finished()


main()
