"""A program of known counts, all of them primes."""

import contextlib
import os
import socket
import time

read_end, write_end = os.pipe()
one, other = socket.socketpair()
one.setblocking(False)
for _ in range(1009):
    os.write(write_end, b"1234567")
    os.read(read_end, 7)
for _ in range(503):
    other.send(b"123")
    one.recv(3)
for _ in range(211):
    with contextlib.suppress(BlockingIOError):
        one.recv(1)
for _ in range(17):
    time.sleep(0.002)
