"""IO116: twelve workers watch one listener; fixed: they block in accept, which wakes one."""

import os
import select
import signal

from common import WRONG, listen, ready

listener = listen()
if WRONG:
    listener.setblocking(False)
for _ in range(12):
    if os.fork() == 0:
        while True:
            if WRONG:
                select.select([listener], [], [listener])
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            connection.setblocking(True)
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)
ready(listener)
signal.pause()
