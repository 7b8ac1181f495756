"""A server whose workers are killed one after the other before they are ready, as
if by a watchdog. killed.py WORKERS SECONDS"""

import os
import signal
import socket
import sys
import time

from gate import finished, ready

WORKERS, START_S = int(sys.argv[1]), float(sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))


def work():
    time.sleep(2 * START_S)  # as if it loaded something
    while True:
        listener.accept()[0].close()


ready()
for _ in range(WORKERS):
    worker = os.fork()
    if not worker:
        work()
    time.sleep(START_S)
    os.kill(worker, signal.SIGABRT)
    os.waitpid(worker, 0)
finished()
