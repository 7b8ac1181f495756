"""A UDP socket that is read too late, a unix socket whose accept queue is full, threads that look
into an empty queue again and again, and a pipe that is read too late.

argv: FOLDER, DATAGRAMS, THREADS.
"""

import contextlib
import os
import queue
import socket
import sys
import threading
import time

from gate import finished, ready

FOLDER, DATAGRAMS, THREADS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
LATE_S, POLL_S, LOOK_S = 0.4, 0.001, 1.5
PIPE_BYTES = 65536
"""As much as a pipe takes: pipe(7)."""


def wait_to_connect():
    """The only place in the queue is taken: until somebody accepts."""
    client.connect(path)
    client.send(b"lock")
    client.recv(7)


def accept_late():
    time.sleep(LATE_S)
    listener.accept()[0].close()
    with listener.accept()[0] as accepted:
        accepted.recv(4)
        accepted.send(b"granted")


def receive():
    """Handles them late, and reads those there was room for."""
    time.sleep(LATE_S)
    receiver.setblocking(False)
    while True:
        try:
            receiver.recv(2048)
        except BlockingIOError:
            return


def write():
    """The first fills the pipe, the second has to wait."""
    os.write(writing, bytes(PIPE_BYTES))
    os.write(writing, b"log line")


def read_late():
    time.sleep(LATE_S)
    os.read(reading, PIPE_BYTES)


def look():
    end = time.monotonic() + LOOK_S
    while time.monotonic() < end:
        with contextlib.suppress(queue.Empty):
            empty.get(timeout=POLL_S)


path = f"{FOLDER}/lockd.sock"
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(0)
first = socket.socket(socket.AF_UNIX)
first.connect(path)
client = socket.socket(socket.AF_UNIX)
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(receiver.getsockname())
for _ in range(DATAGRAMS):  # what was dropped before the trace is none of its business
    sender.send(bytes(1000))
while True:
    receiver.setblocking(False)
    try:
        receiver.recv(2048)
    except BlockingIOError:
        break
empty = queue.Queue()
reading, writing = os.pipe()

ready(port=receiver.getsockname()[1])
for _ in range(DATAGRAMS):
    sender.send(bytes(1000))
work = (wait_to_connect, accept_late, receive, write, read_late)
threads = [threading.Thread(target=one) for one in work]
threads += [threading.Thread(target=look) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
finished()
