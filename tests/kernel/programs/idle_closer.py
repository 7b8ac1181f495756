"""Serves connections, and closes each that was idle for a while, as keep-alive timeouts do.

argv: after how many IDLE_S it closes one, how many CONNECTIONS it is to serve, how long an answer
takes (ANSWER_S), and the HOST that it listens on.
"""

import socket
import sys
import threading
import time

from gate import finished, ready

IDLE_S, CONNECTIONS, ANSWER_S = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
HOST = sys.argv[4]


def serve(connection):
    with connection:
        connection.settimeout(IDLE_S)
        try:
            while connection.recv(4096):
                time.sleep(ANSWER_S)
                connection.sendall(b"!")
        except TimeoutError:
            pass


listener = socket.create_server(
    (HOST, 0), backlog=CONNECTIONS, family=socket.AF_INET6 if ":" in HOST else socket.AF_INET
)
ready(port=listener.getsockname()[1])
threads = []
for _ in range(CONNECTIONS):
    threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
    threads[-1].start()
for thread in threads:
    thread.join()
finished()
