"""Asynchronous receives whose data comes after a delay; no thread sleeps in a read call."""

import os
import socket
import time

import liburing
from gate import finished, ready

RECEIVES, BYTES, FAILURES, DELAY_S = 23, 100, 5, 0.02


def receive(ring, fd, buffer):
    sqe = liburing.io_uring_get_sqe(ring)
    liburing.io_uring_prep_recv(sqe, fd, buffer)
    liburing.io_uring_submit_and_wait(ring, 1)
    liburing.io_uring_cq_advance(ring, 1)


def main():
    ours, theirs = socket.socketpair()
    if not os.fork():
        ours.close()
        while theirs.recv(1):
            time.sleep(DELAY_S)
            theirs.send(bytes(BYTES))
        os._exit(0)
    theirs.close()
    ring = liburing.Ring()
    liburing.io_uring_queue_init(8, ring, 0)
    buffer = bytearray(BYTES)
    took = []
    ready()
    for _ in range(RECEIVES):
        began = time.monotonic_ns()
        ours.send(b"?")
        receive(ring, ours.fileno(), buffer)
        took.append(time.monotonic_ns() - began)
    for _ in range(FAILURES):
        receive(ring, 999, buffer)
    finished(took=took)


main()
