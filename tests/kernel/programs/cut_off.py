"""Asks a service on kept connections, and some of them are closed instead of an answer.

argv: PORT of the service, how many QUERIES, BYTES of each.
"""

import socket
import sys

from gate import finished, ready

PORT, QUERIES, BYTES = map(int, sys.argv[1:])


def ask(service):
    service.sendall(b"?" * BYTES)
    return service.recv(1)


ready()
service = socket.create_connection(("127.0.0.1", PORT))
for _ in range(QUERIES):
    if not ask(service):
        service.close()
        service = socket.create_connection(("127.0.0.1", PORT))
service.close()
finished()
