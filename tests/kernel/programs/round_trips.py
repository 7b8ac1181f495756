"""Asks a service on port argv[1] argv[2] times, a byte each."""

import socket
import sys

from gate import finished, ready

ready()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as service:
    service.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(int(sys.argv[2])):
        service.sendall(b"?")
        service.recv(1)
    finished()
