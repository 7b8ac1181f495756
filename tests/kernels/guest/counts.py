# SPDX-License-Identifier: Apache-2.0
"""A program of known counts, all of them primes. Says how often it slept, and what io_uring did.

A timer may end a sleep before the thread has left its CPU, and in an emulated machine does: the
kernel's own count of voluntary switches tells it.
"""

import contextlib
import json
import os
import resource
import socket
import sys
import time
from pathlib import Path


def switches() -> int:
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


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
slept = 0
for _ in range(17):
    before = switches()
    time.sleep(0.002)
    slept += switches() - before
received = 0
with contextlib.suppress(ImportError, RuntimeError):  # none is installed for this machine type
    import uring_api

    ring, buffer = uring_api.Ring(8), bytearray(100)
    for _ in range(23):
        other.send(bytes(100))
        ring.prepare_recv(one.fileno(), buffer)
        ring.wait()
        received += 1
Path(sys.argv[1]).write_text(json.dumps({"slept": slept, "received": received}))
