"""IO115: a process of 256 MB forks for each request; fixed: two workers, forked once."""

import os
import signal

from common import WRONG, listen, ready

ballast = bytearray(256 << 20) if WRONG else b""
for place in range(0, len(ballast), 4096):
    ballast[place] = 1
listener = listen()


def serve(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


if WRONG:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ready(listener)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            for place in range(0, len(ballast), 16 * 4096):
                ballast[place] = 2  # its own copy of a part of it, as a Python program's is
            serve(connection)
            os._exit(0)
        connection.close()
for _ in range(2):
    if os.fork() == 0:
        while True:
            serve(listener.accept()[0])
ready(listener)
signal.pause()
