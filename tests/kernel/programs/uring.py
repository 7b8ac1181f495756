"""Asynchronous receives whose data comes after a delay; no thread sleeps in a read call."""

import os
import socket
import time

import uring_api
from gate import finished, ready

RECEIVES, BYTES, FAILURES, DELAY_S = 23, 100, 5, 0.02


def receive(ring, fd, buffer):
    ring.prepare_recv(fd, buffer)
    ring.wait()


def main():
    ours, theirs = socket.socketpair()
    if not os.fork():
        ours.close()
        while theirs.recv(1):
            time.sleep(DELAY_S)
            theirs.send(bytes(BYTES))
        os._exit(0)
    theirs.close()
    ring = uring_api.Ring(8)
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
