"""Serves connections, and closes each that was idle for a while, as keep-alive timeouts do.

argv: after how many IDLE_S it closes one, how many CONNECTIONS it is to serve.
"""

import socket
import sys
import threading

from gate import finished, ready

IDLE_S, CONNECTIONS = float(sys.argv[1]), int(sys.argv[2])


def serve(connection):
    with connection:
        connection.settimeout(IDLE_S)
        try:
            while connection.recv(4096):
                connection.sendall(b"!")
        except TimeoutError:
            pass


listener = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS)
ready(port=listener.getsockname()[1])
threads = []
for _ in range(CONNECTIONS):
    threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
    threads[-1].start()
for thread in threads:
    thread.join()
finished()
