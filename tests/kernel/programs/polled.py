"""A thread waits for one socket alone: once until data comes, then until SIGUSR2."""

import select
import signal
import socket
import threading
import time

from gate import finished, ready, tell

WAITS_S, AFTER_S = 0.1, 0.4

one, other = socket.socketpair()
taken = threading.Semaphore(0)


def receive():
    alone = select.poll()
    alone.register(other.fileno(), select.POLLIN)
    while True:
        alone.poll()
        other.recv(64)
        taken.release()


ready(fd=other.fileno())
threading.Thread(target=receive, daemon=True).start()
time.sleep(WAITS_S)
one.send(b"x")
time.sleep(AFTER_S)
signal.pause()
one.send(b"y")
taken.acquire()
taken.acquire()
tell(taken=2)
finished()
