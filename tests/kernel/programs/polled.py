"""A thread waits for one socket alone: once until data comes, then for longer than it is traced."""

import select
import socket
import threading
import time

from gate import finished, ready

WAITS_S, AFTER_S = 0.1, 0.4

one, other = socket.socketpair()


def receive():
    alone = select.poll()
    alone.register(other.fileno(), select.POLLIN)
    while True:
        alone.poll()
        other.recv(64)


ready(fd=other.fileno())
threading.Thread(target=receive, daemon=True).start()
time.sleep(WAITS_S)
one.send(b"x")
time.sleep(AFTER_S)
finished()
